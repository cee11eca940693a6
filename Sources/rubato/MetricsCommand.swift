import ArgumentParser
import Results
import Sessions

struct MetricsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "metrics",
        abstract: "Every number in run.json: its unit, which way is worse, and what it means.",
        discussion: """
            Examples:
              rubato metrics
              rubato metrics flows.packets
              rubato metrics pdv_ns --json

            The names are those that --check and --on take.
            """)

    @Argument(help: "A name of run.json, or the end of one; without it all of them.")
    var name: String?

    @OptionGroup var output: OutputOptions

    func run() throws {
        var session = MetricsSession(name, console: .system())
        session.json = output.json
        try finish(session.run())
    }
}
