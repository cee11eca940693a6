import Timebase

/// What a receiver did.
public enum ReceiverOutput: Sendable {
    /// A datagram came out of the playout buffer; whoever takes this frees it.
    /// `depth` is how long what still waits will last.
    case released(Packet, arrival: LocalInstant, depth: TimeSpan)
    /// A datagram that is of no use: whoever takes this frees it.
    case discarded(Packet, Discard)
    /// A unit is on screen or heard from now on. `presentation` in 90 kHz ticks, unwrapped by the receiver.
    case presented(lane: Int, presentation: Int64)
    /// All that will come of a unit has come.
    case closed(ReceivedUnit)
    /// A unit that had been closed will not be presented after all: the receiver has forgotten it.
    case forgotten(lane: Int, presentation: Int64, UnitVerdict)

    /// Why a datagram is of no use.
    public enum Discard: UInt8, Sendable {
        /// After its release.
        case late
        /// Received before.
        case duplicate
        /// The playout buffer was full.
        case overflow
        /// Not a datagram of the stream.
        case malformed
        /// The receiver has crashed before it was used.
        case forgotten
    }
}
