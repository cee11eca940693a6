import Timebase

/// From offsets to phase and frequency: a loop that locks to phase, or to frequency at long poll intervals, and that
/// chooses the interval (RFC 5905 §11.3, §12). In seconds.
///
/// Where the RFC's text, its code and ntpd have different constants, these are used: time constant 16 poll intervals
/// (text, ntpd), AVG 8 (text), Allan intercept 2048 s (ntpd), hysteresis ± τ and 2 τ at 30 (code), gain of the frequency
/// lock 1 / max(18 − τ, AVG) (code).
struct ClockDiscipline: Sendable {
    enum State: Sendable {
        /// NSET: no frequency, and no time.
        case unset
        /// FREQ: the time was set, and the frequency is being measured. DEVIATION: the RFC leaves the clock alone
        /// meanwhile, as it measures by it; here the oscillator is what is measured, so that what has been found can be
        /// used at once.
        case measuring
        /// SYNC
        case synchronized
        /// SPIK: an offset over the step limit has come.
        case spike
    }

    /// What an update comes to.
    enum Verdict: Sendable {
        case ignore
        /// Over the panic limit.
        case panic
        /// Make up for the offset at once, as policy says.
        case correct
        /// Make up for it little by little: ``residual`` is set.
        case amortize
    }

    /// Where the servers' clock was against the oscillator.
    private struct Mark {
        var offset: TimeSpan
        var at: FreeInstant
    }

    /// STEPT, nil: no offset is a spike; how long one must last; PANICT.
    let limits: (step: Double?, stepout: TimeSpan, panic: Double?)
    let polls: ClosedRange<Int8>
    /// The largest frequency correction, a number.
    let maximumFrequency: Double

    private(set) var state = State.unset
    /// What the disciplined clock is to gain on the oscillator; nil before that is known.
    private(set) var frequency: Double?
    /// What is left of the latest offset to be amortized.
    private(set) var residual = 0.0
    /// τ: log2 of the poll interval and, times 16, of the loop's time constant.
    private(set) var poll: Int8
    private(set) var jitter = OnWireProtocol.resolution.seconds
    private var count = 0
    private var latest: (offset: Double, at: FreeInstant)?
    /// Where measuring began, or the first offset of a spike.
    private var mark: Mark?
    /// Whether measuring has just begun anew because a clock seemed to have jumped.
    private var hasRestarted = false

    /// PLL: the time constant in poll intervals.
    private static let timeConstant = 16.0
    private static let average = 8.0
    /// The longest time since the last update that counts, seconds.
    private static let longestUpdate = 2_048.0
    /// STEPT, where policy steps nothing.
    private static let jump = 0.128
    private static let allanIntercept: Int8 = 11
    /// PGATE and LIMIT of the poll interval's hysteresis.
    private static let pollGate = 4.0
    private static let pollLimit = 30

    init(
        limits: (step: Double?, stepout: TimeSpan, panic: Double?), polls: ClosedRange<Int8>, maximumFrequency: Double
    ) {
        self.limits = limits
        self.polls = polls
        self.maximumFrequency = maximumFrequency
        poll = polls.lowerBound
    }

    /// 2^τ seconds.
    static func interval(_ exponent: Int8) -> TimeSpan {
        exponent < 0 ? .nanoseconds(1_000_000_000 >> -Int64(exponent)) : .seconds(1 << Int64(exponent))
    }

    /// Takes an offset.
    ///
    /// - Parameters:
    ///   - offset: by how much the clock is slow, what a slew under way has still to bring included.
    ///   - servers: the servers' clock minus the oscillator.
    ///   - at: when it was measured, by the oscillator.
    mutating func update(offset: Double, servers: TimeSpan, at: FreeInstant) -> Verdict {
        if let panic = limits.panic, abs(offset) > panic { return .panic }
        let elapsed = latest.map { (at - $0.at).seconds } ?? 0
        switch state {
        case .unset:
            state = .measuring
            mark = Mark(offset: servers, at: at)
            set(offset: 0, at: at)
            return .correct
        case .measuring:
            // Over less than a poll interval noise would make a frequency of its own.
            guard let mark, at - mark.at >= Self.interval(polls.lowerBound) else { return .ignore }
            let measured = (servers - mark.offset).seconds / (at - mark.at).seconds
            if !hasRestarted, hasJumped(offset: offset, elapsed: elapsed, measured: measured) {
                hasRestarted = true
                self.mark = Mark(offset: servers, at: at)
                set(offset: 0, at: at)
                return .correct
            }
            hasRestarted = false
            frequency = held(measured)
            if at - mark.at >= limits.stepout { state = .synchronized }
            set(offset: 0, at: at)
            return .correct
        case .synchronized, .spike:
            if let step = limits.step, abs(offset) > step {
                return spike(servers: servers, at: at, elapsed: elapsed)
            }
            follow(offset: offset, elapsed: elapsed)
            state = .synchronized
            set(offset: offset, at: at)
            adaptPoll(offset)
            return .amortize
        }
    }

