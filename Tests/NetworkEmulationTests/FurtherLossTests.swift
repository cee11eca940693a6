import NetworkEmulation
import Testing
import Timebase

@Suite("Loss models: further chains, lists and bit errors")
struct FurtherLossTests {
    static let key = DrawKey(seed: 8).named("loss")
    static let count: UInt32 = 300_000

    static func share(_ lost: [Bool]) -> Double { Double(lost.count { $0 }) / Double(lost.count) }

    /// λ = 1 − p − r; the variance of the state's share is inflated by (1 + λ) / (1 − λ), the losses' own added.
    @Test(
        "the chain by its transitions loses its closed form's share",
        arguments: [
            (0.01, 0.25, 0.8, 0.001), (0.1, 0.1, 0.3, 0.05), (0.9, 0.7, 1, 0), (0.02, 1, 1, 0.1), (1e-9, 0.5, 1, 0),
        ])
    func transitions(law: (p: Double, r: Double, bad: Double, good: Double)) {
        let lost = losses(
            .gilbertElliott(
                GilbertElliottLoss(
                    goodToBad: law.p, badToGood: law.r, lossBad: law.bad, lossGood: law.good, key: Self.key)),
            count: Self.count)
        let expected = (law.r * law.good + law.p * law.bad) / (law.p + law.r)
        let bad = law.p / (law.p + law.r)
        let eigenvalue = 1 - law.p - law.r
        let spread = (law.bad - law.good) * (law.bad - law.good) * bad * (1 - bad)
        let own = bad * law.bad * (1 - law.bad) + (1 - bad) * law.good * (1 - law.good)
        let variance = (spread * (1 + eigenvalue) / (1 - eigenvalue) + own) / Double(Self.count)
        #expect(abs(Self.share(lost) - expected) <= 5 * variance.squareRoot())
    }

    /// Of a run of n bad steps floor(n / (m + 1)) get through: their mean is q^m / (1 − q^(m + 1)) a run.
    @Test(
        "no run of losses is longer than the longest, and the share lost falls as documented", arguments: [1, 2, 5, 30])
    func longestBurst(longest: Int) {
        let model = GilbertElliottLoss(loss: 0.2, meanBurst: 8, longestBurst: longest, key: Self.key)
        let lost = losses(.gilbertElliott(model), count: Self.count)
        let counts = runs(of: true, in: lost)
        #expect(counts.keys.max() == longest)
        var kept = 1.0
        let q = 1 - 1.0 / 8
        for _ in 0..<longest { kept *= q }
        let expected = 0.2 * (1 - kept * (1 - q) / (1 - kept * q))
        // Bursts inflate the variance at most as the chain without a limit does.
        let eigenvalue = 1 - (1.0 / 8) / 0.8
        let deviation = (0.16 / Double(Self.count) * (1 + eigenvalue) / (1 - eigenvalue)).squareRoot()
        #expect(abs(Self.share(lost) - expected) < 5 * deviation)
    }

    @Test("a chain in time is bad at the same times, whatever packets come")
    func timeDriven() {
        let model = LossModel.gilbertElliott(
            GilbertElliottLoss(loss: 0.1, meanBurst: 20, step: .milliseconds(1), key: Self.key))
        var (dense, sparse) = (Link(loss: model), Link(loss: model))
        var state: [Int64: Bool] = [:]
        for number in 0..<200_000 as Range<UInt32> {
            let at = Instant(nanoseconds: Int64(number) * 333_333)
            let isLost = dense.handle(Packet(number: number, flow: UInt16(number % 3)), at: at) == .lost
            let step = at.nanoseconds / 1_000_000
            #expect(state[step] ?? isLost == isLost)
            state[step] = isLost
        }
        var random = TestRandom(3)
        var at: Int64 = 0
        var number: UInt32 = 7_000
        while at < 66_000_000_000 {
            let isLost = sparse.handle(Packet(number: number), at: Instant(nanoseconds: at)) == .lost
            #expect(state[at / 1_000_000] == isLost)
            number += 1
            at += random.below(40_000_000)
        }
        let sequence = state.sorted { $0.key < $1.key }.map(\.value)
        #expect(geometricDeviation(runs(of: true, in: sequence), mean: 20) < 5)
    }

