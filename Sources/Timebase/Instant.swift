/// A length of time in whole nanoseconds, signed.
///
/// Range: ±292 years. Overflow traps, as Swift's integers do.
@frozen
public struct TimeSpan: Hashable, Comparable, Sendable, BitwiseCopyable {
    /// Whole nanoseconds; negative: backwards.
    public var nanoseconds: Int64

    @inlinable init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// So many nanoseconds.
    @inlinable public static func nanoseconds(_ count: Int64) -> TimeSpan { TimeSpan(nanoseconds: count) }
    /// So many microseconds.
    @inlinable public static func microseconds(_ count: Int64) -> TimeSpan { TimeSpan(nanoseconds: count * 1_000) }
    /// So many milliseconds.
    @inlinable public static func milliseconds(_ count: Int64) -> TimeSpan { TimeSpan(nanoseconds: count * 1_000_000) }
    /// So many seconds.
    @inlinable public static func seconds(_ count: Int64) -> TimeSpan { TimeSpan(nanoseconds: count * 1_000_000_000) }
    /// No time at all.
    @inlinable public static var zero: TimeSpan { TimeSpan(nanoseconds: 0) }

    @inlinable public static func < (a: TimeSpan, b: TimeSpan) -> Bool { a.nanoseconds < b.nanoseconds }
    /// The sum; traps beyond ±292 years, as all arithmetic here does.
    @inlinable
    public static func + (a: TimeSpan, b: TimeSpan) -> TimeSpan { .nanoseconds(a.nanoseconds + b.nanoseconds) }
    /// The difference.
    @inlinable
    public static func - (a: TimeSpan, b: TimeSpan) -> TimeSpan { .nanoseconds(a.nanoseconds - b.nanoseconds) }
    /// The same length the other way.
    @inlinable public static prefix func - (a: TimeSpan) -> TimeSpan { .nanoseconds(-a.nanoseconds) }
    /// So many times the length.
    @inlinable public static func * (a: TimeSpan, n: Int64) -> TimeSpan { .nanoseconds(a.nanoseconds * n) }
    /// Lengthens it.
    @inlinable public static func += (a: inout TimeSpan, b: TimeSpan) { a.nanoseconds += b.nanoseconds }
    /// Shortens it.
    @inlinable public static func -= (a: inout TimeSpan, b: TimeSpan) { a.nanoseconds -= b.nanoseconds }
}

/// A point in true (emulated) time: nanoseconds since emulated time zero.
///
/// Only the emulator knows it. What a node's own clock shows is a ``LocalInstant``; the two never mix, and only an
/// oscillator converts between them.
@frozen
public struct Instant: Hashable, Comparable, Sendable, BitwiseCopyable {
    /// Nanoseconds since emulated time zero, when traces and schedules begin. Negative before it.
    public var nanoseconds: Int64

    @inlinable public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// Emulated time zero.
    @inlinable public static var zero: Instant { Instant(nanoseconds: 0) }
    /// Later than every instant that can occur: "never".
    @inlinable public static var distantFuture: Instant { Instant(nanoseconds: .max) }

    @inlinable public static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }
    /// So much later.
    @inlinable
    public static func + (a: Instant, b: TimeSpan) -> Instant { Instant(nanoseconds: a.nanoseconds + b.nanoseconds) }
    /// So much earlier.
    @inlinable
    public static func - (a: Instant, b: TimeSpan) -> Instant { Instant(nanoseconds: a.nanoseconds - b.nanoseconds) }
    /// From `b` to `a`: positive when `a` is later.
    @inlinable public static func - (a: Instant, b: Instant) -> TimeSpan { .nanoseconds(a.nanoseconds - b.nanoseconds) }
    /// Moves it so much later.
    @inlinable public static func += (a: inout Instant, b: TimeSpan) { a.nanoseconds += b.nanoseconds }
}

/// What a node's own clock shows: nanoseconds since that clock showed emulated time zero's date.
///
/// Two nodes' local instants are comparable only as far as their clocks agree.
@frozen
public struct LocalInstant: Hashable, Comparable, Sendable, BitwiseCopyable {
    /// Nanoseconds since the clock showed emulated time zero's date; negative before.
    public var nanoseconds: Int64

    @inlinable public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// Later than every reading that can occur: "never".
    @inlinable public static var distantFuture: LocalInstant { LocalInstant(nanoseconds: .max) }

    @inlinable public static func < (a: LocalInstant, b: LocalInstant) -> Bool { a.nanoseconds < b.nanoseconds }
    /// So much later by this clock.
    @inlinable
    public static func + (a: LocalInstant, b: TimeSpan) -> LocalInstant {
        LocalInstant(nanoseconds: a.nanoseconds + b.nanoseconds)
    }
    /// So much earlier by this clock.
    @inlinable
    public static func - (a: LocalInstant, b: TimeSpan) -> LocalInstant {
        LocalInstant(nanoseconds: a.nanoseconds - b.nanoseconds)
    }
    /// From `b` to `a` by this clock: positive when `a` is later.
    @inlinable
    public static func - (a: LocalInstant, b: LocalInstant) -> TimeSpan { .nanoseconds(a.nanoseconds - b.nanoseconds) }
}

/// The calendar date of emulated time zero: 2020-01-01T00:00:00Z, in seconds since 1970-01-01T00:00:00Z.
public let emulatedEpochUnixSeconds: Int64 = 1_577_836_800
