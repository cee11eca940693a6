import Timebase

/// A phase-locked loop of second order: after a while its phase error is zero however fast the clock is.
///
/// Natural frequency 0.01 Hz, damping 1/√2 (both our choice: a loop this slow lets 5 % of the deviation of independent
/// delays through at 25 datagrams a second, and is at most 0.8 ms behind when it locks to 100 ppm).
struct PhaseLockedLoop: Sendable, BitwiseCopyable {
    /// Its output, nanoseconds.
    private var phase = 0.0
    /// Nanoseconds a second.
    private var frequency = 0.0
    private var latest: LocalInstant?

    /// ωₙ, radians a second.
    private static let natural = 2 * 3.141_592_653_589_793 * 0.01
    /// 2ζ
    private static let damping = 1.414_213_562_373_095
    /// Seconds after which it takes no more of a step at once: what stood still is not made up for in one go.
    private static let longest = 1.0

    /// Takes a phase, at its arrival.
    ///
    /// - Returns: the loop's phase.
    mutating func add(_ delta: TimeSpan, at now: LocalInstant) -> TimeSpan {
        let elapsed = latest.map { Double((now - $0).nanoseconds) * 1e-9 } ?? 0
        latest = max(now, latest ?? now)
        phase += frequency * elapsed
        let step = min(elapsed, Self.longest)
        let error = Double(delta.nanoseconds) - phase
        phase += error * Self.damping * Self.natural * step
        frequency += error * Self.natural * Self.natural * step
        return .nanoseconds(Int64(phase.rounded(.toNearestOrAwayFromZero)))
    }
}
