import Metrics
import Timebase

extension FlowMeasurements {
    /// Datagrams that met no fate, or more than one: zero, or the run is not to be believed.
    var unaccounted: Int64 { sent + duplicated - delivered - lostLink - lostNode - droppedQueue - droppedChecksum }
    /// What a table calls it: the receiver, or with its substream where that has a session of its own.
    var title: String { id == "program" ? receiver : id }
    var used: Int64 { delivered - late - duplicates }

    func share(_ count: Int64) -> Double? {
        sent + duplicated > 0 ? Double(count) / Double(sent + duplicated) : nil
    }
}

extension Summary {
    private var flows: [FlowMeasurements] { measurements.flows }

    var rates: [String] {
        section(
            "Bit rate and loss", Catalog.flows, flows,
            TextTable(
                header: [
                    "receiver", "carriage", "sent", "delivered", "overhead", "packets", "loss", "late", "reordered",
                ], alignments: [.left, .left])
        ) { row in
            let flow = row.element
            let lost = flow.sent + flow.duplicated - flow.delivered
            return [
                TextTable.Cell(flow.title), TextTable.Cell(flow.carriage, .dim), row.cell("bitrate_bps.sent"),
                row.cell("bitrate_bps.delivered"), row.cell("bitrate_bps.overhead_ratio"), row.cell("packets.sent"),
                TextTable.Cell(Format.share(flow.share(lost)), lost > 0 ? .yellow : .dim), row.cell("packets.late"),
                row.cell("packets.reordered"),
            ]
        }
    }

    var delays: [String] {
        guard let flow = flows.first else { return [] }
        return (flows.count == 1 ? delays(of: SummaryRow(flow, of: Catalog.flows)) : delayRows) + clockPart
    }

    /// What the clocks have made of the measured delay, of the flow where they have made most of it. Nothing else has a
    /// part in its error: both are taken at the instants of hand-off and arrival.
    private var clockPart: [String] {
        let wrong = flows.max { abs($0.oneWayDelayError?.mean ?? 0) < abs($1.oneWayDelayError?.mean ?? 0) }
        guard let flow = wrong, let error = flow.oneWayDelayError?.mean, error != 0,
            let delay = flow.quality.oneWayDelay?.mean
        else { return [] }
        let amount = "\(Format.time(abs(error))) too \(error > 0 ? "much" : "little")"
        let share = delay > 0 ? " (\(Format.share(Double(abs(error)) / Double(delay))) of the true delay)" : ""
        return [
            styled("  \(flow.receiver) measures \(amount) in the mean\(share), all of it by the clocks:", .dim),
            styled("  its own error less the sender's, at each datagram", .dim),
        ]
    }

    /// One receiver: a row for each quantity.
    private func delays(of flow: SummaryRow<FlowMeasurements>) -> [String] {
        var table = TextTable(header: ["", "min", "mean", "median", "p95", "p99", "max"])
        let rows = [
            ("one-way delay, true", "one_way_delay_ns"), ("  measured", "one_way_delay_measured_ns"),
            ("  error", "one_way_delay_error_ns"), ("round trip", "round_trip_ns"), ("variation, PDV", "pdv_ns"),
            ("variation, IPDV", "ipdv_ns"),
        ]
        for (name, path) in rows {
            table.add(
                [TextTable.Cell(name)] + ["min", "mean", "p50", "p95", "p99", "max"].map { flow.cell("\(path).\($0)") })
        }
        table.add([
            "jitter, RFC 3550", "", flow.cell("interarrival_jitter_ns.mean"), "", "", "",
            flow.cell("interarrival_jitter_ns.max"),
        ])
        return [heading("Delay and jitter")] + table.lines(styled)
    }

    /// Several receivers: a row for each.
    private var delayRows: [String] {
        section(
            "One-way delay, its variation and jitter", Catalog.flows, flows,
            TextTable(
                header: ["receiver", "median", "p99", "max", "measured", "error", "PDV p99", "jitter", "round trip"])
        ) { row in
            [TextTable.Cell(row.element.title)]
                + row.cells(
                    "one_way_delay_ns.p50", "one_way_delay_ns.p99", "one_way_delay_ns.max",
                    "one_way_delay_measured_ns.p50", "one_way_delay_error_ns.p50", "pdv_ns.p99",
                    "interarrival_jitter_ns.mean", "round_trip_ns.p50")
        }
    }

