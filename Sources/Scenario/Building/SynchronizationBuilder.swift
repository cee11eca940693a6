import ClockSync
import Emulator
import Timebase
import Wire

/// Makes the agents that synchronize the clocks of a scenario's nodes by time servers, and the flows between them.
///
/// The sender and all receivers ask each of the servers; without any, the receivers ask the sender. A packet takes the
/// shared links and the receivers' own ones as the program and its reports do; a server with a path of its own is reached
/// over that alone.
struct SynchronizationBuilder {
    let scenario: ExperimentScenario
    let root: DrawKey

    /// Adds to a World whose program and links are there already.
    ///
    /// - Throws: ``ScenarioProblems`` for files of links that cannot be read.
    func add(to configuration: inout WorldConfiguration, _ links: LinkBuilder) throws(ScenarioProblems) {
        var paths: [ServerPath?] = []
        for (index, server) in scenario.timeServers.enumerated() {
            let (clock, changes) = try server.clock.mechanism(
                root.named("clocks").named(server.id), links.tables, path: "clocks.servers.\(index)")
            configuration.agentNodes.append(AgentNodeConfiguration(id: server.id, clock: clock))
            let node = 1 + configuration.receivers.count + index
            configuration.clockChanges += changes.map { .init(node: node, change: $0) }
            let path = try path(of: server, index, links)
            configuration.controlLinks += path.map { $0.forward + $0.reverse } ?? []
            paths.append(path)
        }
        if scenario.synchronization.asksServers { addClients(to: &configuration, paths) }
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
        configuration.taps.events = true
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
    var nodeClocks: [(id: String, clock: Oscillator)] {
        zip(nodeIDs, clocks).map { ($0, $1) }
    }

    /// The links between two of the program's nodes, in the order of the packets: 0 is the sender.
    func way(from source: Int, to destination: Int) -> [String] {
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
    var mechanism: ClockSync.Correction { ClockSync.Correction(stepLimit: stepLimit, slewRate: slewRate) }
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
