import NetworkEmulation
import Timebase

/// What the World knows of each flow. A packet carries only the flow's index; nobody else knows the numbers.
///
/// The program's come first, one for each session, then the sender's reports of each, each receiver's reports of one
/// session after the other, control flows in the order of the configuration, and cross traffic: on each link from the
/// same number on, as it does not leave its link. A multiplex has one session.
public struct FlowTable: Sendable {
    /// What a flow is.
    public enum Kind: Equatable, Sendable {
        /// The datagrams of one of the program's sessions, for the receivers' playout.
        case program(session: Int)
        /// Reports of the program's sender on a session.
        case senderReports(session: Int)
        /// Reports of a receiver, by its index, on a session.
        case receiverReports(Int, session: Int)
        /// Between agents, by its place in the configuration.
        case control(Int)
        /// Other people's, by its place on its link.
        case crossTraffic(Int)
    }

    /// What the World knows of one flow.
    public struct Flow: Sendable {
        /// What the flow is for.
        public let kind: Kind
        /// "program", "program.rtcp", "tv.rtcp"; of sessions of their own "video", "video.rtcp", "tv.video.rtcp".
        let id: String
        /// The node that sends it; nil: nobody's.
        public let source: Int?
        /// Nodes that it goes to; none: it goes away at its link's far end.
        public let destinations: Range<Int>
        /// UDP port of both ends.
        public let port: UInt16
        /// The DSCP (RFC 2474), 0...63.
        let differentiatedServices: UInt8
    }

    private let flows: [Flow]
    /// How many sessions the program has.
    let sessionCount: Int
    private let receiverCount: Int
    private let controlCount: Int

    init(_ configuration: WorldConfiguration) {
        sessionCount = configuration.sessionCount
        receiverCount = configuration.receivers.count
        controlCount = configuration.controlFlows.count
        var flows = Self.sessionFlows(configuration)
        let nodes = configuration.nodesOfAgents
        for (index, flow) in configuration.controlFlows.enumerated() {
            guard let source = nodes[flow.from], let destination = nodes[flow.to] else {
                preconditionFailure("flow '\(flow.id)' is between '\(flow.from)' and '\(flow.to)', not two agents")
            }
            flows.append(
                Flow(
                    kind: .control(index), id: flow.id, source: source,
                    destinations: destination..<destination + 1, port: flow.port,
                    differentiatedServices: flow.differentiatedServices))
        }
        for number in 0..<configuration.mostCrossTraffic {
            flows.append(
                Flow(
                    kind: .crossTraffic(number), id: "cross_traffic.\(number)", source: nil, destinations: 0..<0,
                    port: 9,
                    differentiatedServices: 0))
        }
        precondition(flows.count <= Int(UInt16.max))
        self.flows = flows
    }

    /// The flow that a packet's index stands for.
    public subscript(_ index: UInt16) -> Flow { flows[Int(index)] }

    /// How many there are.
    public var count: Int { flows.count }

    /// Index of a session's datagrams.
    func media(_ session: Int) -> UInt16 { UInt16(session) }

    /// Index of the sender's reports on a session.
    func senderReports(_ session: Int) -> UInt16 { UInt16(sessionCount + session) }

    /// Index of a receiver's reports on a session.
    func receiverReports(_ receiver: Int, session: Int) -> UInt16 {
        UInt16(2 * sessionCount + session * receiverCount + receiver)
    }

    /// Index of a control flow by its place in the configuration.
    func control(_ number: Int) -> UInt16 { UInt16((2 + receiverCount) * sessionCount + number) }

    /// Index of a link's source of cross traffic by its place there.
    func crossTraffic(_ number: Int) -> UInt16 { UInt16((2 + receiverCount) * sessionCount + controlCount + number) }

    /// The program's datagrams and the reports on them.
    private static func sessionFlows(_ configuration: WorldConfiguration) -> [Flow] {
        let sessions = 0..<configuration.sessionCount
        let receivers = 1..<1 + configuration.receivers.count
        let classes = configuration.classes
        var flows: [Flow] = []
        for session in sessions {
            let own = configuration.sessions?.sessions[session].differentiatedServices
            flows.append(
                Flow(
                    kind: .program(session: session), id: configuration.sessionID(session), source: 0,
                    destinations: receivers, port: configuration.port(session),
                    differentiatedServices: own ?? classes.program))
        }
        for session in sessions {
            flows.append(
                Flow(
                    kind: .senderReports(session: session), id: configuration.sessionID(session) + ".rtcp", source: 0,
                    destinations: receivers, port: configuration.port(session) + 1,
                    differentiatedServices: classes.reports))
        }
        for session in sessions {
            for (index, receiver) in configuration.receivers.enumerated() {
                let name =
                    configuration.sessions == nil
                    ? receiver.id : configuration.flowID(session: session, receiver: index)
                flows.append(
                    Flow(
                        kind: .receiverReports(index, session: session), id: name + ".rtcp", source: 1 + index,
                        destinations: 0..<1, port: configuration.port(session) + 1,
                        differentiatedServices: classes.reports))
            }
        }
        return flows
    }
}
