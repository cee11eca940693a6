/// How many packets go early where at least so many lie from one to the next: a renewal process, by its recursion.
///
/// A packet may go where none of the gap − 1 before it did; of these at most one did, so that u(n), the probability that
/// the n-th of a block does, is share · (1 − u(n − 1) − … − u(n − gap + 1)), and 0 for the first gap − 1.
struct EarlyLaw {
    private let gap: Int
    /// Σ u up to before each place of a block.
    private var before: [Double] = [0]

    /// Packets after which the process begins anew.
    private var block: Int { 4_096 * gap }

    /// - Parameter end: behind the last number that will be asked about.
    init(share: Double, gap: Int, upTo end: Int) {
        self.gap = gap
        for place in 0..<min(block, end) {
            let recent = before[place] - before[max(0, place - gap + 1)]
            before.append(before[place] + (place < gap - 1 ? 0 : share * (1 - recent)))
        }
    }

    /// Mean and variance of how many of some packets go early: over blocks, which know nothing of each other.
    func early(among numbers: Range<Int>) -> (mean: Double, variance: Double) {
        var (mean, variance) = (0.0, 0.0)
        var first = numbers.lowerBound
        while first < numbers.upperBound {
            let start = first - first % block
            let places = first - start..<min(start + block, numbers.upperBound) - start
            let expected = before[places.upperBound] - before[places.lowerBound]
            // Behind an early packet all is as it is at a block's beginning.
            let pairs = places.reduce(0.0) { sum, place in
                sum + (before[place + 1] - before[place]) * before[places.upperBound - place - 1]
            }
            mean += expected
            variance += max(0, expected + 2 * pairs - expected * expected)
            first = start + block
        }
        return (mean, variance)
    }
}
