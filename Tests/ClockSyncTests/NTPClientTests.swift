@testable import ClockSync
import Testing
import Timebase
import Wire

@Suite("NTP client (RFC 5905)")
struct NTPClientTests {
    private func client(_ bench: ClockBench) -> NTPClient? { bench.nodes[0].agent as? NTPClient }

    @Test("asymmetry A ends as an error of A/2, request minus reply, below the claimed bound", arguments: [-30, 0, 30])
    func asymmetry(milliseconds: Int64) {
        var scenario = SyncScenario(seconds: 1_000, baseDelay: .milliseconds(40), jitter: .zero)
        scenario.more = { from, _, _, _ in from == 0 ? .milliseconds(milliseconds) : .zero }
        let (trial, bench) = scenario.run { NTPClient(.init(polls: 1...4), start: $0) }
        let error = bench.nodes[0].clock.error(at: bench.now)
        #expect(abs(error.nanoseconds - milliseconds * 500_000) <= 2_000)
        #expect(trial.broken <= 20 && trial.claimed > 900)
    }

    @Test("the frequency found is the oscillator's", arguments: [-400_000, -1_000, 60_000] as [Int64])
    func frequency(partsPerBillion: Int64) throws {
        let scenario = SyncScenario(seconds: 3_000, frequency: partsPerBillion)
        let (trial, bench) = scenario.run { NTPClient(.init(polls: 1...1), start: $0) }
        let claim = try #require(bench.nodes[0].claim?.claim)
        // To 0.3 ppm: the loop's noise at this interval.
        #expect(abs(try #require(claim.frequency) - partsPerBillion * 1_000) < 300_000)
        #expect(claim.growth == 15_000 && trial.maximum.time < 1e-4, "\(trial.text)")
    }

    /// Servers a second, two, three and four off, as chrony's test 009 has them.
    private func falsetickers(_ count: Int64) -> SyncScenario {
        var scenario = SyncScenario(seconds: 2_000, baseDelay: .milliseconds(1))
        scenario.servers = (1...5).map { Oscillator(offset: $0 <= count ? .seconds($0) : .zero) }
        return scenario
    }

