import Timebase

/// What the timestamps of a stream tell where it is received, without the sender's clock: RFC 3550's jitter, delay
/// variation and the drift of the sender's clock.
///
/// Delays are relative to the first arrival of a part. Where timestamps or the clock of the arrivals jump, or the rate of
/// the timestamps changes, a new part begins: variation is that of each part above its own least delay, drift is common
/// to all, and the jitter goes on without a difference from one part to the next.
public struct StreamTiming: Sendable {
    /// An arrival to measure.
    @frozen
    public struct Arrival: Sendable, BitwiseCopyable {
        /// By the clock of the arrivals.
        public var instant: Instant
        /// Unwrapped ticks.
        public var timestamp: Int64
        /// The packet's number, unwrapped.
        public var number: Int64
        /// Whether it is the packet's first copy.
        public var isFirst: Bool

        /// The packet that arrives at an instant.
        @inlinable
        public init(at instant: Instant, timestamp: Int64, number: Int64, isFirst: Bool) {
            self.instant = instant
            self.timestamp = timestamp
            self.number = number
            self.isFirst = isFirst
        }
    }

    private var jitter: InterarrivalJitter?
    private var variation = PacketDelayVariation()
    /// Of the parts that are over.
    private var earlier: (ipdv: Histogram, pdv: Histogram)?
    /// The sender's clock against that of the arrivals.
    public private(set) var drift = DriftMeter()
    @usableFromInline var origin: (instant: Instant, timestamp: Int64)?
    /// Parts that have begun.
    public private(set) var parts = 0

    public init() {}

    /// Hz of the timestamps of the part under way; nil before the first.
    public private(set) var clockRate: UInt32?
    /// RFC 3550's jitter after the latest arrival, nanoseconds; nil before the first.
    public var interarrivalJitter: Double? { jitter?.last }

    /// Begins a part: the next arrival is its first.
    ///
    /// - Parameter clockRate: Hz, more than 0.
    public mutating func begin(clockRate: UInt32) {
        parts += 1
        self.clockRate = clockRate
        if jitter == nil { jitter = InterarrivalJitter(clockRate: clockRate) }
        jitter?.begin(clockRate: clockRate)
        guard origin != nil else { return }
        origin = nil
        drift.beginPart()
        let empty = Histogram(resolutionBits: PacketDelayVariation.resolutionBits)
        var past = earlier ?? (empty, empty)
        past.ipdv.merge(variation.successive)
        past.pdv.merge(variation.aboveLeast)
        earlier = past
        variation = PacketDelayVariation()
    }

    /// The delay of an arrival less that of the part's first, nanoseconds, rounded down; 0 for the first itself.
    ///
    /// In line, because a call would get a copy of all the estimators.
    @inlinable
    public func delay(_ instant: Instant, _ timestamp: Int64) -> Int64 {
        guard let origin, let clockRate else { return 0 }
        let media = Int128(timestamp - origin.timestamp) * 1_000_000_000
        let scaled = Int128((instant - origin.instant).nanoseconds) * Int128(clockRate) - media
        let (quotient, remainder) = scaled.quotientAndRemainder(dividingBy: Int128(clockRate))
        let bound: Int128 = 1 << 61
        return Int64(min(max(quotient - (remainder < 0 ? 1 : 0), -bound), bound))
    }

    /// Measures an arrival of the part under way.
    ///
    /// - Parameter delay: as ``delay(_:_:)`` tells it.
    public mutating func add(_ arrival: Arrival, delay: Int64) {
        jitter?.add(arrival: arrival.instant, rtpTimestamp: UInt32(truncatingIfNeeded: arrival.timestamp))
        let origin = origin ?? (arrival.instant, arrival.timestamp)
        self.origin = origin
        guard arrival.isFirst else { return }
        variation.add(number: arrival.number, delay: .nanoseconds(delay))
        drift.add(elapsed: (arrival.instant - origin.instant).nanoseconds, delay: delay)
    }

    /// Closes what is open: nothing more comes.
    public mutating func finish() { drift.finish() }

    /// Fills in what was measured.
    public func fill(_ result: inout StreamQualityMeasurements) {
        result.interarrivalJitter = jitter?.measurements
        if case .drift(let slope, let half) = drift.result {
            result.clockDriftPartsPerMillion = slope * 1e6
            result.clockDriftUncertainty = half * 1e6
        }
        guard var past = earlier else {
            (result.ipdv, result.pdv) = (variation.ipdv, variation.pdv)
            return
        }
        past.ipdv.merge(variation.successive)
        past.pdv.merge(variation.aboveLeast)
        (result.ipdv, result.pdv) = (past.ipdv.distribution, past.pdv.distribution)
    }
}
