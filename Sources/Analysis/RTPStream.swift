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
    private(set) var quality: StreamQuality
    private(set) var payloads = PayloadTypes()
    private(set) var timeline: RTPTimeline
    private(set) var rtcp = RTCPMeter()
    /// Frames for lip-sync.
    var frames = FrameLog()
    /// The largest RTP payload.
    private(set) var largestPayload = 0

    private unowned let flow: Flow
    private var numbers = WrapUnwrapper(bits: 16)
    private var timestamps = WrapUnwrapper(bits: 32)
    /// Added to unwrapped numbers, so that a stream that began again goes on where it was.
    private var shift: Int64 = 0
    private var highest: Int64
    private let base: Int64
    /// The first packet since the stream began, or began anew, and the highest one: number and ticks.
    private var begun: (number: Int64, ticks: Int64)?
    private var newest: (ticks: Int64, instant: Instant) = (0, .zero)
    private var check = SequenceCheck()
    /// A packet that has jumped.
    private var held: RTPArrival?
    private var beginsPart = false
    private(set) var restarts = 0
    private(set) var strays: Int64 = 0
    private(set) var transport: TransportStreamMeter?

    /// - Parameter opening: the stream's first packets, at least one, in the order of arrival.
    init(_ flow: Flow, ssrc: UInt32, opening: [RTPArrival], playout: PlayoutAssumption? = nil) {
        self.flow = flow
        source = flow.key.source
        destination = flow.key.destination
        self.ssrc = ssrc
        timeline = RTPTimeline(replay: playout.map { PlayoutReplay($0, isRTP: true) })
        var unwrapper = WrapUnwrapper(bits: 16)
        // Numbers near the beginning may lie before the first that came.
        base = opening.map { unwrapper.unwrap(UInt64($0.sequenceNumber)) }.min() ?? 0
        highest = base
        quality = StreamQuality(.captured(firstNumber: base))
    }

    /// Asks anew what the payload types are.
    func rename() {
        payloads.name(flow)
        timeline.describe(payloads)
    }

    /// Takes its packets for a transport stream's, of which nobody says it: whatever type the session gave it, its clock is
    /// 90 kHz (RFC 2250 §2).
    func assumeTransportStream() {
        guard let main = payloads.main, main.encoding == nil else { return }
        payloads.assume(RTPEncoding(name: "MP2T", clockRate: 90_000, kind: .video), of: main.number)
        timeline.describe(payloads)
    }

    /// Media ticks for an RTP timestamp near those that came last.
    func ticks(_ timestamp: UInt32) -> Int64 { timestamps.nearest(UInt64(timestamp)) }

    /// Hz of the timestamps of most packets; nil when it is not known.
    var clockRate: UInt32? { payloads.main.flatMap { timeline.rate(of: $0.number) ?? $0.encoding?.clockRate } }
    var encoding: RTPEncoding? { payloads.main?.encoding }
}

// MARK: - Packets

extension RTPStream {
    /// Takes the next packet.
    ///
    /// - Parameter media: its RTP payload; empty when it is in the arrival, or not to be had.
    func add(_ arrival: RTPArrival, media: RawSpan) {
        let number = numbers.nearest(UInt64(arrival.sequenceNumber)) + shift
        if number == highest &+ 1, held == nil { return process(arrival, media: media) }
        addOutOfStep(arrival, number - highest, media: media)
    }

    @inline(never)
    private func addOutOfStep(_ arrival: RTPArrival, _ distance: Int64, media: RawSpan) {
        let isFar =
            quality.received > 0
            && (distance > SequenceCheck.maximumDropout || distance < -SequenceCheck.maximumMisorder
                || distance > SequenceCheck.maximumMisorder && hasNewBase(arrival)
                || distance <= 0 && hasOtherTime(arrival, by: -distance))
        let verdict = check.take(arrival.sequenceNumber, isFar: isFar)
        if let other = held {
            held = nil
            if verdict == .confirms { acceptJump(other) } else { release(other) }
        }
        guard verdict == .jumps else { return process(arrival, media: media) }
        held = arrival
        if TransportStreamMeter.packetLength(of: media) != nil { held?.transportPackets = media.copied }
    }

    /// Whether its timestamp lies more than a second from where time would have brought it.
    private func hasNewBase(_ arrival: RTPArrival) -> Bool {
        guard let clockRate else { return false }
        let media = Double(ticks(arrival.timestamp) - newest.ticks) / Double(clockRate)
        return abs(media - Double((arrival.instant - newest.instant).nanoseconds) * 1e-9) > 1
    }

    /// Whether its timestamp lies more than a second from that of the packet which had its number, or would have.
    private func hasOtherTime(_ arrival: RTPArrival, by count: Int64) -> Bool {
        guard let clockRate, let begun, highest > begun.number else { return false }
        let mean = Double(newest.ticks - begun.ticks) / Double(highest - begun.number) * Double(count)
        let back = Double(newest.ticks - ticks(arrival.timestamp))
        return abs(back - mean) > abs(mean) + Double(clockRate)
    }

