import Timebase
import Wire

/// What a receiver is told of one substream's RTP session by its description.
public struct SubstreamSession: Sendable {
    /// How units are put into packets.
    public var format: RTPPayloadFormat
    /// How long before the program's latest datagram, by their timestamps, the session's first one is sent.
    public var firstHold: TimeSpan
    /// The same of a unit to which no other refers.
    public var disposableHold: TimeSpan
    /// How long after its timestamp the program's latest datagram is sent.
    public var sendingDelay: TimeSpan

    public init(
        format: RTPPayloadFormat, firstHold: TimeSpan = .zero, disposableHold: TimeSpan = .zero,
        sendingDelay: TimeSpan = .zero
    ) {
        self.format = format
        self.firstHold = firstHold
        self.disposableHold = disposableHold
        self.sendingDelay = sendingDelay
    }
}

/// Reads the packets of one substream's session: which belong to it, once each, their place and time (RFC 3550 §A.1).
struct SubstreamReception: Sendable {
    private(set) var statistics: ReceptionStatistics
    private var window = ReceivedWindow()
    private var timestamp = WrapUnwrapper(bits: 32)
    private let session: SubstreamSession
    private var isFirst = true
    /// Whether each datagram has to tell the sender's clock, not the first alone.
    private let followsClock: Bool
    /// Where headers may be damaged.
    private var doubt: HeaderDoubt?

    init(_ session: SubstreamSession, doubtsHeaders: Bool = false, followsClock: Bool = false) {
        self.session = session
        self.followsClock = followsClock
        doubt = doubtsHeaders ? HeaderDoubt(clockRate: session.format.clockRate) : nil
        statistics = ReceptionStatistics(clockRate: session.format.clockRate)
    }

    mutating func receive(_ packet: Packet, _ payload: RawSpan, at now: LocalInstant) -> SessionReceiver.Output {
        guard let header = try? RTPHeader(parsing: payload), header.payloadType == session.format.payloadType else {
            return .discarded(packet, .malformed)
        }
        guard doubt?.believes(header, at: now) != false else { return .discarded(packet, .malformed) }
        let number = statistics.add(sequenceNumber: header.sequenceNumber, timestamp: header.timestamp, at: now)
        guard window.insert(number) else { return .discarded(packet, .duplicate) }
        let time = span(timestamp.unwrap(UInt64(header.timestamp)))
        var datagram = MediaDatagram(
            packet: packet, number: number, start: header.payloadOffset, sourceTime: time, arrival: now)
        if isFirst || followsClock {
            // By its timestamp it is early, as others will be later: the other way round than what an interleaver holds.
            let part = try? PayloadPart(
                payload.extracting(header.payloadOffset..<header.payloadOffset + header.payloadCount),
                of: session.format, marker: header.marker)
            datagram.hold = -(part?.isDisposable == true ? session.disposableHold : session.firstHold)
            isFirst = false
        }
        return .media(datagram)
    }

    /// That of the latest datagram; nil before the first.
    var latestTimestamp: UInt32? { timestamp.latest.map { UInt32(truncatingIfNeeded: $0) } }

    /// A timestamp unwrapped: that nearest to the latest datagram's.
    func ticks(ofTimestamp wrapped: UInt32) -> Int64 { timestamp.nearest(UInt64(wrapped)) }

    /// The time of unwrapped ticks, on the scale of ``MediaDatagram/sourceTime``.
    func span(_ ticks: Int64) -> TimeSpan { MediaClock.span(ticks: ticks, rate: session.format.clockRate) }
}
