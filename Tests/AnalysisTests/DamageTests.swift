import Analysis
import Capture
import Metrics
import Testing
import Timebase
import Wire

/// Streams that lost, delayed and duplicated packets at random, counted once more the slow way.
@Suite("Random loss, reordering and duplicates")
struct DamageTests {
    private struct Arrival {
        var number: Int
        var instant: Int64
    }

    /// Numbers from 65,200 on, across the wrap; 20 ms apart, some up to 90 ms late, some twice, some never.
    private func arrivals(_ seed: UInt64) -> [Arrival] {
        let key = DrawKey(seed: seed)
        var result: [Arrival] = []
        for number in 0..<700 {
            let draw = { (purpose: Int64) in key.draw(Int64(number) * 8 + purpose) }
            if draw(0) % 100 < 9 { continue }
            let late = draw(1) % 100 < 15 ? Int64(draw(2) % 90_000_000) : Int64(draw(3) % 1_000_000)
            let instant = Int64(number) * 20_000_000 + late
            result.append(Arrival(number: 65_200 + number, instant: instant))
            if draw(4) % 100 < 3 {
                result.append(Arrival(number: 65_200 + number, instant: instant + Int64(draw(5) % 200_000_000)))
            }
        }
        return result.sorted { ($0.instant, $0.number) < ($1.instant, $1.number) }
    }

    @Test("Counts, extents and loss runs are what counting one by one gives", arguments: 1...20 as ClosedRange<UInt64>)
    func counts(seed: UInt64) throws {
        let arrivals = arrivals(seed)
        let traffic = Traffic()
        for arrival in arrivals {
            traffic.rtp(arrival.number, timestamp: arrival.number * 160, at: Double(arrival.instant) / 1e6)
        }
        let stream = try #require(traffic.analyzer.finish().streams.first)

        var firsts: [Int] = []
        for arrival in arrivals where !firsts.contains(arrival.number) { firsts.append(arrival.number) }
        // RFC 4737 §3.4 and §4.2.1, word by word.
        let reordered = firsts.indices.filter { index in firsts[..<index].contains { $0 > firsts[index] } }
        let extents = reordered.map { index in index - (firsts.firstIndex { $0 > firsts[index] } ?? index) }
        let present = Set(firsts)
        var runs: [Int64: Int64] = [:]
        var run: Int64 = 0
        for number in (firsts.min() ?? 0)...(firsts.max() ?? 0) {
            if present.contains(number) {
                if run > 0 { runs[run, default: 0] += 1 }
                run = 0
            } else {
                run += 1
            }
        }
        let expected = Int64((firsts.max() ?? 0) - (firsts.min() ?? 0) + 1)
        #expect(stream.quality.received == Int64(arrivals.count) && stream.quality.unique == Int64(firsts.count))
        #expect(stream.quality.duplicates == Int64(arrivals.count - firsts.count))
        #expect(stream.quality.expected == expected && stream.quality.lost == expected - Int64(firsts.count))
        #expect(
            stream.quality.reordered == Int64(reordered.count)
                && stream.quality.largestReorderExtent == Int64(extents.max() ?? 0))
        let found = Dictionary(uniqueKeysWithValues: stream.quality.lossRuns.map { ($0.length, $0.count) })
        #expect(found == runs)
        #expect(reordered.count > 10 && stream.quality.duplicates ?? 0 > 5 && runs.count > 1)
    }

    @Test("Jitter and delay variation are those of the definitions", arguments: 1...10 as ClosedRange<UInt64>)
    func timing(seed: UInt64) throws {
        let arrivals = arrivals(seed)
        let traffic = Traffic()
        for arrival in arrivals {
            traffic.rtp(arrival.number, timestamp: arrival.number * 160, at: Double(arrival.instant) / 1e6)
        }
        let stream = try #require(traffic.analyzer.finish().streams.first)
        var jitter = 0.0
        var largest = 0.0
        for (before, after) in zip(arrivals, arrivals.dropFirst()) {
            let media = Double(after.number - before.number) * 20e6
            jitter += (abs(Double(after.instant - before.instant) - media) - jitter) / 16
            largest = max(largest, jitter)
        }
        let measured = try #require(stream.quality.interarrivalJitter)
        #expect(abs(Double(measured.last) - jitter) < 1000 && abs(Double(measured.maximum) - largest) < 1000)
        var seen: Set<Int> = []
        let firsts = arrivals.filter { seen.insert($0.number).inserted }
        let delays = firsts.map { $0.instant - Int64($0.number) * 20_000_000 }
        let pdv = try #require(stream.quality.pdv)
        #expect(pdv.count == Int64(firsts.count))
        #expect(pdv.maximum == (delays.max() ?? 0) - (delays.min() ?? 0))
        let byNumber = Dictionary(uniqueKeysWithValues: zip(firsts.map(\.number), delays))
        let steps = byNumber.compactMap { number, delay in byNumber[number - 1].map { delay - $0 } }
        let ipdv = try #require(stream.quality.ipdv)
        #expect(ipdv.count == Int64(steps.count))
        #expect(ipdv.minimum == steps.min() && ipdv.maximum == steps.max())
    }
}
