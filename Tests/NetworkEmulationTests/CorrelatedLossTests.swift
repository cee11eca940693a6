import Glibc
import Metrics
import Testing
import Timebase

@testable import NetworkEmulation

/// Correlated losses at a million packets, within five standard deviations of the normal law's closed forms.
///
/// The losses are a function of a normal process with correlation ρ^k at lag k, so the share lost has at most the variance
/// of independent losses times (1 + |ρ|) / (1 − |ρ|): see ``SampleStatistics``. What concerns two or three packets is judged
/// within blocks of 4,096, at each of which the process begins anew, by the scatter of these blocks.
@Suite("Loss models: correlated losses at a million packets")
struct CorrelatedLossTests {
    static let count = 1_000_000
    static let block = 4_096

    struct Law: Sendable, CustomTestStringConvertible {
        let loss: Double
        let correlation: Double

        var testDescription: String { "\(loss), correlation \(correlation)" }

        func model(seed: UInt64) -> LossModel {
            .correlated(
                CorrelatedLoss(Probability(loss), correlation: correlation, key: DrawKey(seed: seed).named("loss")))
        }

        /// Φ2(z, z; r) with Φ(z) the loss: its derivative by r is the density (Plackett), and r = sin θ takes the root out.
        func bothLost(_ r: Double) -> Double {
            var (low, high) = (-9.0, 9.0)
            for _ in 0..<60 {
                let z = (low + high) / 2
                if erfc(-z / 2.0.squareRoot()) / 2 < loss { low = z } else { high = z }
            }
            let steps = 20_000
            let step = asin(r) / Double(steps)
            let sum = (0..<steps).reduce(0.0) { $0 + exp(-low * low / (1 + sin((Double($1) + 0.5) * step))) }
            return loss * loss + sum * step / (2 * Double.pi)
        }
    }

    static let laws = [
        Law(loss: 0.001, correlation: 0.9), Law(loss: 0.02, correlation: 0.5), Law(loss: 0.2, correlation: 0.95),
        Law(loss: 0.3, correlation: -0.6), Law(loss: 0.5, correlation: 0.3), Law(loss: 0.9, correlation: 0.5),
    ]

    @Test(
        "the share is the probability, and neighbours are lost together as often as the bivariate normal law says",
        arguments: laws)
    func law(_ law: Law) throws {
        let inflation = SampleStatistics.inflation(correlation: abs(law.correlation))
        let limit = SampleStatistics.meanLimit(
            variance: law.loss * (1 - law.loss), count: Self.count, tail: SampleStatistics.fiveSigma,
            inflation: inflation)
        for seed in LossLawTests.seeds {
            let lost = LossLawTests.losses(law.model(seed: seed))
            let share = Double(lost.reduce(0, +)) / Double(Self.count)
            #expect(abs(share - law.loss) < limit, "seed \(seed): \(share) ± \(limit)")
            for lag in [1, 3] {
                let both = Self.rate(of: [1, 1], lag: lag, in: lost)
                let expected = law.bothLost(pow(law.correlation, Double(lag)))
                #expect(abs(both.value - expected) < 5 * both.error, "seed \(seed), lag \(lag): \(both), \(expected)")
            }
        }
    }

    /// Of three packets in a row with scores of one sign: 1/8 + (2 asin ρ + asin ρ²) / 4π (Sheppard, David); by it the runs
    /// of exactly one and of exactly two losses at a probability of one half, which are those of receptions too.
    @Test(
        "at one half, runs of losses are as often of one and more as the trivariate normal law says",
        arguments: [-0.4, 0.5, 0.8])
    func runs(_ correlation: Double) {
        let pair = 0.25 + asin(correlation) / (2 * Double.pi)
        let triple = 0.125 + (2 * asin(correlation) + asin(correlation * correlation)) / (4 * Double.pi)
        for seed in LossLawTests.seeds {
            let lost = LossLawTests.losses(Law(loss: 0.5, correlation: correlation).model(seed: seed))
            let cases: [([Int64], Double)] = [
                ([1, 1, 1], triple), ([0, 1, 0], 0.5 - 2 * pair + triple), ([1, 0, 1], 0.5 - 2 * pair + triple),
                ([0, 1, 1], pair - triple), ([0, 0, 0], triple),
            ]
            for (pattern, expected) in cases {
                let seen = Self.rate(of: pattern, lag: 1, in: lost)
                #expect(abs(seen.value - expected) < 5 * seen.error, "seed \(seed), \(pattern): \(seen), \(expected)")
            }
        }
    }

    /// How often packets `lag` apart meet a pattern, and its standard error by the scatter of blocks.
    private static func rate(of pattern: [Int64], lag: Int, in lost: [Int64]) -> (value: Double, error: Double) {
        let reach = (pattern.count - 1) * lag
        var hits = [Bool](repeating: true, count: lost.count - reach)
        for (offset, fate) in pattern.enumerated() {
            for place in hits.indices where lost[place + offset * lag] != fate { hits[place] = false }
        }
        let rates = (0..<lost.count / block).map { index in
            let places = index * block..<(index + 1) * block - reach
            var count = 0
            for place in places where hits[place] { count += 1 }
            return Double(count) / Double(places.count)
        }
        let mean = rates.reduce(0, +) / Double(rates.count)
        let scatter = rates.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(rates.count - 1)
        return (mean, (scatter / Double(rates.count)).squareRoot())
    }

    @Test("0 loses nothing and 1 everything, and the draws are those of the correlated jitter")
    func edges() {
        let key = DrawKey(seed: 1).named("loss")
        for (loss, fate) in [(0.0, Int64(0)), (1, 1)] {
            let model = LossModel.correlated(CorrelatedLoss(Probability(loss), correlation: 0.5, key: key))
            #expect(LossLawTests.losses(model).allSatisfy { $0 == fate })
        }
        var stage = LossStage(.correlated(CorrelatedLoss(Probability(0.25), correlation: 0.7, key: key)))
        var draws = DrawCorrelation(0.7, key: key)
        for number in 0..<20_000 as Range<UInt32> {
            let packet = Packet(number: number)
            #expect(stage.isLost(packet, at: .zero) == (draws.draw(packet) < 1 << 62))
        }
    }

    @Test("a packet's fate does not depend on which other packets come by, nor on other flows")
    func purity() {
        let law = Law(loss: 0.2, correlation: 0.8)
        let all = LossLawTests.losses(law.model(seed: 4))
        var (some, other) = (LossStage(law.model(seed: 4)), LossStage(law.model(seed: 4)))
        var random = TestRandom(6)
        var differing = 0
        for index in 0..<4_000 as Range<Int64> {
            let number = UInt32(index % 2 == 0 ? random.below(20_000) : 4 * index)
            #expect(some.isLost(Packet(number: number), at: .zero) == (all[Int(number)] == 1))
            if index % 3 == 0 { _ = some.isLost(Packet(number: number, flow: 1), at: .zero) }
            if index % 5 == 0 { _ = some.isLost(Packet(number: number, copy: 1), at: .zero) }
            if other.isLost(Packet(number: number, flow: 1), at: .zero) != (all[Int(number)] == 1) { differing += 1 }
        }
        #expect(differing > 500)
    }
}
