import Testing
import Timebase

@testable import NetworkEmulation

@Suite("Delay laws")
struct LawTests {
    static let ms = 1e6
    static let count = 200_000

    static func sample(_ jitter: DelayModel.Jitter, delay: TimeSpan = .zero, seed: UInt64 = 1) -> [Int64] {
        var model = Traveller(DelayModel(delay: delay, jitter: jitter, key: DrawKey(seed: seed).named("law")))
        return (0..<UInt32(count)).map { model.travellingTime(of: Packet(number: $0)).nanoseconds }
    }

    static func mean(_ sample: [Int64]) -> Double { Double(sample.reduce(0, +)) / Double(sample.count) }

    @Test("exponential", arguments: [1, 2, 3] as [UInt64])
    func exponentialLaw(seed: UInt64) {
        let sample = Self.sample(.quantiles(.exponential(mean: .milliseconds(7))), seed: seed)
        #expect(kolmogorovSmirnov(sample) { 1 - exponential(-$0 / 7e6) } < 2.3, "seed \(seed)")
        #expect(abs(Self.mean(sample) - 7e6) < 5 * 7e6 / Double(Self.count).squareRoot())
    }

    @Test("Pareto: nothing below its least value, and its power above", arguments: [1.2, 2.5, 6])
    func pareto(shape: Double) {
        let sample = Self.sample(.quantiles(.pareto(mean: .milliseconds(9), shape: shape)))
        let least = 9e6 * (shape - 1) / shape
        #expect(Double(sample.min() ?? 0) >= least - 1)
        #expect(kolmogorovSmirnov(sample) { $0 <= least ? 0 : 1 - power(least / $0, shape) } < 2.3)
    }

    /// The sum of k exponentials for whole shapes: 1 − e^(−x) Σ x^i / i!; ½ is the square of a normal deviate.
    @Test(
        "gamma is Erlang's for whole shapes, exponential for 1, and chi-square for a half",
        arguments: [0.5, 1, 2, 7, 200])
    func gamma(shape: Double) {
        let sample = Self.sample(.quantiles(.gamma(mean: .milliseconds(10), shape: shape)))
        let cumulative = NormalCumulative()
        let distance = kolmogorovSmirnov(sample) { value in
            let x = max(value, 0) / 10e6 * shape
            if shape == 0.5 { return 2 * cumulative((2 * x).squareRoot()) - 1 }
            var (term, sum) = (exponential(-x), exponential(-x))
            for i in stride(from: 1.0, to: shape, by: 1) {
                term *= x / i
                sum += term
            }
            return 1 - sum
        }
        #expect(distance < 2.3)
        let deviation = 10e6 / shape.squareRoot()
        #expect(abs(Self.mean(sample) - 10e6) < 5 * deviation / Double(Self.count).squareRoot())
    }

    @Test("gamma's far tails are those of closed forms")
    func gammaTails() {
        let table = QuantileTable.gamma(mean: .seconds(1), shape: 1)
        // Tails of 2^-20 either way: 20 ln 2 and 2^-20 means.
        #expect(abs(table.value(at: 0 &- (1 << 44)) - 13_862_943_611) < 20)
        #expect(abs(table.value(at: 1 << 44) - 954) <= 1)
        let half = QuantileTable.gamma(mean: .seconds(1), shape: 0.5)
        // The square of the normal quantile of a two-sided tail.
        let deviate = NormalDistribution.deviate(upperTail: 0x1p-21)
        #expect(abs(Double(half.value(at: 0 &- (1 << 44))) / (deviate * deviate * 1e9) - 1) < 1e-6)
    }

    @Test("paretonormal is a quarter normal and three quarters Pareto, quantile by quantile")
    func paretoNormal() {
        let table = QuantileTable.paretoNormal(scale: .milliseconds(8))
        // The median: (0 + 3 · (2^(1/3) − 1.5) · 4/3) / 4 = 2^(1/3) − 1.5 = −0.2400790.
        #expect(abs(table.value(at: 1 << 63) + 1_920_632) <= 1)
        // Upper quarter: (0.6744898 + 3 · (4^(1/3) − 1.5) · 4/3) / 4 = 0.2560235.
        #expect(abs(table.value(at: 3 << 62) - 2_048_188) <= 2)
    }

    @Test("a trace gives the n-th packet of every flow its n-th value, round and round")
    func trace() throws {
        let table = try #require(ValueTable([3, 1, 4, 1, 5].map { .milliseconds($0) }))
        var model = Traveller(DelayModel(delay: .milliseconds(1), jitter: .trace(table), key: DrawKey(seed: 1)))
        for number in [0, 1, 2, 3, 4, 5, 12, 4_000_000_002] as [UInt32] {
            let expected = TimeSpan.milliseconds(1 + [3, 1, 4, 1, 5][Int(number % 5)])
            #expect(model.travellingTime(of: Packet(number: number, flow: 3)) == expected)
        }
        #expect(ValueTable([]) == nil)
    }

    /// The arc sine by its integral's series: small arguments only.
    static func arcSine(_ x: Double) -> Double {
        var (term, sum, n) = (x, x, 1.0)
        while term.magnitude > 1e-12, n < 2_000 {
            term *= x * x * n * n / ((n + 1) * (n + 2))
            sum += term
            n += 2
        }
        return sum
    }

