import Glibc
import Metrics
import Scenario
import Testing
import Timebase

@testable import Lab
import Results

@Suite("Lab: closed forms")
struct LabLawTests {
    @Test("independent losses: lengths of runs are geometric, and run counts vary as they must")
    func bernoulli() {
        let (p, q) = (0.3, 0.7)
        let chain = LossChain.bernoulli(p)
        #expect(chain.share == p && abs(chain.inflation - 1) < 1e-12)
        for (index, share) in chain.runs.prefix(10).enumerated() {
            #expect(abs(share - q * q * (0...index).reduce(1) { product, _ in product * p }) < 1e-12)
        }
        // A run begins with probability q p; the packet behind its first does not begin another.
        let begins = q * p
        #expect(abs(chain.variance(ofRuns: 1..<Int.max) - (begins - 3 * begins * begins)) < 1e-9)
    }

    @Test("Gilbert's chain: λ = 1 − p − r gives the inflation, and r the runs")
    func gilbert() {
        let (p, r) = (0.02, 0.25)
        let chain = LossChain.gilbertElliott(p: p, r: r)
        #expect(abs(chain.share - p / (p + r)) < 1e-12)
        #expect(abs(chain.inflation - (2 - p - r) / (p + r)) < 1e-6)
        let begun = r / (p + r) * p
        #expect(abs(chain.runs[0] - begun * r) < 1e-12 && abs(chain.runs[3] - begun * 0.75 * 0.75 * 0.75 * r) < 1e-12)
        let human = LossChain.gilbertElliott(loss: p / (p + r), meanBurst: 4, longest: nil)
        #expect(abs(human.runs[3] - chain.runs[3]) < 1e-12)
    }

    /// At most m in a row lowers the share by 1 − q^m (1 − q) / (1 − q^(m + 1)), q = 1 − 1 / B; 20 % with B = 4.
    @Test("a longest burst lowers the share as its closed form says")
    func longestBurst() {
        let chain = LossChain.gilbertElliott(loss: 0.2, meanBurst: 4, longest: 3)
        let q3 = 0.75 * 0.75 * 0.75
        #expect(abs(chain.share - 0.2 * (1 - q3 * 0.25 / (1 - q3 * 0.75))) < 1e-12)
        #expect(chain.runs.count == 3)
    }

    /// The reference's example: 5 % with bursts of 10, density 80 %, 1 % alone, good runs of 2.
    @Test("four states by their human numbers")
    func markov() {
        let chain = LossChain.markov(loss: 0.05, burst: 10, density: 0.8, isolated: 0.01, goodRun: 2)
        #expect(abs(chain.share - 0.05) < 1e-12)
    }

    /// Φ2(0, 0; ρ) = ¼ + asin ρ / 2π, and of three in a row 1/8 + (2 asin ρ + asin ρ²) / 4π (Sheppard, David).
    @Test(
        "correlated losses of one half have the orthants of Sheppard and David", arguments: [-0.5, 0.1, 0.5, 0.8, 0.95])
    func orthants(_ correlation: Double) throws {
        let pair = 0.25 + asin(correlation) / (2 * Double.pi)
        let triple = 0.125 + (2 * asin(correlation) + asin(correlation * correlation)) / (4 * Double.pi)
        #expect(abs(LossChain.bothLost(0.5, correlation) - pair) < 1e-12)
        let chain = try #require(LossChain.correlated(0.5, correlation))
        #expect(abs(chain.share - 0.5) < 1e-9)
        let runs = chain.runs
        #expect(abs(runs.reduce(0, +) - (0.5 - pair)) < 1e-7)
        #expect(abs(runs[0] - (0.5 - 2 * pair + triple)) < 1e-7)
        // Runs of one sign are those of the other: all lengths together make one half.
        let packets = zip(1..., runs).reduce(0) { $0 + Double($1.0) * $1.1 }
        #expect(abs(packets - 0.5) < 1e-4)
    }

