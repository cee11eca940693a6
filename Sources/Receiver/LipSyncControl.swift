import Timebase

/// Keeps the sessions of one sender together by what its reports say of their captures (RFC 3550 §6.4.1): all are
/// presented as long after it as the one that comes latest.
///
/// What lags is not hurried: the others wait for it, and give up again what they waited too much. Each report moves a
/// session by at most a step, and not at all where it is off by no more than the deadband.
public struct LipSyncControl: Sendable, BitwiseCopyable {
    /// What is left alone.
    public var deadband: TimeSpan
    /// The most by which one report moves a session.
    public var longestStep: TimeSpan
    /// Whether a report is taken to tell of the instant at which it came, and not of the one that it names: as behind
    /// relays that write reports of their own. By as much as sessions then take longer on their way they seem to be
    /// captured later, and their difference stays.
    public var takesArrivals: Bool

    public init(deadband: TimeSpan, longestStep: TimeSpan, takesArrivals: Bool = false) {
        self.deadband = deadband
        self.longestStep = longestStep
        self.takesArrivals = takesArrivals
    }

    /// By how much a session is to be presented later from now on; negative: earlier.
    ///
    /// - Parameters:
    ///   - waiting: how much later than by its own playout it is presented now.
    ///   - delay: after the capture, as it is presented now.
    ///   - latest: the longest such delay of any session without what it waits for others.
    func change(waiting: TimeSpan, delay: TimeSpan, latest: TimeSpan) -> TimeSpan {
        let error = latest - delay
        guard error > deadband || error < -deadband else { return .zero }
        return max(-waiting, max(-longestStep, min(longestStep, error)))
    }
}