    @Test("one or two liars of five are outvoted", arguments: [1, 2] as [Int64])
    func outvoted(liars: Int64) throws {
        let (trial, bench) = falsetickers(liars).run { NTPClient(.init(servers: 5), start: $0) }
        #expect(trial.maximum.time < 1e-3 && trial.synchronized <= 210, "\(trial.text)")
        guard case .survivors(let servers) = client(bench)?.selection else {
            Issue.record("nobody was selected")
            return
        }
        #expect(servers.allSatisfy { $0 >= liars } && servers.count >= 3)
        #expect(
            bench.nodes[0].events.allSatisfy { if case .claim(let claim) = $0 { claim.bound != nil } else { true } })
    }

    @Test(
        "three or four liars of five with lies of their own leave no majority, and that is claimed",
        arguments: [3, 4] as [Int64])
    func noMajority(liars: Int64) {
        let (trial, bench) = falsetickers(liars).run { NTPClient(.init(servers: 5), start: $0) }
        #expect(client(bench)?.selection == .noMajority)
        #expect(bench.nodes[0].claim != nil && bench.nodes[0].claim?.claim.bound == nil)
        // Nothing was adjusted: it is as far off as it was, and 100 ppm more.
        #expect(!bench.nodes[0].clock.isAdjusted && trial.claimed == 0)
    }

    @Test("of three servers the two with a great asymmetry are cast out by their root distance")
    func asymmetricServers() {
        var scenario = SyncScenario(seconds: 2_000, baseDelay: .milliseconds(1))
        scenario.servers = Array(repeating: Oscillator(), count: 3)
        scenario.more = { _, to, _, _ in to == 2 || to == 3 ? .seconds(1) : .zero }
        let (trial, bench) = scenario.run { NTPClient(.init(servers: 3), start: $0) }
        #expect(client(bench)?.selection == .survivors([0]))
        #expect(trial.maximum.time < 1e-3, "\(trial.text)")
    }

    @Test("offsets over the panic limit make it give up, and nothing is adjusted")
    func panic() {
        let scenario = SyncScenario(seconds: 100, offset: .seconds(1_001))
        let (_, bench) = scenario.run { NTPClient(.init(), start: $0) }
        #expect(client(bench)?.hasGivenUp == true && !bench.nodes[0].clock.isAdjusted)
        #expect(bench.nodes[0].claim?.claim.bound == nil && bench.sent <= 16)
        let (trial, _) = SyncScenario(seconds: 400, offset: .seconds(-1_001)).run {
            NTPClient(.init(panicLimit: nil), start: $0)
        }
        #expect(trial.synchronized <= 210)
    }

    @Test("a step of the clock is made up for when it has lasted for the stepout time; without a limit it is slewed")
    func stepout() {
        var scenario = SyncScenario(seconds: 2_000)
        scenario.disturb = { bench in
            if bench.now.nanoseconds == 1_000_000_000_000 { bench.disturb(0, .step(.milliseconds(-200))) }
        }
        var patient = NTPClient.Configuration(polls: 3...3)
        patient.stepout = .seconds(64)
        let (trial, bench) = scenario.run { [patient] in NTPClient(patient, start: $0) }
        #expect(bench.nodes[0].steps.count == 2)
        #expect((1_020...1_110).contains(trial.synchronized), "\(trial.text)")
        patient.correction = Correction()
        let (slewed, slewing) = scenario.run { [patient] in NTPClient(patient, start: $0) }
        #expect(slewing.nodes[0].steps.count == 1 && slewed.synchronized > 1_120, "\(slewed.text)")
    }

    @Test(
        "a jump while the frequency is measured is no frequency",
        arguments: [2, 4, 6] as [Int8], [(100, 200), (290, -1_000), (40, 5_000)] as [(Int64, Int64)])
    func jump(poll: Int8, jump: (second: Int64, milliseconds: Int64)) throws {
        var scenario = SyncScenario(seconds: 4_000)
        scenario.disturb = { bench in
            if bench.now.nanoseconds == jump.second * 1_000_000_000 {
                bench.disturb(0, .step(.milliseconds(jump.milliseconds)))
            }
        }
        let (trial, bench) = scenario.run { NTPClient(.init(polls: poll...poll), start: $0) }
        // Made up for, and the frequency that of the oscillator, within a stepout and some polls.
        #expect(trial.synchronized <= jump.second + 300 + (10 << Int64(poll)), "\(trial.text)")
        let frequency = try #require(bench.nodes[0].claim?.claim.frequency)
        #expect(abs(frequency - 100_000_000) < 2_000_000)
    }

    @Test("a burst whose last answer is lost sets the clock two seconds later")
    func burstsEnd() {
        // Requests and answers by turns: the eighth answer, or request, is the last.
        for lost in [14, 15] as [Int64] {
            var scenario = SyncScenario(seconds: 30)
            scenario.more = { _, _, number, _ in number == lost ? nil : .zero }
            let bench = scenario.run { NTPClient(.init(polls: 6...6), start: $0) }.bench
            // 100 ms, and what 100 ppm have come to in 16 s.
            #expect(bench.nodes[0].steps.count == 1)
            #expect(bench.nodes[0].steps.allSatisfy { abs(($0 + .microseconds(101_600)).nanoseconds) < 100_000 })
            #expect(bench.nodes[0].exchanges.count == 7)
        }
    }

    @Test("four out of five answers lost: still synchronized, and polled more rarely when nobody answers at all")
    func loss() {
        let chance = Chance("loss", seed: 9)
        var scenario = SyncScenario(seconds: 5_000)
        scenario.more = { _, _, number, at in
            at.nanoseconds > 3_000_000_000_000 || chance.uniform(number) < 0.5 ? nil : .zero
        }
        scenario.trial = SyncTrial(from: 2_000, limits: (1e-3, 5e-4))
        let (trial, bench) = scenario.run { NTPClient(.init(polls: 2...6), start: $0) }
        #expect(trial.synchronized < 2_000 && trial.maximum.time < 1e-3, "\(trial.text)")
        let polls = bench.sent
        let (_, longer) = SyncScenario(seconds: 20_000, more: { _, _, _, _ in nil }).run {
            NTPClient(.init(polls: 2...6), start: $0)
        }
        #expect(client(longer)?.selection == .noServers)
        // Eight at once, some every 4 s, then at longer intervals up to 64 s.
        #expect((310...340).contains(longer.sent) && polls > 0)
    }

    @Test("after stop nothing is sent and nothing is waited for, by any client")
    func stop() {
        let clients: [(LocalInstant) -> any Agent] = [
            { NTPClient(.init(), start: $0) }, { RegressionClient(.init(), start: $0) },
            { CristianClient(.init(interval: .seconds(16)), start: $0) },
        ]
        for client in clients {
            var bench = SyncScenario(seconds: 305).run(client).bench
            let sent = bench.sent
            bench.nodes[0].agent.stop()
            bench.disturb(0, .slew(.zero, rate: 1))
            bench.run(until: Instant(nanoseconds: 2_000_000_000_000), every: .seconds(1_000)) { _ in }
            // The answer to what was under way.
            #expect(bench.sent <= sent + 1 && bench.nodes[0].agent.nextTimeout == .distantFuture)
        }
    }
}
