import ClockSync
import Media
import Metrics
import NetworkEmulation
import Protection
import Receiver
import Sender
import Timebase
import Wire

/// How the program is carried.
public enum Carriage: String, Sendable, CaseIterable {
    /// As a transport stream, bare in UDP datagrams.
    case tsUDP = "ts-udp"
    /// As a transport stream in RTP (RFC 2250), with RTCP beside it.
    case tsRTP = "ts-rtp"
    /// Each substream in an RTP session of its own, without a transport stream.
    case rtpSeparate = "rtp-separate"

    /// Whether datagrams have RTP headers, and RTCP goes beside them.
    public var hasRTP: Bool { self != .tsUDP }
}

/// A link with its name: "forward.0", "reverse.0", "tv.last.0".
public struct NamedLink: Sendable {
    /// The link's name, unique in its World.
    public var id: String
    /// The link's stages.
    public var configuration: LinkConfiguration
    /// What other people send over this link.
    public var crossTraffic: [CrossTrafficConfiguration]

    /// A link with what other people send over it, if anything.
    public init(id: String, _ configuration: LinkConfiguration, crossTraffic: [CrossTrafficConfiguration] = []) {
        self.id = id
        self.configuration = configuration
        self.crossTraffic = crossTraffic
    }
}

/// A source of other people's traffic.
public struct CrossTrafficConfiguration: Sendable {
    /// When its packets come and how long they are.
    public var pattern: ArrivalPattern
    /// The DSCP of its packets (RFC 2474), 0...63.
    public var differentiatedServices: UInt8
    /// What it asks of its link before the run begins; refused, it sends nothing.
    public var reservation: TokenBucketParameters?
    /// The root of its random draws.
    public var key: DrawKey

    /// A source of packets in a pattern, as they are served by its DSCP.
    public init(
        _ pattern: ArrivalPattern, differentiatedServices: UInt8 = 0, reservation: TokenBucketParameters? = nil,
        key: DrawKey
    ) {
        self.pattern = pattern
        self.differentiatedServices = differentiatedServices
        self.reservation = reservation
        self.key = key
    }
}

/// How the network shall treat what is sent.
public struct ServiceClasses: Sendable {
    /// The program's DSCP (RFC 2474), 0...63.
    public var program: UInt8 = 0
    /// That of reports, in both directions.
    public var reports: UInt8 = 0
    /// Whether the program's datagrams say that their ends understand congestion marks (RFC 6679).
    public var programTakesMarks = false

    public init() {}
}

/// A receiver's node: what receives there, by which clock, and the links that are its own.
public struct ReceiverNodeConfiguration: Sendable {
    /// The receiver's name, unique in its World.
    public var id: String
    /// How it receives.
    public var media: ReceiverConfiguration
    /// The node's free-running clock.
    public var clock: Oscillator
    /// Whether it takes datagrams whose checksum is wrong.
    public var takesDamaged = false
    /// What keeps sessions of their own together; nil: nothing.
    public var lipSync: LipSyncControl?
    /// By whose tolerances lip-sync is judged, as scenarios name them.
    public var lipSyncProfile = "itu-bt1359"
    /// What is done about pictures that are not as they were sent; nil: what can be decoded is shown.
    public var pictureConcealment: Concealment?
    /// What is done about sound that is missing; nil: nothing.
    public var soundConcealment: Concealment?
    /// Links of its own, behind the shared ones, in the order of its packets.
    public var lastLinks: [NamedLink]
    /// The way back from the receiver to the shared links, in the order of its packets.
    public var firstReverseLinks: [NamedLink]

    public init(
        id: String, media: ReceiverConfiguration, clock: Oscillator = Oscillator(), lastLinks: [NamedLink] = [],
        firstReverseLinks: [NamedLink] = []
    ) {
        self.id = id
        self.media = media
        self.clock = clock
        self.lastLinks = lastLinks
        self.firstReverseLinks = firstReverseLinks
    }
}

/// An agent of the control plane and the node that it is on.
public struct AgentConfiguration: Sendable {
    /// The agent's name, unique in its World.
    public var id: String
    /// "sender", a receiver's id, or that of a node for agents.
    public var node: String
    /// The agent before anything has happened to it.
    public var agent: any Agent

    public init(id: String, node: String, agent: any Agent) {
        self.id = id
        self.node = node
        self.agent = agent
    }
}

/// A node that takes no part in the program: only agents are on it.
public struct AgentNodeConfiguration: Sendable {
    /// The node's name, unique in its World.
    public var id: String
    /// The node's free-running clock.
    public var clock: Oscillator

    public init(id: String, clock: Oscillator = Oscillator()) {
        self.id = id
        self.clock = clock
    }
}

