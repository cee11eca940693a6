import Timebase

/// How often units come: a rational number of them a second.
public struct UnitRate: Sendable, Equatable {
    /// So many units…
    let count: Int64
    /// …in every so long a time.
    let span: TimeSpan

    /// - Returns: nil unless that is more than one unit in an hour and at most 1,000,000 a second, with a count of at
    ///   most 1,000,000 and a span of at most 1,001 hours.
    public init?(count: Int64, every span: TimeSpan) {
        guard (1...1_000_000).contains(count), (1...3_603_600_000_000_000).contains(span.nanoseconds) else {
            return nil
        }
        let perUnit = span.nanoseconds / count
        guard (1_000...3_600_000_000_000).contains(perUnit) else { return nil }
        self.count = count
        self.span = span
    }

    /// The time from one unit to the next, rounded down to a nanosecond.
    var period: TimeSpan { .nanoseconds(span.nanoseconds / count) }
}

/// Units at a constant rational rate on the 90 kHz timeline, each placed from the origin.
struct UnitGrid: Sendable {
    // Ticks per unit, as a fraction in lowest terms.
    private let ticks: Int64
    private let units: Int64

    init(_ rate: UnitRate) {
        let common = greatestCommonDivisor(rate.span.nanoseconds, rate.count)
        // 90,000 ticks a second are 9 in 100,000 nanoseconds.
        let (numerator, denominator) = (rate.span.nanoseconds / common, rate.count / common)
        let inner = greatestCommonDivisor(numerator, 100_000)
        let outer = greatestCommonDivisor(denominator, 9)
        ticks = numerator / inner * (9 / outer)
        units = denominator / outer * (100_000 / inner)
    }

    /// The tick of unit `index` after the origin, rounded down.
    func tick(_ index: Int64) -> Int64 { index.scaled(by: ticks, over: units) }

    /// How many units lie in the first `duration` from the origin on, its end not included.
    func count(within duration: TimeSpan) -> Int64 {
        let limit = max(0, MediaClock.ticks(duration, rate: MediaClock.ninetyKilohertz, .up))
        return limit.scaled(by: units, over: ticks, .up)
    }
}

/// Euclid's; the magnitude of the other where one is 0.
func greatestCommonDivisor(_ a: Int64, _ b: Int64) -> Int64 {
    var (a, b) = (a, b)
    while b != 0 { (a, b) = (b, a % b) }
    return a
}
