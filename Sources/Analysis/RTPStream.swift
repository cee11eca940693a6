import Capture
import Metrics
import Timebase
import Wire

/// Measures one SSRC of one 5-tuple.
final class RTPStream {
    let source: SocketAddress
    let destination: SocketAddress
    let ssrc: UInt32
    var kind = StreamMeasurements.Kind.rtp
    private(set) var encoding: RTPEncoding?
    private(set) var clockSource = StreamMeasurements.ClockSource.unknown
    private(set) var quality: StreamQuality
    private(set) var rtcp = RTCPMeter()
    /// Frames for lip-sync.
    var frames = FrameLog()
    /// The largest RTP payload.
    private(set) var largestPayload = 0
    private(set) var payloadTypes: [UInt8: Int64] = [:]

    private var numbers = WrapUnwrapper(bits: 16)
    private var timestamps = WrapUnwrapper(bits: 32)
    /// Added to unwrapped numbers, so that a stream that began again goes on where it was.
    private var shift: Int64 = 0
    private var highest: Int64
    private let base: Int64
    private var check = SequenceCheck()
    /// A packet that has jumped.
    private var held: RTPArrival?
    private var restarts = 0
    private var strays: Int64 = 0

    private var nextEstimate = 64
    private var estimate = ClockEstimate.Result.tooLittle
    private var transport: TransportStreamMeter?
    /// What a receiver would have made of it; nil when nobody asks.
    private let replay: PlayoutReplay?
    private var replayed: ReplayMeasurements?
    private var notes: [String] = []

    /// - Parameter opening: the stream's first packets, at least one, in the order of arrival.
    init(
        source: SocketAddress, destination: SocketAddress, ssrc: UInt32, opening: [RTPArrival],
        playout: PlayoutAssumption? = nil
    ) {
        self.source = source
        self.destination = destination
        self.ssrc = ssrc
        replay = playout.map { PlayoutReplay($0, isRTP: true) }
        var unwrapper = WrapUnwrapper(bits: 16)
        // Numbers near the beginning may lie before the first that came.
        base = opening.map { unwrapper.unwrap(UInt64($0.sequenceNumber)) }.min() ?? 0
        highest = base
        quality = StreamQuality(.captured(firstNumber: base))
    }

    /// Says what the payload is; the first to say it is believed.
    func describe(_ encoding: RTPEncoding, source: StreamMeasurements.ClockSource) {
        guard clockSource == .unknown || clockSource == .estimated else { return }
        if clockSource == .estimated, let clockRate, clockRate != encoding.clockRate {
            notes.append(
                "described only after its clock was estimated; timing uses the estimate of \(clockRate) Hz")
            self.encoding = RTPEncoding(name: encoding.name, clockRate: clockRate, kind: encoding.kind)
            return
        }
        self.encoding = encoding
        clockSource = source
        begin(clockRate: encoding.clockRate)
    }

    /// Media ticks for an RTP timestamp near those that came last.
    func ticks(_ timestamp: UInt32) -> Int64 { timestamps.nearest(UInt64(timestamp)) }

    var clockRate: UInt32? { quality.clockRate }
}

// MARK: - Packets

extension RTPStream {
    /// Takes the next packet.
    ///
    /// - Parameter media: its RTP payload; empty when it is in the arrival, or not to be had.
    func add(_ arrival: RTPArrival, media: RawSpan) {
        let number = numbers.nearest(UInt64(arrival.sequenceNumber)) + shift
        let isFar = quality.received > 0 && abs(number - highest) > SequenceCheck.maximumDropout
        let verdict = check.take(arrival.sequenceNumber, isFar: isFar)
        if let other = held {
            held = nil
            if verdict == .confirms { acceptJump(other) } else { countStray(other) }
        }
        guard verdict == .jumps else { return process(arrival, media: media) }
        held = arrival
        if TransportStreamMeter.packetLength(of: media) != nil { held?.transportPackets = media.copied }
    }

    /// A single packet from far away: nobody's next.
    private func countStray(_ arrival: RTPArrival) {
        strays += 1
        quality.arrivedUnnumbered(bytes: arrival.count, at: arrival.instant)
        note(arrival)
    }

    private func note(_ arrival: RTPArrival) {
        largestPayload = max(largestPayload, arrival.payloadCount)
        payloadTypes[arrival.payloadType, default: 0] += 1
    }

    /// Two packets in a row agree on a far number: an outage when as many packets could have been sent meanwhile, else
    /// a new beginning.
    private func acceptJump(_ arrival: RTPArrival) {
        let number = numbers.nearest(UInt64(arrival.sequenceNumber)) + shift
        let gap = number - highest
        let sent = Double(max(highest - base, 1))
        let elapsed = Double(max((arrival.instant - quality.lastArrival).nanoseconds, 0))
        let active = Double(max((quality.lastArrival - quality.first).nanoseconds, 1))
        if gap < 0 || Double(gap) > 4 * sent * elapsed / active {
            restarts += 1
            shift += highest + 1 - number
        }
        process(arrival, media: RawSpan())
    }

    private func process(_ arrival: RTPArrival, media: RawSpan) {
        if let packets = arrival.transportPackets {
            measure(arrival, media: packets.span.bytes)
        } else {
            measure(arrival, media: media)
        }
    }

