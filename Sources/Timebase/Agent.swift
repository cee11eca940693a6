/// A protocol's state machine on a node: a time server, a participant that reports, a party to a call.
///
/// It has the four verbs, all by its node's disciplined clock, and knows nothing of nodes, links and flows: what comes
/// in is told by the number of its own incoming flow, what it wants done comes out as values. So it can be driven alone,
/// by the World or over sockets. Agents are of the control plane and cold: they may allocate.
public protocol Agent: Sendable {
    /// When it next has something to do; `.distantFuture` for never.
    ///
    /// Given in the time of the disciplined clock: whoever drives the agent converts it, and again when the clock is
    /// adjusted.
    var nextTimeout: LocalInstant { get }

    /// Takes a datagram.
    ///
    /// - Parameters:
    ///   - payload: the UDP payload, valid during the call.
    ///   - flow: on which of its incoming flows it came, from 0.
    mutating func handle(_ payload: RawSpan, flow: Int, at now: LocalInstant)

    /// Takes note of what the node's end of the program knows, just before a timeout. Nothing is done with it but by
    /// agents that report.
    mutating func take(_ status: MediaStatus)

    /// Does what is due by `now`; an early call does nothing.
    mutating func handleTimeout(at now: LocalInstant)

    /// The next thing that it wants done; to be polled until nil after every other verb.
    mutating func pollOutput() -> AgentOutput?

    /// Nobody sends any more: what it has begun it may end, but nothing new begins.
    mutating func stop()
}

extension Agent {
    public mutating func take(_ status: MediaStatus) {}
}

/// What an agent wants done.
public enum AgentOutput: Sendable {
    /// Send these bytes, a UDP payload, on one of its own outgoing flows, by number from 0.
    case send([UInt8], flow: Int)
    /// Change the node's disciplined clock, from now on.
    case adjust(ClockAdjustment)
    /// Note what it has found out.
    case tell(AgentEvent)
}

/// What an agent has found out, for whoever measures.
public enum AgentEvent: Sendable, Equatable {
    /// The round trip to the far end of an incoming flow, by number from 0.
    case roundTrip(TimeSpan, flow: Int)
    /// The sender of the program that comes here has reported when it took an RTP timestamp, by its own clock.
    case report(rtpTimestamp: UInt32, shown: LocalInstant)
    /// Receivers that play together are to present what has an RTP timestamp when their synchronized clocks show this.
    case settings(rtpTimestamp: UInt32, presented: LocalInstant)
    /// An exchange with a time server has ended.
    case exchange(ClockExchange)
    /// The clock was adjusted, or nothing had to be: what is claimed of it now.
    case claim(ClockClaim)
    /// Something happened in logical time.
    case logical(LogicalEvent)
}

/// A change of a node's disciplined clock.
public enum ClockAdjustment: Sendable, Equatable {
    /// Shows so much more from now on, at once; negative: less, so that it goes back.
    case step(TimeSpan)
    /// Comes to show so much more, at a rate of `rate` parts per billion, 1...500,000,000; replaces a slew under way.
    case slew(TimeSpan, rate: Int64)
    /// Gains so many parts per 10^12 on the oscillator, negative: loses; replaces what was set before.
    case frequency(Int64)
}
