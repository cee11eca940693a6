import Metrics
import Testing
import Timebase

@Suite("Statistics of samples")
struct SampleStatisticsTests {
    @Test("mean and deviation, also far from 0")
    func moments() throws {
        let moments = try #require(SampleStatistics.moments(of: [2, 4, 4, 4, 5, 5, 7, 9]))
        #expect(moments.mean == 5 && moments.deviation == 2)
        let base: Int64 = 1 << 60
        let far = try #require(SampleStatistics.moments(of: [base, base + 1_024]))
        #expect(far.mean == Double(base + 512) && far.deviation == 512)
        #expect(SampleStatistics.moments(of: []) == nil)
    }

    /// Uniform on 0...9: F(x) = (x + 1) / 10.
    @Test("the Kolmogorov distance is the largest gap on either side of every step")
    func kolmogorov() {
        func uniform(_ x: Int64) -> Double { min(1, max(0, Double(x + 1) / 10)) }
        #expect(SampleStatistics.kolmogorovDistance(of: Array(0...9), uniform) < 1e-12)
        // All at 3: nothing below (F = 0.3), everything at 3 (F = 0.4).
        #expect(abs(SampleStatistics.kolmogorovDistance(of: [3, 3, 3], uniform) - 0.6) < 1e-12)
        // 0.7 below 7 where the sample has nothing.
        #expect(abs(SampleStatistics.kolmogorovDistance(of: [7, 8, 9], uniform) - 0.7) < 1e-12)
        // Half at 0 (F = 0.1), and before 9 (F = 0.9) still half.
        #expect(abs(SampleStatistics.kolmogorovDistance(of: [0, 9], uniform) - 0.4) < 1e-12)
        let sample = (0..<1_000).map { Int64($0 * $0 / 100_000) }
        let exact = SampleStatistics.kolmogorovDistance(of: sample, uniform)
        for step in [7, 100, 5_000] {
            let coarse = SampleStatistics.kolmogorovDistance(of: sample, every: step, uniform)
            #expect(coarse >= exact && coarse <= exact + Double(step) / 1_000)
        }
    }

    @Test("limits are those of tables")
    func limits() {
        // Kolmogorov's 1.9495 / √n at 0.1 %, the normal law's 3.2905 there, 5 at the five-sigma tail.
        #expect(abs(SampleStatistics.kolmogorovLimit(count: 100, tail: 1e-3) - 0.194_95) < 1e-5)
        #expect(abs(SampleStatistics.meanLimit(variance: 4, count: 100, tail: 1e-3) - 0.2 * 3.290_527) < 1e-6)
        let five = SampleStatistics.meanLimit(variance: 1, count: 1, tail: SampleStatistics.fiveSigma)
        #expect(abs(five - 5) < 1e-6)
        let normal = SampleStatistics.deviationLimit(deviation: 3, kurtosis: 3, count: 200, tail: 1e-3)
        #expect(abs(normal - 3.290_527 * 3 / 20) < 1e-6)
        #expect(
            SampleStatistics.inflation(correlation: 0.5) == 3
                && SampleStatistics.inflation(correlation: -0.5) == 1 / 3.0)
        // p = 1 %, r = 25 %: 1.74 / 0.26.
        #expect(abs(SampleStatistics.inflation(correlation: 1 - 0.01 - 0.25) - 6.69) < 0.01)
    }

    @Test("a law's quantile lies between the ranks as often as it should")
    func ranks() {
        // Uniform numbers: the quantile is the probability.
        let key = DrawKey(seed: 5)
        for (probability, tail) in [(0.5, 0.1), (0.1, 0.1), (0.9, 0.1)] {
            let ranks = SampleStatistics.quantileRanks(probability, count: 400, tail: tail)
            let missed = (0..<1_000).count { round in
                let sample = (0..<400).map { key.draw(Int64(round * 400 + $0)) }
                let below = sample.count { Double($0) * 0x1p-64 < probability }
                // x(low) ≤ quantile ≤ x(high), ranks from 0.
                return !(below >= ranks.lowerBound + 1 && below <= ranks.upperBound)
            }
            // At most a tenth, for ranks are rounded outwards.
            #expect((20...135).contains(missed), "\(probability): \(missed)")
        }
        #expect(SampleStatistics.quantileRanks(0.001, count: 100, tail: 1e-3).lowerBound == 0)
        #expect(SampleStatistics.quantileRanks(1, count: 100, tail: 1e-3) == 99...99)
    }

    @Test("autocorrelation is that of hand-made sequences, within blocks only")
    func autocorrelation() throws {
        let alternating = (0..<100).map { Int64($0 % 2 == 0 ? 1 : -1) }
        func correlation(_ sample: [Int64], _ lag: Int, block: Int = 10) throws -> (value: Double, error: Double) {
            try #require(SampleStatistics.autocorrelation(of: sample, lag: lag, mean: 0, variance: 1, block: block))
        }
        #expect(try correlation(alternating, 1) == (-1, 0) && correlation(alternating, 2) == (1, 0))
        // Blocks all of ones and all of minus ones: over their ends nothing is seen.
        let blocks = (0..<100).map { Int64($0 / 10 % 2 == 0 ? 1 : -1) }
        #expect(try correlation(blocks, 3) == (1, 0))
        // Blocks of correlation 1 and -1 in turn: mean 0, standard error √(1 / 9).
        let mixed = (0..<100).map { Int64($0 / 10 % 2 == 0 || $0 % 2 == 0 ? 1 : -1) }
        let value = try correlation(mixed, 1)
        #expect(value.value == 0 && abs(value.error - 1 / 3.0) < 1e-12)
        #expect(SampleStatistics.autocorrelation(of: mixed, lag: 1, mean: 0, variance: 1, block: 60) == nil)
        #expect(SampleStatistics.autocorrelation(of: mixed, lag: 10, mean: 0, variance: 1, block: 10) == nil)
    }

    @Test("runs are counted by length, those at the ends left out")
    func runs() {
        let sequence = "1101110010".map { $0 == "1" }
        #expect(SampleStatistics.runLengths(of: true, in: sequence) == [3: 1, 1: 1])
        #expect(SampleStatistics.runLengths(of: false, in: sequence) == [1: 1, 2: 1])
        #expect(SampleStatistics.runLengths(of: true, in: [Bool]()).isEmpty)
        #expect(SampleStatistics.runLengths(of: true, in: [true, true]).isEmpty)
    }
}
