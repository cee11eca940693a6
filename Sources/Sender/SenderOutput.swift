import Timebase

/// What a sender wants done.
public enum SenderOutput: Sendable {
    /// The datagram that the multiplex has reached, in the multiplex's order; its slot stays the sender's.
    case multiplexed(Packet)
    /// A datagram that goes on the wire now, numbered in the wire's order; whoever takes this frees its slot.
    case send(Packet)
}
