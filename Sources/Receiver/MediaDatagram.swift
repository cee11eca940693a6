import Timebase

/// A datagram of the stream, by its descriptor, with its place and its time in the stream.
public struct MediaDatagram: Sendable, BitwiseCopyable {
    /// Its bytes stay in the pool slot, which belongs to whoever holds this.
    public var packet: Packet
    /// Its place in the stream, unwrapped.
    public var number: Int64
    /// Where its media begin, bytes from the payload's start.
    public var start: Int = 0
    /// When it was sent by the sender's timestamps, from any zero.
    var sourceTime: TimeSpan
    /// How much later than that it really went out; told of those by which releases are set: the first, or, where the
    /// sender's clock is followed, all.
    var hold: TimeSpan = .zero
    /// By the receiver's own clock.
    var arrival: LocalInstant
}
