import Timebase

/// Everything that one run measured, as run.json reports it. Nil is "not measured".
public struct RunMeasurements: Sendable {
    /// When every packet had met its fate and every unit its deadline.
    public var ended: Instant = .zero
    /// Every fate and instant in one number, whatever outputs are chosen.
    public var digest = EventDigest()
    /// The program as each receiver got it.
    public var flows: [FlowMeasurements] = []
    /// Each substream as each receiver presented it.
    public var substreams: [SubstreamMeasurements] = []
    /// Each call as each receiver heard it.
    public var calls: [CallMeasurements] = []
    /// Each audio and video pair at each receiver.
    public var lipSync: [LipSyncMeasurements] = []
    /// Each receiver's playout.
    public var playout: [PlayoutMeasurements] = []
    /// Each node's clock.
    public var clocks: [ClockMeasurements] = []
    /// Each link, in the World's order.
    public var links: [LinkMeasurements] = []
    /// What playback commands did; nil without any.
    public var commands: CommandMeasurements?
    /// How receivers played together; nil where they do not.
    public var destinations: DestinationMeasurements?
    /// What came of the agreement; nil without one.
    public var agreement: AgreementMeasurements?
    /// Each session that asked for a guaranteed rate.
    public var reservations: [ReservationMeasurements] = []
    /// Each transport stream: as it was sent, and as it came out of each receiver's playout buffer.
    public var transportStreams: [TransportStreamMeasurements] = []
    /// What makes the numbers less than they seem: a truncated file, a receiver that nothing reached.
    public var warnings: [RunWarning] = []

    public init() {}
}

/// One substream as one receiver presented it.
public struct SubstreamMeasurements: Sendable {
    /// The substream's name.
    public var id = ""
    /// "video", "audio" or "data".
    public var kind = ""
    /// Id of the receiver.
    public var receiver = ""
    /// Units of which the first byte was sent.
    public var sentUnits: Int64 = 0
    /// Bytes of the elementary stream that were sent, PES headers not counted.
    public var sentBytes: Int64 = 0
    /// Elementary bits a second, from the first unit's presentation to the last one's end; nil where there is no such
    /// time.
    public var sentBitsPerSecond: Int64?
    /// Units that were whole when they were due.
    public var onTime: Int64 = 0
    /// Units that were whole only after they were due.
    public var late: Int64 = 0
    /// Units of which nothing came, or too little to know when they are due.
    public var missing: Int64 = 0
    /// Units of which a part never came.
    public var damaged: Int64 = 0
    /// Units replaced by a guess; nil where nothing is concealed.
    public var concealed: Int64?
    // By what they refer to, of the units of which something came.
    /// Units that a decoder makes what they were.
    public var intact: Int64 = 0
    /// Units that are wrong, or refer to what is missing or wrong.
    public var impaired: Int64 = 0
    /// Units that a decoder can make nothing of.
    public var undecodable: Int64 = 0
    /// How long the impaired ones last.
    public var impairedTime = ImpairedTime()
    /// Capture to presentation, nanoseconds, of units that were presented.
    public var endToEndDelay: Distribution?
    /// Nil for what cannot freeze (audio, data).
    public var freezes: FreezeMeasurements?

    public init() {}
}

/// Times that a picture stood still beyond its nominal duration.
public struct FreezeMeasurements: Equatable, Sendable {
    /// How many.
    public var count: Int64
    /// All of them together.
    public var total: TimeSpan
    /// The longest of them.
    public var longest: TimeSpan

    public init(count: Int64, total: TimeSpan, longest: TimeSpan) {
        self.count = count
        self.total = total
        self.longest = longest
    }
}

/// Lip-sync skew of one audio/video pair at one receiver; positive: audio early (ITU-R BT.1359).
public struct LipSyncMeasurements: Sendable {
    /// Id of the receiver.
    public var receiver = ""
    /// Id of the audio substream.
    public var audio = ""
    /// Id of the video substream.
    public var video = ""
    /// By whose tolerances the receiver is judged, as scenarios name them.
    public var profile = ""
    /// Weighed by time: milliseconds in which audio was heard.
    public var skew: Distribution?
    /// The share of the program's time, from the first presentation to the program's end, in which both really played,
    /// 0...1.
    public var coverage: Double?
    // The share of the skew's time inside each limit, 0...1.
    /// ITU-R BT.1359, detectability.
    public var withinITUDetectability: Double?
    /// ITU-R BT.1359, acceptability.
    public var withinITUAcceptability: Double?
    /// EBU R37.
    public var withinEBUR37: Double?
    /// ATSC IS-191.
    public var withinATSCIS191: Double?
    /// Steinmetz 1996, in sync.
    public var withinSteinmetz: Double?
    // The share of the program's time in which both really played, inside each limit, 0...1.
    /// ITU-R BT.1359, detectability.
    public var coveredITUDetectability: Double?
    /// ITU-R BT.1359, acceptability.
    public var coveredITUAcceptability: Double?
    /// EBU R37.
    public var coveredEBUR37: Double?
    /// ATSC IS-191.
    public var coveredATSCIS191: Double?
    /// Steinmetz 1996, in sync.
    public var coveredSteinmetz: Double?
    /// Least-squares slope of the skew over true time; nil where it is noise.
    public var slopeNanosecondsPerSecond: Int64?
    /// One standard error of it; nil of less than ten seconds.
    public var slopeStandardErrorNanosecondsPerSecond: Int64?

