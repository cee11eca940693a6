import Timebase

/// What a viewer tells a receiver to do with what it presents.
public enum PlaybackAction: Sendable, Hashable {
    /// Nothing is presented any more.
    case pause
    /// What is presented goes on where it stands.
    case play
    /// What is presented is another place of the program from now on, by its PTS: 90 kHz ticks modulo 2^33; of sessions of
    /// their own, by the first one's RTP timestamp.
    case seek(pts: UInt64)
}

/// Playback: what is presented lags behind what is due by the rebuilt clock for as long as it was held up, and never runs
/// ahead of it, because a live stream has no more.
extension ProgramReceiver {
    /// Does at once what a viewer asks for. What was received meanwhile is kept, so that ``PlaybackAction/play`` goes on
    /// where it stood, and later than before. A place that has not been due yet is the one that is due now, and one before
    /// the first unit kept is that unit's.
    mutating func apply(_ action: PlaybackAction, at now: LocalInstant) {
        switch action {
        case .pause: playback.pause(at: now)
        case .play: playback.play(at: now)
        case .seek(let pts): seek(pts, at: now)
        }
        rearm()
    }

    private mutating func seek(_ pts: UInt64, at now: LocalInstant) {
        // Before the first clock reference nothing has come that one could go to.
        guard let clock else { return }
        let wanted = due(reference.nearest(pts), clock)
        let place = max(wanted, presenters.compactMap(\.firstDue).min() ?? wanted)
        playback.go(to: place, at: now)
        for lane in presenters.indices { presenters[lane].seek(now - playback.lag) }
    }

    /// Where playback stands, on the scale of the stream's clock references; nil before the first of these.
    func position(at now: LocalInstant) -> TimeSpan? {
        guard let clock else { return nil }
        let elapsed = playback.due(at: now) - clock.local - shift
        return MediaClock.span(ticks: clock.ticks, rate: MediaClock.system) + elapsed
    }

    /// Whether a viewer has stopped the presentation.
    var isPaused: Bool { playback.isPaused }
}
