import Metrics
import Testing
import Timebase

@Suite("Impaired time")
struct ImpairedTimeTests {
    private func stretch(_ from: Int64, _ to: Int64) -> ClosedRange<TimeSpan> {
        .milliseconds(from) ... .milliseconds(to)
    }

    @Test("units in decoding order make one stretch where they follow each other in presentation's")
    func reordered() {
        var time = ImpairedTime()
        // P at 160, then the three B pictures before it, the last of which closes the row.
        for (from, decode) in [(160, 0), (80, 40), (40, 80), (120, 120)] as [(Int64, Int64)] {
            time.add(stretch(from, from + 40), decode: .milliseconds(decode))
        }
        #expect(time.total == .milliseconds(160) && time.longest == .milliseconds(160))
    }

    @Test("what lies apart is counted together and measured apart")
    func apart() {
        var time = ImpairedTime()
        #expect(time.total == .zero && time.longest == .zero)
        for start in [0, 40, 80, 1_000, 5_000, 5_040] as [Int64] {
            time.add(stretch(start, start + 40), decode: .milliseconds(start))
        }
        #expect(time.total == .milliseconds(240) && time.longest == .milliseconds(120))
    }
}
