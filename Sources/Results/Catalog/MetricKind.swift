/// What the catalog says of a value: what it counts, and which way is worse.
struct MetricKind: Sendable, Equatable {
    var unit: MetricUnit
    var worse: Worse

    init(unit: MetricUnit, worse: Worse = .unknown) {
        self.unit = unit
        self.worse = worse
    }
}

/// Which way a metric gets worse.
enum Worse: String, Sendable {
    case up
    case down
    /// Signed metrics, best at zero: skew, clock offset.
    case awayFromZero = "away_from_zero"
    /// Neither way is bad by itself.
    case unknown
}
