import Capture
import Metrics
import Timebase
import Wire

/// What captures hold of media, as `rubato.analysis/1` reports it. Nil is "not measured".
public struct CaptureAnalysis: Sendable {
    /// The captures, in the order in which they were given.
    public var inputs: [CaptureInput] = []
    /// The streams, in the order of their first packets.
    public var streams: [StreamMeasurements] = []
    /// Audio with video of the same sender, where lip-sync can be told.
    public var pairs: [PairMeasurements] = []
    /// The exchanges of each NTP client with each of its servers.
    public var ntp: [NTPMeasurements] = []
    /// What became of streams between two captures.
    public var oneWay: [OneWayMeasurements] = []
    /// Streams that came on two paths.
    public var legs: [LegMeasurements] = []
    /// RTCP datagrams that could not be read.
    public var malformedRTCP: Int64 = 0
    /// Datagrams that begin like STUN (RFC 8489).
    public var stunDatagrams: Int64 = 0
    /// Sentences about what was left out.
    public var notes: [String] = []

    init() {}
}

/// One stream: an SSRC of a 5-tuple, or what a 5-tuple carries without RTP.
public struct StreamMeasurements: Sendable {
    /// How a stream is carried, as run.json's `kind` names it.
    public enum Kind: String, Hashable, Sendable {
        /// RTP (RFC 3550), SRT, SRTP (RFC 3711), retransmissions in RTP (RFC 4588), and FEC in RTP.
        case rtp, srt, srtp, rtx, fec
        /// Transport packets bare in UDP datagrams.
        case transportStream = "ts-udp"
        /// Transport packets in a file.
        case transportStreamFile = "ts-file"
    }

    /// How the clock rate is known.
    public enum ClockSource: String, Hashable, Sendable {
        /// The session's description, the user's word, the arrivals themselves, or nothing.
        case sdp, option, estimated, unknown
        /// The payload type's static assignment (RFC 3551 §6).
        case staticType = "static"
    }

    /// "s1", "s2", ... in the order of their first packets.
    public var id = ""
    /// How it is carried.
    public var kind = Kind.rtp
    /// The file that it is in; nil for what came from ``source`` to ``destination``.
    public var file: String?
    /// Where its datagrams come from.
    public var source: SocketAddress
    /// Where its datagrams go, which may be a group.
    public var destination: SocketAddress
    /// The RTP source; nil without RTP.
    public var ssrc: UInt32?
    /// The most frequent one, of those that are media.
    public var payloadType: UInt8?
    /// All that occurred, in the order of their first packets.
    public var payloadTypes: [(number: UInt8, encoding: String?, clockRate: UInt32?, packets: Int64)] = []
    /// The payload's encoding, as RFC 3551 or the session's description names it; nil when not known.
    public var encoding: String?
    var mediaKind: RTPEncoding.Kind?
    /// The RTP timestamp's clock, Hz; nil when not known.
    public var clockRate: UInt32?
    /// How ``clockRate`` is known.
    public var clockSource = ClockSource.unknown
    /// What was measured of its packets: bytes are those of UDP payload (for RTP: its headers too), instants nanoseconds
    /// since 1970 by the capture's clock.
    public var quality = StreamQualityMeasurements()
    /// The transport stream inside; nil when it carries none.
    public var transportStream: CapturedTransportStream?
    /// Packets that its sender marked as sent again (SRT), or sent in a source of their own (RIST); nil where packets do not
    /// tell.
    public var retransmitted: Int64?
    /// What RTCP said about it; nil without reports.
    public var rtcp: RTCPMeasurements?
    /// What a receiver would have made of it, when one is assumed.
    public var playout: ReplayMeasurements?
    /// Why something is nil, and what to know about the rest.
    public var notes: [String] = []

    init(source: SocketAddress, destination: SocketAddress) {
        self.source = source
        self.destination = destination
    }
}

/// A transport stream inside UDP or RTP.
public struct CapturedTransportStream: Sendable {
    /// Transport packets of all datagrams that were looked into.
    public var packets: Int64 = 0
    /// 188, or 204 with Reed-Solomon bytes.
    public var packetLength = TransportPacket.length
    /// The rate that the PCRs tell, all packets counted; nil when it is not constant or cannot be told.
    public var pcrBitsPerSecond: Int64?
    /// What it is as a transport stream: rate, clock references, checks of TR 101 290.
    public var measurements = TransportStreamMeasurements()
    /// Packets by PID, ascending.
    public var pids: [(pid: UInt16, packets: Int64)] = []
}

