import Capture
import Metrics
import Timebase
import Wire

/// Finds the media streams among the datagrams of captures and measures them, in one pass and bounded memory.
///
/// RTP is told by its session's description (SDP given, or announced by SAP inside the capture), else by a conservative
/// rule: five packets of one SSRC with near numbers and near timestamps, of a payload type that can be. A transport
/// stream straight in UDP is told by its sync bytes.
public final class CaptureAnalyzer {
    var options: AnalysisOptions
    var flows: [FlowKey: Flow] = [:]
    private var lastFlow: Flow?
    var streams: [RTPStream] = []
    var streamsBySSRC: [UInt32: [RTPStream]] = [:]
    var transports: [UDPTransportStream] = []
    var srtStreams: [SRTStream] = []
    var known: Set<MediaDescription> = []
    var reports: [PendingReport] = []
    var ntp = NTPTracker()
    var signalling = SignallingTracker()
    var result = CaptureAnalysis()
    /// Bytes of transport packets that wait in candidates.
    var heldBytes = 0
    /// Packets that wait in candidates.
    var heldArrivals = 0
    var flowsLeftOut: Int64 = 0

    /// An RTCP datagram that came before the streams it is about were certain.
    struct PendingReport {
        var key: FlowKey
        var instant: Instant
        var packets: [RTCPPacket]
    }

    private static let maximumFlows = 1 << 16
    static let maximumReports = 256
    static let maximumHeldBytes = 64 << 20
    static let maximumHeldArrivals = 1 << 18

    /// An analyzer of captures that come one after the other.
    public init(_ options: AnalysisOptions = AnalysisOptions()) {
        self.options = options
        for description in options.descriptions { known.insert(description) }
    }

    /// Takes a datagram; they come in the order of their times, as far as the captures keep it.
    ///
    /// - Parameter payload: what the capture has of it.
    public func add(_ datagram: Datagram, payload: RawSpan) {
        let key = FlowKey(source: datagram.source, destination: datagram.destination)
        guard let flow = flow(key) else { return }
        if key.destination.port == SessionAnnouncement.destination.port, takeAnnouncement(payload) { return }
        if key.source.port == NTPPacket.port || key.destination.port == NTPPacket.port {
            if let packet = try? NTPPacket(parsing: payload) {
                ntp.add(packet, from: key.source, to: key.destination, at: datagram.instant)
            }
            return
        }
        if flow.isSRT { return addSRT(flow, datagram, payload) }
        guard let first = try? payload.bigEndian(UInt8.self, at: 0) else { return }
        if first >> 6 == 2 {
            addVersionTwo(flow, datagram, payload)
        } else if first == TransportPacket.syncByte {
            addTransportPackets(flow, datagram, payload)
        } else if let signature = DatagramSignature(payload, payloadCount: datagram.payloadCount) {
            take(signature, flow)
        } else if SignallingMessage.mayBegin(with: first) {
            addSignalling((key.source, key.destination), payload, isConnected: false)
        }
    }

    private func flow(_ key: FlowKey) -> Flow? {
        if let lastFlow, lastFlow.key == key { return lastFlow }
        if let flow = flows[key] {
            lastFlow = flow
            return flow
        }
        guard flows.count < Self.maximumFlows else {
            flowsLeftOut += 1
            return nil
        }
        let flow = Flow(key, clocks: options.clocks)
        flows[key] = flow
        flow.carriage = options.carriages[key.destination.port]
        flow.description = description(of: key)
        if let reverse = flows[key.reversed] {
            flow.isSecure = reverse.isSecure
            flow.isSRT = reverse.isSRT
        }
        lastFlow = flow
        return flow
    }

    private func take(_ signature: DatagramSignature, _ flow: Flow) {
        let both = [flow, flows[flow.key.reversed]].compactMap { $0 }
        switch signature {
        case .stun: result.stunDatagrams += 1
        case .dtlsHandshake:
            for flow in both {
                flow.isSecure = true
                for stream in flow.streams where stream.kind == .rtp { stream.kind = .srtp }
            }
        case .srtHandshake: break
        }
    }
}

// MARK: - Transport streams and SRT

extension CaptureAnalyzer {
    private func addTransportPackets(_ flow: Flow, _ datagram: Datagram, _ payload: RawSpan) {
        guard flow.carriage != .rtp, payload.byteCount == datagram.payloadCount,
            let length = TransportStreamMeter.packetLength(of: payload)
        else { return }
        if flow.transport == nil {
            let stream = UDPTransportStream(
                flow.key, packetLength: length, playout: options.playout)
            flow.transport = stream
            transports.append(stream)
        }
        flow.transport?.add(payload, payloadCount: datagram.payloadCount, at: datagram.instant)
    }

    /// SRT's data packets begin with a zero bit; the socket they are for follows in the fourth word.
    private func addSRT(_ flow: Flow, _ datagram: Datagram, _ payload: RawSpan) {
        guard let first = try? payload.bigEndian(UInt32.self, at: 0), first >> 31 == 0,
            let socketID = try? payload.bigEndian(UInt32.self, at: 12)
        else { return }
        if !flow.srt.contains(where: { $0.socketID == socketID }) {
            guard flow.srt.count < Flow.maximumStreams else { return }
            let stream = SRTStream(flow.key, socketID: socketID)
            flow.srt.append(stream)
            srtStreams.append(stream)
        }
        flow.srt.first { $0.socketID == socketID }?.add(payloadCount: datagram.payloadCount, at: datagram.instant)
    }
}
