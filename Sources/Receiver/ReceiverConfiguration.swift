import Protection
import Timebase

/// What releases count from.
public enum PlayoutAnchor: Sendable, Hashable {
    /// The delay of the first datagram.
    case firstArrival
    /// The instants at which datagrams were sent, by the sender's reports and the receiver's synchronized clock; that of
    /// the first datagram until a report has come.
    case senderClock
}

/// How a receiver plays.
public struct ReceiverConfiguration: Sendable {
    /// Fixed playout: how much later than the anchor says a datagram is released.
    public var playoutDelay: TimeSpan
    /// ``PlayoutAnchor/senderClock`` with RTP only.
    public var anchor = PlayoutAnchor.firstArrival
    /// How the sender's clock is followed; with ``PlayoutAnchor/firstArrival`` only, and by reports with RTP only.
    public var clockRecovery = ClockRecovery.none
    /// What becomes of datagrams that come after their release.
    public var latePolicy: LatePolicy
    /// RTP comes before the transport packets.
    public var hasRTP: Bool
    /// Where the sender interleaves, what the session's description says of it; with RTP only.
    public var deinterleaver: BlockDeinterleaver?
    /// Whether headers may be damaged, as those of datagrams whose checksums nobody checks: then a jump has to be confirmed
    /// by the packet behind it (RFC 3550 §A.1).
    public var doubtsHeaders = false
    /// Whether units that have been presented are kept, so that a command can go back to them.
    public var keepsUnits = false
    /// Whether it may crash, so that what becomes of units must be known until they are presented.
    public var mayCrash = false

    public init(playoutDelay: TimeSpan, latePolicy: LatePolicy = .drop, hasRTP: Bool) {
        self.playoutDelay = playoutDelay
        self.latePolicy = latePolicy
        self.hasRTP = hasRTP
    }
}
