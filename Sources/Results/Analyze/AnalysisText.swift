import Analysis
import Capture
import Metrics
import Timebase
import Wire

/// What `rubato analyze` prints for people.
package struct AnalysisText {
    let analysis: CaptureAnalysis
    let truths: [String: StreamTruth]
    let styled: StyledText

    package init(analysis: CaptureAnalysis, truths: [String: StreamTruth] = [:], styled: StyledText) {
        self.analysis = analysis
        self.truths = truths
        self.styled = styled
    }

    /// The whole report, lines ended by line feeds.
    package var text: String {
        var sections = [inputs]
        if analysis.streams.isEmpty {
            sections.append(["no media streams found"])
        } else {
            sections += [streams, delays]
        }
        sections += [truth, oneWay, legs, holds, playout, transportStreams, rtcp, pairs, ntp, notes].filter {
            !$0.isEmpty
        }
        return sections.map { $0.map { $0 + "\n" }.joined() }.joined(separator: "\n")
    }

    private var inputs: [String] {
        analysis.inputs.map { input in
            var line = "\(input.path): \(input.format)"
            if !input.linkTypes.isEmpty { line += " (\(input.linkTypes.map(\.name).joined(separator: ", ")))" }
            line += ", \(Format.count(input.packets)) packets, \(Format.size(input.bytes))"
            if let first = input.first, let last = input.last { line += ", " + Format.time((last - first).nanoseconds) }
            if let dropped = input.dropped, dropped > 0 {
                line += styled("; the capture itself dropped \(Format.count(dropped)) packets", .yellow)
            }
            let skipped = input.skipped.map { "\($0.reason.rawValue) \(Format.count($0.count))" }
            if !skipped.isEmpty { line += styled("; skipped: " + skipped.joined(separator: ", "), .dim) }
            return line + encapsulations(input)
        }
    }

    /// What packets were found inside others, and what could not be looked into.
    private func encapsulations(_ input: CaptureInput) -> String {
        func list(_ count: (Int64, Int64) -> Int64) -> String {
            input.encapsulations.filter { count($0.opened, $0.closed) > 0 }
                .map { "\($0.kind.rawValue) \(Format.count(count($0.opened, $0.closed)))" }.joined(separator: ", ")
        }
        let (opened, closed) = (list { opened, _ in opened }, list { _, closed in closed })
        return (opened.isEmpty ? "" : styled("; looked into: " + opened, .dim))
            + (closed.isEmpty ? "" : styled("; could not be looked into: " + closed, .yellow))
    }

    func section(_ title: String, _ table: TextTable) -> [String] {
        table.isEmpty ? [] : [styled(title, .bold)] + table.lines(styled)
    }

    private var streams: [String] {
        var table = TextTable(
            header: ["", "kind", "from", "to", "ssrc", "encoding", "packets", "lost", "dup", "reord", "rate", "time"],
            alignments: [.left, .left, .left, .left, .left, .left])
        for stream in analysis.streams {
            table.add([
                TextTable.Cell(stream.id, .bold), TextTable.Cell(stream.kind.rawValue),
                TextTable.Cell(stream.file ?? stream.source.description),
                TextTable.Cell(stream.file == nil ? stream.destination.description : ""),
                TextTable.Cell(stream.ssrc.map(hexadecimal) ?? ""), TextTable.Cell(encoding(stream)),
                TextTable.Cell(Format.count(stream.quality.received)), loss(stream), bad(stream.quality.duplicates),
                bad(stream.quality.reordered), TextTable.Cell(Format.rate(stream.quality.bitsPerSecond)),
                TextTable.Cell(Format.time(stream.quality.duration.nanoseconds)),
            ])
        }
        return section("Streams", table)
    }

    private var delays: [String] {
        var table = TextTable(
            header: [
                "", "clock", "jitter mean", "max", "pdv p50", "p99", "max", "gap mean", "max", "DF max", "MLR", "drift",
            ])
        for stream in analysis.streams {
            let jitter = stream.quality.interarrivalJitter
            table.add([
                TextTable.Cell(stream.id, .bold), clock(stream), time(jitter?.mean), time(jitter?.maximum),
                time(stream.quality.pdv?.quantile(0.5)), time(stream.quality.pdv?.quantile(0.99)),
                time(stream.quality.pdv?.maximum),
                time(stream.quality.interarrival?.mean), time(stream.quality.interarrival?.maximum),
                time(stream.quality.delayFactor?.maximum),
                TextTable.Cell(
                    stream.quality.mediaLossRatePerSecond.map { Format.plain($0) + "/s" } ?? Format.notMeasured),
                drift(stream),
            ])
        }
        return section("Timing (jitter: RFC 3550, pdv: RFC 5481, DF and MLR: RFC 4445)", table)
    }

    private var transportStreams: [String] {
        var table = TextTable(header: ["", "TS packets", "PIDs", "rate", "by PCR", "PCR gap max", "errors"])
        for stream in analysis.streams {
            guard let transport = stream.transportStream else { continue }
            let errors = transport.measurements.tr101290.filter { ($0.count ?? 0) > 0 }
                .map { "\($0.name) \(Format.count($0.count))" }
            table.add([
                TextTable.Cell(stream.id, .bold), TextTable.Cell(Format.count(transport.packets)),
                TextTable.Cell(Format.count(Int64(transport.pids.count))),
                TextTable.Cell(Format.rate(transport.measurements.bitsPerSecond)),
                TextTable.Cell(Format.rate(transport.pcrBitsPerSecond)),
                time(transport.measurements.pcrIntervalMaximum?.nanoseconds),
                errors.isEmpty ? TextTable.Cell("none", .dim) : TextTable.Cell(errors.joined(separator: ", "), .yellow),
            ])
        }
        return section("Transport streams (errors: TR 101 290)", table)
    }

    private var rtcp: [String] {
        var table = TextTable(
            header: ["", "SR", "reports on it", "round trip p50", "captured at", "reported lost", "jitter", "SR clock"])
        for stream in analysis.streams {
            guard let rtcp = stream.rtcp else { continue }
            let clock = rtcp.reportedClockRate.map { Format.decimal($0, places: 2) + " Hz" }
            table.add([
                TextTable.Cell(stream.id, .bold), TextTable.Cell(Format.count(rtcp.senderReports)),
                TextTable.Cell(Format.count(rtcp.receptionReports)), time(rtcp.roundTrip?.quantile(0.5)),
                TextTable.Cell(rtcp.place?.rawValue ?? ""), TextTable.Cell(Format.count(rtcp.lastCumulativeLost)),
                time(rtcp.lastReportedJitter?.nanoseconds),
                TextTable.Cell(clock ?? Format.notMeasured),
            ])
        }
        return section("RTCP", table)
    }

    private var pairs: [String] {
        var table = TextTable(header: ["audio", "video", "min", "mean", "max", "floor"], alignments: [.left, .left])
        for pair in analysis.pairs {
            table.add([
                TextTable.Cell(pair.audio, .bold), TextTable.Cell(pair.video, .bold),
                time(pair.skew?.minimum, signed: true), time(pair.skew?.mean, signed: true),
                time(pair.skew?.maximum, signed: true),
                TextTable.Cell(pair.floor.map { "±" + Format.time($0.nanoseconds) } ?? Format.notMeasured),
            ])
        }
        return section("Lip-sync skew at arrival (positive: audio early)", table)
    }

    private var ntp: [String] {
        var table = TextTable(
            header: [
                "client", "server", "version", "exchanges", "offset min", "p50", "max", "client's p50", "delay min",
                "max",
                "bound", "rejected",
            ], alignments: [.left, .left])
        for pair in analysis.ntp {
            let rejected = pair.rejected.map { "\($0.reason) \(Format.count($0.count))" }.joined(separator: ", ")
            table.add([
                TextTable.Cell(pair.client.description), TextTable.Cell(pair.server.description),
                TextTable.Cell(pair.version.description), TextTable.Cell(Format.count(pair.exchanges)),
                time(pair.offset?.minimum, signed: true), time(pair.offset?.quantile(0.5), signed: true),
                time(pair.offset?.maximum, signed: true), time(pair.clientOffset?.quantile(0.5), signed: true),
                time(pair.delay?.minimum), time(pair.delay?.maximum),
                TextTable.Cell(pair.bound.map { "±" + Format.time($0.minimum) } ?? Format.notMeasured),
                TextTable.Cell(rejected, .yellow),
            ])
        }
        return section(
            "NTP (offset: server less the capture's clock, client's: server less client; bound: of the least delay)",
            table)
    }

    private var notes: [String] {
        var lines: [String] = analysis.notes
        if analysis.malformedRTCP > 0 { lines.append("\(analysis.malformedRTCP) RTCP datagrams could not be read") }
        if analysis.stunDatagrams > 0 { lines.append("\(analysis.stunDatagrams) STUN datagrams") }
        for stream in analysis.streams { lines += stream.notes.map { "\(stream.id): \($0)" } }
        for pair in analysis.legs { lines += pair.notes.map { "\(name(pair)), legs: \($0)" } }
        for way in analysis.oneWay { lines += way.notes.map { "\(name(way)), one way: \($0)" } }
        return lines.isEmpty ? [] : [styled("Notes", .bold)] + lines.map { "  " + $0 }
    }
}

