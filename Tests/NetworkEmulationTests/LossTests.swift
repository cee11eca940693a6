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

/// Lengths of the runs of `value`, whole ones only.
func runs(of value: Bool, in sequence: [Bool]) -> [Int: Int] {
    var counts: [Int: Int] = [:]
    var length = 0
    for item in sequence {
        if item == value {
            length += 1
        } else if length > 0 {
            counts[length, default: 0] += 1
            length = 0
        }
    }
    return counts
}

/// How far runs are from geometric ones with mean `mean`: chi-square over classes of lengths that are expected at least
/// 20 times (and, where there are many, in at least a thirtieth of all), as its distance from its mean in its standard
/// deviations. Where runs of more than one are too rare for that, the distance of their number from its mean.
func geometricDeviation(_ counts: [Int: Int], mean: Double) -> Double {
    let total = Double(counts.values.reduce(0, +))
    let stay = 1 - 1 / mean
    guard stay > 0 else { return total == Double(counts[1] ?? 0) ? 0 : .infinity }
    let least = mean < 3 ? 20 : max(20, total / 30)
    if total * stay < least { return (total - Double(counts[1] ?? 0) - total * stay) / (total * stay + 1).squareRoot() }
    var (sum, freedom, rest, restSeen) = (0.0, -1.0, total, total)
    var (expected, seen, tail) = (0.0, 0.0, 1.0)
    var length = 1
    while rest >= 2 * least {
        seen += Double(counts[length] ?? 0)
        expected += total * tail / mean
        tail *= stay
        length += 1
        guard expected >= least, rest - expected >= least || tail == 0 else {
            if rest - expected < least { break }
            continue
        }
        sum += (seen - expected) * (seen - expected) / expected
        rest -= expected
        restSeen -= seen
        freedom += 1
        (expected, seen) = (0, 0)
    }
    sum += (restSeen - rest) * (restSeen - rest) / rest
    freedom += 1
    return freedom > 0 ? (sum - freedom) / (2 * freedom).squareRoot() : .infinity
}

@Suite("Loss models")
struct LossTests {
    static let count: UInt32 = 300_000

    @Test("Bernoulli: rate and run lengths", arguments: [0.001, 0.02, 0.3, 0.9], [1, 2] as [UInt64])
    func bernoulli(loss: Double, seed: UInt64) {
        let model = BernoulliLoss(Probability(loss), key: DrawKey(seed: seed).named("loss"))
        let lost = losses(.bernoulli(model), count: Self.count)
        let mean = Double(lost.count { $0 }) / Double(lost.count)
        let deviation = (loss * (1 - loss) / Double(lost.count)).squareRoot()
        #expect(abs(mean - loss) < 5 * deviation, "seed \(seed): \(mean)")
        #expect(geometricDeviation(runs(of: true, in: lost), mean: 1 / (1 - loss)) < 5, "seed \(seed)")
        #expect(geometricDeviation(runs(of: false, in: lost), mean: 1 / loss) < 5, "seed \(seed)")
    }

    @Test("probabilities 0 and 1 are exact, and 1e-9 is neither")
    func edges() {
        let key = DrawKey(seed: 1).named("loss")
        #expect(!losses(.bernoulli(BernoulliLoss(.never, key: key)), count: 10_000).contains(true))
        #expect(!losses(.bernoulli(BernoulliLoss(.always, key: key)), count: 10_000).contains(false))
        #expect(!losses(.bernoulli(BernoulliLoss(Probability(1e-9), key: key)), count: 10_000).contains(true))
        #expect(
            !losses(.gilbertElliott(GilbertElliottLoss(loss: 0, meanBurst: 3, key: key)), count: 10_000).contains(true))
        #expect(!losses(.none, count: 1_000).contains(true))
    }

    /// The standard deviation of the share lost is that of independent losses, inflated by (1 + λ) / (1 − λ) with
    /// λ = 1 − p − r, the chain's second eigenvalue.
    @Test(
        "Gilbert-Elliott: rate and run lengths",
        arguments: [(0.01, 3.0), (0.01, 20), (0.2, 4), (0.5, 2), (0.3, 1.2), (0.9, 30), (0.5, 1)], [1, 2] as [UInt64])
    func gilbertElliott(law: (loss: Double, meanBurst: Double), seed: UInt64) {
        let key = DrawKey(seed: seed).named("loss")
        let model = GilbertElliottLoss(loss: law.loss, meanBurst: law.meanBurst, key: key)
        let lost = losses(.gilbertElliott(model), count: Self.count)
        let mean = Double(lost.count { $0 }) / Double(lost.count)
        let toGood = 1 / law.meanBurst
        let toBad = toGood * law.loss / (1 - law.loss)
        let eigenvalue = 1 - toGood - toBad
        let variance = law.loss * (1 - law.loss) / Double(lost.count) * (1 + eigenvalue) / (1 - eigenvalue)
        // A chain that alternates has no variance: its share is within one packet.
        #expect(
            abs(mean - law.loss) <= 5 * max(0, variance).squareRoot() + 1 / Double(lost.count), "seed \(seed): \(mean)")
        #expect(geometricDeviation(runs(of: true, in: lost), mean: law.meanBurst) < 5, "seed \(seed)")
        #expect(geometricDeviation(runs(of: false, in: lost), mean: 1 / toBad) < 5, "seed \(seed)")
    }

    static let models: [LossModel] = [
        .bernoulli(BernoulliLoss(Probability(0.1), key: DrawKey(seed: 4).named("loss"))),
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
