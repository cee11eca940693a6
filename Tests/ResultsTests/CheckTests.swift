import Metrics
@testable import Results
import Sessions
import Testing
import Timebase

@Suite("Checks")
struct CheckTests {
    private let document = Fixture.record(receivers: ["tv", "phone"]).document

    private func result(_ expression: String) throws -> CheckResult {
        try Check(parsing: expression).result(in: document)
    }

    @Test(
        "Limits are converted to the metric's own unit, exactly",
        arguments: [
            ("flows.pdv_ns.p99 <= 45ms", JSONValue.integer(45_000_000)),
            ("flows.pdv_ns.p99<=1.5s", .integer(1_500_000_000)),
            ("flows.pdv_ns.p99 <= 0.3 us", .integer(300)), ("flows.pdv_ns.p99 <= 12µs", .integer(12_000)),
            ("flows.pdv_ns.p99 <= 2 min", .integer(120_000_000_000)), ("flows.pdv_ns.p99 <= 7ns", .integer(7)),
            ("flows.pdv_ns.p99 <= 0", .integer(0)),
            ("flows.pdv_ns.p99 <= 0.5ns", .number(0.5)), ("lip_sync.skew_ns.p5 >= -125ms", .integer(-125_000_000)),
            ("flows.bitrate_bps.sent >= 4 Mbit/s", .integer(4_000_000)),
            ("flows.bitrate_bps.sent >= 192 kbit/s", .integer(192_000)),
            ("lip_sync.within.ebu_r37 >= 99%", .number(0.99)), ("loss <= 0.1%", .number(0.001)),
            ("loss <= 50ppm", .number(0.00005)), ("loss <= 1ppb", .number(1e-9)), ("loss == 0", .integer(0)),
            ("clocks.frequency_ppb.true <= 40 ppm", .integer(40_000)),
            ("clocks.frequency_ppb.true <= 40ppb", .integer(40)),
            ("lip_sync.slope_ns_per_s <= 20ppm", .integer(20_000)), ("substreams.sent.bytes > 1.5 kB", .integer(1500)),
            ("flows.packets.late == 0", .integer(0)), ("flows.mdi.mlr_per_s < 3/s", .integer(3)),
            ("flows.pdv_ns.p99 <= 9223372036854775807ns", .integer(.max)),
        ])
    func limits(_ expression: String, _ limit: JSONValue) throws {
        #expect(try Check(parsing: expression).limit == limit)
    }

    @Test(
        "What is not a check is refused as wrong usage, with the remedy",
        arguments: [
            ("flows.packets.late", "has no comparison"), ("flows.packets.late = 0", "has no comparison"),
            ("flows.packets.lat == 0", "'flows.packets.late'"),
            ("lipsync.skew_ns.p95 <= 45ms", "'lip_sync.skew_ns.p95'"),
            ("skew_ns.p95 <= 45ms", "'lip_sync.skew_ns.p95'"), ("flows.one_way_delay_ns.p96 < 1s", "p95"),
            ("flows.one_way_delay_ns <= 45ms", "is a group"), ("flows.packets.late.p95 == 0", "nothing is below"),
            ("flows.packets.late == 5ms", "does not fit"), ("flows.pdv_ns.p99 <= 5 Mbit/s", "does not fit"),
            ("flows.bitrate_bps.sent >= 4 Mbps", "Mbit/s"), ("flows.pdv_ns.p99 <= soon", "not a number"),
            ("lip_sync.skew_ns.p95 <= 45", "needs a unit"),
            ("loss <= 1", "needs a unit"), ("lip_sync.within.ebu_r37 >= 0.99", "needs a unit"),
            ("flows.packets.late / flows.packets.sent < 0.01", "needs a unit"), ("los <= 1%", "'loss'"),
            ("validity.warnings[x] == y", "not a list"), ("transport_stream.tr101290.NIT_error == 0", "unknown metric"),
            ("flows.bitrate_bps.sent >= 4e6", "needs a unit"),
            ("flows.pdv_ns.p99 <= ", "not a number"), (" <= 3", "not the name"), ("flows..late == 0", "not the name"),
            ("flows].packets.late == 0", "not the name"), ("run[tv].seed == 1", "not a list"),
            ("run.status <= completed", "=="), ("validity.valid == maybe", "true or false"),
            ("flows.packets.late / flows.pdv_ns.p99 < 1", "different units"), ("a / b / c < 1", "more than once"),
            ("transport_stream.tr101290.Continuity_error == 0", "Continuity_count_error"),
        ])
    func refused(_ expression: String, _ part: String) {
        let error = #expect(throws: UserFacingError.self) { try Check(parsing: expression) }
        #expect(error?.exitStatus == 64)
        #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
    }

