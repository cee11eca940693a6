/// A number in run.json; the ratio of two, "flows.packets.late / flows.packets.sent"; or "loss".
///
/// `loss`, and `loss[tv]` for one receiver, is what the QoS contract means by it: datagrams that never came, were not
/// repaired, or came too late to be used, as a share of those sent.
public struct Metric: Sendable, Equatable {
    /// As run.json's `qos.checks[].metric` has it.
    public let text: String
    public let kind: MetricKind
    /// What is added up, then divided.
    let addends: [MetricPath]
    let divisor: MetricPath?
    /// The name that stands for the whole in labels; nil where the paths do.
    private let alias: String?

    /// ``text``, or what stands behind its name.
    var meaning: String { alias == nil ? text : "(unrepaired + late) / sent" }

    var paths: [MetricPath] { addends + (divisor.map { [$0] } ?? []) }

    /// - Throws: ``UserFacingError`` (usage) for what is no metric of run.json.
    public init(parsing source: some StringProtocol) throws(UserFacingError) {
        let parts = splitOutsideBrackets(source, at: "/").map(trimmed)
        guard parts.count <= 2 else {
            throw .usage("'\(source)' divides more than once", remedy: "a metric is a path, or one path / another")
        }
        let first = parts[0]
        if parts.count == 1, first == "loss" || (first.hasPrefix("loss[") && first.hasSuffix("]")) {
            let selection = first.dropFirst("loss".count)
            addends = [
                try MetricPath(parsing: "flows\(selection).packets.unrepaired"),
                try MetricPath(parsing: "flows\(selection).packets.late"),
            ]
            divisor = try MetricPath(parsing: "flows\(selection).packets.sent")
            text = String(first)
            kind = MetricKind(unit: .ratio, worse: .up)
            alias = "loss"
            return
        }
        let path = try MetricPath(parsing: first)
        let pathKind = try path.kind()
        addends = [path]
        alias = nil
        guard parts.count == 2 else {
            divisor = nil
            text = path.text
            kind = pathKind
            return
        }
        let other = try MetricPath(parsing: parts[1])
        guard pathKind.unit.isNumber, try other.kind().unit == pathKind.unit else {
            throw .usage(
                "'\(source)' divides what has different units", remedy: "divide counts by counts, times by times")
        }
        divisor = other
        text = path.text + " / " + other.text
        kind = MetricKind(unit: .ratio, worse: pathKind.worse)
    }

    /// Its values in a run.json, element by element.
    ///
    /// - Throws: ``UserFacingError`` (usage) when a selection matches no element.
    public func values(in document: JSONValue, labels: ListLabels) throws(UserFacingError) -> [MetricValue] {
        var values = try addends[0].values(in: document, labels: labels)
        guard let divisor else { return values }
        for path in addends.dropFirst() {
            let more = try path.values(in: document, labels: labels)
            for (index, addend) in more.enumerated() where index < values.count {
                values[index].value = Metric.sum(values[index].value, addend.value)
            }
        }
        let divisors = try divisor.values(in: document, labels: labels)
        guard values.count == divisors.count || divisors.count == 1 else {
            throw .usage(
                "'\(text)': \(values.count) values cannot be divided by \(divisors.count)",
                remedy: "select the same elements on both sides")
        }
        return values.enumerated().map { index, value in
            let divisor = divisors[divisors.count == 1 ? 0 : index]
            return MetricValue(
                label: label(value.label, divisor.label),
                value: Metric.quotient(value.value.double, divisor.value.double))
        }
    }

    private func label(_ first: String, _ second: String) -> String {
        guard let alias else { return first + " / " + second }
        // "flows[tv].packets.unrepaired" names the same element as "loss[tv]".
        let end = first.lastIndex(of: "]").map { first.index(after: $0) } ?? first.startIndex
        return alias + (first.firstIndex(of: "[").map { String(first[$0..<end]) } ?? "")
    }

    private static func sum(_ a: JSONValue, _ b: JSONValue) -> JSONValue {
        guard let a = a.integer, let b = b.integer else { return nil }
        let (sum, overflow) = a.addingReportingOverflow(b)
        return overflow ? nil : .integer(sum)
    }

    /// Null where either is not measured or there is nothing to divide by.
    private static func quotient(_ numerator: Double?, _ denominator: Double?) -> JSONValue {
        guard let numerator, let denominator, denominator != 0 else { return nil }
        return JSONValue(numerator / denominator)
    }
}
