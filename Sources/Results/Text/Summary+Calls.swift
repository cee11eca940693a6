import Metrics

extension Summary {
    /// What the E-model makes of each call, and where its delay comes from.
    var calls: [String] {
        let calls = measurements.calls
        guard !calls.isEmpty else { return [] }
        var lines = section(
            "Calls (E-model, ITU-T G.107)", Catalog.calls, calls,
            TextTable(
                header: ["", "packets", "loss", "BurstR", "Ie,eff", "Idd", "R", "MOS", "Id simplified", "R", "MOS"],
                alignments: [.left])
        ) { row in
            [name(row.element)]
                + row.cells(
                    "units", "loss.ratio", "loss.burst_ratio", "ie_eff", "idd", "r", "mos", "simplified.id",
                    "simplified.r", "simplified.mos")
        }
        lines.append(
            styled(
                "  R = 93.2 - delay term - Ie,eff, all else at G.107's defaults, no echo; loss: lost, damaged and late; "
                    + impairments, .dim))
        return lines + [""]
            + section(
                "Delay budget, mouth to ear (means)", Catalog.calls, calls,
                TextTable(
                    header: [
                        "", "packetizing", "+ sending latency", "+ network", "+ playout buffer", "+ rest",
                        "= mouth to ear",
                    ], alignments: [.left])
            ) { row in
                [name(row.element)]
                    + row.cells(
                        "delay_ns.packetizing", "delay_ns.sending", "delay_ns.network", "delay_ns.buffer",
                        "delay_ns.rest", "delay_ns.mouth_to_ear")
            }
            + [
                styled(
                    "  playout delays count from the first packet: what the mean one took longer than that, it waits less",
                    .dim)
            ]
    }

    private func name(_ call: CallMeasurements) -> TextTable.Cell {
        let isSingle = Set(measurements.calls.map(\.receiver)).count <= 1
        return TextTable.Cell(isSingle ? call.id : "\(call.receiver) \(call.id)")
    }

    /// "g711 Ie 0, Bpl 25.1", of each codec once.
    private var impairments: String {
        var texts: [String] = []
        for call in measurements.calls {
            let text =
                call.impairment.map {
                    "\(call.codec): Ie \(Format.plain($0.factor)), Bpl \(Format.plain($0.lossRobustness))"
                } ?? "\(call.codec): no Ie and Bpl known (key impairment)"
            if !texts.contains(text) { texts.append(text) }
        }
        return texts.joined(separator: "; ")
    }
}
