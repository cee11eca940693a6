/// A distribution as its inverse, in whole nanoseconds, looked up with 64 uniform bits.
///
/// The unit interval is cut at ½ and each half into octaves of tail probability (¼…½, ⅛…¼, …) of 64 equal parts
/// with a straight line in each, so that the far tails are as finely cut as the middle. Built once when a scenario
/// loads; a look-up is integer arithmetic only, and so the same everywhere.
public struct QuantileTable: Sendable {
    /// Octaves of tail probability kept: the table ends at a tail of 2^-33, beyond which the quantile is held.
    @usableFromInline static var octaves: Int { 32 }
    @usableFromInline static var partsPerOctave: Int { 64 }

    /// Knots in order of falling tail probability, lower half first, then the upper half.
    @usableFromInline let knots: [Int64]

    /// - Parameter quantile: the value at a probability, given by its distance from the nearer end so that small tails
    ///   keep their precision: `quantile(tail, isUpper)` is Q(tail), or Q(1 − tail) where `isUpper`. Nanoseconds.
    public init(_ quantile: (_ tail: Double, _ isUpper: Bool) -> Double) {
        var knots: [Int64] = []
        let count = Self.octaves * Self.partsPerOctave + 1
        knots.reserveCapacity(2 * count)
        for isUpper in [false, true] {
            for index in 0..<count {
                let octave = index / Self.partsPerOctave
                let part = Double(index % Self.partsPerOctave) / Double(Self.partsPerOctave)
                var tail = 0.5 * (1 - part / 2)
                for _ in 0..<octave { tail /= 2 }
                // Within ±417 days, so that sums of a few values stay within 63 bits.
                let value = min(max(quantile(tail, isUpper), -0x1p55), 0x1p55)
                knots.append(Int64(value.rounded(.toNearestOrAwayFromZero)))
            }
        }
        self.knots = knots
    }

    /// An exponential distribution.
    ///
    /// - Parameter mean: not negative. Tables end at a tail of 2^-33: at 22.9 means.
    public static func exponential(mean: TimeSpan) -> QuantileTable {
        QuantileTable { tail, isUpper in
            -Double(mean.nanoseconds) * naturalLogarithm(isUpper ? tail : 1 - tail)
        }
    }

    /// The value at probability `draw / 2^64`, in nanoseconds.
    @inlinable
    public func value(at draw: UInt64) -> Int64 {
        let isUpper = draw >= 1 &<< 63
        // The distance from the nearer end, 1...2^63, in units of 2^-64.
        let tail = isUpper ? 0 &- draw : draw &+ 1
        // Octave 0 holds the tails 2^62+1...2^63.
        let octave = (tail &- 1).leadingZeroBitCount &- 1
        let base = isUpper ? Self.octaves &* Self.partsPerOctave &+ 1 : 0
        guard octave < Self.octaves else { return knots[base &+ Self.octaves &* Self.partsPerOctave] }
        // How far below the octave's upper edge, 0..<2^(62-octave), stretched to 62 bits.
        let below = ((1 &<< UInt64(63 &- octave)) &- tail) &<< UInt64(octave)
        let part = Int(below &>> 56)
        let within = Int64(below &>> 24 & 0xffff_ffff)
        let index = base &+ octave &* Self.partsPerOctave &+ part
        let left = knots[index]
        let step = knots[index &+ 1] &- left
        return left &+ Int64(truncatingIfNeeded: (Int128(step) &* Int128(within)) &>> 32)
    }
}
