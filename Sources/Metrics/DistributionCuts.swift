/// The numbers that verdicts compare quantiles with, known before a run: at them its distributions count exactly, and so
/// tell each quantile on the right side.
public struct DistributionCuts: Sendable, Equatable {
    /// A distribution of a run, by its path in run.json.
    public enum Quantity: String, CaseIterable, Sendable {
        /// True one-way delay.
        case oneWayDelay = "flows.one_way_delay_ns"
        /// One-way delay by the clocks of the two nodes.
        case oneWayDelayMeasured = "flows.one_way_delay_measured_ns"
        /// Measured less true one-way delay.
        case oneWayDelayError = "flows.one_way_delay_error_ns"
        /// Round trip by reports.
        case roundTrip = "flows.round_trip_ns"
        /// Delay variation between neighbours (RFC 3393).
        case ipdv = "flows.ipdv_ns"
        /// Delay variation against the least delay (RFC 5481).
        case pdv = "flows.pdv_ns"
        /// Capture to presentation.
        case endToEndDelay = "substreams.end_to_end_delay_ns"
        /// Media time heard less shown.
        case lipSyncSkew = "lip_sync.skew_ns"
        /// The wait in the playout buffer.
        case playoutDelay = "playout.delay_ns"
        /// How long what waits in the playout buffer lasts.
        case buffer = "playout.buffer_ns"
        /// Local less true time.
        case clockError = "clocks.offset_error_ns"
        /// The largest error that a clock claims.
        case clockBound = "clocks.bound_ns"
        /// The wait in a link's queue.
        case queueDelay = "links.queue_delay_ns"
        /// From the first receiver that does a command to the last.
        case applicationSpread = "commands.application_spread_ns"
        /// The largest less the smallest position of receivers.
        case positionSpread = "commands.position_spread_ns"
        /// The same where receivers play together by what they report.
        case destinationSpread = "idms.position_spread_ns"
        /// Clock references against a constant rate.
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
