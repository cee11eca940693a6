@testable import Metrics
import Testing
import Timebase

@Suite("Distributions")
struct DistributionTests {
    static func histogram(_ values: some Sequence<Int64>, resolutionBits: Int = 0) -> Histogram {
        var histogram = Histogram(resolutionBits: resolutionBits)
        for value in values { histogram.add(value) }
        return histogram
    }

    @Test("a summary carries each number under its own name; of nothing there is none")
    func summary() {
        #expect(Histogram().distribution == nil)
        #expect(
            Self.histogram(1...1000).distribution?.summary
                == DistributionSummary(
                    count: 1000, minimum: 1, mean: 501, standardDeviation: 289, p5: 50, p50: 500, p95: 950, p99: 990,
                    p999: 999, maximum: 1000))
    }

    @Test("an offset moves all but the deviation, exactly")
    func offset() throws {
        let bins = Self.histogram((1...1000).map { $0 * 1_000 })
        let plain = try #require(bins.distribution).summary
        let moved = try #require(Distribution(bins, offset: -700)).summary
        for path in [\.minimum, \.mean, \.p5, \.p50, \.p99, \.maximum] as [KeyPath<DistributionSummary, Int64>] {
            #expect(moved[keyPath: path] == plain[keyPath: path] - 700)
        }
        #expect(moved.standardDeviation == plain.standardDeviation && moved.count == plain.count)
    }

    @Test("two runs' distributions merge to that of one histogram of both", arguments: [0, 10])
    func merging(resolutionBits: Int) throws {
        let key = DrawKey(seed: 21)
        let values = (0..<30_000 as Range<Int64>).map { Int64(key.draw($0) % 40_000_000) - 1_000_000 }
        let (first, second) = (values.prefix(11_000), values.dropFirst(11_000).map { $0 / 3 })
        var merged = try #require(Self.histogram(first, resolutionBits: resolutionBits).distribution)
        merged.merge(try #require(Self.histogram(second, resolutionBits: resolutionBits).distribution))
        let one = try #require(Self.histogram(first + second, resolutionBits: resolutionBits).distribution)
        #expect(merged.summary == one.summary && merged.cumulative == one.cumulative)
    }

    @Test("PDV of two runs merges: exactly with the same least above the anchor, else within both roundings")
    func mergingVariation() throws {
        let key = DrawKey(seed: 22)
        func delays(_ run: Int64) -> [Int64] {
            // The second run's first 64 packets, which set its anchor, lack the least delay of all.
            (0..<5_000).map { 20_000_000 + run * (($0 < 64 ? 3_000 : 0) + 7_000_000) + Int64(key.draw($0) % 1_000_000) }
        }
        func variation(_ delays: [Int64]) throws -> Distribution {
            var variation = PacketDelayVariation()
            for (number, delay) in delays.enumerated() {
                variation.add(number: Int64(number), delay: .nanoseconds(delay))
            }
            return try #require(variation.pdv)
        }
        let runs = [delays(0), delays(1)]
        let above = runs.flatMap { run in run.map { $0 - (run.min() ?? 0) } }.sorted()
        var merged = try variation(runs[0])
        merged.merge(try variation(runs[1]))
        #expect(merged.count == 10_000 && merged.minimum == 0 && merged.maximum == above.last)
        for p in [0.05, 0.5, 0.95, 0.99] {
            #expect(abs(merged.quantile(p) - above[Int(p * 10_000) - 1]) <= 3 * 1_024)
        }
        var twice = try variation(runs[0])
        twice.merge(try variation(runs[0]))
        #expect(twice.cumulative == (try variation(runs[0])).cumulative)
    }

    @Test("cuts count what is told, offset and anchor included")
    func cuts() throws {
        var bins = Histogram(cuts: [512_000_000])
        bins.add(400_000_000)
        for value in [511_900_000, 512_000_000, 512_000_001, 512_100_000] as [Int64] { bins.add(value) }
        bins.add(600_000_000)
        let moved = try #require(Distribution(bins, offset: -12_000_000))
        #expect(moved.quantile(0.5) <= 500_000_000 && moved.quantile(0.51) > 500_000_000)
        // PDV of 0 to 900 ns, a tenth each: all in one bin.
        func variation(_ least: Int64, _ cut: Int64) throws -> Distribution {
            var variation = PacketDelayVariation(ipdvCuts: [-1], pdvCuts: [cut])
            for number in 0..<1_000 as Range<Int64> {
                let delay = number == 500 ? least : 20_000_000 + number * 7 % 10 * 100
                variation.add(number: number, delay: .nanoseconds(delay))
            }
            // Steps of 700 or −300.
            let ipdv = try #require(variation.ipdv)
            #expect(ipdv.quantile(0.69) < 0 && ipdv.quantile(0.71) > 0)
            return try #require(variation.pdv)
        }
        let steady = try variation(20_000_000, 400)
        #expect(steady.quantile(0.5) <= 400 && steady.quantile(0.501) > 400 && steady.uncertainCuts == [])
        // A new least delay moves the cut; what came before is known where a bin ends, which is 24,576 ns above.
        let known = try variation(20_000_000 - 24_576, 24_575)
        #expect(known.quantile(0.001) == 0 && known.quantile(0.002) > 24_575 && known.uncertainCuts == [])
        let unknown = try variation(19_999_700, 700)
        #expect(unknown.uncertainCuts == [700])
    }

    @Test("each point of the cumulative distribution is the exact share of values up to it; the last is the maximum")
    func cumulative() throws {
        let key = DrawKey(seed: 23)
        let values = (0..<4_000 as Range<Int64>).map { Int64(key.draw($0) % 9_000_000) - 3_000_000 }
        let distribution = try #require(Distribution(Self.histogram(values), offset: 55))
        let points = distribution.cumulative
        #expect(points.count > 500 && points.last == .init(value: distribution.maximum, share: 1))
        for (point, next) in zip(points, points.dropFirst()) {
            #expect(point.value < next.value && point.share < next.share)
        }
        for point in points {
            #expect(point.share == Double(values.count { $0 + 55 <= point.value }) / 4_000)
        }
        #expect(Self.histogram([7]).distribution?.cumulative == [.init(value: 7, share: 1)])
    }

    @Test("values that weigh by their time have quantiles by their time, and count in its unit")
    func weighing() throws {
        var values = Histogram(resolutionBits: 10, cuts: [19_600_000])
        values.add(0, times: 19_960_000)
        values.add(evenlyFrom: 0, to: 40_000_000, times: 40_000)
        let distribution = try #require(Distribution(values, unit: 1_000))
        #expect(distribution.count == 20_000)
        // Rank 19,980,000 of 20,000,000: half of the way.
        #expect(abs(distribution.quantile(0.999) - 20_000_000) <= 20_000)
        var brief = Histogram()
        brief.add(7, times: 499)
        #expect(Distribution(brief, unit: 1_000) == nil)
        brief.add(7, times: 1)
        #expect(Distribution(brief, unit: 1_000)?.count == 1)
    }
}
