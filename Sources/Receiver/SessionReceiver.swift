import Timebase
import Wire

/// Where a stream comes in: says of each datagram that arrives whether it belongs to the stream, which place it has
/// there, and when it was sent.
///
/// With RTP, headers and sequence numbers tell (``RTPReception``), without it the clock references inside
/// (``ReferenceReception``). It has no timeouts.
public struct SessionReceiver: Sendable {
    /// What has become of a datagram.
    public enum Output: Sendable {
        /// It belongs to the stream, with its place and time there.
        case media(MediaDatagram)
        /// Whoever takes this frees its slot.
        case discarded(Packet, ReceiverOutput.Discard)
    }

    private let hasRTP: Bool
    private var rtp: RTPReception
    private var plain = ReferenceReception()

    /// A session that no datagram has come to.
    public init(_ configuration: ReceiverConfiguration) {
        hasRTP = configuration.hasRTP
        rtp = RTPReception(configuration)
    }

    /// What receiver reports say; nothing without RTP.
    var statistics: ReceptionStatistics { rtp.statistics }

    /// Takes a datagram with its UDP payload.
    ///
    /// - Returns: what became of it; nil without RTP, where ``pollOutput()`` gives it and those that waited before it
    ///   once they can be dated.
    public mutating func handle(_ packet: Packet, payload: RawSpan, at now: LocalInstant) -> Output? {
        if hasRTP { return rtp.receive(packet, payload, at: now) }
        return plain.receive(packet, payload, at: now) ? nil : .discarded(packet, .overflow)
    }

    /// That of the latest datagram; nil before the first, and without RTP.
    var latestTimestamp: UInt32? { rtp.latestTimestamp }

    /// When a timestamp was taken, on the scale of ``MediaDatagram/sourceTime``; nil without RTP.
    func sourceTime(ofTimestamp timestamp: UInt32) -> TimeSpan? {
        hasRTP ? rtp.sourceTime(ofTimestamp: timestamp) : nil
    }

    /// The next datagram that has waited, or, in the end, has done so in vain; to be polled until nil.
    public mutating func pollOutput() -> Output? { plain.pollOutput() }

    /// No datagram is under way any more: gives up what waits for a clock reference.
    public mutating func finish() { plain.finish() }
}
