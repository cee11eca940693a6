import Capture
import Metrics
import Timebase
import Wire

/// What is kept of an RTP packet until it can be measured.
struct RTPArrival {
    var instant: Instant
    var payloadType: UInt8
    var sequenceNumber: UInt16
    var timestamp: UInt32
    /// Bytes of UDP payload.
    var count: Int
    /// Bytes of RTP payload.
    var payloadCount: Int
    /// Bytes of padding behind it.
    var paddingCount = 0
    /// The RTP payload, where it looks like transport packets and the packet has to wait.
    var transportPackets: [UInt8]?
}

/// Measures one SSRC of one 5-tuple.
final class RTPStream {
    let source: SocketAddress
    let destination: SocketAddress
    let ssrc: UInt32
    var kind = StreamMeasurements.Kind.rtp
    private(set) var encoding: RTPEncoding?
    private(set) var clockSource = StreamMeasurements.ClockSource.unknown
    private(set) var first: Instant
    private(set) var rtcp = RTCPMeter()
    /// Frames for lip-sync.
    var frames = FrameLog()
    /// The largest RTP payload.
    private(set) var largestPayload = 0
    private(set) var payloadTypes: [UInt8: Int64] = [:]

    private var last: Instant
    /// `last` as it never decreases.
    private var latest: Instant
    private var received: Int64 = 0
    private var rate = RateMeter()
    private var interarrival = Histogram()
    private var numbers = WrapUnwrapper(bits: 16)
    private var timestamps = WrapUnwrapper(bits: 32)
    /// Added to unwrapped numbers, so that a stream that began again goes on where it was.
    private var shift: Int64 = 0
    private var highest: Int64
    private let base: Int64
    private var window: DeliveryWindow
    private var extent = ReorderExtent()
    private var held: RTPArrival?
    private var restarts = 0
    private var strays: Int64 = 0

    private var timing: RTPTiming?
    private var pending: [TimedArrival] = []
    private var nextEstimate = 64
    private var estimate = ClockEstimate.Result.tooLittle
    private var transport: TransportStreamMeter?
    /// What a receiver would have made of it; nil when nobody asks.
    private let replay: PlayoutReplay?
    private var replayed: ReplayMeasurements?
    private var notes: [String] = []

    /// RFC 3550 §A.1: a jump of so many numbers may be a new beginning.
    private static let maximumDropout: Int64 = 3000
    /// Arrivals kept while the clock rate is not known.
    private static let pendingLimit = 16_384

    /// - Parameter opening: the stream's first packets, at least one, in the order of arrival.
    init(
        source: SocketAddress, destination: SocketAddress, ssrc: UInt32, opening: [RTPArrival],
        playout: PlayoutAssumption? = nil
    ) {
        self.source = source
        self.destination = destination
        self.ssrc = ssrc
        replay = playout.map { PlayoutReplay($0, isRTP: true) }
        first = opening[0].instant
        last = first
        latest = first
        var unwrapper = WrapUnwrapper(bits: 16)
        // Numbers near the beginning may lie before the first that came.
        base = opening.map { unwrapper.unwrap(UInt64($0.sequenceNumber)) }.min() ?? 0
        highest = base
        window = DeliveryWindow(firstNumber: base, window: 32_768)
    }

    /// Says what the payload is; the first to say it is believed.
    func describe(_ encoding: RTPEncoding, source: StreamMeasurements.ClockSource) {
        guard clockSource == .unknown || clockSource == .estimated else { return }
        if clockSource == .estimated, let timing, timing.clockRate != encoding.clockRate {
            notes.append(
                "described only after its clock was estimated; timing uses the estimate of \(timing.clockRate) Hz")
            self.encoding = RTPEncoding(name: encoding.name, clockRate: timing.clockRate, kind: encoding.kind)
            return
        }
        self.encoding = encoding
        clockSource = source
        if timing == nil { openTiming(encoding.clockRate) }
    }

    /// Media ticks for an RTP timestamp near those that came last.
    func ticks(_ timestamp: UInt32) -> Int64 { timestamps.nearest(UInt64(timestamp)) }

    var clockRate: UInt32? { timing?.clockRate }
}

// MARK: - Packets

extension RTPStream {
    /// Takes the next packet.
    ///
    /// - Parameter media: its RTP payload; empty when it is in the arrival, or not to be had.
    func add(_ arrival: RTPArrival, media: RawSpan) {
        if let other = held {
            held = nil
            if other.sequenceNumber &+ 1 == arrival.sequenceNumber {
                acceptJump(other)
            } else {
                // A single packet from far away: nobody's next.
                strays += 1
                count(other)
            }
        }
        let number = numbers.nearest(UInt64(arrival.sequenceNumber)) + shift
        if received > 0, abs(number - highest) > Self.maximumDropout {
            held = arrival
            if TransportStreamMeter.packetLength(of: media) != nil { held?.transportPackets = media.copied }
        } else {
            process(arrival, media: media)
        }
    }

