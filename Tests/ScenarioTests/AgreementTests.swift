import Emulator
import Metrics
import Scenario
import Testing
import Timebase

@Suite("Agreement that a scenario asks for")
struct AgreementTests {
    /// The sender and three receivers: 3m + 1 for one traitor.
    private let yaml = """
        duration: 10s
        program:
          substreams:
            - { id: audio, kind: audio, synthetic: { codec: mp2, frame_duration: 24ms, bitrate: 64 kbit/s } }
        network: { forward: [ { delay: 20ms } ] }
        receivers: [ { id: a }, { id: b }, { id: c } ]
        agreement: { commander: sender, value: 7, traitors: 1, at: 2s, round: 500ms }
        outputs: { media: none, series: none }
        """

    private func run(_ settings: [String]) throws -> (
        agreement: AgreementMeasurements, decided: [Int: Int64], warnings: [RunWarning]
    ) {
        let scenario = try ScenarioDocument(title: "test.yaml", text: yaml).resolve(
            settings.map { ScenarioSetting(argument: $0) })
        var world = World(try WorldBuilder(scenario, title: "test.yaml").configuration())
        var decided: [Int: Int64] = [:]
        while let next = world.nextTimeout {
            world.handleTimeout(at: next)
            while let output = world.pollOutput() {
                if case .logical(let event, let node, _) = output, case .decided(let value) = event.action {
                    decided[node] = value
                }
            }
        }
        let measurements = world.measurements()
        return (try #require(measurements.agreement), decided, measurements.warnings)
    }

    @Test("without a liar all decide what the commander says, in n - 1 and (n - 1)(n - 2) messages")
    func loyal() throws {
        let (agreement, decided, _) = try run([])
        #expect(agreement.decisions.map(\.node) == ["sender", "a", "b", "c"])
        #expect(agreement.decisions.allSatisfy { $0.value == 7 && $0.isLoyal })
        #expect(agreement.isAgreed == true && agreement.isValid == true)
        #expect(decided == [0: 7, 1: 7, 2: 7, 3: 7])
        // OM(1) of four: 3 + 3 x 2.
        #expect(agreement.messages == 9)
        #expect(try run(["agreement.traitors=2"]).agreement.messages == 9 + 3 * 2 * 1)
        #expect(try run(["agreement.traitors=0"]).agreement.messages == 3)
    }

    @Test("one of four tells each another value: the loyal agree all the same", arguments: 1...10)
    func traitor(seed: Int) throws {
        let lie = "faults=[ { at: 0s, node: b, kind: arbitrary, by: 1s } ]"
        let lieutenant = try run([lie, "seed=\(seed)"]).agreement
        #expect(lieutenant.isAgreed == true && lieutenant.isValid == true)
        #expect(lieutenant.decisions.map(\.isLoyal) == [true, true, false, true])
        // A commander that is a traitor: whatever they decide, they decide the same.
        let commander = try run([lie.replacing("node: b", with: "node: sender"), "seed=\(seed)"]).agreement
        #expect(commander.isAgreed == true && commander.isValid == nil)
    }

    @Test("one of three cannot be found out, and that is said beforehand")
    func beyond() throws {
        let (agreement, _, warnings) = try run([
            "receivers=[ { id: a }, { id: b } ]", "faults=[ { at: 0s, node: b, kind: arbitrary, by: 1s } ]",
        ])
        // To a it is the sender's word against b's, no majority: it takes the fallback, and the loyal sender its own value.
        #expect(agreement.isAgreed == false && agreement.isValid == false)
        #expect(agreement.decisions.map(\.value).prefix(2) == [7, 0])
        #expect(
            warnings.contains {
                if case .program(let text) = $0 { text.contains("it takes 4 nodes") } else { false }
            })
    }

    @Test("what is lost is taken for the fallback, which three who hear each other outvote")
    func lost() throws {
        let agreement = try run(["faults=[ { at: 0s, node: c, kind: crash } ]"]).agreement
        #expect(agreement.isAgreed == true && agreement.isValid == true)
        #expect(agreement.decisions.last?.value == nil && agreement.decisions.last?.isLoyal == false)
    }

    @Test(
        "what cannot be is told with its place",
        arguments: [
            ("agreement.commander=nobody", "there is no sender or receiver 'nobody'"),
            ("agreement.at=8.5s", "the last round ends at 10.5s, and the sources stop at 10s"),
            ("agreement.traitors=5", "from 0 to 4"),
            ("receivers.0.count=60", "at most 110000"),
        ])
    func problems(setting: String, sentence: String) throws {
        let error = #expect(throws: ScenarioProblems.self) { _ = try run(["agreement.traitors=3", setting]) }
        #expect(error?.description.contains(sentence) == true, "\(error?.description ?? "")")
    }
}
