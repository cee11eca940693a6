import Timebase

/// When a packet came and is presented, by the receiver's own clock.
public struct PlayoutPoint: Sendable {
    /// The packet's RTP timestamp.
    public let timestamp: UInt32
    /// When it came, to a tick of the timestamps.
    public let arrival: LocalInstant
    /// When it is presented.
    public let presentation: LocalInstant

    /// A difference to what is asked for that is left alone: clocks that are synchronized are off by about as much.
    static let deadband = TimeSpan.milliseconds(1)

    /// By how much what would be presented at an instant has to be later than it is, negative: earlier, by no more than
    /// what it has waited for others so far.
    static func change(from due: LocalInstant, to wanted: LocalInstant, waited: TimeSpan) -> TimeSpan {
        let apart = wanted - due
        guard apart > deadband || apart < -deadband else { return .zero }
        return max(apart, -waited)
    }
}