    /// Two packets in a row agree on a far number: an outage when as many packets could have been sent meanwhile, else
    /// a new beginning.
    private func acceptJump(_ arrival: RTPArrival) {
        let number = numbers.nearest(UInt64(arrival.sequenceNumber)) + shift
        let gap = number - highest
        let sent = Double(max(highest - base, 1))
        let elapsed = Double(max((arrival.instant - last).nanoseconds, 0))
        let active = Double(max((last - first).nanoseconds, 1))
        if gap < 0 || Double(gap) > 4 * sent * elapsed / active {
            restarts += 1
            shift += highest + 1 - number
        }
        process(arrival, media: RawSpan())
    }

    private func count(_ arrival: RTPArrival) {
        if received > 0 { interarrival.add((arrival.instant - last).nanoseconds) }
        received += 1
        last = arrival.instant
        latest = max(latest, arrival.instant)
        rate.add(bytes: arrival.count, at: latest)
        largestPayload = max(largestPayload, arrival.payloadCount)
        payloadTypes[arrival.payloadType, default: 0] += 1
    }

    private func process(_ arrival: RTPArrival, media: RawSpan) {
        count(arrival)
        let number = numbers.unwrap(UInt64(arrival.sequenceNumber)) + shift
        let ticks = timestamps.unwrap(UInt64(arrival.timestamp))
        let verdict = window.add(number: number)
        let isFirst = verdict == .inOrder || verdict == .reordered
        if isFirst {
            extent.add(number: number)
            let isAfterGap = number > highest + 1
            if let packets = arrival.transportPackets {
                add(packets.span.bytes, isAfterGap: isAfterGap)
            } else {
                add(media, isAfterGap: isAfterGap)
            }
        }
        highest = max(highest, number)
        if transport == nil { frames.add(ticks: ticks, at: arrival.instant) }
        time(TimedArrival(instant: arrival.instant, ticks: ticks, number: number, isFirst: isFirst))
    }

    private func add(_ media: RawSpan, isAfterGap: Bool) {
        if transport == nil {
            guard let length = TransportStreamMeter.packetLength(of: media) else { return }
            transport = TransportStreamMeter(packetLength: length)
        }
        if isAfterGap { transport?.noteMissing() }
        transport?.add(media, at: latest)
    }
}

// MARK: - Timing

extension RTPStream {
    private func time(_ arrival: TimedArrival) {
        if timing != nil {
            timing?.add(arrival)
            return
        }
        guard pending.count < Self.pendingLimit else { return }
        pending.append(arrival)
        guard pending.count >= nextEstimate, let first = pending.first,
            arrival.instant - first.instant >= .seconds(4)
        else { return }
        estimateClock()
        nextEstimate = pending.count * 2
    }

    private func openTiming(_ clockRate: UInt32) {
        var timing = RTPTiming(clockRate: clockRate, replay: replay)
        for arrival in pending { timing.add(arrival) }
        pending = []
        self.timing = timing
    }

    private func estimateClock() {
        guard timing == nil else { return }
        estimate = ClockEstimate.estimate(pending)
        guard case .rate(let rate) = estimate else { return }
        clockSource = .estimated
        openTiming(rate)
    }

    /// Two sender reports tell the clock, too.
    private func estimateClockFromReports() {
        guard timing == nil, let reported = rtcp.reportedClockRate,
            let rate = ClockEstimate.rates.first(where: { abs(Double($0) - reported) < 0.001 * reported })
        else { return }
        clockSource = .estimated
        openTiming(rate)
    }

    func take(_ report: RTCPPacket.SenderReport, at instant: Instant) {
        rtcp.take(report, at: instant, ticks: ticks(report.rtpTimestamp))
        rtcp.judge(clockRate: clockRate)
    }

    func take(_ block: ReceptionReport, at instant: Instant) { rtcp.take(block, at: instant) }
    func take(_ chunk: RTCPPacket.SourceDescription) { rtcp.take(chunk) }
    func takeGoodbye() { rtcp.hasGoodbye = true }
}

// MARK: - Results

extension RTPStream {
    /// Ends the stream.
    func finish() {
        if let other = held {
            held = nil
            strays += 1
            count(other)
        }
        if timing == nil { estimateClock() }
        if timing == nil { estimateClockFromReports() }
        timing?.finish()
        window.finish()
        frames.finish()
        transport?.finish()
        if timing != nil { replayed = replay?.finish() }
    }

