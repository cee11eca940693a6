import Metrics
import Timebase
import Wire

/// Measures a stream in parts: a new one begins with another clock rate, where the stream began anew, where the
/// capture's clock was set back, and where timestamps jump in a way that time does not explain.
///
/// A delay that grows at once may be a network that stood still, of which the packets behind catch up, or timestamps
/// that stood still, of which they do not: so what follows is looked at before it is decided. Nothing arrives much
/// earlier than the earliest so far.
struct TimelineParts {
    /// Why a part began, apart from clock rates.
    enum Reason {
        case jump, restart, clockSetBack
    }

    private struct Suspect {
        var entry: RTPTimeline.Entry
        var delay: Int64
    }

    private(set) var timing = StreamTiming()
    private let replay: PlayoutReplay?
    private var replayed: ReplayMeasurements?
    private var start: Instant?
    // Of the part under way.
    private var firstNumber: Int64 = .min
    private var highest: Int64 = .min
    private var leastDelay: Int64 = .max
    private var lastDelay: Int64 = 0
    private var lastInstant = Instant.zero
    private var placedInstant = Instant.zero
    /// Packets since the delay grew or fell at once.
    private var suspects: [Suspect] = []
    /// The least delay of those behind the first, that advance; nil without any.
    private var leastSince: Int64?
    /// What a decision has left to be taken again, the next last.
    private var again: [RTPTimeline.Entry] = []

    /// How often a part began, by reason, with where and by how much first.
    private(set) var jumps: [(reason: Reason, after: TimeSpan, by: TimeSpan)] = []
    private(set) var jumpCount = 0
    /// Single packets with timestamps that nothing around them has.
    private(set) var strays: Int64 = 0

    /// What delays that grow or fall by less at once are measured as. Pauses between words, of senders that let their
    /// timestamps stand still, are shorter, and delays that grow by as much at once are usually the network's.
    static let step: Int64 = 1_000_000_000
    static let leastStepBack: Int64 = 100_000_000
    /// Packets that are looked at before a decision at most.
    private static let mostSuspects = 1024

    init(replay: PlayoutReplay?) { self.replay = replay }

    mutating func add(_ entry: RTPTimeline.Entry, clockRate: UInt32) {
        take(entry, clockRate)
        if !again.isEmpty { takeAgain() }
    }

    private mutating func takeAgain() {
        guard let clockRate = timing.clockRate else { return }
        while let next = again.popLast() { take(next, clockRate) }
    }

    @inline(__always)
    private mutating func take(_ entry: RTPTimeline.Entry, _ clockRate: UInt32) {
        let arrival = entry.arrival
        if clockRate != timing.clockRate || entry.beginsPart
            || arrival.instant.nanoseconds < lastInstant.nanoseconds &- Self.leastStepBack
        {
            return beginForced(entry, clockRate)
        }
        lastInstant = arrival.instant
        let delay = timing.delay(arrival.instant, arrival.timestamp)
        if !suspects.isEmpty { return suspect(entry, delay) }
        guard arrival.number > highest else {
            // Late, or a copy; of a part that is over it says nothing.
            if arrival.number >= firstNumber || delay.magnitude < Self.step { measure(arrival, delay) }
            return
        }
        if delay &- lastDelay > Self.step || delay < leastDelay &- Self.step { return suspect(entry, delay) }
        place(arrival, delay)
    }

    @inline(__always)
    private mutating func place(_ arrival: StreamTiming.Arrival, _ delay: Int64) {
        highest = arrival.number
        placedInstant = arrival.instant
        lastDelay = delay
        if delay < leastDelay { leastDelay = delay }
        measure(arrival, delay)
    }

    @inline(__always)
    private mutating func measure(_ arrival: StreamTiming.Arrival, _ delay: Int64) {
        timing.add(arrival, delay: delay)
        if let replay, let rate = timing.clockRate {
            replay.add(number: arrival.number, ticks: arrival.timestamp, clockRate: rate, at: arrival.instant)
        }
    }

    mutating func finish() {
        settle()
        timing.finish()
        replayed = replay?.finish()
    }

    /// What a receiver would have made of it; nil when nobody asks, or none could.
    var playout: ReplayMeasurements? { replayed }
    var hasReplay: Bool { replay != nil }
}

// MARK: - Where a part begins

