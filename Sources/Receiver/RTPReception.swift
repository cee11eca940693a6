import Protection
import Timebase
import Wire

/// Reads the RTP headers of a stream: which datagrams belong to it, once each, and their place (RFC 3550 §A.1).
struct RTPReception: Sendable {
    private(set) var statistics = ReceptionStatistics(clockRate: MediaClock.ninetyKilohertz)
    private var window: ReceivedWindow
    private var timestamp = WrapUnwrapper(bits: 32)
    private let deinterleaver: BlockDeinterleaver?
    /// Where headers may be damaged.
    private var doubt: HeaderDoubt?
    /// Whether each datagram has to tell the sender's clock, not the first alone.
    private let followsClock: Bool
    private var isFirst = true

    init(_ configuration: ReceiverConfiguration) {
        deinterleaver = configuration.deinterleaver
        followsClock = configuration.clockRecovery != .none
        window = ReceivedWindow(reach: deinterleaver?.reach ?? 0)
        guard configuration.doubtsHeaders else { return }
        doubt = HeaderDoubt(clockRate: MediaClock.ninetyKilohertz, reach: Int64(deinterleaver?.reach ?? 0))
    }

    mutating func receive(_ packet: Packet, _ payload: RawSpan, at now: LocalInstant) -> SessionReceiver.Output {
        guard let header = try? RTPHeader(parsing: payload), doubt?.believes(header, at: now) != false else {
            return .discarded(packet, .malformed)
        }
        let number = statistics.add(sequenceNumber: header.sequenceNumber, timestamp: header.timestamp, at: now)
        guard window.insert(number) else { return .discarded(packet, .duplicate) }
        let ticks = timestamp.unwrap(UInt64(header.timestamp))
        var datagram = MediaDatagram(
            packet: packet, number: number, start: header.payloadOffset,
            sourceTime: MediaClock.span(ticks: ticks, rate: MediaClock.ninetyKilohertz), arrival: now)
        if isFirst || followsClock {
            datagram.hold = deinterleaver?.hold(sequenceNumber: header.sequenceNumber) ?? .zero
            isFirst = false
        }
        return .media(datagram)
    }

    /// That of the latest datagram; nil before the first.
    var latestTimestamp: UInt32? { timestamp.latest.map { UInt32(truncatingIfNeeded: $0) } }

    /// When a timestamp was taken: that nearest to the latest datagram's.
    func sourceTime(ofTimestamp timestamp: UInt32) -> TimeSpan {
        MediaClock.span(ticks: self.timestamp.nearest(UInt64(timestamp)), rate: MediaClock.ninetyKilohertz)
    }
}
