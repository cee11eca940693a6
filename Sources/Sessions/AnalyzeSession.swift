import Results
import Analysis
import Capture
import Glibc
import Metrics
import Scenario
import Timebase
import Wire

/// `rubato analyze` from its arguments to its exit status.
public struct AnalyzeSession {
    /// Captures, or files of transport packets.
    public var paths: [String]
    /// Files with SDP.
    public var descriptions: [String] = []
    /// "PT=RATE"
    public var clocks: [String] = []
    /// "PORT=rtp" or "PORT=ts"
    public var carriages: [String] = []
    /// A filter expression as tcpdump takes it; nil for none.
    public var filter: String?
    /// Whether datagrams with a wrong UDP checksum are passed over.
    public var checksChecksums = false
    /// Ids or SSRCs of the streams to show; none for all.
    public var streams: [String] = []
    /// Where to write a table with Wireshark's columns; nil for nowhere.
    public var csv: String?
    /// The receiver that streams are played into, as "fixed:60ms"; nil for none.
    public var playout: String?
    /// The captures of one flow at its sender and its receiver; nil for neither.
    public var sender: String?
    /// The receiver's capture, where ``sender`` is given.
    public var receiver: String?
    /// Takes what the two capture clocks differ by out of the delays.
    public var removesClocks = false
    /// Where to write what became of each datagram between the two; nil for nowhere.
    public var packets: String?
    /// The captures of two paths of the same streams, or one that has both; none where they are not compared.
    public var legs: [String] = []
    /// How long a receiver of ``legs`` may wait, as "20ms"; none for a row of usual ones.
    public var holds: [String] = []
    /// Whether the result is one JSON document on standard output.
    public var json = false
    /// Whether nothing but problems goes to standard error.
    public var quiet = false
    let console: Console

    /// What `rubato analyze` does with these files, before its options.
    public init(_ paths: [String], console: Console) {
        self.paths = paths
        self.console = console
    }

    /// - Throws: ``UserFacingError``, ``SystemError``.
    public func run() throws -> Int32 {
        let options = try analysisOptions()
        try checkInputs()
        var analysis: CaptureAnalysis
        do {
            analysis = try analyze(options)
        } catch let error as NotACapture {
            throw UserFacingError(
                error.description, remedy: "give it pcap, pcapng or MPEG-TS, also compressed with gzip")
        } catch let error as CaptureFilter.Mistake {
            throw UserFacingError.usage(
                "--filter cannot be understood: \(error.reason)", remedy: "write it as for tcpdump: 'udp port 5004'")
        } catch let error as SystemError where error.operation == "read" {
            // The general remedies speak of writing.
            throw UserFacingError(error.message, remedy: error.readingRemedy)
        }
        let truths = truths(analysis)
        try select(&analysis)
        if let csv {
            let file = try OutputFile(path: csv)
            file.write(StreamTable.csv(analysis))
            try file.close()
        }
        if json {
            console.result(analysis.document(truths).document())
        } else if !quiet {
            let styled = StyledText(isColoured: console.isColoured)
            console.result(AnalysisText(analysis: analysis, truths: truths, styled: styled).text)
        }
        for input in analysis.inputs where json || quiet {
            for (reason, count) in input.skipped where reason.isDamage {
                console.message("\(input.path): \(reason.rawValue): \(count)")
            }
        }
        if let failure = console.failure { throw failure }
        return ExitStatus.success
    }

    private func checkInputs() throws(UserFacingError) {
        guard legs.isEmpty else { return try checkLegs() }
        guard holds.isEmpty else { throw .usage("--hold speaks of two legs", remedy: "add --legs A B") }
        guard sender == nil, receiver == nil else {
            guard sender != nil, receiver != nil else {
                throw .usage("--sender and --receiver belong together", remedy: "give a capture of each end")
            }
            guard paths.isEmpty else {
                throw .usage("--sender and --receiver take the place of other captures: '\(paths[0])'")
            }
            guard sender != "-" || receiver != "-" else {
                throw .usage("standard input ('-') can be read only once")
            }
            return
        }
        guard !paths.isEmpty else { throw .usage("no capture is given", remedy: "write rubato analyze FILE") }
        guard paths.filter({ $0 == "-" }).count < 2 else {
            throw .usage("standard input ('-') can be read only once")
        }
        guard !removesClocks, packets == nil else {
            throw .usage("--remove-clocks and --packets speak of two captures", remedy: "add --sender and --receiver")
        }
    }

    private func checkLegs() throws(UserFacingError) {
        guard paths.isEmpty, sender == nil, receiver == nil, !removesClocks, packets == nil else {
            throw .usage("--legs takes the place of other captures, and of --sender and --receiver")
        }
        guard legs.count <= 2 else {
            throw .usage(
                "--legs takes two captures, or one that has both paths, not \(legs.count)",
                remedy: "write --legs A B, and other options before it or behind another option")
        }
        guard legs != ["-", "-"] else { throw .usage("standard input ('-') can be read only once") }
    }

    private func heldTimes() throws(UserFacingError) -> [TimeSpan] {
        var times: [TimeSpan] = []
        for text in holds {
            do throws(QuantityProblem) {
                times.append(try Quantity.time(text))
            } catch {
                throw .usage("--hold '\(text)' is no time: \(error.hint ?? "")", remedy: "write \(error.expected)")
            }
            guard times.last.map({ $0 >= .zero }) ?? false else {
                throw .usage("--hold '\(text)' is negative", remedy: "write --hold 20ms")
            }
        }
        return times.isEmpty ? CaptureAnalysis.usualHolds : times
    }

