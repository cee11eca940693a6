import Metrics

/// What runs and captures measure alike.
extension Catalog {
    static let ipdv = CatalogMember<StreamQualityMeasurements>.distribution(
        "ipdv_ns", worse: .awayFromZero, label: "variation, IPDV",
        "One-way delay less that of the packet numbered one before, where both arrived (RFC 3393)."
    ) { $0.ipdv }

    static let pdv = CatalogMember<StreamQualityMeasurements>.distribution(
        "pdv_ns", worse: .up, label: "variation, PDV",
        "One-way delay less the least of all, of first copies (RFC 5481 section 4.2). As the least is known only in the end, a limit within a quantile's resolution may fall on either side of it."
    ) { $0.pdv }

    static let interarrivalJitter = CatalogMember<StreamQualityMeasurements>.group(
        "interarrival_jitter_ns", label: "jitter, RFC 3550",
        "The running estimate J += (|D| - J)/16 over every arrival, copies too (RFC 3550 section 6.4.1).",
        [
            .nanoseconds(
                "mean", worse: .up, label: "jitter",
                "Its mean over all arrivals but the first."
            ) { $0.interarrivalJitter?.mean }.needing(.of("packets.delivered", least: 2)),
            .nanoseconds("max", worse: .up, "Its largest value.") {
                $0.interarrivalJitter?.maximum
            }.needing(.of("packets.delivered", least: 2)),
            .nanoseconds(
                "last", worse: .up, "Its value after the last arrival."
            ) { $0.interarrivalJitter?.last }.needing(.of("packets.delivered", least: 2)),
        ])

    static let mediaLossRate = CatalogMember<StreamQualityMeasurements>.value(
        "mlr_per_s", MetricKind(unit: .perSecond, worse: .up), label: "media loss rate",
        "The media loss rate: transport packets lost, per second of sending (section 3.2)."
    ) { JSONValue($0.mediaLossRatePerSecond) }

    /// Counts of runs by their lengths, as a map's names.
    static func named(_ runs: [(length: Int64, count: Int64)]) -> [(name: String, count: Int64?)] {
        runs.map { ($0.length.description, $0.count) }
    }
}
