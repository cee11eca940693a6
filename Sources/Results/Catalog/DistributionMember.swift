import Metrics

/// The ten numbers of the contract's DIST.
package enum DistributionMember: String, CaseIterable {
    /// By the names of run.json.
    case count, minimum = "min", mean, deviation = "stddev", p5, p50, p95, p99, p999, maximum = "max"

    func node(_ kind: MetricKind) -> CatalogNode {
        let kind: MetricKind =
            switch self {
            case .count: MetricKind(unit: .count)
            // A wider spread is worse wherever the values lie.
            case .deviation: MetricKind(unit: kind.unit, worse: kind.worse == .unknown ? .unknown : .up)
            default: kind
            }
        return CatalogNode(
            rawValue, definition, .value(kind),
            samples: self == .count ? nil : .beside(DistributionMember.count.rawValue, least: leastCount))
    }

    /// How many values it takes, that one at least lies beyond a percentile.
    private var leastCount: Int64 {
        switch self {
        case .count, .minimum, .mean, .deviation, .maximum: 1
        case .p50: 2
        case .p5, .p95: 20
        case .p99: 100
        case .p999: 1_000
        }
    }

    var definition: String {
        switch self {
        case .count: "How many values there are."
        case .minimum: "The least value, exact."
        case .mean: "The arithmetic mean, rounded to a whole number."
        case .deviation: "The sample's standard deviation, divided by n - 1; null of a single value."
        case .p5: "The least value that 5 % of all do not exceed" + Self.precision
        case .p50: "The median, the least value that half of all do not exceed" + Self.precision
        case .p95: "The least value that 95 % of all do not exceed" + Self.precision
        case .p99: "The least value that 99 % of all do not exceed" + Self.precision
        case .p999: "The least value that 99.9 % of all do not exceed" + Self.precision
        case .maximum: "The largest value, exact."
        }
    }

    /// How exact quantiles are: see `Histogram`.
    private static let precision =
        ": exact where it alone fills its bin, else within the larger of 0.1 % and 1 us, and on its own side of each "
        + "limit that the run was checked by."

    /// How far a quantile may be from the value that is told for it, at most.
    static func resolution(of value: Int64) -> Int64 { max(1_000, Int64(value.magnitude / 1_000)) }

    var isQuantile: Bool {
        switch self {
        case .p5, .p50, .p95, .p99, .p999: true
        case .count, .minimum, .mean, .deviation, .maximum: false
        }
    }

    func value(in summary: DistributionSummary) -> Int64? {
        switch self {
        case .count: summary.count
        case .minimum: summary.minimum
        case .mean: summary.mean
        case .deviation: summary.standardDeviation
        case .p5: summary.p5
        case .p50: summary.p50
        case .p95: summary.p95
        case .p99: summary.p99
        case .p999: summary.p999
        case .maximum: summary.maximum
        }
    }
}

extension DistributionMember {
    /// The ten numbers by name; null without values.
    package static func document(_ distribution: Distribution?) -> JSONValue {
        guard let summary = distribution?.summary else { return nil }
        return .object(
            JSONObject(allCases.map { JSONObject.Member($0.rawValue, JSONValue($0.value(in: summary))) }))
    }
}
