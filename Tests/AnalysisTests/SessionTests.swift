import Analysis
import Capture
import Foundation
import Results
import Sessions
import Testing
import Timebase
import Wire

@Suite("rubato analyze")
struct AnalyzeSessionTests {
    let folder: TemporaryFolder
    let capture: String

    /// A capture of 50 PCMU packets without the eleventh, 20 ms apart.
    init() throws {
        folder = try TemporaryFolder()
        capture = folder.path + "/a.pcap"
        let writer = try CaptureWriter(path: capture)
        let frame = UDPFrame(
            source: Endpoint(address: IPv4Address(10, 0, 0, 1), port: 4000),
            destination: Endpoint(address: IPv4Address(10, 0, 0, 2), port: 5004))
        for number in 0..<50 as Range<UInt16> where number != 10 {
            let packet = RTPHeader(
                payloadType: 0, sequenceNumber: number, timestamp: UInt32(number) * 160, ssrc: 0xabcd
            ).packet(payload: [UInt8](repeating: 0xd5, count: 160))
            try packet.withUnsafeBytes {
                try writer.write(frame, payload: $0, at: Instant(nanoseconds: Int64(number) * 20_000_000))
            }
        }
        try writer.close()
    }

    /// What a session prints, with its exit status.
    private func run(_ change: (inout AnalyzeSession) -> Void) throws -> (status: Int32, output: String) {
        let path = folder.path + "/out"
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        defer { close(descriptor) }
        let console = Console(
            outputDescriptor: descriptor, errorDescriptor: descriptor, isColoured: false, showsProgress: false)
        var session = AnalyzeSession([capture], console: console)
        change(&session)
        let status = try session.run()
        return (status, try String(contentsOfFile: path, encoding: .utf8))
    }

    @Test("The document has every key of its schema")
    func document() throws {
        let (status, output) = try run { $0.json = true }
        #expect(status == 0)
        let document = try JSONValue(parsing: Array(output.utf8))
        #expect(document["schema"]?.string == "rubato.analysis/1")
        let input = try #require(document["inputs"]?.elements?.first)
        #expect(
            input.members?.map(\.name)
                == [
                    "path", "format", "link_type", "packets", "bytes", "first_ns", "last_ns", "dropped", "skipped",
                    "encapsulations",
                ])
        let stream = try #require(document["streams"]?.elements?.first)
        #expect(
            stream.members?.map(\.name) == [
                "id", "kind", "transport", "source", "destination", "ssrc", "payload_type", "payload_types",
                "encoding", "clock_rate_hz", "clock_rate_source", "first_ns", "last_ns", "packets", "bytes",
                "bitrate_bps",
                "interarrival_jitter_ns", "interarrival_ns", "ipdv_ns", "pdv_ns", "loss_runs", "burst_gap", "mdi",
                "clock_drift_ppm", "clock_drift_uncertainty_ppm", "transport_stream", "rtcp", "playout", "truth",
                "notes",
            ])
        #expect(stream["packets"]?["lost"]?.integer == 1)
        #expect(stream["loss_runs"]?["1"]?.integer == 1)
        #expect(stream["ssrc"]?.integer == 0xabcd)
        #expect(stream["first_ns"]?.integer == emulatedEpochUnixSeconds * 1_000_000_000)
        #expect(stream["rtcp"]?.isNull == true && stream["clock_drift_ppm"]?.isNull == true)
        #expect(document["pairs"]?.elements == [] && document["ntp"]?.elements == [])
    }

    @Test("The table tells streams and loss; the CSV has Wireshark's columns")
    func text() throws {
        let csv = folder.path + "/a.csv"
        let (_, output) = try run { $0.csv = csv }
        #expect(output.contains("s1  rtp   10.0.0.1:4000  10.0.0.2:5004  0x0000abcd  PCMU           49  1 (2.00 %)"))
        let lines = try String(contentsOfFile: csv, encoding: .utf8).split(separator: "\n")
        #expect(lines.first?.hasPrefix("Source Address,Source Port,Destination Address,Destination Port,SSRC,") == true)
        let expected = [
            "10.0.0.1", "4000", "10.0.0.2", "5004", "0x0000abcd", "0.000000000", "0.980000000", "PCMU", "49", "1",
            "20.000000", "20.416667", "40.000000", "", "0.000000", "0.000000", "X",
        ]
        let last = lines.last?.split(separator: ",", omittingEmptySubsequences: false).map { String($0) }
        #expect(last == expected)
    }

    @Test("Two legs are compared, in the document and in words")
    func legs() throws {
        let change: (inout AnalyzeSession) -> Void = {
            ($0.legs, $0.paths, $0.holds) = ([capture, capture], [], ["10ms", "1s"])
        }
        let (_, output) = try run {
            change(&$0)
            $0.json = true
        }
        let legs = try #require(JSONValue(parsing: Array(output.utf8))["legs"]?.elements?.first)
        #expect(legs["expected"]?.integer == 50 && legs["lost"]?.integer == 1 && legs["loss_runs"]?["1"]?.integer == 1)
        #expect(legs["legs"]?.elements?.map { $0["lost"]?.integer } == [1, 1])
        #expect(legs["skew_ns"]?["max"]?.integer == 0 && legs["wait_ns"]?.isNull == true)
        #expect(legs["holds"]?.elements?.map { $0["hold_ns"]?.integer } == [10_000_000, 1_000_000_000])
        #expect(try run(change).output.contains("s1+s2        50"))
    }

    @Test("Streams are chosen by id and SSRC, in words the user can mend")
    func choice() throws {
        for name in ["s1", "0x0000abcd", "43981"] {
            #expect(try run { $0.streams = [name] }.output.contains("s1  rtp"))
        }
        let mistakes: [(inout AnalyzeSession) -> Void] = [
            { $0.streams = ["s2"] }, { $0.clocks = ["96"] }, { $0.clocks = ["200=8000"] },
            { $0.carriages = ["5004=srt"] }, { $0.filter = "udp prot 1" }, { $0.paths = ["-", "-"] },
            { $0.paths = [] }, { $0.sender = "a" }, { $0.receiver = "a" }, { $0.removesClocks = true },
            {
                $0.sender = $0.paths[0]; $0.receiver = $0.paths[0]
            }, { $0.packets = "x" }, { $0.playout = "60ms" },
            { $0.legs = [$0.paths[0]] }, { $0.holds = ["20ms"] },
            { ($0.legs, $0.paths) = (["a", "b", "c"], []) },
            { ($0.legs, $0.paths, $0.holds) = ([capture, capture], [], ["20"]) }, { $0.playout = "fixed:60" },
            { $0.playout = "magic:60ms" }, { $0.playout = "fixed:-1ms" },
        ]
        for mistake in mistakes {
            let error = #expect(throws: UserFacingError.self) { try run(mistake) }
            #expect(error?.exitStatus == 64)
        }
        let error = #expect(throws: UserFacingError.self) { try run { $0.paths = [folder.path + "/nothing"] } }
        #expect(error?.exitStatus == 1)
        #expect(error?.message.hasSuffix("No such file or directory") == true)
        #expect(throws: UserFacingError.self) { try run { $0.paths = ["/dev/zero"] } }
        #expect(throws: UserFacingError.self) { try run { $0.paths = [folder.path] } }
    }
}
