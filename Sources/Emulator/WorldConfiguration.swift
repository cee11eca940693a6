import ClockSync
import Media
import NetworkEmulation
import Protection
import Receiver
import Sender
import Timebase
import Wire

/// How the program's transport packets are carried.
public enum Carriage: String, Sendable, CaseIterable {
    /// Bare in UDP datagrams.
    case tsUDP = "ts-udp"
    /// In RTP (RFC 2250), with RTCP beside it.
    case tsRTP = "ts-rtp"

    public var hasRTP: Bool { self == .tsRTP }
}

/// A link with its name: "forward.0", "reverse.0", "tv.last.0".
public struct NamedLink: Sendable {
    public var id: String
    public var configuration: LinkConfiguration
    /// What other people send over this link.
    public var crossTraffic: [CrossTrafficConfiguration]

    public init(id: String, _ configuration: LinkConfiguration, crossTraffic: [CrossTrafficConfiguration] = []) {
        self.id = id
        self.configuration = configuration
        self.crossTraffic = crossTraffic
    }
}

/// A source of other people's traffic.
public struct CrossTrafficConfiguration: Sendable {
    public var pattern: ArrivalPattern
    public var differentiatedServices: UInt8
    /// What it asks of its link before the run begins; refused, it sends nothing.
    public var reservation: TokenBucketParameters?
    public var key: DrawKey

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

public struct ReceiverNodeConfiguration: Sendable {
    public var id: String
    public var media: ReceiverConfiguration
    public var clock: Oscillator
    /// Whether it takes datagrams whose checksum is wrong.
    public var takesDamaged = false
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

/// What the World tells while it runs, besides its measurements.
public struct WorldTaps: Sendable {
    /// Datagrams at the sender and at the receivers.
    public var capturesNodes = false
    /// Datagrams at both ends of every link.
    public var capturesLinks = false
    /// The transport packets sent, and those that came out of each playout buffer.
    public var media = false
    /// Every datagram's fate.
    public var packets = false
    /// The time between two samples of the series; nil for none.
    public var seriesInterval: TimeSpan?

    public init() {}
}

/// Everything a World is made of: numbers only, all policy resolved.
public struct WorldConfiguration: Sendable {
    public var seed: UInt64
    public var program: Program
    public var plan: MultiplexPlan
    public var carriage: Carriage
    /// With RTP only: without sequence numbers nobody restores the order.
    public var interleaving: InterleavingConfiguration?
    public var senderClock: Oscillator
    /// From the sender, in the order of its packets.
    public var forward: [NamedLink]
    /// To the sender, in the order of the receivers' packets.
    public var reverse: [NamedLink]
    public var receivers: [ReceiverNodeConfiguration]
    public var classes = ServiceClasses()
    /// What the program asks of every link on its way before the run begins; refused, it sends nothing.
    public var reservation: TokenBucketParameters?
    public var taps: WorldTaps

    public init(
        seed: UInt64, program: Program, plan: MultiplexPlan, carriage: Carriage,
        interleaving: InterleavingConfiguration? = nil, senderClock: Oscillator = Oscillator(),
        forward: [NamedLink], reverse: [NamedLink],
        receivers: [ReceiverNodeConfiguration], taps: WorldTaps = WorldTaps()
    ) {
        self.seed = seed
        self.program = program
        self.plan = plan
        self.carriage = carriage
        self.interleaving = interleaving
        self.senderClock = senderClock
        self.forward = forward
        self.reverse = reverse
        self.receivers = receivers
        self.taps = taps
    }

    /// The names of all links, in the World's order: what ``CapturePoint/link(_:isFarEnd:)`` counts.
    public var linkIDs: [String] { Topology(self).ids }

    /// The program's substreams by name.
    public var substreamIDs: [String] { program.substreams.map(\.id) }
    /// How long the program lasts; nil when nothing ends it.
    public var programDuration: TimeSpan? { program.duration }
    /// Transport-stream bits per second.
    public var transportRate: BitRate { plan.rate }
    /// IP bytes of the program's largest datagram.
    var largestPacket: Int {
        plan.packetsPerDatagram * TransportPacket.length + (carriage.hasRTP ? RTPHeader.fixedLength : 0)
            + World.networkHeaderLength
    }
    /// The transport stream's rate, if it is constant.
    var constantRate: BitRate? { plan.sendsNullPackets ? plan.rate : nil }

    /// The RTP side of the stream before its first packet; nil without RTP.
    var packetizer: RTPPacketizer? {
        guard carriage.hasRTP else { return nil }
        return RTPPacketizer(
            payloadType: RTPPacketizer.transportStreamPayloadType, clockRate: MediaClock.ninetyKilohertz,
            key: DrawKey(seed: seed).named("sender.rtp"))
    }

    /// What the receivers are told of the interleaver; nil where there is none.
    public var deinterleaver: BlockDeinterleaver? {
        guard let interleaving, let packetizer else { return nil }
        return BlockDeinterleaver(interleaving, firstSequenceNumber: packetizer.firstSequenceNumber)
    }
}
