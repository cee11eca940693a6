import Timebase

/// A rate that changes at given times, constant between them; the last one lasts, or some of them begin again.
public struct RateTrace: Sendable {
    /// Begins of the pieces, the first 0, rising.
    private let begins: [Int64]
    /// bit/s, 0 allowed.
    private let rates: [UInt64]
    private let loop: Loop?

    /// The pieces from one on, over and over.
    private struct Loop: Sendable {
        let first: Int
        let begin: Int64
        let length: Int64
        /// Of one lap, in bit/s × ns; more than 0.
        let capacity: UInt128
    }

    /// - Parameters:
    ///   - pieces: the first at 0, each later than the one before it.
    ///   - period: the length of a lap, so that the last piece ends at that of `loopFrom` plus it; nil: the last rate
    ///     lasts.
    ///   - loopFrom: the piece that a lap begins with; those before it come once.
    /// - Returns: nil for other pieces, and for a period in which nothing can be sent.
    public init?(
        _ pieces: [(at: TimeSpan, rate: BitRate)], repeatingEvery period: TimeSpan? = nil, loopFrom: Int = 0
    ) {
        guard let first = pieces.first, let last = pieces.last, first.at == .zero,
            zip(pieces, pieces.dropFirst()).allSatisfy({ $0.at < $1.at })
        else { return nil }
        begins = pieces.map(\.at.nanoseconds)
        rates = pieces.map(\.rate.bitsPerSecond)
        guard let period else {
            loop = nil
            return
        }
        guard pieces.indices ~= loopFrom else { return nil }
        let begin = begins[loopFrom]
        let (end, overflow) = begin.addingReportingOverflow(period.nanoseconds)
        guard !overflow, end > last.at.nanoseconds else { return nil }
        var capacity: UInt128 = 0
        for index in loopFrom..<begins.count {
            let until = index + 1 < begins.count ? begins[index + 1] : end
            capacity += UInt128(rates[index]) * UInt128(until - begins[index])
        }
        guard capacity > 0 else { return nil }
        loop = Loop(first: loopFrom, begin: begin, length: period.nanoseconds, capacity: capacity)
    }

    /// Where the trace has come to an end: that of its first lap, or the last piece's beginning.
    public var span: TimeSpan { .nanoseconds(loop.map { $0.begin + $0.length } ?? begins[begins.count - 1]) }

    /// The mean rate from 0 to `end`, rounded to the nearest bit/s; with nil that of a lap, or up to the last piece's
    /// beginning (of a lone piece its own).
    public func meanRate(until end: TimeSpan? = nil) -> BitRate {
        if end == nil, let loop { return Self.mean(loop.capacity, loop.length) }
        let end = (end ?? span).nanoseconds
        return end > 0 ? Self.mean(capacity(until: end), end) : BitRate(bitsPerSecond: rates[0])
    }

    private static func mean(_ capacity: UInt128, _ length: Int64) -> BitRate {
        BitRate(bitsPerSecond: UInt64((capacity + UInt128(length) / 2) / UInt128(length)))
    }

    /// What can be sent from 0 on, in bit/s × ns.
    private func capacity(until end: Int64) -> UInt128 {
        let (last, base) = piece(at: end)
        var sum = loop.map { $0.capacity * UInt128(base / $0.length) } ?? 0
        for index in 0...last {
            let until = index == last ? end - base : begins[index + 1]
            sum += UInt128(rates[index]) * UInt128(until - begins[index])
        }
        return sum
    }

    /// When `bits` have been sent from `start` on, rounded up to a nanosecond; the distant future if never.
    ///
    /// - Parameter credit: what was sent before `start` of these bits, in bit/s × ns; afterwards what can be sent of the
    ///   next bits before the end. So a train of packets is rounded once, whatever the rate does meanwhile.
    /// - Complexity: O(pieces passed), those of whole laps left out.
    func end(of bits: UInt64, from start: Instant, credit: inout UInt128) -> Instant {
        let needed = UInt128(bits) * 1_000_000_000
        guard needed > credit else {
            credit -= needed
            return start
        }
        var rest = needed - credit
        var (index, base) = piece(at: start.nanoseconds)
        var now = start.nanoseconds
        while true {
            let rate = UInt128(rates[index])
            guard let next = end(of: index, base) else { break }
            let whole = rate * UInt128(next - now)
            if whole >= rest { break }
            rest -= whole
            now = next
            index += 1
            guard index == rates.count, let loop else { continue }
            index = loop.first
            // Whole laps at once: a short one may have to come very often.
            let laps = (rest - 1) / loop.capacity
            guard let further = Int64(exactly: (laps + 1) * UInt128(loop.length)), further <= .max - now else {
                return .distantFuture
            }
            rest -= laps * loop.capacity
            base += further
            now += further - loop.length
        }
        let rate = UInt128(rates[index])
        guard rate > 0 else { return .distantFuture }
        let span = (rest + rate - 1) / rate
        guard let nanoseconds = Int64(exactly: span), nanoseconds <= .max - max(0, now) else { return .distantFuture }
        credit = span * rate - rest
        return Instant(nanoseconds: now + nanoseconds)
    }

