/// The numbers that verdicts compare quantiles with, known before a run: at them its distributions count exactly, and so
/// tell each quantile on the right side.
public struct DistributionCuts: Sendable, Equatable {
    /// A distribution of a run, by its path in run.json.
    public enum Quantity: String, CaseIterable, Sendable {
        case oneWayDelay = "flows.one_way_delay_ns"
        case oneWayDelayMeasured = "flows.one_way_delay_measured_ns"
        case oneWayDelayError = "flows.one_way_delay_error_ns"
        case roundTrip = "flows.round_trip_ns"
        case ipdv = "flows.ipdv_ns"
        case pdv = "flows.pdv_ns"
        case endToEndDelay = "substreams.end_to_end_delay_ns"
        case lipSyncSkew = "lip_sync.skew_ns"
        case playoutDelay = "playout.delay_ns"
        case buffer = "playout.buffer_ns"
        case clockError = "clocks.offset_error_ns"
        case clockBound = "clocks.bound_ns"
        case queueDelay = "links.queue_delay_ns"
        case pcrAccuracy = "transport_stream.pcr.accuracy_ns"
    }

    private var cuts: [Quantity: [Int64]] = [:]

    public init() {}

    /// Nanoseconds, each once, in the order in which they were added.
    public subscript(quantity: Quantity) -> [Int64] { cuts[quantity] ?? [] }

    /// - Parameter cut: nanoseconds.
    public mutating func add(_ cut: Int64, to quantity: Quantity) {
        if !self[quantity].contains(cut) { cuts[quantity, default: []].append(cut) }
    }

    /// Adds all of others.
    public mutating func add(_ others: DistributionCuts) {
        for quantity in Quantity.allCases { for cut in others[quantity] { add(cut, to: quantity) } }
    }
}
