import Metrics
import Testing
import Timebase

@testable import NetworkEmulation

@Suite("Loss models: further chains, lists and bit errors")
struct FurtherLossTests {
    static let key = DrawKey(seed: 8).named("loss")

    @Test("no run of losses is longer than the longest, and some are as long", arguments: [1, 2, 5, 30])
    func longestBurst(longest: Int) {
        let model = GilbertElliottLoss(loss: 0.2, meanBurst: 8, longestBurst: longest, key: Self.key)
        let lost = losses(.gilbertElliott(model), count: 100_000)
        #expect(SampleStatistics.runLengths(of: true, in: lost).keys.max() == longest)
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
    }

    @Test("the intuitive inputs give the chain that they describe")
    func intuitiveInputs() throws {
        let model = try #require(
            MarkovLoss(
                loss: 0.05, meanBurst: 10, burstDensity: 0.8, isolatedLoss: 0.01, meanGoodRun: 2, key: Self.key))
        #expect(abs(model.lossRate - 0.05) < 1e-12 && abs(model.burstDensity - 0.8) < 1e-12)
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
        let ofProgram = try #require(ListedLoss([5], mediaOnly: true))
        #expect(!losses(.listed(ofProgram), count: 300).contains(true))
        for flow in 0...2 as ClosedRange<UInt16> {
            #expect(ofProgram.isLost(Packet(number: 5, flow: flow, marks: [.ecnCapable, .media])))
            #expect(!ofProgram.isLost(Packet(number: 6, flow: flow, marks: .media)))
        }
        #expect(ListedLoss([100], repeatingEvery: 100) == nil && ListedLoss([-1]) == nil)
        #expect(ListedLoss([], repeatingEvery: 0) == nil && ListedLoss([1 << 24]) == nil)
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
