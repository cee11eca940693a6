import Results
import Metrics
import Timebase

/// `rubato run` from its arguments to its exit status.
public struct RunSession {
    var request: RunRequest
    /// Where the run goes; nil makes a name below runs/.
    public var out: String?
    /// Whether a run directory that exists is replaced.
    public var force = false
    /// Expressions of `--check`.
    public var checks: [String] = []
    /// Where the checks go as JUnit's XML; nil: nowhere.
    public var junit: String?
    /// Whether the resolved scenario is printed in place of a run.
    public var printsResolved = false
    /// Whether the result is one JSON document on standard output.
    public var json = false
    /// Whether nothing but problems goes to standard error.
    public var quiet = false
    let console: Console
    let prepare: (RunRequest) throws -> PreparedRun

    /// What `rubato run` does with a request, before its options; tests give it another `prepare`.
    public init(
        _ request: RunRequest, console: Console,
        prepare: @escaping (RunRequest) throws -> PreparedRun = Experiment.prepare
    ) {
        self.request = request
        self.console = console
        self.prepare = prepare
    }

    /// - Returns: the exit status.
    /// - Throws: ``UserFacingError``, ``SystemError``.
    public func run() throws -> Int32 {
        // Before anything else: an expression with a mistake must not cost a scenario's load.
        let given = try RunSession.parse(checks)
        var request = request
        request.cuts = DistributionCuts(of: given)
        let prepared = try prepare(request)
        if printsResolved {
            console.result(try resolvedResult(prepared.identity.resolvedScenario))
            return ExitStatus.success
        }
        // A World that only lists its elements takes time to make: seldom does anybody ask for one of them.
        if given.contains(where: \.metric.selects) {
            let planned = prepared.planned().document
            try RunSession.collect(given) { check throws(UserFacingError) in try check.validate(in: planned) }
        }
        let directory = try makeDirectory(prepared.identity.name)
        var record: RunRecord
        do {
            record = try RunSession.execute(prepared, in: directory, console: quiet ? nil : console)
            record.checks += record.verdicts(on: given)
            try directory.write("run.json", record.document.text)
        } catch {
            directory.discard()
            throw error
        }
        let path = try directory.finish(as: out ?? defaultPath(record), mayNumber: out == nil)
        return try report(record, at: path)
    }

    /// Runs into the directory, which gets all files but run.json; the record has the artifacts, and of the checks the contract's.
    static func execute(
        _ prepared: PreparedRun, in directory: RunDirectory, console: Console?, isRerun: Bool = false,
        stopTime: Instant? = nil
    ) throws -> RunRecord {
        if !isRerun, let text = prepared.scenarioText { try directory.write("scenario.yaml", text) }
        try directory.write("resolved.yaml", prepared.identity.resolvedScenario)
        let monitor = RunMonitor(total: prepared.identity.duration, console: console, stopTime: stopTime)
        defer { monitor.finish() }
        let outcome = try prepared.execute(directory, monitor)
        var identity = prepared.identity
        if let stopped = outcome.stopped { identity.duration = stopped - .zero }
        var record = RunRecord(
            identity: identity, status: outcome.status, measurements: outcome.measurements,
            wallNanoseconds: max(monitor.elapsed, 1))
        record.artifacts = try directory.artifacts()
        record.judge(by: prepared.contract)
        return record
    }

    private func makeDirectory(_ name: String) throws -> RunDirectory {
        if let out { return try RunDirectory(path: out, force: force) }
        return try RunDirectory(parent: "runs", provisionalName: name)
    }

    private func defaultPath(_ record: RunRecord) -> String {
        "runs/\(utcStamp())-\(RunDirectory.fileName(record.identity.name))-\(record.id)"
    }

    private func resolvedResult(_ text: String) throws -> String {
        json ? try ScenarioText.json(text).text : text
    }

    private func report(_ record: RunRecord, at path: String) throws -> Int32 {
        if json {
            console.result(record.document.document())
        } else if !quiet {
            console.result(Summary(of: record, path: path, isColoured: console.isColoured).text)
        }
        if json || quiet { reportBriefly(record, at: path) }
        if let junit {
            let file = try OutputFile(path: junit)
            file.write(
                JUnit.document(
                    run: record.identity.name, results: record.checks, seconds: Double(record.wallNanoseconds) / 1e9))
            try file.close()
        }
        if let failure = console.failure { throw failure }
        if record.status == .interrupted { return Interrupt.signalNumber.map { 128 + $0 } ?? ExitStatus.interrupted }
        return record.passed == false ? ExitStatus.checkFailed : ExitStatus.success
    }

    /// On stderr, where stdout has no summary: what failed, and where the run is.
    private func reportBriefly(_ record: RunRecord, at path: String) {
        for result in record.checks where !result.passed {
            let note = result.note.map { " (\($0))" } ?? ""
            console.message("check failed: \(result.check.expression): got \(result.valueText)\(note)")
        }
        guard !quiet else { return }
        for warning in record.measurements.warnings { console.message("warning: \(warning.text)") }
        if record.status == .interrupted { console.message("interrupted: the run is complete up to there") }
        console.message("run directory: \(path)")
    }

    private static func parse(_ expressions: [String]) throws(UserFacingError) -> [Check] {
        try collect(expressions) { expression throws(UserFacingError) in try Check(parsing: expression) }
    }

    /// Does all, and reports all problems at once.
    @discardableResult
    private static func collect<Element, Result>(
        _ elements: [Element], _ body: (Element) throws(UserFacingError) -> Result
    ) throws(UserFacingError) -> [Result] {
        var results: [Result] = []
        var problems: [UserFacingError] = []
        for element in elements {
            do throws(UserFacingError) { results.append(try body(element)) } catch { problems.append(error) }
        }
        guard let first = problems.first else { return results }
        if problems.count == 1 { throw first }
        throw .usage(problems.map(\.description).joined(separator: "\n"))
    }
}
