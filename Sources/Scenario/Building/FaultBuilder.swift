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
        for (index, fault) in scenario.faults.enumerated() {
            if let idleness = idleness(fault, configuration) {
                configuration.program.warnings.append("faults.\(index): \(idleness)")
            }
        }
    }

    /// Why a fault does nothing; nil: it does something, as far as one knows before.
    private func idleness(_ fault: ExperimentScenario.Fault, _ configuration: WorldConfiguration) -> String? {
        if !isOfSomething(fault, configuration) {
            return "at '\(fault.node)' there is nothing that this kind of fault concerns: it does nothing"
        }
        guard let end = scenario.duration ?? configuration.program.duration, fault.at >= end else { return nil }
        return "it begins at \(Quantity.text(fault.at)), when all of the \(Quantity.text(end)) have been sent: "
            + "it concerns at most what is still under way"
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
        if fault.mechanism.concernsMedia {
            return configuration.agents.contains { isThere($0.node) }
                || configuration.mediaFaults.keys.contains(where: isThere)
        }
        return configuration.agents.contains { isThere($0.node) && mayLie($0.agent, fault.kind) }
    }

    /// Whether an agent answers, or tells anything, that a wrong value or an answer out of protocol would change.
    private func mayLie(_ agent: any Agent, _ kind: ExperimentScenario.Fault.Manner) -> Bool {
        let agent = (agent as? FaultyAgent)?.agent ?? agent
        guard agent is GroupAgent else { return agent is NTPServer }
        guard case .state(let violation) = kind else {
            return scenario.synchronization.isOfGroup || scenario.agreement != nil
        }
        guard case .berkeley = scenario.synchronization else { return false }
        return violation == .notEchoed
    }

    private func faults(ofNode node: String) -> [Fault] {
        scenario.faults.filter { $0.node == node || node.hasPrefix($0.node + ".") }.map(\.mechanism)
    }
}
