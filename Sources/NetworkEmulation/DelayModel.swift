import Timebase

/// How long a packet travels after its last bit has been sent: a constant, or a constant and a random part.
public struct DelayModel: Sendable {
    let delay: TimeSpan
    let jitter: QuantileTable?
    let key: DrawKey

    /// - Parameters:
    ///   - delay: the constant part, not negative.
    ///   - jitter: the law of what is added, which may be negative; the sum is cut at zero.
    public init(delay: TimeSpan, jitter: QuantileTable? = nil, key: DrawKey) {
        self.delay = delay
        self.jitter = jitter
        self.key = key
    }

    /// This packet's travelling time, not negative.
    func travellingTime(of packet: Packet) -> TimeSpan {
        guard let jitter else { return delay }
        let draw = key.draw(flow: packet.flow, number: Int64(packet.number), copy: packet.copy)
        return .nanoseconds(max(0, delay.nanoseconds + jitter.value(at: draw)))
    }
}