    static func autocorrelation(_ sample: [Int64], lag: Int) -> Double {
        let mean = mean(sample)
        var (covariance, variance) = (0.0, 0.0)
        for index in sample.indices {
            variance += (Double(sample[index]) - mean) * (Double(sample[index]) - mean)
            if index >= lag {
                covariance += (Double(sample[index]) - mean) * (Double(sample[index - lag]) - mean)
            }
        }
        return covariance / variance
    }

    @Test(
        "correlated draws keep the marginal law and have the copula's autocorrelation",
        arguments: [-0.6, 0.25, 0.5, 0.9], [1, 2] as [UInt64])
    func correlation(correlation: Double, seed: UInt64) {
        func sample(_ table: QuantileTable) -> [Int64] {
            var model = Traveller(
                DelayModel(
                    delay: .milliseconds(100), jitter: .quantiles(table), correlation: correlation,
                    key: DrawKey(seed: seed).named("law")))
            return (0..<UInt32(Self.count)).map { model.travellingTime(of: Packet(number: $0)).nanoseconds }
        }
        let normal = sample(.normal(deviation: .milliseconds(5)))
        let uniform = sample(.uniform(halfRange: .milliseconds(5)))
        // Bartlett: the deviation of an estimated autocorrelation is below √((1 + ρ²) / (1 − ρ²) / n).
        let bound =
            5 * ((1 + correlation * correlation) / (1 - correlation * correlation) / Double(Self.count)).squareRoot()
        let restart = 1.0 / 4_096
        #expect(abs(Self.autocorrelation(normal, lag: 1) - correlation) < bound + restart)
        #expect(
            abs(Self.autocorrelation(normal, lag: 3) - correlation * correlation * correlation) < bound + 3 * restart)
        let copula = 6 / Double.pi * Self.arcSine(correlation / 2)
        #expect(abs(Self.autocorrelation(uniform, lag: 1) - copula) < bound + restart)
        // Every 40th value is all but independent: the marginal laws.
        let cumulative = NormalCumulative()
        let thin = stride(from: 0, to: Self.count, by: 40)
        #expect(kolmogorovSmirnov(thin.map { normal[$0] }) { cumulative(($0 - 100e6) / 5e6) } < 2.5)
        #expect(kolmogorovSmirnov(thin.map { uniform[$0] }) { ($0 - 95e6) / 10e6 } < 2.5)
    }

    @Test("correlated draws are the same whichever other packets come by")
    func correlatedPurity() {
        let key = DrawKey(seed: 4).named("law")
        let table = QuantileTable.normal(deviation: .milliseconds(5))
        var model = Traveller(
            DelayModel(delay: .milliseconds(50), jitter: .quantiles(table), correlation: 0.8, key: key))
        let all = (0..<10_000 as Range<UInt32>).map { model.travellingTime(of: Packet(number: $0)) }
        var random = TestRandom(1)
        for _ in 0..<2_000 {
            let number = UInt32(random.below(10_000))
            #expect(model.travellingTime(of: Packet(number: number)) == all[Int(number)])
            #expect(model.travellingTime(of: Packet(number: number, copy: 1)) != all[Int(number)])
        }
    }

    @Test("jitter that may reorder lets every packet arrive at its own time, in that order")
    func reordering() {
        let key = DrawKey(seed: 1).named("jitter")
        let table = QuantileTable.uniform(halfRange: .milliseconds(30))
        var model = Traveller(DelayModel(delay: .milliseconds(30), jitter: .quantiles(table), key: key))
        let packets = (0..<5_000 as Range<UInt32>).map {
            Packet(number: $0, at: Instant(nanoseconds: Int64($0) * 1_000_000))
        }
        let own = packets.map { $0.time + model.travellingTime(of: $0) }
        var link = Link(
            LinkConfiguration(
                loss: .none, rate: nil, queueLimit: .packets(1),
                delay: DelayModel(delay: .milliseconds(30), jitter: .quantiles(table), mayReorder: true, key: key)))
        let departures = link.pass(packets).departures
        #expect(departures.count == packets.count)
        for packet in departures { #expect(packet.time == own[Int(packet.number)]) }
        for (a, b) in zip(departures, departures.dropFirst()) { #expect(a.time <= b.time) }
        #expect(zip(departures, departures.dropFirst()).contains { $0.number > $1.number })
    }

    @Test("early packets travel in no time, as often as asked, and move nobody else")
    func early() {
        let key = DrawKey(seed: 2).named("jitter")
        func pass(_ early: Probability) -> [Packet] {
            var link = Link(
                LinkConfiguration(
                    loss: .none, rate: nil, queueLimit: .packets(1),
                    delay: DelayModel(delay: .milliseconds(10), jitter: .none, early: early, key: key)))
            return link.pass(
                (0..<100_000 as Range<UInt32>).map {
                    Packet(number: $0, at: Instant(nanoseconds: Int64($0) * 1_000_000))
                }
            ).departures
        }
        let departures = pass(Probability(0.02))
        let early = departures.count { $0.time == $0.sent }
        #expect(abs(Double(early) / 100_000 - 0.02) < 5 * (0.02 * 0.98 / 100_000).squareRoot())
        #expect(departures.allSatisfy { $0.time == $0.sent || $0.time == $0.sent + .milliseconds(10) })
        #expect(
            departures.filter { $0.time != $0.sent }.map(\.number)
                == departures.filter { $0.time != $0.sent }.map(\.number).sorted())
        #expect(pass(.never).allSatisfy { $0.time == $0.sent + .milliseconds(10) })
    }
}
