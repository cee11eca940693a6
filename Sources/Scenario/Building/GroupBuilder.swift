import ClockSync
import Emulator
import Receiver
import Timebase
import Wire

/// Makes the group of the sender and all receivers: a member on each, in which it takes part in whatever goes from any of
/// them to all, and the flows between these. A message takes the links as the program and its reports do, from one
/// receiver to another by way of the sender's end.
struct GroupBuilder {
    let scenario: ExperimentScenario

    /// UDP port of the groups' messages: one for experiments (RFC 4727 §6).
    private static let port: UInt16 = 1_021
    /// More than a round trip of nearly all networks; where it is less, messages go twice, and nothing else happens.
    private static let retransmission = TimeSpan.milliseconds(500)

    /// Adds to a World whose program and links are there already; nothing where nobody takes part in anything.
    func add(to configuration: inout WorldConfiguration) {
        guard scenario.synchronization.isOfGroup || scenario.commands != nil || scenario.agreement != nil else {
            return
        }
        // Numbered as the World's nodes are: the sender 0.
        let members = Array(configuration.nodeClocks.prefix(1 + configuration.receivers.count))
        let ids = members.map(\.id)
        for (node, member) in members.enumerated() {
            let start = member.clock.reading(at: .zero)
            configuration.agents.append(
                AgentConfiguration(
                    id: "\(member.id).member", node: member.id,
                    agent: GroupAgent(
                        id: UInt16(node), peers: members.indices.filter { $0 != node }.map { UInt16($0) },
                        parts: parts(member.id, ids, start: start), start: start)))
            if scenario.synchronization.isOfGroup {
                configuration.synchronization[member.id] = scenario.synchronization.name
            }
        }
        addFlows(ids, to: &configuration)
        configuration.taps.events = true
        // Its coordinator reads the others' clocks.
        if case .berkeley = scenario.synchronization { configuration.taps.exchanges = true }
        configuration.commandOrder = scenario.commands?.order.rawValue
        if scenario.commands?.goBack == true {
            for index in configuration.receivers.indices { configuration.receivers[index].media.keepsUnits = true }
        }
    }

    /// To and from each member's peers in their order.
    private func addFlows(_ ids: [String], to configuration: inout WorldConfiguration) {
        for (node, id) in ids.enumerated() {
            for (other, peer) in ids.enumerated() where other != node {
                configuration.controlFlows.append(
                    ControlFlowConfiguration(
                        id: "\(id)>\(peer)", from: "\(id).member", to: "\(peer).member",
                        way: configuration.way(from: node, to: other), port: Self.port))
            }
        }
    }

    /// What a member takes part in.
    private func parts(_ id: String, _ ids: [String], start: LocalInstant) -> [GroupAgent.Part] {
        var parts: [GroupAgent.Part] = []
        switch scenario.synchronization {
        case .berkeley(let law): parts.append(.berkeley(law.mechanism))
        case .averaging(let law): parts.append(.averaging(law.mechanism))
        case .none, .cristian, .ntp, .regression: break
        }
        if let commands = scenario.commands {
            let own = commands.list.filter { $0.node == id }.sorted { $0.at < $1.at }
            parts.append(
                .ordered(
                    OrderedGroup.Configuration(
                        order: commands.order, retransmission: Self.retransmission,
                        submissions: own.map { .init(at: start + $0.at, payload: $0.action.bytes) })))
        }
        if let agreement = scenario.agreement, let commander = ids.firstIndex(of: agreement.commander) {
            parts.append(.agreement(agreement.mechanism(commander: UInt16(commander), start: start)))
        }
        return parts
    }
}

extension ExperimentScenario.Synchronization.Berkeley {
    fileprivate var mechanism: BerkeleyClock.Configuration {
        // A round is over well before the next: its trials take a quarter of the interval, the last answers another.
        let trials = 10
        let spacing = TimeSpan.nanoseconds(min(poll.nanoseconds / 4 / Int64(trials), 100_000_000))
        let timeout = TimeSpan.nanoseconds(min(poll.nanoseconds / 4, 2_000_000_000))
        let succession: BerkeleyClock.Succession.Election =
            switch election {
            case .bully: .bully(timeout: timeout)
            case .ring: .ring(timeout: timeout, attempts: 3)
            }
        return BerkeleyClock.Configuration(
            polling: BerkeleyClock.Polling(interval: poll, trials: trials, spacing: spacing, timeout: timeout),
            range: range, succession: BerkeleyClock.Succession(succession, timeout: poll * 2 + timeout),
            correction: correction.mechanism)
    }
}

extension ExperimentScenario.Synchronization.Averaging {
    fileprivate var mechanism: ClockAveraging.Configuration {
        let mean: ClockAveraging.Mean =
            switch mean {
            case .others: .others
            case .all: .all
            case .trimmed: .trimmed(trim)
            }
        return ClockAveraging.Configuration(
            interval: interval, window: window, mean: mean, correction: correction.mechanism)
    }
}
