import Timebase

/// What both ends of an interleaved session know of it: the block, and how long its latency lasts.
public struct InterleavingConfiguration: Sendable, Hashable {
    /// The block that datagrams are written into by rows and sent from by columns.
    public var block: InterleavingBlock
    /// The least time from one datagram of the multiplex to the one 2 × lead after it, by the sender's clock.
    public var leastSpan: TimeSpan
    /// The longest such time, which is the longest that the sender holds a datagram: the receiver's release is put off
    /// by it. The same as ``leastSpan`` but for rounding where the multiplex has a constant rate.
    public var longestSpan: TimeSpan

    public init(block: InterleavingBlock, leastSpan: TimeSpan, longestSpan: TimeSpan) {
        self.block = block
        self.leastSpan = leastSpan
        self.longestSpan = longestSpan
    }

    /// The least time that `count` datagrams of the multiplex take, rounded down to a nanosecond.
    public func leastTime(datagrams count: Int) -> TimeSpan {
        .nanoseconds(Int64(count).scaled(by: leastSpan.nanoseconds, over: Int64(2 * block.lead)))
    }
}
