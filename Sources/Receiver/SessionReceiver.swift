import Timebase
import Wire

/// Where a stream comes in: says of each datagram that arrives whether it belongs to the stream, which place it has
/// there, and when it was sent.
///
/// With RTP, headers and sequence numbers tell (``RTPReception``), without it the clock references inside
/// (``ReferenceReception``). It waits for nothing by itself, so it has no timeouts; whoever hands it a datagram polls
/// until nothing comes out.
public struct SessionReceiver: Sendable {
    public enum Output: Sendable {
        case media(MediaDatagram)
        /// Whoever takes this frees its slot.
        case discarded(Packet, ReceiverOutput.Discard)
    }

    private let hasRTP: Bool
    private var rtp: RTPReception
    private var plain = ReferenceReception()
    /// What became of the latest datagram.
    private var latest: Output?

    public init(_ configuration: ReceiverConfiguration) {
        hasRTP = configuration.hasRTP
        rtp = RTPReception(configuration)
    }

    /// What receiver reports say; nothing without RTP.
    public var statistics: ReceptionStatistics { rtp.statistics }

    /// Takes a datagram with its UDP payload.
    public mutating func handle(_ packet: Packet, payload: RawSpan, at now: LocalInstant) {
        if hasRTP {
            latest = rtp.receive(packet, payload, at: now)
        } else if !plain.receive(packet, payload, at: now) {
            latest = .discarded(packet, .overflow)
        }
    }

    public mutating func pollOutput() -> Output? {
        if !hasRTP, let output = plain.pollOutput() { return output }
        defer { latest = nil }
        return latest
    }

    /// No datagram is under way any more: gives up what waits for a clock reference.
    public mutating func finish() { plain.finish() }
}
