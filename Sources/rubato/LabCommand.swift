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
              rubato lab clock-sync --asymmetry 0ms,10ms
            """,
        subcommands: [Network.self, ClockSync.self])

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

    struct ClockSync: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "clock-sync",
            abstract: "Clock synchronization algorithms against the truth.",
            discussion: """
                Examples:
                  rubato lab clock-sync
                  rubato lab clock-sync --algorithms cristian,ntp,regression --asymmetry 0ms,10ms,30ms --seeds 1..10
                  rubato lab clock-sync --algorithms '{ cristian: { probes: 1 } },{ cristian: { probes: 16 } }' --jitter 5ms
                  rubato lab clock-sync --algorithms cristian --asymmetry 10ms --explain 1

                A sender whose clock is true, receivers whose clocks are not, and nothing on the network but the \
                algorithm's own messages. Each algorithm runs over each asymmetry with each seed; the table says how \
                wrong the clocks end, beside what theory says and what the algorithm claims.
                An algorithm is written as clocks.synchronization takes it: 'rubato keys clocks.synchronization'.
                """)

        @Option(help: ArgumentHelp("Which, with commas between.", valueName: "list"))
        var algorithms = "none,cristian,ntp,regression,berkeley,averaging"

        @Option(
            help: ArgumentHelp(
                "How much longer the way to the sender takes than the way from it, with commas between; negative ones as --asymmetry=-10ms.",
                valueName: "times"))
        var asymmetry = "0ms"

        @Option(help: ArgumentHelp("How much the receivers' clocks gain and lose, by turns.", valueName: "frequency"))
        var frequency = "50ppm"

        @Option(help: ArgumentHelp("How far they are off at first, by turns.", valueName: "time"))
        var offset = "35ms"

        @Option(help: ArgumentHelp("The least delay of the way to a receiver.", valueName: "time"))
        var delay = "20ms"

        @Option(
            help: ArgumentHelp("The mean of what is added, exponentially distributed, each way.", valueName: "time"))
        var jitter = "1ms"

        @Option(help: ArgumentHelp("How long each run lasts in virtual time.", valueName: "time"))
        var duration = "600s"

        @Option(help: ArgumentHelp("How many receivers there are (1 to 100).", valueName: "n"))
        var receivers = 4

        @Option(
            help: ArgumentHelp(
                "How many time servers there are at the sender's end (0 to 100); 0: the sender is asked.",
                valueName: "n"))
        var servers = 0

        @Option(help: ArgumentHelp("Seeds: 7, or 1..10.", valueName: "seeds"))
        var seeds = "1..3"

        @Option(help: ArgumentHelp("Print the arithmetic of exchange K of the first run, from 1.", valueName: "k"))
        var explain: Int?

        @Option(help: ArgumentHelp("Write every clock's error and bound, each second, to a file.", valueName: "file"))
        var csv: String?

        @OptionGroup var output: OutputOptions

        func run() throws {
            var session = ClockLabSession(console: .system())
            session.algorithms = algorithms
            session.asymmetries = asymmetry
            session.frequency = frequency
            session.offset = offset
            session.delay = delay
            session.jitter = jitter
            session.duration = duration
            session.receivers = receivers
            session.servers = servers
            session.seeds = seeds
            session.explained = explain
            session.csv = csv
            session.json = output.json
            session.quiet = output.quiet
            try finish(session.run())
        }
    }
}
