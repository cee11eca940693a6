import Glibc
import Metrics
import Testing
import Timebase

@testable import NetworkEmulation

/// Every loss model at a million packets, within five standard deviations of its closed form.
///
/// The variance of the share lost is that of independent losses times 1 + 2 Σ ρ, which for the two-state chain is
/// (1 + λ) / (1 − λ) with λ = 1 − p − r. Run lengths and the correlation of neighbours are judged by the scatter of 200
/// or 244 blocks of the same sequence.
@Suite("Loss models at a million packets")
struct LossLawTests {
    static let count = 1_000_000
    static let seeds: [UInt64] = [1, 2, 3]

    struct Law: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let chain: LossChain
        let model: @Sendable (DrawKey) -> LossModel

        init(_ name: String, _ chain: LossChain, _ model: @escaping @Sendable (DrawKey) -> LossModel) {
            testDescription = name
            self.chain = chain
            self.model = model
        }
    }

    static let laws: [Law] =
        [0.001, 0.5].map { loss in
            Law("Bernoulli \(loss)", .bernoulli(loss)) { .bernoulli(PacketChance(Probability(loss), key: $0)) }
        }
        + ([(0.01, 3), (0.3, 1.2), (0.2, 20)] as [(Double, Double)]).map { loss, burst in
            Law("Gilbert-Elliott \(loss), \(burst)", .gilbertElliott(loss: loss, meanBurst: burst)) {
                .gilbertElliott(GilbertElliottLoss(loss: loss, meanBurst: burst, key: $0))
            }
        }
        + ([(0.01, 0.25, 0.8, 0.001), (0.9, 0.7, 1, 0), (0.02, 1, 1, 0.1)] as [(Double, Double, Double, Double)])
        .map { p, r, bad, good in
            Law("Gilbert-Elliott by p \(p), r \(r), \(bad), \(good)", .gilbertElliott(p: p, r: r, bad: bad, good: good))
            {
                .gilbertElliott(
                    GilbertElliottLoss(goodToBad: p, badToGood: r, lossBad: bad, lossGood: good, key: $0))
            }
        }
        + [
            Law("longest burst 5", .longestBurst(loss: 0.2, meanBurst: 8, longest: 5)) {
                .gilbertElliott(GilbertElliottLoss(loss: 0.2, meanBurst: 8, longestBurst: 5, key: $0))
            },
            Law("Gilbert-Elliott in time", .gilbertElliott(loss: 0.1, meanBurst: 20)) {
                .gilbertElliott(GilbertElliottLoss(loss: 0.1, meanBurst: 20, step: .milliseconds(1), key: $0))
            },
            Law("four states", .markov(p13: 0.01, p31: 0.3, p32: 0.1, p23: 0.5, p14: 0.005)) {
                MarkovLoss(p13: 0.01, p31: 0.3, p32: 0.1, p23: 0.5, p14: 0.005, key: $0).map { .markov($0) } ?? .none
            },
            Law(
                "four states by what is seen", .markov(loss: 0.05, burst: 10, density: 0.8, isolated: 0.01, goodRun: 2)
            ) {
                MarkovLoss(loss: 0.05, meanBurst: 10, burstDensity: 0.8, isolatedLoss: 0.01, meanGoodRun: 2, key: $0)
                    .map { .markov($0) } ?? .none
            },
        ]
        // 1,000 bytes: 1 − (1 − rate)^8000.
        + [1e-6, 1e-4].map { rate in
            Law("bit errors \(rate)", .bernoulli(-expm1(8_000 * log1p(-rate)))) {
                .bitErrors(BitErrorLoss(rate: rate, key: $0))
            }
        }

    /// 1 for a lost packet; one a millisecond.
    static func losses(_ model: LossModel) -> [Int64] {
        var stage = LossStage(model)
        return (0..<UInt32(count)).map { number in
            let at = Instant(nanoseconds: Int64(number) * 1_000_000)
            return stage.isLost(Packet(number: number, at: at), at: at) ? 1 : 0
        }
    }

    @Test("share lost, run lengths and lag-1 correlation", arguments: laws)
    func law(_ law: Law) throws {
        let chain = law.chain
        #expect(chain.imbalance < 1e-15)
        let (share, correlation) = (chain.share, chain.autocorrelations[0])
        let limit = SampleStatistics.meanLimit(
            variance: share * (1 - share), count: Self.count, tail: SampleStatistics.fiveSigma,
            inflation: chain.inflation)
        let runs = [1, 0].map { RunClasses(of: $0, chain) }
        for seed in Self.seeds {
            let lost = Self.losses(law.model(DrawKey(seed: seed).named("loss")))
            let context: Comment = "\(law.testDescription), seed \(seed)"
            let seen = Double(lost.reduce(0, +)) / Double(Self.count)
            #expect(abs(seen - share) < limit, "\(context): \(seen) for \(share) ± \(limit)")
            let autocorrelation = try #require(
                SampleStatistics.autocorrelation(
                    of: lost, lag: 1, mean: share, variance: share * (1 - share), block: 4_096))
            #expect(
                abs(autocorrelation.value - correlation) < 5 * autocorrelation.error,
                "\(context): lag 1 \(autocorrelation) for \(correlation)")
            for runs in runs {
                let (worst, text) = runs.deviation(of: lost)
                #expect(worst < 5, "\(context): runs\(text)")
            }
        }
    }

    /// Runs of one kind by classes of lengths, as the closed form has them.
    struct RunClasses {
        private static let block = 5_000
        private let kind: Int64
        /// Of each class its longest length and how many are expected.
        private var classes: [(length: Int, expected: Double)] = []

        /// At least 200 runs a class, and at least a 20th of all, so that there are not too many.
        init(of kind: Int64, _ chain: LossChain) {
            self.kind = kind
            let rates = chain.runs(ofLost: kind == 1).map { $0 * Double(count) }
            var (sum, rest) = (0.0, rates.reduce(0, +))
            let least = max(200, rest / 20)
            for (index, rate) in rates.enumerated() {
                sum += rate
                guard sum >= least, rest - sum >= least else { continue }
                classes.append((index + 1, sum))
                (sum, rest) = (0, rest - sum)
            }
            classes.append((.max, rest))
        }

        /// The largest deviation of a class, in standard errors by the scatter of blocks, and what was seen; one run may
        /// be cut off at either end of the sequence.
        func deviation(of sequence: [Int64]) -> (worst: Double, text: String) {
            let blocks = sequence.count / Self.block
            var counts = classes.map { _ in [Double](repeating: 0, count: blocks) }
            var length = 0
            for (position, item) in sequence.enumerated() {
                if item == kind {
                    length += 1
                } else if length > 0 {
                    counts[classes.firstIndex { length <= $0.length } ?? 0][position / Self.block] += 1
                    length = 0
                }
            }
            var (worst, text) = (0.0, "")
            for (law, counts) in zip(classes, counts) {
                let seen = counts.reduce(0, +)
                let mean = seen / Double(blocks)
                let scatter = counts.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
                let error = (scatter * Double(blocks) / Double(blocks - 1)).squareRoot()
                worst = max(worst, max(0, abs(seen - law.expected) - 1) / max(error, 1e-9))
                text += " ≤ \(law.length): \(seen) for \(law.expected) ± \(error),"
            }
            return (worst, text)
        }
    }

    @Test("the chain's closed forms are the known ones of two states")
    func closedForms() {
        let (p, r) = (0.01, 0.25)
        let chain = LossChain.gilbertElliott(p: p, r: r)
        #expect(abs(chain.share - p / (p + r)) < 1e-15)
        #expect(abs(chain.autocorrelations[0] - (1 - p - r)) < 1e-12)
        #expect(abs(chain.inflation - SampleStatistics.inflation(correlation: 1 - p - r)) < 1e-6)
        for (isLost, end) in [(true, r), (false, p)] {
            let runs = chain.runs(ofLost: isLost)
            let total = runs.reduce(0, +)
            var geometric = end
            for rate in runs.prefix(50) {
                #expect(abs(rate / total - geometric) < 1e-8)
                geometric *= 1 - end
            }
        }
        // Of a run of n bad steps floor(n / (m + 1)) get through.
        for longest in [1, 5] {
            var kept = 1.0
            for _ in 0..<longest { kept *= 7 / 8.0 }
            let share = LossChain.longestBurst(loss: 0.2, meanBurst: 8, longest: longest).share
            #expect(abs(share - 0.2 * (1 - kept / 8 / (1 - kept * 7 / 8))) < 1e-12)
        }
        // What the four states' human numbers ask for.
        #expect(
            abs(LossChain.markov(loss: 0.05, burst: 10, density: 0.8, isolated: 0.01, goodRun: 2).share - 0.05) < 1e-12)
    }

    @Test("0 loses nothing and 1 everything, in every model")
    func edges() throws {
        let key = DrawKey(seed: 1).named("loss")
        let none: [LossModel] = [
            .bernoulli(PacketChance(Probability(0), key: key)), .bitErrors(BitErrorLoss(rate: 0, key: key)),
            .gilbertElliott(GilbertElliottLoss(loss: 0, meanBurst: 3, key: key)),
            .markov(try #require(MarkovLoss(p13: 0, p31: 1, key: key))),
        ]
        for model in none { #expect(Self.losses(model).allSatisfy { $0 == 0 }) }
        let all: [LossModel] = [
            .bernoulli(PacketChance(Probability(1), key: key)), .bitErrors(BitErrorLoss(rate: 1, key: key)),
            .gilbertElliott(GilbertElliottLoss(goodToBad: 1, badToGood: 0, key: key)),
            .listed(try ListedLoss(trace: [0x31])),
        ]
        for model in all { #expect(Self.losses(model).allSatisfy { $0 == 1 }) }
        // p = r = 1: in turn. r = 1: bursts of one.
        let turns = Self.losses(.gilbertElliott(GilbertElliottLoss(goodToBad: 1, badToGood: 1, key: key)))
        #expect(zip(turns, turns.dropFirst()).allSatisfy { $0 != $1 })
        let single = Self.losses(.gilbertElliott(GilbertElliottLoss(loss: 0.3, meanBurst: 1, key: key)))
        #expect(SampleStatistics.runLengths(of: true, in: single.map { $0 == 1 }).keys.sorted() == [1])
    }

    /// A million packets lose none with probability e^(−0.001) = 99.9 %; the threshold itself says that it is neither 0
    /// nor anything else: 2^64 / 10^9 to a tenth of a thousandth of a millionth.
    @Test("1e-9 is a probability of its own", arguments: [1e-9, 1e-18])
    func tiny(value: Double) {
        let probability = Probability(value)
        #expect(!probability.isNever && abs(probability.value / value - 1) < (value == 1e-9 ? 1e-10 : 0.03))
        let threshold = UInt64(value * 0x1p64)
        #expect(threshold > 0 && probability.isHit(by: threshold - 1) && !probability.isHit(by: threshold))
        let key = DrawKey(seed: 1).named("loss")
        #expect(Self.losses(.bernoulli(PacketChance(probability, key: key))).allSatisfy { $0 == 0 })
    }

    @Test("patterns and traces lose exactly their packets of a million")
    func exact() throws {
        let pattern = Self.losses(.listed(try #require(ListedLoss([5, 6, 17], repeatingEvery: 100))))
        let trace = (0..<977).map { UInt8(ascii: $0 * $0 % 7 == 2 ? "1" : "0") }
        let traced = Self.losses(.listed(try ListedLoss(trace: trace)))
        for number in 0..<Self.count {
            guard pattern[number] == ([5, 6, 17].contains(number % 100) ? 1 : 0),
                traced[number] == (trace[number % 977] == UInt8(ascii: "1") ? 1 : 0)
            else {
                Issue.record("packet \(number)")
                return
            }
        }
    }
}
