import Testing
import Timebase

@testable import NetworkEmulation

@Suite("Rate traces: laps, overrides and means")
struct RateTraceTests {
    /// A trace by its rates at every millisecond, with overrides written into them.
    struct Model {
        var rates: [UInt64]

        init(_ pieces: [(at: Int64, rate: UInt64)], period: Int64?, loopFrom: Int, until end: Int64) {
            rates = (0..<end).map { at in
                var at = at
                let loop = pieces[loopFrom].at
                if let period, at >= loop { at = (at - loop) % period + loop }
                return pieces.last { $0.at <= at }?.rate ?? 0
            }
        }

        /// The end of packets of 1,000 bits sent one after the other, in nanoseconds.
        func ends(count: Int) -> [Int64] {
            var (ends, sent): ([Int64], UInt64) = ([], 0)
            for (at, rate) in rates.enumerated() where rate > 0 {
                let after = sent + rate * 1_000_000
                while ends.count < count, UInt64(ends.count + 1) * 1_000_000_000_000 <= after {
                    let rest = UInt64(ends.count + 1) * 1_000_000_000_000 - sent
                    ends.append(Int64(at) * 1_000_000 + Int64((rest + rate - 1) / rate))
                }
                sent = after
            }
            return ends
        }
    }

    private static func ends(_ trace: RateTrace, count: Int) -> [Int64] {
        var credit: UInt128 = 0
        var now = Instant.zero
        return (0..<count).map { _ in
            now = trace.end(of: 1_000, from: now, credit: &credit)
            return now.nanoseconds
        }
    }

    @Test(
        "laps, what comes before them and overrides are those of a table by milliseconds",
        arguments: 1...40 as ClosedRange<UInt64>)
    func overrides(seed: UInt64) throws {
        var random = TestRandom(seed)
        var pieces: [(at: Int64, rate: UInt64)] = []
        var begin: Int64 = 0
        for index in 0..<(2 + random.below(6)) {
            pieces.append((begin, index % 3 == 1 ? 0 : UInt64(1 + random.below(2_000_000))))
            begin += 1 + random.below(20)
        }
        let loopFrom = Int(random.below(Int64(pieces.count)))
        let repeats = seed % 4 > 0 && pieces[loopFrom...].contains { $0.rate > 0 }
        let period = repeats ? begin - pieces[loopFrom].at : nil
        let trace = try #require(
            RateTrace(
                pieces.map { (.milliseconds($0.at), BitRate(bitsPerSecond: $0.rate)) },
                repeatingEvery: period.map { .milliseconds($0) }, loopFrom: loopFrom))
        var model = Model(pieces, period: period, loopFrom: loopFrom, until: 400)
        let whole = model.ends(count: 200)
        #expect(Self.ends(trace, count: whole.count) == whole, "seed \(seed)")

        let rate: UInt64 = seed % 2 == 0 ? 0 : 777_000
        let intervals = (0..<3).map { _ in
            let begin = random.below(200)
            return begin..<(begin + random.below(60))
        }
        let isEndless = seed % 5 == 0
        for interval in intervals { for at in interval { model.rates[Int(at)] = rate } }
        if isEndless { for at in 250..<400 { model.rates[at] = rate } }
        let overridden = try #require(
            trace.overridden(
                in: intervals.map { .milliseconds($0.lowerBound)..<TimeSpan.milliseconds($0.upperBound) }
                    + (isEndless ? [.milliseconds(250)..<TimeSpan.nanoseconds(.max)] : []),
                with: BitRate(bitsPerSecond: rate)))
        let ends = model.ends(count: 200)
        #expect(Self.ends(overridden, count: ends.count) == ends, "seed \(seed)")
        let sum = model.rates.reduce(0, +)
        let mean = overridden.meanRate(until: .milliseconds(400)).bitsPerSecond
        #expect(mean == (sum + 200) / 400, "seed \(seed)")
    }

    @Test("laps that would have to be written out by the million are refused; no override changes nothing")
    func bounds() throws {
        let rate = BitRate(bitsPerSecond: 1_000_000)
        let trace = try #require(RateTrace([(.zero, rate)], repeatingEvery: .milliseconds(1)))
        let none = BitRate(bitsPerSecond: 0)
        #expect(trace.overridden(in: [.zero..<TimeSpan.seconds(1)], with: none) != nil)
        #expect(trace.overridden(in: [.zero..<TimeSpan.seconds(5_000)], with: none) == nil)
        #expect(trace.overridden(in: [.seconds(5_000)..<TimeSpan.nanoseconds(.max)], with: none) == nil)
        #expect(trace.overridden(in: [.zero..<TimeSpan.nanoseconds(.max - 1)], with: none) == nil)
        let same = try #require(trace.overridden(in: [.seconds(2)..<TimeSpan.seconds(2)], with: none))
        #expect(Self.ends(same, count: 5) == Self.ends(trace, count: 5))
        let pieces: [(at: TimeSpan, rate: BitRate)] = [(.zero, rate), (.seconds(1), none)]
        #expect(RateTrace(pieces, repeatingEvery: .seconds(1), loopFrom: 1) == nil)
        #expect(RateTrace(pieces, repeatingEvery: .seconds(1), loopFrom: 2) == nil)
        #expect(RateTrace(pieces, repeatingEvery: .nanoseconds(.max), loopFrom: 0) != nil)
        #expect(
            RateTrace([(.zero, rate), (.seconds(1), rate)], repeatingEvery: .nanoseconds(.max), loopFrom: 1) == nil)
    }

    /// A bit in every ten thousand million laps of two nanoseconds.
    @Test("very many laps pass at once, and the end of time is no trap")
    func manyLaps() throws {
        let trace = try #require(
            RateTrace(
                [(.zero, BitRate(bitsPerSecond: 1)), (.nanoseconds(1), BitRate(bitsPerSecond: 0))],
                repeatingEvery: .nanoseconds(2)))
        var credit: UInt128 = 0
        // 5 bits are 5·10^9 nanoseconds of sending, the last of which begins at 2 · (5·10^9 − 1).
        #expect(trace.end(of: 5, from: .zero, credit: &credit).nanoseconds == 9_999_999_999)
        #expect(trace.end(of: 1 << 40, from: .zero, credit: &credit) == .distantFuture)
        let slow = try #require(
            RateTrace(
                [(.zero, BitRate(bitsPerSecond: 1)), (.seconds(1), BitRate(bitsPerSecond: 0))],
                repeatingEvery: .seconds(10_000_000)))
        #expect(slow.end(of: 12_000, from: .zero, credit: &credit) == .distantFuture)
        let rest = try #require(RateTrace([(.zero, BitRate(bitsPerSecond: 1))]))
        #expect(rest.end(of: 10, from: Instant(nanoseconds: .max - 1_000), credit: &credit) == .distantFuture)
    }
}
