import ArgumentParser
import Results
import Sessions

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run one experiment.",
        discussion: """
            Examples:
              rubato run evening.yaml --seed 7 --duration 60s
              rubato run iptv --set network.forward.0.loss.bernoulli=2% --check 'lip_sync.skew_ns.p95 <= 45ms'
              rubato run iptv --print-resolved

            A check names any number in run.json. A path through a list holds for every element, or for one: \
            'flows[tv].packets.late == 0'. Limits carry their unit: 45ms, '4 Mbit/s', 0.1%.
            """)

    @Argument(help: "A scenario: a YAML file, or the name of a preset ('rubato presets list').")
    var scenario: String

    @Option(
        help: ArgumentHelp("Run directory; refused if it exists. (default: runs/<utc>-<name>-<id>)", valueName: "dir"))
    var out: String?

    @Flag(help: "Replace the run directory that exists, once the new one is complete.")
    var force = false

    @Option(help: ArgumentHelp("The root of every random draw.", valueName: "n"))
    var seed: UInt64?

    @Option(help: ArgumentHelp("When the sources stop, as 60s.", valueName: "time"))
    var duration: String?

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("Change the scenario: network.forward.0.delay=20ms. Repeatable.", valueName: "path=value"))
    var settings: [String] = []

    @Flag(help: "Write capture/*.pcap.")
    var capture = false

    @Option(
        name: .customLong("check"), help: ArgumentHelp("A requirement on the result. Repeatable.", valueName: "expr"))
    var checks: [String] = []

    @Option(help: ArgumentHelp("Write the checks as JUnit XML.", valueName: "file"))
    var junit: String?

    @Flag(help: "Print the scenario with every default, and do not run it.")
    var printResolved = false

    @Flag(help: .hidden)
    var realtime = false

    @OptionGroup var output: OutputOptions

    func run() throws {
        if realtime {
            throw UserFacingError.usage(
                "--realtime is not in this version", remedy: "leave it out: the experiment runs in virtual time")
        }
        var request = RunRequest(scenario: scenario)
        request.seed = seed
        request.duration = duration
        request.settings = settings
        request.capture = capture
        var session = RunSession(request, console: .system())
        session.out = out
        session.force = force
        session.checks = checks
        session.junit = junit
        session.printsResolved = printResolved
        session.json = output.json
        session.quiet = output.quiet
        try finish(session.run())
    }
}
