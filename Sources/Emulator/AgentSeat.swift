import ClockSync
import Sender
import Timebase

/// An agent on its node.
struct AgentSeat {
    /// As the configuration names it; a reporter's is its flow's.
    let id: String
    var agent: any Agent
    let node: Int
    /// The session on which it reports; nil for all that is no reporter of the program's ends. Those are media timers, and
    /// run on the free-running clock: an interval that they measure does not hold the steps of the disciplined one.
    let session: Int?
    /// The flows that it may send on, by its own numbers.
    let outgoing: [UInt16]
    /// Those that come to it, by its own numbers.
    fileprivate(set) var incoming: [UInt16] = []
    /// Packets sent on each outgoing flow.
    private var sent: [UInt32]

    init(_ id: String, _ agent: any Agent, node: Int, session: Int? = nil, outgoing: [UInt16]) {
        self.id = id
        self.agent = agent
        self.node = node
        self.session = session
        self.outgoing = outgoing
        sent = Array(repeating: 0, count: outgoing.count)
    }

    /// The number of the next packet on an outgoing flow.
    mutating func takeNumber(_ flow: Int) -> UInt32 {
        defer { sent[flow] &+= 1 }
        return sent[flow]
    }
}

/// All agents of a World, and which of them takes what: the reporters at the program's ends come first, where there is
/// RTP, session by session, then the configuration's own in their order.
struct AgentTable {
    var seats: [AgentSeat] = []
    /// Per flow, the seat of the agent at the first of its destinations (the others' follow it) and the flow's number
    /// there.
    private var takers: [(seat: Int, number: Int)?]

    /// - Parameter sources: the SSRC of each session; none without RTP.
    init(_ configuration: WorldConfiguration, _ flows: FlowTable, sources: [UInt32]) {
        takers = Array(repeating: nil, count: flows.count)
        for session in sources.indices { addReporters(configuration, flows, session, ssrc: sources[session]) }
        let first = seats.count
        let nodes = configuration.nodesOfAgents
        let outgoing = Dictionary(grouping: configuration.controlFlows.indices) { configuration.controlFlows[$0].from }
        for agent in configuration.agents {
            guard let node = nodes[agent.id] else { continue }
            let flows = (outgoing[agent.id] ?? []).map(flows.control)
            seats.append(AgentSeat(agent.id, agent.agent, node: node, outgoing: flows))
        }
        let places = Dictionary(configuration.agents.enumerated().map { ($1.id, $0) }) { first, _ in first }
        for (index, flow) in configuration.controlFlows.enumerated() {
            if let place = places[flow.to] { add(flows.control(index), to: first + place) }
        }
    }

    private mutating func addReporters(
        _ configuration: WorldConfiguration, _ flows: FlowTable, _ session: Int, ssrc: UInt32
    ) {
        let root = DrawKey(seed: configuration.seed)
        let bandwidth = configuration.sessions?.bandwidth(session) ?? configuration.sessionBandwidth
        // A multiplex draws by names that tell no session.
        let own = configuration.sessions == nil ? nil : configuration.sessionID(session)
        func key(_ key: DrawKey) -> DrawKey { own.map { key.named($0) } ?? key }
        let timer = RTCPTimer(
            isSender: true, sessionBandwidth: bandwidth, key: key(root.named("sender.rtcp")), ssrc: ssrc,
            start: configuration.senderClock.reading(at: .zero))
        let group = configuration.synchronizationGroup(session)
        let sender = RTCPSender(timer, name: "sender@10.0.0.1", saysGoodbye: own != nil, group: group)
        let seat = seats.count
        let reports = flows.senderReports(session)
        seats.append(
            AgentSeat(
                flows[reports].id, configuration.failing(sender, flows[reports].id, node: 0), node: 0,
                session: session, outgoing: [reports]))
        for (index, receiver) in configuration.receivers.enumerated() {
            let key = key(root.named("receivers").named(receiver.id).named("rtcp"))
            let timer = RTCPTimer(
                isSender: false, sessionBandwidth: bandwidth, key: key,
                ssrc: UInt32(truncatingIfNeeded: key.named("ssrc").draw(0) >> 32),
                start: receiver.clock.reading(at: .zero))
            let agent = RTCPReceiver(
                timer, name: receiver.id, members: 1 + configuration.receivers.count, group: group)
            let back = flows.receiverReports(index, session: session)
            seats.append(
                AgentSeat(
                    flows[back].id, configuration.failing(agent, flows[back].id, node: 1 + index), node: 1 + index,
                    session: session, outgoing: [back]))
            add(back, to: seat)
            seats[seat + 1 + index].incoming = [reports]
        }
        takers[Int(reports)] = (seat + 1, 0)
    }

    private mutating func add(_ flow: UInt16, to seat: Int) {
        takers[Int(flow)] = (seat, seats[seat].incoming.count)
        seats[seat].incoming.append(flow)
    }

    /// The seat of the agent that takes a flow at a node, and the flow's number there; nil: nobody does.
    func taker(of flow: UInt16, atNode node: Int, _ flows: FlowTable) -> (seat: Int, number: Int)? {
        guard let first = takers[Int(flow)] else { return nil }
        return (first.seat + node - flows[flow].destinations.lowerBound, first.number)
    }
}

extension WorldConfiguration {
    /// A reporter of the program at a node, with what is wrong with the node. What it counts by is the program's end's, so
    /// that it loses nothing in a crash itself.
    ///
    /// - Parameter name: under which its messages that are lost are drawn.
    fileprivate func failing(_ reporter: any Agent, _ name: String, node: Int) -> any Agent {
        let (id, clock) = node == 0 ? ("sender", senderClock) : (receivers[node - 1].id, receivers[node - 1].clock)
        guard let faults = mediaFaults[id] else { return reporter }
        return FaultyAgent(
            reporter, faults.map(\.keepingState), .ntp,
            key: DrawKey(seed: seed).named("faults").named(name), start: clock.reading(at: .zero))
    }
}
