import Metrics
import Timebase

extension Summary {
    var links: [String] {
        // What happens on few links has a column only where it does.
        let rare: [(heading: String, path: String, count: (LinkMeasurements) -> Int64)] = [
            ("policed", "drops.policed", \.policedDrops), ("down", "drops.down", \.downDrops),
            ("copies", "duplicated", \.duplicated), ("marked", "ecn_marked", \.marked),
        ].filter { column in measurements.links.contains { column.count($0) > 0 } }
        return section(
            "Links", Catalog.links, measurements.links,
            TextTable(
                header: ["", "rate", "used", "packets in", "out", "lost", "dropped"] + rare.map(\.heading)
                    + ["wait p50", "p99", "max"])
        ) { row in
            let link = row.element
            let rate = link.rateBitsPerSecond == nil ? TextTable.Cell("unlimited", .dim) : row.cell("rate_bps")
            return [row.cell("id"), rate]
                + row.cells("utilization", "packets.in", "packets.out", "drops.loss")
                + [.bad(link.queueFullDrops + link.aqmDrops)] + rare.map { row.cell($0.path) }
                + row.cells("queue_delay_ns.p50", "queue_delay_ns.p99", "queue_delay_ns.max")
        }
    }

    var reservations: [String] {
        section(
            "Reservations", Catalog.reservations, measurements.reservations,
            TextTable(
                header: ["session", "receiver", "rate", "burst", "", "worst delay", "bound", "burst needed"],
                alignments: [.left, .left, .right, .right, .left])
        ) { row in
            let session = row.element
            let verdict =
                session.isAdmitted
                ? TextTable.Cell("admitted", .green)
                : TextTable.Cell("refused by \(session.refusedLink ?? "a link"): \(session.refusedReason ?? "")", .red)
            var worst = row.cell("worst_delay_ns")
            if (session.worstDelayNanoseconds ?? 0) > (session.boundNanoseconds ?? .max) { worst.style = .red }
            return [
                row.cell("flow"), TextTable.Cell(session.receiver), row.cell("rate_bps"),
                TextTable.Cell(Format.count(session.burst) + " B"), verdict, worst, row.cell("bound_ns"),
                session.neededBurst.map { TextTable.Cell(Format.count($0) + " B") } ?? .missing,
            ]
        }
    }

    var clocks: [String] {
        section(
            "Clocks", Catalog.clocks, measurements.clocks,
            TextTable(
                header: ["node", "algorithm", "offset mean", "min", "max", "frequency", "estimated"]
                    + (isSynchronized ? ["bound max", "broken"] : []), alignments: [.left, .left])
        ) { row in
            [row.cell("node"), TextTable.Cell(row.element.algorithm, .dim)]
                + row.cells(
                    "offset_error_ns.mean", "offset_error_ns.min", "offset_error_ns.max", "frequency_ppb.true",
                    "frequency_ppb.estimated")
                + (isSynchronized ? row.cells("bound_ns.max", "bound_violations") : [])
        }
    }

    private var isSynchronized: Bool { measurements.clocks.contains { $0.algorithm != "none" } }
}
