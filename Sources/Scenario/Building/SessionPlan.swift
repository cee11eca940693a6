import Emulator
import Media
import Protection
import Receiver
import Sender
import Timebase
import Wire

/// The addresses and ports of an emulated session, and its description for those who decode it.
///
/// The sender is 10.0.0.1, receivers are 10.0.1.1 upward; several receivers are reached through the group 239.0.1.1
/// (RFC 2365, organization-local scope). Media goes to port 5004, RTCP to 5005; sessions of their own follow at 5006,
/// 5008 and so on.
public struct SessionPlan: Sendable {
    static let senderAddress = IPv4Address(10, 0, 0, 1)
    static let group = IPv4Address(239, 0, 1, 1)
    static let mediaPort: UInt16 = 5_004
    static let controlPort: UInt16 = 5_005

    private let flows: FlowTable
    private let receiverCount: Int
    private let carriage: Emulator.Carriage
    private let deinterleaver: BlockDeinterleaver?
    /// Whether receivers play together.
    private let playsTogether: Bool
    /// Of sessions of their own, how long after its timestamp the latest datagram is sent, where receivers go by that.
    private let sendingDelay: TimeSpan?
    /// Sessions of their own: what each carries, its port and its kind.
    private let sessions: [(plan: SubstreamPlan.Session, port: UInt16, kind: SubstreamKind)]

    /// The plan of a World's session.
    public init(_ configuration: WorldConfiguration) {
        flows = configuration.flowTable
        receiverCount = configuration.receivers.count
        carriage = configuration.carriage
        deinterleaver = configuration.deinterleaver
        playsTogether = configuration.playsTogether
        let goesByClock = configuration.receivers.contains { $0.media.anchor == .senderClock }
        sendingDelay = goesByClock ? configuration.sessions?.plan.sendingDelay : nil
        let plans = configuration.sessions?.plan.sessions ?? []
        sessions = plans.enumerated().map { index, plan in
            (plan, configuration.port(index), configuration.program.substreams[index].kind)
        }
    }

    /// The address of a receiver by index.
    static func receiverAddress(_ index: Int) -> IPv4Address {
        let host = index + 0x0100 + 1
        return IPv4Address(
            10, UInt8(truncatingIfNeeded: host >> 16), UInt8(truncatingIfNeeded: host >> 8),
            UInt8(truncatingIfNeeded: host))
    }

    /// Where the program goes.
    var mediaAddress: IPv4Address { receiverCount > 1 ? Self.group : Self.receiverAddress(0) }

    /// The address of a node: the sender's, a receiver's, or of a node for agents alone 10.0.0.2 upward.
    private func address(ofNode node: Int) -> IPv4Address {
        if node == 0 { return Self.senderAddress }
        if node <= receiverCount { return Self.receiverAddress(node - 1) }
        return IPv4Address(10, 0, 0, UInt8(truncatingIfNeeded: node - receiverCount + 1))
    }

    /// The header of a packet's frame.
    public func frame(of packet: Packet) -> UDPFrame {
        let flow = flows[packet.flow]
        var (source, destination) = (Self.senderAddress, mediaAddress)
        switch flow.kind {
        case .program, .senderReports: break
        case .receiverReports, .control:
            source = address(ofNode: flow.source ?? 0)
            destination = address(ofNode: flow.destinations.lowerBound)
        case .crossTraffic(let number):
            // Other people's traffic goes to the discard port, by addresses meant for benchmarks (RFC 2544 §C.2.2).
            let host = UInt8(truncatingIfNeeded: number + 1)
            (source, destination) = (IPv4Address(198, 18, 0, host), IPv4Address(198, 19, 0, host))
        }
        return UDPFrame(
            source: Endpoint(address: source, port: flow.port),
            destination: Endpoint(address: destination, port: flow.port),
            differentiatedServices: packet.differentiatedServices,
            congestionNotification: Self.congestionNotification(packet.marks),
            identification: UInt16(truncatingIfNeeded: packet.number))
    }

