@testable import NetworkEmulation
import Testing
import Timebase

@Suite("Recorded clocks")
struct ClockTraceTests {
    private func at(_ seconds: Int64) -> Instant { .zero + .seconds(seconds) }

    @Test("offsets in seconds without a header, in the units of one")
    func offsets() throws {
        let plain = try ClockTrace(Array("# recorded\n0,0.001\n10,0.002\n20,-0.0005\n".utf8))
        let expected = ClockTrace.offsets([
            (at: at(0), offset: .milliseconds(1)), (at: at(10), offset: .milliseconds(2)),
            (at: at(20), offset: .microseconds(-500)),
        ])
        #expect(plain == expected)
        #expect(try ClockTrace(Array("offset_us;time_ms\n1000;0\n2000;10000\n-500;20000\n".utf8)) == expected)
    }

    @Test("frequencies where the header says so")
    func frequencies() throws {
        let trace = try ClockTrace(Array("time_s,frequency_ppm\n0,1.5\n60,-2\n".utf8))
        let expected: [(at: Instant, frequency: Int64)] = [(at(0), 1_500_000_000_000), (at(60), -2_000_000_000_000)]
        #expect(trace == .frequencies(expected))
        let finer = try ClockTrace(Array("time_s,frequency_ppb\n0,1500\n60,-2000\n".utf8))
        #expect(finer == trace)
    }

    @Test(
        "what cannot be is told with its line",
        arguments: [
            ("0,0\n10,x\n", "line 2: 'x' is not valid; expected offset in s, from -366 to 366 days"),
            ("0,0\n10,1\n10,2\n", "line 3: '10' is not valid; expected time above the row above's"),
            ("0,0\n10,-6\n", "line 2: expected an offset that since the row above has lost at most half"),
            ("0,0\n1,0\n2,2.1\n", "line 3: expected an offset"),
            ("time_s,drift\n0,1\n", "expected a column offset_s or offset_ms"),
            (
                "time_s,frequency_ppm\n0,200000\n",
                "line 2: '200000' is not valid; expected frequency in ppm, from -100000"
            ),
            ("", "expected at least one row"),
        ])
    func problems(text: String, sentence: String) {
        let error = #expect(throws: TraceProblem.self) { try ClockTrace(Array(text.utf8)) }
        #expect(error?.description.contains(sentence) == true, "\(error?.description ?? "")")
    }
}