    /// Stationary shares by hand; their variance is not in closed form, so five deviations of twenty parts' means are taken.
    @Test(
        "the four-state chain: share lost, isolated losses and bursts",
        arguments: [
            (0.01, 0.3, 0.1, 0.5, 0.005), (0.02, 1, 0, 1, 0), (0.001, 0.05, 0.2, 0.4, 0.02),
        ])
    func fourStates(law: (p13: Double, p31: Double, p32: Double, p23: Double, p14: Double)) throws {
        let model = try #require(
            MarkovLoss(p13: law.p13, p31: law.p31, p32: law.p32, p23: law.p23, p14: law.p14, key: Self.key))
        let first = 1 / (1 + law.p13 * law.p32 / (law.p31 * law.p23) + law.p13 / law.p31 + law.p14)
        let expected = first * law.p13 / law.p31 + first * law.p14
        #expect(abs(model.lossRate - expected) < 1e-12)
        let lost = losses(.markov(model), count: Self.count)
        let parts = (0..<20).map { Self.share(Array(lost[$0 * 15_000..<($0 + 1) * 15_000])) }
        let mean = parts.reduce(0, +) / 20
        let deviation = (parts.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 19 / 20).squareRoot()
        #expect(abs(mean - expected) < 5 * deviation, "\(mean) for \(expected)")
        // A run in state 3 ends with p31 + p32; one in state 4 has length 1.
        let seen = runs(of: true, in: lost)
        let total = Double(seen.values.reduce(0, +))
        let isolated = law.p14 / (law.p14 + law.p13 * (1 + law.p32 / law.p31))
        let expectedOnes = isolated + (1 - isolated) * (law.p31 + law.p32)
        // One packet in 4,096 begins anew, and so may lengthen a run.
        let bound = 5 * (expectedOnes * (1 - expectedOnes) / total).squareRoot() + 2.0 / 4_096
        #expect(abs(Double(seen[1] ?? 0) / total - expectedOnes) < bound)
    }

    @Test("the intuitive inputs give the chain that they describe")
    func intuitiveInputs() throws {
        let model = try #require(
            MarkovLoss(
                loss: 0.05, meanBurst: 10, burstDensity: 0.8, isolatedLoss: 0.01, meanGoodRun: 2, key: Self.key))
        #expect(abs(model.lossRate - 0.05) < 1e-12 && abs(model.burstDensity - 0.8) < 1e-12)
        let lost = losses(.markov(model), count: 500_000)
        #expect(abs(Self.share(lost) - 0.05) < 0.0025)
        #expect(MarkovLoss(loss: 0.5, meanBurst: 3, burstDensity: 0.4, key: Self.key) == nil)
        #expect(MarkovLoss(p13: 0.6, p31: 0.5, p14: 0.6, key: Self.key) == nil)
        #expect(MarkovLoss(p13: 0.6, p31: 0, key: Self.key) == nil)
    }

    @Test("a list loses exactly its packets, once or in every period")
    func lists() throws {
        let once = losses(.listed(try #require(ListedLoss([5, 6, 17]))), count: 300)
        #expect(once.indices.filter { once[$0] } == [5, 6, 17])
        let periodic = losses(.listed(try #require(ListedLoss([5, 6, 17], repeatingEvery: 100))), count: 300)
        #expect(periodic.indices.filter { periodic[$0] } == [5, 6, 17, 105, 106, 117, 205, 206, 217])
        let other = losses(.listed(try #require(ListedLoss([5], flow: 2))), count: 300)
        #expect(!other.contains(true))
        #expect(ListedLoss([100], repeatingEvery: 100) == nil && ListedLoss([-1]) == nil)
        #expect(ListedLoss([], repeatingEvery: 0) == nil && ListedLoss([1 << 24]) == nil)
    }

    @Test(
        "bit errors lose 1 − (1 − rate)^bits of the packets of a length", arguments: [1e-6, 1e-4, 1e-2],
        [40, 1_356] as [UInt16])
    func bitErrors(rate: Double, length: UInt16) {
        var link = Link(loss: .bitErrors(BitErrorLoss(rate: rate, key: Self.key)))
        var lost = 0
        for number in 0..<200_000 as Range<UInt32> {
            if link.handle(Packet(number: number, length: length), at: .zero) == .lost { lost += 1 }
        }
        var survival = 1.0
        for _ in 0..<8 * Int(length) { survival *= 1 - rate }
        let deviation = (survival * (1 - survival) / 200_000).squareRoot()
        #expect(abs(Double(lost) / 200_000 - (1 - survival)) < 5 * deviation + 1e-9)
    }

    @Test("verdicts of every chain are the same whichever other packets come by")
    func purity() throws {
        let models: [LossModel] = [
            .gilbertElliott(GilbertElliottLoss(loss: 0.2, meanBurst: 8, longestBurst: 3, key: Self.key)),
            .gilbertElliott(
                GilbertElliottLoss(goodToBad: 0.05, badToGood: 0.2, lossBad: 0.6, lossGood: 0.1, key: Self.key)),
            .markov(try #require(MarkovLoss(p13: 0.05, p31: 0.2, p32: 0.3, p23: 0.4, p14: 0.02, key: Self.key))),
        ]
        for model in models {
            let all = losses(model, count: 12_000)
            var link = Link(loss: model)
            var random = TestRandom(5)
            for index in 0..<2_000 as Range<Int64> {
                let number = UInt32(index % 2 == 0 ? random.below(12_000) : 2 * index)
                #expect((link.handle(Packet(number: number), at: .zero) == .lost) == all[Int(number)])
            }
        }
    }
}
