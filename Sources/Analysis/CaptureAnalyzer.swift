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
    private var options: AnalysisOptions
    private var flows: [FlowKey: Flow] = [:]
    private var lastFlow: Flow?
    private var streams: [RTPStream] = []
    private var streamsBySSRC: [UInt32: [RTPStream]] = [:]
    private var transports: [UDPTransportStream] = []
    private var srtStreams: [SRTStream] = []
    private var known: Set<MediaDescription> = []
    private var reports: [PendingReport] = []
    private var ntp = NTPTracker()
    private var result = CaptureAnalysis()
    /// Bytes of transport packets that wait in candidates.
    private var heldBytes = 0
    private var flowsLeftOut: Int64 = 0

    /// An RTCP datagram that came before the streams it is about were certain.
    private struct PendingReport {
        var key: FlowKey
        var instant: Instant
        var packets: [RTCPPacket]
    }

    private static let maximumFlows = 1 << 16
    private static let maximumReports = 256
    private static let maximumHeldBytes = 64 << 20

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
        let flow = Flow(key)
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

// MARK: - Descriptions

extension CaptureAnalyzer {
    private func description(of key: FlowKey) -> MediaDescription? {
        let port = key.destination.port
        let candidates = options.descriptions.filter { $0.port == port }
        if let exact = candidates.last(where: { $0.destination == key.destination.address }) { return exact }
        // Behind address translation the description's address is another; a multicast group's never is.
        return candidates.last { !($0.destination?.isMulticast ?? false) }
    }

    /// Whether it was an announcement.
    private func takeAnnouncement(_ payload: RawSpan) -> Bool {
        guard let announcement = try? SessionAnnouncement(parsing: payload) else { return false }
        guard !announcement.isDeletion else { return true }
        var isNew = false
        for description in MediaDescription.all(in: String(decoding: announcement.payload, as: UTF8.self))
        where options.descriptions.count < 4096 && known.insert(description).inserted {
            options.descriptions.append(description)
            isNew = true
        }
        guard isNew else { return true }
        for flow in flows.values {
            flow.description = description(of: flow.key)
            for stream in flow.streams { describe(stream, flow) }
        }
        return true
    }

