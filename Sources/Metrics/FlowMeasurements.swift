/// One flow of the program as one receiver gets it. Nil is "not measured".
public struct FlowMeasurements: Sendable {
    /// The flow's name: "program".
    public var id = ""
    /// Id of the receiver.
    public var receiver = ""
    /// "ts-udp" or "ts-rtp".
    public var carriage = ""
    /// What arrived, by the numbers and instants on the wire: bytes are those of IP packets, delays are true.
    public var quality = StreamQualityMeasurements()
    // Every datagram meets exactly one fate: sent + duplicated = delivered + lostLink + lostNode + droppedQueue
    // + droppedChecksum.
    /// Datagrams that the sender handed to the first link, or was to when a fault kept it from it; copies and repair are
    /// not among them.
    public var sent: Int64 = 0
    /// Copies that links made.
    public var duplicated: Int64 = 0
    /// Datagrams that loss models, or links that were down, lost.
    public var lostLink: Int64 = 0
    /// Datagrams that faults of the sender's and the receiver's nodes took.
    public var lostNode: Int64 = 0
    /// Datagrams that queues and policers dropped.
    public var droppedQueue: Int64 = 0
    /// Datagrams that came with a wrong checksum and were not taken.
    public var droppedChecksum: Int64 = 0
    // Of the delivered, each is used, late or a duplicate.
    /// Delivered datagrams of no use: over 1/90,000 s after their release, or with the buffer full.
    public var late: Int64 = 0
    /// As the receiver judges; what truly were copies is in ``quality``.
    public var duplicates: Int64 = 0
    /// Datagrams that a queue marked with "congestion experienced" in place of a drop.
    public var marked: Int64 = 0
    /// Datagrams that forward error correction brought back.
    public var repairedFEC: Int64 = 0
    /// Datagrams that a retransmission brought back.
    public var repairedRetransmission: Int64 = 0
    /// Datagrams that neither arrived nor were repaired.
    public var unrepaired: Int64 = 0
    /// Datagrams of repair, FEC and retransmitted, that were sent.
    public var repairSent: Int64 = 0
    /// Datagrams of repair that arrived.
    public var repairDelivered: Int64 = 0
    /// IP bits per second while the flow was sending; nil with fewer than two packets.
    public var sentBitsPerSecond: Int64?
    /// IP bits per second of what was of use, over the time in which the flow was sent: no copies, nothing late.
    public var usedBitsPerSecond: Int64?
    /// The same of all flows of its receiver together.
    public var usedBitsPerSecondOfReceiver: Int64?
    /// Bytes that are not media (IP, UDP, RTP, transport-stream headers, PSI, null packets) as a share of all IP bytes.
    public var overheadRatio: Double?
    /// By the clocks of the receiver and the sender as they stand, nanoseconds.
    public var oneWayDelayMeasured: Distribution?
    /// ``oneWayDelayMeasured`` less the true delay, nanoseconds; positive: measured too long.
    public var oneWayDelayError: Distribution?
    /// From the sender to the receiver and back by its reports, nanoseconds (RFC 3550 §6.4.1).
    public var roundTrip: Distribution?
    /// How many runs of each length of consecutive datagrams were not delivered, by ascending length: consecutive in the
    /// multiplex, as the decoder sees it. Those on the wire, the same without an interleaver, are in ``quality``.
    public var lossRuns: [(length: Int64, count: Int64)] = []
    /// From emulated time zero, when the session begins, to the first unit presented; nil if none ever was.
    public var sessionSetupNanoseconds: Int64?

    public init() {}

    /// Datagrams that arrived with a right checksum, copies too.
    public var delivered: Int64 { quality.received }
}
