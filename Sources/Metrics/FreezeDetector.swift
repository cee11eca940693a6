import Timebase

/// Freezes of presented video as W3C's webrtc-stats defines them (`freezeCount`, `totalFreezesDuration`): a frame's
/// duration, until the next frame is presented, is a freeze when it reaches the larger of three times the average of
/// the last 30 frames' durations and that average plus 150 ms.
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
    private var durations: [Int64]
    private var next = 0
    private var known: Int64 = 0
    private var sum: Int64 = 0

    public init() {
        durations = Array(repeating: 0, count: Self.window)
    }

    /// Takes a presented frame; instants do not decrease. Whether the frame before it had frozen.
    @discardableResult
    public mutating func add(presentedAt instant: Instant) -> Bool {
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

    /// All freezes so far.
    public var measurements: FreezeMeasurements {
        FreezeMeasurements(count: count, total: total, longest: longest)
    }

    private mutating func judge(_ duration: Int64) -> Bool {
        // Both sides times the number of durations, so that no average is rounded.
        guard known >= Int64(Self.leastDurations), duration * known >= Self.leastFactor * sum,
            duration * known >= sum + Self.leastIncrease.nanoseconds * known
        else { return false }
        count += 1
        total += .nanoseconds(duration)
        longest = max(longest, .nanoseconds(duration))
        return true
    }
}
