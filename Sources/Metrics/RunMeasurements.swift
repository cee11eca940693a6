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

/// One flow of the program as one receiver gets it.
public struct FlowMeasurements: Sendable {
    public var id = ""
    public var receiver = ""
    /// "ts-udp" or "ts-rtp".
    public var carriage = ""
    // Every datagram meets exactly one fate: sent + duplicated = delivered + lostLink + droppedQueue + droppedChecksum.
    public var sent: Int64 = 0
    public var duplicated: Int64 = 0
    public var delivered: Int64 = 0
    public var lostLink: Int64 = 0
    public var droppedQueue: Int64 = 0
    public var droppedChecksum: Int64 = 0
    // Of the delivered, each is used, late or a duplicate.
    public var late: Int64 = 0
    public var duplicates: Int64 = 0
    public var reordered: Int64 = 0
    /// Datagrams that a queue marked with "congestion experienced" in place of a drop.
    public var marked: Int64 = 0
    public var repairedFEC: Int64 = 0
    public var repairedRetransmission: Int64 = 0
    /// Datagrams that neither arrived nor were repaired.
    public var unrepaired: Int64 = 0
    public var repairSent: Int64 = 0
    public var repairDelivered: Int64 = 0
    /// IP bits per second while the flow was sending; nil with fewer than two packets.
    public var sentBitsPerSecond: Int64?
    public var deliveredBitsPerSecond: Int64?
    /// Bytes that are not media (IP, UDP, RTP, transport-stream headers, PSI, null packets) as a share of all IP bytes.
    public var overheadRatio: Double?
    public var oneWayDelay: Distribution?
    public var oneWayDelayMeasured: Distribution?
    public var oneWayDelayError: Distribution?
    public var roundTrip: Distribution?
    public var ipdv: Distribution?
    public var pdv: Distribution?
    public var interarrivalJitter: InterarrivalJitterMeasurements?
    /// How many runs of each length of consecutive datagrams were not delivered, by ascending length: consecutive in the
    /// multiplex, as the decoder sees it...
    public var lossRuns: [(length: Int64, count: Int64)] = []
    /// ...and on the wire: the same without an interleaver.
    public var lossRunsOnWire: [(length: Int64, count: Int64)] = []
    /// RFC 4445: the largest delay factor of all one-second intervals, and lost transport packets per second.
    public var delayFactorNanoseconds: Int64?
    public var mediaLossRatePerSecond: Double?
    /// From emulated time zero, when the session begins, to the first unit presented; nil if none ever was.
    public var sessionSetupNanoseconds: Int64?

    public init() {}
}

/// RFC 3550 §6.4.1, in nanoseconds.
public struct InterarrivalJitterMeasurements: Equatable, Sendable {
    public var mean: Int64
    public var maximum: Int64
    public var last: Int64

    public init(mean: Int64, maximum: Int64, last: Int64) {
        self.mean = mean
        self.maximum = maximum
        self.last = last
    }
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
    public var skew: Distribution?
    // The share of samples inside each limit, 0...1.
    public var withinITUDetectability: Double?
    public var withinITUAcceptability: Double?
    public var withinEBUR37: Double?
    public var withinATSCIS191: Double?
    /// Least-squares slope of the skew over true time.
    public var slopeNanosecondsPerSecond: Int64?

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
    /// Local minus true time; positive: fast.
    public var offsetError: Distribution?
    public var trueFrequencyPartsPerBillion: Int64?
    public var estimatedFrequencyPartsPerBillion: Int64?
    public var bound: Distribution?
    public var boundViolations: Int64?
    public var exchanges: Int64?

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