    /// Whether, while the frequency is measured, something has moved that no oscillator could have: a frequency that cannot
    /// be, or, once there is one, an offset over the step limit that came faster than any may gain.
    private func hasJumped(offset: Double, elapsed: Double, measured: Double) -> Bool {
        if frequency == nil { return abs(measured) > maximumFrequency }
        return abs(offset) > limits.step ?? Self.jump && abs(offset) > maximumFrequency * elapsed
    }

    /// An offset over the step limit: it is made up for once it has lasted.
    ///
    /// DEVIATION: the RFC keeps the frequency. But offsets that went on growing all the time say that it was wrong, and would
    /// bring the next spike.
    private mutating func spike(servers: TimeSpan, at: FreeInstant, elapsed: Double) -> Verdict {
        if state == .synchronized {
            state = .spike
            mark = Mark(offset: servers, at: at)
            return .ignore
        }
        guard elapsed >= limits.stepout.seconds else { return .ignore }
        if let mark, at > mark.at, let known = frequency {
            let measured = (servers - mark.offset).seconds / (at - mark.at).seconds
            let change = (measured - known) * (at - mark.at).seconds
            if abs(change) > Self.pollGate * jitter { frequency = held(measured) }
        }
        state = .synchronized
        (count, poll) = (0, polls.lowerBound)
        set(offset: 0, at: at)
        return .correct
    }

    private mutating func set(offset: Double, at: FreeInstant) {
        latest = (offset, at)
        residual = offset
    }

    /// Jitter, and frequency by phase lock and, at long intervals, by frequency lock.
    private mutating func follow(offset: Double, elapsed: Double) {
        let change = max(abs(offset - (latest?.offset ?? 0)), OnWireProtocol.resolution.seconds)
        jitter = (jitter * jitter + (change * change - jitter * jitter) / Self.average).squareRoot()
        let interval = Self.interval(poll).seconds
        var gain = 0.0
        if poll >= Self.allanIntercept {
            gain += (offset - residual) / (max(interval, elapsed) * max(18 - Double(poll), Self.average))
        }
        let constant = 4 * Self.timeConstant * interval
        gain += offset * min(elapsed, Self.longestUpdate) / (constant * constant)
        frequency = held((frequency ?? 0) + gain)
    }

    private func held(_ frequency: Double) -> Double { min(max(frequency, -maximumFrequency), maximumFrequency) }

    /// A longer interval while offsets are lost in the jitter, a shorter one when they stand out.
    private mutating func adaptPoll(_ offset: Double) {
        let weight = max(1, Int(abs(poll)))
        if abs(offset) < Self.pollGate * jitter {
            count += weight
            guard count > Self.pollLimit else { return }
            count = Self.pollLimit
            if poll < polls.upperBound { (count, poll) = (0, poll + 1) }
        } else {
            count -= 2 * weight
            guard count < -Self.pollLimit else { return }
            count = -Self.pollLimit
            if poll > polls.lowerBound { (count, poll) = (0, poll - 1) }
        }
    }

    /// How often ``amortize()`` wants to be called: a sixteenth of the poll interval, a second at least where that is
    /// less than the interval.
    var tick: TimeSpan { poll >= 4 ? Self.interval(poll - 4) : Self.interval(min(poll, 0)) }

    /// What the next tick makes up for, in whole nanoseconds: the residual falls to 1/e in 16 poll intervals.
    mutating func amortize() -> TimeSpan {
        let share = residual * tick.seconds / (Self.timeConstant * Self.interval(poll).seconds)
        let amount = TimeSpan.nanoseconds(Int64(share * 1e9))
        residual -= amount.seconds
        return amount
    }
}
