import Metrics
import Timebase
import Wire

/// What RTCP says about one stream.
struct RTCPMeter {
    /// An instant on the sender's clock and on the stream's RTP clock.
    struct Mapping {
        /// Nanoseconds since 1970.
        var ntp: Int64
        /// Unwrapped ticks.
        var ticks: Int64
    }

    private var result = RTCPMeasurements()
    private var first: Mapping?
    private(set) var latest: Mapping?
    private var previous: Mapping?
    /// Those of all reports, in their order.
    private(set) var mappings: [Mapping] = []
    private var residual: Int64?
    /// The capture instants of the last sender reports, by the middle of their NTP timestamps.
    private var sent: [(middle: UInt32, instant: Instant)] = []
    private var roundTrips = Histogram()
    private var lastJitter: UInt32?
    /// How many of the NTP timestamps were whole milliseconds.
    private var wholeMilliseconds: Int64 = 0
    private static let remembered = 64
    /// Reports every five seconds for a day.
    private static let mostMappings = 1 << 15

    var cname: String? { result.cname }
    var hasGoodbye: Bool {
        get { result.hasGoodbye }
        set { result.hasGoodbye = newValue }
    }

    mutating func take(_ report: RTCPPacket.SenderReport, at instant: Instant, ticks: Int64) {
        result.senderReports += 1
        result.sentPackets = report.packetCount
        result.sentBytes = report.octetCount
        if sent.count == Self.remembered { sent.removeFirst() }
        sent.append((report.ntpTimestamp.middle, instant))
        // Zero: the sender has no wall clock (RFC 3550 §6.4.1).
        guard report.ntpTimestamp.rawValue != 0 else { return }
        let mapping = Mapping(
            ntp: report.ntpTimestamp.unixNanoseconds(near: instant.nanoseconds), ticks: ticks)
        let age = TimeSpan.nanoseconds(instant.nanoseconds - mapping.ntp)
        result.leastReportAge = min(result.leastReportAge ?? age, age)
        let distance = mapping.ntp % 1_000_000
        if min(abs(distance), 1_000_000 - abs(distance)) <= 1 { wholeMilliseconds += 1 }
        if first == nil { first = mapping }
        previous = latest
        latest = mapping
        if mappings.count < Self.mostMappings { mappings.append(mapping) }
        result.mappedNTP = Instant(nanoseconds: mapping.ntp)
        result.mappedTimestamp = report.rtpTimestamp
    }

    /// Compares the last report with where the one before it foretold it.
    mutating func judge(clockRate: UInt32?) {
        guard let clockRate, let previous, let latest else { return }
        let media = Int128(latest.ticks - previous.ticks) * 1_000_000_000 / Int128(clockRate)
        let difference = Int64(clamping: Int128(latest.ntp - previous.ntp) - media)
        residual = max(residual ?? 0, abs(difference))
    }

    mutating func take(_ block: ReceptionReport, at instant: Instant) {
        result.receptionReports += 1
        result.lastFractionLost = Double(block.fractionLost) / 256
        result.lastCumulativeLost = Int64(block.cumulativeLost)
        lastJitter = block.interarrivalJitter
        guard block.lastSenderReport != 0,
            let report = sent.last(where: { $0.middle == block.lastSenderReport })
        else { return }
        // 1/65536 s to nanoseconds; the field holds at most 18 hours.
        let delay = Int64(block.delaySinceLastSenderReport) * 1_000_000_000 / 65_536
        let roundTrip = (instant - report.instant).nanoseconds - delay
        // The delay is cut to 15 µs; what is below that is zero.
        if roundTrip > -20_000 { roundTrips.add(max(roundTrip, 0)) }
    }

    mutating func take(_ chunk: RTCPPacket.SourceDescription) {
        if let name = chunk.cname { result.cname = name }
    }

    /// Hz, by the first and the last report; nil with fewer than two, or within a second.
    var reportedClockRate: Double? {
        guard let first, let latest, latest.ntp - first.ntp >= 1_000_000_000 else { return nil }
        return Double(latest.ticks - first.ticks) * 1e9 / Double(latest.ntp - first.ntp)
    }

    /// What the NTP timestamps' own resolution leaves open: a millisecond when all are whole milliseconds, as some
    /// senders round them; else a microsecond.
    var resolution: TimeSpan {
        result.senderReports > 0 && wholeMilliseconds == result.senderReports ? .milliseconds(1) : .microseconds(1)
    }

    /// Nil when RTCP said nothing of the stream.
    func measurements(clockRate: UInt32?) -> RTCPMeasurements? {
        guard result.senderReports > 0 || result.receptionReports > 0 || result.cname != nil || result.hasGoodbye else {
            return nil
        }
        var result = result
        result.roundTrip = roundTrips.distribution
        result.reportedClockRate = reportedClockRate
        result.largestResidual = residual.map { .nanoseconds($0) }
        if let lastJitter, let clockRate {
            result.lastReportedJitter = .nanoseconds(Int64(lastJitter) * 1_000_000_000 / Int64(clockRate))
        }
        return result
    }
}

/// When each frame of a stream (each RTP timestamp) had arrived whole, for lip-sync.
struct FrameLog {
    struct Frame {
        var ticks: Int64
        /// Of its last packet.
        var instant: Instant
    }

    /// Frames that are over, the oldest first.
    private(set) var frames: [Frame] = []
    private var current: Frame?
    private(set) var isTruncated = false
    /// More than an hour of video; the rest is left out and said so.
    private static let limit = 1 << 18

    mutating func add(ticks: Int64, at instant: Instant) {
        guard let frame = current else {
            current = Frame(ticks: ticks, instant: instant)
            return
        }
        if frame.ticks == ticks {
            current?.instant = max(frame.instant, instant)
        } else {
            keep(frame)
            current = Frame(ticks: ticks, instant: instant)
        }
    }

    mutating func finish() {
        if let current { keep(current) }
        current = nil
    }

    private mutating func keep(_ frame: Frame) {
        if frames.count < Self.limit { frames.append(frame) } else { isTruncated = true }
    }
}
