import Timebase

/// The Berkeley algorithm's average: that of the largest set of clocks which lie within one range of each other (Gusella
/// and Zatti 1989), so that clocks gone wrong do not pull the others along.
struct FaultTolerantAverage: Sendable, Equatable {
    /// The set's mean, rounded toward zero.
    let mean: TimeSpan
    /// How many clocks are in the set, 1 or more.
    let count: Int

    /// - Parameters:
    ///   - differences: of the other clocks from the coordinator's; its own, zero, comes in addition.
    ///   - range: the most that clocks of the set differ, not negative.
    ///
    /// Of sets of the same size the one with the coordinator's clock is taken, then the narrowest, then the lowest: where
    /// no two clocks agree, all follow the coordinator's.
    /// - Complexity: O(n log n).
    init(_ differences: [TimeSpan], range: TimeSpan) {
        let sorted = (differences + [.zero]).sorted()
        var best = 0..<1
        var end = 0
        for start in sorted.indices {
            while end < sorted.count, sorted[end] - sorted[start] <= range { end += 1 }
            let set = start..<end
            if Self.rank(sorted[set], range) > Self.rank(sorted[best], range) { best = set }
        }
        let sum = sorted[best].reduce(0 as Int128) { $0 + Int128($1.nanoseconds) }
        mean = .nanoseconds(Int64(sum / Int128(best.count)))
        count = best.count
    }

    private static func rank(_ set: ArraySlice<TimeSpan>, _ range: TimeSpan) -> (Int, Int, TimeSpan) {
        guard let first = set.first, let last = set.last else { return (0, 0, .zero) }
        return (set.count, first <= .zero && .zero <= last ? 1 : 0, range - (last - first))
    }
}
