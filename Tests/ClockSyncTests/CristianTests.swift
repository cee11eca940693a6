@testable import ClockSync
import Testing
import Timebase

@Suite("Cristian's clock reading, against its closed forms")
struct CristianTests {
    /// With N probes over exponential delays of mean J each way, the least round trip's excess S leaves an error that is
    /// uniform in ±S/2: root mean square and mean absolute error in units of J, by Monte Carlo of the closed form.
    static let laws: [(probes: Int, rms: Double, absolute: Double)] = [
        (1, 0.7071, 0.5), (2, 0.4330, 0.3125), (4, 0.2742, 0.2012), (8, 0.1786, 0.1327), (16, 0.1189, 0.0891),
        (32, 0.0805, 0.0607), (64, 0.0551, 0.0418),
    ]

    /// Readings of a perfect oscillator, each of which steps the clock: after each the whole error is that reading's.
    private func errors(probes: Int, readings: Int, seed: UInt64) -> [(error: TimeSpan, bound: TimeSpan)] {
        let chance = Chance("delay", seed: seed)
        let client = CristianClient(
            .init(
                interval: .seconds(1), probes: probes, minimumDelay: .milliseconds(1), drift: 0,
                correction: Correction(stepLimit: .zero)),
            start: LocalInstant(nanoseconds: 1_000_000_000))
        var bench = ClockBench(
            client, Oscillator(offset: .seconds(1)), servers: [(NTPServer(), Oscillator())]
        ) { _, _, number, _ in .milliseconds(1) + chance.exponential(number, mean: .milliseconds(1)) }
        var errors: [(TimeSpan, TimeSpan)] = []
        bench.run(until: Instant(nanoseconds: Int64(readings) * 1_000_000_000), every: .seconds(1)) { bench in
            let error = bench.nodes[0].clock.error(at: bench.now)
            if let bound = bench.nodes[0].bound(at: bench.now) { errors.append((error, bound)) }
        }
        return errors
    }

    @Test("errors of the best of N probes have the closed form's moments, and no bound is broken", arguments: laws)
    func moments(law: (probes: Int, rms: Double, absolute: Double)) {
        let seed: UInt64 = 7
        let readings = law.probes < 16 ? 4_000 : 1_000
        let results = errors(probes: law.probes, readings: readings, seed: seed)
        let count = Double(results.count)
        #expect(results.count > readings - 10)
        let scaled = results.map { Double($0.error.nanoseconds) / 1e6 }
        let bounds = results.map { Double($0.bound.nanoseconds) / 1e6 }
        let meanAbsolute = scaled.reduce(0) { $0 + abs($1) } / count
        let meanSquare = scaled.reduce(0) { $0 + $1 * $1 } / count
        let fourth = scaled.reduce(0) { $0 + $1 * $1 * $1 * $1 } / count
        // Five standard errors, of the mean absolute error by its variance, of the mean square by the fourth moment.
        let absoluteLimit = 5 * ((law.rms * law.rms - law.absolute * law.absolute) / count).squareRoot() + 5e-5
        let squareLimit = 5 * ((fourth - meanSquare * meanSquare) / count).squareRoot() + 2e-4 * law.rms
        #expect(abs(meanAbsolute - law.absolute) < absoluteLimit, "seed \(seed): \(meanAbsolute)")
        #expect(abs(meanSquare - law.rms * law.rms) < squareLimit, "seed \(seed): \(meanSquare)")
        #expect(abs(scaled.reduce(0, +) / count) < 5 * law.rms / count.squareRoot(), "seed \(seed)")
        #expect(zip(scaled, bounds).allSatisfy { abs($0) <= $1 }, "seed \(seed)")
        // The error is uniform within the bound: their ratio's mean is a half, its variance a twelfth.
        let ratio = zip(scaled, bounds).reduce(0) { $0 + abs($1.0) / $1.1 } / count
        #expect(abs(ratio - 0.5) < 5 * (1 / 12 / count).squareRoot() + 1e-4, "seed \(seed): \(ratio)")
    }

    @Test("asymmetry A ends as an error of A/2, request minus reply", arguments: [-30, 0, 10, 30] as [Int64])
    func asymmetry(milliseconds: Int64) {
        let client = CristianClient(.init(interval: .seconds(1)), start: LocalInstant(nanoseconds: -40_000_000))
        var bench = ClockBench(
            client, Oscillator(offset: .milliseconds(-40)), servers: [(NTPServer(), Oscillator())]
        ) { from, _, _, _ in .milliseconds(from == 0 ? 40 + milliseconds : 40) }
        bench.run(until: Instant(nanoseconds: 10_000_000_000), every: .seconds(10)) { bench in
            let error = bench.nodes[0].clock.error(at: bench.now)
            #expect(abs(error.nanoseconds - milliseconds * 500_000) <= 1)
            #expect(abs(error.nanoseconds) <= bench.nodes[0].bound(at: bench.now)?.nanoseconds ?? -1)
        }
    }

