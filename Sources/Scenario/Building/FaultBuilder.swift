import ClockSync
import Emulator
import Media
import Receiver
import Timebase

/// Brings about the faults of a scenario's nodes, in a World that is otherwise complete.
struct FaultBuilder {
    let scenario: ExperimentScenario
    let root: DrawKey

    /// Wraps the agents of the nodes that faults are about, and gives the program's ends theirs. Of a receiver that stands
    /// for several all fail alike, each with its own draws.
    func add(to configuration: inout WorldConfiguration) {
        guard !scenario.faults.isEmpty else { return }
        let clocks = Dictionary(configuration.nodeClocks.map { ($0.id, $0.clock) }) { first, _ in first }
        for index in configuration.agents.indices {
            let agent = configuration.agents[index]
            let faults = faults(ofNode: agent.node)
            guard !faults.isEmpty, let clock = clocks[agent.node] else { continue }
            configuration.agents[index].agent = FaultyAgent(
                agent.agent, faults, agent.agent is GroupAgent ? .group : .ntp,
                key: root.named("faults").named(agent.id), start: clock.reading(at: .zero))
        }
        addMedia(to: &configuration)
        for fault in scenario.faults where !isOfSomething(fault, configuration) {
            configuration.program.warnings.append(
                "faults are of the clocks' synchronization, of commands and agreements, and of media: "
                    + "at '\(fault.node)' there is nothing that this one concerns")
        }
    }

    private func addMedia(to configuration: inout WorldConfiguration) {
        for id in configuration.nodeIDs.prefix(1 + configuration.receivers.count) {
            let faults = faults(ofNode: id).filter(\.concernsMedia)
            if !faults.isEmpty { configuration.mediaFaults[id] = faults }
        }
        for index in configuration.receivers.indices {
            let faults = configuration.mediaFaults[configuration.receivers[index].id] ?? []
            configuration.receivers[index].media.mayCrash = faults.contains(where: \.isCrash)
        }
    }

    private func isOfSomething(_ fault: ExperimentScenario.Fault, _ configuration: WorldConfiguration) -> Bool {
        func isThere(_ id: String) -> Bool { id == fault.node || id.hasPrefix(fault.node + ".") }
        return configuration.agents.contains { isThere($0.node) }
            || fault.mechanism.concernsMedia && configuration.mediaFaults.keys.contains(where: isThere)
    }

    private func faults(ofNode node: String) -> [Fault] {
        scenario.faults.filter { $0.node == node || node.hasPrefix($0.node + ".") }.map(\.mechanism)
    }
}
