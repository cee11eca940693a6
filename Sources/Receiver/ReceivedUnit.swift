/// How a unit came through, as far as a receiver can tell.
public enum UnitVerdict: UInt8, Sendable, BitwiseCopyable {
    /// Whole, and released by its presentation.
    case onTime
    /// Whole, but only after its presentation.
    case late
    /// Parts of it are missing.
    case damaged
}

/// A unit of which all has come that will, and what of it has.
///
/// The verdict is the receiver's own. What stands beside it is for those who know what was sent: where a unit does not say
/// how long it is, a receiver cannot tell whether a gap has cut off its end.
public struct ReceivedUnit: Sendable, BitwiseCopyable {
    /// The substream's place in the program.
    public var lane: Int
    /// 90 kHz ticks, in a session of its own ticks of that, unwrapped by the receiver; nil where it has none.
    public var presentation: Int64?
    /// As far as the receiver can tell.
    public var verdict: UnitVerdict
    /// What of it has come.
    public var coverage: UnitCoverage
    /// Whether the last of its leading bytes was released only after its presentation.
    public var isLeadingLate: Bool
    /// Whether the last byte of all was.
    public var isLate: Bool
}

/// Which bytes of a unit have come. Small, as every unit's goes from hand to hand.
public struct UnitCoverage: Sendable, Equatable, BitwiseCopyable {
    /// Bytes of the PES packet, in a session of its own of payloads, from its first on before the first gap, or before one that the continuity counter may hide.
    public var leadingByteCount: UInt32 = 0
    /// Bytes that have come in all, what follows a gap included.
    public var byteCount: UInt32 = 0
    /// Of the first 64 transport packets from its first on, one bit each, the least significant first: which have come.
    /// One that was changed has not. Behind sixteen that are missing in a row the places are right modulo sixteen only.
    public var packets: UInt64 = 0
    /// In a session of its own, datagrams that have come of it; their numbers are taken in turn, so that a copy is none.
    public var datagramCount: UInt32 = 0
    /// Bytes of it in its first transport packet: at most 184.
    public var firstPacketByteCount: UInt8 = 0
    /// Whether packets are missing for certain.
    public var hasGap = false
    /// Whether bytes of it were changed on the way; the receiver does not know.
    public var isChanged = false
}
