import Results
import Capture
import Glibc
import Scenario
import Timebase
import Wire

/// `rubato capture` from its arguments to its exit status.
public struct CaptureSession {
    /// "any": all interfaces.
    public var interface = "any"
    /// A filter expression as tcpdump takes it; nil for every packet.
    public var filter: String?
    /// Where the packets go; "-" is standard output.
    var output: String
    /// As "30s"; nil until a signal comes.
    public var duration: String?
    /// Packets after which it ends; nil: no limit.
    public var limit: Int64?
    /// What the kernel may keep, as "32 MB"; nil for the usual.
    public var buffer: String?
    /// Whether the result is one JSON document on standard output.
    public var json = false
    /// Whether nothing but problems goes to standard error.
    public var quiet = false
    let console: Console

    public init(output: String, console: Console) {
        self.output = output
        self.console = console
    }

    /// - Throws: ``UserFacingError``, ``SystemError``.
    public func run() throws -> Int32 {
        guard !json || output != "-" else {
            throw UserFacingError.usage(
                "standard output cannot take both the packets and --json", remedy: "give --output a file")
        }
        let span = try span()
        let live = try open()
        let writer = try live.writer(path: output)
        Interrupt.install()
        if !quiet { console.message("capturing from \(interface)" + (span == nil ? ", until Ctrl-C" : "")) }
        let begun = LiveCapture.clock
        do throws {
            try live.run(to: writer, until: span.map { begun + $0 }, limit: limit) { _ in Interrupt.isRequested }
        } catch let refusal as LiveCapture.Refusal {
            // What was captured up to there is good.
            try writer.close()
            throw failure(refusal)
        }
        try writer.close()
        report(live, LiveCapture.clock - begun)
        if let failure = console.failure { throw failure }
        // Without a duration a signal is how a capture ends; with one it is an interruption.
        return span == nil ? ExitStatus.success : Interrupt.signalNumber.map { 128 + $0 } ?? ExitStatus.success
    }

    private func span() throws -> TimeSpan? {
        guard let duration else { return nil }
        let span = try CaptureSession.quantity(duration, "--duration", Quantity.time)
        guard span > .zero else { throw UserFacingError.usage("--duration '\(duration)' is not a time above zero") }
        return span
    }

    private static func quantity<Value>(
        _ text: String, _ option: String, _ read: (String) throws(QuantityProblem) -> Value
    ) throws(UserFacingError) -> Value {
        do throws(QuantityProblem) {
            return try read(text)
        } catch {
            throw .usage("\(option) '\(text)' is not \(error.expected)", remedy: error.hint)
        }
    }

    private func open() throws -> LiveCapture {
        var request = LiveCapture.Request(interface: interface, filter: filter)
        if let buffer {
            let bytes = try CaptureSession.quantity(buffer, "--buffer", Quantity.byteCount)
            guard (1_000_000...2_000_000_000).contains(bytes) else {
                throw UserFacingError.usage("--buffer '\(buffer)' is not between 1 MB and 2000 MB")
            }
            request.bufferBytes = Int32(bytes)
        }
        do throws(LiveCapture.Refusal) { return try LiveCapture(request) } catch { throw failure(error) }
    }

    private func failure(_ refusal: LiveCapture.Refusal) -> UserFacingError {
        switch refusal {
        case .notPermitted:
            UserFacingError(
                "capturing from \(interface) is not permitted",
                remedy: "allow this program to, once: sudo setcap cap_net_raw,cap_net_admin+ep "
                    + "\(CaptureSession.program)\nor capture as root, or with 'tcpdump -w', and analyze the file")
        case .noSuchInterface(let known):
            UserFacingError.usage(
                "there is no interface '\(interface)'",
                remedy: known.isEmpty ? nil : "there are: \(known.joined(separator: ", "))")
        case .badFilter(let reason):
            UserFacingError.usage(
                "--filter cannot be understood: \(reason)", remedy: "write it as for tcpdump: 'udp port 5004'")
        case .other(let reason): UserFacingError("cannot capture from \(interface): \(reason)")
        }
    }

    /// This program's file.
    private static var program: String {
        var path = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &path, path.count)
        return count > 0
            ? String(decoding: path.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self) : "rubato"
    }

    private func report(_ live: LiveCapture, _ span: TimeSpan) {
        let counts = live.statistics
        if counts.droppedByKernel > 0 {
            console.message(
                "the kernel had no room for \(counts.droppedByKernel) packets, which are not in the file\n"
                    + "give it more with --buffer, or let fewer packets pass --filter")
        }
        if json {
            console.result(document(counts, live.linkType, span).document())
        } else if !quiet {
            let text =
                "\(output): \(live.linkType.name), \(Format.count(counts.packets)) packets, "
                + "\(Format.size(counts.bytes)), \(Format.time(span.nanoseconds)); "
                + "dropped by the kernel: \(Format.count(counts.droppedByKernel))"
            if output == "-" { console.message(text) } else { console.result(text + "\n") }
        }
    }

    private func document(_ counts: LiveCapture.Counts, _ linkType: LinkType, _ span: TimeSpan) -> JSONValue {
        [
            "schema": "rubato.capture/1",
            "tool": ["name": .string(Tool.name), "version": .string(Tool.version)],
            "interface": .string(interface),
            "filter": JSONValue(filter),
            "path": .string(output),
            "link_type": .string(linkType.name),
            "duration_ns": .integer(span.nanoseconds),
            "packets": .integer(counts.packets),
            "bytes": .integer(counts.bytes),
            "dropped": [
                "kernel": .integer(counts.droppedByKernel), "interface": JSONValue(counts.droppedByInterface),
            ],
        ]
    }
}
