import Timebase

/// How one quantity of a run or of a capture was distributed: what contract's DIST is made of. Nanoseconds, unless its
/// owner says otherwise. It holds one value at least; where nothing was measured there is no distribution.
///
/// Distributions of several runs merge to that of all their values. What is exact in it and what is not is told by
/// ``Histogram``.
public struct Distribution: Sendable {
    /// The values less `offset`.
    private var bins: Histogram
    /// Zero for all but what had to be binned from a place of its own, as PDV is: see ``PacketDelayVariation``.
    private var offset: Int64
    /// How much weight in the bins makes a value: more than 1 where values last, and weigh by their time.
    private let unit: Int64

    /// - Parameters:
    ///   - bins: what was measured; nil comes of nothing.
    ///   - offset: to be added to each of these values, exactly.
    ///   - unit: how much weight counts as a value, to the nearest; half of it makes one.
    public init?(_ bins: Histogram, offset: Int64 = 0, unit: Int64 = 1) {
        guard !bins.isEmpty, bins.count * 2 >= unit else { return nil }
        self.bins = bins
        self.offset = offset
        self.unit = unit
    }

    /// How many values there are, 1 at least.
    public var count: Int64 { unit == 1 ? bins.count : bins.count / unit + (bins.count % unit * 2 >= unit ? 1 : 0) }
    /// The smallest value, exactly.
    public var minimum: Int64 { (bins.minimum ?? 0) + offset }
    /// The largest value, exactly.
    public var maximum: Int64 { (bins.maximum ?? 0) + offset }
    /// The arithmetic mean, rounded to a whole number.
    public var mean: Int64 { (bins.roundedMean ?? 0) + offset }
    /// The sample's, divided by n − 1, rounded to a whole number; nil of one value.
    var standardDeviation: Int64? {
        guard count > 1, let deviation = bins.standardDeviation else { return nil }
        guard unit > 1 else { return Int64(deviation.rounded(.toNearestOrAwayFromZero)) }
        let (weight, number) = (Double(bins.count), Double(count))
        let ratio = (weight - 1) / weight * (number / (number - 1))
        return Int64((deviation * ratio.squareRoot()).rounded(.toNearestOrAwayFromZero))
    }

    /// The value of rank ⌈p·n⌉, counted from the smallest: see ``Histogram/quantile(_:)``.
    ///
    /// - Parameter p: 0...1; what lies outside is clamped.
    /// - Complexity: O(bins in use).
    public func quantile(_ p: Double) -> Int64 { (bins.quantile(p) ?? 0) + offset }

    /// The numbers given to be counted at of which it is not known how many values are at most these.
    public var uncertainCuts: [Int64] { bins.uncertainCuts.map { $0 + offset } }

    /// The ten numbers of contract's DIST.
    public var summary: DistributionSummary {
        DistributionSummary(
            count: count, minimum: minimum, mean: mean, standardDeviation: standardDeviation, p5: quantile(0.05),
            p50: quantile(0.5), p95: quantile(0.95), p99: quantile(0.99), p999: quantile(0.999), maximum: maximum)
    }

    /// Adds the values of another distribution.
    ///
    /// The result is that of one histogram of all values, if both were binned alike; where they were not (PDV of runs
    /// with different anchors), the other's values are binned anew, and quantiles carry the roundings of both.
    mutating func merge(_ other: Distribution) {
        bins.merge(other.offset == offset ? other.bins : other.bins.shifted(by: other.offset - offset))
    }

    /// A point of the cumulative distribution: so large a share of all values, exactly, is at most `value`.
    struct CumulativePoint: Hashable, Sendable {
        var value: Int64
        /// More than 0, at most 1.
        var share: Double

        init(value: Int64, share: Double) {
            self.value = value
            self.share = share
        }
    }

    /// The cumulative distribution at the upper edge of each bin that holds something, ascending; the last point is the
    /// maximum with 1.
    ///
    /// - Complexity: O(bins in use).
    var cumulative: [CumulativePoint] {
        var points: [CumulativePoint] = []
        var sum: UInt64 = 0
        bins.forEachBin { values, count in
            sum += count
            points.append(CumulativePoint(value: values.upperBound + offset, share: Double(sum) / Double(bins.count)))
            return true
        }
        return points
    }
}

extension Histogram {
    /// What it holds, as a distribution; nil when empty.
    public var distribution: Distribution? { Distribution(self) }
}
