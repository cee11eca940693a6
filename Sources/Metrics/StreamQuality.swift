import Timebase

/// All that is measured of one stream where it is received: rate, losses and their runs, reordering, delay and its
/// variation, jitter, delay factor. Runs and captures are measured by it alike.
///
/// What nobody knows before the first packet may come later: arrivals wait until the rates of timestamps and media are
/// told. Taking an arrival allocates nothing once its histograms have grown.
public struct StreamQuality: Sendable {
    /// What is known of a stream before its first packet, and what of it is to be measured.
    public struct Configuration: Sendable {
        /// The first number sent; losses count from it on.
        public var firstNumber: Int64 = 0
        /// See ``DeliveryWindow/init(firstNumber:window:)``.
        public var window = 1_024
        /// Arrivals bring their one-way delays. Else delays come from timestamps, less that of the first packet.
        public var knowsDelays = false
        /// Hz of the RTP timestamps; nil for none, or where it is not known yet.
        public var clockRate: UInt32?
        /// Arrivals wait for ``StreamQuality/begin(clockRate:)``.
        public var awaitsClockRate = false
        /// The media's nominal rate; nil for none, or where it is not known yet.
        public var mediaRate: BitRate?
        /// Media wait for ``StreamQuality/begin(mediaRate:)``.
        public var awaitsMediaRate = false
        /// Times between arrivals, extents of reordering and the drift of the sender's clock, too: what only captures
        /// ask for, and 64 kB more.
        public var isThorough = false
        /// Numbers at which known one-way delays are counted exactly, nanoseconds, and IPDV and PDV.
        public var delayCuts: [Int64] = []
        /// Numbers at which IPDV is counted exactly, nanoseconds: see ``Histogram``.
        public var ipdvCuts: [Int64] = []
        /// Numbers at which PDV is counted exactly, nanoseconds: see ``Histogram``.
        public var pdvCuts: [Int64] = []

        public init() {}
    }

    /// An arrival that waits for the rate of its timestamp.
    public struct Waiting: Sendable, BitwiseCopyable {
        /// When it came.
        public var instant: Instant
        /// Unwrapped ticks.
        public var timestamp: Int64
        /// The packet's number, unwrapped.
        public var number: Int64
        /// Whether it is the packet's first copy.
        var isFirst: Bool
    }

    /// Arrivals kept at most while a rate is not known: what comes behind them is not measured by it.
    static let waitingLimit = 16_384
    /// Media kept at most likewise.
    static let waitingMediaLimit = 65_536

    private let configuration: Configuration
    private var rate = RateMeter()
    /// When the latest packet came; may lie before others'.
    public private(set) var lastArrival = Instant.zero
    private var interarrival = Histogram()
    private var window: DeliveryWindow
    private var extent = ReorderExtent()
    /// One-way delays, nanoseconds, where they are known.
    public private(set) var delays: Histogram
    private var variation: PacketDelayVariation
    private var jitter: InterarrivalJitter?
    /// The sender's clock against that of the arrivals.
    public private(set) var drift = DriftMeter()
    /// The first arrival of which delays are counted, where they are not known.
    private var origin: (instant: Instant, timestamp: Int64)?
    private var index: MediaDeliveryIndex?
    /// Arrivals without the rate of their timestamps, in their order.
    public private(set) var waiting: [Waiting] = []
    private var waitingMedia: [(instant: Instant, bytes: Int)] = []
    /// Whether media wait for their rate.
    public private(set) var awaitsMediaRate: Bool

    /// Measures a stream of which no packet has come yet.
    public init(_ configuration: Configuration = Configuration()) {
        self.configuration = configuration
        window = DeliveryWindow(firstNumber: configuration.firstNumber, window: configuration.window)
        delays = Histogram(cuts: configuration.delayCuts)
        variation = PacketDelayVariation(ipdvCuts: configuration.ipdvCuts, pdvCuts: configuration.pdvCuts)
        jitter = configuration.clockRate.map { InterarrivalJitter(clockRate: $0) }
        index = configuration.mediaRate.map { MediaDeliveryIndex(mediaRate: $0) }
        awaitsMediaRate = configuration.awaitsMediaRate
    }

    /// Packets that arrived, all of them.
    public var received: Int64 { rate.packets }
    /// Their bytes.
    public var bytes: Int64 { rate.bytes }
    /// When the first packet came; zero before.
    public var first: Instant { rate.firstInstant }
    /// The latest instant of all arrivals; zero before the first.
    public var last: Instant { rate.lastInstant }
    /// Hz of the timestamps; nil when there are none, or while it is not known.
    public var clockRate: UInt32? { jitter?.ticksPerSecond }
    /// RFC 3550's jitter after the latest arrival, nanoseconds; nil before the first.
    public var interarrivalJitter: Double? { jitter?.last }
    /// Further copies of packets.
    public var duplicates: Int64 { window.duplicates }

    /// Takes a packet that has no number, or none that can be believed: it counts by bytes and instants alone.
    ///
    /// - Parameter mediaBytes: as in ``StreamArrival``.
    public mutating func arrivedUnnumbered(bytes: Int, mediaBytes: Int = 0, at instant: Instant) {
        count(bytes: bytes, at: instant)
        if mediaBytes > 0 { add(mediaBytes: mediaBytes) }
    }