    public init() {}
}

/// A receiver's playout buffer.
public struct PlayoutMeasurements: Sendable {
    /// Id of the receiver.
    public var receiver = ""
    /// Id of the flow whose datagrams it holds.
    public var flow = ""
    /// "fixed".
    public var algorithm = ""
    /// Time from a datagram's arrival to its release... of those used.
    public var delay: Distribution?
    /// Bytes' worth of time waiting in the buffer, seen by each arrival.
    public var buffer: Distribution?
    /// Times that the buffer was empty when a release was due; a row of them is one.
    public var underruns: Int64?
    /// Datagrams that found the buffer full.
    public var overflows: Int64?
    /// Playback commands that the receiver did; nil without any in the run.
    public var commands: Int64?
    /// For how long it stood still on command; nil without commands.
    public var pausedNanoseconds: Int64?
    /// Where it played when the sources stopped, on the program's timeline; nil without commands, and where it did not
    /// know.
    public var positionNanoseconds: Int64?

    public init() {}
}

/// A node's clock against the truth.
public struct ClockMeasurements: Sendable {
    /// Id of the node.
    public var node = ""
    /// "none": free running.
    public var algorithm = ""
    /// When it was first corrected; nil: never.
    public var synchronizedNanoseconds: Int64?
    /// Local minus true time each second, from then on where there is an algorithm; positive: fast.
    public var offsetError: Distribution?
    /// The oscillator's, before any correction.
    public var trueFrequencyPartsPerBillion: Int64?
    /// What the algorithm estimates it to be, parts per billion; nil where it does not.
    public var estimatedFrequencyPartsPerBillion: Int64?
    /// The largest error claimed, at the same samples.
    public var bound: Distribution?
    /// Samples whose error was larger than claimed; nil where nothing is.
    public var boundViolations: Int64?
    /// Ended exchanges with time servers, and those of them that were used.
    public var exchanges: Int64?
    /// Exchanges whose reply the client used.
    public var exchangesUsed: Int64?

    public init() {}
}

/// What went over one link, cross traffic included.
public struct LinkMeasurements: Sendable {
    /// "forward.0", "reverse.0", "tv.last.0".
    public var id = ""
    /// "forward" or "reverse".
    public var direction = ""
    /// Nil without a rate.
    public var rateBitsPerSecond: Int64?
    /// Share of the run's time that the link was sending, 0...1; nil without a rate.
    public var utilization: Double?
    /// Packets handed to the link.
    public var packetsIn: Int64 = 0
    /// Packets that came out at its far end, copies made here included.
    public var packetsOut: Int64 = 0
    /// Packets lost by the loss model.
    public var lossDrops: Int64 = 0
    /// Packets that found no room in the queue.
    public var queueFullDrops: Int64 = 0
    /// Packets dropped by active queue management.
    public var aqmDrops: Int64 = 0
    /// Packets that an outage of the link took.
    public var downDrops: Int64 = 0
    /// Packets beyond what the policer lets pass.
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
    /// The rate asked for, bit/s of IP packets.
    public var bitsPerSecond: Int64 = 0
    /// Bytes.
    public var burst: Int64 = 0
    /// Whether every link of its way granted it.
    public var isAdmitted = false
    /// The first link that refused, and why.
    public var refusedLink: String?
    /// The reason of ``refusedLink``, in words.
    public var refusedReason: String?
    /// What no one-way delay exceeds while the flow keeps to rate and burst: T + b/R; nil where nothing can be promised.
    public var boundNanoseconds: Int64?
    /// The longest one-way delay that occurred, nanoseconds; nil when nothing arrived.
    public var worstDelayNanoseconds: Int64?
    /// The least burst that what was sent conforms to, bytes.
    public var neededBurst: Int64?

    public init() {}
}

/// A transport stream as it came by one point.
public struct TransportStreamMeasurements: Sendable {
    /// "sender", or a receiver's id (what came out of its playout buffer).
    public var point = ""
    /// Its rate by the bytes and the time between the first and the last; nil when it cannot be told.
    public var bitsPerSecond: Int64?
    /// TR 101 290 counters by their standard names, in the standard's order; a nil count is "not measured".
    public var tr101290: [(name: String, count: Int64?)] = []
    /// The longest time between two clock references.
    public var pcrIntervalMaximum: TimeSpan?
    /// By how much clock references differ from the time of their bytes at constant rate (TR 101 290 §5.2.2, PCR_AC),
    /// nanoseconds.
    public var pcrAccuracy: Distribution?

    public init() {}
}
