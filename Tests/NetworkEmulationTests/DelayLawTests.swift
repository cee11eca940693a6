import Glibc
import Metrics
import Testing
import Timebase

@testable import NetworkEmulation

/// Every law of delays at a million packets, within five standard deviations of its closed form.
///
/// Correlated draws are a function of a normal process with correlation ρ^k at lag k, so variances of means, shares and
/// quantiles are at most (1 + |ρ|) / (1 − |ρ|) times those of independent draws: see ``SampleStatistics``.
@Suite("Delay laws at a million packets")
struct DelayLawTests {
    static let count = 1_000_000
    static let tail = SampleStatistics.fiveSigma

    struct Draws: Sendable {
        let seed: UInt64
        let correlation: Double
        /// Of the laws, the first so many.
        var laws = ClosedLaw.all.count

        var key: DrawKey { DrawKey(seed: seed).named("law") }

        /// The packets' draws, as a link makes them.
        func draws() -> [UInt64] {
            var correlated = correlation == 0 ? nil : DrawCorrelation(correlation, key: key)
            return (0..<UInt32(count)).map { number in
                correlated?.draw(Packet(number: number)) ?? key.draw(Int64(number))
            }
        }
    }

    static let samples = [
        Draws(seed: 1, correlation: 0), Draws(seed: 2, correlation: 0), Draws(seed: 3, correlation: 0),
        Draws(seed: 4, correlation: 0.5), Draws(seed: 5, correlation: 0.5), Draws(seed: 6, correlation: 0.9, laws: 2),
        Draws(seed: 7, correlation: -0.6, laws: 2),
    ]

    @Test("moments, quantiles, Kolmogorov distance and autocorrelation", arguments: samples)
    func sample(_ sample: Draws) {
        let draws = sample.draws()
        let sorted = Self.sorted(draws)
        #expect(zip(sorted, sorted.dropFirst()).allSatisfy { $0 <= $1 })
        let inflation = SampleStatistics.inflation(correlation: abs(sample.correlation))
        for law in ClosedLaw.all.prefix(sample.laws) {
            let context = "\(law.name), seed \(sample.seed), correlation \(sample.correlation)"
            // Tables rise with the draws.
            check(sorted.lazy.map(law.value), law, inflation, context)
            check(moments: draws.map(law.value), law, sample.correlation, inflation, context)
        }
    }

    /// By the upper 16 bits, then those few by insertion: several times as fast as the library's sorting unoptimized.
    private static func sorted(_ draws: [UInt64]) -> [UInt64] {
        var starts = [Int](repeating: 0, count: 1 << 16 + 1)
        for draw in draws { starts[Int(draw >> 48) + 1] += 1 }
        for index in 1..<starts.count { starts[index] += starts[index - 1] }
        var (ends, sorted) = (starts, draws)
        for draw in draws {
            let bucket = Int(draw >> 48)
            var place = ends[bucket]
            ends[bucket] += 1
            while place > starts[bucket], sorted[place - 1] > draw {
                sorted[place] = sorted[place - 1]
                place -= 1
            }
            sorted[place] = draw
        }
        return sorted
    }

    /// Distance and quantiles.
    private func check(
        _ sorted: some RandomAccessCollection<Int64>, _ law: ClosedLaw, _ inflation: Double, _ context: String
    ) {
        let distance = SampleStatistics.kolmogorovDistance(of: sorted, every: 100) { law.cumulative(Double($0)) }
        let limit = SampleStatistics.kolmogorovLimit(count: Self.count, tail: Self.tail, inflation: inflation)
        #expect(distance < limit, "\(context): distance \(distance), at most \(limit)")
        for probability in [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999] {
            let ranks = SampleStatistics.quantileRanks(
                probability, count: Self.count, tail: Self.tail, inflation: inflation)
            func value(_ rank: Int) -> Double { Double(sorted[sorted.index(sorted.startIndex, offsetBy: rank)]) }
            let (low, high) = (value(ranks.lowerBound), value(ranks.upperBound))
            // The law's quantile lies from low to high, which are whole nanoseconds.
            #expect(
                law.cumulative(low - 1) <= probability && law.cumulative(high + 1) >= probability,
                "\(context): quantile \(probability) not in \(low)...\(high)")
        }
    }

    private func check(
        moments values: [Int64], _ law: ClosedLaw, _ correlation: Double, _ inflation: Double, _ context: String
    ) {
        guard let (mean, deviation) = law.moments, let seen = SampleStatistics.moments(of: values) else { return }
        let variance = deviation * deviation
        let limit = SampleStatistics.meanLimit(
            variance: variance, count: Self.count, tail: Self.tail, inflation: inflation)
        #expect(abs(seen.mean - mean) < limit, "\(context): mean \(seen.mean), \(mean) ± \(limit)")
        if let kurtosis = law.kurtosis {
            let limit = SampleStatistics.deviationLimit(
                deviation: deviation, kurtosis: kurtosis, count: Self.count, tail: Self.tail, inflation: inflation)
            #expect(
                abs(seen.deviation - deviation) < limit,
                "\(context): deviation \(seen.deviation), \(deviation) ± \(limit)")
        }
        // The products of correlated values have a variance where the fourth moment exists; those of independent ones
        // where the second does.
        guard correlation == 0 || law.kurtosis != nil else { return }
        let expected = law.autocorrelation([correlation, correlation * correlation])
        // Independent draws know no lags.
        for lag in correlation == 0 ? [1] : [1, 2] {
            guard
                let autocorrelation = SampleStatistics.autocorrelation(
                    of: values, lag: lag, mean: mean, variance: variance, block: 4_096)
            else { return }
            #expect(
                abs(autocorrelation.value - expected[lag - 1]) < 5 * autocorrelation.error,
                "\(context): lag \(lag) \(autocorrelation), \(expected[lag - 1])")
        }
    }

    @Test("the closed autocorrelation is ρ for the normal law and 6/π asin(ρ/2) for the uniform")
    func copula() {
        for correlation in [-0.6, 0.25, 0.9] {
            #expect(abs(ClosedLaw.normal.autocorrelation([correlation])[0] - correlation) < 1e-6)
            let uniform = 6 / Double.pi * asin(correlation / 2)
            #expect(abs(ClosedLaw.uniform.autocorrelation([correlation])[0] - uniform) < 1e-5)
        }
    }

    @Test("a link's packets take the value at their draw, correlated or not", arguments: ClosedLaw.all.indices)
    func travelling(index: Int) {
        let law = ClosedLaw.all[index]
        for correlation in [0, 0.5] {
            let key = DrawKey(seed: 1).named("law")
            let delay = TimeSpan.seconds(1)
            var traveller = DelayStage(DelayModel(delay: delay, jitter: law.jitter, correlation: correlation, key: key))
            var draws = DrawCorrelation(correlation, key: key)
            for number in 0..<10_000 as Range<UInt32> {
                let packet = Packet(number: number)
                let draw = correlation == 0 ? key.draw(Int64(number)) : draws.draw(packet)
                let time = traveller.travellingTime(of: packet)
                #expect(time == .nanoseconds(max(0, delay.nanoseconds + law.value(draw))), "\(law.name) \(number)")
            }
        }
    }
}
