import Timebase

/// `rubato compare` from its arguments to its exit status.
public struct CompareSession {
    public var paths: [String]
    /// Metrics or groups; each may have several, separated by commas.
    public var on: [String] = []
    /// As written: "5" or "5%".
    public var failOnRegression: String?
    public var json = false
    public var quiet = false
    let console: Console

    public init(_ paths: [String], console: Console) {
        self.paths = paths
        self.console = console
    }

    /// - Throws: ``UserFacingError``, ``SystemError``.
    public func run() throws -> Int32 {
        let allowance = try failOnRegression.map { try CompareSession.allowance($0) }
        let names = on.flatMap { splitOutsideBrackets($0, at: ",") }.map { String(trimmed($0)) }.filter { !$0.isEmpty }
        let runs = try paths.map { try SavedRun(reading: $0) }
        let comparison = try RunComparison(of: runs, on: names, allowance: allowance)
        if json {
            console.result(comparison.document.document())
        } else if !quiet {
            console.result(comparison.text(isColoured: console.isColoured))
        }
        if json || quiet {
            for row in comparison.regressions { console.message("regression: \(row.label)") }
        }
        if let failure = console.failure { throw failure }
        return comparison.passed == false ? ExitStatus.checkFailed : ExitStatus.success
    }

    private static func allowance(_ text: String) throws(UserFacingError) -> Double {
        var number = trimmed(text)
        if number.last == "%" { number = trimmed(number.dropLast()) }
        guard let percent = Double(number), percent.isFinite, percent >= 0 else {
            throw .usage("'\(text)' is not a percentage", remedy: "write --fail-on-regression 5%")
        }
        return percent / 100
    }
}

/// `rubato verify` from its arguments to its exit status.
public struct VerifySession {
    public var path: String
    public var json = false
    public var quiet = false
    let console: Console
    let prepare: (RunRequest) throws -> PreparedRun

    public init(
        _ path: String, console: Console, prepare: @escaping (RunRequest) throws -> PreparedRun = Experiment.prepare
    ) {
        self.path = path
        self.console = console
        self.prepare = prepare
    }

    /// - Throws: ``UserFacingError``, ``SystemError``.
    public func run() throws -> Int32 {
        let saved = try SavedRun(reading: path)
        // An interrupted run is repeated with the sources stopped where they were.
        let wasInterrupted = saved.fact("status").string == RunStatus.interrupted.rawValue
        let stopTime = wasInterrupted ? saved.fact("duration_ns").integer.map { Instant(nanoseconds: $0) } : nil
        let scenario = saved.path + "/resolved.yaml"
        guard FileTree.kind(of: scenario) == .file else {
            throw UserFacingError("'\(path)' cannot be run again: it has no resolved.yaml")
        }
        let prepared = try prepare(RunRequest(scenario: scenario))
        let directory = try RunDirectory(parent: FileTree.parent(of: saved.path), provisionalName: "verify")
        defer { directory.discard() }
        let record = try RunSession.execute(
            prepared, in: directory, console: quiet ? nil : console, isRerun: true, stopTime: stopTime)
        if let signal = Interrupt.signalNumber { return 128 + signal }
        let verification = try Verification(
            saved: (saved.path, saved.document), rerun: (directory.workingPath, record.document))
        if json {
            console.result(verification.document.document())
        } else if !quiet {
            console.result(verification.text(isColoured: console.isColoured))
        }
        if quiet, !verification.isIdentical { console.message("'\(path)' did not come out the same again") }
        if let failure = console.failure { throw failure }
        return verification.isIdentical ? ExitStatus.success : ExitStatus.checkFailed
    }
}

/// `rubato presets` from its arguments to its exit status.
public struct PresetsSession {
    public var json = false
    let console: Console
    let presets: [PresetDescription]

    public init(console: Console, presets: [PresetDescription] = Experiment.presets()) {
        self.console = console
        self.presets = presets
    }

    /// - Throws: ``SystemError``.
    public func list() throws -> Int32 {
        if json {
            let entries = presets.map {
                ["name": .string($0.name), "summary": .string($0.summary), "source": .string($0.source)] as JSONValue
            }
            let document: JSONValue = ["schema": "rubato.presets/1", "presets": .array(entries)]
            console.result(document.document())
        } else {
            var table = TextTable(alignments: [.left, .left])
            table.indentation = 0
            for preset in presets {
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
        guard let preset = presets.first(where: { $0.name == name }) else {
            let names = presets.map(\.name)
            throw UserFacingError.usage(
                "there is no preset '\(name)'",
                remedy: Suggestions.question(Suggestions.nearest(to: name, among: names))
                    ?? "known: \(names.joined(separator: ", "))")
        }
        console.result(json ? try ScenarioText.json(preset.text).text : preset.text)
        if let failure = console.failure { throw failure }
        return ExitStatus.success
    }
}
