/// A packet under way, by its descriptor: 32 bytes that are copied from queue to queue, while the datagram's bytes stay
/// in their pool slot.
@frozen
public struct Packet: Sendable, BitwiseCopyable {
    /// The instant the descriptor waits for: set by the stage that holds it.
    public var time: Instant
    /// The instant the packet was handed to the first link of its path.
    public var sent: Instant
    /// The pool slot with the UDP payload; ``noSlot``: only its length counts.
    public var slot: UInt32
    /// The packet's number in its flow, from 0, the same for every copy.
    public var number: UInt32
    /// Length of the IP packet, headers included, bytes.
    public var length: UInt16
    /// The flow's number: an index into the World's flows.
    public var flow: UInt16
    /// The class the network sees: the DSCP (RFC 2474), 0...63.
    public var differentiatedServices: UInt8
    /// 0 for the packet itself, 1... for duplicates made on the way.
    public var copy: UInt8
    /// What happened to it on the way, and what it can take.
    public var marks: Marks

    /// Marks of a packet.
    @frozen
    public struct Marks: OptionSet, Sendable, BitwiseCopyable {
        public let rawValue: UInt8
        @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Its ends understand explicit congestion notification: ECT(0) (RFC 3168 §5).
        @inlinable public static var ecnCapable: Marks { Marks(rawValue: 1) }
        /// Congestion experienced: CE, set by a queue in place of a drop.
        @inlinable public static var congestionExperienced: Marks { Marks(rawValue: 2) }
        /// One or more of its bits have been changed: its checksum no longer fits.
        @inlinable public static var damaged: Marks { Marks(rawValue: 4) }
        /// It belongs to the program: neither a report, nor control, nor other people's traffic.
        @inlinable public static var media: Marks { Marks(rawValue: 8) }
    }

    /// The slot of a packet that bears no bytes.
    @inlinable public static var noSlot: UInt32 { .max }

    /// Bytes of ``length`` before the UDP payload: IPv4 20 (RFC 791 §3.1), UDP 8 (RFC 768).
    @inlinable public static var networkHeaderLength: Int { 28 }

    /// Bytes of UDP payload.
    @inlinable public var payloadCount: Int { max(0, Int(length) - Self.networkHeaderLength) }

    @inlinable
    public init(
        time: Instant, sent: Instant, slot: UInt32, number: UInt32, length: UInt16, flow: UInt16,
        differentiatedServices: UInt8 = 0, copy: UInt8 = 0, marks: Marks = []
    ) {
        self.time = time
        self.sent = sent
        self.slot = slot
        self.number = number
        self.length = length
        self.flow = flow
        self.differentiatedServices = differentiatedServices
        self.copy = copy
        self.marks = marks
    }
}
