import ArgumentParser
import Results
import Sessions

struct QualityCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quality",
        abstract:
            "PSNR and SSIM of every picture that was sent against what was on screen in its place, through ffmpeg.",
        discussion: """
            Example:
              rubato quality runs/r1

            Runs it again from its own record, and leaves quality.csv, a row for each picture, in the run directory; \
            'rubato compare' shows the means from then on.
            """)

    @Argument(help: ArgumentHelp("A run directory.", valueName: "run"))
    var directory: String

    @OptionGroup var output: OutputOptions

    func run() throws {
        var session = QualitySession(directory, console: .system())
        session.json = output.json
        session.quiet = output.quiet
        try finish(session.run())
    }
}
