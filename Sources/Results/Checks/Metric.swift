/// A number in run.json; the ratio of two, "flows.packets.late / flows.packets.sent"; the product of two shares,
/// "lip_sync.within.ebu_r37 * lip_sync.coverage"; or a share of the catalog, "loss", "loss[tv]" for one receiver.
public struct Metric: Sendable {
    /// As run.json's `qos.checks[].metric` has it.
    public let text: String
    public let kind: MetricKind
    private let source: Source

    private enum Source: Sendable {
        case number(MetricPath)
        case pair(MetricPath, Operation, MetricPath)
        /// The path leads to the elements of its list.
        case share(Share, MetricPath)
    }

    private enum Operation: Character, CaseIterable {
        case quotient = "/"
        case product = "*"
    }

    /// ``text``, or what stands behind its name.
    var meaning: String {
        if case .share(let share, _) = source { share.formula } else { text }
    }

    /// Whether it picks elements of a list by name or place.
    package var selects: Bool {
        switch source {
        case .number(let path), .share(_, let path): path.selects
        case .pair(let first, _, let second): first.selects || second.selects
        }
    }

    /// - Throws: ``UserFacingError`` (usage) for what is no metric of run.json.
    public init(parsing source: some StringProtocol) throws(UserFacingError) {
        if let operation = Operation.allCases.first(where: { splitOutsideBrackets(source, at: $0.rawValue).count > 1 }) {
            try self.init(pair: source, operation)
            return
        }
        let text = trimmed(source)
        let name = text.prefix { $0 != "[" }
        if text.count == name.count || text.last == "]",
            let share = Catalog.shares.first(where: { $0.name == name })
        {
            let path = try MetricPath(parsing: share.list + text.dropFirst(name.count))
            self.init(String(text), share.kind, .share(share, path))
            return
        }
        let path = try MetricPath(parsing: text)
        self.init(path.text, try path.kind(), .number(path))
    }

    private init(pair source: some StringProtocol, _ operation: Operation) throws(UserFacingError) {
        let parts = splitOutsideBrackets(source, at: operation.rawValue).map(trimmed)
        guard parts.count == 2 else {
            throw .usage(
                "'\(source)' has more than one \(operation.rawValue)",
                remedy: "a metric is a path, one path / another, or one * another")
        }
        let first = try MetricPath(parsing: parts[0])
        let second = try MetricPath(parsing: parts[1])
        let kind = try first.kind()
        let other = try second.kind()
        guard kind.unit.isNumber, other.unit == kind.unit else {
            throw .usage(
                "'\(source)' combines what has different units", remedy: "divide counts by counts, times by times")
        }
        guard operation == .quotient || kind.unit == .ratio else {
            throw .usage("'\(source)' multiplies what are no shares")
        }
        self.init(
            "\(first.text) \(operation.rawValue) \(second.text)", MetricKind(unit: .ratio, worse: kind.worse),
            .pair(first, operation, second))
    }

    private init(_ text: String, _ kind: MetricKind, _ source: Source) {
        self.text = text
        self.kind = kind
        self.source = source
    }

    /// Its values in a run.json, element by element.
    ///
    /// - Throws: ``UserFacingError`` (usage) when a selection matches no element.
    public func values(in document: JSONValue, labels: ListLabels) throws(UserFacingError) -> [MetricValue] {
        switch source {
        case .number(let path): return try path.values(in: document, labels: labels)
        case .share(let share, let path):
            // "flows[tv]" names the same element as "loss[tv]".
            return try path.values(in: document, labels: labels).map {
                MetricValue(
                    label: share.name + $0.label.dropFirst(share.list.count), value: share.value(of: $0.value),
                    count: share.count(of: $0.value))
            }
        case .pair(let first, let operation, let second):
            let values = try first.values(in: document, labels: labels)
            let others = try second.values(in: document, labels: labels)
            guard values.count == others.count || others.count == 1 else {
                throw .usage(
                    "'\(text)': \(values.count) values do not go with \(others.count)",
                    remedy: "select the same elements on both sides")
            }
            return values.enumerated().map { index, value in
                Metric.combine(value, operation, others[others.count == 1 ? 0 : index])
            }
        }
    }

    private static func combine(_ first: MetricValue, _ operation: Operation, _ second: MetricValue) -> MetricValue {
        // A share of a count has as many samples as it counts.
        let isShare = operation == .quotient && first.count == 1 && second.count == 1 && second.value.integer != nil
        let scarcer = second.count - second.leastCount < first.count - first.leastCount ? second : first
        return MetricValue(
            label: "\(first.label) \(operation.rawValue) \(second.label)",
            value: value(first.value.double, operation, second.value.double),
            count: isShare ? second.value.integer : scarcer.count, leastCount: scarcer.leastCount)
    }

    /// Null where either is not measured or there is nothing to divide by.
    private static func value(_ first: Double?, _ operation: Operation, _ second: Double?) -> JSONValue {
        guard let first, let second else { return nil }
        switch operation {
        case .product: return JSONValue(first * second)
        case .quotient: return second == 0 ? nil : JSONValue(first / second)
        }
    }
}

extension Metric: Equatable {
    /// Their texts say what they are.
    public static func == (first: Metric, second: Metric) -> Bool { first.text == second.text }
}
