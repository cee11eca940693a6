import ClockSync
import Emulator
import Timebase

/// Brings about the faults of a scenario's nodes, in a World that is otherwise complete.
struct FaultBuilder {
    let scenario: ExperimentScenario
    let root: DrawKey

    /// Wraps the agents of the nodes that faults are about. Of a receiver that stands for several all fail alike, each with
    /// its own draws.
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
    }

    private func faults(ofNode node: String) -> [Fault] {
        scenario.faults.filter { $0.node == node || node.hasPrefix($0.node + ".") }.map(\.mechanism)
    }
}
