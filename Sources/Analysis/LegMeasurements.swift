import Metrics
import Timebase
import Wire

/// One RTP stream that came on two paths, and what a receiver that merges them has of it (SMPTE ST 2022-7).
public struct LegMeasurements: Sendable {
    /// One path.
    public struct Leg: Sendable {
        /// The stream's id in the analysis.
        public var stream: String
        /// Where its datagrams come from.
        public var source: SocketAddress
        /// Where its datagrams go.
        public var destination: SocketAddress
        /// Packets that came, each counted once.
        public var unique: Int64 = 0
        /// Packets that did not, of those that both captures had the time to see.
        public var lost: Int64 = 0
    }

    /// What a receiver loses that waits so long for a packet behind the time at which the earlier leg would have had it.
    public struct Hold: Sendable {
        /// How long it waits.
        public var hold: TimeSpan
        /// Packets that one leg lost and the other brought in time.
        public var saved: Int64
        /// Packets that the other leg brought too late.
        public var late: Int64
        /// Both legs' losses and what was late.
        public var lost: Int64
    }

    /// The RTP source, the same on both.
    public var ssrc: UInt32
    /// In the order in which they were given.
    public var legs: [Leg]
    /// Packets that were sent while both captures ran, as far as either leg tells.
    public var expected: Int64 = 0
    /// Packets that neither leg brought.
    public var lost: Int64 = 0
    /// How many losses of both legs came in runs of each length, ascending.
    public var lossRuns: [(length: Int64, count: Int64)] = []
    /// When the second leg brought a packet less when the first did, nanoseconds, by the captures' clocks; of packets that
    /// both brought.
    public var skew: Distribution?
    /// How long behind the earlier leg's time packets came that one leg alone brought, nanoseconds.
    public var wait: Distribution?
    /// What becomes of it with each hold.
    public var holds: [Hold] = []
    /// What to know about the rest.
    public var notes: [String] = []

    init(ssrc: UInt32, legs: [Leg]) {
        self.ssrc = ssrc
        self.legs = legs
    }
}
