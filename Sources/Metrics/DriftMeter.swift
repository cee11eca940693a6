/// How fast a sender's media clock runs against the clock of the arrivals: a line through the least delay of each second,
/// where queues were shortest (a lower envelope).
public struct DriftMeter: Sendable {
    /// Media time less arrival time over arrival time, seconds, at each second's least delay.
    private var line = LineFit()
    private var second: Int64 = 0
    private var least: (elapsed: Int64, delay: Int64)?

    /// Seconds with packets that a result needs.
    public static let leastSeconds: Int64 = 10
    /// Two standard errors of a result at most.
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
        if let least { line.add(x: Double(least.elapsed) * 1e-9, y: Double(least.delay) * -1e-9) }
        least = nil
    }

    /// Lets what follows have delays from another zero: the slope stays common to all.
    public mutating func beginPart() {
        close()
        line.beginGroup()
    }

    /// Closes the second under way; nothing follows.
    public mutating func finish() { close() }

    /// What can be said of the drift.
    public enum Result {
        /// Seconds per second; positive: the media clock is fast.
        case drift(Double)
        /// Less was seen than the measurement takes.
        case tooShort
        /// It cannot be told from delay variation.
        case uncertain
    }

    /// One standard error of the drift, seconds per second; nil with fewer than three seconds.
    public var error: Double? { line.slopeError }

    /// What can be told.
    public var result: Result {
        guard line.count >= Self.leastSeconds, let slope = line.slope, let error = line.slopeError else {
            return .tooShort
        }
        return abs(slope) <= Self.largest && 2 * error <= Self.largestError ? .drift(slope) : .uncertain
    }
}