    private func measure(_ arrival: RTPArrival, media: RawSpan) {
        note(arrival)
        let number = numbers.unwrap(UInt64(arrival.sequenceNumber)) + shift
        let ticks = timestamps.unwrap(UInt64(arrival.timestamp))
        if transport == nil, let length = TransportStreamMeter.packetLength(of: media) {
            transport = TransportStreamMeter(packetLength: length)
        }
        let waiting = quality.waiting.count
        let verdict = quality.arrived(
            StreamArrival(
                at: arrival.instant, bytes: arrival.count, number: number, timestamp: ticks,
                mediaBytes: transport?.mediaBytes(of: media) ?? 0))
        if transport == nil {
            frames.add(ticks: ticks, at: arrival.instant)
        } else if verdict.isFirst {
            if number > highest + 1 { transport?.noteMissing() }
            transport?.add(media, at: quality.last)
            transport?.tellRate(to: &quality)
        }
        highest = max(highest, number)
        if let clockRate {
            replay?.add(number: number, ticks: ticks, clockRate: clockRate, at: arrival.instant)
        } else if quality.waiting.count > waiting {
            estimateClockIfDue(at: arrival.instant)
        }
    }
}

// MARK: - The clock

extension RTPStream {
    private func begin(clockRate: UInt32) {
        guard self.clockRate == nil else { return }
        for arrival in quality.waiting {
            replay?.add(number: arrival.number, ticks: arrival.timestamp, clockRate: clockRate, at: arrival.instant)
        }
        quality.begin(clockRate: clockRate)
    }

    private func estimateClockIfDue(at instant: Instant) {
        guard quality.waiting.count >= nextEstimate, let first = quality.waiting.first,
            instant - first.instant >= .seconds(4)
        else { return }
        estimateClock()
        nextEstimate = quality.waiting.count * 2
    }

    private func estimateClock() {
        guard clockRate == nil else { return }
        estimate = ClockEstimate.estimate(quality.waiting)
        guard case .rate(let rate) = estimate else { return }
        clockSource = .estimated
        begin(clockRate: rate)
    }

    /// Two sender reports tell the clock, too.
    private func estimateClockFromReports() {
        guard clockRate == nil, let reported = rtcp.reportedClockRate,
            let rate = ClockEstimate.rates.first(where: { abs(Double($0) - reported) < 0.001 * reported })
        else { return }
        clockSource = .estimated
        begin(clockRate: rate)
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
            countStray(other)
        }
        estimateClock()
        estimateClockFromReports()
        transport?.tellRate(to: &quality, atEnd: true)
        quality.finish()
        frames.finish()
        transport?.finish()
        if clockRate != nil { replayed = replay?.finish() }
    }

    var measurements: StreamMeasurements {
        var result = StreamMeasurements(source: source, destination: destination)
        result.kind = kind
        result.ssrc = ssrc
        result.payloadType = payloadTypes.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
        result.encoding = encoding?.name
        result.mediaKind = encoding?.kind
        result.clockRate = clockRate
        result.clockSource = clockSource
        result.quality = quality.measurements()
        result.notes = notes
        noteCounts(in: &result)
        if encoding == nil, let type = result.payloadType {
            result.notes.append("encoding unknown: payload type \(type) is dynamic, and no description tells")
        }
        if quality.received < 2 { result.notes.append("a single packet: no rate and no variation") }
        noteTiming(in: &result)
        addTransportStream(to: &result)
        addReplay(to: &result)
        result.rtcp = rtcp.measurements(clockRate: clockRate)
        return result
    }

    private func noteCounts(in result: inout StreamMeasurements) {
        func note(_ sentence: String) { result.notes.append(sentence) }
        if restarts > 0 { note("sequence numbers began anew \(restarts) times; each time they are counted on") }
        if strays > 0 { note("\(strays) packets with far sequence numbers are in received only") }
        if let late = result.quality.tooLate, late > 0 {
            note("\(late) packets came too late to tell what they are: in received only")
        }
        if quality.duplicates > 0 {
            note("delay variation is that of first copies (RFC 7679 §3.8.4); jitter counts every arrival")
        }
        if payloadTypes.count > 1 {
            note("several payload types: \(payloadTypes.keys.sorted().map(\.description).joined(separator: ", "))")
        }
    }

    private func noteTiming(in result: inout StreamMeasurements) {
        if clockRate != nil {
            if let explanation = quality.drift.explanation { result.notes.append(explanation) }
        } else if case .unusual(let rate) = estimate {
            result.notes.append(
                "clock rate unknown: timestamps advance at \(Int64(clamping: rate)) Hz, which no media clock has; "
                    + "give it with --clock")
        } else {
            result.notes.append(
                "clock rate unknown: no description, and too few packets or too short a time to estimate it; "
                    + "give it with --clock")
        }
    }

    private func addReplay(to result: inout StreamMeasurements) {
        result.playout = replayed
        if replay != nil, replayed == nil {
            result.notes.append(
                clockRate == nil
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
        if let note = transport.indexNote { result.notes.append(note) }
        result.quality.mediaLossRatePerSecond = MediaDeliveryIndex.mediaLossRate(
            lostMediaPackets: (result.quality.lost ?? 0) * transport.packetsPerDatagram,
            over: quality.last - quality.first)
    }
}

extension StreamQuality.Configuration {
    /// Of packets in a capture, whose timestamps' and media's rates will show.
    static func captured(firstNumber: Int64) -> Self {
        var configuration = Self()
        configuration.firstNumber = firstNumber
        configuration.window = 32_768
        configuration.awaitsClockRate = true
        configuration.awaitsMediaRate = true
        configuration.isThorough = true
        return configuration
    }

    /// Of a capture's datagrams without numbers.
    static func unnumbered(isMedia: Bool) -> Self {
        var configuration = Self()
        configuration.window = 64
        configuration.awaitsMediaRate = isMedia
        configuration.isThorough = true
        return configuration
    }
}

extension Int64 {
    init(clamping value: Double) { self = value.isFinite && abs(value) < 9e18 ? Int64(value) : 0 }
}
