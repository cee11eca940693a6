import Results
import Timebase

/// What `rubato lab network` found.
public struct LabReport: Sendable {
    static let schema = "rubato.lab-network/1"

    var name: String
    var seed: UInt64
    var packets: Int
    /// Of the packets, IP bytes.
    var length: Int
    /// One for each thing that was judged, in the order of links and stages.
    public var checks: [LabCheck]
    /// What could not be judged, and why.
    var notes: [LabNote]

    /// Whether every check passed.
    public var passed: Bool { checks.allSatisfy(\.passed) }

    /// The report as `rubato.lab-network/1`.
    public var document: JSONValue {
        let failed = checks.count { !$0.passed }
        return [
            "schema": .string(LabReport.schema),
            "tool": ["name": .string(Tool.name), "version": .string(Tool.version)],
            "scenario": .string(name), "seed": Int64(exactly: seed).map { .integer($0) } ?? .string(seed.description),
            "packets": .integer(Int64(packets)),
            "packet_bytes": .integer(Int64(length)), "confidence": .number(0.999),
            "passed": .bool(passed), "checks_passed": .integer(Int64(checks.count - failed)),
            "checks_failed": .integer(Int64(failed)),
            "checks": .array(checks.map(\.document)),
            "notes": .array(notes.map { ["place": .string($0.place), "text": .string($0.text)] }),
        ]
    }

    // MARK: For a person

    /// The report as tables for a terminal; `isColoured`: with escape sequences.
    public func text(isColoured: Bool) -> String {
        let styled = StyledText(isColoured: isColoured)
        var lines = [
            styled(name, .bold)
                + "  seed \(seed), \(Format.count(Int64(packets))) packets of \(length) bytes for every stage"
        ]
        var links: [String] = []
        for check in checks where !links.contains(check.link) { links.append(check.link) }
        var table = TextTable(
            header: ["", "", "", "asked", "measured", "bound"],
            alignments: [.left, .left, .left, .right, .right, .left])
        for link in links {
            table.add([TextTable.Cell(""), TextTable.Cell(link, .bold)])
            var latest = ""
            for check in checks where check.link == link {
                let stage = check.stageText
                table.add(check.cells(stage: stage == latest ? "" : stage))
                latest = stage
            }
        }
        lines += [""] + table.lines(styled) + [""]
        lines += noteLines.map { styled("  " + $0, .yellow) } + (notes.isEmpty ? [] : [""])
        return (lines + [summary(styled)]).joined(separator: "\n") + "\n"
    }

    /// What is the same for several stages said once.
    private var noteLines: [String] {
        var texts: [String] = []
        for note in notes where !texts.contains(note.text) { texts.append(note.text) }
        return texts.map { text in
            notes.filter { $0.text == text }.map(\.place).joined(separator: ", ") + ": " + text
        }
    }

    private func summary(_ styled: StyledText) -> String {
        let good = checks.count(where: \.passed)
        func number(_ basis: LabCheck.Basis) -> Int { checks.count { $0.basis == basis } }
        let kinds = [
            "\(number(.exact)) exact", "\(number(.chance)) at 99.9 %",
            number(.settling) > 0 ? "\(number(.settling)) of control loops" : nil,
        ]
        let verdict = "\(good) of \(checks.count) within their bounds"
        return styled(verdict, passed ? .green : .red) + ": " + kinds.compactMap { $0 }.joined(separator: ", ")
    }
}

extension LabCheck {
    var document: JSONValue {
        [
            "link": .string(link), "since_ns": JSONValue(since?.nanoseconds), "stage": .string(stage),
            "what": .string(what), "unit": JSONValue(unit.name), "asked": value(asked), "measured": value(measured),
            "measured_first": measuredFirst.map { value($0) } ?? nil,
            "low": value(low, .up), "high": value(high, .down), "basis": .string(basis.rawValue),
            "passed": .bool(passed),
        ]
    }

    /// Times, rates and counts are whole; what bounds them is rounded inward.
    private func value(_ value: Double, _ rule: FloatingPointRoundingRule = .toNearestOrAwayFromZero) -> JSONValue {
        switch unit {
        case .ratio, .plain: .number(value)
        default: JSONValue(Int64(exactly: value.rounded(rule)))
        }
    }

    /// The check in one line: where, what, asked, measured and within which bounds.
    package var sentence: String { "\(link) \(stageText), \(what): asked \(text(asked)), measured \(text(measured))" }

    var stageText: String { stage + (since.map { " from \(Format.time($0.nanoseconds))" } ?? "") }

    func cells(stage: String) -> [TextTable.Cell] {
        [
            passed ? TextTable.Cell("✓", .green) : TextTable.Cell("✗", .red), TextTable.Cell("  " + stage),
            TextTable.Cell(what), TextTable.Cell(text(asked)), TextTable.Cell(text(measured), passed ? nil : .red),
            TextTable.Cell(boundText + (measuredFirst.map { ", at first \(text($0))" } ?? ""), .dim),
        ]
    }

    /// A nanosecond's rounding apart.
    private var isExact: Bool { basis == .exact && asked - low <= 1e-6 * asked && high - asked <= 1e-6 * asked }

    private var boundText: String {
        if isExact { return "exact" }
        let (down, up) = (asked - low, high - asked)
        if low == 0 { return "up to \(text(high))" }
        if abs(down - up) <= 0.02 * max(down, up) { return "± \(text(max(down, up), isDifference: true))" }
        return "- \(text(down, isDifference: true)) + \(text(up, isDifference: true))"
    }

    /// With as many digits as the bound is wide; a difference in the unit of what it is of.
    private func text(_ value: Double, isDifference: Bool = false) -> String {
        let units: [(factor: Double, name: String)]
        switch unit {
        case .nanoseconds: units = [(1, " ns"), (1e3, " µs"), (1e6, " ms"), (1e9, " s")]
        case .bitsPerSecond: units = [(1, " bit/s"), (1e3, " kbit/s"), (1e6, " Mbit/s"), (1e9, " Gbit/s")]
        case .ratio: units = [(0.01, " %")]
        default: units = [(1, "")]
        }
        let size = max(abs(asked), isDifference ? 0 : min(abs(value), 100 * abs(asked)), high)
        let chosen = units.last { size >= $0.factor } ?? units[0]
        let width = max(high - low, 1e-9 * size) / 2 / chosen.factor
        var (places, digit) = (0, 1.0)
        let most = unit == .count || chosen.factor == 1 && unit != .plain ? 0 : 6
        while places < most, width < 10 * digit {
            places += 1
            digit /= 10
        }
        if isExact { places = min(places, 3) }
        return Format.decimal(value / chosen.factor, places: places) + chosen.name
    }
}
