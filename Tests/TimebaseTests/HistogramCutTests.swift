import Testing
@testable import Timebase

@Suite("Histograms with cuts")
struct HistogramCutTests {
    static let quantiles = [0, 0.01, 0.05, 0.5, 0.95, 0.99, 0.999, 1]

    private func histogram(_ values: [Int64], resolutionBits: Int = 0, cuts: [Int64] = []) -> Histogram {
        var histogram = Histogram(resolutionBits: resolutionBits, cuts: cuts)
        for value in values { histogram.add(value) }
        return histogram
    }

    /// The value of rank ⌈p·n⌉.
    private func quantile(_ p: Double, _ sorted: [Int64]) -> Int64 {
        sorted[max(1, Int((p * Double(sorted.count) * (1 - 1e-12)).rounded(.up))) - 1]
    }

    @Test("a p99 of 512.108 ms is told above 512 ms, in whatever bin both lie")
    func byHand() throws {
        let values =
            [Int64](repeating: 511_900_000, count: 989) + [512_000_000]
            + [Int64](repeating: 512_108_000, count: 10) + [900_000_000]
        for cuts in [[512_000_000], [1, 512_000_000, 7_000_000_000]] as [[Int64]] {
            let known = histogram(values, cuts: cuts)
            #expect(known.count(atMost: 512_000_000) == 990...990)
            #expect(try #require(known.quantile(0.98)) <= 512_000_000)
            let told = try #require(known.quantile(0.99))
            #expect(told > 512_000_000 && Double(told - 512_108_000).magnitude < 512_108)
        }
        // All three values fall into one bin, and nothing tells on which side of the limit they are.
        #expect(histogram(values).count(atMost: 512_000_000) == 0...1_000)
        #expect(histogram(values).quantile(0.98) == histogram(values).quantile(0.99))
        #expect(histogram(values).count(atMost: 513_000_000) == 1_000...1_000)
    }

    @Test("every quantile is told on its own side of every cut, whatever its size", arguments: [0, 10])
    func sides(resolutionBits: Int) throws {
        let key = DrawKey(seed: 31)
        for scale: Int64 in [1, 40, 5_000, 1_000_000_000_000] {
            let values = (0..<5_000 as Range<Int64>).map { (Int64(key.draw($0) % 60_000) - 20_000) * scale }
            let sorted = values.sorted()
            let cuts = Set(
                Self.quantiles.flatMap { [-1, 0, 1, 7 * scale].map { [exact = quantile($0, sorted)] in exact + $0 } })
            let known = histogram(values, resolutionBits: resolutionBits, cuts: Array(cuts))
            for p in Self.quantiles {
                let (exact, told) = (quantile(p, sorted), try #require(known.quantile(p)))
                for cut in cuts {
                    #expect((told <= cut) == (exact <= cut), "p = \(p): \(told), exactly \(exact); cut \(cut)")
                }
            }
        }
    }

    @Test("counts at other numbers are never wrong, and two only in the bin of the number", arguments: [0, 10])
    func elsewhere(resolutionBits: Int) {
        let key = DrawKey(seed: 32)
        let values = (0..<5_000 as Range<Int64>).map { Int64(key.draw($0) % 3_000_000) - 1_000_000 }
        let plain = histogram(values, resolutionBits: resolutionBits)
        var uncertain = 0
        for limit in stride(from: Int64(-1_100_000), through: 2_100_000, by: 9_973) {
            let count = plain.count(atMost: limit)
            #expect(count.contains(Int64(values.count { $0 <= limit })))
            let width = max(Double(limit.magnitude) / 500, resolutionBits == 0 ? 1 : 1_024)
            let near = values.count { abs(Double($0 - limit)) <= width }
            #expect(count.count - 1 <= near)
            uncertain += count.count > 1 ? 1 : 0
        }
        #expect(uncertain > 0)
        #expect(Histogram(cuts: [5]).count(atMost: 5) == 0...0 && Histogram(cuts: [5]).quantile(0.5) == nil)
    }

    @Test("cuts outlive merging, shifting, forgetting, and many values at once")
    func merging() {
        let (first, second) = ([512_000_001, 512_000_002, 5] as [Int64], [512_000_000, 512_000_003, 9] as [Int64])
        var both = histogram(first, cuts: [512_000_001, 7])
        both.merge(histogram(second, cuts: [512_000_001, 8]))
        #expect(both.count(atMost: 512_000_001) == 4...4 && both.uncertainCuts == [])
        // Known without having been given.
        #expect(both.count(atMost: 7) == 1...1)
        var one = histogram(first, cuts: [512_000_001])
        one.merge(histogram(second))
        #expect(one.count(atMost: 512_000_001) == 3...5 && one.uncertainCuts == [512_000_001])
        let moved = histogram(first + second, cuts: [512_000_001]).shifted(by: -12)
        #expect(moved.count(atMost: 511_999_989) == 4...4)
        var many = Histogram(cuts: [10])
        many.add(10, times: 1_000_000_000_000)
        many.add(11, times: 3)
        #expect(many.count(atMost: 10) == 1_000_000_000_000...1_000_000_000_000)
        many.removeAll()
        many.add(3)
        #expect(many.count(atMost: 10) == 1...1)
        #expect(many.count(atMost: .max) == 1...1)
    }

    @Test("moved cuts count what comes exactly, and what was there as far as it is known")
    func moving() {
        var values = histogram([10, 20, 5_000_000, 5_000_001], cuts: [15, 5_000_010])
        values.moveCuts(by: -10)
        #expect(values.count(atMost: 5) == 0...0)
        // Two share the bin of 5,000,000, both of which may be anywhere in it.
        #expect(values.count(atMost: 5_000_000) == 2...4 && values.uncertainCuts == [5_000_000])
        for value: Int64 in [5, 6, 5_000_000, 5_000_001] { values.add(value) }
        #expect(values.count(atMost: 5) == 1...1 && values.count(atMost: 5_000_000) == 5...7)
    }

    @Test("what goes evenly past a cut is on both sides by its share of the way")
    func evenly() {
        var values = Histogram(cuts: [250, 4_999_999])
        values.add(evenlyFrom: 0, to: 1_000, times: 4_000)
        values.add(4_999_999, times: 1_000)
        #expect(values.count(atMost: 250) == 1_000...1_000 && values.count(atMost: 4_999_999) == 5_000...5_000)
    }
}