    /// The chain's integrals against the one that the law's derivative gives, at every distance; and the inflation against
    /// the sum of the latter.
    @Test(
        "correlated losses: the chain is the bivariate normal law",
        arguments: [(0.02, 0.5), (0.001, 0.9), (0.3, -0.6), (0.9, 0.7)])
    func bivariate(_ loss: Double, _ correlation: Double) throws {
        let chain = try #require(LossChain.correlated(loss, correlation))
        #expect(abs(chain.share / loss - 1) < 1e-8)
        let runs = chain.runs
        let both = LossChain.bothLost(loss, correlation)
        // As many runs as losses that are not followed by one.
        #expect(abs(runs.reduce(0, +) / (loss - both) - 1) < 1e-7)
        var (sum, power) = (0.0, correlation)
        while abs(power) > 1e-12 {
            sum += LossChain.bothLost(loss, power) - loss * loss
            power *= correlation
        }
        #expect(abs(chain.inflation - 1 - 2 * sum / (loss * (1 - loss))) < 1e-5)
    }

    /// With ρ = 0 and near 1 the limits are p² and p.
    @Test("neighbours both lost, from independent to one")
    func neighbours() {
        #expect(abs(LossChain.bothLost(0.2, 0) - 0.04) < 1e-12 && abs(LossChain.bothLost(0.2, 0.999_999) - 0.2) < 1e-3)
        #expect(LossChain.bothLost(0, 0.5) == 0 && LossChain.bothLost(1, 0.5) == 1)
        #expect(LossChain.correlated(0.1, 0.96) == nil && LossChain.correlated(1, 0.5)?.share == 1)
    }

    /// By a simulation of the process with the C library's functions: 2,000 blocks of 500 packets; see ``hiddenChain(_:)``.
    @Test("how much the count of neighbours both lost varies", arguments: [(0.1, 0.5), (0.4, 0.8)])
    func neighboursVary(_ loss: Double, _ correlation: Double) throws {
        let chain = try #require(LossChain.correlated(loss, correlation))
        let key = DrawKey(seed: 5).named("process")
        var number: Int64 = 0
        func normal() -> Double {
            number += 1
            let (a, b) = (key.draw(2 * number), key.draw(2 * number + 1))
            return (-2 * log((Double(a >> 11) + 0.5) / 0x1p53)).squareRoot() * cos(2 * Double.pi * Double(b) / 0x1p64)
        }
        var (counts, before): ([Int64], Double) = ([], normal())
        for _ in 0..<2_000 {
            var count: Int64 = 0
            for _ in 0..<500 {
                let next = correlation * before + (1 - correlation * correlation).squareRoot() * normal()
                func isLost(_ z: Double) -> Bool { erfc(-z / 2.0.squareRoot()) / 2 < loss }
                count += isLost(before) && isLost(next) ? 1 : 0
                before = next
            }
            counts.append(count)
        }
        let moments = try #require(SampleStatistics.moments(of: counts))
        #expect(abs(moments.deviation * moments.deviation / (500 * chain.varianceOfNeighbours) - 1) < 0.16)
        let limit = SampleStatistics.meanLimit(
            variance: chain.varianceOfNeighbours, count: 1_000_000, tail: SampleStatistics.fiveSigma)
        #expect(abs(moments.mean / 500 - LossChain.bothLost(loss, correlation)) < limit)
    }

    /// By a simulation of the hidden chain: 2,000 blocks of 1,000 packets; a variance of 2,000 values has a standard
    /// error of √(2 / 2000) of itself, five of which are 16 %.
    @Test("how much run counts of a hidden chain vary", arguments: [1..<2, 2..<4, 1..<Int.max])
    func hiddenChain(_ lengths: Range<Int>) {
        let (p, r, bad, good) = (0.05, 0.2, 0.6, 0.02)
        let chain = LossChain.gilbertElliott(p: p, r: r, bad: bad, good: good)
        let key = DrawKey(seed: 4).named("hidden")
        var (number, isBad): (Int64, Bool) = (0, false)
        func uniform() -> Double {
            number += 1
            return Double(key.draw(number) >> 11) / 0x1p53
        }
        var counts: [Int64] = []
        for _ in 0..<2_000 {
            let fates = (0..<1_000).map { _ in
                isBad = isBad ? uniform() >= r : uniform() < p
                return uniform() < (isBad ? bad : good)
            }
            let runs = SampleStatistics.runLengths(of: true, in: fates)
            counts.append(Int64(runs.reduce(0) { lengths.contains($1.key) ? $0 + $1.value : $0 }))
        }
        let deviation = SampleStatistics.moments(of: counts)?.deviation ?? 0
        #expect(abs(deviation * deviation / (1_000 * chain.variance(ofRuns: lengths)) - 1) < 0.16)
    }

