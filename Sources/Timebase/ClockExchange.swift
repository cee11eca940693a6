/// One exchange with a time server, as its client read it (RFC 5905 §8).
public struct ClockExchange: Sendable, Equatable {
    /// On which of the client's incoming flows the reply came, from 0: which server it was.
    public var flow: Int
    /// T1: the request left, by the client's clock.
    public var requestSent: LocalInstant
    /// T2: it came to the server, by the server's clock.
    public var requestReceived: LocalInstant
    /// T3: the reply left, by the server's clock.
    public var replySent: LocalInstant
    /// T4: it came to the client, by the client's clock.
    public var replyReceived: LocalInstant
    /// Whether the client used it, or put it aside.
    public var isUsed = true

    public init(
        flow: Int, requestSent: LocalInstant, requestReceived: LocalInstant, replySent: LocalInstant,
        replyReceived: LocalInstant
    ) {
        self.flow = flow
        self.requestSent = requestSent
        self.requestReceived = requestReceived
        self.replySent = replySent
        self.replyReceived = replyReceived
    }

    /// θ: the server's clock minus the client's, ((T2 - T1) + (T3 - T4)) / 2, rounded toward zero; positive: the client
    /// is slow. Off by half of what the two ways differ.
    public var offset: TimeSpan {
        .nanoseconds(((requestReceived - requestSent).nanoseconds + (replySent - replyReceived).nanoseconds) / 2)
    }

    /// δ: the round trip without the server's hold, (T4 - T1) - (T3 - T2).
    public var delay: TimeSpan { (replyReceived - requestSent) - (replySent - requestReceived) }
}
