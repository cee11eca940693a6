import Metrics
import Testing
import Timebase

@Suite("Lower envelope of a series")
struct LowerEnvelopeTests {
    @Test("Delays above a line that some touch give that line exactly")
    func line() throws {
        let key = DrawKey(seed: 3)
        var envelope = LowerEnvelope()
        // 5 ms and 30 ppm below up to 8 ms of noise; the first and the last of all touch the line.
        for number in 0..<5000 as Range<Int64> {
            let x = number * 20_000_000
            let noise = number == 0 || number == 4999 ? 0 : Int64(key.draw(number) % 8_000_000)
            envelope.add(x: x, y: 5_000_000 + x / 1_000_000 * 30 + noise)
        }
        #expect(try #require(envelope.slope) == 30e-6)
        #expect(envelope.value(at: 0) == 5_000_000)
        let last: Int64 = 5_000_000 + 4999 * 20 * 30
        #expect(envelope.value(at: 4999 * 20_000_000) == last)
    }

    @Test("No point is below, and no line below all points is closer to them")
    func best() throws {
        let key = DrawKey(seed: 4)
        var envelope = LowerEnvelope()
        let points = (0..<200 as Range<Int64>).map { (x: $0 * 1000, y: Int64(key.draw($0) % 100_000) - $0 * 90) }
        for point in points { envelope.add(x: point.x, y: point.y) }
        let slope = try #require(envelope.slope)
        #expect(points.allSatisfy { $0.y >= envelope.value(at: $0.x) ?? .max })
        func distance(_ slope: Double) -> Double {
            // The highest line of a slope that is below all points touches one of them.
            let level = points.map { Double($0.y) - slope * Double($0.x) }.min() ?? 0
            return points.reduce(0) { $0 + Double($1.y) - slope * Double($1.x) - level }
        }
        let least = distance(slope)
        for step in -2000...2000 { #expect(distance(slope + Double(step) * 0.005) >= least - 1e-3) }
    }

    @Test("One x gives its least y, and no slope; no point gives nothing")
    func degenerate() {
        var envelope = LowerEnvelope()
        #expect(envelope.slope == nil && envelope.value(at: 0) == nil && envelope.minimum == nil)
        envelope.add(x: 7, y: 5)
        envelope.add(x: 7, y: -3)
        envelope.add(x: 7, y: 9)
        #expect(envelope.slope == nil && envelope.value(at: 100) == -3 && envelope.minimum == -3)
    }

    @Test("The ends of what it may be given do not overflow")
    func extremes() {
        var envelope = LowerEnvelope()
        let bound: Int64 = 1 << 61
        for (x, y) in [(-bound, bound), (0, -bound), (bound, bound)] { envelope.add(x: x, y: y) }
        #expect(envelope.value(at: bound) == bound || envelope.value(at: -bound) == bound)
        #expect(envelope.minimum == -bound)
    }
}
