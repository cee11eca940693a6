import Timebase

/// What a node's oscillator shows, up to a constant, as an agent can know it that makes all adjustments of the node's
/// clock: free of them all.
struct FreeInstant: Comparable, Sendable, BitwiseCopyable {
    var nanoseconds: Int64

    static func < (a: FreeInstant, b: FreeInstant) -> Bool { a.nanoseconds < b.nanoseconds }
    static func + (a: FreeInstant, b: TimeSpan) -> FreeInstant {
        FreeInstant(nanoseconds: a.nanoseconds + b.nanoseconds)
    }
    static func - (a: FreeInstant, b: FreeInstant) -> TimeSpan { .nanoseconds(a.nanoseconds - b.nanoseconds) }
}

/// A node's disciplined clock in the eyes of the one agent that steers it, and what that agent wants done.
///
/// An agent is told disciplined time, which its own adjustments move. Because it knows them all it can tell what the
/// oscillator shows, and keep what it has measured against that: samples so kept stay true through steps, slews and
/// changes of frequency. (Correcting all samples at each adjustment, as daemons do, comes to the same.)
struct SteeredClock: Sendable {
    /// The same adjustments on a clock whose "true time" is the free-running one.
    private var model = LocalClock(Oscillator())
    /// What is claimed beyond what a slew has still to make up for, and since when.
    private var claimed: (claim: ClockClaim, since: FreeInstant)?
    /// When a slew is through whose rest is part of the latest claim.
    private(set) var nextTimeout = LocalInstant.distantFuture
    private var isStopped = false
    private var outputs: [AgentOutput] = []

    /// The sum of all steps.
    private(set) var stepped = TimeSpan.zero
    /// What the disciplined clock showed after the latest adjustment.
    private var adjusted = LocalInstant(nanoseconds: .min)

    /// What the oscillator shows when the disciplined clock shows `local`.
    func free(at local: LocalInstant) -> FreeInstant { FreeInstant(nanoseconds: instant(showing: local).nanoseconds) }

    /// The same as the model's time. Before the latest adjustment lies only what shows after somebody else has put the
    /// clock back: from there on time is taken to run as the clock does.
    private func instant(showing local: LocalInstant) -> Instant {
        local >= adjusted ? model.instant(showing: local) : model.instant(showing: adjusted) - (adjusted - local)
    }

    /// Disciplined reading minus the oscillator's.
    func gain(at instant: FreeInstant) -> TimeSpan { model.error(at: Instant(nanoseconds: instant.nanoseconds)) }

    /// What the disciplined clock gains on the oscillator but for slews, parts per 10^12.
    var frequency: Int64 { model.frequency }

    /// What a slew under way has still to make up for.
    func slewLeft(at now: LocalInstant) -> TimeSpan { model.slewLeft(at: instant(showing: now)) }

    /// - Returns: what the clock shows then; only a step makes that another time than `now`.
    @discardableResult
    mutating func adjust(_ adjustment: ClockAdjustment, at now: LocalInstant) -> LocalInstant {
        let instant = instant(showing: now)
        model.adjust(adjustment, at: instant)
        outputs.append(.adjust(adjustment))
        if case .step(let amount) = adjustment {
            stepped += amount
            if nextTimeout != .distantFuture { nextTimeout = nextTimeout + amount }
        }
        adjusted = model.reading(at: instant)
        return adjusted
    }

    mutating func send(_ bytes: [UInt8], flow: Int) { outputs.append(.send(bytes, flow: flow)) }

    mutating func tell(_ exchange: ClockExchange) { outputs.append(.tell(.exchange(exchange))) }

    mutating func pollOutput() -> AgentOutput? { outputs.isEmpty ? nil : outputs.removeFirst() }

    /// Claims that the clock, once a slew under way is through, is as good as `claim` says.
    ///
    /// What the slew has to make up for is added now, and taken out again at ``nextTimeout``.
    mutating func claim(_ claim: ClockClaim, at now: LocalInstant) {
        let left = slewLeft(at: now)
        var present = claim
        present.bound = claim.bound.map { $0 + .nanoseconds(abs(left.nanoseconds)) }
        outputs.append(.tell(.claim(present)))
        claimed = (claim, free(at: now))
        let isDone = left == .zero || claim.bound == nil || isStopped
        nextTimeout = isDone ? .distantFuture : end(ofSlew: left, at: now)
    }

    /// Nothing is claimed any more when a slew is through, which could take days.
    mutating func stop() {
        isStopped = true
        nextTimeout = .distantFuture
    }

    /// Claims what a slew has brought, once it is through; else does nothing.
    mutating func handleTimeout(at now: LocalInstant) {
        guard nextTimeout <= now, let claimed else { return }
        let left = slewLeft(at: now)
        guard left == .zero else { return nextTimeout = end(ofSlew: left, at: now) }
        nextTimeout = .distantFuture
        var claim = claimed.claim
        let elapsed = free(at: now) - claimed.since
        claim.bound = claim.bound.map { $0 + elapsed.scaled(partsPerBillion: claim.growth) }
        outputs.append(.tell(.claim(claim)))
    }

    private func end(ofSlew left: TimeSpan, at now: LocalInstant) -> LocalInstant {
        let instant = instant(showing: now) + model.slewTime(left)
        return max(model.reading(at: instant), now + .nanoseconds(1))
    }
}

extension TimeSpan {
    /// So many parts per 10^9 of a span that is not negative, rounded up.
    func scaled(partsPerBillion parts: Int64) -> TimeSpan {
        .nanoseconds(nanoseconds.scaled(by: parts, over: 1_000_000_000, .up))
    }

    /// In seconds; exact below 104 days.
    var seconds: Double { Double(nanoseconds) / 1e9 }

    /// The nearest whole nanoseconds to so many seconds, held to ±146 years.
    init(seconds: Double) {
        let nanoseconds = (seconds * 1e9).rounded(.toNearestOrAwayFromZero)
        self = .nanoseconds(Int64(min(max(nanoseconds, -0x1p62), 0x1p62)))
    }
}
