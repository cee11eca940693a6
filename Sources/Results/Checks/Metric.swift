import Metrics

/// A number in run.json; the ratio of two, "flows.packets.late / flows.packets.sent"; or a share of the catalog, "loss",
/// "loss[tv]" for one receiver.
public struct Metric: Sendable {
    /// As run.json's `qos.checks[].metric` has it.
    let text: String
    let kind: MetricKind
    private let source: Source

    private enum Source: Sendable {
        case number(MetricPath)
        case quotient(MetricPath, MetricPath)
        /// The path leads to the elements of its list.
        case share(Share, MetricPath)
    }

    /// ``text``, or what stands behind its name.
    var meaning: String {
        if case .share(let share, _) = source { share.formula } else { text }
    }

    /// Whether it picks elements of a list by name or place.
    package var selects: Bool {
        switch source {
        case .number(let path), .share(_, let path): path.selects
        case .quotient(let path, let divisor): path.selects || divisor.selects
        }
    }

    /// The distribution that it is a quantile of; nil for anything else.
    var quantity: DistributionCuts.Quantity? {
        guard case .number(let path) = source else { return nil }
        let names = path.steps.compactMap { step -> String? in
            if case .key(let key) = step, Int(key) == nil { key } else { nil }
        }
        guard let last = names.last, DistributionMember(rawValue: last)?.isQuantile == true else { return nil }
        return DistributionCuts.Quantity(rawValue: names.dropLast().joined(separator: "."))
    }

    /// - Throws: ``UserFacingError`` (usage) for what is no metric of run.json.
    init(parsing source: some StringProtocol) throws(UserFacingError) {
        let parts = splitOutsideBrackets(source, at: "/").map(trimmed)
        guard parts.count <= 2 else {
            throw .usage("'\(source)' divides more than once", remedy: "a metric is a path, or one path / another")
        }
        let first = parts[0]
        let name = first.prefix { $0 != "[" }
        if parts.count == 1, first.count == name.count || first.last == "]",
            let share = Catalog.shares.first(where: { $0.name == name })
        {
            let path = try MetricPath(parsing: share.list + first.dropFirst(name.count))
            self.init(String(first), share.kind, .share(share, path))
            return
        }
        let path = try MetricPath(parsing: first)
        let kind = try path.kind()
        guard parts.count == 2 else {
            self.init(path.text, kind, .number(path))
            return
        }
        let divisor = try MetricPath(parsing: parts[1])
        guard kind.unit.isNumber, try divisor.kind().unit == kind.unit else {
            throw .usage(
                "'\(source)' divides what has different units", remedy: "divide counts by counts, times by times")
        }
        self.init(
            path.text + " / " + divisor.text, MetricKind(unit: .ratio, worse: kind.worse), .quotient(path, divisor))
    }

    private init(_ text: String, _ kind: MetricKind, _ source: Source) {
        self.text = text
        self.kind = kind
        self.source = source
    }

    /// Its values in a run.json, element by element.
    ///
    /// - Throws: ``UserFacingError`` (usage) when a selection matches no element.
    func values(in document: JSONValue, labels: ListLabels) throws(UserFacingError) -> [MetricValue] {
        switch source {
        case .number(let path): return try path.values(in: document, labels: labels)
        case .share(let share, let path):
            // "flows[tv]" names the same element as "loss[tv]".
            return try path.values(in: document, labels: labels).map {
                MetricValue(
                    label: share.name + $0.label.dropFirst(share.list.count), value: share.value(of: $0.value),
                    count: share.count(of: $0.value))
            }
        case .quotient(let path, let divisor):
            return try quotients(
                path.values(in: document, labels: labels), divisor.values(in: document, labels: labels))
        }
    }

    private func quotients(
        _ values: [MetricValue], _ divisors: [MetricValue]
    ) throws(UserFacingError) -> [MetricValue] {
        guard values.count == divisors.count || divisors.count == 1 else {
            throw .usage(
                "'\(text)': \(values.count) values cannot be divided by \(divisors.count)",
                remedy: "select the same elements on both sides")
        }
        return values.enumerated().map { index, value in
            let divisor = divisors[divisors.count == 1 ? 0 : index]
            // A share of a count has as many samples as it counts.
            let isShare = divisor.count == 1 && divisor.value.integer != nil
            let scarcer = divisor.count - divisor.leastCount < value.count - value.leastCount ? divisor : value
            return MetricValue(
                label: value.label + " / " + divisor.label,
                value: Metric.quotient(value.value.double, divisor.value.double),
                count: isShare && value.count == 1 ? divisor.value.integer : scarcer.count,
                leastCount: scarcer.leastCount)
        }
    }

    /// Null where either is not measured or there is nothing to divide by.
    private static func quotient(_ numerator: Double?, _ denominator: Double?) -> JSONValue {
        guard let numerator, let denominator, denominator != 0 else { return nil }
        return JSONValue(numerator / denominator)
    }
}

extension Metric: Equatable {
    /// Their texts say what they are.
    public static func == (first: Metric, second: Metric) -> Bool { first.text == second.text }
}