    @Test(
        "its bound covers a drifting clock that is slewed, at every instant",
        arguments: [(1, 90_000), (8, -95_000), (3, 40_000)] as [(Int, Int64)])
    func coverage(probes: Int, drift: Int64) {
        let chance = Chance("delay", seed: 5)
        let client = CristianClient(
            .init(interval: .seconds(16), probes: probes, minimumDelay: .milliseconds(2)),
            start: LocalInstant(nanoseconds: 3_000_000_000))
        let clock = Oscillator(offset: .seconds(3), partsPerBillion: drift)
        var bench = ClockBench(client, clock, servers: [(NTPServer(), Oscillator())]) { _, _, number, _ in
            .milliseconds(2) + chance.exponential(number, mean: .milliseconds(3))
        }
        var (looks, claimed, broken, backwards) = (0, 0, 0, 0)
        var latest = LocalInstant(nanoseconds: 0)
        bench.run(until: Instant(nanoseconds: 1_000_000_000_000), every: .milliseconds(17)) { bench in
            looks += 1
            let node = bench.nodes[0]
            guard let bound = node.bound(at: bench.now) else { return }
            claimed += 1
            if abs(node.clock.error(at: bench.now).nanoseconds) > bound.nanoseconds { broken += 1 }
            let reading = node.clock.reading(at: bench.now)
            if reading <= latest { backwards += 1 }
            latest = reading
        }
        #expect(broken == 0 && backwards == 0)
        #expect(looks - claimed < 20 && bench.nodes[0].steps.count == 1)
    }

    @Test("with a limit of error, slow answers are refused and contact is lost when all attempts fail")
    func limit() {
        let limit = TimeSpan.milliseconds(1)
        let configuration = CristianClient.Configuration(
            interval: .seconds(10), minimumDelay: .milliseconds(2), errorLimit: limit, retries: 3)
        let client = CristianClient(configuration, start: LocalInstant(nanoseconds: 0))
        // 2U is 2 (1 - 2ρ)(1 ms + 2 ms), a little less than 6 ms. The fourth answer is the first good one; from 15 s none is.
        var bench = ClockBench(client, Oscillator(), servers: [(NTPServer(), Oscillator())]) { from, _, number, now in
            if now.nanoseconds > 15_000_000_000 { return .milliseconds(4) }
            return from == 0 && number < 6 ? .microseconds(4_000) : .microseconds(2_900)
        }
        var contacts: [Bool] = []
        bench.run(until: Instant(nanoseconds: 29_000_000_000), every: .seconds(10)) { bench in
            contacts.append((bench.nodes[0].agent as? CristianClient)?.hasContact ?? false)
        }
        #expect(contacts == [true, true, false])
        // Four attempts, one, and four that are all refused.
        #expect(
            bench.nodes[0].exchanges.map(\.isUsed) == [false, false, false, true, true]
                + Array(repeating: false, count: 4))
        #expect(bench.nodes[0].exchanges.filter(\.isUsed).allSatisfy { $0.delay < .milliseconds(6) })
    }

    @Test("a server that is reached without any delay is read at once")
    func noDelay() {
        let scenario = SyncScenario(seconds: 9, wander: 0, baseDelay: .zero, jitter: .zero)
        let (trial, bench) = scenario.run { CristianClient(.init(interval: .seconds(10), probes: 8), start: $0) }
        #expect(bench.nodes[0].exchanges.count == 8 && bench.sent == 16)
        #expect(bench.nodes[0].steps.count == 1 && trial.broken == 0)
        #expect(bench.nodes[0].steps.allSatisfy { abs(($0 + .milliseconds(100)).nanoseconds) < 100 })
    }

    @Test("lost probes are given up and sent again, and after stop nothing begins")
    func loss() {
        let client = CristianClient(
            .init(interval: .seconds(4), timeout: .milliseconds(500)), start: LocalInstant(nanoseconds: 0))
        var bench = ClockBench(client, Oscillator(offset: .seconds(-2)), servers: [(NTPServer(), Oscillator())]) {
            _, _, number, _ in number < 3 ? nil : .milliseconds(5)
        }
        // The clock shows 0 after 2 s; three times 500 ms are waited for.
        bench.run(until: Instant(nanoseconds: 3_600_000_000), every: .milliseconds(3_600)) { bench in
            #expect(bench.nodes[0].exchanges.count == 1 && bench.nodes[0].clock.error(at: bench.now) == .zero)
        }
        bench.nodes[0].agent.stop()
        bench.run(until: Instant(nanoseconds: 60_000_000_000), every: .seconds(60)) { _ in }
        #expect(bench.sent <= 7 && bench.nodes[0].exchanges.count <= 2)
    }
}