/// What a node's oscillator does at an instant.
public struct ClockChangeConfiguration: Sendable {
    /// By its number among all nodes.
    public var node: Int
    /// What happens to the oscillator.
    public var change: OscillatorChange

    public init(node: Int, change: OscillatorChange) {
        self.node = node
        self.change = change
    }
}

/// A one-way flow from one agent to another.
public struct ControlFlowConfiguration: Sendable {
    /// The flow's name, unique in its World.
    public var id: String
    /// Agents, by id.
    public var from: String
    /// The agent that takes its datagrams, by id.
    public var to: String
    /// The links that it crosses, by id, in the order of its packets; none: it arrives at once.
    public var way: [String]
    /// UDP port of both ends.
    public var port: UInt16
    /// The DSCP (RFC 2474), 0...63.
    public var differentiatedServices: UInt8 = 0

    public init(id: String, from: String, to: String, way: [String], port: UInt16) {
        self.id = id
        self.from = from
        self.to = to
        self.way = way
        self.port = port
    }
}

/// What the World tells while it runs, besides its measurements.
public struct WorldTaps: Sendable {
    /// Datagrams at the sender and at the receivers.
    public var capturesNodes = false
    /// Datagrams at both ends of every link.
    public var capturesLinks = false
    /// The program's datagrams as they were multiplexed or sent, and as they came out of each playout buffer.
    public var media = false
    /// Every datagram's fate.
    public var packets = false
    /// What became of every unit.
    public var units = false
    /// When each unit was presented.
    public var presentations = false
    /// Events in logical time.
    public var events = false
    /// Exchanges with time servers.
    public var exchanges = false
    /// The time between two samples of the series; nil for none.
    public var seriesInterval: TimeSpan?

    public init() {}

    /// Whether datagrams are captured at a place.
    func captures(_ point: CapturePoint) -> Bool {
        switch point {
        case .sender, .receiver, .node: capturesNodes
        case .link: capturesLinks
        }
    }
}

/// Everything a World is made of: numbers only, all policy resolved.
public struct WorldConfiguration: Sendable {
    /// The root of every random draw.
    public var seed: UInt64
    /// What is sent.
    public var program: Program
    /// How it is multiplexed: rate, latency, packets to a datagram.
    public var plan: MultiplexPlan
    /// How its transport packets are carried.
    public var carriage: Carriage
    /// The substreams that are calls.
    public var calls: [CallConfiguration] = []
    /// How each substream is sent where it has a session of its own; nil: the program is multiplexed.
    public var sessions: SessionsConfiguration?
    /// Of a multiplex with RTP only: without sequence numbers nobody restores the order.
    public var interleaving: InterleavingConfiguration?
    /// The free-running clock of the sender's node.
    public var senderClock = Oscillator()
    /// From the sender, in the order of its packets.
    public var forward: [NamedLink] = []
    /// To the sender, in the order of the receivers' packets.
    public var reverse: [NamedLink] = []
    /// The receivers, at nodes 1 and up.
    public var receivers: [ReceiverNodeConfiguration] = []
    /// How the network shall treat what is sent.
    public var classes = ServiceClasses()
    /// What the program asks of every link on its way before the run begins; refused, it sends nothing.
    public var reservation: TokenBucketParameters?
    /// Nodes beside the program's ends, agents on any node, and the flows between them; the links that these cross beside
    /// those above.
    public var agentNodes: [AgentNodeConfiguration] = []
    /// Agents, each on one of the nodes.
    public var agents: [AgentConfiguration] = []
    /// One-way flows between agents.
    public var controlFlows: [ControlFlowConfiguration] = []
    /// Links that only control flows cross.
    public var controlLinks: [NamedLink] = []
    /// What oscillators do at given instants.
    public var clockChanges: [ClockChangeConfiguration] = []
    /// By which algorithm agents discipline a node's clock; by the node's id.
    public var synchronization: [String: String] = [:]
    /// In which order playback commands are delivered, as scenarios call it; nil where there are none. Agents send and
    /// deliver them.
    public var commandOrder: String?
    /// Whether receivers play together by what they report (RFC 7272); with RTP only.
    public var playsTogether = false
    /// What is wrong with the program's ends, by their nodes' ids, as far as it concerns media.
    public var mediaFaults: [String: [Fault]] = [:]
    /// Whether the program is sent at all; without it agents go on until the sources are told to stop.
    public var sendsProgram = true
    /// UDP port of the program; its reports have the next one.
    public var mediaPort: UInt16 = 5_004
    /// What the World tells while it runs.
    public var taps = WorldTaps()
    /// At which numbers distributions count exactly.
    public var cuts = DistributionCuts()

    /// A World without links and receivers yet.
    public init(seed: UInt64, program: Program, plan: MultiplexPlan, carriage: Carriage) {
        self.seed = seed
        self.program = program
        self.plan = plan
        self.carriage = carriage
    }

