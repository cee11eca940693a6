import Capture
import Metrics
import Timebase
import Wire

/// What captures hold of media, as `rubato.analysis/1` reports it. Nil is "not measured".
public struct CaptureAnalysis: Sendable {
    public var inputs: [CaptureInput] = []
    public var streams: [StreamMeasurements] = []
    public var pairs: [PairMeasurements] = []
    public var ntp: [NTPMeasurements] = []
    /// What became of streams between two captures.
    public var oneWay: [OneWayMeasurements] = []
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
    public enum Kind: String, Hashable, Sendable {
        case rtp, srt, srtp, rtx, fec
        case transportStream = "ts-udp"
    }

    /// How the clock rate is known.
    public enum ClockSource: String, Hashable, Sendable {
        case sdp, option, estimated, unknown
        case staticType = "static"
    }

    /// "s1", "s2", ... in the order of their first packets.
    public var id = ""
    public var kind = Kind.rtp
    public var source: SocketAddress
    public var destination: SocketAddress
    public var ssrc: UInt32?
    /// The most frequent one.
    public var payloadType: UInt8?
    public var encoding: String?
    var mediaKind: RTPEncoding.Kind?
    public var clockRate: UInt32?
    public var clockSource = ClockSource.unknown
    /// What was measured of its packets: bytes are those of UDP payload (for RTP: its headers too), instants nanoseconds
    /// since 1970 by the capture's clock.
    public var quality = StreamQualityMeasurements()
    public var transportStream: CapturedTransportStream?
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
    public var measurements = TransportStreamMeasurements()
    /// Packets by PID, ascending.
    public var pids: [(pid: UInt16, packets: Int64)] = []
}

/// What RTCP said about a stream.
public struct RTCPMeasurements: Sendable {
    public var senderReports: Int64 = 0
    /// Report blocks about the stream.
    public var receptionReports: Int64 = 0
    public var cname: String?
    /// From the capture point to the receiver and back: from passing of the sender report to passing of the reception
    /// report that names it, less the receiver's own delay (RFC 3550 §6.4.1).
    public var roundTrip: Distribution?
    /// Of the last report block, 0...1.
    public var lastFractionLost: Double?
    public var lastCumulativeLost: Int64?
    public var lastReportedJitter: TimeSpan?
    /// What the sender says it had sent, modulo 2^32, in its last report.
    public var sentPackets: UInt32?
    public var sentBytes: UInt32?
    /// The last report's mapping: this instant by the sender's clock, nanoseconds since 1970...
    public var mappedNTP: Instant?
    /// ... is this on the stream's RTP clock.
    public var mappedTimestamp: UInt32?
    /// The rate of the RTP clock by the first and the last report, Hz.
    public var reportedClockRate: Double?
    /// How far a report lay at most from where the one before it had foretold.
    public var largestResidual: TimeSpan?
    public var hasGoodbye = false

    init() {}
}

/// Lip-sync of an audio and a video stream of one sender. Positive: audio early (ITU-R BT.1359).
public struct PairMeasurements: Sendable {
    /// Ids of streams.
    public var audio: String
    public var video: String
    public var skew: Distribution?
    /// What the sender reports' own resolution leaves open, to either side.
    public var floor: TimeSpan?
    public var method: String
}

/// NTP exchanges of a client and a server (RFC 5905 §8).
public struct NTPMeasurements: Sendable {
    public var client: IPAddress
    public var server: IPAddress
    public var version: UInt8
    public var exchanges: Int64 = 0
    /// Server's clock less client's, so that positive says: the client's clock is slow.
    public var offset: Distribution?
    public var delay: Distribution?
    /// How far the true offset can be from the measured one, whatever the asymmetry of the way: half the delay, to
    /// either side (Cristian).
    public var bound: Distribution?
    public var rejected: [(reason: String, count: Int64)] = []
}

/// What the user knows beyond the captures.
public struct AnalysisOptions: Sendable {
    public enum Carriage: String, Sendable, CaseIterable {
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
