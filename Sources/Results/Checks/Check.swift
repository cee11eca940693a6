/// How a value is compared with a limit.
public enum Comparison: String, Sendable, CaseIterable {
    case lessOrEqual = "<="
    case greaterOrEqual = ">="
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case greater = ">"

    func holds<Value: Comparable>(_ value: Value, _ limit: Value) -> Bool {
        switch self {
        case .lessOrEqual: value <= limit
        case .greaterOrEqual: value >= limit
        case .equal: value == limit
        case .notEqual: value != limit
        case .less: value < limit
        case .greater: value > limit
        }
    }

    /// Whether the greatest of several values is the one nearest to failing.
    var isUpperBound: Bool { self == .less || self == .lessOrEqual }
}

/// A requirement on a run's numbers: 'lip_sync.skew_ns.p95 <= 45ms'.
///
/// A metric that leads through a list must meet it in every element. An empty list, or a value that was not measured,
/// does not pass.
public struct Check: Sendable, Equatable {
    public var metric: Metric
    public var comparison: Comparison
    /// In the metric's own unit.
    public var limit: JSONValue
    /// The scenario's name for it, when it is a term of its QoS contract: "jitter".
    public var term: String?

    /// - Parameter term: set for a term of the scenario's QoS contract.
    /// - Throws: ``UserFacingError`` (usage), with the nearest names for an unknown one.
    public init(parsing expression: String, term: String? = nil) throws(UserFacingError) {
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
        guard !metric.kind.unit.isNumber else { return try Quantity.limit(text, for: metric.kind.unit) }
        guard comparison == .equal || comparison == .notEqual else {
            throw .usage("'\(metric.text)' is not a number", remedy: "compare it with == or !=")
        }
        guard metric.kind.unit == .truth else { return .string(text) }
        guard text == "true" || text == "false" else {
            throw .usage("'\(metric.text)' is true or false, not '\(text)'")
        }
        return .bool(text == "true")
    }
}

/// What came of a check.
public struct CheckResult: Sendable, Equatable {
    public var check: Check
    /// Of all elements the one that fails, or is nearest to failing; null when one was not measured or none is there.
    public var value: JSONValue
    public var passed: Bool
    /// The element that `value` belongs to, where there are several; or why there is no value.
    public var note: String?

    /// The value as people read it; exact where rounding would make it look like the limit that it misses.
    public var valueText: String {
        let unit = check.metric.kind.unit
        let rounded = Format.value(value, unit)
        return !passed && rounded == Format.value(check.limit, unit) ? Format.exact(value, unit) : rounded
    }

    public init(check: Check, value: JSONValue, passed: Bool, note: String? = nil) {
        self.check = check
        self.value = value
        self.passed = passed
        self.note = note
    }
}

extension Check {
    /// Applies the check to a run.json.
    ///
    /// - Throws: ``UserFacingError`` (usage) when it selects an element that is not there.
    public func result(in document: JSONValue) throws(UserFacingError) -> CheckResult {
        let values = try metric.values(in: document, labels: ListLabels(of: [document]))
        guard let first = values.first else {
            return CheckResult(check: self, value: nil, passed: false, note: "there is none in this run")
        }
        if let missing = values.first(where: { $0.value.isNull }) {
            return CheckResult(check: self, value: nil, passed: false, note: "not measured: \(missing.label)")
        }
        let failing = values.filter { !holds($0.value) }
        var worst = failing.first ?? first
        if metric.kind.unit.isNumber, comparison != .equal, comparison != .notEqual {
            for candidate in values {
                let (low, high) = comparison.isUpperBound ? (worst, candidate) : (candidate, worst)
                if Check.isLess(low.value, high.value) { worst = candidate }
            }
        }
        var note: String?
        if values.count > 1 {
            note =
                failing.isEmpty
                ? "worst of \(values.count): \(worst.element)"
                : "\(failing.count) of \(values.count) fail: \(worst.element)"
        }
        return CheckResult(check: self, value: worst.value, passed: failing.isEmpty, note: note)
    }

    private func holds(_ value: JSONValue) -> Bool {
        switch (value, limit) {
        case (.integer(let value), .integer(let limit)): return comparison.holds(value, limit)
        case (.string(let value), .string(let limit)): return comparison.holds(value, limit)
        case (.bool(let value), .bool(let limit)): return comparison.holds(value ? 1 : 0, limit ? 1 : 0)
        default:
            guard let value = value.double, let limit = limit.double else { return false }
            return comparison.holds(value, limit)
        }
    }

    private static func isLess(_ a: JSONValue, _ b: JSONValue) -> Bool {
        if case .integer(let a) = a, case .integer(let b) = b { return a < b }
        guard let a = a.double, let b = b.double else { return false }
        return a < b
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