    /// A packet whose far number nothing confirmed: very late, or a single one from far away that is nobody's next.
    private func release(_ arrival: RTPArrival) {
        let distance = numbers.nearest(UInt64(arrival.sequenceNumber)) + shift - highest
        if distance < 0, distance >= -SequenceCheck.maximumDropout { return process(arrival, media: RawSpan()) }
        strays += 1
        quality.arrivedUnnumbered(bytes: arrival.count, at: arrival.instant)
        _ = payloads.note(arrival, flow)
    }

    /// Two packets in a row agree on a far number: very late ones or copies, an outage when as many packets could have
    /// been sent meanwhile, else a new beginning (RFC 3550 §A.1).
    private func acceptJump(_ arrival: RTPArrival) {
        let number = numbers.nearest(UInt64(arrival.sequenceNumber)) + shift
        let gap = number - highest
        let sent = Double(max(highest - base, 1))
        let elapsed = Double(max((arrival.instant - quality.lastArrival).nanoseconds, 0))
        let active = Double(max(quality.duration.nanoseconds, 1))
        let isOutage = gap > 0 && Double(gap) <= 4 * sent * elapsed / active
        if !isOutage, gap > 0 || !isLate(arrival, by: -gap, spacing: active / sent) {
            restarts += 1
            shift += highest + 1 - number
            begun = nil
            beginsPart = true
        }
        process(arrival, media: RawSpan())
    }

    /// Whether a packet was sent so many numbers ago by its timestamp, too, and not long ago.
    ///
    /// - Parameter spacing: nanoseconds from packet to packet.
    private func isLate(_ arrival: RTPArrival, by count: Int64, spacing: Double) -> Bool {
        guard let begun, highest > begun.number, Double(count) * spacing <= 2e9 else { return false }
        let mean = Double(newest.ticks - begun.ticks) / Double(highest - begun.number)
        let back = Double(newest.ticks - ticks(arrival.timestamp))
        return abs(back - mean * Double(count)) <= abs(mean * Double(count)) / 4
    }

    private func process(_ arrival: RTPArrival, media: RawSpan) {
        if let packets = arrival.transportPackets {
            measure(arrival, media: packets.span.bytes)
        } else {
            measure(arrival, media: media)
        }
    }

    private func measure(_ arrival: RTPArrival, media: RawSpan) {
        largestPayload = max(largestPayload, arrival.payloadCount)
        // The flow is held on to only where it is asked.
        let isTimed = payloads.noteAnother(arrival) || payloads.note(arrival, flow)
        let number = numbers.unwrap(UInt64(arrival.sequenceNumber)) + shift
        let ticks = timestamps.unwrap(UInt64(arrival.timestamp))
        if transport == nil, let length = TransportStreamMeter.packetLength(of: media) {
            transport = TransportStreamMeter(packetLength: length)
        }
        let verdict = quality.arrived(
            StreamArrival(
                at: arrival.instant, bytes: arrival.count, number: number,
                mediaBytes: transport?.mediaBytes(of: media) ?? 0))
        if isTimed {
            var entry = RTPTimeline.Entry(
                arrival: .init(at: arrival.instant, timestamp: ticks, number: number, isFirst: verdict.isFirst),
                payloadType: arrival.payloadType)
            if beginsPart {
                entry.beginsPart = true
                beginsPart = false
            }
            timeline.add(entry, payloads)
        }
        if transport == nil {
            if isTimed { frames.add(ticks: ticks, at: arrival.instant) }
        } else if verdict.isFirst {
            if number > highest + 1 { transport?.noteMissing() }
            transport?.add(media, at: quality.steadyLast)
            transport?.tellRate(to: &quality)
        }
        guard number >= highest else { return }
        highest = number
        newest = (ticks, arrival.instant)
        if begun == nil { begun = (number, ticks) }
    }
}

// MARK: - Reports

extension RTPStream {
    func take(_ report: RTCPPacket.SenderReport, at instant: Instant) {
        rtcp.take(report, at: instant, ticks: ticks(report.rtpTimestamp))
        rtcp.judge(clockRate: clockRate)
    }

    func take(_ block: ReceptionReport, at instant: Instant) { rtcp.take(block, at: instant) }
    func take(_ chunk: RTCPPacket.SourceDescription) { rtcp.take(chunk) }
    func takeGoodbye() { rtcp.hasGoodbye = true }

    /// Ends the stream.
    func finish() {
        if let other = held {
            held = nil
            release(other)
        }
        let main = payloads.main?.number
        timeline.finish(
            payloads, reported: main.flatMap { type in rtcp.reportedClockRate.map { (type, $0) } })
        transport?.tellRate(to: &quality, atEnd: true)
        quality.finish()
        frames.finish()
        transport?.finish()
        labelKind()
    }

    /// What the description says of the stream's purpose.
    private func labelKind() {
        guard let main = payloads.main, main.source == .sdp, let name = main.encoding?.name.lowercased() else { return }
        if name == "rtx" { kind = .rtx }
        if name.contains("fec") || name == "red" && main.encoding?.kind == nil { kind = .fec }
        if flow.description?.isSecure == true { kind = .srtp }
    }
}
