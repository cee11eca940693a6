import Lab
import Results
import Capture
import Emulator
import Scenario

/// `rubato lab network` from its arguments to its exit status.
public struct LabSession {
    /// A YAML file or a preset's name.
    var scenario: String
    /// In place of the scenario's; nil: the scenario's.
    public var seed: UInt64?
    /// "PATH=VALUE", in the order given.
    public var settings: [String] = []
    /// Further ones, for what the measurements are compared with and not for what is measured.
    public var expectations: [String] = []
    /// A stage.
    public var packets = 1_000_000
    /// Whether the result is one JSON document on standard output.
    public var json = false
    /// Whether nothing but problems goes to standard error.
    public var quiet = false
    let console: Console

    /// What `rubato lab network` does with a scenario, before its options.
    public init(_ scenario: String, console: Console) {
        self.scenario = scenario
        self.console = console
    }

    /// - Returns: the exit status.
    /// - Throws: ``UserFacingError``, ``SystemError``.
    public func run() throws -> Int32 {
        guard 1_000...10_000_000 ~= packets else {
            throw UserFacingError.usage(
                "'--packets \(packets)' is not from 1000 to 10000000",
                remedy: "delays are kept to be sorted: more would not fit")
        }
        let report: LabReport
        do {
            report = try measure()
        } catch let problems as ScenarioProblems {
            throw UserFacingError.usage(problems.description)
        }
        if json {
            console.result(report.document.document())
        } else if !quiet {
            console.result(report.text(isColoured: console.isColoured))
        }
        if json || quiet {
            for check in report.checks where !check.passed { console.message("not as asked: \(check.sentence)") }
        }
        if let failure = console.failure { throw failure }
        return report.passed ? ExitStatus.success : ExitStatus.checkFailed
    }

    private func measure() throws -> LabReport {
        let document = try ScenarioDocument.load(scenario)
        var settings = settings.map { ScenarioSetting(argument: $0) }
        if let seed { settings.append(.seed(seed)) }
        let built = try document.resolve(settings)
        let asked = try document.resolve(settings + expectations.map { ScenarioSetting(argument: $0) })
        return try LabReport(measuring: built, asked: asked, title: document.title, packets: packets)
    }
}