    var measurements: StreamMeasurements {
        var result = StreamMeasurements(source: source, destination: destination)
        result.kind = kind
        result.ssrc = ssrc
        result.payloadType = payloadTypes.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
        result.encoding = encoding?.name
        result.mediaKind = encoding?.kind
        result.clockRate = timing?.clockRate
        result.clockSource = clockSource
        result.first = first
        result.last = latest
        addCounts(to: &result)
        result.interarrival = interarrival.distribution
        result.notes = notes
        if encoding == nil, let type = result.payloadType {
            result.notes.append("encoding unknown: payload type \(type) is dynamic, and no description tells")
        }
        if received < 2 { result.notes.append("a single packet: no rate and no variation") }
        addTiming(to: &result)
        addTransportStream(to: &result)
        addReplay(to: &result)
        result.rtcp = rtcp.measurements(clockRate: timing?.clockRate)
        return result
    }

    private func addCounts(to result: inout StreamMeasurements) {
        result.received = received
        result.unique = window.delivered
        result.duplicates = window.duplicates
        result.lost = window.lost
        result.expected = window.delivered + window.lost
        result.reordered = window.reordered
        result.largestReorderExtent = extent.largest
        result.bytes = rate.bytes
        result.bitsPerSecond = rate.bitsPerSecond
        result.lossRuns = window.lossRuns
        let gaps = window.burstGap
        let between = window.delivered > 1 ? Double((latest - first).nanoseconds) / Double(highest - base) : 0
        func span(_ length: Double?) -> TimeSpan? {
            length.map { .nanoseconds(Int64(($0 * between).rounded())) }
        }
        result.burstGap = BurstGapMeasurements(
            bursts: gaps.bursts, burstDensity: gaps.burstDensity, gapDensity: gaps.gapDensity ?? 0,
            burstDuration: gaps.hasBurst ? span(gaps.burstLength) : nil, gapDuration: span(gaps.gapLength))
        if restarts > 0 { notes.append("sequence numbers began anew \(restarts) times; each time they are counted on") }
        if strays > 0 { notes.append("\(strays) packets with far sequence numbers are in received only") }
        if window.outsideWindow > 0 {
            notes.append("\(window.outsideWindow) packets came too late to tell what they are: in received only")
        }
        if window.duplicates > 0 {
            notes.append("delay variation is that of first copies (RFC 7679 §3.8.4); jitter counts every arrival")
        }
        if payloadTypes.count > 1 {
            let types = payloadTypes.keys.sorted().map(\.description).joined(separator: ", ")
            notes.append("several payload types: \(types)")
        }
    }

    private func addTiming(to result: inout StreamMeasurements) {
        guard let timing else {
            switch estimate {
            case .unusual(let rate):
                result.notes.append(
                    "clock rate unknown: timestamps advance at \(Int64(clamping: rate)) Hz, which no media clock has; "
                        + "give it with --clock")
            default:
                result.notes.append(
                    "clock rate unknown: no description, and too few packets or too short a time to estimate it; "
                        + "give it with --clock")
            }
            return
        }
        result.interarrivalJitter = timing.jitter.measurements
        result.ipdv = timing.variation.ipdv
        result.pdv = timing.variation.pdv
        if case .drift(let slope) = timing.drift.result { result.clockDriftPartsPerMillion = slope * 1e6 }
        if let explanation = timing.drift.explanation { result.notes.append(explanation) }
    }

    private func addReplay(to result: inout StreamMeasurements) {
        result.playout = replayed
        if replay != nil, replayed == nil {
            result.notes.append(
                timing == nil
                    ? "no playout: without a clock rate nothing tells when a packet is due"
                    : "no playout: timestamps run away from the arrivals")
        }
    }

    private func addTransportStream(to result: inout StreamMeasurements) {
        guard let transport, !transport.isEmpty else {
            result.notes.append(
                encoding?.name.uppercased() == "MP2T"
                    ? "no MDI: its packets hold no whole transport packets, or the capture cut them"
                    : "no MDI: not a transport stream, so its nominal rate is unknown")
            return
        }
        result.transportStream = transport.measurements
        result.delayFactor = transport.delayFactor
        if let note = transport.indexNote { result.notes.append(note) }
        result.mediaLossRatePerSecond = MediaDeliveryIndex.mediaLossRate(
            lostMediaPackets: window.lost * transport.packetsPerDatagram, over: latest - first)
    }
}

extension Int64 {
    init(clamping value: Double) { self = value.isFinite && abs(value) < 9e18 ? Int64(value) : 0 }
}
