import ClockSync
import Emulator
import Timebase
import Wire

/// Makes the agents that synchronize the clocks of a scenario's nodes, and the flows between them.
///
/// Where time servers are asked, the sender and all receivers ask each of them; without any, the receivers ask the
/// sender. In a group the sender and all receivers take part alike. A packet takes the shared links and the receivers' own
/// ones as the program and its reports do, from one receiver to another by way of the sender's end; a server with a path of
/// its own is reached over that alone.
struct SynchronizationBuilder {
    let scenario: ExperimentScenario
    let root: DrawKey

    /// UDP port of the groups' messages: one for experiments (RFC 4727 §6).
    private static let groupPort: UInt16 = 1_021

    /// Adds to a World whose program and links are there already.
    ///
    /// - Throws: ``ScenarioProblems`` for files of links that cannot be read.
    func add(to configuration: inout WorldConfiguration, _ links: LinkBuilder) throws(ScenarioProblems) {
        var paths: [ServerPath?] = []
        for (index, server) in scenario.timeServers.enumerated() {
            configuration.agentNodes.append(
                AgentNodeConfiguration(
                    id: server.id, clock: server.clock.oscillator(root.named("clocks").named(server.id))))
            let node = 1 + configuration.receivers.count + index
            configuration.clockChanges += server.clock.changes.map { .init(node: node, change: $0) }
            let path = try path(of: server, index, links)
            configuration.controlLinks += path.map { $0.forward + $0.reverse } ?? []
            paths.append(path)
        }
        if scenario.synchronization.asksServers { addClients(to: &configuration, paths) }
        if let part { addGroup(part, to: &configuration) }
        addFaults(to: &configuration)
    }

    // MARK: - Time servers

    private struct ServerPath {
        var forward: [NamedLink]
        var reverse: [NamedLink]
    }

    private func path(
        of server: ExperimentScenario.TimeServer, _ index: Int, _ links: LinkBuilder
    ) throws(ScenarioProblems) -> ServerPath? {
        guard let path = server.path else { return nil }
        let place = "clocks.servers.\(index).path"
        return ServerPath(
            forward: try links.links(path.forward, "\(server.id).forward", path: place + ".forward").links,
            reverse: try links.links(path.reverse, "\(server.id).reverse", path: place + ".reverse").links)
    }

    private func addClients(to configuration: inout WorldConfiguration, _ paths: [ServerPath?]) {
        configuration.taps.exchanges = true
        let serversAreNodes = !scenario.timeServers.isEmpty
        let servers = serversAreNodes ? scenario.timeServers.map(\.id) : ["sender"]
        for (index, server) in servers.enumerated() {
            let stratum = serversAreNodes ? scenario.timeServers[index].stratum : 1
            configuration.agents.append(
                AgentConfiguration(
                    id: "\(server).server", node: server,
                    agent: NTPServer(NTPServer.Configuration(stratum: UInt8(stratum)))))
        }
        let nodes = configuration.nodeClocks
        // Nodes 1 and up receive.
        let clients = serversAreNodes ? 0...scenario.expandedReceivers.count : 1...scenario.expandedReceivers.count
        for node in clients {
            let (id, clock) = nodes[node]
            configuration.agents.append(
                AgentConfiguration(
                    id: "\(id).client", node: id,
                    agent: client(start: clock.reading(at: .zero), servers: servers.count)))
            configuration.synchronization[id] = scenario.synchronization.name
        }
        for (index, server) in servers.enumerated() {
            for node in clients {
                let id = nodes[node].id
                let way: (to: [String], from: [String])
                if let path = serversAreNodes ? paths[index] : nil {
                    way = (path.reverse.map(\.id), path.forward.map(\.id))
                } else {
                    way = (configuration.way(from: node, to: 0), configuration.way(from: 0, to: node))
                }
                configuration.addExchange(
                    "\(id).client", "\(server).server", way, port: NTPPacket.port)
            }
        }
    }

    // MARK: - Faults

    /// Wraps the agents of the nodes that faults are about. Of a receiver that stands for several all fail alike, each with
    /// its own draws.
    private func addFaults(to configuration: inout WorldConfiguration) {
        guard !scenario.faults.isEmpty else { return }
        let clocks = Dictionary(configuration.nodeClocks.map { ($0.id, $0.clock) }) { first, _ in first }
        let tamper: FaultTamper = scenario.synchronization.isOfGroup ? .group : .ntp
        for index in configuration.agents.indices {
            let agent = configuration.agents[index]
            let faults = scenario.faults.filter { $0.node == agent.node || agent.node.hasPrefix($0.node + ".") }
            guard !faults.isEmpty, let clock = clocks[agent.node] else { continue }
            configuration.agents[index].agent = FaultyAgent(
                agent.agent, faults.map(\.mechanism), tamper, key: root.named("faults").named(agent.id),
                start: clock.reading(at: .zero))
        }
    }