    private func analyze(_ options: AnalysisOptions) throws -> CaptureAnalysis {
        guard legs.isEmpty else {
            return try CaptureAnalysis(legs: legs, options: options, holds: try heldTimes())
        }
        guard let sender, let receiver else { return try CaptureAnalysis(reading: paths, options: options) }
        guard let packets else {
            return try CaptureAnalysis(
                sender: sender, receiver: receiver, options: options, removesClocks: removesClocks)
        }
        let file = try OutputFile(path: packets)
        file.write("stream,number,sent_ns,arrived_ns,delay_ns,fate,reordered\n")
        let analysis = try CaptureAnalysis(
            sender: sender, receiver: receiver, options: options, removesClocks: removesClocks
        ) { packet in
            let arrived = packet.arrived.map { "\($0.nanoseconds)" } ?? ""
            let delay = packet.delay.map { "\($0.nanoseconds)" } ?? ""
            let fate = packet.isDelivered ? "delivered" : "lost"
            file.write(
                "\(packet.stream ?? ""),\(packet.number),\(packet.sent.nanoseconds),\(arrived),\(delay),\(fate),"
                    + "\(packet.isReordered ? 1 : 0)\n")
        }
        try file.close()
        return analysis
    }

    /// What the emulator knows of the capture; nothing where a filter makes it another.
    private func truths(_ analysis: CaptureAnalysis) -> [String: StreamTruth] {
        guard filter == nil, legs.isEmpty, let capture = receiver ?? (paths.count == 1 ? paths[0] : nil), capture != "-"
        else {
            return [:]
        }
        if let schema = RunTruth.earlierSchema(beside: capture) {
            console.message(
                "\(capture): the run that it lies in is \(schema), written by an earlier version: what is true of it is "
                    + "not shown")
        }
        return RunTruth.find(for: capture, analysis.streams)
    }

    private func select(_ analysis: inout CaptureAnalysis) throws(UserFacingError) {
        guard !streams.isEmpty else { return }
        var chosen: Set<String> = []
        for name in streams {
            let matches = analysis.streams.filter {
                $0.id == name || $0.ssrc.map(hexadecimal) == name.lowercased() || $0.ssrc.map(\.description) == name
            }
            guard !matches.isEmpty else {
                let known = analysis.streams.map { "\($0.id)" + ($0.ssrc.map { " (\(hexadecimal($0)))" } ?? "") }
                throw .usage(
                    "there is no stream '\(name)'",
                    remedy: known.isEmpty ? "no media streams were found" : "known: " + known.joined(separator: ", "))
            }
            chosen.formUnion(matches.map(\.id))
        }
        analysis.streams.removeAll { !chosen.contains($0.id) }
        analysis.pairs.removeAll { !chosen.contains($0.audio) || !chosen.contains($0.video) }
        analysis.legs.removeAll { $0.legs.allSatisfy { !chosen.contains($0.stream) } }
        analysis.oneWay.removeAll { !chosen.contains($0.stream ?? "") }
    }

    private func analysisOptions() throws -> AnalysisOptions {
        var options = AnalysisOptions()
        options.filter = filter
        options.checksChecksums = checksChecksums
        options.playout = try playout.map { try PlayoutAssumption(parsing: $0) }
        for text in clocks {
            let parts = text.split(separator: "=", omittingEmptySubsequences: false)
            guard parts.count == 2, let type = UInt8(parts[0]), type < 128, let rate = UInt32(parts[1]), rate > 0 else {
                throw UserFacingError.usage(
                    "--clock '\(text)' is not PT=RATE", remedy: "write --clock 96=90000: payload type 96, 90000 Hz")
            }
            options.clocks[type] = rate
        }
        for text in carriages {
            let parts = text.split(separator: "=", omittingEmptySubsequences: false)
            guard parts.count == 2, let port = UInt16(parts[0]),
                let carriage = AnalysisOptions.Carriage(rawValue: String(parts[1]))
            else {
                throw UserFacingError.usage(
                    "--decode-as '\(text)' is not PORT=rtp or PORT=ts", remedy: "write --decode-as 5004=rtp")
            }
            options.carriages[port] = carriage
        }
        for path in descriptions {
            let media = MediaDescription.all(in: String(decoding: try FileTree.contents(of: path), as: UTF8.self))
            guard !media.isEmpty else {
                throw UserFacingError.usage(
                    "'\(path)' describes no media", remedy: "--sdp wants a session description (RFC 8866)")
            }
            options.descriptions += media
        }
        return options
    }
}

extension SystemError {
    /// What the user can do about a capture that cannot be read.
    fileprivate var readingRemedy: String? {
        switch code {
        case EISDIR: "name the captures in it"
        case ENOENT: "check the spelling of the path"
        case EACCES, EPERM: "ask for the right to read it"
        default: nil
        }
    }
}

extension SkipReason {
    /// Whether the file is not what it should be, rather than having other traffic in it.
    fileprivate var isDamage: Bool {
        switch self {
        case .truncatedFile, .damagedCompression, .badLength, .badBlock, .badTimestamp: true
        default: false
        }
    }
}
