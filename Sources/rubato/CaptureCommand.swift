import ArgumentParser
import Results
import Sessions

struct CaptureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "capture",
        abstract: "Capture live media traffic to a file.",
        discussion: """
            Examples:
              rubato capture -i lo -f 'udp portrange 5000-5100' -o x.pcap --duration 30s
              rubato capture -i eth0 -f udp -o - | rubato analyze -

            Writes pcap through libpcap, whole packets, with nanoseconds where the interface has them; what the kernel \
            dropped is said. It ends after --duration, after --count packets, or with Ctrl-C. It needs the right to \
            open raw sockets: root, or once 'sudo setcap cap_net_raw,cap_net_admin+ep' on this program.
            """)

    @Option(
        name: .shortAndLong, help: ArgumentHelp("Where to listen: lo, eth0, ... or any for all.", valueName: "name"))
    var interface = "any"

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Capture packets only that pass this, as tcpdump takes it.", valueName: "bpf"))
    var filter: String?

    @Option(
        name: [.customShort("o"), .customLong("out")],
        help: ArgumentHelp("The file to write; replaced if it exists; '-' is standard output.", valueName: "file"))
    var out: String

    @Option(help: ArgumentHelp("How long to capture, as 30s.", valueName: "time"))
    var duration: String?

    @Option(name: .shortAndLong, help: ArgumentHelp("How many packets to capture at most.", valueName: "n"))
    var count: Int64?

    @Option(
        help: ArgumentHelp("What the kernel may keep until it is written. (default: 33 MB)", valueName: "bytes"))
    var buffer: String?

    @OptionGroup var output: OutputOptions

    func validate() throws {
        if let count, count < 1 { throw ValidationError("--count \(count) is not a number of packets from 1 on") }
    }

    func run() throws {
        var session = CaptureSession(output: out, console: .system())
        session.interface = interface
        session.filter = filter
        session.duration = duration
        session.limit = count
        session.buffer = buffer
        session.json = output.json
        session.quiet = output.quiet
        try finish(session.run())
    }
}
