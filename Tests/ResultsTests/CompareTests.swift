import Metrics
@testable import Results
import Sessions
import TestSupport
import Testing
import Timebase

@Suite("Comparison of saved runs")
struct CompareTests {
    private let scratch: ScratchDirectory

    init() throws {
        scratch = try ScratchDirectory()
        var before = Fixture.record(receivers: ["tv"])
        before.measurements.flows[0].quality.oneWayDelay = Fixture.distribution(only: 20_000_000)
        before.measurements.lipSync[0].skew = Fixture.distribution(only: -30_000_000)
        try save("a", before, "name: evening\nnetwork:\n  forward:\n    - delay: 20ms\n      loss: { bernoulli: 1% }\n")
        var after = before
        after.measurements.flows[0].quality.oneWayDelay = Fixture.distribution(only: 25_000_000)
        after.measurements.flows[0].late = 0
        after.measurements.flows[0].quality.pdv = Fixture.distribution(999, p5: 1_001)
        after.measurements.flows[0].quality.bitsPerSecond = 5_000_000
        after.measurements.lipSync[0].skew = Fixture.distribution(only: 10_000_000)
        after.measurements.digest.add(9, 9, 9, 9, 9)
        try save("b", after, "name: evening\nnetwork:\n  forward:\n    - delay: 25ms\n      queue: { codel: {} }\n")
    }

    private func save(_ name: String, _ record: RunRecord, _ scenario: String) throws {
        try scratch.write(name + "/run.json", record.document.text)
        try scratch.write(name + "/resolved.yaml", scenario)
    }

    private func compare(_ names: [String] = ["a", "b"], on: [String] = [], allowance: Double? = nil) throws
        -> RunComparison
    {
        try RunComparison(
            of: names.map { try SavedRun(reading: scratch.path + "/" + $0) }, on: on, allowance: allowance)
    }

