import Timebase

/// What a receiver does about units of which nothing right is there when they are due.
public enum Concealment: Equatable, Sendable {
    /// Pictures: those that are not what they were sent as are not shown, and the last good one stands.
    case freeze
    /// Sound: the last good frame is repeated, fading out over that time; behind it is silence.
    case repetition(TimeSpan)
    /// Sound: a single missing frame is made of its neighbours; of several nothing is.
    case interpolation
}

/// Counts the units that a receiver replaces by a guess: one before the first that is good has nothing to guess from.
public struct ConcealmentMeter: Equatable, Sendable {
    private let concealment: Concealment
    /// Units replaced.
    public private(set) var count: Int64 = 0
    private var hasBegun = false
    /// Units that are not there since the latest good one.
    private var run: Int64 = 0

    /// A meter that no unit has come to.
    public init(_ concealment: Concealment) { self.concealment = concealment }

    /// Takes units that are good when they are due; in decoding order, as below.
    public mutating func add(good units: Int64) {
        guard units > 0 else { return }
        if concealment == .interpolation, hasBegun, run == 1 { count += 1 }
        hasBegun = true
        run = 0
    }

    /// Takes units that are not, each lasting so long.
    public mutating func add(missing units: Int64, lasting duration: TimeSpan) {
        guard hasBegun, units > 0 else { return }
        switch concealment {
        case .freeze: count += units
        case .repetition(let fade):
            // Those that begin before it is silent.
            let most = duration > .zero ? (fade.nanoseconds - 1) / duration.nanoseconds + 1 : 0
            count += max(0, min(run + units, most) - run)
        case .interpolation: break
        }
        run += units
    }
}
