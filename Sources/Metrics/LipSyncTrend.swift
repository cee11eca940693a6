import Timebase

/// The least-squares line through a skew that is known at every instant, not at samples: of its pieces, each a straight
/// line over some time.
///
/// Integrals by means and centred sums, which do not cancel however long the run.
struct LipSyncTrend: Sendable {
    /// Blocks that an error takes at least.
    static let leastBlocks: Int64 = 10
    /// Standard errors that a slope is away from zero at least; what is less is noise.
    static let leastSignificance = 3.0

    /// Where seconds count from.
    private var origin: Instant?
    /// Seconds.
    private var weight = 0.0
    private var meanTime = 0.0
    private var meanSkew = 0.0
    private var squaresOfTime = 0.0
    private var products = 0.0

    /// The means over about a second each: what moves together within a second would make an error from single pieces
    /// too small.
    private var blocks = LineFit()
    private var block = (nanoseconds: Int64(0), time: 0.0, skew: 0.0)

    /// Takes a piece in which the skew goes evenly from `first` to `last`, nanoseconds.
    mutating func add(from first: Int64, to last: Int64, start: Instant, nanoseconds: Int64) {
        let zero = origin ?? start
        origin = zero
        let length = Double(nanoseconds) / 1e9
        let time = Double((start - zero).nanoseconds) / 1e9 + length / 2
        let skew = Double(first) + Double(last - first) / 2
        let total = weight + length
        let (fromTime, fromSkew) = (time - meanTime, skew - meanSkew)
        let pull = weight * length / total
        squaresOfTime += length * length * length / 12 + pull * fromTime * fromTime
        products += Double(last - first) * length * length / 12 + pull * fromTime * fromSkew
        meanTime += fromTime * length / total
        meanSkew += fromSkew * length / total
        weight = total
        addToBlock(nanoseconds, time, skew)
    }

    private mutating func addToBlock(_ nanoseconds: Int64, _ time: Double, _ skew: Double) {
        block.nanoseconds += nanoseconds
        let share = Double(nanoseconds) / Double(block.nanoseconds)
        block.time += (time - block.time) * share
        block.skew += (skew - block.skew) * share
        guard block.nanoseconds >= 1_000_000_000 else { return }
        blocks.add(x: block.time, y: block.skew)
        block = (0, 0, 0)
    }

    /// One standard error of the slope, nanoseconds a second: what the means of blocks leave over beside their own
    /// line; nil of too few blocks.
    var standardError: Double? { blocks.count >= Self.leastBlocks ? blocks.slopeError : nil }

    /// The slope, nanoseconds a second of true time; nil where it is noise or nobody knows whether it is.
    var slope: Double? {
        guard let standardError, squaresOfTime > 0 else { return nil }
        let slope = products / squaresOfTime
        // An error that rounds to nothing leaves no doubt about a whole number.
        return abs(slope) >= Self.leastSignificance * standardError || standardError < 0.5 ? slope : nil
    }
}
