import Timebase

/// A planned change of an oscillator: it jumps, or goes on at another frequency.
public struct OscillatorChange: Hashable, Sendable {
    /// When, in true time.
    public var at: Instant
    /// What it shows more from then on, not negative.
    public var step: TimeSpan
    /// What is added to its own frequency error from then on, parts per 10^18; replaces what was added before.
    public var frequency: Int64

    public init(at: Instant, step: TimeSpan = .zero, frequency: Int64 = 0) {
        self.at = at
        self.step = step
        self.frequency = frequency
    }

    /// The changes after which an oscillator without an error of its own follows a recorded one: its offset is a straight
    /// line from each point to the next, to a nanosecond, and stays as it is after the last.
    ///
    /// - Parameter points: offsets (positive: fast) at instants, in order of time. The first offset is the oscillator's own
    ///   from the start on; between two points it neither falls by more than half of the time nor rises by more than twice it.
    /// - Returns: nil where points are not in order or go too steep.
    public static func following(_ points: [(at: Instant, offset: TimeSpan)]) -> [OscillatorChange]? {
        var changes: [OscillatorChange] = []
        for (point, next) in zip(points, points.dropFirst()) {
            let time = (next.at - point.at).nanoseconds
            guard time > 0 else { return nil }
            let slope = Int128((next.offset - point.offset).nanoseconds) * 1_000_000_000_000_000_000 / Int128(time)
            guard slope >= -500_000_000_000_000_000, slope <= 2_000_000_000_000_000_000 else { return nil }
            changes.append(OscillatorChange(at: point.at, frequency: Int64(slope)))
        }
        if let last = points.last { changes.append(OscillatorChange(at: last.at)) }
        return changes
    }

    /// The changes after which an oscillator's frequency error follows a recorded one, constant from each point to the next.
    ///
    /// - Parameter points: parts per 10^18 at instants, in order of time.
    public static func following(_ points: [(at: Instant, frequency: Int64)]) -> [OscillatorChange] {
        points.map { OscillatorChange(at: $0.at, frequency: $0.frequency) }
    }
}
