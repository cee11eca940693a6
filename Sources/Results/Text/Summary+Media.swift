import Metrics
import Timebase

extension Summary {
    var presentation: [String] {
        let isSingle = Set(measurements.substreams.map(\.receiver)).count <= 1
        return section(
            "Presentation (units)", Catalog.substreams, measurements.substreams,
            TextTable(
                header: [
                    isSingle ? "" : "receiver", isSingle ? "" : "substream", isSingle ? "sent" : "", "on time", "late",
                    "missing",
                    "damaged", "impaired", "undecodable", isSingle ? "delay p50" : "", isSingle ? "p99" : "", "freezes",
                    "longest",
                ], alignments: [.left, .left])
        ) { row in
            let stream = row.element
            return [
                TextTable.Cell(isSingle ? "" : stream.receiver),
                TextTable.Cell(!isSingle || stream.id == stream.kind ? stream.id : "\(stream.id) (\(stream.kind))"),
            ]
                // With the receivers' names beside them there is no room for what is a sum, and for delay.
                + (isSingle ? row.cells("sent.units") : [TextTable.Cell("")])
                + row.cells(
                    "presented.on_time", "presented.late", "presented.missing", "presented.damaged",
                    "decodable.impaired", "decodable.undecodable")
                + (isSingle
                    ? row.cells("end_to_end_delay_ns.p50", "end_to_end_delay_ns.p99")
                    : [TextTable.Cell(""), TextTable.Cell("")])
                + row.cells("freezes.count", "freezes.longest_ns")
        }
    }

    var lipSync: [String] {
        // Each audio track is a pair of its own.
        let tellsPair = Set(measurements.lipSync.map { "\($0.audio)/\($0.video)" }).count > 1
        var lines = section(
            "Lip-sync skew (+ audio early)", Catalog.lipSync, measurements.lipSync,
            TextTable(
                header: [
                    "receiver", "p5", "median", "p95", "p99", "ITU detect", "ITU accept", "EBU R37", "ATSC IS-191",
                ])
        ) { row in
            let pair = row.element
            return (tellsPair ? [TextTable.Cell("\(pair.receiver) \(pair.audio)")] : row.cells("receiver"))
                + row.cells("skew_ns.p5", "skew_ns.p50", "skew_ns.p95", "skew_ns.p99")
                + [pair.withinITUDetectability, pair.withinITUAcceptability, pair.withinEBUR37, pair.withinATSCIS191]
                .map(within)
        }
        guard !lines.isEmpty else { return [] }
        // ITU-R BT.1359-1 §2, EBU R 37, ATSC IS-191: audio early and audio late.
        lines.append(
            styled(
                "  within: ITU detectability +45/-125 ms, acceptability +90/-185 ms, EBU +40/-60, ATSC +15/-45", .dim))
        return lines
    }

    private func within(_ share: Double?) -> TextTable.Cell {
        guard let share else { return .missing }
        return TextTable.Cell(Format.share(share), share >= 0.99 ? .green : .yellow)
    }

    var transportStreams: [String] {
        section(
            "Transport stream", Catalog.transportStreams, measurements.transportStreams,
            TextTable(
                header: ["point", "bit rate", "PCR interval max", "PCR accuracy p99", "TR 101 290 errors"],
                alignments: [.left, .right, .right, .right, .left])
        ) { row in
            let counts = row.element.tr101290
            let errors = counts.filter { ($0.count ?? 0) > 0 }
            let text = errors.map { "\($0.name) \(Format.count($0.count))" }.joined(separator: ", ")
            let isMeasured = counts.contains { $0.count != nil }
            return row.cells("point", "bitrate_bps", "pcr.interval_max_ns", "pcr.accuracy_ns.p99") + [
                !isMeasured ? .missing : errors.isEmpty ? TextTable.Cell("none", .dim) : TextTable.Cell(text, .yellow)
            ]
        }
    }
}
