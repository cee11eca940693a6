import Timebase

/// The least of the latest deltas, smoothed: delays only add, so that the least has the least of them in it.
///
/// Window of 2 s or 512 datagrams, what is less; each moves the skew by a 125th of the way to the least; while the window
/// fills, by the square of how full it is. Constants and form are GStreamer's.
struct WindowMinimum: Sendable {
    private var window: [Int64] = []
    private var position = 0
    private var isFull = false
    private var least = Int64.max
    private var skew: Int64 = 0
    /// The least of the first full window.
    private var begin: Int64 = 0
    private var gained: Int64 = 0
    private var first: TimeSpan?

    private static let capacity = 512
    private static let span = TimeSpan.seconds(2)
    private static let smoothing: Int64 = 125

    /// How much more the least is now, smoothed, than in the first full window.
    var gain: TimeSpan { .nanoseconds(gained) }

    /// Takes a delta and the time in the stream of its datagram.
    ///
    /// - Returns: the skew.
    /// - Complexity: O(1), and O(window) where its least leaves it.
    mutating func add(_ delta: TimeSpan, at sourceTime: TimeSpan) -> TimeSpan {
        let value = delta.nanoseconds
        if isFull { replace(with: value) } else { fill(with: value, at: sourceTime) }
        return .nanoseconds(skew)
    }

    private mutating func fill(with value: Int64, at sourceTime: TimeSpan) {
        if window.isEmpty { window.reserveCapacity(Self.capacity) }
        let elapsed = sourceTime - (first ?? sourceTime)
        first = first ?? sourceTime
        window.append(value)
        least = min(least, value)
        guard elapsed < Self.span, window.count < Self.capacity else {
            isFull = true
            begin = least
            return
        }
        let share = max(
            elapsed.nanoseconds * 100 / Self.span.nanoseconds, Int64(window.count * 100 / Self.capacity), 0)
        skew = (share * share * least + (10_000 - share * share) * skew) / 10_000
    }

    private mutating func replace(with value: Int64) {
        let old = window[position]
        window[position] = value
        position = position + 1 == window.count ? 0 : position + 1
        if value <= least {
            least = value
        } else if old == least {
            least = window.reduce(.max) { min($0, $1) }
        }
        skew = (least + (Self.smoothing - 1) * skew) / Self.smoothing
        gained = (least - begin + (Self.smoothing - 1) * gained) / Self.smoothing
    }
}