// MARK: - Cells

extension AnalysisText {
    func time(_ nanoseconds: Int64?, signed: Bool = false) -> TextTable.Cell {
        TextTable.Cell(Format.time(nanoseconds, signed: signed), nanoseconds == nil ? .dim : nil)
    }

    func bad(_ count: Int64?) -> TextTable.Cell {
        TextTable.Cell(Format.count(count), (count ?? 0) == 0 ? .dim : .yellow)
    }

    private func drift(_ stream: StreamMeasurements) -> TextTable.Cell {
        func text(_ value: Double?) -> String { Format.frequency(value.map { Int64(($0 * 1000).rounded()) }) }
        guard let uncertainty = stream.quality.clockDriftUncertainty else { return TextTable.Cell(Format.notMeasured) }
        return TextTable.Cell(
            text(stream.quality.clockDriftPartsPerMillion) + " ±" + text(uncertainty).drop { $0 == "+" })
    }

    private func loss(_ stream: StreamMeasurements) -> TextTable.Cell {
        guard let lost = stream.quality.lost, let expected = stream.quality.expected, lost > 0 else {
            return bad(stream.quality.lost)
        }
        return TextTable.Cell("\(Format.count(lost)) (\(Format.share(Double(lost) / Double(expected))))", .yellow)
    }

    private func encoding(_ stream: StreamMeasurements) -> String {
        if let encoding = stream.encoding { return encoding }
        return stream.payloadType.map { "PT \($0)" } ?? ""
    }

    private func clock(_ stream: StreamMeasurements) -> TextTable.Cell {
        guard let rate = stream.clockRate else { return TextTable.Cell(Format.notMeasured, .dim) }
        let mark = stream.clockSource == .estimated ? " (estimated)" : ""
        return TextTable.Cell("\(Format.count(Int64(rate))) Hz\(mark)")
    }
}

/// "0xe89cb5c1"
package func hexadecimal(_ ssrc: UInt32) -> String {
    let digits = String(ssrc, radix: 16)
    return "0x" + String(repeating: "0", count: 8 - digits.utf8.count) + digits
}
