/// How fast a sender's media clock runs against the clock of the arrivals: a line through the least delay of each second,
/// where queues were shortest (a lower envelope).
public struct DriftMeter: Sendable {
    /// Media time less arrival time over arrival time, seconds, at each second's least delay.
    private var line = LineFit()
    /// Steps from point to point: Σd², Σde, Σe² of the delays' and the times'.
    private var steps = (yy: 0.0, xy: 0.0, xx: 0.0)
    private var previous: (x: Double, y: Double)?
    private var second: Int64 = 0
    private var least: (elapsed: Int64, delay: Int64)?

    /// Seconds with packets that a result needs.
    public static let leastSeconds: Int64 = 10
    /// Half of a result's interval at most: beyond it nothing is left out that a clock can do.
    static let largestError = 50e-6
    /// No clock that works is so far off: timestamps do something else.
    public static let largest = 1e-3

    public init() {}

    /// Takes a delay, nanoseconds from any zero, `elapsed` nanoseconds after the first; these do not decrease by seconds.
    public mutating func add(elapsed: Int64, delay: Int64) {
        let now = elapsed / 1_000_000_000
        if now != second { close() }
        second = now
        if least.map({ delay < $0.delay }) ?? true { least = (elapsed, delay) }
    }

    private mutating func close() {
        guard let least else { return }
        let (x, y) = (Double(least.elapsed) * 1e-9, Double(least.delay) * -1e-9)
        line.add(x: x, y: y)
        if let previous {
            steps.yy += (y - previous.y) * (y - previous.y)
            steps.xy += (y - previous.y) * (x - previous.x)
            steps.xx += (x - previous.x) * (x - previous.x)
        }
        previous = (x, y)
        self.least = nil
    }

    /// Lets what follows have delays from another zero: the slope stays common to all.
    public mutating func beginPart() {
        close()
        line.beginGroup()
        previous = nil
    }

    /// Closes the second under way; nothing follows.
    public mutating func finish() { close() }

    /// What can be said of the drift.
    public enum Result {
        /// Seconds per second; positive: the media clock is fast. It lies within so much of it, 95 times in 100.
        case drift(Double, within: Double)
        /// Less was seen than the measurement takes.
        case tooShort
        /// It cannot be told from delay variation: half of its interval, where there is one.
        case uncertain(within: Double?)
    }

    /// Half of the 95 % interval of the slope, seconds per second; nil with fewer than four seconds.
    ///
    /// Least delays of seconds that follow each other are alike where queues are, so that they count for fewer: by the
    /// correlation of what the line leaves over with what it leaves over a second later, ρ = 1 − Σ(r − r′)² / 2Σr² (von
    /// Neumann's ratio), n of them are worth n(1 − ρ)/(1 + ρ).
    var halfInterval: Double? {
        guard let slope = line.slope, let error = line.slopeError, line.count > 3 else { return nil }
        let residual = line.residual
        guard residual > 0 else { return 0 }
        let differences = max(steps.yy - 2 * slope * steps.xy + slope * slope * steps.xx, 0)
        let correlation = min(max(1 - differences / (2 * residual), 0), 0.99)
        let inflation = (1 + correlation) / (1 - correlation)
        let freedom = max(Double(line.count) / inflation - 2, 1)
        return Self.student(freedom) * error * inflation.squareRoot()
    }

    /// The 97.5 % quantile of Student's distribution, within 2 % from two degrees of freedom on.
    private static func student(_ freedom: Double) -> Double {
        1.96 + 2.37 / freedom + 2.8 / (freedom * freedom) + 5.6 / (freedom * freedom * freedom)
    }

    /// What can be told.
    public var result: Result {
        guard line.count >= Self.leastSeconds, let slope = line.slope, let half = halfInterval else { return .tooShort }
        return abs(slope) <= Self.largest && half <= Self.largestError
            ? .drift(slope, within: half) : .uncertain(within: half)
    }
}
