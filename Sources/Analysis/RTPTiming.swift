import Metrics
import Timebase

/// An arrival of a stream, with what its timing needs.
struct TimedArrival {
    var instant: Instant
    /// Unwrapped ticks.
    var ticks: Int64
    /// The packet's number, unwrapped.
    var number: Int64
    /// Whether it is the packet's first copy.
    var isFirst: Bool
}

/// What depends on the clock rate of the RTP timestamps.
struct RTPTiming {
    let clockRate: UInt32
    private(set) var jitter: InterarrivalJitter
    private(set) var variation = PacketDelayVariation()
    private(set) var drift = DriftMeter()
    private var first: TimedArrival?
    private let replay: PlayoutReplay?

    init(clockRate: UInt32, replay: PlayoutReplay? = nil) {
        self.clockRate = clockRate
        self.replay = replay
        jitter = InterarrivalJitter(clockRate: clockRate)
    }

    mutating func finish() { drift.finish() }

    mutating func add(_ arrival: TimedArrival) {
        jitter.add(arrival: arrival.instant, rtpTimestamp: UInt32(truncatingIfNeeded: arrival.ticks))
        let origin = first ?? arrival
        if first == nil { first = arrival }
        replay?.add(number: arrival.number, ticks: arrival.ticks, clockRate: clockRate, at: arrival.instant)
        guard arrival.isFirst else { return }
        let elapsed = (arrival.instant - origin.instant).nanoseconds
        let media = Int128(arrival.ticks - origin.ticks) * 1_000_000_000
        // Delay relative to the first packet's; floor division, so that all are cut the same way.
        let scaled = Int128(elapsed) * Int128(clockRate) - media
        let (quotient, remainder) = scaled.quotientAndRemainder(dividingBy: Int128(clockRate))
        let delay = quotient - (remainder < 0 ? 1 : 0)
        let bound: Int128 = 1 << 61
        let bounded = Int64(min(max(delay, -bound), bound))
        variation.add(number: arrival.number, delay: .nanoseconds(bounded))
        drift.add(elapsed: elapsed, delay: bounded)
    }
}

/// How fast a sender's media clock runs against the clock that captured: a line through the least delay of each second,
/// where queues were shortest (a lower envelope).
struct DriftMeter {
    /// Media time less arrival time over arrival time, seconds, at each second's least delay.
    private var line = LineFit()
    private var second: Int64 = 0
    private var least: (elapsed: Int64, delay: Int64)?

    /// Seconds with packets that a result needs.
    static let leastSeconds: Int64 = 10
    /// Two standard errors of a result at most.
    static let largestError = 50e-6
    /// No clock that works is so far off: timestamps do something else.
    static let largest = 1e-3

    mutating func add(elapsed: Int64, delay: Int64) {
        let now = elapsed / 1_000_000_000
        if now != second { close() }
        second = now
        if least.map({ delay < $0.delay }) ?? true { least = (elapsed, delay) }
    }

    private mutating func close() {
        if let least { line.add(x: Double(least.elapsed) * 1e-9, y: Double(least.delay) * -1e-9) }
        least = nil
    }

    mutating func finish() { close() }

    enum Result {
        /// Seconds per second; positive: the media clock is fast.
        case drift(Double)
        case tooShort
        /// It cannot be told from delay variation.
        case uncertain
    }

    /// One standard error of the drift, seconds per second; nil with fewer than three seconds.
    var error: Double? { line.slopeError }

    /// Why there is no drift; nil when there is one.
    var explanation: String? {
        switch result {
        case .drift: nil
        case .tooShort: "no clock drift: fewer than 10 seconds with packets"
        case .uncertain: "no clock drift: it cannot be told from delay variation within ±50 ppm"
        }
    }

    var result: Result {
        guard line.count >= Self.leastSeconds, let slope = line.slope, let error = line.slopeError else {
            return .tooShort
        }
        return abs(slope) <= Self.largest && 2 * error <= Self.largestError ? .drift(slope) : .uncertain
    }
}

/// Finds the clock rate of RTP timestamps from arrivals, for streams of which nothing tells it.
enum ClockEstimate {
    /// The rates that media clocks have (RFC 3551 §4.1, RFC 7587).
    static let rates: [UInt32] = [8000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 90_000]
    /// How far a measured rate may be from one of them.
    static let tolerance = 0.005
    static let leastArrivals = 32
    static let leastSpan = TimeSpan.seconds(1)

    enum Result: Equatable {
        case rate(UInt32)
        /// Timestamps advance at a rate that no media clock has, Hz.
        case unusual(Double)
        /// Too few packets, or too short.
        case tooLittle
    }

    static func estimate(_ arrivals: [TimedArrival]) -> Result {
        guard arrivals.count >= leastArrivals, let first = arrivals.first, let last = arrivals.last,
            last.instant - first.instant >= leastSpan
        else { return .tooLittle }
        var fit = LineFit()
        for arrival in arrivals {
            fit.add(
                x: Double((arrival.instant - first.instant).nanoseconds) * 1e-9,
                y: Double(arrival.ticks - first.ticks))
        }
        guard let slope = fit.slope else { return .tooLittle }
        if let rate = snapped(slope) { return .rate(rate) }
        // Talkspurts and pauses bend the line; over most shorter stretches the clock still shows.
        if let median = medianSlope(arrivals), let rate = snapped(median) { return .rate(rate) }
        return .unusual(slope)
    }

    private static func snapped(_ measured: Double) -> UInt32? {
        rates.first { abs(measured - Double($0)) <= tolerance * Double($0) }
    }

    /// The median of the slopes between arrivals half the series apart.
    private static func medianSlope(_ arrivals: [TimedArrival]) -> Double? {
        let half = arrivals.count / 2
        var slopes: [Double] = []
        for index in 0..<(arrivals.count - half) {
            let span = (arrivals[index + half].instant - arrivals[index].instant).nanoseconds
            guard span > 0 else { continue }
            slopes.append(Double(arrivals[index + half].ticks - arrivals[index].ticks) * 1e9 / Double(span))
        }
        return slopes.isEmpty ? nil : slopes.sorted()[slopes.count / 2]
    }
}
