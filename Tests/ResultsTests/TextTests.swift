import Metrics
@testable import Results
import Sessions
import Testing
import Timebase

@Suite("Numbers for people")
struct FormatTests {
    @Test(
        "Times have three significant digits and a unit of their size",
        arguments: [
            (0, "0 ns"), (1, "1 ns"), (-1, "-1 ns"), (999, "999 ns"), (1000, "1.00 µs"), (12_345, "12.3 µs"),
            (999_499, "999 µs"), (999_999, "1.00 ms"), (24_349_999, "24.3 ms"), (145_200_000, "145 ms"),
            (-45_000_000, "-45.0 ms"), (1_240_000_000, "1.24 s"), (60_000_000_000, "60.0 s"),
            (3_600_000_000_000, "3,600 s"),
        ] as [(Int64, String)])
    func times(_ nanoseconds: Int64, _ text: String) {
        #expect(Format.time(nanoseconds) == text)
    }

    @Test("A sign is shown where it means something")
    func signs() {
        #expect(Format.time(35_000_000, signed: true) == "+35.0 ms")
        #expect(Format.time(-35_000_000, signed: true) == "-35.0 ms")
        #expect(Format.time(0, signed: true) == "0 ns")
    }

    @Test(
        "Shares never round to all or nothing",
        arguments: [
            (0, "0 %"), (1, "100 %"), (0.0057, "0.57 %"), (0.999999, ">99.99 %"), (1e-9, "<0.001 %"), (0.5, "50.0 %"),
            (0.9943, "99.43 %"), (0.0123, "1.23 %"), (0.0004, "0.040 %"), (.nan, "n/a"),
        ] as [(Double, String)])
    func shares(_ ratio: Double, _ text: String) {
        #expect(Format.share(ratio) == text)
    }

    @Test("Rates, counts and frequencies read as usual")
    func others() {
        #expect(Format.rate(5_312_345) == "5.31 Mbit/s")
        #expect(Format.rate(192_000) == "192 kbit/s")
        #expect(Format.rate(nil) == "n/a")
        #expect(Format.count(48_210) == "48,210")
        #expect(Format.count(-1_234_567) == "-1,234,567")
        #expect(Format.frequency(40_000) == "+40.0 ppm")
        #expect(Format.speed(3620.4) == "3,620×")
        #expect(Format.decimal(-0.004, places: 2) == "0.00")
        #expect(Format.decimal(1234.565, places: 1) == "1,234.6")
    }

    @Test("Columns align by what is seen, whatever the script and the colours")
    func alignment() {
        var table = TextTable(header: ["name", "value"])
        table.add([TextTable.Cell("café", .bold), TextTable.Cell("1 µs", .red)])
        table.add(["テレビ", "1,000 ms"])
        #expect(
            table.lines(StyledText(isColoured: false)) == [
                "  name       value", "  café        1 µs", "  テレビ  1,000 ms",
            ])
        #expect(
            table.lines(StyledText(isColoured: true))[1]
                == "  \u{1B}[1mcafé\u{1B}[0m        \u{1B}[31m1 µs\u{1B}[0m")
        #expect(displayWidth("e\u{301}🎬x") == 4)
    }
}

@Suite("Summary")
struct SummaryTests {
    private func text(_ record: RunRecord) -> String { Summary(of: record, path: "runs/r1", isColoured: false).text }