    /// Takes a packet.
    ///
    /// - Returns: what it is by its number.
    @discardableResult
    public mutating func arrived(_ arrival: StreamArrival) -> DeliveryWindow.Arrival {
        count(bytes: arrival.bytes, at: arrival.instant)
        let verdict = window.add(number: arrival.number)
        let isFirst = verdict.isFirst
        if arrival.mediaBytes > 0, isFirst { add(mediaBytes: arrival.mediaBytes) }
        if configuration.isThorough, isFirst { extent.add(number: arrival.number) }
        if configuration.knowsDelays {
            delays.add(arrival.delay.nanoseconds)
            jitter?.add(arrival: arrival.instant, rtpTimestamp: UInt32(truncatingIfNeeded: arrival.timestamp))
            if isFirst { variation.add(number: arrival.number, delay: arrival.delay) }
        } else if jitter != nil || configuration.awaitsClockRate {
            time(
                Waiting(
                    instant: arrival.instant, timestamp: arrival.timestamp, number: arrival.number, isFirst: isFirst))
        }
        return verdict
    }

    /// Tells the rate of the timestamps: what waits for it is measured.
    ///
    /// - Parameter clockRate: Hz, more than 0.
    public mutating func begin(clockRate: UInt32) {
        guard jitter == nil else { return }
        jitter = InterarrivalJitter(clockRate: clockRate)
        let arrivals = waiting
        waiting = []
        for arrival in arrivals { time(arrival) }
    }

    /// Tells the media's rate, or that it never will be known: what waits for it is measured, or forgotten.
    ///
    /// - Parameter mediaRate: more than 0.
    public mutating func begin(mediaRate: BitRate?) {
        guard awaitsMediaRate else { return }
        awaitsMediaRate = false
        index = mediaRate.map { MediaDeliveryIndex(mediaRate: $0) }
        for media in waitingMedia { index?.add(mediaBytes: media.bytes, at: media.instant) }
        waitingMedia = []
    }

    /// Whether as much waits for the media's rate as may.
    public var isWaitingMediaFull: Bool { waitingMedia.count >= Self.waitingMediaLimit }

    /// Closes what is open: nothing more comes.
    ///
    /// - Parameter sentCount: how many numbers were sent from the first on; nil where only the receiver's side is known.
    public mutating func finish(sentCount: Int64? = nil) {
        window.finish(sentCount: sentCount)
        drift.finish()
        index?.finish()
    }
}

// MARK: - Parts

extension StreamQuality {
    @inline(__always)
    private mutating func count(bytes: Int, at instant: Instant) {
        if configuration.isThorough, received > 0 { interarrival.add((instant - lastArrival).nanoseconds) }
        lastArrival = instant
        // The rate wants instants that do not decrease; a capture's may.
        rate.add(bytes: bytes, at: received > 0 ? max(last, instant) : instant)
    }

    private mutating func add(mediaBytes: Int) {
        let instant = last
        if index != nil {
            index?.add(mediaBytes: mediaBytes, at: instant)
        } else if awaitsMediaRate, !isWaitingMediaFull {
            waitingMedia.append((instant, mediaBytes))
        }
    }

    /// Measures what needs the rate of the timestamps.
    private mutating func time(_ arrival: Waiting) {
        guard let clockRate else {
            if waiting.count < Self.waitingLimit { waiting.append(arrival) }
            return
        }
        jitter?.add(arrival: arrival.instant, rtpTimestamp: UInt32(truncatingIfNeeded: arrival.timestamp))
        let origin = origin ?? (arrival.instant, arrival.timestamp)
        self.origin = origin
        guard arrival.isFirst else { return }
        let elapsed = (arrival.instant - origin.instant).nanoseconds
        let media = Int128(arrival.timestamp - origin.timestamp) * 1_000_000_000
        // Delay relative to the first packet's; floor division, so that all are cut the same way.
        let scaled = Int128(elapsed) * Int128(clockRate) - media
        let (quotient, remainder) = scaled.quotientAndRemainder(dividingBy: Int128(clockRate))
        let bound: Int128 = 1 << 61
        let delay = Int64(min(max(quotient - (remainder < 0 ? 1 : 0), -bound), bound))
        variation.add(number: arrival.number, delay: .nanoseconds(delay))
        if configuration.isThorough { drift.add(elapsed: elapsed, delay: delay) }
    }
}

// MARK: - Results

extension StreamQuality {
    /// Everything measured up to now; complete after ``finish(sentCount:)``.
    ///
    /// - Parameter isNumbered: whether the stream's packets have numbers.
    public func measurements(isNumbered: Bool = true) -> StreamQualityMeasurements {
        var result = StreamQualityMeasurements()
        result.first = first
        result.last = last
        result.received = received
        result.bytes = bytes
        result.bitsPerSecond = rate.bitsPerSecond
        result.interarrival = interarrival.distribution
        result.oneWayDelay = delays.distribution
        result.ipdv = variation.ipdv
        result.pdv = variation.pdv
        result.interarrivalJitter = jitter?.measurements
        var index = index
        index?.finish()
        result.delayFactor = index?.delayFactors.distribution
        if case .drift(let slope) = drift.result { result.clockDriftPartsPerMillion = slope * 1e6 }
        if isNumbered { addLosses(to: &result) }
        return result
    }

    private func addLosses(to result: inout StreamQualityMeasurements) {
        result.unique = window.delivered
        result.duplicates = window.duplicates
        result.lost = window.lost
        result.reordered = window.reordered
        result.tooLate = window.outsideWindow
        if configuration.isThorough { result.largestReorderExtent = extent.largest }
        result.lossRuns = window.lossRuns
        let numbers = window.largestNumber - configuration.firstNumber
        let spacing = window.delivered > 1 ? Double((last - first).nanoseconds) / Double(numbers) : 0
        result.burstGap = BurstGapMeasurements(window.burstGap, spacing: spacing)
    }
}
