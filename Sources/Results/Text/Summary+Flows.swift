import Metrics
import Timebase

extension FlowMeasurements {
    /// Datagrams that met no fate, or more than one: zero, or the run is not to be believed.
    var unaccounted: Int64 { sent + duplicated - delivered - lostLink - droppedQueue - droppedChecksum }
    var used: Int64 { delivered - late - duplicates }

    func share(_ count: Int64) -> Double? {
        sent + duplicated > 0 ? Double(count) / Double(sent + duplicated) : nil
    }
}

extension Summary {
    private var flows: [FlowMeasurements] { measurements.flows }

    var rates: [String] {
        section(
            "Bit rate and loss", flows,
            header: ["receiver", "carriage", "sent", "delivered", "overhead", "packets", "loss", "late", "reordered"],
            alignments: [.left, .left]
        ) { flow in
            let lost = flow.sent + flow.duplicated - flow.delivered
            return [
                TextTable.Cell(flow.receiver), TextTable.Cell(flow.carriage, .dim),
                cell(Format.rate(flow.sentBitsPerSecond)), cell(Format.rate(flow.quality.bitsPerSecond)),
                cell(Format.share(flow.overheadRatio)), cell(Format.count(flow.sent)),
                TextTable.Cell(Format.share(flow.share(lost)), lost > 0 ? .yellow : .dim), badCount(flow.late),
                badCount(flow.quality.reordered),
            ]
        }
    }

    var delays: [String] {
        guard let flow = flows.first else { return [] }
        return flows.count == 1 ? delays(of: flow) : delayRows
    }

    /// One receiver: a row for each quantity.
    private func delays(of flow: FlowMeasurements) -> [String] {
        var table = TextTable(header: ["", "min", "mean", "median", "p95", "p99", "max"])
        func add(_ name: String, _ distribution: Distribution?, signed: Bool = false) {
            let summary = distribution?.summary
            let values = [
                summary?.minimum, summary?.mean, summary?.p50, summary?.p95, summary?.p99, summary?.maximum,
            ]
            table.add([TextTable.Cell(name)] + values.map { time($0, signed: signed) })
        }
        add("one-way delay, true", flow.quality.oneWayDelay)
        add("  measured", flow.oneWayDelayMeasured)
        add("  error", flow.oneWayDelayError, signed: true)
        add("round trip", flow.roundTrip)
        add("variation, PDV", flow.quality.pdv)
        add("variation, IPDV", flow.quality.ipdv, signed: true)
        let jitter = flow.quality.interarrivalJitter
        table.add([
            "jitter, RFC 3550", "", time(jitter?.mean), "", "", "", time(jitter?.maximum),
        ])
        return [heading("Delay and jitter")] + table.lines(styled)
    }