    @Test(
        "Operators compare as they read",
        arguments: [
            ("flows.packets.late == 5", true), ("flows.packets.late != 5", false), ("flows.packets.late < 5", false),
            ("flows.packets.late <= 5", true), ("flows.packets.late > 4", true), ("flows.packets.late >= 6", false),
            ("lip_sync.skew_ns.max <= 4ms", true), ("lip_sync.skew_ns.max < 4ms", false),
            ("run.status == completed", true), ("run.status != completed", false), ("validity.valid == true", true),
            ("loss <= 1.5%", true), ("loss < 1.5%", false), ("presented >= 99%", true),
            ("presented[audio][tv] > 99.4%", false), ("flows.packets.late / flows.packets.delivered < 1%", true),
            ("flows.loss_runs.4 == 1", true), ("flows.loss_runs.7 == 0", true), ("run.seed == 7", true),
            ("transport_stream[sender].tr101290.Continuity_count_error <= 3", true),
            ("substreams[video][tv].presented.on_time >= 1490", true), ("flows.0.packets.late == 5", true),
            ("flows[1].packets.late == 5", true), ("links[forward.0].drops.loss == 10", true),
        ])
    func operators(_ expression: String, _ passed: Bool) throws {
        #expect(try result(expression).passed == passed)
    }

    @Test("A path through a list holds for every element, and the value is the one that fails")
    func everyElement() throws {
        var record = Fixture.record(receivers: ["tv", "phone"])
        record.measurements.flows[1].late = 9
        let check = try Check(parsing: "flows.packets.late <= 5")
        let result = try check.result(in: record.document)
        #expect(!result.passed)
        #expect(result.value == .integer(9))
        #expect(result.note == "1 of 2 fail: flows[phone]")
        #expect(try Check(parsing: "flows[tv].packets.late <= 5").result(in: record.document).passed)
        #expect(try Check(parsing: "flows.packets.late >= 1").result(in: record.document).value == .integer(5))
    }

    @Test("Null does not pass, whatever the operator", arguments: ["<", "<=", ">", ">=", "==", "!="])
    func null(_ comparison: String) throws {
        let result = try result("flows.round_trip_ns.p99 \(comparison) 0ms")
        #expect(!result.passed)
        #expect(result.value == .null)
        #expect(result.note?.contains("not measured") == true)
    }

    @Test("One null among several does not pass")
    func oneNull() throws {
        var record = Fixture.record(receivers: ["tv", "phone"])
        record.measurements.flows[0].quality.pdv = nil
        let result = try Check(parsing: "flows.pdv_ns.p99 <= 1s").result(in: record.document)
        #expect(!result.passed)
        #expect(result.value == .null)
    }

    @Test("An empty list does not pass")
    func emptyList() throws {
        var record = Fixture.record()
        record.measurements.lipSync = []
        let result = try Check(parsing: "lip_sync.skew_ns.p95 <= 45ms").result(in: record.document)
        #expect(!result.passed)
        #expect(result.value == .null)
    }

