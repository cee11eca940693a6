/// A distribution in ten numbers: contract's DIST. Nanoseconds unless its owner says otherwise.
public struct DistributionSummary: Equatable, Sendable {
    /// How many values; of what is weighed by time, milliseconds.
    public var count: Int64
    /// The smallest value.
    public var minimum: Int64
    /// The arithmetic mean, rounded to whole units.
    public var mean: Int64
    /// Nil of one value.
    public var standardDeviation: Int64?
    /// The 5th percentile.
    public var p5: Int64
    /// The median.
    public var p50: Int64
    /// The 95th percentile.
    public var p95: Int64
    /// The 99th percentile.
    public var p99: Int64
    /// The 99.9th percentile.
    public var p999: Int64
    /// The largest value.
    public var maximum: Int64
}
