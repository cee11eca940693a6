import Emulator
import Results
import Sessions
import TestSupport
import Testing

@Suite("Lab: a network's stages, asked against measured")
struct LabTests {
    private let scratch: ScratchDirectory

    init() throws { scratch = try ScratchDirectory() }

    /// Runs the lab on links forward.
    private func report(
        _ links: [String], expectations: [String] = []
    ) throws -> (status: Int32, document: JSONValue, err: String) {
        try scratch.write(
            "links.yaml",
            """
            name: links
            duration: 1s
            program:
              substreams: [ { id: audio, kind: audio, synthetic: { codec: mp2, frame_duration: 24ms, bitrate: 192 kbit/s } } ]
            network:
              forward:
            \(links.map { "    - \($0)" }.joined(separator: "\n"))
            receivers: [ { id: tv, playout: { fixed: 100ms } } ]
            """)
        let (console, streams) = try scratch.console()
        var session = LabSession(scratch.path + "/links.yaml", console: console)
        session.packets = 20_000
        session.expectations = expectations
        session.json = true
        let status = try session.run()
        let (out, err) = try streams()
        return (status, try JSONValue(parsing: Array(out.utf8)), err)
    }

    private func failures(_ document: JSONValue) -> [String] {
        (document["checks"]?.elements ?? []).filter { $0["passed"] == false }.map {
            "\($0["link"]?.string ?? "") \($0["stage"]?.string ?? ""): \($0["what"]?.string ?? "")"
        }
    }

    private static var impairments: String {
        let here = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        return "/" + here + "/Traces/scenarios/impairments.yaml"
    }

    @Test("every stage of a scenario that has them all does what it is asked")
    func impairments() throws {
        let (console, streams) = try scratch.console()
        var session = LabSession(Self.impairments, console: console)
        session.packets = 5_000
        session.json = true
        let status = try session.run()
        let document = try JSONValue(parsing: Array(streams().out.utf8))
        #expect(status == 0 && failures(document).isEmpty)
        #expect(document["passed"] == true)
        let stages = Set((document["checks"]?.elements ?? []).compactMap { $0["stage"]?.string })
        #expect(
            stages == [
                "outage", "loss", "corrupt", "policer", "queue", "rate", "duplicate", "delay", "order", "cross traffic",
            ])
    }

    @Test("the document has every check with whole nanoseconds and shares from 0 to 1")
    func document() throws {
        let link = "{ delay: 20ms, jitter: { normal: { deviation: 2ms } }, loss: { bernoulli: 1% } }"
        let document = try report([link]).document
        #expect(document["schema"] == "rubato.lab-network/1" && document["packets"] == 20_000)
        #expect(document["packet_bytes"] == 1_356 && document["confidence"] == .number(0.999) && document["seed"] == 1)
        let checks = document["checks"]?.elements ?? []
        #expect(document["checks_passed"]?.integer == Int64(checks.count) && document["checks_failed"] == 0)
        for check in checks {
            #expect(
                check.members?.map(\.name) == [
                    "link", "since_ns", "stage", "what", "unit", "asked", "measured", "measured_first", "low", "high",
                    "basis", "passed",
                ])
        }
        let median = checks.first { $0["what"] == "median" }
        #expect(median?["unit"] == "ns" && median?["asked"] == 20_000_000 && median?["basis"] == "chance")
        #expect(median?["measured"]?.integer != nil && median?["low"]?.integer != nil)
        let lost = checks.first { $0["what"] == "packets lost" }
        #expect(lost?["unit"] == "ratio" && lost?["asked"] == .number(0.01))
    }

    @Test("text groups checks by link and ends with how many passed; quiet says nothing but what failed")
    func text() throws {
        let (console, streams) = try scratch.console()
        var session = LabSession("iptv", console: console)
        session.packets = 2_000
        #expect(try session.run() == 0)
        let lines = try streams().out.split(separator: "\n").map(String.init)
        #expect(lines.contains("     forward.0") && lines.contains("     reverse.0"))
        #expect(lines.contains { $0.hasPrefix("  ✓    delay    mean") && $0.hasSuffix(" ms") && $0.contains(" ± ") })
        #expect(lines.last?.contains("within their bounds: ") == true)

        let (quietConsole, quietStreams) = try scratch.console()
        session = LabSession("iptv", console: quietConsole)
        session.packets = 2_000
        session.quiet = true
        session.expectations = ["network.forward.0.delay=20ms"]
        #expect(try session.run() == 3)
        #expect(try quietStreams().out.isEmpty && quietStreams().err.contains("delay, median: asked 20.0"))
    }

    @Test("the same seed gives the same report, another one others")
    func seeds() throws {
        func report(_ seed: UInt64) throws -> String {
            let (console, streams) = try scratch.console()
            var session = LabSession("satellite", console: console)
            session.packets = 1_000
            session.seed = seed
            session.json = true
            _ = try session.run()
            return try streams().out
        }
        #expect(try report(5) == report(5))
        #expect(try report(5) != report(6))
    }

    @Test("what cannot be asked is a mistake of usage")
    func usage() throws {
        let (console, _) = try scratch.console()
        func status(_ change: (inout LabSession) -> Void, scenario: String = "iptv") -> Int32? {
            var session = LabSession(scenario, console: console)
            session.packets = 1_000
            change(&session)
            do { return try session.run() } catch { return (error as? UserFacingError)?.exitStatus }
        }
        #expect(status { $0.packets = 999 } == 64 && status { $0.packets = 10_000_001 } == 64)
        #expect(status({ _ in }, scenario: "iptvv") == 64)
        #expect(status { $0.settings = ["network.forward.0.delay=20"] } == 64)
        #expect(status { $0.expectations = ["network.forward.0.dealy=20ms"] } == 64)
        #expect(status { $0.expectations = ["network.forward=[]"] } == 64)
    }
}
