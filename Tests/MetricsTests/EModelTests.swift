import Testing
import Timebase

@testable import Metrics

@Suite("E-model (ITU-T G.107)")
struct EModelTests {
    /// A published point: what R and MOS are with each of the two terms for delay.
    struct Point: Sendable, CustomTestStringConvertible {
        let codec: String
        let equipment: EquipmentImpairment
        let delay: Int64
        let percent: Double
        let burstRatio: Double
        let simplified: (r: Double, mos: Double)
        let full: (r: Double, mos: Double)

        var testDescription: String { "\(codec), \(delay) ms, \(percent) %, BurstR \(burstRatio)" }
    }

    private static let g729 = EquipmentImpairment(factor: 11, lossRobustness: 19)

    static let points: [Point] = [
        Point(
            codec: "G.711", equipment: .g711, delay: 0, percent: 0, burstRatio: 1, simplified: (93.2, 4.4093),
            full: (93.2, 4.4093)),
        Point(
            codec: "G.711", equipment: .g711, delay: 150, percent: 0, burstRatio: 1, simplified: (89.6, 4.3291),
            full: (93.0365, 4.4061)),
        Point(
            codec: "G.711", equipment: .g711, delay: 150, percent: 1, burstRatio: 1, simplified: (85.9602, 4.2279),
            full: (89.3966, 4.3239)),
        Point(
            codec: "G.711 without concealment", equipment: .g711WithoutConcealment, delay: 150, percent: 1,
            burstRatio: 1, simplified: (71.6755, 3.6746), full: (75.1119, 3.8267)),
        Point(
            codec: "G.711", equipment: .g711, delay: 250, percent: 3, burstRatio: 1, simplified: (69.0607, 3.5526),
            full: (74.1409, 3.7847)),
        Point(
            codec: "G.711", equipment: .g711, delay: 250, percent: 3, burstRatio: 2, simplified: (68.4887, 3.5253),
            full: (73.5690, 3.7596)),
        Point(
            codec: "G.729A", equipment: g729, delay: 150, percent: 2, burstRatio: 1, simplified: (70.6, 3.6250),
            full: (74.0365, 3.7801)),
        Point(
            codec: "G.711", equipment: .g711, delay: 400, percent: 0, burstRatio: 1, simplified: (59.1030, 3.0534),
            full: (69.1299, 3.5559)),
    ]

    @Test("R and MOS are the published ones, with either term for delay", arguments: points)
    func published(_ point: Point) {
        let delay = TimeSpan.milliseconds(point.delay)
        let equipment = EModel.effectiveEquipmentImpairment(
            point.equipment, loss: point.percent / 100, burstRatio: point.burstRatio)
        let simplified = EModel.rating(
            delayImpairment: EModel.simplifiedDelayImpairment(delay), equipmentImpairment: equipment)
        let full = EModel.rating(
            delayImpairment: EModel.absoluteDelayImpairment(delay), equipmentImpairment: equipment)
        // Four digits are published; a tenth of R is what is asked for.
        #expect(abs(simplified - point.simplified.r) < 0.0002 && abs(full - point.full.r) < 0.0002)
        #expect(abs(EModel.meanOpinionScore(simplified) - point.simplified.mos) < 0.0001)
        #expect(abs(EModel.meanOpinionScore(full) - point.full.mos) < 0.0001)
    }

    @Test(
        "MOS of the limits of user satisfaction is that of G.107's annex B",
        arguments: [(90.0, 4.34), (80, 4.03), (70, 3.60), (60, 3.10), (50, 2.58)])
    func satisfaction(rating: Double, mos: Double) {
        // The annex has two digits behind the point, and 4.03 where the formula gives 4.024.
        #expect(abs(EModel.meanOpinionScore(rating) - mos) < 0.0065)
    }

    @Test("MOS stays on its scale and never falls with R")
    func scale() {
        var latest = 1.0
        for step in -100...1_200 {
            let mos = EModel.meanOpinionScore(Double(step) / 10)
            #expect((1...4.5).contains(mos) && mos >= latest - 1e-12)
            latest = mos
        }
        #expect(EModel.meanOpinionScore(100) == 4.5 && EModel.meanOpinionScore(0) == 1)
    }

    @Test("Idd begins at 100 ms and grows with delay; at twice that, and eight times, it is what its formula says")
    func absoluteDelay() {
        #expect(EModel.absoluteDelayImpairment(.milliseconds(100)) == 0)
        #expect(EModel.absoluteDelayImpairment(.zero) == 0)
        // X = 1: 25 (2^(1/6) - 3 (1 + 1/729)^(1/6) + 2); X = 3: 25 (730^(1/6) - 3 * 2^(1/6) + 2).
        let sixthOfTwo = 1.122_462_048_309_373
        let sixthOf730 = 3.000_685_479_0
        let sixthOf730By729 = sixthOf730 / 3
        let double = EModel.absoluteDelayImpairment(.milliseconds(200))
        #expect(abs(double - 25 * (sixthOfTwo - 3 * sixthOf730By729 + 2)) < 1e-6)
        let octave = EModel.absoluteDelayImpairment(.milliseconds(800))
        #expect(abs(octave - 25 * (sixthOf730 - 3 * sixthOfTwo + 2)) < 1e-6)
        var latest = 0.0
        for delay in stride(from: Int64(101), through: 2_000, by: 7) {
            let now = EModel.absoluteDelayImpairment(.milliseconds(delay))
            #expect(now > latest)
            latest = now
        }
    }

    @Test("Losses more even than chance's count as chance's")
    func evenLosses() {
        let even = EModel.effectiveEquipmentImpairment(.g711, loss: 0.2, burstRatio: 0.8)
        #expect(even == EModel.effectiveEquipmentImpairment(.g711, loss: 0.2, burstRatio: 1))
    }
}

@Suite("Burst ratio (ITU-T G.107 §7.5)")
struct BurstRatioTests {
    private func ratio(_ pattern: String, times: Int = 1) -> BurstRatio {
        var ratio = BurstRatio()
        for _ in 0..<times { for letter in pattern { ratio.add(isLost: letter == "x") } }
        return ratio
    }

    @Test(
        "is the mean run of losses over that of chance",
        arguments: [
            ("..........", nil), ("", nil), ("xxxx", nil), ("x...", 0.75), ("xx......", 1.5), ("xx..x...", 0.9375),
            ("...xxx...x......", 1.5),
        ] as [(String, Double?)])
    func byHand(pattern: String, value: Double?) {
        #expect(ratio(pattern).value == value)
        #expect(ratio(pattern).count == Int64(pattern.count))
    }

    @Test(
        "is 1 / (p + q) of a two-state chain, and 1 of losses by chance",
        arguments: [(0.02, 0.4), (0.1, 0.9), (0.05, 0.2)])
    func chain(p: Double, q: Double) {
        var ratio = BurstRatio()
        let key = DrawKey(seed: 7).named("chain")
        let count: Int64 = 400_000
        var isLost = false
        for number in 0..<count {
            isLost = Probability(isLost ? 1 - q : p).isHit(by: key.draw(number))
            ratio.add(isLost: isLost)
        }
        // Runs are geometric, and the share's variance is that of a chain with this correlation.
        let runs = Double(count) * p * q / (p + q)
        let share = p * q * (2 - p - q) / (p + q) / (p + q) / (p + q) / Double(count)
        let length = (1 - q) / runs / q / q
        let sigma = (length * q * q / (p + q) / (p + q) + share / q / q).squareRoot()
        #expect(abs((ratio.value ?? 0) - 1 / (p + q)) < 5 * sigma, "seed 7")
    }
}
