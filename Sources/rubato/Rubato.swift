import ArgumentParser
import Results
import Sessions

struct Rubato: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rubato",
        abstract:
            "Emulate streaming media over a network: quality of service and synchronization, with the truth beside each measurement.",
        discussion: """
            Example:
              rubato run iptv --set network.forward.0.loss.bernoulli=2% --out runs/r1
              rubato compare runs/r0 runs/r1

            Exit status: 0 ok, 1 failed at run time, 3 a check or the QoS contract failed, 4 measurement not valid, \
            64 usage or a bad scenario, 130 interrupted.
            """,
        version: "rubato \(Tool.version)",
        subcommands: [
            RunCommand.self, AnalyzeCommand.self, CaptureCommand.self, CompareCommand.self, VerifyCommand.self,
            QualityCommand.self, PresetsCommand.self, KeysCommand.self, MetricsCommand.self, LabCommand.self,
        ])
}

/// What all commands share.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Print one JSON document on stdout, all else on stderr.")
    var json = false

    @Flag(help: "Print problems only.")
    var quiet = false
}

/// Ends a command with a session's exit status.
func finish(_ status: Int32) throws {
    if status != ExitStatus.success { throw ExitCode(status) }
}
