import Metrics
import Timebase

extension Summary {
    var presentation: [String] {
        let isSingle = Set(measurements.substreams.map(\.receiver)).count <= 1
        return section(
            "Presentation (units)", measurements.substreams,
            header: [
                isSingle ? "" : "receiver", isSingle ? "" : "substream", "sent", "on time", "late", "missing",
                "damaged", "delay p50", "p99", "freezes", "longest",
            ],
            alignments: [.left, .left]
        ) { stream in
            [
                TextTable.Cell(isSingle ? "" : stream.receiver),
                TextTable.Cell(stream.id == stream.kind ? stream.id : "\(stream.id) (\(stream.kind))"),
                cell(Format.count(stream.sentUnits)), cell(Format.count(stream.onTime)), badCount(stream.late),
                badCount(stream.missing), badCount(stream.damaged), time(stream.endToEndDelay?.quantile(0.5)),
                time(stream.endToEndDelay?.quantile(0.99)), badCount(stream.freezes?.count),
                time(stream.freezes?.longest.nanoseconds),
            ]
        }
    }

    var lipSync: [String] {
        var lines = section(
            "Lip-sync skew (+ audio early)", measurements.lipSync,
            header: ["receiver", "p5", "median", "p95", "p99", "ITU detect", "ITU accept", "EBU R37", "ATSC IS-191"]
        ) { pair in
            [
                TextTable.Cell(pair.receiver), time(pair.skew?.quantile(0.05), signed: true),
                time(pair.skew?.quantile(0.5), signed: true),
                time(pair.skew?.quantile(0.95), signed: true), time(pair.skew?.quantile(0.99), signed: true),
                within(pair.withinITUDetectability), within(pair.withinITUAcceptability), within(pair.withinEBUR37),
                within(pair.withinATSCIS191),
            ]
        }
        guard !lines.isEmpty else { return [] }
        // ITU-R BT.1359-1 §2, EBU R 37, ATSC IS-191: audio early and audio late.
        lines.append(
            styled(
                "  within: ITU detectability +45/-125 ms, acceptability +90/-185 ms, EBU +40/-60, ATSC +15/-45", .dim))
        return lines
    }

    private func within(_ share: Double?) -> TextTable.Cell {
        guard let share else { return missing }
        return TextTable.Cell(Format.share(share), share >= 0.99 ? .green : .yellow)
    }

    var transportStreams: [String] {
        section(
            "Transport stream", measurements.transportStreams,
            header: ["point", "bit rate", "PCR interval max", "PCR accuracy p99", "TR 101 290 errors"],
            alignments: [.left, .right, .right, .right, .left]
        ) { stream in
            let errors = stream.tr101290.filter { ($0.count ?? 0) > 0 }
            let text = errors.map { "\($0.name) \(Format.count($0.count))" }.joined(separator: ", ")
            let isMeasured = stream.tr101290.contains { $0.count != nil }
            return [
                TextTable.Cell(stream.point), cell(Format.rate(stream.bitsPerSecond)),
                time(stream.pcrIntervalMaximum?.nanoseconds), time(stream.pcrAccuracy?.quantile(0.99), signed: true),
                !isMeasured ? missing : errors.isEmpty ? TextTable.Cell("none", .dim) : TextTable.Cell(text, .yellow),
            ]
        }
    }
}
