import Timebase

/// What a ``StreamQuality`` has measured of one received stream, of a run or of a capture. Nil is "not measured".
public struct StreamQualityMeasurements: Sendable {
    /// When its first packet came, and the latest of all; zero before any.
    public var first = Instant.zero
    /// When the latest of all packets came; zero before any.
    public var last = Instant.zero
    /// From the first packet to the last, without the steps of a clock that was set back.
    public var duration = TimeSpan.zero
    /// Packets that arrived, copies and those too late to tell too.
    public var received: Int64 = 0
    // Nil where packets are not numbered.
    /// First copies.
    public var unique: Int64?
    /// Further copies.
    public var duplicates: Int64?
    /// Numbers that never came, up to the last that was sent; up to the last that came where that is not known.
    public var lost: Int64?
    /// First copies that came after a larger number (RFC 4737).
    public var reordered: Int64?
    /// Packets that came too late to tell what they are.
    public var tooLate: Int64?
    /// RFC 4737 §4.2.1.
    public var largestReorderExtent: Int64?
    /// Bytes of all packets that arrived, of the layer that the owner counts at.
    public var bytes: Int64 = 0
    /// Of these bytes, from the first packet to the last; nil with fewer than two packets.
    public var bitsPerSecond: Int64?
    /// Nanoseconds, of every arrival.
    public var oneWayDelay: Distribution?
    /// Between an arrival and the one before it, nanoseconds.
    public var interarrival: Distribution?
    /// RFC 3393, nanoseconds, of first copies.
    public var ipdv: Distribution?
    /// RFC 5481, nanoseconds, of first copies.
    public var pdv: Distribution?
    /// RFC 3550 §6.4.1, of every arrival.
    public var interarrivalJitter: InterarrivalJitterMeasurements?
    /// How many runs of each length of consecutive numbers never came, by ascending length.
    public var lossRuns: [(length: Int64, count: Int64)] = []
    /// RFC 3611 §4.7.2.
    public var burstGap: BurstGapMeasurements?
    /// Delay factors of one-second intervals (RFC 4445 §3.1), nanoseconds.
    public var delayFactor: Distribution?
    /// Lost media packets a second (RFC 4445 §3.2); for the owner to fill in, who knows how many were in a datagram.
    public var mediaLossRatePerSecond: Double?
    /// How fast the sender's media clock runs against the clock of the arrivals; positive: fast.
    public var clockDriftPartsPerMillion: Double?
    /// Half of the 95 % interval around it, ppm; nil as the drift is.
    public var clockDriftUncertainty: Double?

    public init() {}

    /// Numbers that should have come.
    public var expected: Int64? { unique.flatMap { unique in lost.map { unique + $0 } } }
}

/// RFC 3611 §4.7.2, with Gmin 16; ratios 0...1.
public struct BurstGapMeasurements: Equatable, Sendable {
    /// Bursts: runs with a loss rate so high that fewer than 16 packets in a row arrive within them.
    public var bursts: Int64
    /// The share of packets within bursts that was lost.
    public var burstDensity: Double
    /// The share of packets in the gaps between bursts that was lost.
    public var gapDensity: Double
    /// Mean lengths, by the stream's mean time between packets; nil when there is none.
    public var burstDuration: TimeSpan?
    /// The mean length of a gap; nil when there is none.
    public var gapDuration: TimeSpan?

    /// - Parameter spacing: the stream's mean time between packets, nanoseconds.
    init(_ losses: BurstGap, spacing: Double) {
        func span(_ length: Double?) -> TimeSpan? {
            length.map { .nanoseconds(Int64(($0 * spacing).rounded())) }
        }
        bursts = losses.bursts
        burstDensity = losses.burstDensity
        gapDensity = losses.gapDensity ?? 0
        burstDuration = losses.hasBurst ? span(losses.burstLength) : nil
        gapDuration = span(losses.gapLength)
    }
}
