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
        if flow.isSRT || flow.isContinuous { return addExclusive(flow, datagram, payload) }
        guard let first = try? payload.bigEndian(UInt8.self, at: 0) else { return }
        if first >> 6 == 2 {
            addVersionTwo(flow, datagram, payload)
        } else if first == TransportPacket.syncByte {
            addTransportPackets(flow, datagram, payload)
        } else if let signature = DatagramSignature(payload, payloadCount: datagram.payloadCount) {
            take(signature, flow)
        } else if !addProbe(flow, datagram, payload), SignallingMessage.mayBegin(with: first) {
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
        guard flow.carriage != .rtp, payload.byteCount == datagram.payloadCount else { return }
        guard let length = TransportStreamMeter.packetLength(of: payload) else {
            // Part of a packet at its end: the next datagram begins within it.
            if flow.transport == nil {
                _ = addProbe(flow, datagram, payload)
            } else {
                addContinued(flow, datagram, payload)
            }
            return
        }
        transport(flow, length).add(payload, payloadCount: datagram.payloadCount, at: datagram.instant)
    }

    private func transport(_ flow: Flow, _ length: Int) -> UDPTransportStream {
        if let transport = flow.transport { return transport }
        let stream = UDPTransportStream(flow.key, packetLength: length, playout: options.playout)
        flow.transport = stream
        transports.append(stream)
        return stream
    }

    /// A transport stream of whole packets goes on with other datagrams.
    private func addContinued(_ flow: Flow, _ datagram: Datagram, _ payload: RawSpan) {
        guard TransportStreamMeter.phase(of: payload, count: 2) != nil else { return }
        flow.isContinuous = true
        flow.transport?.add(payload, payloadCount: datagram.payloadCount, at: datagram.instant)
    }

    /// Looks whether datagrams that begin anywhere are a transport stream's; whether they are.
    @inline(never)
    private func addProbe(_ flow: Flow, _ datagram: Datagram, _ payload: RawSpan) -> Bool {
        guard hold(flow, datagram, payload) else { return false }
        let bytes = flow.probe.flatMap(\.bytes)
        guard let found = TransportStreamMeter.phase(of: bytes.span.bytes, count: 5) else {
            // Whatever they are, they do not go on from each other.
            if bytes.count >= Flow.probeBytes { endProbe(flow) }
            return false
        }
        let held = flow.probe
        endProbe(flow)
        flow.isContinuous = true
        let stream = transport(flow, found.length)
        stream.begin(behind: found.offset)
        for piece in held {
            stream.add(
                piece.bytes.span.bytes, payloadCount: piece.bytes.count, at: piece.instant)
        }
        return true
    }

    /// Keeps a datagram that may be part of such a stream; whether it is kept. One that begins like RTP decides nothing:
    /// RTP's transport packets, too, lie in their places behind its header.
    func hold(_ flow: Flow, _ datagram: Datagram, _ payload: RawSpan) -> Bool {
        guard flow.probed < Flow.mostProbed, flow.streams.isEmpty, flow.transport == nil, flow.carriage != .rtp,
            payload.byteCount == datagram.payloadCount, heldBytes <= Self.maximumHeldBytes
        else {
            if !flow.probe.isEmpty { endProbe(flow) }
            return false
        }
        flow.probed += 1
        flow.probe.append((datagram.instant, payload.copied))
        heldBytes += payload.byteCount
        return true
    }

    func endProbe(_ flow: Flow) {
        for piece in flow.probe { heldBytes -= piece.bytes.count }
        flow.probe = []
    }

    /// What comes between ports that carry nothing else.
    private func addExclusive(_ flow: Flow, _ datagram: Datagram, _ payload: RawSpan) {
        if flow.isSRT { return addSRT(flow, datagram, payload) }
        guard payload.byteCount == datagram.payloadCount else { return }
        flow.transport?.add(payload, payloadCount: datagram.payloadCount, at: datagram.instant)
    }

    /// SRT's data packets begin with a zero bit; the socket they are for follows in the fourth word.
    private func addSRT(_ flow: Flow, _ datagram: Datagram, _ payload: RawSpan) {
        guard let first = try? payload.bigEndian(UInt32.self, at: 0), first >> 31 == 0,
            let second = try? payload.bigEndian(UInt32.self, at: 4),
            let socketID = try? payload.bigEndian(UInt32.self, at: 12)
        else { return }
        if !flow.srt.contains(where: { $0.socketID == socketID }) {
            guard flow.srt.count < Flow.maximumStreams else { return }
            let stream = SRTStream(flow.key, socketID: socketID)
            flow.srt.append(stream)
            srtStreams.append(stream)
        }
        flow.srt.first { $0.socketID == socketID }?.add(
            sequence: first, message: second, payloadCount: datagram.payloadCount, at: datagram.instant)
    }
}