/// What RTCP said about a stream.
public struct RTCPMeasurements: Sendable {
    /// Sender reports of the stream's source.
    public var senderReports: Int64 = 0
    /// Report blocks about the stream.
    public var receptionReports: Int64 = 0
    /// The source's canonical name, from its SDES packets (RFC 3550 §6.5.1).
    public var cname: String?
    /// Where on the way from the sender to the receiver a capture was made.
    public enum Place: String, Sendable {
        /// Beside the sender, beside the receiver, between them, or nobody knows.
        case sender, receiver, between, unknown
    }

    /// From the sender to the receiver and back: from passing of the sender report to passing of the reception report that
    /// names it, less the receiver's own delay (RFC 3550 §6.4.1). Nil where the capture was made elsewhere than at the
    /// sender: then it is of a part of the way only.
    public var roundTrip: Distribution?
    /// Where the capture was made, as far as reports tell; nil without round trips.
    public var place: Place?
    /// How long after the sender's own time its reports passed at least, by the capture's clock; nil without reports.
    var leastReportAge: TimeSpan?
    /// Of the last report block, 0...1.
    public var lastFractionLost: Double?
    /// Packets lost since reception began, by the last report block: negative where duplicates outnumber losses.
    public var lastCumulativeLost: Int64?
    /// Interarrival jitter as the last report block says it.
    public var lastReportedJitter: TimeSpan?
    /// What the sender says it had sent, modulo 2^32, in its last report.
    public var sentPackets: UInt32?
    /// Bytes of payload that the sender says it had sent, modulo 2^32, in its last report.
    public var sentBytes: UInt32?
    /// The last report's mapping: this instant by the sender's clock, nanoseconds since 1970...
    public var mappedNTP: Instant?
    /// ... is this on the stream's RTP clock.
    public var mappedTimestamp: UInt32?
    /// The rate of the RTP clock by the first and the last report, Hz.
    public var reportedClockRate: Double?
    /// How far a report lay at most from where the one before it had foretold.
    public var largestResidual: TimeSpan?
    /// Whether the source said goodbye (BYE, RFC 3550 §6.6).
    public var hasGoodbye = false

    init() {}
}

/// Lip-sync of an audio and a video stream of one sender. Positive: audio early (ITU-R BT.1359).
public struct PairMeasurements: Sendable {
    /// Ids of streams.
    public var audio: String
    /// Id of the video stream.
    public var video: String
    /// Media time heard less media time shown, nanoseconds; nil when nothing relates the two clocks.
    public var skew: Distribution?
    /// What the sender reports' own resolution leaves open, to either side.
    public var floor: TimeSpan?
    /// How the two streams' clocks were related, in words.
    public var method: String
}

/// NTP exchanges of a client and a server (RFC 5905 §8).
public struct NTPMeasurements: Sendable {
    /// Who asks.
    public var client: IPAddress
    /// Who answers.
    public var server: IPAddress
    /// The version number in their packets (VN), 1...7.
    public var version: UInt8
    /// Answers that belong to a question and could be used.
    public var exchanges: Int64 = 0
    /// Server's clock less the capture's, nanoseconds: positive says that the capture's clock is slow. Where the capture was
    /// made at the client, with its clock, it is the client's.
    public var offset: Distribution?
    /// Server's clock less the client's own, as the client's transmit timestamps tell it; nil where these are no times, as
    /// clients fill them with random bits.
    public var clientOffset: Distribution?
    /// The round trip less the server's processing time, nanoseconds.
    public var delay: Distribution?
    /// How far the true offset can be from the measured one, whatever the asymmetry of the way: half the delay, to
    /// either side (Cristian).
    public var bound: Distribution?
    /// Answers that were not used, by reason; only reasons that occurred.
    public var rejected: [(reason: String, count: Int64)] = []
}

/// What the user knows beyond the captures.
public struct AnalysisOptions: Sendable {
    /// What a UDP port carries when the user says so.
    public enum Carriage: String, Sendable, CaseIterable {
        /// RTP packets, or bare transport packets.
        case rtp, ts
    }

    /// Clock rates by payload type, Hz.
    public var clocks: [UInt8: UInt32] = [:]
    /// Streams described by SDP.
    public var descriptions: [MediaDescription] = []
    /// What captured packets must pass to be looked at; nil for all.
    public var filter: String?
    /// Whether datagrams with a wrong UDP checksum are passed over.
    public var checksChecksums = false
    /// What UDP ports carry.
    public var carriages: [UInt16: Carriage] = [:]
    /// The receiver that streams are played into; nil for none.
    public var playout: PlayoutAssumption?

    public init() {}
}
