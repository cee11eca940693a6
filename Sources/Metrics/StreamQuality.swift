import Timebase

/// All that is measured of one stream where it is received: rate, losses and their runs, reordering, delay and its
/// variation, jitter, delay factor. Runs and captures are measured by it alike.
///
/// The media's rate may come after the first packets: media wait for it. Delays and jitter are measured where delays are
/// known; what timestamps alone tell is measured by a ``StreamTiming``. Taking an arrival allocates nothing once its
/// histograms have grown.
public struct StreamQuality: Sendable {
    /// What is known of a stream before its first packet, and what of it is to be measured.
    public struct Configuration: Sendable {
        /// The first number sent; losses count from it on.
        public var firstNumber: Int64 = 0
        /// See ``DeliveryWindow/init(firstNumber:window:)``.
        public var window = 1_024
        /// Arrivals bring their one-way delays.
        public var knowsDelays = false
        /// Hz of the RTP timestamps; nil for none, or where delays are not known.
        public var clockRate: UInt32?
        /// The media's nominal rate; nil for none, or where it is not known yet.
        public var mediaRate: BitRate?
        /// Media wait for ``StreamQuality/begin(mediaRate:)``.
        public var awaitsMediaRate = false
        /// Times between arrivals and extents of reordering, too, and instants that go back: what only captures ask for
        /// and have, and 64 kB more.
        public var isThorough = false
        /// Numbers at which known one-way delays are counted exactly, nanoseconds, and IPDV and PDV.
        public var delayCuts: [Int64] = []
        /// Numbers at which IPDV is counted exactly, nanoseconds: see ``Histogram``.
        public var ipdvCuts: [Int64] = []
        /// Numbers at which PDV is counted exactly, nanoseconds: see ``Histogram``.
        public var pdvCuts: [Int64] = []

        public init() {}
    }

    /// Media kept at most while their rate is not known: what comes behind them is not measured by it.
    static let waitingMediaLimit = 65_536

    /// By how much a clock goes back at least that was set.
    static let leastStepBack = TimeSpan.milliseconds(100)

    private let configuration: Configuration
    private var rate = RateMeter()
    /// When the latest packet came; may lie before others'.
    public private(set) var lastArrival = Instant.zero
    /// How often the clock of the arrivals was set back, and by how much at most.
    public private(set) var stepsBack = 0
    /// See ``stepsBack``.
    public private(set) var largestStepBack = TimeSpan.zero
    private var interarrival = Histogram()
    private var window: DeliveryWindow
    private var extent = ReorderExtent()
    /// One-way delays, nanoseconds, where they are known.
    public private(set) var delays: Histogram
    private var variation: PacketDelayVariation
    private var jitter: InterarrivalJitter?
    private var index: MediaDeliveryIndex?
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
    /// The time in which packets came, by a clock that is never set back.
    public var duration: TimeSpan { rate.duration }
    /// The instant of the last arrival, as a clock shows it that started with the arrivals' own and is never set back.
    public var steadyLast: Instant { rate.steadyLast }
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
        }
        return verdict
    }

    /// Tells the media's rate, or that it never will be known: what waits for it is measured, or forgotten.
    ///
    /// - Parameter mediaRate: more than 0.
    public mutating func begin(mediaRate: BitRate?) {
        guard awaitsMediaRate else { return }
        awaitsMediaRate = false
        index = mediaRate.map { MediaDeliveryIndex(mediaRate: $0) }
        var latest = Instant(nanoseconds: .min)
        for media in waitingMedia {
            if media.instant < latest { index?.finish() }
            latest = media.instant
            index?.add(mediaBytes: media.bytes, at: media.instant)
        }
        waitingMedia = []
    }

    /// Whether as much waits for the media's rate as may.
    public var isWaitingMediaFull: Bool { waitingMedia.count >= Self.waitingMediaLimit }

    /// Closes what is open: nothing more comes.
    ///
    /// - Parameter sentCount: how many numbers were sent from the first on; nil where only the receiver's side is known.
    public mutating func finish(sentCount: Int64? = nil) {
        window.finish(sentCount: sentCount)
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
        if received > 0, instant < last { return countBack(bytes: bytes, at: instant) }
        rate.add(bytes: bytes, at: instant)
    }

    /// An instant before the last one: packets may be recorded in a wrong order by what a queue takes. A clock that goes
    /// back by more was set: the time between is nobody's.
    @inline(never)
    private mutating func countBack(bytes: Int, at instant: Instant) {
        guard configuration.isThorough, last - instant >= Self.leastStepBack else {
            return rate.add(bytes: bytes, at: last)
        }
        stepsBack += 1
        largestStepBack = max(largestStepBack, last - instant)
        index?.finish()
        rate.begin(at: instant)
        rate.add(bytes: bytes, at: instant)
    }

    private mutating func add(mediaBytes: Int) {
        let instant = last
        if index != nil {
            index?.add(mediaBytes: mediaBytes, at: instant)
        } else if awaitsMediaRate, !isWaitingMediaFull {
            waitingMedia.append((instant, mediaBytes))
        }
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
        result.duration = duration
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
        let spacing = window.delivered > 1 ? Double(duration.nanoseconds) / Double(numbers) : 0
        result.burstGap = BurstGapMeasurements(window.burstGap, spacing: spacing)
    }
}
