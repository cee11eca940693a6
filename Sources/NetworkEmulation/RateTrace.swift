import Timebase

/// A rate that changes at given times, constant between them; with or without a period.
public struct RateTrace: Sendable {
    /// Begins of the pieces, the first 0, rising.
    private let begins: [Int64]
    /// bit/s, 0 allowed.
    private let rates: [UInt64]
    /// When the first piece begins again; nil: the last one lasts.
    private let period: Int64?

    /// - Parameters:
    ///   - pieces: the first at 0, each later than the one before it.
    ///   - period: later than the last piece's beginning; nil: the last rate lasts.
    /// - Returns: nil for other pieces, and for a period in which nothing can be sent.
    public init?(_ pieces: [(at: TimeSpan, rate: BitRate)], repeatingEvery period: TimeSpan? = nil) {
        guard let first = pieces.first, first.at == .zero,
            zip(pieces, pieces.dropFirst()).allSatisfy({ $0.at < $1.at })
        else { return nil }
        if let period {
            guard pieces[pieces.count - 1].at < period, pieces.contains(where: { $0.rate.bitsPerSecond > 0 }) else {
                return nil
            }
        }
        begins = pieces.map(\.at.nanoseconds)
        rates = pieces.map(\.rate.bitsPerSecond)
        self.period = period?.nanoseconds
    }

    /// Delivery opportunities read as capacity spread over the milliseconds before each: the rate between two times is
    /// that of the opportunities at the later one.
    ///
    /// - Parameter opportunityBits: of one opportunity.
    public init?(_ trace: OpportunityTrace, opportunityBits: UInt64 = 12_000) {
        var pieces: [(at: TimeSpan, rate: BitRate)] = []
        var begin: Int64 = 0
        var index = 0
        let times = trace.milliseconds
        while index < times.count {
            let time = times[index]
            var count: UInt64 = 0
            while index < times.count, times[index] == time {
                count += 1
                index += 1
            }
            // Opportunities at 0 are those at the end of the period before.
            guard time > begin else { continue }
            pieces.append(
                (.milliseconds(begin), BitRate(bitsPerSecond: count * opportunityBits * 1_000 / UInt64(time - begin))))
            begin = time
        }
        self.init(pieces, repeatingEvery: .milliseconds(begin))
    }

    /// When `bits` have been sent from `start` on, rounded up to a nanosecond; the distant future if never.
    ///
    /// - Parameter credit: what was sent before `start` of these bits, in bit/s × ns; afterwards what can be sent of the
    ///   next bits before the end. So a train of packets is rounded once, whatever the rate does meanwhile.
    /// - Complexity: O(pieces passed).
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
            let isLast = index == rates.count - 1
            let next = isLast ? period.map { base + $0 } : base + begins[index + 1]
            let rate = UInt128(rates[index])
            if let next, rate * UInt128(next - now) < rest {
                rest -= rate * UInt128(next - now)
                now = next
                index = isLast ? 0 : index + 1
                if isLast { base = next }
                continue
            }
            guard rate > 0 else { return .distantFuture }
            let span = (rest + rate - 1) / rate
            credit = span * rate - rest
            return Instant(nanoseconds: now + Int64(span))
        }
    }

    /// The piece at an instant, and where its lap began; what is before zero belongs to the first piece.
    private func piece(at instant: Int64) -> (index: Int, base: Int64) {
        let base = period.map { max(0, instant) / $0 * $0 } ?? 0
        let within = max(0, instant - base)
        var (low, high) = (0, begins.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if begins[middle] <= within { low = middle } else { high = middle }
        }
        return (low, base)
    }
}

/// Times at which a link can deliver, one opportunity of fixed size each: Mahimahi's traces.
///
/// At an opportunity the packet under way goes on, and behind it the next ones, until the opportunity is used up; what
/// is left when nothing waits is lost. A packet that comes at an opportunity's very instant misses it. Behind the last
/// line the trace begins again, the last line's time being the period.
public struct OpportunityTrace: Sendable {
    /// Milliseconds from the beginning, never falling, the last more than 0: the period.
    let milliseconds: [Int64]

    /// Why a trace cannot be read; lines count from 1.
    public enum Problem: Error, Equatable, Sendable {
        case empty
        case notANumber(line: Int, text: String)
        case timeGoesBack(line: Int, text: String)
        /// The last line is 0, and with it the period.
        case noPeriod
        case notText
    }

    /// Reads a trace: one whole number of milliseconds a line.
    public init(mahimahi bytes: [UInt8]) throws(Problem) {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .notText }
        var times: [Int64] = []
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        for (index, line) in lines.enumerated() {
            let word = line.hasSuffix("\r") ? line.dropLast() : line
            guard word.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let time = Int64(word), time <= 1_000_000_000_000 else {
                throw .notANumber(line: index + 1, text: String(word))
            }
            guard time >= times.last ?? 0 else { throw .timeGoesBack(line: index + 1, text: String(word)) }
            times.append(time)
        }
        guard let last = times.last else { throw .empty }
        guard last > 0 else { throw .noPeriod }
        milliseconds = times
    }
}

/// Walks through the opportunities of a trace, lap after lap.
struct OpportunityCursor: Sendable {
    private let trace: OpportunityTrace
    private var index = 0
    private var base: Int64 = 0

    init(_ trace: OpportunityTrace) { self.trace = trace }

    /// The next opportunity not yet taken.
    var next: Instant { Instant(nanoseconds: (base + trace.milliseconds[index]) * 1_000_000) }

    mutating func take() {
        index += 1
        guard index == trace.milliseconds.count else { return }
        base += trace.milliseconds[index - 1]
        index = 0
    }

    /// Leaves those up to and with `now` unused.
    mutating func skip(until now: Instant) {
        guard next <= now else { return }
        let period = trace.milliseconds[trace.milliseconds.count - 1]
        let lap = now.nanoseconds / 1_000_000 / period * period
        if lap - period > base { (base, index) = (lap - period, 0) }
        while next <= now { take() }
    }
}