    var fates: [String] {
        guard !flows.isEmpty else { return [] }
        return flows.count <= 3 ? fateColumns : fateRows
    }

    private var sumsNote: String {
        let wrong = flows.filter { $0.unaccounted != 0 || $0.used < 0 }
        guard let first = wrong.first else { return styled("every packet met exactly one fate", .dim) }
        let count = Format.count(first.unaccounted)
        return styled("the sums do not agree: \(count) packets of \(first.title) unaccounted for", .red)
    }

    /// Up to three flows: a row for each fate.
    private var fateColumns: [String] {
        var table = TextTable(header: [""] + flows.flatMap { [flows.count == 1 ? "packets" : $0.title, ""] })
        func add(_ name: String, isBad: Bool = false, share: Bool = true, _ value: (FlowMeasurements) -> Int64) {
            var row = [TextTable.Cell(name)]
            for flow in flows {
                let count = value(flow)
                row.append(isBad ? .bad(count) : TextTable.Cell(Format.count(count)))
                row.append(TextTable.Cell(share ? Format.share(flow.share(count)) : "", .dim))
            }
            table.add(row)
        }
        add("sent", share: false, \.sent)
        if flows.contains(where: { $0.duplicated > 0 }) {
            add("+ duplicated on the way", isBad: true, share: false, \.duplicated)
        }
        add("= delivered", \.delivered)
        add("    used", \.used)
        add("    late", isBad: true, \.late)
        add("    duplicates", isBad: true, \.duplicates)
        add("+ lost on a link", isBad: true, \.lostLink)
        if flows.contains(where: { $0.lostNode > 0 }) { add("+ lost by a node's fault", isBad: true, \.lostNode) }
        add("+ dropped by a queue", isBad: true, \.droppedQueue)
        add("+ dropped, bad checksum", isBad: true, \.droppedChecksum)
        return [heading("Where each packet went") + "  " + sumsNote] + table.lines(styled)
    }

    /// Many flows: a row for each flow.
    private var fateRows: [String] {
        let hasFaults = flows.contains { $0.lostNode > 0 }
        var lines = section(
            "Where each packet went", Catalog.flows, flows,
            TextTable(
                header: ["receiver", "sent", "+ dup.", "= used", "+ late", "+ dup.", "+ lost", "+ queue", "+ checksum"]
                    + (hasFaults ? ["+ faults"] : []))
        ) { row in
            [TextTable.Cell(row.element.title)] + row.cells("packets.sent", "packets.duplicated")
                + [TextTable.Cell(Format.count(row.element.used))]
                + row.cells(
                    "packets.late", "packets.duplicates", "packets.lost_link", "packets.dropped_queue",
                    "packets.dropped_checksum")
                + (hasFaults ? [row.cell("packets.lost_node")] : [])
        }
        lines[0] += "  " + sumsNote
        return lines
    }

    var lossRuns: [String] {
        let lossy = flows.filter { !$0.lossRuns.isEmpty }
        guard !lossy.isEmpty else { return [] }
        var table = TextTable(alignments: [.left, .left])
        for flow in lossy.prefix(Summary.rowLimit) {
            table.add([TextTable.Cell(flow.title), TextTable.Cell(runsText(flow.lossRuns))])
            // An interleaver breaks the runs of the network up.
            guard !flow.lossRuns.elementsEqual(flow.quality.lossRuns, by: ==) else { continue }
            table.add([TextTable.Cell("  on the wire"), TextTable.Cell(runsText(flow.quality.lossRuns))])
        }
        return [heading("Loss runs (how many of which length)")] + table.lines(styled) + more(lossy.count)
    }

    private func runsText(_ runs: [(length: Int64, count: Int64)]) -> String {
        let short = runs.filter { $0.length < 10 }
        let long = runs.reduce(Int64(0)) { $1.length < 10 ? $0 : $0 + $1.count }
        var parts = short.map { "\(Format.count($0.count)) of \($0.length)" }
        if long > 0 { parts.append("\(Format.count(long)) of 10+") }
        return parts.joined(separator: ", ") + "; longest \(Format.count(runs.map(\.length).max() ?? 0))"
    }
}