    @Test("It shows what was measured, and n/a for what was not")
    func contents() throws {
        var record = Fixture.record()
        record.checks = [
            try Check(parsing: "flows.pdv_ns.p99 <= 30ms", term: "jitter").result(in: record.document),
            try Check(parsing: "flows.round_trip_ns.p99 <= 150ms", term: "round_trip_delay").result(
                in: record.document),
        ]
        let lines = text(record).split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
        let expected = [
            "tv ts-rtp 5.31 Mbit/s 5.26 Mbit/s 8.25 % 1,000 1.00 % 5 0",
            "one-way delay, true 20.0 ms 20.5 ms 20.4 ms 22.0 ms 23.0 ms 25.0 ms",
            "error +35.0 ms +35.5 ms +35.4 ms +37.0 ms +38.0 ms +40.0 ms",
            "round trip n/a n/a n/a n/a n/a n/a",
            "Where each packet went every packet met exactly one fate",
            "sent 1,000", "= delivered 990 99.00 %", "used 985 98.50 %", "+ lost on a link 10 1.00 %",
            "tv 6 of 1, 1 of 4; longest 4",
            "✓ jitter <= 30 ms 3.00 ms of 1,000 flows.pdv_ns.p99",
            "✗ round_trip_delay <= 150 ms n/a not measured: flows[tv].round_trip_ns.p99",
            "QoS contract and checks 1 of 2 not kept",
            "speed 3,000× real time: 60.0 s in 20.0 ms, 50,000 packets/s", "run directory runs/r1",
            "digest \(record.measurements.digest.hexadecimal)",
        ]
        for line in expected { #expect(lines.contains(line), "\(line)\nin\n\(text(record))") }
    }

    @Test(
        "The title tells how long it was, and what had been asked for where that was longer",
        arguments: [
            (60_000, "evening  60.0 s in"), (60_300, "evening  60.0 s in"), (59_999, "evening  60.0 s in"),
            (30_500, "evening  30.5 of 60.0 s in"), (500, "evening  500 ms of 60.0 s in"),
        ])
    func title(_ milliseconds: Int64, _ beginning: String) {
        var record = Fixture.record()
        record.measurements.ended = Instant(nanoseconds: milliseconds * 1_000_000)
        #expect(text(record).hasPrefix(beginning), "\(text(record).prefix(60))")
    }

    @Test("Loss runs on the wire are shown where they are others")
    func lossRunsOnWire() {
        var record = Fixture.record()
        #expect(!text(record).contains("on the wire"))
        record.measurements.flows[0].quality.lossRuns = [(length: 10, count: 1)]
        #expect(text(record).contains("    on the wire  1 of 10+; longest 10"))
    }

    @Test("Sums that do not agree are told")
    func sums() {
        var record = Fixture.record()
        record.measurements.flows[0].quality.received -= 1
        #expect(text(record).contains("the sums do not agree: 1 packets of tv unaccounted for"))
    }

    @Test("Many receivers are cut, and counted", arguments: [2, 3, 12, 1000])
    func many(_ count: Int) {
        let text = text(Fixture.record(receivers: (1...count).map { "tv.\($0)" }))
        #expect(text.contains("… and \(Format.count(Int64(count - 10))) more") == (count > 10))
        #expect(text.split(separator: "\n").count < 130)
        #expect(text.split(separator: "\n").allSatisfy { displayWidth(String($0)) <= 100 })
        #expect(!text.contains("\u{1B}"))
    }

    @Test("A run of nothing is no reason to stumble")
    func empty() {
        var record = Fixture.record()
        record.measurements = RunMeasurements()
        #expect(text(record).contains("digest"))
    }

    @Test("Colours appear when asked for, and change nothing else")
    func colours() {
        let record = Fixture.record()
        let coloured = Summary(of: record, path: "runs/r1", isColoured: true).text
        let plain = coloured.split(separator: "\u{1B}", omittingEmptySubsequences: false).enumerated()
            .map { $0 == 0 ? $1 : $1.drop { $0 != "m" }.dropFirst() }.joined()
        #expect(coloured.contains("\u{1B}["))
        #expect(plain == text(record))
    }
}

@Suite("Progress bar")
struct ProgressTests {
    @Test(
        "It shows how far, how fast and how long still",
        arguments: [
            (0, 1, "                         0 %  0 ns of 60.0 s  0.000× real time  ETA n/a"),
            (15, 1, "██████                   25 %  15.0 s of 60.0 s  15.0× real time  ETA 3 s"),
            (31, 2, "████████████▍            51 %  31.0 s of 60.0 s  15.5× real time  ETA 2 s"),
            (61, 4, "████████████████████████ 100 %  61.0 s of 60.0 s  15.3× real time  ETA 0 s"),
        ])
    func bar(_ emulated: Int64, _ wall: Int64, _ text: String) {
        let bar = RunMonitor.bar(
            now: Instant(nanoseconds: emulated * 1_000_000_000), total: .seconds(60), elapsed: wall * 1_000_000_000)
        #expect(bar == text)
    }
}
