import Timebase

/// A node's clock: what it shows at each true instant. The only place where true and local time meet.
///
/// A reading is `offset + floor(t × (1 + frequency error))`, in whole nanoseconds: monotone, and exact over any length
/// of time because it is always taken from emulated time zero.
public struct Oscillator: Sendable, BitwiseCopyable {
    /// Reading minus true time at emulated time zero; positive: fast.
    public let offset: TimeSpan
    /// Frequency error in parts per billion; positive: gains. More than -1e9.
    public let frequency: Int64

    /// - Precondition: `partsPerBillion` > -1,000,000,000: a clock that stands still converts to no true time.
    public init(offset: TimeSpan = .zero, partsPerBillion frequency: Int64 = 0) {
        precondition(frequency > -1_000_000_000)
        self.offset = offset
        self.frequency = frequency
    }

    /// What the clock shows at a true instant.
    @inlinable
    public func reading(at instant: Instant) -> LocalInstant {
        let elapsed =
            frequency == 0
            ? instant.nanoseconds
            : instant.nanoseconds.scaled(by: 1_000_000_000 + frequency, over: 1_000_000_000)
        return LocalInstant(nanoseconds: elapsed + offset.nanoseconds)
    }

    /// The earliest true instant at which the clock shows `local` or more.
    @inlinable
    public func instant(showing local: LocalInstant) -> Instant {
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
}