    /// Where a piece ends in the lap that begins `base` later than the first; nil: never, or after the end of time.
    private func end(of index: Int, _ base: Int64) -> Int64? {
        guard index + 1 == begins.count else { return base + begins[index + 1] }
        guard let loop else { return nil }
        let (end, overflow) = base.addingReportingOverflow(loop.begin + loop.length)
        return overflow ? nil : end
    }

    /// The piece at an instant, and how much later than the first its lap begins; what is before zero belongs to the
    /// first piece.
    private func piece(at instant: Int64) -> (index: Int, base: Int64) {
        let instant = max(0, instant)
        let base = loop.map { instant < $0.begin ? 0 : (instant - $0.begin) / $0.length * $0.length } ?? 0
        var (low, high) = (0, begins.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if begins[middle] <= instant - base { low = middle } else { high = middle }
        }
        return (low, base)
    }
}

extension RateTrace {
    /// The trace with another rate within intervals, 0 for an outage; behind them it goes on as if nothing had been.
    ///
    /// - Parameter intervals: the end of each not included, in any order; they may touch and overlap. One that ends at
    ///   the greatest time span there is never ends.
    /// - Returns: nil where this takes more than four million pieces, as laps are written out up to the last interval.
    public func overridden(in intervals: [Range<TimeSpan>], with rate: BitRate) -> RateTrace? {
        let overrides = Self.united(intervals)
        guard let last = overrides.last else { return self }
        let isEndless = last.upperBound == .max
        let horizon = isEndless ? last.lowerBound : last.upperBound
        let loop = loop.map {
            ($0, laps: max(0, (Int128(horizon - $0.begin) + Int128($0.length) - 1) / Int128($0.length)))
        }
        let size = Int128(begins.count) + (loop.map { $0.laps * Int128(begins.count - $0.0.first) } ?? 0)
        guard size + Int128(2 * overrides.count) <= 4_000_000 else { return nil }

        var times = begins + overrides.flatMap { [$0.lowerBound, $0.upperBound] }
        var loopBegin = Int64.max
        if let (loop, laps) = loop {
            guard let begin = Int64(exactly: Int128(loop.begin) + laps * Int128(loop.length)) else { return nil }
            for lap in 1..<max(1, Int64(laps)) { times += begins[loop.first...].map { $0 + lap * loop.length } }
            if !isEndless { loopBegin = begin }
        }
        var pieces: [(at: TimeSpan, rate: BitRate)] = []
        var next = 0
        for time in times.sorted() where time < loopBegin && time != .max && pieces.last?.at.nanoseconds != time {
            while next < overrides.count, overrides[next].upperBound <= time { next += 1 }
            let isOverridden = next < overrides.count && overrides[next].contains(time)
            if isEndless, time > horizon { break }
            pieces.append(
                (.nanoseconds(time), isOverridden ? rate : BitRate(bitsPerSecond: rates[piece(at: time).index])))
        }
        guard let loop = self.loop, !isEndless else { return RateTrace(pieces) }
        let prefix = pieces.count
        for index in loop.first..<begins.count {
            let (at, overflow) = begins[index].addingReportingOverflow(loopBegin - loop.begin)
            if overflow { return nil }
            pieces.append((.nanoseconds(at), BitRate(bitsPerSecond: rates[index])))
        }
        return RateTrace(pieces, repeatingEvery: .nanoseconds(loop.length), loopFrom: prefix)
    }

    /// Intervals from 0 on in their order, those that touch made one.
    static func united(_ intervals: [Range<TimeSpan>]) -> [Range<Int64>] {
        var united: [Range<Int64>] = []
        for interval in intervals.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            let (begin, end) = (max(0, interval.lowerBound.nanoseconds), interval.upperBound.nanoseconds)
            guard begin < end else { continue }
            if let last = united.last, begin <= last.upperBound {
                united[united.count - 1] = last.lowerBound..<max(last.upperBound, end)
            } else {
                united.append(begin..<end)
            }
        }
        return united
    }
}
