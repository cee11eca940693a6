import Timebase

/// Freezes of presented video as W3C's webrtc-stats defines them (`freezeCount`, `totalFreezesDuration`): a frame's
/// duration, until the next frame is presented, is a freeze when it reaches the larger of three times the average of
/// the last 30 frames' durations and that average plus 150 ms.
///
/// A frame that was made to stand so long is not frozen: what it stands beyond its own duration has to reach 150 ms too,
/// which changes nothing at a constant frame rate.
///
/// The average is over the durations before the one in question, frozen ones too. With fewer than five of them there is
/// no judgement, as in the implementations of that definition. Everything is in whole nanoseconds.
public struct FreezeDetector: Sendable {
    /// Durations in the average.
    static let window = 30
    /// Durations needed before one can be called a freeze.
    static let leastDurations = 5
    /// What a freeze must exceed the average by.
    static let leastIncrease = TimeSpan.milliseconds(150)
    /// What a freeze must exceed the average by, as a factor.
    static let leastFactor: Int64 = 3

    /// Times that the picture stood still beyond its nominal duration, so far.
    public private(set) var count: Int64 = 0
    /// The durations of all freezes together.
    private(set) var total: TimeSpan = .zero
    private(set) var longest: TimeSpan = .zero

    private var last: Instant?
    /// The last frame's own duration.
    private var nominal = TimeSpan.zero
    private var durations: [Int64]
    private var next = 0
    private var known: Int64 = 0
    private var sum: Int64 = 0

    public init() {
        durations = Array(repeating: 0, count: Self.window)
    }

    /// Takes a presented frame; instants do not decrease. Whether the frame before it had frozen.
    ///
    /// - Parameter nominal: how long it is meant to stand.
    @discardableResult
    public mutating func add(presentedAt instant: Instant, lasting nominal: TimeSpan = .zero) -> Bool {
        defer { self.nominal = nominal }
        guard let last else {
            self.last = instant
            return false
        }
        self.last = instant
        let duration = (instant - last).nanoseconds
        let isFreeze = judge(duration)
        if known < Int64(Self.window) { known += 1 } else { sum -= durations[next] }
        durations[next] = duration
        sum += duration
        next = next + 1 == Self.window ? 0 : next + 1
        return isFreeze
    }

    /// Judges the last frame's duration, when no frame follows: `instant` is when a next one would have been presented.
    ///
    /// W3C's counters see no such freeze, because they wait for the next frame; a picture that stands still to the end
    /// of the program is one nevertheless.
    @discardableResult
    public mutating func finish(at instant: Instant) -> Bool {
        guard let last, instant > last else { return false }
        self.last = nil
        return judge((instant - last).nanoseconds)
    }

    /// A viewer stops what is presented, or goes elsewhere: the last frame is judged up to then, and no frame follows it.
    public mutating func interrupt(at instant: Instant) {
        finish(at: instant)
        last = nil
    }

    /// Counts the time before the first frame where one should have been shown.
    ///
    /// DEVIATION: W3C's counters begin with the first frame. Who waits for a picture that cannot be decoded sees none, and
    /// a black screen is no better than one that stands still.
    public mutating func noteBlank(_ span: TimeSpan, nominal: TimeSpan) {
        guard span >= nominal * Self.leastFactor, span >= nominal + Self.leastIncrease else { return }
        count(span)
    }

    /// All freezes so far.
    public var measurements: FreezeMeasurements {
        FreezeMeasurements(count: count, total: total, longest: longest)
    }

    private mutating func judge(_ duration: Int64) -> Bool {
        // Both sides times the number of durations, so that no average is rounded.
        guard known >= Int64(Self.leastDurations), duration * known >= Self.leastFactor * sum,
            duration * known >= sum + Self.leastIncrease.nanoseconds * known,
            .nanoseconds(duration) >= nominal + Self.leastIncrease
        else { return false }
        count(.nanoseconds(duration))
        return true
    }

    private mutating func count(_ duration: TimeSpan) {
        count += 1
        total += duration
        longest = max(longest, duration)
    }
}
