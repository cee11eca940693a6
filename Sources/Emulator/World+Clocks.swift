import BasicContainers
import ClockSync
import Timebase

/// The nodes' clocks as packets need them: read field by field, as a clock that is passed whole is copied.
extension World {
    /// What a node's free-running clock shows now: media timers run on it.
    @inline(__always)
    func mediaTime(ofNode node: Int, at now: Instant) -> LocalInstant {
        guard clocks[node].raw.isPlain else { return clocks[node].raw.reading(at: now) }
        return Oscillator.plainReading(at: now, clocks[node].raw.offset, clocks[node].raw.frequency)
    }

    /// When a node's free-running clock shows a time; the distant future stays where it is.
    @inline(__always)
    func instant(ofNode node: Int, showing time: LocalInstant) -> Instant {
        guard time != .distantFuture else { return .distantFuture }
        guard clocks[node].raw.isPlain else { return clocks[node].raw.instant(showing: time) }
        return Oscillator.plainInstant(showing: time, clocks[node].raw.offset, clocks[node].raw.frequency)
    }

    /// What a node's disciplined clock shows at an instant: timestamps are taken from it.
    @inline(__always)
    func timestamp(ofNode node: Int, at instant: Instant) -> LocalInstant {
        clocks[node].isAdjusted ? clocks[node].reading(at: instant) : mediaTime(ofNode: node, at: instant)
    }
}
