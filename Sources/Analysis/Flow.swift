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
    var streams: [RTPStream] = []
    var candidates: [RTPCandidate] = []
    var transport: UDPTransportStream?
    var srt: [SRTStream] = []

    static let maximumCandidates = 4
    static let maximumStreams = 256

    init(_ key: FlowKey) { self.key = key }

    var isEncrypted: Bool { isSecure || description?.isSecure == true }
    var isMedia: Bool { !streams.isEmpty || transport != nil || description != nil || carriage != nil }
}
