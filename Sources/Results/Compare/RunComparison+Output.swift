extension RunComparison {
    /// Schema `rubato.comparison/1`.
    public var document: JSONValue {
        [
            "schema": .string(RunComparison.schema),
            "tool": ["name": .string(Tool.name), "version": .string(Tool.version)],
            "runs": .array(
                runs.map { run in
                    [
                        "path": .string(run.path), "id": run.fact("id"), "name": run.fact("name"),
                        "seed": run.fact("seed"), "status": run.fact("status"), "digest": run.fact("digest"),
                    ]
                }),
            "scenario_differences": .array(
                scenarioDifferences.map { difference in
                    [
                        "path": .string(difference.path),
                        "values": .array(difference.values.map { JSONValue($0) }),
                    ]
                }),
            "metrics": .array(rows.map(document)),
            "allowance_ratio": JSONValue(allowance),
            "regressions": .array(regressions.map { .string($0.label) }),
            "passed": JSONValue(passed),
        ]
    }

    private func document(_ row: Row) -> JSONValue {
        [
            "metric": .string(row.label),
            "unit": JSONValue(row.kind.unit.name),
            "worse": row.kind.worse == .unknown ? nil : .string(row.kind.worse.rawValue),
            "values": .array(row.values),
            "change": .array(row.values.indices.map { $0 == 0 ? nil : row.change($0) }),
            "change_ratio": .array(row.values.indices.map { $0 == 0 ? nil : JSONValue(row.relativeChange($0)) }),
            "verdict": JSONValue(row.verdict?.rawValue),
        ]
    }

    /// For a person at a terminal.
    public func text(isColoured: Bool) -> String {
        let styled = StyledText(isColoured: isColoured)
        let sections = [runLines(styled), scenarioLines(styled), metricLines(styled), verdictLines(styled)]
        return sections.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }.joined(separator: "\n\n") + "\n"
    }

    /// "A", "B", ... and "27" for those who compare more.
    private func letter(_ index: Int) -> String {
        guard index < 26, let scalar = Unicode.Scalar(UInt32(65 + index)) else { return "\(index + 1)" }
        return String(Character(scalar))
    }

    private func runLines(_ styled: StyledText) -> [String] {
        var table = TextTable(alignments: [.left, .left, .left, .left])
        for (index, run) in runs.enumerated() {
            let seed = run.fact("seed").integer.map { $0.description } ?? run.fact("seed").string ?? Format.notMeasured
            let interrupted = run.fact("status").string == RunStatus.interrupted.rawValue
            table.add([
                TextTable.Cell(letter(index), .bold), TextTable.Cell(run.path),
                TextTable.Cell(run.fact("name").string ?? ""), TextTable.Cell("seed \(seed)"),
                interrupted ? TextTable.Cell("interrupted", .yellow) : "",
            ])
        }
        return [styled("Runs", .bold)] + table.lines(styled)
    }

    private func scenarioLines(_ styled: StyledText) -> [String] {
        let heading = styled("Scenario: what differs", .bold)
        if runs.contains(where: { $0.scenario.isNull }) {
            return [heading, styled("  unknown: a run has no resolved.yaml", .yellow)]
        }
        guard !scenarioDifferences.isEmpty else {
            let same = Set(runs.map { $0.fact("digest").string }).count == 1
            return [heading, styled("  nothing" + (same ? ", and the runs have the same digest" : ""), .dim)]
        }
        var table = TextTable(
            header: [""] + runs.indices.map(letter), alignments: Array(repeating: .left, count: runs.count + 1))
        for difference in scenarioDifferences.prefix(40) {
            table.add([TextTable.Cell(difference.path)] + difference.values.map { TextTable.Cell($0 ?? "-") })
        }
        let rest = scenarioDifferences.count - 40
        return [heading] + table.lines(styled)
            + (rest > 0 ? [styled("  … and \(rest) more (--json has all)", .dim)] : [])
    }

    private func metricLines(_ styled: StyledText) -> [String] {
        // What no run has measured, and what happened in none, says nothing to a reader who did not ask for it.
        let shown = rows.filter { row in
            !isDefaultSelection || row.values.contains { !$0.isNull && $0.double != 0 }
        }
        guard !shown.isEmpty else { return [styled("Metrics", .bold), styled("  none was measured", .dim)] }
        var header = ["", letter(0)]
        for index in runs.indices.dropFirst() { header += [letter(index), "change", ""] }
        var table = TextTable(header: header)
        for row in shown {
            var cells = [TextTable.Cell(row.label), value(row.values[0], row.kind.unit)]
            for index in row.values.indices.dropFirst() {
                let style = style(of: row, index)
                cells += [
                    value(row.values[index], row.kind.unit),
                    TextTable.Cell(change(row, index), style),
                    TextTable.Cell(relative(row, index), style),
                ]
            }
            table.add(cells)
        }
        var lines = [styled("Metrics", .bold)] + table.lines(styled)
        if isDefaultSelection {
            lines.append(styled("  left out: what is 0 or n/a in all; any number in run.json: --on METRIC,...", .dim))
        }
        return lines
    }

    private func value(_ value: JSONValue, _ unit: MetricUnit) -> TextTable.Cell {
        TextTable.Cell(Format.value(value, unit), value.isNull ? .dim : nil)
    }

    private func change(_ row: Row, _ index: Int) -> String {
        let change = row.change(index)
        guard let size = change.double else { return "" }
        if size == 0 { return "=" }
        if row.kind.unit == .ratio { return (size > 0 ? "+" : "") + Format.decimal(size * 100, places: 3) + " points" }
        return (size > 0 ? "+" : "") + Format.value(change, row.kind.unit)
    }

    private func relative(_ row: Row, _ index: Int) -> String {
        guard let ratio = row.relativeChange(index), ratio != 0 else { return "" }
        let size = abs(ratio)
        return (ratio > 0 ? "+" : "") + Format.decimal(ratio * 100, places: size < 0.1 ? 2 : size < 1 ? 1 : 0) + " %"
    }

    private func style(of row: Row, _ index: Int) -> TextStyle? {
        guard let size = row.change(index).double, size != 0 else { return .dim }
        switch row.kind.worse {
        case .unknown: return nil
        case .up: return size > 0 ? .red : .green
        case .down: return size < 0 ? .red : .green
        case .awayFromZero:
            guard let base = row.values[0].double, let value = row.values[index].double else { return nil }
            return abs(value) > abs(base) ? .red : .green
        }
    }

    private func verdictLines(_ styled: StyledText) -> [String] {
        guard let allowance, let passed else { return [] }
        let limit = Format.share(allowance)
        var lines: [String] = []
        let notJudged = rows.filter { $0.verdict == .notJudged && !$0.values[0].isNull }
        if passed {
            let judged = rows.count { $0.verdict == .good }
            lines.append(styled("✓ none of \(judged) metrics got worse by more than \(limit)", .green))
        } else if regressions.isEmpty {
            lines.append(styled("✗ nothing could be judged: choose metrics with a worse direction with --on", .red))
        } else {
            lines.append(styled("✗ \(regressions.count) got worse by more than \(limit):", .red))
            lines += regressions.map { "  " + $0.label }
        }
        if !notJudged.isEmpty {
            let names = notJudged.prefix(5).map(\.label).joined(separator: ", ") + (notJudged.count > 5 ? ", …" : "")
            lines.append(styled("not judged, as neither direction is worse by itself: \(names)", .dim))
        }
        return lines
    }
}
