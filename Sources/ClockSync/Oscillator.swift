import Timebase

/// A node's clock: what it shows at each true instant. The only place where true and local time meet.
///
/// A reading is `offset + floor(t × (1 + frequency error))`, in whole nanoseconds: monotone, and exact over any length
/// of time because it is always taken from emulated time zero. With noise, frequency error × t is an integral over the
/// seconds: an exact sum of whole numbers too, which ``advance(to:)`` keeps up to the present, so that a reading has only
/// to go on from there. What is asked of times before that goes by the present second's frequency.
public struct Oscillator: Sendable, BitwiseCopyable {
    /// Reading minus true time at emulated time zero, and the sum of all steps since; positive: fast.
    public private(set) var offset: TimeSpan
    /// Frequency error in parts per billion; positive: gains. More than -1e9.
    public let frequency: Int64
    /// How it departs from that.
    public let noise: OscillatorNoise
    /// The departure up to the present second; meaningless while plain.
    private var departure: OscillatorDeparture
    /// Whether the frequency has never been another.
    public private(set) var isPlain: Bool

    /// - Precondition: `partsPerBillion` > -1,000,000,000: a clock that stands still converts to no true time.
    public init(offset: TimeSpan = .zero, partsPerBillion frequency: Int64 = 0, noise: OscillatorNoise = .none) {
        precondition(frequency > -1_000_000_000)
        self.offset = offset
        self.frequency = frequency
        self.noise = noise
        isPlain = noise.isNone
        departure = OscillatorDeparture(noise, constant: Int128(frequency) * 1_000_000_000)
    }

    /// What the clock shows at a true instant.
    @inlinable
    public func reading(at instant: Instant) -> LocalInstant {
        isPlain ? Self.plainReading(at: instant, offset, frequency) : noisyReading(at: instant)
    }

    /// What a clock without noise shows at a true instant, of its offset and frequency error alone: whoever asks for each
    /// packet gives these two, as an oscillator that is passed whole is copied.
    @inlinable
    public static func plainReading(at instant: Instant, _ offset: TimeSpan, _ frequency: Int64) -> LocalInstant {
        let elapsed =
            frequency == 0
            ? instant.nanoseconds
            : instant.nanoseconds.scaled(by: 1_000_000_000 + frequency, over: 1_000_000_000)
        return LocalInstant(nanoseconds: elapsed + offset.nanoseconds)
    }

    /// The earliest true instant at which the clock shows `local` or more.
    ///
    /// With noise it is looked for at most 2^17 s (36 hours) ahead of ``advance(to:)``: what lies farther is answered with
    /// that instant, when one has to ask again.
    @inlinable
    public func instant(showing local: LocalInstant) -> Instant {
        isPlain ? Self.plainInstant(showing: local, offset, frequency) : noisyInstant(showing: local)
    }

    /// The same of a clock without noise, of its offset and frequency error alone.
    @inlinable
    public static func plainInstant(showing local: LocalInstant, _ offset: TimeSpan, _ frequency: Int64) -> Instant {
        let elapsed = local.nanoseconds - offset.nanoseconds
        return Instant(
            nanoseconds: frequency == 0
                ? elapsed
                : elapsed.scaled(by: 1_000_000_000, over: 1_000_000_000 + frequency, .up))
    }

    /// Reading minus true time at a true instant.
    @inlinable
    public func error(at instant: Instant) -> TimeSpan {
        .nanoseconds(reading(at: instant).nanoseconds - instant.nanoseconds)
    }

    /// The frequency error at a true instant, parts per 10^12; positive: gains.
    public func frequencyError(at instant: Instant) -> Int64 {
        isPlain ? frequency * 1_000 : departure.advanced(to: instant, noise).frequencyError
    }

    /// Nobody asks for anything before `now` any more: what comes later is reached sooner.
    ///
    /// - Complexity: O(seconds since the last time), with noise.
    public mutating func advance(to now: Instant) {
        if !isPlain, !noise.isNone { departure = departure.advanced(to: now, noise) }
    }

    /// It jumps, and goes on at another frequency.
    ///
    /// - Parameters:
    ///   - step: what it shows more from `now` on, not negative: an oscillator never goes back.
    ///   - frequency: what is added to its own frequency error from now on, parts per 10^18; replaces what was set before.
    ///   - now: not before what it was advanced to.
    public mutating func change(step: TimeSpan, frequency: Int64, at now: Instant) {
        precondition(step >= .zero)
        offset += step
        departure = departure.advanced(to: now, noise)
        departure.set(frequency, at: now)
        isPlain = false
    }

    @usableFromInline
    func noisyReading(at instant: Instant) -> LocalInstant {
        let gain = departure.advanced(to: instant, noise).gain(at: instant)
        return LocalInstant(nanoseconds: instant.nanoseconds + gain + offset.nanoseconds)
    }

    @usableFromInline
    func noisyInstant(showing local: LocalInstant) -> Instant {
        departure.instant(showing: local.nanoseconds - offset.nanoseconds, noise)
    }
}
