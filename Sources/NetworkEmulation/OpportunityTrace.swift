import Timebase

/// Times at which a link can deliver, one opportunity of fixed size each: Mahimahi's traces.
///
/// At an opportunity the packet under way goes on, and behind it the next ones, until the opportunity is used up; what
/// is left when nothing waits is lost. A packet that comes at an opportunity's very instant misses it. Behind the last
/// line the trace begins again, the last line's time being the period.
public struct OpportunityTrace: Sendable {
    /// Milliseconds from the beginning, never falling, the last more than 0: the period.
    let milliseconds: [Int64]
    /// In nanoseconds, rising, apart from each other.
    private(set) var outages: [Range<Int64>] = []

    /// Reads a trace: one whole number of milliseconds a line, and nothing else.
    public init(mahimahi bytes: [UInt8]) throws(TraceProblem) {
        let greatest: Int64 = 1_000_000_000_000
        var times: [Int64] = []
        for (line, text) in TraceLines(bytes) {
            guard !text.isEmpty, text.allSatisfy({ 0x30...0x39 ~= $0 }),
                let time = ExactDecimal(field: text)?.rounded(times: 1), time <= greatest
            else { throw TraceProblem(line: line, text, expected: "whole milliseconds from 0 to \(greatest)") }
            guard time >= times.last ?? 0 else {
                throw TraceProblem(line: line, text, expected: "a time not below the line above's")
            }
            times.append(time)
        }
        guard let last = times.last else {
            throw TraceProblem(line: nil, expected: "at least one line of whole milliseconds")
        }
        // The last time is the period.
        guard last > 0 else { throw TraceProblem(line: times.count, expected: "a last time above 0, the period") }
        milliseconds = times
    }

    /// The length of a lap.
    public var period: TimeSpan { .milliseconds(milliseconds[milliseconds.count - 1]) }

    /// What all opportunities of a lap carry in the mean, of so many bits each.
    public func meanRate(opportunityBits: UInt64) -> BitRate {
        let period = UInt64(milliseconds[milliseconds.count - 1])
        return BitRate(bitsPerSecond: UInt64(milliseconds.count) * opportunityBits * 1_000 / period)
    }

    /// The trace without its opportunities within intervals: one at an interval's beginning is left out, one at its end
    /// is there. The others stay where they are.
    public func without(_ intervals: [Range<TimeSpan>]) -> OpportunityTrace {
        var trace = self
        let known = outages.map { TimeSpan.nanoseconds($0.lowerBound)..<TimeSpan.nanoseconds($0.upperBound) }
        trace.outages = RateTrace.united(known + intervals)
        return trace
    }
}

/// Walks through the opportunities of a trace, lap after lap.
struct OpportunityCursor: Sendable {
    private let trace: OpportunityTrace
    private var index = 0
    private var base: Int64 = 0
    /// Of the outages, the first that is not over.
    private var outage = 0
    private let end: Int64 = .max / 1_000_000

    init(_ trace: OpportunityTrace) {
        self.trace = trace
        leaveOutage()
    }

    /// The next opportunity not yet taken; the distant future when an outage never ends.
    var next: Instant {
        let time = base + trace.milliseconds[index]
        return time > end ? .distantFuture : Instant(nanoseconds: time * 1_000_000)
    }

    mutating func take() {
        step()
        leaveOutage()
    }

    /// Leaves those up to and with `now` unused.
    mutating func skip(until now: Instant) {
        leave(before: now + .nanoseconds(1))
        leaveOutage()
    }

    private mutating func step() {
        index += 1
        guard index == trace.milliseconds.count else { return }
        base += trace.milliseconds[index - 1]
        index = 0
    }

    private mutating func leaveOutage() {
        while outage < trace.outages.count {
            let interval = trace.outages[outage]
            guard next.nanoseconds >= interval.lowerBound else { return }
            leave(before: Instant(nanoseconds: interval.upperBound))
            outage += 1
        }
    }

    private mutating func leave(before instant: Instant) {
        guard next < instant else { return }
        let period = trace.milliseconds[trace.milliseconds.count - 1]
        let lap = instant.nanoseconds / 1_000_000 / period * period
        if lap - period > base { (base, index) = (lap - period, 0) }
        while next < instant { step() }
    }
}
