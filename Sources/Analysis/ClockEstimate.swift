import Metrics
import Timebase

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

    static func estimate(_ arrivals: [StreamTiming.Arrival]) -> Result {
        guard arrivals.count >= leastArrivals, let first = arrivals.first, let last = arrivals.last,
            last.instant - first.instant >= leastSpan
        else { return .tooLittle }
        var fit = LineFit()
        for arrival in arrivals {
            fit.add(
                x: Double((arrival.instant - first.instant).nanoseconds) * 1e-9,
                y: Double(arrival.timestamp - first.timestamp))
        }
        guard let slope = fit.slope else { return .tooLittle }
        if let rate = snapped(slope) { return .rate(rate) }
        // Talkspurts and pauses bend the line; over most shorter stretches the clock still shows.
        if let median = medianSlope(arrivals), let rate = snapped(median) { return .rate(rate) }
        return .unusual(slope)
    }

    /// The rate at which timestamps plainly run when that is not the described one, nor near it: of the stretches of a
    /// quarter of a second, four in five agree on it.
    static func contradiction(_ arrivals: [StreamTiming.Arrival], described: UInt32) -> UInt32? {
        var votes: [UInt32: Int] = [:]
        var stretches = 0
        guard arrivals.count >= 16, var begin = arrivals.first else { return nil }
        for arrival in arrivals {
            let span = (arrival.instant - begin.instant).nanoseconds
            guard span >= 250_000_000 else { continue }
            stretches += 1
            let slope = Double(arrival.timestamp - begin.timestamp) * 1e9 / Double(span)
            // Jitter over a quarter of a second is more than over all.
            if let rate = rates.first(where: { abs(slope - Double($0)) <= 0.05 * Double($0) }) {
                votes[rate, default: 0] += 1
            }
            begin = arrival
        }
        guard let (rate, count) = votes.max(by: { ($0.value, $1.key) < ($1.value, $0.key) }), stretches >= 3,
            5 * count >= 4 * stretches
        else { return nil }
        let factor = Double(rate) / Double(described)
        return factor >= 1.4 || factor <= 1 / 1.4 ? rate : nil
    }

    private static func snapped(_ measured: Double) -> UInt32? {
        rates.first { abs(measured - Double($0)) <= tolerance * Double($0) }
    }

    /// The median of the slopes between arrivals half the series apart.
    private static func medianSlope(_ arrivals: [StreamTiming.Arrival]) -> Double? {
        let half = arrivals.count / 2
        var slopes: [Double] = []
        for index in 0..<(arrivals.count - half) {
            let span = (arrivals[index + half].instant - arrivals[index].instant).nanoseconds
            guard span > 0 else { continue }
            slopes.append(Double(arrivals[index + half].timestamp - arrivals[index].timestamp) * 1e9 / Double(span))
        }
        return slopes.isEmpty ? nil : slopes.sorted()[slopes.count / 2]
    }
}

extension DriftMeter {
    /// Why there is no drift; nil when there is one.
    var explanation: String? {
        switch result {
        case .drift: nil
        case .tooShort: "no clock drift: fewer than \(Self.leastSeconds) seconds with packets"
        case .uncertain(let half):
            "no clock drift: it cannot be told from delay variation within ±50 ppm"
                + (half.map { $0 < 1 ? ", only within ±\(Int64(clamping: ($0 * 1e6).rounded(.up))) ppm" : "" } ?? "")
        }
    }
}
