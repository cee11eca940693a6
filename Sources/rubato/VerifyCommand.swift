import ArgumentParser
import Results
import Sessions

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Run a saved run again from its own record, and compare every file and the digest.",
        discussion: """
            Example:
              rubato verify runs/r1

            Exit status 0 when all is identical, 3 when anything differs.
            """)

    @Argument(help: ArgumentHelp("A run directory.", valueName: "run"))
    var directory: String

    @OptionGroup var output: OutputOptions

    func run() throws {
        var session = VerifySession(directory, console: .system())
        session.json = output.json
        session.quiet = output.quiet
        try finish(session.run())
    }
}
