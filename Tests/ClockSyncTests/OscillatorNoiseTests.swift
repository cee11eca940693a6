@testable import ClockSync
import Metrics
import Testing
import Timebase

@Suite("Oscillator: noise, ageing, temperature, steps and traces")
struct OscillatorNoiseTests {
    private func at(_ nanoseconds: Int64) -> Instant { Instant(nanoseconds: nanoseconds) }

    private static func noise(_ seed: UInt64) -> OscillatorNoise {
        OscillatorNoise(
            white: 20_000_000_000, randomWalk: 1_000_000_000, ageing: 86_400_000_000, temperature: -500_000_000_000,
            temperaturePeriod: .seconds(97), key: DrawKey(seed: seed))
    }

    @Test(
        "both conversions agree and readings never go back, wherever it was advanced to",
        arguments: 0..<6 as Range<UInt64>)
    func inverse(seed: UInt64) {
        let chance = Chance("instants", seed: seed)
        let whole = Oscillator(
            offset: .seconds(Int64(seed) - 3), partsPerBillion: 40_000 - 20_000 * Int64(seed), noise: Self.noise(seed))
        var clock = whole
        var faults = 0
        var (instant, latest) = (at(-3_000_000_000), LocalInstant(nanoseconds: .min))
        for index in 0..<3_000 as Range<Int64> {
            instant += .nanoseconds(Int64(chance.uniform(index) * 200_000_000))
            let reading = clock.reading(at: instant)
            let first = clock.instant(showing: reading)
            if reading < latest || reading != whole.reading(at: instant) { faults += 1 }
            if first > instant || clock.reading(at: first) != reading { faults += 1 }
            if clock.reading(at: first - .nanoseconds(1)) >= reading { faults += 1 }
            let ahead = reading + .nanoseconds(Int64(chance.uniform(-index - 1) * 30_000_000_000))
            let later = clock.instant(showing: ahead)
            if clock.reading(at: later) < ahead || clock.reading(at: later - .nanoseconds(1)) >= ahead { faults += 1 }
            latest = reading
            if index % 7 == 0 { clock.advance(to: instant) }
        }
        #expect(faults == 0, "seed \(seed)")
    }

    @Test("one seed gives one clock, another another")
    func seeds() {
        func reading(_ seed: UInt64) -> LocalInstant {
            Oscillator(noise: Self.noise(seed)).reading(at: at(1_000_000_000_000))
        }
        #expect(reading(1) == reading(1) && reading(1) != reading(2))
    }

    @Test("ageing and temperature add what their integrals say")
    func ageing() {
        // 1 ppb a day for 1,000,000 s: 1e-9 / 86,400 · (10^6)² / 2 = 5.787037 ms, taken in each second's middle.
        let ageing = Oscillator(noise: OscillatorNoise(ageing: 1_000_000_000))
        #expect(abs(ageing.error(at: at(1_000_000_000_000_000)).nanoseconds - 5_787_037) <= 1)
        // A quarter of a period of 4,000 s: 100 ppb · 4,000 s / 2π = 63.662 us.
        let warm = Oscillator(noise: OscillatorNoise(temperature: 100_000_000_000, temperaturePeriod: .seconds(4_000)))
        #expect(abs(warm.error(at: at(1_000_000_000_000)).nanoseconds - 63_662) <= 1)
        #expect(abs(warm.error(at: at(4_000_000_000_000)).nanoseconds) <= 1)
    }