    private func describe(_ stream: RTPStream, _ flow: Flow) {
        guard let type = stream.payloadTypes.max(by: { ($0.value, $1.key) < ($1.value, $0.key) })?.key else { return }
        if let rate = options.clocks[type] {
            let encoding = flow.description?.encodings[type] ?? RTPEncoding(staticPayloadType: type)
            stream.describe(
                RTPEncoding(name: encoding?.name ?? "PT\(type)", clockRate: rate, kind: encoding?.kind), source: .option
            )
        } else if let encoding = flow.description?.encodings[type] {
            stream.describe(encoding, source: .sdp)
            let name = encoding.name.lowercased()
            if name == "rtx" { stream.kind = .rtx }
            if name.contains("fec") || name == "red" && encoding.kind == nil { stream.kind = .fec }
            if flow.description?.isSecure == true { stream.kind = .srtp }
        } else if let encoding = RTPEncoding(staticPayloadType: type) {
            stream.describe(encoding, source: .staticType)
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

// MARK: - RTP and RTCP

extension CaptureAnalyzer {
    /// What begins with version 2: RTP, RTCP, or by chance something else.
    private func addVersionTwo(_ flow: Flow, _ datagram: Datagram, _ payload: RawSpan) {
        guard let second = try? payload.bigEndian(UInt8.self, at: 1) else { return }
        // RFC 5761 §4: these are RTCP's types, and no payload type with marker may look like them.
        if (192...223).contains(second) {
            if addRTCP(flow, datagram, payload) { return }
            if isRTCPPort(flow) { result.malformedRTCP += 1 }
            return
        }
        if DatagramSignature(payload, payloadCount: datagram.payloadCount) == .srtHandshake {
            flow.isSRT = true
            flows[flow.key.reversed]?.isSRT = true
            return
        }
        guard flow.carriage != .ts, let arrival = arrival(datagram, payload),
            let ssrc = try? payload.bigEndian(UInt32.self, at: 8)
        else { return }
        // Where the capture has all of the packet and its payload is in clear.
        let isWhole = payload.byteCount == datagram.payloadCount && !flow.isEncrypted
        let end = payload.byteCount - (isWhole ? arrival.paddingCount : 0)
        let media = payload.extracting((isWhole ? end - arrival.payloadCount : end)..<end)
        if let stream = flow.streams.last(where: { $0.ssrc == ssrc }) {
            stream.add(arrival, media: media)
        } else {
            addCandidate(flow, ssrc, arrival, media: media)
        }
    }

    /// The packet as RTP; nil when it cannot be.
    private func arrival(_ datagram: Datagram, _ payload: RawSpan) -> RTPArrival? {
        let header: RTPHeader
        if payload.byteCount == datagram.payloadCount {
            guard let whole = try? RTPHeader(parsing: payload) else { return nil }
            header = whole
        } else {
            // The capture cut it: the fixed header is enough, and where padding is cannot be seen.
            guard payload.byteCount >= RTPHeader.fixedLength,
                let cut = try? RTPHeader(parsing: payload.extracting(0..<RTPHeader.fixedLength).withoutOptions)
            else { return nil }
            header = cut
        }
        guard header.payloadCount > 0 || header.payloadOffset < datagram.payloadCount else { return nil }
        var arrival = RTPArrival(
            instant: datagram.instant, payloadType: header.payloadType, sequenceNumber: header.sequenceNumber,
            timestamp: header.timestamp, count: datagram.payloadCount,
            payloadCount: max(header.payloadCount, datagram.payloadCount - RTPHeader.fixedLength))
        if payload.byteCount == datagram.payloadCount {
            arrival.payloadCount = header.payloadCount
            arrival.paddingCount = Int(header.paddingCount)
        }
        return arrival
    }

    private func addCandidate(_ flow: Flow, _ ssrc: UInt32, _ arrival: RTPArrival, media: RawSpan) {
        let isDescribed = flow.description?.isRTP == true || flow.carriage == .rtp
        // Static, or dynamic; what lies between is unassigned or RTCP's.
        let type = arrival.payloadType
        let isPlausible = type >= 96 || RTPEncoding(staticPayloadType: type) != nil || options.clocks[type] != nil
        guard isDescribed || isPlausible, flow.streams.count < Flow.maximumStreams else { return }
        var arrival = arrival
        if heldBytes <= Self.maximumHeldBytes, TransportStreamMeter.packetLength(of: media) != nil {
            arrival.transportPackets = media.copied
            heldBytes += media.byteCount
        }
        let index = flow.candidates.firstIndex { $0.ssrc == ssrc } ?? flow.candidates.count
        if index == flow.candidates.count {
            if index == Flow.maximumCandidates { release(flow.candidates.removeFirst()) }
            flow.candidates.append(RTPCandidate(ssrc: ssrc))
        }
        let place = min(index, flow.candidates.count - 1)
        heldBytes -= flow.candidates[place].add(arrival, isDescribed: isDescribed)
        if flow.candidates[place].isStream(isDescribed: isDescribed, atEnd: false) {
            admit(flow.candidates.remove(at: place), to: flow)
        }
    }

    private func release(_ candidate: RTPCandidate) {
        for arrival in candidate.arrivals { heldBytes -= arrival.transportPackets?.count ?? 0 }
    }

    private func admit(_ candidate: RTPCandidate, to flow: Flow) {
        release(candidate)
        let stream = RTPStream(
            source: flow.key.source, destination: flow.key.destination, ssrc: candidate.ssrc,
            opening: candidate.arrivals, playout: options.playout)
        if flow.isSecure { stream.kind = .srtp }
        flow.streams.append(stream)
        streams.append(stream)
        streamsBySSRC[candidate.ssrc, default: []].append(stream)
        for arrival in candidate.arrivals { stream.add(arrival, media: RawSpan()) }
        describe(stream, flow)
        if stream.clockSource == .unknown, candidate.arrivals.allSatisfy({ $0.transportPackets != nil }) {
            // RFC 2250 §2: whatever type the session gave it, a transport stream's clock is 90 kHz.
            stream.describe(RTPEncoding(name: "MP2T", clockRate: 90_000, kind: .video), source: .estimated)
        }
        for report in reports { take(report, only: stream) }
    }

    /// Whether RTCP in clear is to be expected there.
    private func isRTCPPort(_ flow: Flow) -> Bool {
        if flow.isEncrypted { return false }
        let port = flow.key.destination.port
        if !flow.streams.isEmpty { return true }
        if let described = options.descriptions.first(where: { $0.isRTP && $0.rtcpPort == port }) {
            return !described.isSecure
        }
        guard port & 1 == 1, flow.key.source.port > 0 else { return false }
        var media = flow.key
        media.destination.port -= 1
        media.source.port &-= 1
        return flows[media].map { $0.isMedia && !$0.isEncrypted } ?? false
    }

    /// Whether it was a compound RTCP packet that can be read.
    private func addRTCP(_ flow: Flow, _ datagram: Datagram, _ payload: RawSpan) -> Bool {
        guard
            let compound = try? RTCPCompound(parsing: payload, allowsReducedSize: flow.isMedia || isRTCPPort(flow))
        else { return false }
        let report = PendingReport(key: flow.key, instant: datagram.instant, packets: compound.packets)
        take(report, only: nil)
        if reports.count == Self.maximumReports { reports.removeFirst() }
        reports.append(report)
        return true
    }

    /// Gives a report to the streams it is about, or to one of them alone.
    private func take(_ report: PendingReport, only: RTPStream?) {
        func each(_ ssrc: UInt32, isOwn: Bool, _ body: (RTPStream) -> Void) {
            for stream in only.map({ [$0] }) ?? streamsBySSRC[ssrc] ?? [] where stream.ssrc == ssrc {
                // Its own report goes the way of the stream; one about it comes back, or to everybody.
                let source = isOwn ? stream.source.address : stream.destination.address
                let matches =
                    source == report.key.source.address
                    || !isOwn && stream.destination.address.isMulticast
                if matches { body(stream) }
            }
        }
        func blocks(_ blocks: [ReceptionReport]) {
            for block in blocks { each(block.ssrc, isOwn: false) { $0.take(block, at: report.instant) } }
        }
        for packet in report.packets {
            switch packet {
            case .senderReport(let sender):
                each(sender.ssrc, isOwn: true) {
                    if $0.destination.address == report.key.destination.address { $0.take(sender, at: report.instant) }
                }
                blocks(sender.reports)
            case .receiverReport(let receiver): blocks(receiver.reports)
            case .sourceDescription(let chunks):
                for chunk in chunks { each(chunk.ssrc, isOwn: true) { $0.take(chunk) } }
            case .goodbye(let goodbye): for ssrc in goodbye.sources { each(ssrc, isOwn: true) { $0.takeGoodbye() } }
            case .other: break
            }
        }
    }
}

extension RawSpan {
    /// A fixed RTP header as if it said nothing of padding, extension and contributing sources.
    fileprivate var withoutOptions: [UInt8] {
        var bytes = copied
        if !bytes.isEmpty { bytes[0] &= 0xc0 }
        return bytes
    }
}

extension RTPHeader {
    fileprivate init(parsing bytes: [UInt8]) throws(ParseError) {
        try self.init(parsing: bytes.span.bytes)
    }
}

// MARK: - Results

extension CaptureAnalyzer {
    /// Ends all streams. The captures' own facts are for the caller to add.
    public func finish() -> CaptureAnalysis {
        for flow in flows.values.sorted(by: { $0.key.order < $1.key.order }) {
            let isDescribed = flow.description?.isRTP == true || flow.carriage == .rtp
            let ready = flow.candidates.filter { $0.isStream(isDescribed: isDescribed, atEnd: true) }
            flow.candidates = []
            for candidate in ready { admit(candidate, to: flow) }
        }
        for stream in streams { stream.finish() }
        for transport in transports { transport.finish() }
        var all: [(StreamMeasurements, RTPStream?)] = streams.map { ($0.measurements, $0) }
        let plain = transports.filter(\.isCertain)
        all += plain.map { ($0.measurements, nil) } + srtStreams.map { ($0.measurements, nil) }
        all.sort { ($0.0.order) < ($1.0.order) }
        for index in all.indices { all[index].0.id = "s\(index + 1)" }
        result.streams = labelledFEC(all.map(\.0), largest: all.map { $0.1?.largestPayload ?? 0 })
        result.pairs = LipSyncPairs.find(
            in: all.compactMap { entry in entry.1.map { (entry.0.id, $0) } })
        result.ntp = ntp.measurements
        if flowsLeftOut > 0 { result.notes.append("\(flowsLeftOut) datagrams of flows beyond 65,536 were left out") }
        return result
    }

    /// SMPTE 2022-1 goes two and four ports above the transport stream it protects, and its packets are 16 bytes longer.
    private func labelledFEC(_ streams: [StreamMeasurements], largest: [Int]) -> [StreamMeasurements] {
        var streams = streams
        for index in streams.indices where streams[index].kind == .rtp && streams[index].transportStream == nil {
            let fec = streams[index]
            let protected = streams.indices.contains { other in
                let media = streams[other]
                let above = Int(fec.destination.port) - Int(media.destination.port)
                return media.transportStream != nil && media.destination.address == fec.destination.address
                    && (above == 2 || above == 4) && largest[index] == largest[other] + 16
            }
            guard protected else { continue }
            streams[index].kind = .fec
            streams[index].notes.append("taken for SMPTE 2022-1 FEC by its port and the length of its packets")
        }
        return streams
    }
}

extension FlowKey {
    /// Any fixed order will do.
    fileprivate var order: String { "\(source) \(destination)" }
}

extension StreamMeasurements {
    fileprivate var order: (Int64, String, UInt32) {
        (quality.first.nanoseconds, "\(source) \(destination)", ssrc ?? 0)
    }
}