    /// The same, with distributions that count exactly at more numbers.
    public func counting(at more: DistributionCuts) -> WorldConfiguration {
        var result = self
        result.cuts.add(more)
        return result
    }

    /// The names of all links, in the World's order: what ``CapturePoint/link(_:isFarEnd:)`` counts.
    public var linkIDs: [String] { Topology.linkIDs(self) }

    /// What the World's flow numbers stand for.
    public var flowTable: FlowTable { FlowTable(self) }

    /// The program's substreams by name.
    public var substreamIDs: [String] { program.substreams.map(\.id) }
    /// How long the program lasts; nil when nothing ends it.
    public var programDuration: TimeSpan? { program.duration }
    /// Transport-stream bits per second.
    public var transportRate: BitRate { plan.rate }
    /// IP bytes of the program's largest datagram.
    var largestPacket: Int {
        plan.packetsPerDatagram * TransportPacket.length + (carriage.hasRTP ? RTPHeader.fixedLength : 0)
            + Packet.networkHeaderLength
    }
    /// Whether anybody asks what has become of each unit.
    var watchesUnits: Bool {
        taps.units || !calls.isEmpty
            || receivers.contains { $0.pictureConcealment != nil || $0.soundConcealment != nil }
    }
    /// The transport stream's rate, if it is constant.
    var constantRate: BitRate? { plan.sendsNullPackets ? plan.rate : nil }

    /// What the receivers are told of the interleaver; nil where there is none.
    public var deinterleaver: BlockDeinterleaver? {
        guard let interleaving, let packetizer else { return nil }
        return BlockDeinterleaver(interleaving, firstSequenceNumber: packetizer.firstSequenceNumber)
    }

    /// The RTP side of the stream before its first packet; nil without RTP.
    private var packetizer: RTPPacketizer? {
        guard carriage == .tsRTP else { return nil }
        return RTPPacketizer(
            payloadType: RTPPacketizer.transportStreamPayloadType, clockRate: MediaClock.ninetyKilohertz,
            key: DrawKey(seed: seed).named("sender.rtp"))
    }

    /// The program's sending end.
    func programSender(flow: UInt16) -> ProgramSender {
        let marks: Packet.Marks = classes.programTakesMarks ? [.media, .ecnCapable] : .media
        return ProgramSender(
            Multiplexer(program, plan: plan), rtp: packetizer, interleaving: interleaving,
            traits: DatagramTraits(flow: flow, differentiatedServices: classes.program, marks: marks),
            zero: senderClock.reading(at: .zero))
    }

    /// A receiver of the multiplex.
    func media(of receiver: Int) -> ReceiverConfiguration {
        var media = receivers[receiver].media
        media.deinterleaver = deinterleaver
        return media
    }

    /// Whether it matters how far apart receivers play.
    var watchesPositions: Bool { commandOrder != nil || playsTogether }

    /// Of the media in IP packets (RFC 3550 §6.2).
    var sessionBandwidth: BitRate {
        let media = UInt64(plan.packetsPerDatagram * TransportPacket.length)
        let header = carriage.hasRTP ? RTPHeader.fixedLength : 0
        let packet = media + UInt64(header + Packet.networkHeaderLength)
        return BitRate(bitsPerSecond: plan.rate.bitsPerSecond / media * packet)
    }

    /// The most sources of cross traffic that a link has.
    var mostCrossTraffic: Int {
        let last = receivers.flatMap { $0.lastLinks + $0.firstReverseLinks }
        return (forward + reverse + last + controlLinks).map(\.crossTraffic.count).max() ?? 0
    }

    // MARK: Nodes: the sender, the receivers, those of agents alone

    var nodeCount: Int { 1 + receivers.count + agentNodes.count }

    /// The clocks of all nodes, as ``nodeIDs`` lists them.
    public var clocks: [Oscillator] { [senderClock] + receivers.map(\.clock) + agentNodes.map(\.clock) }

    /// What becomes of them, by time; of the same instant in the order given.
    var clockChangesByTime: [ClockChangeConfiguration] {
        let indices = clockChanges.indices.sorted {
            (clockChanges[$0].change.at, $0) < (clockChanges[$1].change.at, $1)
        }
        return indices.map { clockChanges[$0] }
    }

    /// The names of all nodes.
    public var nodeIDs: [String] { ["sender"] + receivers.map(\.id) + agentNodes.map(\.id) }

    /// The node of each agent, by the agents' ids.
    var nodesOfAgents: [String: Int] {
        let nodes = Dictionary(nodeIDs.enumerated().map { ($1, $0) }) { first, _ in first }
        var result: [String: Int] = [:]
        for agent in agents {
            guard let node = nodes[agent.node] else { preconditionFailure("there is no node '\(agent.node)'") }
            result[agent.id] = node
        }
        return result
    }
}
