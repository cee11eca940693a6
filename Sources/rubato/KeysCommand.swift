import ArgumentParser
import Sessions

struct KeysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract: "The reference of every scenario key: kind, range, default, meaning and an example.",
        discussion: """
            Each example is a line of a scenario, beside its program.

            Examples:
              rubato keys network.forward.0.loss
              rubato keys --json
            """)

    @Argument(help: "Begin with this key, as --set names it; without it, all keys are printed.")
    var path: String?

    @OptionGroup var output: OutputOptions

    func run() throws {
        var session = KeysSession(path, console: .system())
        session.json = output.json
        try finish(session.run())
    }
}
