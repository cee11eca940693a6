import ArgumentParser
import Results
import Sessions

struct AnalyzeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "analyze",
        abstract: "Measure the media streams of captures, from any tool.",
        discussion: """
            Examples:
              rubato analyze call.pcapng
              rubato analyze movie.ts
              rubato analyze --sdp session.sdp --json a.pcap b.pcap
              tcpdump -w - udp | rubato analyze -
              rubato analyze --assume-playout fixed:60ms call.pcapng
              rubato analyze --sender a.pcap --receiver b.pcap --remove-clocks
              rubato analyze --legs red.pcap blue.pcap --hold 20ms

            Reads pcap, pcapng and MPEG-TS (188, 192 and 204 bytes), also compressed with gzip; several captures are merged in the order of their times. \
            RTP is found by SDP (given, or announced inside the capture), by its payload type or by how its packets \
            follow each other; MPEG transport streams in UDP by their sync bytes. Of two captures of one flow, its packets are \
            matched by content; of two paths of one RTP stream (SMPTE ST 2022-7), by number and timestamp. Captures of a run directory get the truth beside what is measured.
            """)

    @Argument(help: ArgumentHelp("Captures; '-' is standard input.", valueName: "capture"))
    var captures: [String] = []

    @Option(help: ArgumentHelp("A session description (SDP) of the streams. Repeatable.", valueName: "file"))
    var sdp: [String] = []

    @Option(
        help: ArgumentHelp("The clock rate of a payload type in Hz: 96=90000. Repeatable.", valueName: "pt=rate"))
    var clock: [String] = []

    @Option(help: ArgumentHelp("What a UDP port carries. Repeatable.", valueName: "port=rtp|ts"))
    var decodeAs: [String] = []

    @Option(help: ArgumentHelp("Look at packets only that pass this, as tcpdump takes it.", valueName: "bpf"))
    var filter: String?

    @Flag(
        help: ArgumentHelp(
            "Pass over datagrams with a wrong UDP checksum, as receivers do.",
            discussion: "What was captured where it was sent may lack checksums that the network card fills in."))
    var checkChecksums = false

    @Option(help: ArgumentHelp("Show this stream only, by its id or SSRC. Repeatable.", valueName: "id"))
    var stream: [String] = []

    @Option(help: ArgumentHelp("Write the streams as CSV with Wireshark's columns.", valueName: "file"))
    var csv: String?

    @Option(
        help: ArgumentHelp("Play the streams into a receiver of this playout: fixed:60ms.", valueName: "name:value"))
    var assumePlayout: String?

    @Option(help: ArgumentHelp("The capture at the sender, of a flow captured at both ends.", valueName: "capture"))
    var sender: String?

    @Option(help: ArgumentHelp("The capture at the receiver.", valueName: "capture"))
    var receiver: String?

    @Flag(help: "Take the two capture clocks' offset and drift out of one-way delays, by their lower envelope.")
    var removeClocks = false

    @Option(help: ArgumentHelp("Write what became of each packet from sender to receiver as CSV.", valueName: "file"))
    var packets: String?

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "The captures of two paths of the same RTP streams, or one with both: what each loses, and both.",
            valueName: "capture"))
    var legs: [String] = []

    @Option(
        help: ArgumentHelp(
            "How long a receiver of both legs waits for the later one: 20ms. Repeatable.", valueName: "time"))
    var hold: [String] = []

    @OptionGroup var output: OutputOptions

    func run() throws {
        var session = AnalyzeSession(captures, console: .system())
        session.descriptions = sdp
        session.clocks = clock
        session.carriages = decodeAs
        session.filter = filter
        session.checksChecksums = checkChecksums
        session.streams = stream
        session.csv = csv
        session.playout = assumePlayout
        session.sender = sender
        session.receiver = receiver
        session.removesClocks = removeClocks
        session.packets = packets
        session.legs = legs
        session.holds = hold
        session.json = output.json
        session.quiet = output.quiet
        try finish(session.run())
    }
}
