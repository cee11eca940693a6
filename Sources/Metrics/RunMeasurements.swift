import Timebase

/// Everything that one run measured, as run.json reports it. Nil is "not measured".
public struct RunMeasurements: Sendable {
    /// When every packet had met its fate and every unit its deadline.
    public var ended: Instant = .zero
    public var digest = EventDigest()
    public var flows: [FlowMeasurements] = []
    public var substreams: [SubstreamMeasurements] = []
    public var lipSync: [LipSyncMeasurements] = []
    public var playout: [PlayoutMeasurements] = []
    public var clocks: [ClockMeasurements] = []
    public var links: [LinkMeasurements] = []
    public var reservations: [ReservationMeasurements] = []
    public var transportStreams: [TransportStreamMeasurements] = []
    /// What makes the numbers less than they seem: a truncated file, a receiver that nothing reached.
    public var warnings: [RunWarning] = []

    public init() {}
}

/// One substream as one receiver presented it.
public struct SubstreamMeasurements: Sendable {
    public var id = ""
    /// "video", "audio" or "data".
    public var kind = ""
    public var receiver = ""
    public var sentUnits: Int64 = 0
    public var sentBytes: Int64 = 0
    public var sentBitsPerSecond: Int64?
    public var onTime: Int64 = 0
    public var late: Int64 = 0
    public var missing: Int64 = 0
    public var damaged: Int64 = 0
    public var concealed: Int64?
    public var endToEndDelay: Distribution?
    /// Nil for what cannot freeze (audio, data).
    public var freezes: FreezeMeasurements?

    public init() {}
}

public struct FreezeMeasurements: Equatable, Sendable {
    public var count: Int64
    public var total: TimeSpan
    public var longest: TimeSpan

    public init(count: Int64, total: TimeSpan, longest: TimeSpan) {
        self.count = count
        self.total = total
        self.longest = longest
    }
}

/// Lip-sync skew of one audio/video pair at one receiver; positive: audio early (ITU-R BT.1359).
public struct LipSyncMeasurements: Sendable {
    public var receiver = ""
    public var audio = ""
    public var video = ""
    /// Weighed by time: milliseconds in which audio was heard.
    public var skew: Distribution?
    /// The share of the program's time, from the first presentation to the program's end, in which both really played,
    /// 0...1.
    public var coverage: Double?
    // The share of the skew's time inside each limit, 0...1.
    public var withinITUDetectability: Double?
    public var withinITUAcceptability: Double?
    public var withinEBUR37: Double?
    public var withinATSCIS191: Double?
    // The share of the program's time in which both really played, inside each limit, 0...1.
    public var coveredITUDetectability: Double?
    public var coveredITUAcceptability: Double?
    public var coveredEBUR37: Double?
    public var coveredATSCIS191: Double?
    /// Least-squares slope of the skew over true time; nil where it is noise.
    public var slopeNanosecondsPerSecond: Int64?
    /// One standard error of it; nil of less than ten seconds.
    public var slopeStandardErrorNanosecondsPerSecond: Int64?

    public init() {}
}

public struct PlayoutMeasurements: Sendable {
    public var receiver = ""
    /// "fixed".
    public var algorithm = ""
    /// Time from a datagram's arrival to its release... of those used.
    public var delay: Distribution?
    /// Bytes' worth of time waiting in the buffer, seen by each arrival.
    public var buffer: Distribution?
    public var underruns: Int64?
    public var overflows: Int64?

    public init() {}
}

public struct ClockMeasurements: Sendable {
    public var node = ""
    /// "none": free running.
    public var algorithm = ""
    /// When it was first corrected; nil: never.
    public var synchronizedNanoseconds: Int64?
    /// Local minus true time each second, from then on where there is an algorithm; positive: fast.
    public var offsetError: Distribution?
    /// The oscillator's, before any correction.
    public var trueFrequencyPartsPerBillion: Int64?
    public var estimatedFrequencyPartsPerBillion: Int64?
    /// The largest error claimed, at the same samples.
    public var bound: Distribution?
    /// Samples whose error was larger than claimed; nil where nothing is.
    public var boundViolations: Int64?
    /// Ended exchanges with time servers, and those of them that were used.
    public var exchanges: Int64?
    public var exchangesUsed: Int64?

    public init() {}
}

public struct LinkMeasurements: Sendable {
    /// "forward.0", "reverse.0", "tv.last.0".
    public var id = ""
    /// "forward" or "reverse".
    public var direction = ""
    /// Nil without a rate.
    public var rateBitsPerSecond: Int64?
    /// Share of the run's time that the link was sending, 0...1; nil without a rate.
    public var utilization: Double?
    public var packetsIn: Int64 = 0
    public var packetsOut: Int64 = 0
    public var lossDrops: Int64 = 0
    public var queueFullDrops: Int64 = 0
    public var aqmDrops: Int64 = 0
    public var downDrops: Int64 = 0
    public var policedDrops: Int64 = 0
    /// Copies made; they are not in `packetsIn`.
    public var duplicated: Int64 = 0
    /// Marked with "congestion experienced".
    public var marked: Int64 = 0
    /// Waiting time only, of packets that were then sent; nil without a rate.
    public var queueDelay: Distribution?

    public init() {}
}

/// A session that asked for a guaranteed rate on every link of its way.
public struct ReservationMeasurements: Sendable {
    /// "program", or a source of cross traffic: "forward.0.cross_traffic.1".
    public var flow = ""
    /// Empty for cross traffic.
    public var receiver = ""
    public var bitsPerSecond: Int64 = 0
    /// Bytes.
    public var burst: Int64 = 0
    public var isAdmitted = false
    /// The first link that refused, and why.
    public var refusedLink: String?
    public var refusedReason: String?
    /// What no one-way delay exceeds while the flow keeps to rate and burst: T + b/R; nil where nothing can be promised.
    public var boundNanoseconds: Int64?
    public var worstDelayNanoseconds: Int64?
    /// The least burst that what was sent conforms to, bytes.
    public var neededBurst: Int64?

    public init() {}
}

public struct TransportStreamMeasurements: Sendable {
    /// "sender", or a receiver's id (what came out of its playout buffer).
    public var point = ""
    public var bitsPerSecond: Int64?
    /// TR 101 290 counters by their standard names, in the standard's order; a nil count is "not measured".
    public var tr101290: [(name: String, count: Int64?)] = []
    public var pcrIntervalMaximum: TimeSpan?
    public var pcrAccuracy: Distribution?

    public init() {}
}