    // MARK: - Groups

    /// What the members of a group take part in; nil: in nothing.
    private var part: GroupAgent.Part? {
        switch scenario.synchronization {
        case .berkeley(let law): .berkeley(law.mechanism)
        case .averaging(let law): .averaging(law.mechanism)
        case .none, .cristian, .ntp, .regression: nil
        }
    }

    /// The sender and all receivers, numbered as the World's nodes are: the sender 0.
    private func addGroup(_ part: GroupAgent.Part, to configuration: inout WorldConfiguration) {
        let members = Array(configuration.nodeClocks.prefix(1 + configuration.receivers.count))
        let numbers = members.indices.map { UInt16($0) }
        for (node, member) in members.enumerated() {
            let peers = numbers.filter { $0 != UInt16(node) }
            configuration.agents.append(
                AgentConfiguration(
                    id: "\(member.id).member", node: member.id,
                    agent: GroupAgent(
                        id: UInt16(node), peers: peers, parts: [part], start: member.clock.reading(at: .zero))))
            configuration.synchronization[member.id] = scenario.synchronization.name
        }
        // To and from its peers in their order.
        for (node, member) in members.enumerated() {
            for (other, peer) in members.enumerated() where other != node {
                configuration.controlFlows.append(
                    ControlFlowConfiguration(
                        id: "\(member.id)>\(peer.id)", from: "\(member.id).member", to: "\(peer.id).member",
                        way: configuration.way(from: node, to: other), port: Self.groupPort))
            }
        }
        configuration.taps.events = true
    }

    private func client(start: LocalInstant, servers: Int) -> any Agent {
        switch scenario.synchronization {
        case .cristian(let law): return CristianClient(law.mechanism, start: start)
        case .ntp(let law): return NTPClient(law.mechanism(servers: servers), start: start)
        case .regression(let law):
            return RegressionClient(
                RegressionClient.Configuration(
                    servers: servers, poll: law.poll, correction: law.correction.mechanism), start: start)
        case .none, .berkeley, .averaging:
            preconditionFailure("\(scenario.synchronization.name) asks no time server")
        }
    }
}

extension WorldConfiguration {
    /// The program's nodes and those of agents, with their clocks.
    fileprivate var nodeClocks: [(id: String, clock: Oscillator)] {
        zip(nodeIDs, clocks).map { ($0, $1) }
    }

    /// The links between two of the program's nodes, in the order of the packets: 0 is the sender.
    fileprivate func way(from source: Int, to destination: Int) -> [String] {
        var way: [NamedLink] = []
        if source > 0 { way += receivers[source - 1].firstReverseLinks + reverse }
        if destination > 0 { way += forward + receivers[destination - 1].lastLinks }
        return way.map(\.id)
    }

    /// A flow there and one back.
    fileprivate mutating func addExchange(
        _ one: String, _ other: String, _ way: (to: [String], from: [String]), port: UInt16
    ) {
        controlFlows.append(
            ControlFlowConfiguration(id: "\(one)>\(other)", from: one, to: other, way: way.to, port: port))
        controlFlows.append(
            ControlFlowConfiguration(id: "\(other)>\(one)", from: other, to: one, way: way.from, port: port))
    }
}

extension ExperimentScenario.Synchronization.Correction {
    fileprivate var mechanism: ClockSync.Correction { ClockSync.Correction(stepLimit: stepLimit, slewRate: slewRate) }
}

extension ExperimentScenario.Synchronization.Cristian {
    fileprivate var mechanism: CristianClient.Configuration {
        CristianClient.Configuration(
            interval: poll, probes: probes, minimumDelay: minimumDelay, drift: drift, errorLimit: accuracy,
            correction: correction.mechanism)
    }
}

extension ExperimentScenario.Synchronization.NTP {
    fileprivate func mechanism(servers: Int) -> NTPClient.Configuration {
        let shortest = Self.exponent(of: poll) ?? 6
        return NTPClient.Configuration(
            servers: servers, polls: shortest...max(shortest, Self.exponent(of: longestPoll) ?? shortest),
            hasInitialBurst: beginsWithBurst, panicLimit: panicLimit, correction: correction.mechanism)
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
