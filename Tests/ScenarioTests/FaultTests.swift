import ClockSync
import Emulator
import Metrics
import Scenario
import Testing
import Timebase

@Suite("Faults that a scenario brings about")
struct FaultTests {
    private let yaml = """
        duration: 60s
        program:
          substreams:
            - { id: audio, kind: audio, synthetic: { codec: mp2, frame_duration: 24ms, bitrate: 64 kbit/s } }
        network: { forward: [ { delay: 20ms } ] }
        clocks:
          receivers: { offset: 35ms }
          servers: [ { id: a }, { id: b }, { id: c } ]
          synchronization: cristian
        receivers: [ { id: tv } ]
        outputs: { media: none, series: none }
        """

    private func run(_ settings: [String]) throws -> (
        clock: ClockMeasurements, exchanges: [ExchangeRecord], warnings: [RunWarning]
    ) {
        let scenario = try ScenarioDocument(title: "test.yaml", text: yaml).resolve(
            settings.map { ScenarioSetting(argument: $0) })
        var world = World(try WorldBuilder(scenario, title: "test.yaml").configuration())
        var exchanges: [ExchangeRecord] = []
        while let next = world.nextTimeout {
            world.handleTimeout(at: next)
            while let output = world.pollOutput() {
                if case .exchange(let record) = output, record.node == 1 { exchanges.append(record) }
            }
        }
        let measurements = world.measurements()
        let clock = try #require(measurements.clocks.first { $0.node == "tv" })
        return (clock, exchanges, measurements.warnings)
    }

    @Test("a server that has crashed answers nobody, and does again when it is back")
    func crash() throws {
        let healthy = try run([])
        let (clock, exchanges, _) = try run(["faults=[ { at: 15s, for: 30s, node: a, kind: crash } ]"])
        #expect(healthy.exchanges.contains { (20...40).contains($0.at.nanoseconds / 1_000_000_000) })
        #expect(!exchanges.contains { (16...44).contains($0.at.nanoseconds / 1_000_000_000) })
        #expect(exchanges.contains { $0.at > .zero + .seconds(46) })
        #expect(clock.offsetError.map { abs($0.maximum) < 1_000_000 } == true)
    }

    @Test("a coordinator that comes back with the rounds it had counted is followed", arguments: ["bully", "ring"])
    func coordinatorReturns(election: String) throws {
        let (clock, _, _) = try run([
            "duration=300s", "clocks={ synchronization: { berkeley: { poll: 5s, election: \(election) } } }",
            "receivers=[ { id: tv, clock: { frequency: 100 ppm } }, { id: b, clock: { frequency: -100 ppm } }, { id: c } ]",
            "faults=[ { at: 20s, for: 150s, node: c, kind: crash, loses_state: false } ]",
        ])
        // Left alone behind the outage for as long as that lasted it would be 13 ms off.
        #expect(clock.offsetError.map { $0.maximum - $0.minimum < 7_000_000 } == true)
        #expect(clock.boundViolations == 0)
    }

    @Test("a liar sets its client wrong; among three, NTP outvotes it")
    func value() throws {
        let lie = "faults=[ { at: 0s, node: a, kind: value, offset: 2s } ]"
        let believer = try run([lie])
        // Cristian's client asks the first server alone.
        #expect(believer.clock.offsetError.map { abs($0.minimum - 2_000_000_000) < 1_000_000 } == true)
        #expect((believer.clock.boundViolations ?? 0) > 50)
        let paths =
            ["a", "b", "c"].map { "{ id: \($0), path: { forward: [{ delay: 20ms }], reverse: [{ delay: 20ms }] } }" }
            .joined(separator: ", ")
        let voter = try run([lie, "clocks.servers=[ \(paths) ]", "clocks.synchronization={ ntp: { poll: 1s } }"])
        #expect(voter.clock.offsetError.map { abs($0.quantile(0.99)) < 1_000_000 } == true)
        #expect(voter.clock.boundViolations == 0)
    }