    /// Of Poisson's law with mean 10: P(X ≤ 1) = 0.00050, P(X ≤ 2) = 0.0028, P(X ≤ 21) = 0.99930, P(X ≤ 22) = 0.99970.
    @Test("rare things are counted by Poisson's law")
    func counts() {
        let few = CountLimits(mean: 10, variance: 10)
        #expect(few.low == 2 && few.high == 22)
        let certain = CountLimits(mean: 7, variance: 0)
        #expect(certain.low == 7 && certain.high == 7)
        // Normal: 3.2905 standard deviations.
        let many = CountLimits(mean: 10_000, variance: 10_000)
        #expect(abs(many.high - 10_329.05) < 0.01 && abs(many.low - 9_670.95) < 0.01)
    }

    /// 20,000 counts of Poisson bursts, 20 in the mean, of 5 in the mean: their variance is 20 (2 · 25 − 5) = 900. One in a
    /// thousand lies without, so 20 with a standard deviation of 4.5.
    @Test("rare bursts are counted by the law of Pólya and Aeppli")
    func bursts() {
        let limits = CountLimits(mean: 100, variance: 900)
        let key = DrawKey(seed: 9).named("bursts")
        var number: Int64 = 0
        func exponential() -> Double {
            number += 1
            return -naturalLogarithm((Double(key.draw(number) >> 11) + 0.5) / 0x1p53)
        }
        let outside = (0..<20_000).count { _ in
            var (time, count) = (exponential(), 0.0)
            while time < 20 {
                count += 1 + (exponential() / -naturalLogarithm(0.8)).rounded(.down)
                time += exponential()
            }
            return count < limits.low || count > limits.high
        }
        #expect(5...42 ~= outside, "\(outside)")
    }

    /// Quantiles of tables: Φ(1.6449) = 95 %; ln 20 means; 11.0705 / 2 of χ² with 5 degrees; 20^(1/3) · 6 ms.
    @Test(
        "quantiles of the laws are those of tables",
        arguments: [
            (.normal(deviation: .milliseconds(1)), 11_644_854), (.uniform(halfRange: .milliseconds(1)), 10_900_000),
            (.exponential(mean: .milliseconds(1)), 12_995_732),
            (.gamma(mean: .microseconds(2_500), shape: 2.5), 15_535_249),
            (.pareto(mean: .milliseconds(9), shape: 3), 26_286_506),
        ] as [(ExperimentScenario.Link.Jitter.Law, Int64)])
    func quantiles(_ law: ExperimentScenario.Link.Jitter.Law, _ expected: Int64) throws {
        let law = try DelayLaw(law, delay: .milliseconds(10))
        #expect(abs(law.quantile(0.95) - expected) <= 1)
        #expect(law.cumulative(-1) == 0)
        #expect(abs(law.scores(correlation: 0.5).autocorrelation - 0.5) < 1e-4)
    }

    /// N(0, 1 ms) cut at zero: E = φ(0) ms, E² = ½ ms².
    @Test("a law cut at zero has an atom there, and its moments")
    func cut() throws {
        let law = try DelayLaw(.normal(deviation: .milliseconds(1)), delay: .zero)
        #expect(law.cumulative(0) == 0.5 && law.quantile(0.4) == 0)
        #expect(abs(law.expected { $0 } - 398_942.3) < 20)
        #expect(abs(law.expected { $0 * $0 } / 1e12 - 0.5) < 1e-5)
        #expect(law.scores(correlation: 0.5).autocorrelation < 0.49)
    }
}