    @Test(
        "A percentile of too few samples does not pass, and says how many it takes",
        arguments: [("p5", 20), ("p50", 2), ("p95", 20), ("p99", 100), ("p999", 1_000), ("max", 1), ("mean", 1)]
            as [(String, Int64)])
    func scarce(_ member: String, _ least: Int64) throws {
        var record = Fixture.record(receivers: ["tv", "phone"])
        for (count, passed) in [(least - 1, false), (least, true)] where count > 0 {
            record.measurements.flows[1].quality.pdv = Fixture.distribution(only: 5, times: count)
            let result = try Check(parsing: "flows.pdv_ns.\(member) <= 1s").result(in: record.document)
            #expect(result.passed == passed)
            guard !passed else { continue }
            #expect(result.count == count)
            #expect(
                result.note == "insufficient data: \(count) samples of flows[phone], it takes \(Format.count(least))")
            #expect(!result.value.isNull)
        }
    }

    @Test("A verdict carries the number of its samples, and a check may ask for more of them")
    func counts() throws {
        var record = Fixture.record()
        record.measurements.flows[0].roundTrip = Fixture.distribution(only: 5, times: 2)
        for (expression, count) in [
            ("flows.round_trip_ns.max < 1s", 2), ("flows.pdv_ns.p99 < 1s", 1000), ("loss < 2%", 1000),
            ("flows.packets.late == 5", 1), ("flows.packets.late / flows.packets.delivered < 1%", 990),
            ("flows.session_setup_ns > 0s", 0), ("lip_sync.within.itu_acceptability == 100%", 1000),
            ("flows.interarrival_jitter_ns.mean < 1s", 990),
            ("flows.pdv_ns.p99 / flows.one_way_delay_ns.p99 < 50%", 1000),
        ] as [(String, Int64)] {
            let result = try Check(parsing: expression).result(in: record.document)
            #expect(result.count == count, "\(expression)")
            #expect(result.passed == (count > 0), "\(expression)")
        }
        #expect(try !Check(parsing: "flows.round_trip_ns.max < 1s", leastCount: 3).result(in: record.document).passed)
        record.measurements.lipSync[0].skew = Fixture.distribution(only: 5, times: 5)
        let result = try Check(parsing: "lip_sync.within.itu_detectability >= 99%").result(in: record.document)
        #expect(!result.passed && result.count == 5)
        record.checks = [result]
        let text = Summary(of: record, path: nil, isColoured: false).text
        #expect(text.contains("99.80 %  of 5  insufficient data: 5 samples, it takes 100"), "\(text)")
    }

    @Test("Nothing sent is no loss ratio")
    func nothingSent() throws {
        var record = Fixture.record()
        record.measurements.flows[0].sent = 0
        #expect(try !Check(parsing: "loss <= 100%").result(in: record.document).passed)
    }

    @Test("An element that is not there is refused, before the run too")
    func unknownElement() throws {
        let check = try Check(parsing: "flows[tw].packets.late == 0")
        let error = #expect(throws: UserFacingError.self) { try check.validate(in: document) }
        #expect(error?.description.contains("'tv'") == true)
        #expect(error?.exitStatus == 64)
        #expect(throws: UserFacingError.self) { try check.result(in: document) }
        for name in ["flows[tv]", "flows[0]", "flows.1", "flows[program][phone]"] {
            #expect(throws: Never.self) { try Check(parsing: name + ".packets.late == 0").validate(in: document) }
        }
        for name in ["flows[2]", "flows[tv][phone]", "flows[video]", "substreams[video][tw]"] {
            #expect(throws: UserFacingError.self, "\(name)") {
                try Metric(parsing: name + (name.hasPrefix("f") ? ".packets.late" : ".sent.units"))
                    .values(in: document, labels: ListLabels(of: [document]))
            }
        }
    }

    @Test(
        "A limit is shown with every digit",
        arguments: [
            ("flows.pdv_ns.p99 <= 45.67ms", "flows.pdv_ns.p99 <= 45.67 ms"), ("loss<=7%", "loss <= 7 %"),
            ("loss <= 0.0001%", "loss <= 0.0001 %"), ("flows.pdv_ns.p99 <= 60s", "flows.pdv_ns.p99 <= 60 s"),
            ("flows.bitrate_bps.sent >= 4000001 bit/s", "flows.bitrate_bps.sent >= 4.000001 Mbit/s"),
            ("lip_sync.skew_ns.p5 >= -125ms", "lip_sync.skew_ns.p5 >= -125 ms"),
            ("flows.packets.late < 1000", "flows.packets.late < 1000"),
            ("flows.pdv_ns.p99 > 0", "flows.pdv_ns.p99 > 0 ns"),
            ("clocks.frequency_ppb.true < 40ppm", "clocks.frequency_ppb.true < 40 ppm"),
        ])
    func exactLimit(_ expression: String, _ shown: String) throws {
        #expect(try Check(parsing: expression).expression == shown)
    }

    @Test("A value that misses its limit never looks like it")
    func nearMiss() throws {
        var record = Fixture.record()
        record.measurements.flows[0].quality.pdv = Fixture.distribution(only: 30_000_001)
        let result = try Check(parsing: "flows.pdv_ns.p99 <= 30ms").result(in: record.document)
        #expect(!result.passed)
        #expect(result.valueText == "30.000001 ms")
    }

    /// 985 of 100 ms, 3 of 511.9 ms and 11 of 512.1 ms, which share a bin, and 1 of a second.
    private func crowded(_ cuts: [Int64]) -> Histogram {
        var values = Histogram(cuts: cuts)
        for (value, times) in [(100_000_000, 985), (511_900_000, 3), (512_100_000, 11), (1_000_000_000, 1)] {
            values.add(Int64(value), times: Int64(times))
        }
        return values
    }

    @Test(
        "A verdict on a quantile is decided by counts at the limit, in every direction",
        arguments: [
            ("<= 512ms", false), ("< 512ms", false), (">= 512ms", true), ("> 512ms", true), ("<= 512.1ms", true),
            ("< 512.1ms", false), (">= 512.1ms", true), ("> 512.1ms", false), ("== 512.1ms", true),
            ("!= 512.1ms", false), ("<= 511.9ms", false), ("> 511.9ms", true), ("<= 0.5121s", true),
            ("<= 512099999.5ns", false), (">= 512099999.5ns", true),
        ])
    func decidedByCounts(_ limit: String, _ passed: Bool) throws {
        let check = try Check(parsing: "flows.round_trip_ns.p99 \(limit)")
        let cuts = DistributionCuts(of: [check])[.roundTrip]
        #expect(!cuts.isEmpty)
        var record = Fixture.record()
        record.measurements.flows[0].roundTrip = crowded(cuts).distribution
        let result = record.verdicts(on: [check])[0]
        #expect(result.passed == passed && result.note == nil, "\(result)")
        // What is saved tells the same, and where it was counted.
        #expect(try check.result(in: record.document).passed == passed)
    }

    @Test("A limit within the resolution of what is saved is told")
    func withinResolution() throws {
        var record = Fixture.record()
        record.measurements.flows[0].roundTrip = crowded([]).distribution
        let told = "the limit lies within the resolution of the value, 0.1 % or 1 us"
        for (limit, note) in [("512ms", told), ("511.6ms", told), ("600ms", nil), ("100ms", nil)] {
            let check = try Check(parsing: "flows.round_trip_ns.p99 <= \(limit)")
            #expect(try check.result(in: record.document).note == note)
            #expect(record.verdicts(on: [check])[0].note == nil)
        }
        // The ends are exact, and so is what is always the same.
        #expect(try Check(parsing: "flows.round_trip_ns.max <= 1s").result(in: record.document).note == nil)
        record.measurements.flows[0].roundTrip = Fixture.distribution(only: 512_000_000)
        #expect(try Check(parsing: "flows.round_trip_ns.p99 <= 512ms").result(in: record.document).note == nil)
    }

    @Test("A limit at which not all of a run could be counted is told, if it is near")
    func uncertain() throws {
        let checks = try ["flows.pdv_ns.p99 <= 700ns", "flows.pdv_ns.p99 <= 5ms", "flows.pdv_ns.p50 <= 600ns"]
            .map { try Check(parsing: $0) }
        var variation = PacketDelayVariation(pdvCuts: DistributionCuts(of: checks)[.pdv])
        for number in 0..<1_000 as Range<Int64> {
            let delay = number == 500 ? -300 : number % 10 * 100
            variation.add(number: number, delay: .nanoseconds(delay))
        }
        var record = Fixture.record()
        record.measurements.flows[0].quality.pdv = variation.pdv
        let notes = record.verdicts(on: checks).map { $0.note != nil }
        #expect(notes == [true, false, true])
    }

    @Test("What distributions can be counted at are those of the catalog, and the limits of quantiles alone")
    func cutNames() throws {
        for quantity in DistributionCuts.Quantity.allCases {
            let check = try Check(parsing: "\(quantity.rawValue).p99 <= 5ms")
            #expect(DistributionCuts(of: [check, check])[quantity] == [5_000_000])
        }
        let checks = try ["flows[tv].pdv_ns.p95 < 5ms", "flows.pdv_ns.p5 == 7ns", "flows.pdv_ns.max < 1ms"]
            .map { try Check(parsing: $0) }
        #expect(DistributionCuts(of: checks)[.pdv] == [4_999_999, 6, 7])
        #expect(DistributionCuts(of: checks)[.ipdv].isEmpty)
    }

    @Test("Large integers are compared exactly")
    func exactness() throws {
        var record = Fixture.record()
        record.measurements.flows[0].quality.pdv = Fixture.distribution(only: 9_007_199_254_740_993)
        #expect(try !Check(parsing: "flows.pdv_ns.p99 <= 9007199254740992ns").result(in: record.document).passed)
        #expect(try Check(parsing: "flows.pdv_ns.p99 == 9007199254740993ns").result(in: record.document).passed)
    }
}

