import Timebase
import Wire

/// What goes one way between two ports, as far as it has shown.
final class Flow {
    let key: FlowKey
    /// What SDP says comes here.
    var description: MediaDescription?
    var carriage: AnalysisOptions.Carriage?
    /// A DTLS handshake was seen between these ports.
    var isSecure = false
    var isSRT = false
    /// Whatever comes is part of a transport stream: its packets begin in one datagram and end in the next.
    var isContinuous = false
    /// The first datagrams, while it is not clear whether they are that.
    var probe: [(instant: Instant, bytes: [UInt8])] = []
    /// Datagrams that were looked at for it.
    var probed = 0

    /// What is looked at: five packets and what may be before them, and no more datagrams than a few.
    static let probeBytes = 6 * 204
    static let mostProbed = 24
    private(set) var streams: [RTPStream] = []
    /// The place of each source's stream, once there are several.
    private var places: [UInt32: Int] = [:]
    private var lastStream: RTPStream?
    var candidates: [RTPCandidate] = []
    var transport: UDPTransportStream?
    var srt: [SRTStream] = []

    static let maximumCandidates = 256
    static let maximumStreams = 256

    /// The user's word for clock rates, by payload type, Hz.
    private let clocks: [UInt8: UInt32]

    init(_ key: FlowKey, clocks: [UInt8: UInt32]) {
        self.key = key
        self.clocks = clocks
    }

    /// What a payload type means here, and who says so.
    func encoding(of type: UInt8) -> (RTPEncoding, StreamMeasurements.ClockSource)? {
        let described = description?.encodings[type]
        if let rate = clocks[type] {
            let known = described ?? RTPEncoding(staticPayloadType: type)
            return (RTPEncoding(name: known?.name ?? "PT\(type)", clockRate: rate, kind: known?.kind), .option)
        }
        if let described { return (described, .sdp) }
        return RTPEncoding(staticPayloadType: type).map { ($0, .staticType) }
    }

    func add(_ stream: RTPStream) {
        places[stream.ssrc] = streams.count
        streams.append(stream)
        lastStream = stream
    }

    /// The stream of a source; nil before it is certain.
    func stream(of ssrc: UInt32) -> RTPStream? {
        if let lastStream, lastStream.ssrc == ssrc { return lastStream }
        guard let place = places[ssrc] else { return nil }
        lastStream = streams[place]
        return streams[place]
    }

    var isEncrypted: Bool { isSecure || description?.isSecure == true }
    var isMedia: Bool { !streams.isEmpty || transport != nil || description != nil || carriage != nil }
}
