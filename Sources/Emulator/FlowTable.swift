import NetworkEmulation
import Timebase

/// What the World knows of each flow. A packet carries only the flow's index; nobody else knows the numbers.
///
/// The program's comes first, then its sender's reports, each receiver's reports, control flows in the order of the
/// configuration, and cross traffic: on each link from the same number on, as it does not leave its link.
public struct FlowTable: Sendable {
    /// What a flow is.
    public enum Kind: Equatable, Sendable {
        /// The program's datagrams, for the receivers' playout.
        case program
        /// Reports of the program's sender, and of a receiver by index.
        case senderReports
        /// Reports of a receiver, by its index.
        case receiverReports(Int)
        /// Between agents, by its place in the configuration.
        case control(Int)
        /// Other people's, by its place on its link.
        case crossTraffic(Int)
    }

    /// What the World knows of one flow.
    public struct Flow: Sendable {
        /// What the flow is for.
        public let kind: Kind
        /// "program", "program.rtcp", "tv.rtcp".
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
    /// Index of the program's.
    let program: UInt16 = 0
    /// Index of the sender's reports.
    let senderReports: UInt16 = 1
    private let receiverCount: Int
    private let controlCount: Int

    init(_ configuration: WorldConfiguration) {
        receiverCount = configuration.receivers.count
        controlCount = configuration.controlFlows.count
        let receivers = 1..<1 + receiverCount
        let reports = configuration.classes.reports
        var flows = [
            Flow(
                kind: .program, id: "program", source: 0, destinations: receivers, port: configuration.mediaPort,
                differentiatedServices: configuration.classes.program),
            Flow(
                kind: .senderReports, id: "program.rtcp", source: 0, destinations: receivers,
                port: configuration.mediaPort + 1, differentiatedServices: reports),
        ]
        for (index, receiver) in configuration.receivers.enumerated() {
            flows.append(
                Flow(
                    kind: .receiverReports(index), id: receiver.id + ".rtcp", source: 1 + index, destinations: 0..<1,
                    port: configuration.mediaPort + 1, differentiatedServices: reports))
        }
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

    /// Index of a receiver's reports.
    func receiverReports(_ receiver: Int) -> UInt16 { UInt16(2 + receiver) }

    /// Index of a control flow by its place in the configuration.
    func control(_ number: Int) -> UInt16 { UInt16(2 + receiverCount + number) }

    /// Index of a link's source of cross traffic by its place there.
    func crossTraffic(_ number: Int) -> UInt16 { UInt16(2 + receiverCount + controlCount + number) }
}
