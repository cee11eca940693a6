import Results
import NetworkEmulation
import Scenario
import Timebase

// What happens to a packet or does not.
extension StageLab {
    mutating func corruption(_ asked: Double) {
        var probe = probe
        let bits = probe.packet(0, at: start).payloadCount * 8
        var (damaged, firstHalf) = (0, 0)
        for number in 0..<packets {
            guard let bit = probe.changedBit(number, at: start) else { continue }
            damaged += 1
            if bit < bits / 2 { firstHalf += 1 }
        }
        book.share("packets damaged", asked: asked, of: packets, hits: damaged)
        if damaged > 0 { book.share("bits in a packet's first half", asked: 0.5, of: damaged, hits: firstHalf) }
    }

    mutating func duplication(_ asked: Double) {
        var probe = probe
        var (copies, originals) = (0, 0)
        for number in 0..<packets {
            _ = probe.handle(probe.packet(number, at: start), at: start)
            probe.advance(to: start) { if $0.copy == 0 { originals += 1 } else { copies += 1 } }
        }
        book.share("packets copied", asked: asked, of: packets, hits: copies)
        book.exact("packets through", .count, asked: Double(packets), measured: Double(originals))
    }

    // MARK: Policer

    /// Offered twice its rate: what conforms is the bucket and what comes into it.
    mutating func policer(_ asked: ExperimentScenario.TokenBucket?, _ overhead: ExperimentScenario.Link.Overhead) {
        guard let asked else { return book.note("a policer where none was asked for") }
        let bits = overhead.wireBits(length)
        let rate = Int128(asked.rate.bitsPerSecond)
        let spacing = max(1, (Int128(bits) * 500_000_000 + rate - 1) / rate)
        // In bits × 10^9, as nanoseconds bring them.
        let (need, capacity) = (Int128(bits) * 1_000_000_000, Int128(asked.burst) * 8_000_000_000)
        var probe = probe
        var (level, passed, wrong) = (capacity, 0, 0)
        for number in 0..<packets {
            let now = start + .nanoseconds(Int64(spacing) * Int64(number))
            let isThrough = probe.handle(probe.packet(number, at: now), at: now) == .accepted
            probe.advance(to: now) { _ in }
            if number > 0 { level = min(capacity, level + rate * spacing) }
            let conforms = level >= need
            if conforms { level -= need }
            passed += isThrough ? 1 : 0
            wrong += conforms == isThrough ? 0 : 1
        }
        let whole = Double(capacity + rate * spacing * Int128(packets - 1)) / Double(need)
        let share = capacity < need ? 0 : min(1, whole / Double(packets))
        // A bucket of one packet is full for the rounding of the spacing.
        let slack = 2 / Double(packets) + 2 * Double(rate) / Double(need)
        book.add(
            "packets let through at twice the rate", .ratio, asked: share, measured: Double(passed) / Double(packets),
            within: capacity < need ? 0 : slack, .exact)
        book.exact("packets that a bucket would judge otherwise", .count, asked: 0, measured: Double(wrong))
    }

    // MARK: Outages

    mutating func outages(_ asked: [Range<Instant>]) {
        for outage in asked.prefix(10) {
            book.since = outage.lowerBound - .zero
            let span = (outage.upperBound - outage.lowerBound).nanoseconds
            var probe = probe
            var (first, next): (Instant?, Instant?)
            var entered = 0
            // A thousand within, and right at and before both ends.
            let inside = (0..<1_000).map { outage.lowerBound + .nanoseconds(span / 1_000 * $0) }
            let ends = [outage.upperBound - .nanoseconds(1), outage.upperBound]
            let before = outage.lowerBound > .zero ? [outage.lowerBound - .nanoseconds(1)] : []
            for (number, now) in (before + inside + ends).enumerated() {
                let isDown = probe.handle(probe.packet(number, at: now), at: now) == .down
                if outage.contains(now), !isDown { entered += 1 }
                if isDown, first == nil { first = now }
                if !isDown, first != nil, next == nil { next = now }
            }
            book.exact("packets that enter", .count, asked: 0, measured: Double(entered))
            let length = first.flatMap { first in next.map { ($0 - first).nanoseconds } } ?? 0
            book.exact("length", .nanoseconds, asked: Double(span), measured: Double(length))
            if configuration.rate != nil, outage.lowerBound > .zero { sending(outage) }
        }
        book.since = nil
    }

    /// What waits when the outage begins is not sent before its end.
    private mutating func sending(_ outage: Range<Instant>) {
        var probe = probe
        let before = outage.lowerBound - .nanoseconds(1)
        for number in 0..<4 { _ = probe.handle(probe.packet(number, at: before), at: before) }
        var sent = 0
        probe.finish { if $0.time > outage.lowerBound, $0.time < outage.upperBound { sent += 1 } }
        book.exact("packets sent", .count, asked: 0, measured: Double(sent))
    }
}

extension ExperimentScenario.Link.Overhead {
    /// Bits on the wire of an IP packet.
    func wireBits(_ length: UInt16) -> UInt64 {
        switch self {
        case .none: UInt64(length) * 8
        case .ethernet: (UInt64(length) + 38) * 8
        case .atm: (UInt64(length) + 47) / 48 * 53 * 8
        }
    }
}
