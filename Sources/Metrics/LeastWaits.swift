import Timebase

/// How long datagrams wait for their release at least, at the beginning and at the end.
///
/// Where the receiver's clock loses, every datagram waits longer than the one before and the playout delay grows without
/// anything being late; where the path gets shorter, it does too. The least of ten seconds is free of jitter and of most
/// queueing.
public struct LeastWaits: Sendable {
    private static let period = TimeSpan.seconds(10)

    /// The least of the first period.
    public private(set) var first: TimeSpan?
    /// The least of the latest period that is over.
    public private(set) var latest: TimeSpan?
    private var current = TimeSpan.nanoseconds(.max)
    private var periodEnd: Instant?

    public init() {}

    /// Takes a datagram that has waited so long when it is released.
    public mutating func add(_ waited: TimeSpan, at now: Instant) {
        let end = periodEnd ?? now + Self.period
        if now >= end {
            if first == nil { first = current }
            latest = current
            current = waited
            periodEnd = now + Self.period
        } else {
            current = min(current, waited)
            periodEnd = end
        }
    }

    /// By how much it has grown, if that is worth a word: 20 ms and half of what it was, or more.
    public var growth: TimeSpan? {
        guard let first, let latest else { return nil }
        let growth = latest - first
        return growth >= .milliseconds(20) && growth + growth >= first ? growth : nil
    }
}