    @Test("steps are exact at their instants, and the inverse of what is skipped is the step's instant")
    func steps() {
        var clock = Oscillator(offset: .milliseconds(5), partsPerBillion: 10_000)
        clock.change(step: .seconds(2), frequency: 30_000_000_000_000, at: at(1_500_000_000))
        // 10 ppm for 1.5 s, then 40 ppm for 10 s.
        #expect(clock.error(at: at(11_500_000_000)).nanoseconds == 2_005_000_000 + 15_000 + 400_000)
        #expect(clock.instant(showing: LocalInstant(nanoseconds: 13_505_415_000)) == at(11_500_000_000))
        clock.change(step: .zero, frequency: 0, at: at(11_500_000_000))
        #expect(clock.error(at: at(21_500_000_000)).nanoseconds == 2_005_000_000 + 15_000 + 400_000 + 100_000)
        // After ten years nothing is lost: 10 ppm of 315,360,000 s more.
        let years: Int64 = 315_360_000
        #expect(
            clock.error(at: at(21_500_000_000 + years * 1_000_000_000)).nanoseconds == 2_005_515_000 + years * 10_000)
    }

    @Test("steps on a noisy clock move it by just so much, with the same noise")
    func noisySteps() {
        let plain = Oscillator(noise: Self.noise(3))
        var changed = plain
        changed.change(step: .microseconds(7), frequency: 1_000_000_000_000, at: at(50_250_000_000))
        for second in [51, 60, 500] as [Int64] {
            let added = changed.error(at: at(second * 1_000_000_000)) - plain.error(at: at(second * 1_000_000_000))
            #expect(abs(added.nanoseconds - 7_000 - (second * 1_000 - 50_250)) <= 1)
        }
    }

    @Test("a recorded clock is followed to a nanosecond")
    func trace() throws {
        let chance = Chance("trace", seed: 1)
        var points: [(at: Instant, offset: TimeSpan)] = []
        for index in 0..<200 as Range<Int64> {
            let offset = Int64(chance.uniform(index) * 1_000_000)
            points.append((at(index * 16_000_000_007), .nanoseconds(offset)))
        }
        let changes = try #require(OscillatorChange.following(points))
        var clock = LocalClock(Oscillator(offset: points[0].offset))
        for (index, change) in changes.enumerated() {
            clock.change(change)
            #expect(abs((clock.error(at: change.at) - points[index].offset).nanoseconds) <= 1)
        }
        #expect(OscillatorChange.following([(at(0), .zero), (at(0), .zero)]) == nil)
        #expect(OscillatorChange.following([(at(0), .zero), (at(1_000), .nanoseconds(-501))]) == nil)
    }

    @Test("a deadline farther than 36 hours ahead is answered early, and exactly when asked again")
    func horizon() {
        var clock = Oscillator(noise: OscillatorNoise(randomWalk: 1_000_000_000, key: DrawKey(seed: 5)))
        let deadline = LocalInstant(nanoseconds: 140_000_000_000_000)
        let early = clock.instant(showing: deadline)
        #expect(early.nanoseconds == 131_073_000_000_000)
        clock.advance(to: early)
        let instant = clock.instant(showing: deadline)
        #expect(clock.reading(at: instant) >= deadline && clock.reading(at: instant - .nanoseconds(1)) < deadline)
    }

    private static let factors = [1, 16, 256]

    /// Overlapping Allan variances of many seeds, by factor: their mean and its standard error.
    private func variances(_ noise: (DrawKey) -> OscillatorNoise) -> [(mean: Double, error: Double)] {
        let seeds = 24
        var values: [[Double]] = Self.factors.map { _ in [] }
        for seed in 0..<seeds {
            var clock = Oscillator(noise: noise(DrawKey(seed: UInt64(seed)).named("allan")))
            let phases = (0...4_096 as ClosedRange<Int64>).map { second in
                clock.advance(to: at(second * 1_000_000_000))
                return Double(clock.error(at: at(second * 1_000_000_000)).nanoseconds) * 1e-9
            }
            let deviation = AllanDeviation(phases: phases, interval: 1)
            for (index, factor) in Self.factors.enumerated() {
                let value = deviation.overlapping(factor) ?? .nan
                values[index].append(value * value)
            }
        }
        return values.map { values in
            let mean = values.reduce(0, +) / Double(seeds)
            let scatter = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(seeds * (seeds - 1))
            return (mean, scatter.squareRoot())
        }
    }

    /// 1 ppm per √s, so that a nanosecond's rounding is lost in it.
    @Test("random-walk noise q has the Allan deviation q √((2m² + 1) / 6m)")
    func randomWalk() {
        let found = variances { OscillatorNoise(randomWalk: 1_000_000_000_000, key: $0) }
        for (found, factor) in zip(found, Self.factors) {
            let m = Double(factor)
            let law = 1e-12 * (2 * m * m + 1) / (6 * m)
            #expect(abs(found.mean - law) < 5 * found.error && found.error < 0.1 * law, "\(factor): \(found), \(law)")
        }
    }

    @Test("white noise σ has the Allan deviation σ / √m")
    func white() {
        let found = variances { OscillatorNoise(white: 1_000_000_000_000, key: $0) }
        for (found, factor) in zip(found, Self.factors) {
            let law = 1e-12 / Double(factor)
            #expect(abs(found.mean - law) < 5 * found.error && found.error < 0.1 * law, "\(factor): \(found), \(law)")
        }
    }
}
