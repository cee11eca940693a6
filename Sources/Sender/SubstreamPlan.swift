import Media
import Timebase
import Wire

/// How the substreams of a program are sent in sessions of their own.
public struct SubstreamPlan: Sendable {
    /// When the datagrams of one unit leave.
    public enum Pacing: Sendable {
        /// Evenly over the unit's duration.
        case spread
        /// At once.
        case burst
    }

    /// What one session is.
    public struct Session: Sendable {
        /// How its units are put into packets.
        public let format: RTPPayloadFormat
        /// How long before the program's latest datagram, by their timestamps, its first one is sent. What sets a
        /// receiver's clock is that much too early.
        public let firstHold: TimeSpan
        /// The same of a unit to which no other refers: pictures in an order of their own are sent the later the less
        /// others wait for them.
        public let disposableHold: TimeSpan
        /// Mean rate of its units; of calls, while somebody talks.
        public let rate: BitRate
        /// Of a call, how long the sound of one packet lasts; nil of all else.
        public let packetDuration: TimeSpan?
    }

    /// One for each substream, in the program's order.
    public let sessions: [Session]
    /// From a unit's decoding time, by the program's timeline, to its first datagram.
    public let latency: TimeSpan
    /// When the datagrams of one unit leave.
    public let pacing: Pacing
    /// How long after its timestamp the program's latest datagram is sent.
    public let sendingDelay: TimeSpan

    /// Bytes of an RTP packet at most: with the headers below it fits into any usual link, and it is what GStreamer sends.
    public static let packetLimit = 1_400
    /// Bytes of payload at most.
    static let payloadLimit = packetLimit - RTPHeader.fixedLength

    /// Goes through the program's units once.
    ///
    /// - Parameters:
    ///   - latency: at least ``ProgramDemand/longestHold``, so that nothing is sent before its capture.
    ///   - demand: what the same program asks for.
    public init(_ program: Program, demand: ProgramDemand, latency: TimeSpan, pacing: Pacing) {
        self.latency = latency
        self.pacing = pacing
        let formats = program.substreams.indices.map {
            RTPPayloadFormat(of: program, substream: $0, dynamicPayloadType: 96 + UInt8(truncatingIfNeeded: $0) % 32)
        }
        let lags = formats.indices.map { Lags(program, substream: $0, format: formats[$0], pacing) }
        let latest = lags.map(\.latest).max() ?? .zero
        sendingDelay = latency + latest
        sessions = formats.indices.map { index in
            let filling = program.substreams[index].fillingDuration
            return Session(
                format: formats[index], firstHold: latest - lags[index].first,
                disposableHold: latest - lags[index].latestStart,
                rate: filling > 0 ? demand.packetRate(index, every: filling) : demand.meanRate(index),
                packetDuration: filling > 0 ? MediaClock.span(ticks: filling, rate: MediaClock.ninetyKilohertz) : nil)
        }
    }

    /// How long after their presentation times, less the latency common to all, a substream's datagrams are sent.
    private struct Lags {
        /// Of the first of all.
        var first = TimeSpan.zero
        /// The longest of any unit's first datagram.
        var latestStart = TimeSpan.zero
        /// The longest of all.
        var latest = TimeSpan.zero

        init(_ program: Program, substream: Int, format: RTPPayloadFormat, _ pacing: Pacing) {
            guard program.substreams[substream].kind == .video || format.kind == .units else { return }
            var source = program.source(substream)
            var isFirst = true
            while let unit = source.next() {
                let lag = MediaClock.span(
                    ticks: unit.decode - unit.presentation, rate: MediaClock.ninetyKilohertz, .up)
                if isFirst { (first, latestStart, latest) = (lag, lag, lag) }
                isFirst = false
                latestStart = max(latestStart, lag)
                // Whether a unit takes one datagram or several is not counted to the byte.
                let isLong = pacing == .spread && unit.elementaryByteCount > SubstreamPlan.payloadLimit / 2
                let duration = MediaClock.span(ticks: unit.duration, rate: MediaClock.ninetyKilohertz, .up)
                latest = max(latest, isLong ? lag + duration : lag)
            }
        }
    }
}

extension RTPPayloadFormat {
    /// The format for a substream, found from its codec and what its first units say of themselves; ``Kind/units`` where
    /// no other fits.
    init(of program: Program, substream index: Int, dynamicPayloadType: UInt8) {
        let units = RTPPayloadFormat(.units, dynamicPayloadType: dynamicPayloadType)
        var source = program.source(index)
        guard var unit = source.next() else {
            self = units
            return
        }
        // Parameter sets come where decoding can begin; the first units are enough of a look.
        var looked = 0
        while !unit.isRandomAccess, looked < 1_000, let next = source.next() {
            unit = next
            looked += 1
        }
        var bytes = [UInt8](repeating: 0, count: unit.elementaryByteCount)
        bytes.withUnsafeMutableBytes {
            source.writer.write(unit, from: unit.byteCount - unit.elementaryByteCount, into: $0)
        }
        let found: RTPPayloadFormat? =
            switch program.substreams[index].codecName {
            case "h264": bytes.withUnsafeBytes { .h264(dynamicPayloadType: dynamicPayloadType, from: $0) }
            case "h265": bytes.withUnsafeBytes { .h265(dynamicPayloadType: dynamicPayloadType, from: $0) }
            case "aac":
                AudioFrameHeader(bytes.span.bytes, at: 0).flatMap {
                    .aac(dynamicPayloadType: dynamicPayloadType, from: $0)
                }
            case "mp2", "mpeg1-audio", "mpeg2-audio":
                AudioFrameHeader(bytes.span.bytes, at: 0) == nil ? nil : RTPPayloadFormat(.mpegAudio)
            case "pcmu": RTPPayloadFormat(.pcmu)
            case "pcma": RTPPayloadFormat(.pcma)
            case "opus":
                (try? OpusPacket.range(inTransportStreamUnit: bytes.span.bytes, at: 0)) == nil
                    ? nil : RTPPayloadFormat(.opus, dynamicPayloadType: dynamicPayloadType)
            default: nil
            }
        self = found ?? units
    }
}
