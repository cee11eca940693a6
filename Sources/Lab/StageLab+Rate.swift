import Results
import NetworkEmulation
import Scenario
import Timebase

extension StageLab {
    /// A link that is never idle: when each packet is through follows from the rate alone.
    mutating func rate(_ asked: ExperimentScenario.Link) {
        let bits = asked.overhead.wireBits(length)
        switch (asked.capacity, reference.capacity) {
        case (.unlimited, _): book.note("a rate where none was asked for")
        case (.shaper(let bucket), _):
            let held = Int128(bucket.burst) * 8
            guard held >= Int128(bits) else {
                return book.note("the shaper's bucket is too small for the program's packets: none gets through")
            }
            departures(bucket.rate, bits: bits, ahead: held, what: "rate behind the bucket")
        case (.constant(let rate), _): departures(rate, bits: bits, ahead: 0, what: "rate")
        case (.trace, .pieces(let trace)): laps(trace.span, bits: bits) { trace.meanRate(until: $0) }
        case (.trace, .opportunities(let trace, let bytes)):
            // A tunnel's four bytes are on every packet, unless a link layer says otherwise.
            let carried = asked.overhead == .none ? bits + 32 : bits
            let mean = trace.meanRate(opportunityBits: UInt64(bytes) * 8)
            laps(trace.period, bits: carried, slack: Double(bytes * 8)) { _ in mean }
        case (.trace, _): book.note("a trace that is none")
        }
    }

    /// The n-th packet is through when n packets' bits have been sent, rounded up to a nanosecond.
    ///
    /// - Parameter ahead: bits that may go at once.
    private mutating func departures(_ rate: BitRate, bits: UInt64, ahead: Int128, what: String) {
        let perSecond = Int128(rate.bitsPerSecond)
        var probe = probe
        var (wrong, count, last) = (0, 0, start)
        probe.saturate(from: start, packets: packets) { number, time in
            let sent = max(0, Int128(bits) * Int128(number + 1) - ahead) * 1_000_000_000
            let due = Int64((sent + perSecond - 1) / perSecond)
            wrong += time == start + .nanoseconds(due) ? 0 : 1
            count += 1
            last = time
            return false
        }
        book.exact(
            "packets not through at their nanosecond", .count, asked: 0, measured: Double(wrong + packets - count))
        let seconds = Double((last - start).nanoseconds) / 1e9
        guard seconds > 0 else { return }
        let all = Double(bits) * Double(count) - Double(ahead)
        // A nanosecond of the time and a bit of the rate.
        let asked = Double(rate.bitsPerSecond)
        book.add(what, .bitsPerSecond, asked: asked, measured: all / seconds, within: asked / seconds / 1e9, .exact)
    }

    /// Over whole laps of a trace, one at least, of which what was begun in the last one is left out.
    ///
    /// - Parameters:
    ///   - slack: bits of which it may not be known whose they are, besides those of a packet.
    ///   - mean: the rate that can be had from the beginning to a time.
    private mutating func laps(_ lap: TimeSpan, bits: UInt64, slack: Double = 0, mean: (TimeSpan) -> BitRate) {
        let whole = Double(packets) * Double(bits) / max(1, Double(mean(lap).bitsPerSecond)) * 1e9
        // A lone rate has no lap.
        let laps = lap == .zero ? 1 : max(1, Int64(whole / Double(lap.nanoseconds)))
        let span = lap == .zero ? .nanoseconds(Int64(whole)) : lap * laps
        var probe = probe
        var count = 0
        probe.saturate(from: start, packets: .max) { _, time in
            guard time <= start + span else { return true }
            count += 1
            return false
        }
        let seconds = Double(span.nanoseconds) / 1e9
        book.add(
            "mean rate over \(Format.time(span.nanoseconds))", .bitsPerSecond, asked: Double(mean(span).bitsPerSecond),
            measured: Double(count) * Double(bits) / seconds, within: (Double(bits) + slack) / seconds + 1, .exact)
    }
}
