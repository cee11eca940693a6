import Metrics
import Timebase

extension Summary {
    var commands: [String] {
        guard let commands = measurements.commands else { return [] }
        var table = TextTable(alignments: [.left, .left])
        func add(_ name: String, _ text: String) { table.add([TextTable.Cell(name), TextTable.Cell(text)]) }
        add(
            "order",
            commands.isOneOrder ? "the same at all receivers" : styled("not the same at all receivers", .yellow))
        if let spread = commands.applicationSpread {
            add(
                "done within",
                "\(Format.time(spread.quantile(0.5))) of the first receiver (median), \(Format.time(spread.maximum)) at most"
            )
        }
        if let spread = commands.positionSpread {
            add(
                "apart",
                "\(Format.time(spread.quantile(0.5))) (median), \(Format.time(spread.maximum)) at most, "
                    + "\(Format.time(commands.finalPositionSpreadNanoseconds)) in the end")
        }
        let title = "Playback commands (\(commands.order))  \(Format.count(commands.sent)) sent"
        return [heading(title)] + table.lines(styled)
    }

    var destinations: [String] {
        guard let destinations = measurements.destinations, let spread = destinations.positionSpread else { return [] }
        var table = TextTable(alignments: [.left, .left])
        table.add([
            TextTable.Cell("apart"),
            TextTable.Cell(
                "\(Format.time(spread.quantile(0.5))) (median), \(Format.time(spread.maximum)) at most, "
                    + "\(Format.time(destinations.finalPositionSpreadNanoseconds)) in the end"),
        ])
        return [heading("Receivers that play together (RFC 7272)")] + table.lines(styled)
    }

    var agreement: [String] {
        guard let agreement = measurements.agreement else { return [] }
        let verdict =
            switch (agreement.isAgreed, agreement.isValid) {
            case (true, true): styled("the loyal decided what the commander said", .green)
            case (true, nil): styled("the loyal decided the same; the commander is none of them", .green)
            case (true, _): styled("the loyal decided the same, but not what the commander said", .yellow)
            default: styled("the loyal did not decide the same", .red)
            }
        return section(
            "Agreement", Catalog.decisions, agreement.decisions, TextTable(header: ["node", "decided", ""])
        ) { row in
            row.cells("node", "value") + [TextTable.Cell(row.element.isLoyal ? "" : "faulty", .dim)]
        } + ["  \(verdict), in \(Format.count(agreement.messages)) messages"]
    }
}
