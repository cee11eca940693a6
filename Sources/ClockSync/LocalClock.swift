import Timebase

/// A node's clock as its programs see it: the oscillator, and the adjustments that were made to it.
///
/// The **raw** reading is the oscillator's own; media timers run on it. The **disciplined** reading is the raw one with
/// steps, slews and a frequency correction on it; timestamps and protocols use it. Without adjustments both are the same to
/// the nanosecond.
///
/// Between two adjustments the disciplined reading is an exact function of the raw one: origin + elapsed + elapsed ×
/// frequency / 10^12 + slew so far, rounded down once. It never goes back but by a negative
/// step, as a slew takes at most half of the time.
public struct LocalClock: Sendable, BitwiseCopyable {
    /// The free-running clock.
    public private(set) var raw: Oscillator
    /// Raw and disciplined reading at the latest adjustment.
    private var origin = (raw: LocalInstant(nanoseconds: 0), disciplined: LocalInstant(nanoseconds: 0))
    /// What the disciplined clock gains on the raw one, parts per 10^12.
    public private(set) var frequency: Int64 = 0
    /// Still to be made up for at the origin, signed, and how fast, parts per billion.
    private var slew = (amount: TimeSpan.zero, rate: Int64(1))
    /// Whether it has ever been adjusted: until then readings cost what the oscillator's do.
    public private(set) var isAdjusted = false

    /// A clock that has not been adjusted: it shows what the oscillator does.
    public init(_ raw: Oscillator) { self.raw = raw }

    /// What the disciplined clock shows at a true instant.
    public func reading(at instant: Instant) -> LocalInstant {
        let reading = raw.reading(at: instant)
        return isAdjusted ? disciplined(reading) : reading
    }

    /// Disciplined reading minus true time at a true instant; positive: fast.
    public func error(at instant: Instant) -> TimeSpan {
        .nanoseconds(reading(at: instant).nanoseconds - instant.nanoseconds)
    }

    /// The earliest true instant, not before the latest adjustment, at which the disciplined clock shows `local` or more;
    /// the distant future stays where it is.
    ///
    /// A deadline in disciplined time is armed on this instant, and armed anew after an adjustment.
    public func instant(showing local: LocalInstant) -> Instant {
        guard local != .distantFuture else { return .distantFuture }
        guard isAdjusted else { return raw.instant(showing: local) }
        return raw.instant(showing: rawReading(showing: local))
    }

    /// Nobody asks for anything before `now` any more: see ``Oscillator/advance(to:)``.
    public mutating func advance(to now: Instant) { raw.advance(to: now) }

    /// The oscillator jumps, and goes on at another frequency: see ``Oscillator/change(step:frequency:at:)``. Deadlines are to
    /// be armed anew.
    public mutating func change(_ change: OscillatorChange) {
        raw.change(step: change.step, frequency: change.frequency, at: change.at)
    }

    /// What a slew under way has still to make up for at a true instant, signed.
    func slewLeft(at instant: Instant) -> TimeSpan {
        isAdjusted ? slew.amount - slewed(raw.reading(at: instant) - origin.raw) : .zero
    }

    /// How long, by the oscillator, a slew at the present rate takes for so much, rounded up; at most 36 years.
    func slewTime(_ amount: TimeSpan) -> TimeSpan {
        let time = Int128(amount.nanoseconds.magnitude) * 1_000_000_000 / Int128(slew.rate) + 1
        return .nanoseconds(Int64(min(time, 1 << 60)))
    }

    /// Adjusts the disciplined clock at a true instant; instants do not decrease.
    public mutating func adjust(_ adjustment: ClockAdjustment, at now: Instant) {
        let reading = raw.reading(at: now)
        let shown = isAdjusted ? disciplined(reading) : reading
        let rest = isAdjusted ? slew.amount - slewed(reading - origin.raw) : .zero
        origin = (reading, shown)
        slew.amount = rest
        isAdjusted = true
        switch adjustment {
        case .step(let amount): origin.disciplined = shown + amount
        case .slew(let amount, let rate):
            precondition((1...500_000_000).contains(rate))
            slew = (amount, rate)
        case .frequency(let frequency):
            precondition(frequency.magnitude <= 500_000_000_000)
            self.frequency = frequency
        }
    }

    /// What a slew comes to in so much raw time, toward zero.
    private func slewed(_ elapsed: TimeSpan) -> TimeSpan {
        .nanoseconds(Int64(slewed(elapsed) as Int128 / Self.parts))
    }

    /// The same in parts per 10^12 of a nanosecond.
    private func slewed(_ elapsed: TimeSpan) -> Int128 {
        guard slew.amount != .zero, elapsed > .zero else { return 0 }
        let most = Int128(elapsed.nanoseconds) * Int128(slew.rate) * 1_000
        let size = min(most, Int128(slew.amount.nanoseconds.magnitude) * Self.parts)
        return slew.amount < .zero ? -size : size
    }

    private static var parts: Int128 { 1_000_000_000_000 }

    /// Rounded once, as a sum of rounded terms could go back by a nanosecond.
    private func disciplined(_ reading: LocalInstant) -> LocalInstant {
        let elapsed = reading - origin.raw
        let gain: Int128 = Int128(elapsed.nanoseconds) * Int128(frequency) + slewed(elapsed)
        let (quotient, remainder) = gain.quotientAndRemainder(dividingBy: Self.parts)
        return origin.disciplined + elapsed + .nanoseconds(Int64(quotient) - (remainder < 0 ? 1 : 0))
    }

    /// The least raw reading, from the origin on, at which the disciplined clock shows `local` or more.
    private func rawReading(showing local: LocalInstant) -> LocalInstant {
        guard local > origin.disciplined else { return origin.raw }
        // Both clocks run at nearly one pace, so that going on by what is missing soon comes within two nanoseconds.
        var guess = origin.raw + (local - origin.disciplined)
        for _ in 0..<6 {
            let missing = local - disciplined(guess)
            if missing.nanoseconds.magnitude <= 2 { return earliest(near: guess, showing: local) }
            guess = guess + missing
        }
        return searchedReading(showing: local)
    }

    /// The same from a guess that is off by a few nanoseconds: the reading increases by 0 to 3 with each.
    private func earliest(near guess: LocalInstant, showing local: LocalInstant) -> LocalInstant {
        var reading = guess
        while disciplined(reading) < local { reading = reading + .nanoseconds(1) }
        while reading > origin.raw, disciplined(reading - .nanoseconds(1)) >= local {
            reading = reading - .nanoseconds(1)
        }
        return reading
    }

    /// The same at any pace: the disciplined reading does not decrease, so the interval in which it comes to `local` is
    /// halved. At its slowest the clock goes at a quarter of the oscillator's pace, so that four times the distance is
    /// enough.
    private func searchedReading(showing local: LocalInstant) -> LocalInstant {
        var low = origin.raw
        var high = origin.raw + (local - origin.disciplined) * 4 + .nanoseconds(4)
        while high - low > .nanoseconds(1) {
            let middle = low + .nanoseconds((high - low).nanoseconds / 2)
            if disciplined(middle) >= local { high = middle } else { low = middle }
        }
        return high
    }
}
