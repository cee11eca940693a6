import Scenario

/// A requirement on a run's numbers: 'lip_sync.skew_ns.p95 <= 45ms'.
///
/// A metric that leads through a list must meet it in every element. An empty list, or a value that was not measured,
/// does not pass.
public struct Check: Sendable, Equatable {
    /// What is compared with the limit.
    public var metric: Metric
    var comparison: Comparison
    /// In the metric's own unit.
    var limit: JSONValue
    /// The scenario's name for it, when it is a term of its QoS contract: "jitter".
    var term: String?
    /// With fewer samples it does not pass, whatever the metric itself takes.
    var leastCount: Int64

    /// - Parameters:
    ///   - term: set for a term of the scenario's QoS contract.
    ///   - leastCount: samples that it takes, if the metric takes fewer.
    /// - Throws: ``UserFacingError`` (usage), with the nearest names for an unknown one.
    public init(parsing expression: String, term: String? = nil, leastCount: Int64 = 1) throws(UserFacingError) {
        self.leastCount = leastCount
        guard let (found, range) = Check.comparison(in: expression) else {
            throw .usage(
                "'\(expression)' has no comparison",
                remedy: "write METRIC OPERATOR LIMIT with <, <=, >, >=, == or !=: 'lip_sync.skew_ns.p95 <= 45ms'")
        }
        comparison = found
        metric = try Metric(parsing: trimmed(expression[..<range.lowerBound]))
        let text = String(trimmed(expression[range.upperBound...]))
        limit = try Check.limit(text, for: metric, comparison)
        self.term = term
    }

    /// - Parameter saved: an element of run.json's `qos.checks`; nil if it is none.
    init?(ofSaved saved: JSONValue) {
        guard let text = saved["metric"]?.string, let metric = try? Metric(parsing: text),
            let comparison = saved["op"]?.string.flatMap({ Comparison(rawValue: $0) }), let limit = saved["limit"]
        else { return nil }
        self.metric = metric
        self.comparison = comparison
        self.limit = limit
        leastCount = 1
    }

    /// "lip_sync.skew_ns.p95 <= 45 ms"
    public var expression: String {
        "\(metric.text) \(comparison.rawValue) \(Format.exact(limit, metric.kind.unit))"
    }

    /// Refuses elements that the run is not going to have, before it runs.
    ///
    /// - Parameter planned: the run.json that a run of nothing would have: every element of every list.
    /// - Throws: ``UserFacingError`` (usage).
    public func validate(in planned: JSONValue) throws(UserFacingError) {
        _ = try metric.values(in: planned, labels: ListLabels(of: [planned]))
    }

    private static func comparison(in text: String) -> (Comparison, Range<String.Index>)? {
        var index = text.startIndex
        var isInside = false
        while index < text.endIndex {
            if text[index] == "[" { isInside = true }
            if text[index] == "]" { isInside = false }
            // allCases has the operators of two characters first.
            if !isInside, let found = Comparison.allCases.first(where: { text[index...].hasPrefix($0.rawValue) }) {
                return (found, index..<text.index(index, offsetBy: found.rawValue.count))
            }
            index = text.index(after: index)
        }
        return nil
    }

    private static func limit(
        _ text: String, for metric: Metric, _ comparison: Comparison
    ) throws(UserFacingError) -> JSONValue {
        if let measure = metric.kind.unit.measure { return try limit(text, in: metric.kind.unit, measure) }
        guard comparison == .equal || comparison == .notEqual else {
            throw .usage("'\(metric.text)' is not a number", remedy: "compare it with == or !=")
        }
        guard metric.kind.unit == .truth else { return .string(text) }
        guard text == "true" || text == "false" else {
            throw .usage("'\(metric.text)' is true or false, not '\(text)'")
        }
        return .bool(text == "true")
    }

    private static func limit(
        _ text: String, in unit: MetricUnit, _ measure: Quantity.Measure
    ) throws(UserFacingError) -> JSONValue {
        do throws(QuantityProblem) {
            switch try Quantity.limit(text, of: measure) {
            case .whole(let number): return .integer(number)
            case .fraction(let number): return JSONValue(number)
            }
        } catch {
            let name = unit.name.map { " in \($0)" } ?? ""
            throw .usage("'\(text)' is no limit\(name): \(error.hint ?? "")", remedy: "write \(error.expected)")
        }
    }
}

/// Without spaces and tabs at either end.
package func trimmed(_ text: some StringProtocol) -> Substring {
    var rest = Substring(text)
    while let first = rest.first, first.isWhitespace { rest = rest.dropFirst() }
    while let last = rest.last, last.isWhitespace { rest = rest.dropLast() }
    return rest
}

/// The parts between separators, those inside square brackets not counted: ids may contain anything else.
package func splitOutsideBrackets(_ text: some StringProtocol, at separator: Character) -> [Substring] {
    var isInside = false
    return Substring(text).split(omittingEmptySubsequences: false) { character in
        if character == "[" { isInside = true }
        if character == "]" { isInside = false }
        return character == separator && !isInside
    }
}
