import Scenario
import Results

/// `rubato presets` from its arguments to its exit status.
public struct PresetsSession {
    /// Whether the result is one JSON document on standard output.
    public var json = false
    let console: Console

    public init(console: Console) { self.console = console }

    /// - Throws: ``SystemError``.
    public func list() throws -> Int32 {
        if json {
            let entries = Preset.all.map {
                ["name": .string($0.name), "summary": .string($0.summary), "source": .string($0.source)] as JSONValue
            }
            let document: JSONValue = ["schema": "rubato.presets/1", "presets": .array(entries)]
            console.result(document.document())
        } else {
            var table = TextTable(alignments: [.left, .left])
            table.indentation = 0
            for preset in Preset.all {
                table.add([TextTable.Cell(preset.name, .bold), TextTable.Cell(preset.summary)])
                table.add([TextTable.Cell(""), TextTable.Cell(preset.source)])
            }
            console.result(table.lines(StyledText(isColoured: console.isColoured)).map { $0 + "\n" }.joined())
        }
        if let failure = console.failure { throw failure }
        return ExitStatus.success
    }

    /// - Throws: ``UserFacingError``, ``SystemError``.
    public func show(_ name: String) throws -> Int32 {
        guard let preset = Preset.named(name) else {
            let names = Preset.all.map(\.name)
            throw UserFacingError.usage(
                "there is no preset '\(name)'",
                remedy: Suggestions.question(Suggestions.nearest(to: name, among: names))
                    ?? "known: \(names.joined(separator: ", "))")
        }
        console.result(json ? try ScenarioText.json(preset.yaml).text : preset.yaml)
        if let failure = console.failure { throw failure }
        return ExitStatus.success
    }
}
