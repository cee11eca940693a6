import Scenario

/// What a value of run.json counts.
public enum MetricUnit: Sendable, Equatable {
    /// Time, ns.
    case nanoseconds
    /// A rate, bit/s.
    case bitsPerSecond
    /// Bytes.
    case bytes
    /// 0...1.
    case ratio
    /// A frequency error, ppb: 10^-9.
    case partsPerBillion
    /// A drift, ns/s.
    case nanosecondsPerSecond
    /// Events a second, 1/s.
    case perSecond
    /// A count of things.
    case count
    /// A number without a unit of its own.
    case plain
    /// Words, for people or to compare.
    case text
    /// True or false.
    case truth

    /// As `rubato.comparison/1` and `rubato.metrics/1` name it; nil for what has none.
    public var name: String? {
        switch self {
        case .nanoseconds: "ns"
        case .bitsPerSecond: "bit/s"
        case .bytes: "B"
        case .ratio: "ratio"
        case .partsPerBillion: "ppb"
        case .nanosecondsPerSecond: "ns/s"
        case .perSecond: "1/s"
        case .count: "count"
        case .plain, .text, .truth: nil
        }
    }

    var isNumber: Bool { measure != nil }

    /// What its limits are written in; nil for what is no number.
    var measure: Quantity.Measure? {
        switch self {
        case .nanoseconds: .time
        case .bitsPerSecond: .bitRate
        case .bytes: .byteCount
        case .ratio: .share
        case .partsPerBillion: .frequency
        case .nanosecondsPerSecond: .slope
        case .perSecond: .perSecond
        case .count, .plain: .plain
        case .text, .truth: nil
        }
    }
}
