import Timebase

extension Histogram {
    /// The distribution in the ten numbers that results carry; nil when empty.
    ///
    /// Mean and standard deviation (the population's) are rounded to whole numbers; quantiles are within 0.1 %, or
    /// a unit of the histogram's resolution.
    public var summary: DistributionSummary? {
        guard let minimum, let maximum, let roundedMean, let standardDeviation, let p5 = quantile(0.05),
            let p50 = quantile(0.5), let p95 = quantile(0.95), let p99 = quantile(0.99), let p999 = quantile(0.999)
        else { return nil }
        return DistributionSummary(
            count: count, minimum: minimum, mean: roundedMean,
            standardDeviation: Int64(standardDeviation.rounded(.toNearestOrAwayFromZero)),
            p5: p5, p50: p50, p95: p95, p99: p99, p999: p999, maximum: maximum)
    }
}
