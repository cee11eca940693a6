import Timebase
import Wire

extension CaptureAnalyzer {
    func description(of key: FlowKey) -> MediaDescription? {
        let port = key.destination.port
        let candidates = options.descriptions.filter { $0.port == port }
        let exact = candidates.filter { $0.destination == key.destination.address }
        // Behind address translation the description's address is another; a multicast group's never is.
        return MediaDescription.together(
            exact.isEmpty ? candidates.filter { !($0.destination?.isMulticast ?? false) } : exact)
    }

    /// Whether it was an announcement.
    func takeAnnouncement(_ payload: RawSpan) -> Bool {
        guard let announcement = try? SessionAnnouncement(parsing: payload) else { return false }
        guard !announcement.isDeletion else { return true }
        adopt(MediaDescription.all(in: String(decoding: announcement.payload, as: UTF8.self)))
        return true
    }

    /// Takes descriptions that came in the capture itself.
    func adopt(_ descriptions: [MediaDescription]) {
        var ports: Set<UInt16> = []
        for description in descriptions
        where options.descriptions.count < 4096 && known.insert(description).inserted {
            options.descriptions.append(description)
            ports.insert(description.port)
        }
        guard !ports.isEmpty else { return }
        for flow in flows.values where ports.contains(flow.key.destination.port) {
            flow.description = description(of: flow.key)
            for stream in flow.streams { stream.rename() }
        }
    }

    /// Takes what SIP and RTSP say of the media that they set up.
    ///
    /// - Parameter isConnected: by TCP, where a message may come in pieces.
    func addSignalling(
        _ key: (source: SocketAddress, destination: SocketAddress), _ payload: RawSpan, isConnected: Bool
    ) {
        let flow = FlowKey(source: key.source, destination: key.destination)
        adopt(signalling.take(payload, flow, isConnected: isConnected))
    }
}
