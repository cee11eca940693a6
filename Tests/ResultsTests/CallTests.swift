import Metrics
import Testing
import Timebase

@testable import Results

@Suite("Calls in results")
struct CallTests {
    private func record(receivers: [String] = ["phone"]) -> RunRecord {
        var record = Fixture.record(receivers: receivers)
        record.measurements.calls = receivers.map { Fixture.call(receiver: $0) }
        return record
    }

    @Test(
        "R and MOS are checked by the substream's name, with the packets that they are of",
        arguments: [
            ("calls[speech].mos >= 4.38", true), ("calls[speech].mos >= 4.41", false), ("calls.r > 92", true),
            ("calls.simplified.r < 91", true), ("calls[speech].loss.ratio <= 0.3%", true),
            ("calls.loss.units == 3", true), ("calls.delay_ns.mouth_to_ear <= 110ms", true),
            ("calls.delay_ns.buffer == 60ms", true), ("calls.delay_ns.rest == 0", true),
        ])
    func checks(expression: String, passes: Bool) throws {
        let result = try Check(parsing: expression).result(in: record().document)
        #expect(result.passed == passes, "\(expression): \(result.valueText)")
        if expression.contains("mos") { #expect(result.count == 1_000) }
    }

    @Test("of fewer than a hundred packets R and MOS pass no check")
    func fewPackets() throws {
        var record = record()
        record.measurements.calls[0].losses = BurstRatio()
        for _ in 0..<99 { record.measurements.calls[0].losses.add(isLost: false) }
        #expect(try !Check(parsing: "calls.mos >= 1").result(in: record.document).passed)
    }

    @Test("without Ie and Bpl nothing is rated")
    func unknownCodec() throws {
        var record = record()
        record.measurements.calls[0].impairment = nil
        #expect(try !Check(parsing: "calls.mos >= 1").result(in: record.document).passed)
        #expect(Summary(of: record, path: nil, isColoured: false).text.contains("no Ie and Bpl known"))
    }

    @Test("the summary has the rating with both delay terms, and the delay part by part")
    func summary() {
        let text = Summary(of: record(), path: nil, isColoured: false).text
        let lines = text.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
        #expect(lines.contains("packetizing + sending latency + network + playout buffer + rest = mouth to ear"))
        #expect(lines.contains("speech 20.0 ms 0 ns 30.0 ms 60.0 ms 0 ns 110 ms"), "\(text)")
        #expect(text.contains("g711: Ie 0, Bpl 25.1"))
        let both = Summary(of: record(receivers: ["phone", "desk"]), path: nil, isColoured: false).text
        #expect(both.contains("desk speech"))
        #expect(!Summary(of: Fixture.record(), path: nil, isColoured: false).text.contains("E-model"))
    }
}