    /// Several receivers: a row for each.
    private var delayRows: [String] {
        section(
            "One-way delay, its variation and jitter", flows,
            header: ["receiver", "median", "p99", "max", "measured", "error", "PDV p99", "jitter", "round trip"]
        ) { flow in
            [
                TextTable.Cell(flow.receiver), time(flow.quality.oneWayDelay?.quantile(0.5)),
                time(flow.quality.oneWayDelay?.quantile(0.99)),
                time(flow.quality.oneWayDelay?.maximum), time(flow.oneWayDelayMeasured?.quantile(0.5)),
                time(flow.oneWayDelayError?.quantile(0.5), signed: true), time(flow.quality.pdv?.quantile(0.99)),
                time(flow.quality.interarrivalJitter?.mean), time(flow.roundTrip?.quantile(0.5)),
            ]
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
        return styled("the sums do not agree: \(count) packets of \(first.receiver) unaccounted for", .red)
    }

    /// Up to three flows: a row for each fate.
    private var fateColumns: [String] {
        var table = TextTable(header: [""] + flows.flatMap { [flows.count == 1 ? "packets" : $0.receiver, ""] })
        func add(_ name: String, isBad: Bool = false, share: Bool = true, _ value: (FlowMeasurements) -> Int64) {
            var row = [TextTable.Cell(name)]
            for flow in flows {
                let count = value(flow)
                row.append(isBad ? badCount(count) : cell(Format.count(count)))
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
        add("+ dropped by a queue", isBad: true, \.droppedQueue)
        add("+ dropped, bad checksum", isBad: true, \.droppedChecksum)
        return [heading("Where each packet went") + "  " + sumsNote] + table.lines(styled)
    }

    /// Many flows: a row for each flow.
    private var fateRows: [String] {
        var lines = section(
            "Where each packet went", flows,
            header: ["receiver", "sent", "+ dup.", "= used", "+ late", "+ dup.", "+ lost", "+ queue", "+ checksum"]
        ) { flow in
            [
                TextTable.Cell(flow.receiver), cell(Format.count(flow.sent)), badCount(flow.duplicated),
                cell(Format.count(flow.used)), badCount(flow.late), badCount(flow.duplicates), badCount(flow.lostLink),
                badCount(flow.droppedQueue), badCount(flow.droppedChecksum),
            ]
        }
        lines[0] += "  " + sumsNote
        return lines
    }

    var lossRuns: [String] {
        let lossy = flows.filter { !$0.lossRuns.isEmpty }
        guard !lossy.isEmpty else { return [] }
        var table = TextTable(alignments: [.left, .left])
        for flow in lossy.prefix(Summary.rowLimit) {
            table.add([TextTable.Cell(flow.receiver), TextTable.Cell(runsText(flow.lossRuns))])
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

    var links: [String] {
        // What happens on few links has a column only where it does.
        let rare: [(String, (LinkMeasurements) -> Int64)] = [
            ("policed", \.policedDrops), ("down", \.downDrops), ("copies", \.duplicated), ("marked", \.marked),
        ].filter { column in measurements.links.contains { column.1($0) > 0 } }
        return section(
            "Links", measurements.links,
            header: ["", "rate", "used", "packets in", "out", "lost", "dropped"] + rare.map(\.0)
                + ["wait p50", "p99", "max"]
        ) { link in
            let limit = link.rateBitsPerSecond
            let first = [
                TextTable.Cell(link.id), limit == nil ? TextTable.Cell("unlimited", .dim) : cell(Format.rate(limit)),
                cell(Format.share(link.utilization)), cell(Format.count(link.packetsIn)),
                cell(Format.count(link.packetsOut)), badCount(link.lossDrops),
                badCount(link.queueFullDrops + link.aqmDrops),
            ]
            return first + rare.map { badCount($0.1(link)) }
                + [
                    time(link.queueDelay?.quantile(0.5)), time(link.queueDelay?.quantile(0.99)),
                    time(link.queueDelay?.maximum),
                ]
        }
    }

    var reservations: [String] {
        section(
            "Reservations", measurements.reservations,
            header: ["session", "receiver", "rate", "burst", "", "worst delay", "bound", "burst needed"],
            alignments: [.left, .left, .right, .right, .left]
        ) { row in
            let verdict =
                row.isAdmitted
                ? TextTable.Cell("admitted", .green)
                : TextTable.Cell("refused by \(row.refusedLink ?? "a link"): \(row.refusedReason ?? "")", .red)
            let isKept = (row.worstDelayNanoseconds ?? 0) <= (row.boundNanoseconds ?? .max)
            return [
                TextTable.Cell(row.flow), TextTable.Cell(row.receiver), cell(Format.rate(row.bitsPerSecond)),
                cell(Format.count(row.burst) + " B"), verdict,
                isKept ? time(row.worstDelayNanoseconds) : TextTable.Cell(Format.time(row.worstDelayNanoseconds), .red),
                time(row.boundNanoseconds), cell(row.neededBurst.map { Format.count($0) + " B" } ?? Format.notMeasured),
            ]
        }
    }

    var clocks: [String] {
        section(
            "Clocks", measurements.clocks,
            header: ["node", "algorithm", "offset mean", "min", "max", "frequency", "estimated"],
            alignments: [.left, .left]
        ) { clock in
            [
                TextTable.Cell(clock.node), TextTable.Cell(clock.algorithm, .dim),
                time(clock.offsetError?.mean, signed: true), time(clock.offsetError?.minimum, signed: true),
                time(clock.offsetError?.maximum, signed: true),
                cell(Format.frequency(clock.trueFrequencyPartsPerBillion)),
                cell(Format.frequency(clock.estimatedFrequencyPartsPerBillion)),
            ]
        }
    }
}
