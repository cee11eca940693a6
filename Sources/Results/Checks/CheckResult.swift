/// What came of a check.
public struct CheckResult: Sendable, Equatable {
    /// What was required.
    public var check: Check
    /// Of all elements the one that fails, or is nearest to failing; null when one was not measured or none is there.
    var value: JSONValue
    /// How many samples the value was made of; 0 without one.
    var count: Int64
    /// Whether it holds; what was not measured, or too seldom, does not.
    public var passed: Bool
    /// The element that `value` belongs to, where there are several; or why it does not pass all the same.
    public var note: String?

    /// The value as people read it; exact where rounding would make it look like the limit that it misses.
    public var valueText: String {
        let unit = check.metric.kind.unit
        let rounded = Format.value(value, unit)
        return !passed && rounded == Format.value(check.limit, unit) ? Format.exact(value, unit) : rounded
    }

    init(check: Check, value: JSONValue, count: Int64, passed: Bool, note: String? = nil) {
        self.check = check
        self.value = value
        self.count = count
        self.passed = passed
        self.note = note
    }
}

extension Check {
    /// Applies the check to a run.json. What was not measured does not pass, nor what was measured too seldom.
    ///
    /// - Parameter uncertainCuts: of a run that has counted at the check's limit, where it could not do so exactly; nil
    ///   for a saved run, of which nobody knows at what it counted.
    /// - Throws: ``UserFacingError`` (usage) when it selects an element that is not there.
    func result(
        in document: JSONValue, uncertainCuts: Set<Int64>? = nil
    ) throws(UserFacingError) -> CheckResult {
        let values = try metric.values(in: document, labels: ListLabels(of: [document]))
        guard let first = values.first else {
            return CheckResult(check: self, value: nil, count: 0, passed: false, note: "there is none in this run")
        }
        if let missing = values.first(where: { $0.value.isNull }) {
            return CheckResult(
                check: self, value: nil, count: 0, passed: false, note: "not measured: \(missing.label)")
        }
        if let scarce = values.first(where: { $0.count < max(leastCount, $0.leastCount) }) {
            return CheckResult(
                check: self, value: scarce.value, count: scarce.count, passed: false, note: scarcity(scarce, values))
        }
        let failing = values.filter { !holds($0.value) }
        let worst = worst(of: values, startingWith: failing.first ?? first)
        var note: String?
        if values.count > 1 {
            note =
                failing.isEmpty
                ? "worst of \(values.count): \(worst.element)"
                : "\(failing.count) of \(values.count) fail: \(worst.element)"
        }
        let isUncertain = uncertainCuts.map { !$0.isDisjoint(with: cuts) } ?? true
        if isUncertain, values.contains(where: { $0.isWithinResolution(of: limit) }) {
            let resolution = "the limit lies within the resolution of the value, 0.1 % or 1 us"
            note = note.map { $0 + "; " + resolution } ?? resolution
        }
        return CheckResult(
            check: self, value: worst.value, count: worst.count, passed: failing.isEmpty, note: note)
    }

    /// The same where nobody can be told any more: a finished run is not thrown away for a selection that is not there.
    func verdict(in document: JSONValue, uncertainCuts: Set<Int64>? = nil) -> CheckResult {
        do throws(UserFacingError) {
            return try result(in: document, uncertainCuts: uncertainCuts)
        } catch {
            return CheckResult(check: self, value: nil, count: 0, passed: false, note: error.message)
        }
    }

    private func scarcity(_ scarce: MetricValue, _ values: [MetricValue]) -> String {
        let needed = Format.count(max(leastCount, scarce.leastCount))
        let place = values.count > 1 ? " of \(scarce.element)" : ""
        return "insufficient data: \(Format.count(scarce.count)) samples\(place), it takes \(needed)"
    }

    /// The value nearest to failing, or farthest beyond.
    private func worst(of values: [MetricValue], startingWith first: MetricValue) -> MetricValue {
        guard metric.kind.unit.isNumber, comparison != .equal, comparison != .notEqual else { return first }
        return values.reduce(first) { worst, candidate in
            let (low, high) = comparison.isUpperBound ? (worst, candidate) : (candidate, worst)
            return Check.isLess(low.value, high.value) ? candidate : worst
        }
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
