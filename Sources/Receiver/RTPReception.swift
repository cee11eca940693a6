import Protection
import Timebase
import Wire

/// Reads the RTP headers of a stream: which datagrams belong to it, once each, and their place (RFC 3550 §A.1).
struct RTPReception: Sendable {
    private(set) var statistics = ReceptionStatistics(clockRate: MediaClock.ninetyKilohertz)
    private var window: ReceivedWindow
    private var timestamp = WrapUnwrapper(bits: 32)
    private let deinterleaver: BlockDeinterleaver?
    private let doubtsHeaders: Bool
    /// Whether each datagram has to tell the sender's clock, not the first alone.
    private let followsClock: Bool
    private var isFirst = true
    /// Where headers are doubted: the latest one believed.
    private var latestHeader: (sequenceNumber: UInt16, timestamp: UInt32)?
    private var check = SequenceCheck()

    init(_ configuration: ReceiverConfiguration) {
        deinterleaver = configuration.deinterleaver
        doubtsHeaders = configuration.doubtsHeaders
        followsClock = configuration.clockRecovery != .none
        window = ReceivedWindow(reach: deinterleaver?.reach ?? 0)
    }

    mutating func receive(_ packet: Packet, _ payload: RawSpan, at now: LocalInstant) -> SessionReceiver.Output {
        guard let header = try? RTPHeader(parsing: payload), !doubtsHeaders || isPlausible(header) else {
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

    /// When a timestamp was taken: that nearest to the latest datagram's.
    func sourceTime(ofTimestamp timestamp: UInt32) -> TimeSpan {
        MediaClock.span(ticks: self.timestamp.nearest(UInt64(timestamp)), rate: MediaClock.ninetyKilohertz)
    }

    /// Whether a header goes on about where the one before was, or where a packet that had jumped was.
    private mutating func isPlausible(_ header: RTPHeader) -> Bool {
        var isFar = false
        if let latestHeader {
            let step = Int64(Int16(bitPattern: header.sequenceNumber &- latestHeader.sequenceNumber))
            let ticks = Int64(Int32(bitPattern: header.timestamp &- latestHeader.timestamp))
            let farthest = SequenceCheck.maximumDropout + Int64(deinterleaver?.reach ?? 0)
            isFar = abs(step) > farthest || abs(ticks) > 30 * MediaClock.ninetyKilohertz
        }
        guard check.take(header.sequenceNumber, isFar: isFar) != .jumps else { return false }
        latestHeader = (header.sequenceNumber, header.timestamp)
        return true
    }
}
