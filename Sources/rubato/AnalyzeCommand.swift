import ArgumentParser
import Report

struct AnalyzeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "analyze",
        abstract: "Measure the media streams of captures, from any tool.",
        discussion: """
            Examples:
              rubato analyze call.pcapng
              rubato analyze --sdp session.sdp --json a.pcap b.pcap
              tcpdump -w - udp | rubato analyze -

            Reads pcap and pcapng, also compressed with gzip; several captures are merged in the order of their times. \
            RTP is found by SDP (given, or announced inside the capture), by its payload type or by how its packets \
            follow each other; MPEG transport streams in UDP by their sync bytes.
            """)

    @Argument(help: ArgumentHelp("Captures; '-' is standard input.", valueName: "capture"))
    var captures: [String]

    @Option(help: ArgumentHelp("A session description (SDP) of the streams. Repeatable.", valueName: "file"))
    var sdp: [String] = []

    @Option(
        help: ArgumentHelp("The clock rate of a payload type in Hz: 96=90000. Repeatable.", valueName: "pt=rate"))
    var clock: [String] = []

    @Option(help: ArgumentHelp("What a UDP port carries. Repeatable.", valueName: "port=rtp|ts"))
    var decodeAs: [String] = []

    @Option(help: ArgumentHelp("Look at packets only that pass this, as tcpdump takes it.", valueName: "bpf"))
    var filter: String?

    @Option(help: ArgumentHelp("Show this stream only, by its id or SSRC. Repeatable.", valueName: "id"))
    var stream: [String] = []

    @Option(help: ArgumentHelp("Write the streams as CSV with Wireshark's columns.", valueName: "file"))
    var csv: String?

    @OptionGroup var output: OutputOptions

    func run() throws {
        var session = AnalyzeSession(captures, console: .system())
        session.descriptions = sdp
        session.clocks = clock
        session.carriages = decodeAs
        session.filter = filter
        session.streams = stream
        session.csv = csv
        session.json = output.json
        session.quiet = output.quiet
        try finish(session.run())
    }
}
