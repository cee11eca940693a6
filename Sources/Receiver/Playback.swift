import Timebase

/// What viewers have done to a presentation: it lags behind what is due for as long as it was held up, and never runs ahead
/// of it, because a live stream has no more.
struct Playback: Sendable, BitwiseCopyable {
    /// How much later than it is due everything is presented.
    private(set) var lag = TimeSpan.zero
    /// When a viewer stopped the presentation; `.distantFuture` while it goes on.
    private var pausedAt = LocalInstant.distantFuture

    /// Whether a viewer has stopped the presentation.
    var isPaused: Bool { pausedAt != .distantFuture }

    mutating func pause(at now: LocalInstant) { pausedAt = min(pausedAt, now) }

    mutating func play(at now: LocalInstant) {
        guard isPaused else { return }
        lag += now - pausedAt
        pausedAt = .distantFuture
    }

    /// What is due at `place` is presented now; at the earliest what is due now.
    mutating func go(to place: LocalInstant, at now: LocalInstant) {
        lag = max(.zero, now - place)
        if isPaused { pausedAt = now }
    }

    /// When a unit is presented that is due; `.distantFuture` while the presentation stands before it.
    func presentation(of due: LocalInstant) -> LocalInstant {
        guard due != .distantFuture else { return due }
        let instant = due + lag
        return instant < pausedAt ? instant : .distantFuture
    }

    /// When what is presented now was due.
    func due(at now: LocalInstant) -> LocalInstant { min(now, pausedAt) - lag }
}