    @Test("answers that break the protocol are not used", arguments: ["not-echoed", "stratum-0", "leap-3"])
    func state(violation: String) throws {
        let (clock, exchanges, warnings) = try run([
            "faults=[ { at: 0s, node: a, kind: state, violation: \(violation) } ]"
        ])
        #expect(exchanges.isEmpty && clock.synchronizedNanoseconds == nil)
        #expect(warnings.contains(.neverSynchronized(node: "tv", algorithm: "cristian", exchanges: 0)))
    }

    @Test("omission loses its share, timing makes the way longer")
    func messages() throws {
        let all = try run([]).exchanges.count
        let half = try run(["faults=[ { at: 0s, node: a, kind: omission, share: 50%, direction: out } ]"])
        // Probes that fail are tried again, so many in a reading; each answer is one of two.
        #expect(half.exchanges.count < all && half.exchanges.count > 0)
        let late = try run(["faults=[ { at: 0s, node: a, kind: timing, by: 30ms, direction: out } ]"])
        // The server stamps its reply and sends it 30 ms later: half of that is what the client is off by.
        #expect(late.clock.offsetError.map { abs($0.quantile(0.5) + 15_000_000) < 200_000 } == true)
    }

    @Test(
        "what cannot be is told with its place",
        arguments: [
            ("faults=[ { at: 1s, node: nobody, kind: crash } ]", "there is no node 'nobody'"),
            ("faults=[ { at: 1s, node: a, kind: sleep } ]", "crash, omission, timing, value, state"),
            ("faults=[ { at: 1s, node: a, kind: crash, share: 5% } ]", "'share' goes with"),
            ("faults=[ { node: a, kind: crash } ]", "faults.0.at"),
        ])
    func problems(setting: String, sentence: String) throws {
        let error = #expect(throws: ScenarioProblems.self) { _ = try run([setting]) }
        #expect(error?.description.contains(sentence) == true, "\(error?.description ?? "")")
    }

    @Test("faults without anything that could fail are warned of")
    func nothing() throws {
        let run = try run(["clocks.synchronization=none", "faults=[ { at: 1s, node: a, kind: crash } ]"])
        #expect(
            run.warnings.contains {
                if case .program(let text) = $0 {
                    text == "faults.0: at 'a' there is nothing that this kind of fault concerns: it does nothing"
                } else {
                    false
                }
            })
    }

    /// The sender asks the time servers here, and nobody asks the sender.
    @Test(
        "a fault that can do nothing is warned of",
        arguments: [
            ("at: 1s, node: tv, kind: value", "", "faults.0: at 'tv' there is nothing"),
            ("at: 1s, node: sender, kind: arbitrary", "", "faults.0: at 'sender' there is nothing"),
            ("at: 1s, node: tv, kind: state, violation: leap-3", "", "faults.0: at 'tv' there is nothing"),
            ("at: 1s, node: a, kind: value", "", nil),
            ("at: 1s, node: a, kind: state, violation: leap-3", "", nil),
            ("at: 1s, node: sender, kind: value", "clocks.servers=[]", nil),
            ("at: 1s, node: tv, kind: value", "clocks={ synchronization: averaging }", nil),
            ("at: 1s, node: tv, kind: state", "clocks={ synchronization: averaging }", "faults.0: at 'tv' there is"),
            ("at: 1s, node: tv, kind: state", "clocks={ synchronization: berkeley }", nil),
            (
                "at: 60s, node: tv, kind: crash", "",
                "faults.0: it begins at 60s, when all of the 60s have been sent: it concerns at most what is"
            ),
            ("at: 59s, node: tv, kind: crash", "", nil),
        ] as [(String, String, String?)])
    func idle(fault: String, setting: String, warning: String?) throws {
        let run = try run(["faults=[ { \(fault) } ]"] + (setting.isEmpty ? [] : [setting]))
        let found = run.warnings.compactMap { if case .program(let text) = $0 { text } else { nil as String? } }
        #expect(found.count == (warning == nil ? 0 : 1), "\(found)")
        if let warning { #expect(found.first?.hasPrefix(warning) == true, "\(found)") }
    }
}