extension TimelineParts {
    @inline(never)
    private mutating func beginForced(_ entry: RTPTimeline.Entry, _ clockRate: UInt32) {
        settle()
        let back = lastInstant - entry.arrival.instant
        if start == nil {
            start = entry.arrival.instant
        } else if back.nanoseconds > Self.leastStepBack {
            // What the timestamps say has passed meanwhile; of others nobody knows.
            let growth = timing.delay(entry.arrival.instant, entry.arrival.timestamp) - lastDelay
            let isPlausible = abs(-growth - back.nanoseconds) < Self.step && clockRate == timing.clockRate
            noteJump(.clockSetBack, at: lastInstant, isPlausible ? .nanoseconds(-growth) : back)
        } else if entry.beginsPart {
            noteJump(.restart, at: entry.arrival.instant, .zero)
        }
        begin(entry, clockRate)
    }

    private mutating func begin(_ entry: RTPTimeline.Entry, _ clockRate: UInt32) {
        if timing.parts > 0 { replay?.beginPart() }
        timing.begin(clockRate: clockRate)
        firstNumber = timing.parts > 1 ? entry.arrival.number : .min
        leastDelay = .max
        lastInstant = entry.arrival.instant
        place(entry.arrival, 0)
    }

    /// - Parameter instant: of the first packet behind it; where the capture's clock was set back, of the last before it.
    private mutating func noteJump(_ reason: Reason, at instant: Instant, _ span: TimeSpan) {
        if reason == .jump { jumpCount += 1 }
        guard jumps.count < 64 else { return }
        jumps.append((reason, instant - (start ?? instant), span))
    }

    /// Takes a packet while it is not clear what has happened.
    @inline(never)
    private mutating func suspect(_ entry: RTPTimeline.Entry, _ delay: Int64) {
        let isFirst = suspects.isEmpty
        suspects.append(Suspect(entry: entry, delay: delay))
        guard !isFirst, entry.arrival.number > suspects[0].entry.arrival.number else { return }
        leastSince = min(leastSince ?? delay, delay)
        if let verdict = verdict(latest: delay) { decide(verdict) }
    }

    private enum Verdict {
        /// A network that stood still and catches up, a jump for good, or a single timestamp that means nothing.
        case stall, jump, stray
    }

    /// What has happened, with the latest packet's delay; nil while it is not clear.
    private func verdict(latest: Int64) -> Verdict? {
        guard let first = suspects.first, let last = suspects.last, let leastSince else { return nil }
        let growth = first.delay - lastDelay
        if growth < 0 {
            // Earlier than anything: back where it was, or for good.
            return latest < leastDelay - Self.step ? .jump : .stray
        }
        if isImpossible(first, growth) { return latest - lastDelay < Self.step ? .stray : .jump }
        let recovered = first.delay - leastSince
        if recovered >= growth / 4 { return .stall }
        let span = last.entry.arrival.instant - first.entry.arrival.instant
        if span >= .seconds(1), recovered < noise { return .jump }
        guard span >= .seconds(10) || suspects.count >= Self.mostSuspects else { return nil }
        return recovered >= growth / 10 ? .stall : .jump
    }

    /// Timestamps that go back by more than a decoder's reordering are no delay: a packet can have waited for no longer
    /// than the one before it is gone.
    private func isImpossible(_ first: Suspect, _ growth: Int64) -> Bool {
        growth > (first.entry.arrival.instant - placedInstant).nanoseconds + Self.step
    }

    /// What delays vary by anyway.
    private var noise: Int64 { max(30_000_000, 4 * Int64(clamping: timing.interarrivalJitter ?? 0)) }

    private mutating func decide(_ verdict: Verdict) {
        let held = suspects
        suspects = []
        leastSince = nil
        guard let first = held.first, let clockRate = timing.clockRate else { return }
        switch verdict {
        case .stall: place(first.entry.arrival, first.delay)
        case .stray: strays += 1
        case .jump:
            noteJump(.jump, at: first.entry.arrival.instant, .nanoseconds(lastDelay - first.delay))
            begin(first.entry, clockRate)
        }
        again += held.dropFirst().reversed().map(\.entry)
    }

    /// Decides what is open with what there is.
    private mutating func settle() {
        while let first = suspects.first {
            let growth = first.delay - lastDelay
            let isNoDelay = growth < 0 || isImpossible(first, growth)
            if let leastSince {
                let recovered = first.delay - leastSince
                decide(!isNoDelay && recovered >= max(noise, growth / 10) ? .stall : .jump)
            } else {
                decide(isNoDelay ? .stray : .stall)
            }
            takeAgain()
        }
    }
}