    /// ECT(0) and CE (RFC 3168 §5).
    private static func congestionNotification(_ marks: Packet.Marks) -> UInt8 {
        if marks.contains(.congestionExperienced) { return 3 }
        return marks.contains(.ecnCapable) ? 2 : 0
    }

    /// The session's description (RFC 8866): what session.sdp holds and captures begin with.
    public func description(name: String, rate: BitRate) -> SessionDescription {
        var description = SessionDescription(
            origin: .init(sessionID: UInt64(emulatedEpochUnixSeconds) + 2_208_988_800, address: Self.senderAddress),
            name: name, media: sessions.isEmpty ? [multiplex(rate)] : sessions.map { media($0.plan, $0.port, $0.kind) })
        description.connection = .init(address: mediaAddress)
        if playsTogether {
            // The first session is that by which receivers play together.
            let group = "sync-group=\(WorldConfiguration.synchronizationGroupID)"
            description.media[0].attributes += ["rtcp-xr:grp-sync,\(group)", "rtcp-idms:\(group)"]
        }
        return description
    }

    private func multiplex(_ rate: BitRate) -> SessionDescription.Media {
        var media = SessionDescription.Media(
            kind: .video, port: Self.mediaPort, transport: carriage.hasRTP ? .rtpAVP : .udp,
            formats: carriage.hasRTP
                ? [.init(payloadType: 33, encoding: "MP2T", clockRate: 90_000)] : [.init(subtype: "MP2T")])
        media.bandwidths = [.applicationSpecific(kilobitsPerSecond: (rate.bitsPerSecond + 999) / 1_000)]
        media.attributes = ["recvonly"] + (deinterleaver.map { [attribute(of: $0)] } ?? [])
        return media
    }

    /// A session of its own. Its last attributes are what a receiver must know so that all sessions play alike, in
    /// nanoseconds; who does not know it passes over it (RFC 8866 §5.13).
    private func media(
        _ plan: SubstreamPlan.Session, _ port: UInt16, _ kind: SubstreamKind
    ) -> SessionDescription.Media {
        let kind: SessionDescription.Media.Kind =
            switch kind {
            case .video: .video
            case .audio: .audio
            case .data: .application
            }
        var media = SessionDescription.Media(
            kind: kind, port: port, transport: .rtpAVP, formats: [plan.format.description])
        media.bandwidths = [.transportIndependent(bitsPerSecond: plan.rate.bitsPerSecond)]
        media.attributes = ["recvonly"] + (plan.packetDuration.map { ["ptime:\(Self.milliseconds($0))"] } ?? [])
        media.attributes += [
            "x-rubato-hold:first=\(plan.firstHold.nanoseconds);disposable=\(plan.disposableHold.nanoseconds)"
        ]
        media.attributes += sendingDelay.map { ["x-rubato-delay:\($0.nanoseconds)"] } ?? []
        return media
    }

    /// "20", "2.5": of a=ptime (RFC 8866 §6.4), to a tenth.
    private static func milliseconds(_ span: TimeSpan) -> String {
        let tenths = (span.nanoseconds + 50_000) / 100_000
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    }

    /// What a receiver must know to undo the interleaving. No standard has an attribute for a block interleaver over
    /// datagrams, and a receiver that does not know one passes over it (RFC 8866 §5.13). Spans in nanoseconds.
    private func attribute(of deinterleaver: BlockDeinterleaver) -> String {
        let block = deinterleaver.configuration.block
        return "x-rubato-interleave:rows=\(block.rows);columns=\(block.columns)"
            + ";first-sequence-number=\(deinterleaver.firstSequenceNumber)"
            + ";least-span=\(deinterleaver.configuration.leastSpan.nanoseconds)"
            + ";longest-span=\(deinterleaver.span.nanoseconds)"
    }
}