@Suite("JUnit XML")
struct JUnitTests {
    @Test("Each check is a test case, and nothing in it can break the XML")
    func document() throws {
        let document = Fixture.record().document
        let checks = [
            try Check(parsing: "flows.packets.late <= 5"), try Check(parsing: "loss < 1%", term: "loss"),
            try Check(parsing: "flows.round_trip_ns.p99 < 1s"),
        ]
        let results = try checks.map { try $0.result(in: document) }
        let text = JUnit.document(run: "a<b>&\"c'\u{1}", results: results, seconds: 0.25)
        #expect(
            text == """
                <?xml version="1.0" encoding="UTF-8"?>
                <testsuites name="rubato" tests="3" failures="2" errors="0" time="0.250">
                  <testsuite name="a&lt;b&gt;&amp;&quot;c&apos;\u{FFFD}" tests="3" failures="2" errors="0" skipped="0" time="0.250">
                    <testcase classname="rubato.a&lt;b&gt;&amp;&quot;c&apos;\u{FFFD}" name="flows.packets.late &lt;= 5" time="0">
                      <properties>
                        <property name="samples" value="1"/>
                      </properties>
                    </testcase>
                    <testcase classname="rubato.a&lt;b&gt;&amp;&quot;c&apos;\u{FFFD}" name="loss: loss &lt; 1 %" time="0">
                      <properties>
                        <property name="samples" value="1000"/>
                      </properties>
                      <failure type="check" message="got 1.50 %, wanted &lt; 1 %">got 1.50 %, wanted &lt; 1 %</failure>
                    </testcase>
                    <testcase classname="rubato.a&lt;b&gt;&amp;&quot;c&apos;\u{FFFD}" name="flows.round_trip_ns.p99 &lt; 1 s" time="0">
                      <properties>
                        <property name="samples" value="0"/>
                      </properties>
                      <failure type="check" message="got n/a, wanted &lt; 1 s">got n/a, wanted &lt; 1 s; \
                not measured: flows[tv].round_trip_ns.p99</failure>
                    </testcase>
                  </testsuite>
                </testsuites>

                """)
    }
}
