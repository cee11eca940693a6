import Capture
import Glibc
import Metrics
@testable import Results
import Scenario
import Sessions
import TestSupport
import Testing
import Timebase

@Suite("Sessions")
struct SessionTests {
    private let scratch: ScratchDirectory

    init() throws { scratch = try ScratchDirectory() }

    private func prepared(
        _ request: RunRequest = RunRequest(scenario: ""), contract: [String] = [], payload: String = "media",
        status: RunStatus = .completed
    ) throws -> PreparedRun {
        PreparedRun(
            identity: Fixture.record().identity, scenarioText: "name: evening\n",
            contract: try contract.map { try Check(parsing: $0, term: "jitter") }, planned: { Fixture.record() }
        ) { directory, monitor in
            try directory.write("sent.ts", payload)
            monitor.report(Instant(nanoseconds: 1))
            return RunOutcome(measurements: Fixture.measurements(), status: status)
        }
    }

    private func session(
        _ console: Console, contract: [String] = [], payload: String = "media", status: RunStatus = .completed
    ) -> RunSession {
        var session = RunSession(RunRequest(scenario: "evening"), console: console) { request in
            try prepared(request, contract: contract, payload: payload, status: status)
        }
        session.out = scratch.path + "/r1"
        return session
    }

    @Test("A run leaves a whole directory whose run.json lists every other file")
    func run() throws {
        let (console, streams) = try scratch.console()
        #expect(try session(console, contract: ["flows.pdv_ns.p99 <= 30ms"]).run() == 0)
        #expect(
            try FileTree.names(in: scratch.path + "/r1") == ["resolved.yaml", "run.json", "scenario.yaml", "sent.ts"])
        let document = try SavedRun(reading: scratch.path + "/r1").document
        let paths = document["artifacts"]?.elements?.compactMap { $0["path"]?.string }
        #expect(paths == ["resolved.yaml", "scenario.yaml", "sent.ts"])
        #expect(document["qos"]?["passed"] == true)
        #expect(document["qos"]?["checks"]?.elements?[0]["limit"] == 30_000_000)
        let (out, err) = try streams()
        #expect(out.contains("run directory  \(scratch.path)/r1"))
        #expect(err.isEmpty)
    }

    @Test("A check that fails gives 3, and JUnit and JSON say which")
    func failing() throws {
        let (console, streams) = try scratch.console()
        var session = session(console)
        session.json = true
        session.checks = ["flows.packets.late == 0", "flows.packets.sent > 0"]
        session.junit = scratch.path + "/junit.xml"
        #expect(try session.run() == 3)
        let (out, err) = try streams()
        let document = try JSONValue(parsing: Array(out.utf8))
        #expect(document["qos"]?["checks"]?.elements?.map { $0["passed"] } == [false, true])
        #expect(out == (try scratch.text("r1/run.json")))
        #expect(err.hasPrefix("rubato: check failed: flows.packets.late == 0: got 5\n"))
        #expect(err.split(separator: "\n").allSatisfy { $0.hasPrefix("rubato: ") })
        #expect(try scratch.text("junit.xml").contains("failures=\"1\""))
    }

    @Test("Where checks want quantiles to be counted is told before the run, and again before it is verified")
    func cuts() throws {
        let (console, _) = try scratch.console()
        var told: [Int64] = []
        var session = RunSession(RunRequest(scenario: "evening"), console: console) { request in
            told = request.cuts[.pdv]
            return try prepared(request)
        }
        session.out = scratch.path + "/r1"
        session.checks = ["flows.pdv_ns.p99 <= 30ms", "flows[tv].pdv_ns.p50 <= 7ms", "flows.packets.late < 9"]
        #expect(try session.run() == 0)
        #expect(told == [30_000_000, 7_000_000])
        #expect(DistributionCuts(of: try SavedRun(reading: scratch.path + "/r1").checks)[.pdv] == told)
    }

    @Test("Quiet says nothing when all is well")
    func quiet() throws {
        let (console, streams) = try scratch.console()
        var session = session(console)
        session.quiet = true
        #expect(try session.run() == 0)
        #expect(try streams() == ("", ""))
    }

    @Test(
        "A contract that holds over a run that presented little, and does not speak of it, is warned of",
        arguments: [
            (1349, ["flows.packets.late <= 5"], true), (1350, ["flows.packets.late <= 5"], false),
            (1349, ["flows.packets.late <= 4"], false), (1349, [], false),
            (1349, ["flows.packets.late <= 5", "presented >= 80%"], false),
        ] as [(Int64, [String], Bool)])
    func fewPresented(_ onTime: Int64, _ contract: [String], _ isWarned: Bool) throws {
        var record = Fixture.record()
        record.measurements.substreams[0].onTime = onTime
        record.judge(by: try contract.map { try Check(parsing: $0, term: "term") })
        let warning = RunWarning.fewPresented(receiver: "tv", substream: "video", onTime: onTime, sent: 1500)
        #expect(record.measurements.warnings == (isWarned ? [warning] : []))
        let text = "tv: 1349 of 1500 units of 'video' were presented on time"
        #expect(Summary(of: record, path: nil, isColoured: false).text.contains(text) == isWarned)
    }

    @Test("Mistakes in checks are told together, before anything is written")
    func mistakes() throws {
        let (console, _) = try scratch.console()
        var session = session(console)
        session.checks = ["flows.packets.lat == 0", "lip_sync.skew_ns.p95 <= 45 lightyears"]
        let error = #expect(throws: UserFacingError.self) { try session.run() }
        #expect(error?.exitStatus == 64)
        #expect(error?.description.contains("flows.packets.late") == true)
        #expect(error?.description.contains("lightyears") == true)
        session.checks = ["flows[tw].packets.late == 0"]
        #expect(throws: UserFacingError.self) { try session.run() }
        #expect(FileTree.kind(of: scratch.path + "/r1") == nil)
    }

    @Test("A run that fails leaves nothing, under any name")
    func failure() throws {
        let (console, _) = try scratch.console()
        var session = RunSession(RunRequest(scenario: "evening"), console: console) { _ in
            var run = try prepared()
            run.execute = { directory, _ in
                try directory.write("sent.ts", "half")
                throw SystemError(operation: "write", path: "sent.ts", code: ENOSPC)
            }
            return run
        }
        session.out = scratch.path + "/runs/r1"
        #expect(throws: SystemError.self) { try session.run() }
        #expect(try FileTree.names(in: scratch.path) == ["err", "out"])
    }

    @Test("An interrupted run is whole, and gives 130")
    func interrupted() throws {
        let (console, _) = try scratch.console()
        #expect(try session(console, contract: ["flows.packets.late == 0"], status: .interrupted).run() == 130)
        #expect(try SavedRun(reading: scratch.path + "/r1").fact("status") == "interrupted")
    }

    @Test("The resolved scenario is printed, as text and as JSON, and nothing is run")
    func printResolved() throws {
        for (json, expected) in [
            (false, "name: evening\nseed: 7\n"), (true, "{\n  \"name\": \"evening\",\n  \"seed\": 7\n}\n"),
        ] {
            let (console, streams) = try scratch.console()
            var session = session(console)
            session.printsResolved = true
            session.json = json
            #expect(try session.run() == 0)
            #expect(try streams().out == expected)
        }
        #expect(FileTree.kind(of: scratch.path + "/r1") == nil)
    }

    @Test("A run that comes out the same verifies; one byte more does not")
    func verify() throws {
        let (console, _) = try scratch.console()
        var checked = session(console)
        checked.checks = ["flows.packets.sent > 0"]
        #expect(try checked.run() == 0)
        func verify(_ payload: String) throws -> (status: Int32, out: String) {
            let (console, streams) = try scratch.console()
            let session = VerifySession(scratch.path + "/r1", console: console) { request in
                #expect(request.scenario == scratch.path + "/r1/resolved.yaml")
                return try prepared(request, payload: payload)
            }
            let status = try session.run()
            return (status, try streams().out)
        }
        let same = try verify("media")
        #expect(same.status == 0)
        #expect(same.out.contains("identical: 2 files and the digest"))
        let judged = try scratch.text("r1/run.json")
        let edited = judged.replacing("\"passed\": true", with: "\"passed\": false")
        #expect(edited != judged)
        try scratch.write("r1/run.json", edited)
        let verdict = try verify("media")
        #expect(
            verdict.status == 3 && verdict.out.contains("2 values of run.json differ, the first is qos.passed"),
            "\(verdict.out)")
        try scratch.write("r1/run.json", judged)
        let other = try verify("medio")
        #expect(other.status == 3)
        #expect(other.out.contains("sent.ts differs from byte 4 on"))
        try scratch.write("r1/sent.ts", "tampered")
        #expect(try verify("media").out.contains("sent.ts was changed after the run"))
        try FileTree.remove(scratch.path + "/r1/sent.ts")
        #expect(try verify("media").out.contains("sent.ts is missing in the saved run"))
        #expect(try FileTree.names(in: scratch.path).sorted() == ["err", "out", "r1"])
    }

    @Test("A closed reader is no error; a full disk is")
    func standardOutput() throws {
        signal(SIGPIPE, SIG_IGN)
        var ends: [Int32] = [0, 0]
        pipe(&ends)
        close(ends[0])
        let piped = Console(outputDescriptor: ends[1], errorDescriptor: 2, isColoured: false, showsProgress: false)
        #expect(try session(piped).run() == 0)
        close(ends[1])
        let full = open("/dev/full", O_WRONLY)
        defer { close(full) }
        var second = session(
            Console(outputDescriptor: full, errorDescriptor: 2, isColoured: false, showsProgress: false))
        second.force = true
        let error = #expect(throws: SystemError.self) { try second.run() }
        #expect(error?.message == "cannot write standard output: No space left on device")
    }

    @Test("Presets are listed and shown; a wrong name is told with the nearest")
    func presets() throws {
        let (console, streams) = try scratch.console()
        let session = PresetsSession(console: console)
        #expect(try session.list() == 0)
        #expect(try session.show("iptv") == 0)
        let preset = try #require(Preset.named("iptv"))
        let out = try streams().out
        #expect(out.contains("\niptv         \(preset.summary)\n             \(preset.source)\n"))
        #expect(Preset.all.allSatisfy { out.contains($0.source) } && out.hasSuffix("\n" + preset.yaml))
        let error = #expect(throws: UserFacingError.self) { try session.show("ipvt") }
        #expect(error?.description.contains("did you mean 'iptv'?") == true)
    }

    @Test("The date in a name is UTC and sorts")
    func stamp() {
        #expect(utcStamp(unixSeconds: 1_577_836_800) == "20200101T000000Z")
        #expect(utcStamp(unixSeconds: 951_782_399) == "20000228T235959Z")
    }
}
