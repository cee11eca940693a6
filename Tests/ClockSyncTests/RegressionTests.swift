@testable import ClockSync
import Testing
import Timebase

@Suite("Clock by regression")
struct RegressionTests {
    private func client(_ bench: ClockBench) -> RegressionClient? { bench.nodes[0].agent as? RegressionClient }

    @Test(
        "it converges in seconds, and its bound covers the clock at every look",
        arguments: [250, 1_000, 2_000] as [Int64])
    func convergence(milliseconds: Int64) {
        var scenario = SyncScenario(seed: 4, seconds: 60)
        scenario.trial = SyncTrial(from: 10, limits: (2e-4, 5e-4))
        let (trial, bench) = scenario.run { RegressionClient(.init(poll: .milliseconds(milliseconds)), start: $0) }
        #expect(trial.synchronized <= 3 && trial.rms.time < 5e-5, "\(trial.text)")
        #expect(trial.broken == 0 && trial.claimed == 60)
        #expect(bench.nodes[0].steps.count == 1)
    }

    @Test("asymmetry A ends as an error of A/2, request minus reply, and the bound covers it", arguments: [-30, 0, 30])
    func asymmetry(milliseconds: Int64) {
        var scenario = SyncScenario(seconds: 200, baseDelay: .milliseconds(40), jitter: .zero)
        scenario.more = { from, _, _, _ in from == 0 ? .milliseconds(milliseconds) : .zero }
        let (trial, bench) = scenario.run { RegressionClient(.init(), start: $0) }
        let error = bench.nodes[0].clock.error(at: bench.now)
        #expect(abs(error.nanoseconds - milliseconds * 500_000) <= 100)
        #expect(trial.broken == 0 && trial.claimed > 198)
    }

    @Test(
        "the frequency found is the oscillator's",
        arguments: [-5_000_000, -400_000, -1_000, 60_000, 50_000_000] as [Int64])
    func frequency(partsPerBillion: Int64) throws {
        let (_, bench) = SyncScenario(seconds: 300, frequency: partsPerBillion).run {
            RegressionClient(.init(poll: .seconds(4)), start: $0)
        }
        let claim = try #require(bench.nodes[0].claim?.claim)
        let error = abs(try #require(claim.frequency) - partsPerBillion * 1_000)
        // Within what it says itself that it does not know, which is less than 3 ppm.
        #expect(error < claim.growth * 1_000 && claim.growth < 3_000, "\(error), \(claim.growth)")
    }

    @Test("a slew that lasts for a minute is not taken for a frequency")
    func ownSlew() throws {
        // The first request takes 50 ms too long: the first step is wrong by 25 ms, which are slewed away in 50 s.
        var scenario = SyncScenario(seconds: 30)
        scenario.more = { _, _, number, _ in number == 0 ? .milliseconds(50) : .zero }
        let (trial, bench) = scenario.run { RegressionClient(.init(), start: $0) }
        let error = bench.nodes[0].clock.error(at: bench.now)
        #expect(error.nanoseconds.magnitude > 8_000_000 && bench.nodes[0].steps.count == 1)
        let claim = try #require(bench.nodes[0].claim?.claim)
        #expect(abs(try #require(claim.frequency) - 100_000_000) < 15_000_000)
        #expect(trial.broken == 0, "\(trial.text)")
    }

    @Test("a step of its own at any time leaves its samples true")
    func ownStep() throws {
        var scenario = SyncScenario(seconds: 30)
        scenario.more = { _, _, number, _ in number == 0 ? .milliseconds(50) : .zero }
        let (trial, bench) = scenario.run {
            RegressionClient(.init(correction: Correction(stepLimit: .milliseconds(1))), start: $0)
        }
        #expect(bench.nodes[0].steps.count == 2 && trial.synchronized <= 3, "\(trial.text)")
        #expect(abs(try #require(bench.nodes[0].claim?.claim.frequency) - 100_000_000) < 15_000_000)
    }

    /// Servers a second, two, three and four off.
    private func falsetickers(_ count: Int64) -> SyncScenario {
        var scenario = SyncScenario(seconds: 400, baseDelay: .milliseconds(1))
        scenario.servers = (1...5).map { Oscillator(offset: $0 <= count ? .seconds($0) : .zero) }
        return scenario
    }

    @Test("one or two liars of five are outvoted", arguments: [1, 2] as [Int64])
    func outvoted(liars: Int64) {
        let (trial, bench) = falsetickers(liars).run { RegressionClient(.init(servers: 5), start: $0) }
        #expect(trial.synchronized <= 3 && trial.broken == 0, "\(trial.text)")
        guard case .survivors(let servers) = client(bench)?.selection else {
            Issue.record("nobody was selected")
            return
        }
        #expect(servers.count >= 3 && servers.allSatisfy { $0 >= liars })
    }

    @Test(
        "three or four liars of five with lies of their own leave no majority, and that is claimed",
        arguments: [3, 4] as [Int64])
    func noMajority(liars: Int64) {
        let (_, bench) = falsetickers(liars).run { RegressionClient(.init(servers: 5), start: $0) }
        #expect(client(bench)?.selection == .noMajority && !bench.nodes[0].clock.isAdjusted)
        #expect(bench.nodes[0].claim != nil && bench.nodes[0].claim?.claim.bound == nil)
    }

    /// A clock that is put back shows the time of the next poll so much later.
    @Test(
        "a jump of the clock is believed after three samples, and what was known before is forgotten",
        arguments: [(100, 206), (-100, 308)])
    func jump(seconds: Int64, synchronized: Int64) {
        var scenario = SyncScenario(seconds: 400)
        scenario.disturb = { bench in
            if bench.now.nanoseconds == 200_000_000_000 { bench.disturb(0, .step(.seconds(seconds))) }
        }
        let (trial, bench) = scenario.run {
            RegressionClient(.init(correction: Correction(stepLimit: .seconds(1))), start: $0)
        }
        #expect((2...4).contains(bench.nodes[0].steps.count))
        #expect((synchronized - 6...synchronized).contains(trial.synchronized), "\(trial.text)")
    }

    @Test("half of the datagrams lost, and after stop nothing begins")
    func loss() {
        let chance = Chance("loss", seed: 2)
        var scenario = SyncScenario(seconds: 600)
        scenario.more = { _, _, number, _ in chance.uniform(number) < 0.5 ? nil : .zero }
        var (trial, bench) = scenario.run { RegressionClient(.init(), start: $0) }
        #expect(trial.synchronized < 30 && trial.broken == 0, "\(trial.text)")
        let sent = bench.sent
        bench.nodes[0].agent.stop()
        bench.disturb(0, .slew(.zero, rate: 1))
        bench.run(until: Instant(nanoseconds: 900_000_000_000), every: .seconds(300)) { _ in }
        #expect(bench.sent <= sent + 1)
    }
}
