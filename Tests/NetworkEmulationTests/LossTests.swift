import NetworkEmulation
import Testing
import Timebase

/// Which of the packets 0..<count of flow 0 a link with this loss model loses.
func losses(_ model: LossModel, count: UInt32, flow: UInt16 = 0) -> [Bool] {
    var link = Link(loss: model)
    return (0..<count).map { number in
        let verdict = link.handle(Packet(number: number, flow: flow), at: .zero)
        while link.pollOutput(at: .zero) != nil {}
        return verdict == .lost
    }
}

@Suite("Loss models")
struct LossTests {
    static let models: [LossModel] = [
        .bernoulli(PacketChance(Probability(0.1), key: DrawKey(seed: 4).named("loss"))),
        .gilbertElliott(GilbertElliottLoss(loss: 0.1, meanBurst: 5, key: DrawKey(seed: 4).named("loss"))),
        .gilbertElliott(GilbertElliottLoss(loss: 0.3, meanBurst: 100, key: DrawKey(seed: 4).named("loss"))),
        .gilbertElliott(GilbertElliottLoss(loss: 0.5, meanBurst: 1.1, key: DrawKey(seed: 4).named("loss"))),
    ]

    @Test(
        "a packet's verdict is the same whichever other packets come by, and in whatever order",
        arguments: models.indices)
    func purity(index: Int) {
        let model = Self.models[index]
        let all = losses(model, count: 20_000)
        #expect(all.contains(true) && all.contains(false))
        for keepOneIn in [2, 7, 300] as [Int64] {
            var random = TestRandom(UInt64(keepOneIn))
            var link = Link(loss: model)
            for number in 0..<20_000 as Range<UInt32> where random.below(keepOneIn) == 0 {
                #expect((link.handle(Packet(number: number), at: .zero) == .lost) == all[Int(number)])
            }
        }
        // Out of order, repeatedly, far ahead and back again, two flows side by side.
        let other = losses(model, count: 20_000, flow: 3)
        var random = TestRandom(99)
        var link = Link(loss: model)
        for _ in 0..<20_000 {
            let number = UInt32(random.below(20_000))
            let flow: UInt16 = random.below(2) == 0 ? 0 : 3
            let expected = flow == 0 ? all : other
            #expect((link.handle(Packet(number: number, flow: flow), at: .zero) == .lost) == expected[Int(number)])
        }
        #expect(all != other)
    }

    @Test("after a gap of a thousand million packets the verdicts are those of a link that never saw the gap")
    func longGap() {
        for model in Self.models {
            var (continuous, gapped) = (Link(loss: model), Link(loss: model))
            for number in 0..<100 as Range<UInt32> { _ = gapped.handle(Packet(number: number), at: .zero) }
            for number in 1_000_000_000..<1_000_000_500 as Range<UInt32> {
                let packet = Packet(number: number)
                #expect(continuous.handle(packet, at: .zero) == gapped.handle(packet, at: .zero))
            }
        }
    }

    @Test("chains hardly ever left are decided in bounded time")
    func slowChain() {
        let model = GilbertElliottLoss(loss: 0.5, meanBurst: 1e12, key: DrawKey(seed: 1).named("loss"))
        let lost = losses(.gilbertElliott(model), count: 1_000)
        #expect(Set(lost).count == 1)
    }
}
