import Emulator
import Results
import Sessions
import TestSupport
import Testing

/// A link, a change of what is asked of it, and what must show it.
struct Doctored: Sendable, CustomTestStringConvertible {
    var link: String
    /// "KEY=VALUE" below the link.
    var expectation: String
    /// Of the check that fails.
    var stage: String
    var what: String

    init(_ link: String, _ expectation: String, _ stage: String, _ what: String) {
        (self.link, self.expectation, self.stage, self.what) = (link, expectation, stage, what)
    }

    /// Where no chance is in it a few do.
    var packets: Int { ["rate", "policer", "outage"].contains(stage) ? 2_000 : 20_000 }

    var testDescription: String { "\(link), not \(expectation)" }
}

@Suite("Lab: a network's stages, asked against measured")
struct LabTests {
    private let scratch: ScratchDirectory

    init() throws { scratch = try ScratchDirectory() }

    /// Runs the lab on links forward.
    private func report(
        _ links: [String], packets: Int = 20_000, expectations: [String] = []
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
        session.packets = packets
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

    private static let loss = [
        Doctored("loss: { bernoulli: 1.3% }", "loss.bernoulli=1%", "loss", "packets lost"),
        Doctored(
            "loss: { bernoulli: { loss: 5%, correlation: 50% } }", "loss.bernoulli.correlation=30%", "loss",
            "neighbours both lost"),
        Doctored(
            "loss: { bernoulli: { loss: 5%, correlation: 50% } }", "loss.bernoulli.loss=4%", "loss", "packets lost"),
        Doctored(
            "loss: { bernoulli: { loss: 20%, correlation: 80% } }", "loss.bernoulli.correlation=60%", "loss",
            "mean run of losses"),
        Doctored(
            "loss: { gilbert_elliott: { loss: 5%, mean_burst: 4 } }", "loss.gilbert_elliott.mean_burst=3", "loss",
            "mean run of losses"),
        Doctored(
            "loss: { gilbert_elliott: { loss: 5%, mean_burst: 4, longest_burst: 6 } }",
            "loss.gilbert_elliott.longest_burst=20", "loss", "runs of 8 or more"),
        Doctored(
            "loss: { gilbert_elliott: { p: 5%, r: 50%, loss_bad: 100%, loss_good: 0% } }", "loss.bernoulli=9.0909%",
            "loss", "mean run of losses"),
        Doctored(
            "loss: { markov4: { p13: 2%, p31: 30%, p32: 20%, p23: 50%, p14: 1% } }", "loss.markov4.p14=0.2%", "loss",
            "runs of 1"),
        Doctored("loss: { bit_error_rate: 1.0e-6 }", "loss.bit_error_rate=1.6e-6", "loss", "packets lost"),
        Doctored(
            "loss: { pattern: { drop: [ 5, 6 ], repeat: 100 } }", "loss.pattern.drop=[5, 7]", "loss",
            "packets with another fate than listed"),
        Doctored("corrupt: 2%", "corrupt=3%", "corrupt", "packets damaged"),
        Doctored("duplicate: 2%", "duplicate=1.5%", "duplicate", "packets copied"),
    ]

    private static let delay = [
        Doctored("delay: 20ms", "delay=20.000001ms", "delay", "delay"),
        Doctored(
            "{ delay: 20ms, jitter: { normal: { deviation: 5ms } } }", "jitter.normal.deviation=5.2ms", "delay",
            "deviation"),
        Doctored(
            "{ delay: 20ms, jitter: { normal: { deviation: 5ms } } }", "jitter={ uniform: { half_range: 8.66ms } }",
            "delay", "Kolmogorov-Smirnov distance"),
        Doctored(
            "{ delay: 20ms, jitter: { normal: { deviation: 5ms } } }", "delay=20.2ms", "delay", "mean"),
        Doctored("jitter: { gamma: { mean: 5ms, shape: 2 } }", "jitter.gamma.shape=2.2", "delay", "5 % quantile"),
        Doctored("jitter: { pareto: { mean: 5ms, shape: 1.5 } }", "jitter.pareto.shape=1.6", "delay", "5 % quantile"),
        Doctored(
            "{ delay: 9ms, jitter: { exponential: { mean: 1ms, correlation: 30% } } }",
            "jitter.exponential.correlation=35%", "delay", "autocorrelation, lag 1"),
        Doctored(
            "{ delay: 9ms, jitter: { normal: { deviation: 1ms, reorder: true } } }", "jitter.normal.reorder=false",
            "order", "overtaken, or not as late as law and order have it"),
        Doctored(
            "{ delay: 9ms, jitter: { normal: { deviation: 1ms } } }", "jitter.normal.reorder=true", "order",
            "held up by those ahead"),
        Doctored("{ delay: 9ms, reorder: 2% }", "reorder=1.5%", "order", "packets early"),
    ]

    private static let capacity = [
        Doctored("rate: 6 Mbit/s", "rate=6.00001 Mbit/s", "rate", "rate"),
        Doctored("{ rate: 6 Mbit/s, overhead: ethernet }", "overhead=none", "rate", "rate"),
        Doctored(
            "shaper: { rate: 6 Mbit/s, burst: 20 kB }", "shaper.burst=21 kB", "rate",
            "packets not through at their nanosecond"),
        Doctored(
            "policer: { rate: 6 Mbit/s, burst: 20 kB }", "policer.burst=22 kB", "policer",
            "packets that a bucket would judge otherwise"),
        Doctored(
            "{ rate: 6 Mbit/s, queue: { drop_tail: { limit: 50 packets } } }", "queue.drop_tail.limit=51 packets",
            "queue", "most packets waiting"),
        Doctored(
            "{ rate: 20 Mbit/s, queue: { codel: { target: 10ms } } }", "queue.codel.target=20ms", "queue",
            "mean wait with 12 sources that answer"),
        Doctored(
            "{ rate: 6 Mbit/s, queue: { codel: { interval: 100ms } } }", "queue.codel.interval=110ms", "queue",
            "10th drop after the target was passed"),
        Doctored(
            "{ rate: 6 Mbit/s, queue: { pie: { target: 15ms } } }", "queue.pie.target=25ms", "queue",
            "mean wait at 150 % load"),
        Doctored(
            "{ rate: 6 Mbit/s, queue: { priority: { classes: [ EF, AF41 ] } } }", "queue.priority.classes=[AF41, EF]",
            "queue", "share of AF41, all at 60 % load"),
        Doctored(
            "{ rate: 6 Mbit/s, queue: { wfq: { classes: { EF: { rate: 2 Mbit/s } } } } }",
            "queue.wfq.classes.EF.rate=2.1 Mbit/s", "queue", "share of EF, all at 200 % load"),
        Doctored(
            "{ rate: 9 Mbit/s, cross_traffic: [ { poisson: { rate: 2 Mbit/s, packet: 500 B } } ] }",
            "cross_traffic.0.poisson.rate=2.1 Mbit/s", "cross traffic", "source 0, Poisson: rate"),
        Doctored(
            "{ rate: 9 Mbit/s, schedule: [ { at: 2s, down: 500ms } ] }", "schedule.0.down=501ms", "outage", "length"),
        Doctored(
            "{ rate: 9 Mbit/s, schedule: [ { at: 2s, rate: 5 Mbit/s } ] }", "schedule.0.rate=4 Mbit/s", "rate", "rate"),
    ]

    /// Each link passes as it is, and each check can fail: by the same packets, against another wish.
    @Test("what differs from what was asked is found", arguments: loss + delay + capacity)
    func power(_ doctored: Doctored) throws {
        let honest = try report([doctored.link], packets: doctored.packets)
        #expect(honest.status == 0 && failures(honest.document).isEmpty)
        #expect(honest.err.isEmpty)
        let changed = try report(
            [doctored.link], packets: doctored.packets, expectations: ["network.forward.0." + doctored.expectation])
        #expect(changed.status == 3 && changed.document["passed"] == false)
        let found = failures(changed.document)
        #expect(found.contains("forward.0 \(doctored.stage): \(doctored.what)"), "\(found)")
        #expect(changed.err.contains("not as asked: forward.0 \(doctored.stage)"))
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
