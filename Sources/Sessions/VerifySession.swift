import Metrics
import Results

/// `rubato verify` from its arguments to its exit status.
public struct VerifySession {
    var path: String
    /// Whether the result is one JSON document on standard output.
    public var json = false
    /// Whether nothing but problems goes to standard error.
    public var quiet = false
    let console: Console
    let prepare: (RunRequest) throws -> PreparedRun

    /// What `rubato verify` does with a saved run, before its options; tests give it another `prepare`.
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
        let scenario = saved.path + "/resolved.yaml"
        guard FileTree.kind(of: scenario) == .file else {
            throw UserFacingError("'\(path)' cannot be run again: it has no resolved.yaml")
        }
        var request = RunRequest(scenario: scenario)
        request.cuts = DistributionCuts(of: saved.checks)
        let prepared = try prepare(request)
        let directory = try RunDirectory(parent: FileTree.parent(of: saved.path), provisionalName: "verify")
        defer { directory.discard() }
        var record = try RunSession.execute(
            prepared, in: directory, console: quiet ? nil : console, isRerun: true, stopTime: saved.stopTime)
        if let signal = Interrupt.signalNumber { return 128 + signal }
        // The contract's verdicts are there already; what the command line asked for then is judged again.
        record.checks += record.verdicts(on: Array(saved.checks.dropFirst(record.checks.count)))
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
