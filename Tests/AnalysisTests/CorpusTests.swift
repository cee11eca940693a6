import Analysis
import Capture
import Foundation
import Metrics
import Testing
import Timebase
import Wire

/// A folder of captures and of what other programs say about them.
private let corpus: String? = {
    guard let root = ProcessInfo.processInfo.environment["RUBATO_CORPUS"] else { return nil }
    return [root, root + "/pcap"].first { FileManager.default.fileExists(atPath: $0 + "/ORACLE_rtp.csv") }
}()

@Suite(
    "Captures of the corpus",
    .enabled(if: corpus != nil, "RUBATO_CORPUS names no folder with ORACLE_rtp.csv"))
struct CorpusTests {
    private func analyze(_ name: String, _ options: AnalysisOptions = AnalysisOptions()) throws -> CaptureAnalysis {
        try CaptureAnalysis(reading: [try #require(corpus) + "/" + name], options: options)
    }

    private func text(_ name: String) throws -> String {
        try String(contentsOfFile: try #require(corpus) + "/" + name, encoding: .utf8)
    }

    @Test("RTP: counts are exact, jitter to a microsecond, delay variation to 0.2 %")
    func rtp() throws {
        let rows = try text("ORACLE_rtp.csv").split(whereSeparator: \.isNewline).map { $0.components(separatedBy: ",") }
        let names = rows[0]
        var analyses: [String: CaptureAnalysis] = [:]
        #expect(rows.count > 15)
        for row in rows.dropFirst() {
            let values = Dictionary(uniqueKeysWithValues: zip(names, row))
            let file = try #require(values["file"])
            let known = analyses[file]
            let analysis = try known ?? analyze(file)
            analyses[file] = analysis
            let stream = try #require(
                analysis.streams.first {
                    "\($0.source)>\($0.destination)" == values["src_dst"]
                        && $0.ssrc == UInt32(values["ssrc"]!.dropFirst(2), radix: 16)
                }, "\(row)")
            let label: Comment = "\(file) \(stream.id)"
            func whole(_ name: String) -> Int64? { values[name].flatMap { Int64($0) } }
            #expect(stream.payloadType.map { Int64($0) } == whole("pt"), label)
            #expect(stream.clockRate.map { Int64($0) } == whole("clock"), label)
            #expect(stream.quality.received == whole("n"), label)
            #expect(stream.quality.unique == whole("unique"), label)
            #expect(stream.quality.duplicates == whole("duplicates"), label)
            #expect(stream.quality.expected == whole("expected"), label)
            #expect(stream.quality.lost == whole("lost_unique"), label)
            #expect(stream.quality.reordered == whole("reordered_rfc4737"), label)
            #expect(stream.quality.largestReorderExtent == whole("max_reorder_extent"), label)
            #expect(stream.quality.bytes == whole("rtp_bytes"), label)
            func near(_ measured: Int64?, _ name: String, relative: Double = 0) throws {
                let expected = try #require(values[name].flatMap { Double($0) }) * 1e6
                let found = Double(try #require(measured, label))
                #expect(abs(found - expected) <= 1000 + relative * abs(expected), "\(file) \(stream.id) \(name)")
            }
            try near((stream.quality.last - stream.quality.first).nanoseconds / 1000, "duration_s")
            try near(stream.quality.interarrival?.mean, "mean_iat_ms")
            try near(stream.quality.interarrival?.maximum, "max_iat_ms")
            try near(stream.quality.interarrivalJitter?.last, "J3550_final_ms")
            try near(stream.quality.interarrivalJitter?.mean, "J3550_mean_ms")
            try near(stream.quality.interarrivalJitter?.maximum, "J3550_max_ms")
            // There each copy has its delay; here the first alone, as RFC 7679 §3.8.4 wants it.
            guard stream.quality.duplicates == 0 else { continue }
            try near(stream.quality.pdv?.quantile(0.5), "pdv_p50_ms", relative: 0.002)
            try near(stream.quality.pdv?.maximum, "pdv_max_ms")
            // The upper quantile of few values depends on how it is defined.
            if stream.quality.received >= 500 {
                try near(stream.quality.pdv?.quantile(0.99), "pdv_p99_ms", relative: 0.01)
            }
        }
    }

    /// tshark's other columns are of other definitions: its least, mean and largest delta leave out packets with the
    /// marker (and its mean divides by all), and without a clock rate it prints jitters of -1 and 0. Its lost is the last
    /// packet's number less the first one's, less the packets, copies too; the last is the highest in all of these.
    @Test("tshark's table of RTP streams, where its definitions are the same")
    func tshark() throws {
        var analysis: CaptureAnalysis?
        var rows = 0
        for line in try text("ORACLE_tshark4.0.17_rtp_streams.txt").split(whereSeparator: \.isNewline) {
            if line.hasPrefix("#####") {
                analysis = try analyze(line.drop { $0 == "#" }.trimmingCharacters(in: .whitespaces))
            }
            let fields = line.split(separator: " ")
            // Its heuristics take NFS over UDP for RTP.
            guard let at = fields.firstIndex(where: { $0.hasPrefix("(") && $0.hasSuffix("%)") }), fields.count > at + 6,
                fields[6].hasPrefix("0x"), !line.contains(" 2049 ")
            else { continue }
            let stream = try #require(
                analysis?.streams.first {
                    $0.ssrc == UInt32(fields[6].dropFirst(2), radix: 16) && $0.source.port == UInt16(fields[3])
                }, "\(line)")
            rows += 1
            let input = try #require(analysis?.inputs.first?.first)
            func isNear(_ span: TimeSpan, _ text: Substring, _ unit: Double, within: Double) -> Bool {
                Double(text).map { abs($0 * unit - Double(span.nanoseconds)) <= within } ?? false
            }
            #expect(isNear(stream.quality.first - input, fields[0], 1e9, within: 501), "\(line)")
            #expect(isNear(stream.quality.last - input, fields[1], 1e9, within: 501), "\(line)")
            #expect(stream.quality.received == Int64(fields[at - 2]), "\(line)")
            #expect(stream.quality.expected.map { $0 - stream.quality.received } == Int64(fields[at - 1]), "\(line)")
            // Microseconds are its last digits. Of reordered streams it leaves out the packets whose timestamps go back.
            guard let largest = Double(fields[at + 6]), largest > 0, stream.quality.reordered == 0,
                let jitter = stream.quality.interarrivalJitter
            else { continue }
            #expect(isNear(.nanoseconds(jitter.mean), fields[at + 5], 1e6, within: 510), "\(line)")
            #expect(isNear(.nanoseconds(jitter.maximum), fields[at + 6], 1e6, within: 510), "\(line)")
        }
        #expect(rows >= 20)
    }

    @Test("MDI: each window's delay factor, to 2 µs")
    func delayFactors() throws {
        for line in try text("ORACLE_mdi.txt").split(whereSeparator: \.isNewline) where line.contains("[") {
            let file = String(line.prefix { $0 != " " })
            let list = line[line.lastIndex(of: "[")!...].dropFirst().prefix { $0 != "]" }
            let expected: [Int64] = list.split(separator: ",").compactMap { text in
                Double(text.trimmingCharacters(in: .whitespaces)).map { Int64($0 * 1e6) }
            }
            let mean = expected.reduce(0, +) / Int64(expected.count)
            let stream = try #require(try analyze(file).streams.first)
            let measured = try #require(stream.quality.delayFactor)
            #expect(measured.count == Int64(expected.count), "\(file)")
            for (found, given) in [
                (measured.minimum, expected.min()), (measured.maximum, expected.max()), (measured.mean, mean),
            ] {
                #expect(abs(found - (given ?? 0)) < 2000, "\(file)")
            }
            #expect(stream.quality.mediaLossRatePerSecond == 0)
            #expect(stream.transportStream?.pcrBitsPerSecond == 2_500_000)
        }
    }

    @Test("Lip-sync from sender reports; there audio minus video is positive, here audio early is")
    func lipSync() throws {
        let analysis = try analyze("gen_ffmpeg_rtp_h264_aac_rtcp.pcap")
        let skew = try #require(analysis.pairs.first?.skew)
        let line = try #require(try text("ORACLE_lipsync.txt").split(whereSeparator: \.isNewline).last)
        let values = line.split(separator: " ").suffix(4).compactMap { Double($0) }
        try #require(values.count == 4)
        #expect(skew.count == 746)
        // Three places of milliseconds are given, and the mean's rounding.
        #expect(abs(Double(-skew.maximum) - values[0] * 1e6) < 6000)
        #expect(abs(Double(-skew.mean) - values[1] * 1e6) < 1000)
        #expect(abs(Double(-skew.minimum) - values[2] * 1e6) < 1000)
        #expect(abs(Double(-skew.quantile(0.5)) - values[3] * 1e6) < 40_000)
        #expect(analysis.pairs.first?.floor == .milliseconds(1))
        let reports = analysis.streams.compactMap(\.rtcp)
        #expect(reports.map(\.senderReports) == [4, 4])
        // The senders' own residual is given as 0.0000 ms.
        #expect(reports.allSatisfy { ($0.largestResidual ?? .seconds(1)) < .microseconds(1) })
    }

    @Test("NTP: sixteen exchanges of one file, three of the other, whose unset server is refused")
    func ntp() throws {
        let many = try analyze("ntp_zeek_ntp.pcap").ntp
        #expect(many.reduce(0) { $0 + $1.exchanges } == 16)
        #expect(many.compactMap { $0.offset?.minimum }.min().map { ($0 - 50_000) / 100_000 } == -47)
        #expect(many.compactMap { $0.offset?.maximum }.max().map { ($0 + 50_000) / 100_000 } == 225)
        #expect(many.compactMap { $0.delay?.minimum }.min().map { $0 / 1_000_000 } == 32)
        #expect(many.compactMap { $0.delay?.maximum }.max().map { ($0 + 500_000) / 1_000_000 } == 73)
        let few = try analyze("ntp_tcpdump.pcap").ntp
        // One client does not know the time: its exchange counts by the capture's clock.
        #expect(few.reduce(0) { $0 + $1.exchanges } == 3)
        #expect(few.flatMap { $0.rejected.map(\.reason) } == ["kiss_of_death"])
    }

    @Test("Captures of all formats are read, and no media is found where there is none")
    func formats() throws {
        let root = try #require(corpus)
        let names = try FileManager.default.contentsOfDirectory(atPath: root).filter {
            $0.hasPrefix("fmt_") || $0.hasPrefix("simulcrypt")
        }
        #expect(names.count >= 10)
        for name in names {
            let analysis = try analyze(name)
            #expect(analysis.inputs.first.map { $0.packets > 0 } == true, "\(name)")
            #expect(analysis.streams.isEmpty && analysis.pairs.isEmpty, "\(name)")
        }
    }

    @Test("Cut at any place, every capture is read to its end")
    func prefixes() throws {
        let folder = try TemporaryFolder()
        let root = try #require(corpus)
        let names = try FileManager.default.contentsOfDirectory(atPath: root).filter {
            $0.hasSuffix(".pcap") || $0.hasSuffix(".pcapng")
        }
        for name in names {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: root + "/" + name))
            let counts = bytes.count < 1000 ? Array(4..<bytes.count) : (1...7).map { bytes.count * $0 / 8 + 5 }
            for count in counts {
                let path = folder.path + "/cut"
                try bytes.prefix(count).write(to: URL(fileURLWithPath: path))
                let analysis = try CaptureAnalysis(reading: [path])
                #expect(analysis.streams.allSatisfy { ($0.quality.lost ?? 0) >= 0 })
            }
        }
    }
}
