import Metrics
import Timebase
import Wire

extension RTPStream {
    var measurements: StreamMeasurements {
        let main = payloads.main
        var result = StreamMeasurements(source: source, destination: destination)
        result.kind = kind
        result.ssrc = ssrc
        result.payloadType = main?.number
        result.payloadTypes = payloads.records.map {
            (number: $0.number, encoding: $0.encoding?.name, clockRate: clockRate(of: $0), packets: $0.packets)
        }
        result.encoding = encoding?.name
        result.mediaKind = encoding?.kind
        result.clockRate = clockRate
        result.clockSource = clockSource(main)
        result.quality = quality.measurements()
        timeline.parts.timing.fill(&result.quality)
        result.notes = timeline.notes
        noteCounts(in: &result)
        if encoding == nil, let type = result.payloadType {
            result.notes.append("encoding unknown: payload type \(type) is dynamic, and no description tells")
        }
        if quality.received < 2 { result.notes.append("a single packet: no rate and no variation") }
        noteLeftOut(in: &result)
        noteParts(in: &result)
        noteTiming(in: &result)
        addTransportStream(to: &result)
        addReplay(to: &result)
        result.rtcp = rtcp.measurements(clockRate: clockRate)
        noteReports(in: &result)
        return result
    }

    private func clockRate(of record: PayloadTypes.Record) -> UInt32? {
        timeline.rate(of: record.number) ?? record.encoding?.clockRate
    }

    private func clockSource(_ main: PayloadTypes.Record?) -> StreamMeasurements.ClockSource {
        guard let main, let rate = clockRate(of: main) else { return .unknown }
        return main.encoding?.clockRate == rate ? main.source : .estimated
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
        if payloads.records.count > 1 {
            let names = payloads.records.map { "\($0.number)" + ($0.encoding.map { " (\($0.name))" } ?? "") }
            note("several payload types: \(names.joined(separator: ", "))")
        }
    }

    /// What timing does not count.
    private func noteLeftOut(in result: inout StreamMeasurements) {
        let outside = "outside delay, jitter, playout and drift"
        let (events, noise) = (payloads.packets(.event), payloads.packets(.comfortNoise))
        if events > 0 { result.notes.append("\(events) packets of telephone events are \(outside)") }
        if noise > 0 { result.notes.append("\(noise) packets of comfort noise are \(outside)") }
        if payloads.empty > 0 { result.notes.append("\(payloads.empty) packets without payload are \(outside)") }
        if timeline.parts.strays > 0 {
            result.notes.append(
                "\(timeline.parts.strays) packets have timestamps far from all around them: they are \(outside)")
        }
        if timeline.unmeasured > 0, clockRate != nil {
            result.notes.append(
                "\(timeline.unmeasured) packets of payload types with unknown clock rates are \(outside)")
        }
    }

    /// Where the references of delay begin anew.
    private func noteParts(in result: inout StreamMeasurements) {
        let anew = "delay is measured anew from there"
        let parts = timeline.parts
        if let first = parts.jumps.first(where: { $0.reason == .jump }) {
            let by = Self.seconds(first.by.nanoseconds)
            let what =
                first.by < .zero
                ? "stood still or fell back (by \(by) s at first)" : "ran ahead (by \(by) s at first)"
            result.notes.append(
                "timestamps \(what) without time doing so, \(parts.jumpCount) times, first after "
                    + "\(Self.seconds(first.after.nanoseconds)) s: \(anew)")
        }
        if let first = parts.jumps.first(where: { $0.reason == .clockSetBack }) {
            result.notes.append(
                "the capture's clock was set back \(quality.stepsBack) times, first after "
                    + "\(Self.seconds(first.after.nanoseconds)) s by \(Self.seconds(first.by.nanoseconds)) s: \(anew)")
        }
    }

    private func noteReports(in result: inout StreamMeasurements) {
        guard let clockRate else { return }
        let map = SenderClockMap(rtcp.mappings, clockRate: clockRate)
        guard let first = map.firstStep else { return }
        result.notes.append(
            "sender reports contradict those before them \(map.steps) times, first \(Self.seconds(first.after.nanoseconds)) s "
                + "after the first report, by \(first.by < .zero ? "-" : "+")\(Self.seconds(first.by.nanoseconds)) s: "
                + "lip-sync changes there")
    }

    /// Thousandths, without a sign.
    private static func seconds(_ nanoseconds: Int64) -> String {
        let thousandths = (nanoseconds.magnitude + 500_000) / 1_000_000
        let digits = String(1000 + thousandths % 1000)
        return "\(thousandths / 1000).\(digits.dropFirst())"
    }

    private func noteTiming(in result: inout StreamMeasurements) {
        if clockRate != nil {
            if let explanation = timeline.parts.timing.drift.explanation { result.notes.append(explanation) }
        } else if let type = result.payloadType, case .unusual(let rate) = timeline.estimate(of: type) {
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
        result.playout = timeline.parts.playout
        if timeline.parts.hasReplay, result.playout == nil {
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
            over: quality.duration)
    }
}

extension StreamQuality.Configuration {
    /// Of packets in a capture, whose timestamps' and media's rates will show.
    static func captured(firstNumber: Int64) -> Self {
        var configuration = Self()
        configuration.firstNumber = firstNumber
        configuration.window = 32_768
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
