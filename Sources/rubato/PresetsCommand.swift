import ArgumentParser
import Results
import Sessions

struct PresetsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "presets",
        abstract: "The scenarios that come with rubato.",
        discussion: """
            Examples:
              rubato presets list
              rubato presets show iptv > mine.yaml
            """,
        subcommands: [List.self, Show.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Names, and where their numbers come from.",
            discussion: """
                Example:
                  rubato presets list --json
                """)

        @OptionGroup var output: OutputOptions

        func run() throws {
            var session = PresetsSession(console: .system())
            session.json = output.json
            try finish(session.list())
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "One preset's YAML.",
            discussion: """
                Example:
                  rubato presets show iptv > mine.yaml
                """)

        @Argument(help: "The preset's name.")
        var name: String

        @OptionGroup var output: OutputOptions

        func run() throws {
            var session = PresetsSession(console: .system())
            session.json = output.json
            try finish(session.show(name))
        }
    }
}
