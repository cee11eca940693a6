import ArgumentParser
import Results
import Sessions

struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Compare saved runs: what differs in their scenarios, then their metrics side by side.",
        discussion: """
            Examples:
              rubato compare runs/fifo runs/codel
              rubato compare runs/before runs/after --on flows.one_way_delay_ns.p95,lip_sync.within \\
                --fail-on-regression 5%

            The first run is what the others are compared with. A metric that gets worse by more than \
            --fail-on-regression allows gives exit status 3.
            """)

    @Argument(help: "Run directories.")
    var runs: [String]

    @Option(
        help: ArgumentHelp(
            "Metrics as in run.json, or groups of them, separated by commas. Repeatable.", valueName: "metric,..."))
    var on: [String] = []

    @Option(help: ArgumentHelp("Fail when a metric gets worse by more than this share.", valueName: "pct"))
    var failOnRegression: String?

    @OptionGroup var output: OutputOptions

    func run() throws {
        var session = CompareSession(runs, console: .system())
        session.on = on
        session.failOnRegression = failOnRegression
        session.json = output.json
        session.quiet = output.quiet
        try finish(session.run())
    }
}
