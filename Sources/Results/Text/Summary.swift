import Metrics
import Scenario
import Timebase

/// What a run measured, for a person at a terminal.
public struct Summary {
    /// Rows that a table has at most; what is left out is counted.
    static let rowLimit = 10

    let record: RunRecord
    let styled: StyledText
    /// Where the run was saved; nil when it was not.
    let path: String?

    /// For a record that was saved at `path`, if it was; `isColoured`: with escape sequences.
    public init(of record: RunRecord, path: String?, isColoured: Bool) {
        self.record = record
        self.path = path
        styled = StyledText(isColoured: isColoured)
    }

    var measurements: RunMeasurements { record.measurements }

    /// The whole text, with a newline at the end.
    public var text: String {
        let sections = [
            title, rates, delays, fates, lossRuns, presentation, calls, lipSync, links, reservations, clocks, commands,
            destinations,
            agreement, transportStreams, contract, warnings, footer,
        ]
        return sections.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }.joined(separator: "\n\n") + "\n"
    }

    func heading(_ text: String) -> String { styled(text, .bold) }

    /// A heading and at most ``rowLimit`` rows.
    ///
    /// - Parameter columns: the table without rows.
    func section<Element>(
        _ title: String, _ list: CatalogList<Element>, _ elements: [Element], _ columns: TextTable,
        row: (SummaryRow<Element>) -> [TextTable.Cell]
    ) -> [String] {
        guard !elements.isEmpty else { return [] }
        var table = columns
        for element in elements.prefix(Summary.rowLimit) { table.add(row(SummaryRow(element, of: list))) }
        return [heading(title)] + table.lines(styled) + more(elements.count)
    }

    func more(_ count: Int) -> [String] {
        guard count > Summary.rowLimit else { return [] }
        return [styled("  … and \(Format.count(Int64(count - Summary.rowLimit))) more (all of them in run.json)", .dim)]
    }

    private var title: [String] {
        let identity = record.identity
        var text = styled(identity.name, .bold) + "  "
        text += "\(length) in \(identity.mode) time, seed \(identity.seed)"
        guard record.status == .interrupted else { return [text] }
        return [text, styled("interrupted after \(Format.time(measurements.ended.nanoseconds))", .yellow)]
    }

    /// "60.0 s"; "30.5 of 60.0 s" where the program ended before the time that was asked for.
    private var length: String {
        let asked = Format.time(record.identity.duration.nanoseconds)
        let passed = Format.time(measurements.ended.nanoseconds)
        guard measurements.ended - .zero < record.identity.duration, passed != asked else { return asked }
        let unit = asked.drop { $0 != " " }
        return (passed.hasSuffix(unit) ? String(passed.dropLast(unit.count)) : passed) + " of " + asked
    }

    private var contract: [String] {
        guard !record.checks.isEmpty else { return [] }
        var table = TextTable(alignments: [.left, .left, .left, .right, .left, .left])
        for result in record.checks {
            let check = result.check
            let unit = check.metric.kind.unit
            let limit = "\(check.comparison.rawValue) \(Format.exact(check.limit, unit))"
            let source = check.term == nil ? "" : check.metric.meaning
            table.add([
                result.passed ? TextTable.Cell("✓", .green) : TextTable.Cell("✗", .red),
                TextTable.Cell(check.term ?? check.metric.text), TextTable.Cell(limit),
                TextTable.Cell(result.valueText, result.passed ? nil : .red),
                // What is measured once a run needs no count.
                TextTable.Cell(result.count <= 1 ? "" : "of \(Format.count(result.count))", .dim),
                TextTable.Cell(result.note ?? source, .dim),
            ])
        }
        let failed = record.checks.count { !$0.passed }
        let verdict =
            failed == 0
            ? styled("kept", .green) : styled("\(failed) of \(record.checks.count) not kept", .red)
        return [heading("QoS contract and checks") + "  " + verdict] + table.lines(styled)
    }

    private var warnings: [String] {
        let texts = measurements.warnings.map(\.text)
        guard !texts.isEmpty else { return [] }
        return [heading("Warnings")] + texts.prefix(Summary.rowLimit).map { "  " + styled($0, .yellow) }
            + more(texts.count)
    }

    private var footer: [String] {
        let packets = measurements.flows.reduce(Int64(0)) { $0 + $1.sent + $1.duplicated }
        var table = TextTable(alignments: [.left, .left])
        table.indentation = 0
        table.add([TextTable.Cell("digest", .dim), TextTable.Cell(measurements.digest.hexadecimal)])
        if let path { table.add([TextTable.Cell("run directory", .dim), TextTable.Cell(path)]) }
        if let factor = record.speedFactor {
            let rate = Double(packets) * 1e9 / Double(record.wallNanoseconds)
            let text =
                "\(Format.speed(factor)) real time: \(Format.time(measurements.ended.nanoseconds)) in "
                + "\(Format.time(record.wallNanoseconds)), \(Format.plain(rate.rounded())) packets/s"
            table.add([TextTable.Cell("speed", .dim), TextTable.Cell(text)])
        }
        return table.lines(styled)
    }
}
