import Timebase
import Wire

/// Follows SIP and RTSP as far as they say what media come where: an offer or an answer in SIP says it all, in RTSP the
/// description says what, and the transport of SETUP's answer where.
struct SignallingTracker {
    /// What is known of two RTSP ends, of which the client asks.
    private struct Session {
        var media: [MediaDescription] = []
        /// The address that each SETUP was about, by its CSeq.
        var setups: [(sequence: String, address: String)] = []
        var answered = 0
    }

    private struct Ends: Hashable {
        var client: SocketAddress
        var server: SocketAddress
    }

    private var sessions: [Ends: Session] = [:]
    /// Messages of which more has to come, by who sends them.
    private var pieces: [FlowKey: [UInt8]] = [:]

    private static let mostSessions = 1024
    private static let mostPieces = 64
    private static let longest = 65_536

    /// Takes a datagram or a segment; the streams that it describes.
    mutating func take(_ payload: RawSpan, _ flow: FlowKey, isConnected: Bool) -> [MediaDescription] {
        var bytes: [UInt8] = []
        if isConnected, let begun = pieces.removeValue(forKey: flow) { bytes = begun }
        guard !bytes.isEmpty || Self.mayBegin(payload) else { return [] }
        bytes += payload.copied
        guard let message = SignallingMessage(bytes.span.bytes) else {
            keep(bytes, flow, isConnected)
            return []
        }
        if message.missing > 0 { keep(bytes, flow, isConnected) }
        guard message.missing == 0 || !isConnected else { return [] }
        let isRTSP = bytes.starts(with: "RTSP/".utf8) || !message.address.hasPrefix("sip") && message.method != nil
        return isRTSP ? takeRTSP(message, flow) : message.media
    }

    private static func mayBegin(_ payload: RawSpan) -> Bool {
        (try? payload.bigEndian(UInt8.self, at: 0)).map { SignallingMessage.mayBegin(with: $0) } ?? false
    }

    /// Only what begins like a message is kept, and as long as one may be.
    private mutating func keep(_ bytes: [UInt8], _ flow: FlowKey, _ isConnected: Bool) {
        let start = String(decoding: bytes.prefix(256).prefix { $0 != 13 }, as: UTF8.self)
        guard isConnected, bytes.count < Self.longest, pieces.count < Self.mostPieces || pieces[flow] != nil,
            start.contains("RTSP/1") || start.contains("SIP/2.0")
        else { return }
        pieces[flow] = bytes
    }

    private mutating func takeRTSP(_ message: SignallingMessage, _ flow: FlowKey) -> [MediaDescription] {
        let isRequest = message.method != nil
        let ends =
            isRequest
            ? Ends(client: flow.source, server: flow.destination) : Ends(client: flow.destination, server: flow.source)
        if sessions[ends] == nil {
            guard sessions.count < Self.mostSessions else { return [] }
            sessions[ends] = Session()
        }
        let media = message.media
        // A server's description, or one that a client announces that will record.
        if !media.isEmpty { sessions[ends]?.media = media }
        let sequence = message.fields["cseq"] ?? ""
        if message.method == "SETUP", sessions[ends].map({ $0.setups.count < 64 }) ?? false {
            sessions[ends]?.setups.append((sequence, message.address))
        }
        guard !isRequest, let transport = message.fields["transport"] else { return media.filter { $0.port != 0 } }
        return arranged(ends, sequence, transport).map { [$0] } ?? []
    }

    /// What comes where by SETUP's answer.
    private mutating func arranged(_ ends: Ends, _ sequence: String, _ transport: String) -> MediaDescription? {
        guard let session = sessions[ends], !session.media.isEmpty else { return nil }
        let address = session.setups.last { $0.sequence == sequence }?.address ?? ""
        // Servers that give their streams no addresses are asked for them in order.
        let found =
            session.media.first { $0.isControlled(by: address) }
            ?? session.media[min(session.answered, session.media.count - 1)]
        sessions[ends]?.answered += 1
        var parameters: [Substring: Substring] = [:]
        for part in transport.split(separator: ";") {
            let pair = part.split(separator: "=", maxSplits: 1)
            if pair.count == 2 { parameters[pair[0]] = pair[1] }
        }
        func port(_ name: Substring) -> UInt16? { parameters[name].flatMap { UInt16($0.prefix { $0.isNumber }) } }
        let group = parameters["destination"].flatMap { IPv4Address($0) }.map { IPAddress($0) }
        guard let port = port("client_port") ?? port("port") else { return nil }
        return found.moved(to: SocketAddress(address: group ?? ends.client.address, port: port))
    }
}
