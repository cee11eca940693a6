import ArgumentParser
import Results
import Sessions

struct LabCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lab",
        abstract: "Prove that the emulator does what it is asked.",
        discussion: """
            Example:
              rubato lab network dsl-evening
            """,
        subcommands: [Network.self])

    struct Network: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Asked against measured, for every impairment of a scenario's network.",
            discussion: """
                Examples:
                  rubato lab network dsl-evening
                  rubato lab network evening.yaml --packets 100000 --json
                  rubato lab network iptv --expect network.forward.0.delay=16ms

                Every stage of every link is built as a run builds it, with the same draws, alone on a link, and offered \
                packets of the program's size. What comes out is compared with the closed form of what was asked for: \
                shares lost, run lengths, quantiles, Kolmogorov-Smirnov distance, autocorrelation, departures, \
                limits of queues, and what active queues settle at under the load that their rules are made for.

                Each bound that chance has a part in holds 999 times out of 1000. As a report has many, what lies out \
                of its bounds is measured once more, with the packets behind: it fails if it lies out again, which \
                chance does once in a million. What no chance is in is exact; control loops are held to the tolerance shown. \
                The same seed always gives the same report.
                --expect changes what is asked and not what runs, to see that a difference is found.

                Exit status 0 when all is within its bounds, 3 when something is not.
                """)

        @Argument(help: "A scenario: a YAML file, or the name of a preset ('rubato presets list').")
        var scenario: String

        @Option(help: ArgumentHelp("Packets offered to every stage (1,000 to 10,000,000).", valueName: "n"))
        var packets = 1_000_000

        @Option(help: ArgumentHelp("The root of every random draw.", valueName: "n"))
        var seed: UInt64?

        @Option(
            name: .customLong("set"),
            help: ArgumentHelp(
                "Change the scenario: network.forward.0.delay=20ms. Repeatable.", valueName: "path=value"))
        var settings: [String] = []

        @Option(
            name: .customLong("expect"),
            help: ArgumentHelp(
                "Compare with this instead of what is in the scenario. Repeatable.", valueName: "path=value"))
        var expectations: [String] = []

        @OptionGroup var output: OutputOptions

        func run() throws {
            var session = LabSession(scenario, console: .system())
            session.packets = packets
            session.seed = seed
            session.settings = settings
            session.expectations = expectations
            session.json = output.json
            session.quiet = output.quiet
            try finish(session.run())
        }
    }
}
