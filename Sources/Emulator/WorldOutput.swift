import Media
import Timebase

/// What a World is told from outside.
public enum WorldInput: Sendable {
    /// The sources stop: what has not been captured yet never is, and what is under way drains.
    case stopSources
}

/// Where datagrams are captured.
public enum CapturePoint: Hashable, Sendable {
    /// At the sender's node.
    case sender
    /// By index.
    case receiver(Int)
    /// A node for agents alone, by its number among all nodes.
    case node(Int)
    /// A link by index, at its near or far end.
    case link(Int, isFarEnd: Bool)

    /// A node's, by its number among all nodes.
    init(node: Int, receivers: Int) {
        self = node == 0 ? .sender : node <= receivers ? .receiver(node - 1) : .node(node)
    }
}

/// What became of one datagram of the program on its way to one receiver.
public enum PacketFate: UInt8, Sendable {
    /// It came in time and its media were used.
    case used
    /// It came after its release.
    case late
    /// It had come before.
    case duplicate
    /// A link lost it: by its loss model, or because it was down.
    case lostLink
    /// A link's queue or policer dropped it.
    case droppedQueue
    /// It came with a wrong checksum, and the receiver does not take such.
    case droppedChecksum
    /// A fault of its sender's or its receiver's node took it.
    case lostNode

    /// As packets.csv names it.
    public var name: StaticString {
        switch self {
        case .used: "used"
        case .late: "late"
        case .duplicate: "duplicate"
        case .lostLink: "lost_link"
        case .lostNode: "lost_node"
        case .droppedQueue: "dropped_queue"
        case .droppedChecksum: "dropped_checksum"
        }
    }
}

/// A datagram's record: one row of packets.csv.
public struct PacketRecord: Sendable {
    /// The receiver's index; nil for a loss on a link that several receivers share.
    public var receiver: Int?
    /// Its session: 0 of a multiplex.
    public var session = 0
    /// The datagram's number in its session, of a multiplex in the multiplex; from 0, modulo 2^32.
    public var number: UInt32
    /// IP bytes.
    public var length: UInt16
    /// When it was handed to the first link.
    public var sent: Instant
    /// At the receiver; nil if it never came.
    public var arrived: Instant?
    /// From the playout buffer; nil if it was not used.
    public var released: Instant?
    /// What became of it.
    public var fate: PacketFate
}

/// An exchange with a time server, or a member of a group that is asked, beside the truth: one row of exchanges.csv.
public struct ExchangeRecord: Sendable {
    /// The client's and the server's number among all nodes.
    public var node: Int
    /// The server's number among all nodes.
    public var server: Int
    /// The exchange as the client read it.
    public var exchange: ClockExchange
    /// The server's clock minus the client's, when the reply came.
    public var trueOffset: TimeSpan
    /// When the request left, in true time.
    public var sent: Instant
    /// When the reply came, in true time.
    public var at: Instant
    /// When the server was reached and when it answered, in true time.
    public var served: (from: Instant, to: Instant)
}

/// A unit of a session of its own whose first datagram is sent.
public struct BegunUnit: Sendable {
    /// The substream's index.
    public var lane: Int
    /// Of its datagrams, modulo 2^32.
    public var timestamp: Int64
    /// As it was captured.
    public var media: MediaUnit
}

/// A unit that a receiver presents, or of which nothing can be decoded.
public struct PresentedUnit: Sendable {
    /// The receiver's index.
    public var receiver: Int
    /// The substream's index.
    public var lane: Int
    /// As on the wire: its PTS modulo 2^33, in a session of its own the datagrams' timestamp modulo 2^32.
    public var timestamp: Int64
    /// As it was sent, 90 kHz, without the modulus; nil of one that none was sent like.
    public var presentation: Int64?
    /// From when on it is on screen or heard.
    public var at: Instant
    /// Whether a decoder makes anything of it: if not, it never is.
    public var isShown: Bool
}

/// An effect of the World, for whoever drives it.
///
/// Bytes are those of a pool slot, which the World keeps until the next output is asked for.
public enum WorldOutput: Sendable {
    /// A datagram came by a capture point at that instant.
    case captured(Packet, CapturePoint, at: Instant)
    /// A unit of a session of its own has begun.
    case begun(BegunUnit)
    /// The transport packets of a datagram that was sent; in a session of its own, the datagram.
    case sentMedia(Packet)
    /// The same of one that a receiver's playout buffer released.
    case releasedMedia(Packet, receiver: Int)
    /// A datagram's fate is decided.
    case packet(PacketRecord)
    /// What has become of a unit is known.
    case unit(UnitRecord)
    /// A unit is presented.
    case presented(PresentedUnit)
    /// An exchange with a time server has ended.
    case exchange(ExchangeRecord)
    /// An event of a node in logical time.
    case logical(LogicalEvent, node: Int, at: Instant)
    /// The time for a sample of the series.
    case sample(at: Instant)
}