    @Test("The scenario's differences are named by path")
    func scenario() throws {
        #expect(
            try compare().scenarioDifferences == [
                .init(path: "network.forward.0.delay", values: ["20ms", "25ms"]),
                .init(path: "network.forward.0.loss.bernoulli", values: ["1%", nil]),
                .init(path: "network.forward.0.queue.codel", values: [nil, "{}"]),
            ])
    }

    @Test("Changes are absolute and relative to the first run")
    func changes() throws {
        let comparison = try compare(on: ["flows.one_way_delay_ns.p95", "loss", "flows.round_trip_ns.p50"])
        let rows = comparison.rows
        #expect(rows.map(\.label) == ["flows[tv].one_way_delay_ns.p95", "loss[tv]", "flows[tv].round_trip_ns.p50"])
        #expect(rows[0].values == [.integer(20_000_000), .integer(25_000_000)])
        #expect(rows[0].change(1) == .integer(5_000_000))
        #expect(rows[0].relativeChange(1) == 0.25)
        #expect(rows[1].values == [.number(0.015), .number(0.01)])
        #expect(rows[2].values == [.null, .null])
        #expect(rows[2].change(1) == .null)
        #expect(rows[2].relativeChange(1) == nil)
    }

    @Test("Where the scenarios' clocks differ, what became of the clocks is compared as well")
    func clocks() throws {
        let own = try compare().rows.map(\.label)
        #expect(!own.contains { $0.hasPrefix("clocks") })
        try save("c", Fixture.record(receivers: ["tv"]), "name: evening\nclocks: { synchronization: { ntp: {} } }\n")
        let labels = try compare(["a", "c"]).rows.map(\.label)
        #expect(labels.filter { !$0.hasPrefix("clocks") && !$0.contains("delay_error") } == own)
        for metric in ["offset_error_ns.mean", "offset_error_ns.p95", "bound_violations"] {
            #expect(labels.contains { $0.hasPrefix("clocks") && $0.hasSuffix(metric) }, "\(metric)")
        }
    }

    @Test("A group stands for all that is in it")
    func group() throws {
        let labels = try compare(on: ["lip_sync.skew_ns", "links[forward.0].drops"]).rows.map(\.label)
        #expect(labels.count == 15)
        #expect(labels.first == "lip_sync[tv].skew_ns.count")
        #expect(labels.last == "links[forward.0].drops.policed")
    }

    @Test(
        "A metric that gets worse in its own direction by more than allowed is a regression",
        arguments: [
            ("flows.one_way_delay_ns.p95", 0.2, RunComparison.Verdict.regression),
            ("flows.one_way_delay_ns.p95", 0.25, .good), ("flows.packets.late", 0, .good), ("loss", 0, .good),
            ("flows.bitrate_bps.delivered", 0.01, .regression), ("flows.bitrate_bps.delivered", 0.06, .good),
            ("lip_sync.skew_ns.p50", 0, .good), ("flows.packets.sent", 0, .notJudged),
            ("flows.round_trip_ns.p50", 0, .notJudged),
            ("flows.pdv_ns.min", 0, .good), ("flows.pdv_ns.p5", 0, .regression),
        ])
    func verdicts(_ metric: String, _ allowance: Double, _ verdict: RunComparison.Verdict) throws {
        let comparison = try compare(on: [metric], allowance: allowance)
        #expect(comparison.rows.map(\.verdict) == [verdict])
        #expect(comparison.passed == (verdict == .good))
    }

    @Test("What is no longer measured, and what was zero and is not, are regressions")
    func lost() throws {
        var record = Fixture.record()
        record.measurements.flows[0].quality.oneWayDelay = nil
        record.measurements.flows[0].quality.reordered = 1
        record.measurements.digest.add(8, 8, 8, 8, 8)
        try save("c", record, "name: evening\n")
        for metric in ["flows.one_way_delay_ns.p95", "flows.packets.reordered"] {
            #expect(try compare(["a", "c"], on: [metric], allowance: 0.5).passed == false)
        }
    }

    @Test("Runs in which the same happened are not worse than each other, whatever their checks made exact")
    func same() throws {
        var record = Fixture.record()
        record.measurements.flows[0].quality.reordered = 1
        try save("d", record, "name: evening\n")
        #expect(try compare(["a", "d"], on: ["flows.packets.reordered"], allowance: 0).passed == true)
        record.measurements.digest.add(8, 8, 8, 8, 8)
        try save("e", record, "name: evening\n")
        #expect(try compare(["a", "e"], on: ["flows.packets.reordered"], allowance: 0).passed == false)
    }

    @Test("Elements are matched by what they are, not by their place")
    func matching() throws {
        var record = Fixture.record(receivers: ["phone", "tv"])
        record.measurements.flows[1].late = 77
        try save("c", record, "name: evening\n")
        let rows = try compare(["a", "c"], on: ["flows.packets.late"]).rows
        #expect(rows.map(\.label) == ["flows[tv].packets.late", "flows[phone].packets.late"])
        #expect(rows.map(\.values) == [[.integer(5), .integer(77)], [.null, .integer(5)]])
        let video = try compare(["a", "c"], on: ["substreams[video].presented.late"]).rows.map(\.label)
        #expect(video == ["substreams[video][tv].presented.late", "substreams[video][phone].presented.late"])
    }

    @Test("Text and JSON tell the same, exit status included")
    func session() throws {
        let paths = ["a", "b"].map { scratch.path + "/" + $0 }
        let (console, streams) = try scratch.console()
        var session = CompareSession(paths, console: console)
        #expect(try session.run() == 0)
        let text = try streams().out
        #expect(text.contains("network.forward.0.delay"))
        #expect(text.contains("+5.00 ms"))
        #expect(text.contains("+25.0 %"))
        #expect(text.contains("loss[tv]"))
        let (second, secondStreams) = try scratch.console()
        session = CompareSession(paths, console: second)
        session.json = true
        session.on = ["flows.one_way_delay_ns.p95, flows.packets.late"]
        session.failOnRegression = "5%"
        #expect(try session.run() == 3)
        let (out, err) = try secondStreams()
        let document = try JSONValue(parsing: Array(out.utf8))
        #expect(document["schema"] == "rubato.comparison/1")
        #expect(document["metrics"]?.elements?.count == 2)
        #expect(document["regressions"] == ["flows[tv].one_way_delay_ns.p95"])
        #expect(document["passed"] == false)
        #expect(err == "rubato: regression: flows[tv].one_way_delay_ns.p95\n")
    }

    @Test("What is no run is told by name")
    func notRuns() throws {
        try scratch.write("empty/x", "")
        try scratch.write("damaged/run.json", "{\"schema\": ")
        try scratch.write("other/run.json", "{\"schema\": \"rubato.analysis/1\"}")
        for (name, part) in [
            ("absent", "does not exist"), ("empty", "has no run.json"), ("damaged", "line 1, column 12"),
            ("other", "rubato.analysis/1"),
        ] {
            let error = #expect(throws: UserFacingError.self) { try SavedRun(reading: scratch.path + "/" + name) }
            #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
            #expect(error?.exitStatus == 1)
        }
        try scratch.write("old/run.json", "{\"schema\": \"rubato.run/1\"}")
        let outdated = #expect(throws: UserFacingError.self) {
            try CompareSession(["a", "old"].map { scratch.path + "/" + $0 }, console: try scratch.console().0).run()
        }
        let text = outdated?.description ?? ""
        #expect(text.contains("old' is rubato.run/1, written by an earlier version") && outdated?.exitStatus == 64)
        #expect(text.contains("those of rubato.run/2") && text.contains("/old/resolved.yaml"))
        #expect(throws: UserFacingError.self) { try compare(["a"]) }
        #expect(throws: UserFacingError.self) { try compare(on: ["flows.packets.lat"]) }
        #expect(throws: UserFacingError.self) { try compare(on: ["run.status"]) }
    }
}
