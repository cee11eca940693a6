import Emulator
import Media
import Protection
import Sender
import Timebase

/// A scenario's program, loaded, and its multiplex planned, once: what takes longest before a run. It gives any number
/// of Worlds, also at once from several threads, for scenarios that differ in all else: networks, receivers, clocks,
/// captures, outputs, classes; and seeds, where the program is a file.
public struct PreparedProgram: Sendable {
    let program: Program
    let plan: MultiplexPlan
    let interleaving: InterleavingConfiguration?
    /// Where substreams have sessions of their own.
    let substreams: SubstreamPlan?
    /// The scenario that it was made for.
    private let scenario: ExperimentScenario
    /// What problems call the scenario.
    private let title: String

    /// - Throws: ``ScenarioProblems`` for a program that cannot be read or made, or not be multiplexed as asked.
    public init(_ scenario: ExperimentScenario, title: String) throws(ScenarioProblems) {
        self.scenario = scenario
        self.title = title
        program = try ProgramLoader(scenario: scenario, title: title).program()
        let planned = try Self.planningProgram(scenario, title) ?? program
        do throws(MultiplexPolicy.Refusal) {
            if scenario.sender.carriage == .rtpSeparate {
                let sessions = try SubstreamPolicy.plan(planned, scenario.sender)
                (substreams, plan) = (sessions, SubstreamPolicy.idleMultiplex(planned, sessions))
            } else {
                (substreams, plan) = (nil, try MultiplexPolicy.plan(planned, scenario.sender))
            }
        } catch {
            throw ScenarioProblems([
                ScenarioProblem(
                    .file(title), path: error.path, value: error.value, "'\(error.value)' cannot be done",
                    expected: error.expected, hint: error.remedy)
            ])
        }
        interleaving = scenario.sender.interleave.map { [plan] in
            InterleavingPolicy.configuration($0, planned, plan)
        }
    }

    /// A World's configuration.
    ///
    /// - Parameter scenario: one with the same program.
    /// - Throws: ``ScenarioProblems`` for files that cannot be read, and where the program is another.
    public func configuration(of scenario: ExperimentScenario) throws(ScenarioProblems) -> WorldConfiguration {
        if let path = difference(from: scenario) {
            throw ScenarioProblems([
                ScenarioProblem(
                    .file(title), path: path, "the program was prepared for another value",
                    expected: "the same in all scenarios of one prepared program")
            ])
        }
        return try WorldBuilder(scenario, title: title).configuration(of: self)
    }

    /// Where a scenario asks for another program; nil where it does not.
    private func difference(from other: ExperimentScenario) -> String? {
        if other.program != scenario.program { return "program" }
        if other.duration != scenario.duration { return "duration" }
        if drawsBySeed, other.seed != scenario.seed { return "seed" }
        if (other.sender.carriage == .rtpSeparate) != (substreams != nil) { return "sender.carriage" }
        if other.sender.muxRate != scenario.sender.muxRate { return "sender.mux_rate" }
        if other.sender.transportPacketsPerDatagram != scenario.sender.transportPacketsPerDatagram {
            return "sender.ts_packets_per_datagram"
        }
        if other.sender.pacing != scenario.sender.pacing { return "sender.pacing" }
        if other.sender.latency != scenario.sender.latency { return "sender.latency" }
        return other.sender.interleave == scenario.sender.interleave ? nil : "sender.interleave"
    }

    /// Whether the seed is in the program's bytes: a file has its own.
    private var drawsBySeed: Bool {
        if case .substreams = scenario.program { true } else { false }
    }

    /// What the multiplex of a long made program is planned on: its first half hour. Its units' sizes follow one plan
    /// from beginning to end, and going through days of them would take longer than the user waits. Should a later unit
    /// come too late after all, the run says so.
    private static func planningProgram(
        _ scenario: ExperimentScenario, _ title: String
    ) throws(ScenarioProblems) -> Program? {
        guard case .substreams(let substreams) = scenario.program, let duration = scenario.duration,
            duration > planningDuration,
            !substreams.contains(where: { if case .trace = $0.source { true } else { false } })
        else { return nil }
        var short = scenario
        short.duration = planningDuration
        return try ProgramLoader(scenario: short, title: title).program()
    }

    private static let planningDuration = TimeSpan.seconds(1_800)
}
