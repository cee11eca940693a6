import Metrics
import Testing
import Timebase

@Suite("Concealment")
struct ConcealmentTests {
    /// A letter a frame of 20 ms: G is good, m is missing.
    private func count(_ concealment: Concealment, _ frames: String) -> Int64 {
        var meter = ConcealmentMeter(concealment)
        for frame in frames {
            if frame == "G" { meter.add(good: 1) } else { meter.add(missing: 1, lasting: .milliseconds(20)) }
        }
        return meter.count
    }

    @Test(
        "A repeated frame stands for those that begin before it has faded out",
        arguments: [
            ("GGGG", 60, 0), ("GmG", 60, 1), ("GmmmmmG", 60, 3), ("GmmmmmG", 61, 4), ("GmmmmmG", 1, 1),
            ("GmmGmmmmGm", 60, 6), ("mmmG", 60, 0), ("mGm", 60, 1),
        ])
    func repetition(frames: String, fade: Int64, expected: Int64) {
        #expect(count(.repetition(.milliseconds(fade)), frames) == expected)
    }

    @Test(
        "Only a single missing frame has neighbours to be made of",
        arguments: [("GmG", 1), ("GmmG", 0), ("GmGmGG", 2), ("mG", 0), ("Gm", 0), ("GmmmGmG", 1)])
    func interpolation(frames: String, expected: Int64) {
        #expect(count(.interpolation, frames) == expected)
    }

    @Test(
        "The last good picture stands for all that follow it, and for none before",
        arguments: [("mmGmmG", 2), ("mm", 0), ("Gmmm", 3)])
    func freeze(frames: String, expected: Int64) { #expect(count(.freeze, frames) == expected) }

    @Test("Several frames at once count as one after the other")
    func several() {
        var meter = ConcealmentMeter(.repetition(.milliseconds(60)))
        meter.add(good: 4)
        meter.add(missing: 2, lasting: .milliseconds(20))
        meter.add(good: 0)
        meter.add(missing: 7, lasting: .milliseconds(20))
        #expect(meter.count == 3)
        meter.add(missing: 1, lasting: .zero)
        #expect(meter.count == 3)
    }
}
