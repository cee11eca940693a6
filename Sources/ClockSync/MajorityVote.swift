/// The value that more than half say: m liars whom all see alike are outvoted by m + 1 who are not, 2m + 1 in all.
enum MajorityVote {
    /// Nil: there is none.
    ///
    /// - Complexity: O(n).
    static func value<Value: Equatable>(of values: some Collection<Value>) -> Value? {
        // Boyer and Moore: what pairs of different values do not cancel is the only candidate.
        var candidate: Value?
        var lead = 0
        for value in values {
            if lead == 0 { candidate = value }
            lead += value == candidate ? 1 : -1
        }
        guard let candidate, values.count(where: { $0 == candidate }) * 2 > values.count else { return nil }
        return candidate
    }
}
