import NetworkEmulation
import Testing
import Timebase

/// The largest distance between a sample's distribution and `cumulative`, times √n (Kolmogorov and Smirnov): above
/// 2.3 once in 20,000 times for a sample of that law.
func kolmogorovSmirnov(_ sample: [Int64], _ cumulative: (Double) -> Double) -> Double {
    let sorted = sample.sorted()
    let count = Double(sorted.count)
    var distance = 0.0
    for (index, value) in sorted.enumerated() {
        let expected = cumulative(Double(value))
        distance = max(distance, abs(expected - Double(index) / count), abs(expected - Double(index + 1) / count))
    }
    return distance * count.squareRoot()
}

/// Φ, by numerical integration of the density between knots of a thousandth: for tests only.
struct NormalCumulative {
    private let knots: [Double]

    init() {
        var sum = 0.5
        var knots = [sum]
        for step in 0..<6_000 {
            let (a, b) = (Double(step) / 1_000, Double(step + 1) / 1_000)
            sum += (Self.density(a) + 4 * Self.density((a + b) / 2) + Self.density(b)) / 6_000
            knots.append(sum)
        }
        self.knots = knots
    }

    /// e^(−x²/2) / √(2π), e^y by its series after halving y ten times.
    private static func density(_ x: Double) -> Double {
        let y = -x * x / 2 / 1_024
        var (term, sum) = (1.0, 1.0)
        for n in 1...12 {
            term *= y / Double(n)
            sum += term
        }
        for _ in 0..<10 { sum *= sum }
        return sum / (2 * Double.pi).squareRoot()
    }

    func callAsFunction(_ x: Double) -> Double {
        let magnitude = min(abs(x), 5.999)
        let position = magnitude * 1_000
        let index = Int(position)
        let value = knots[index] + (knots[index + 1] - knots[index]) * (position - Double(index))
        return x < 0 ? 1 - value : value
    }
}

@Suite("Link: delay and jitter")
struct DelayTests {
    /// Travelling times of packets so far apart that none waits for another.
    static func travel(_ jitter: QuantileTable, delay: TimeSpan, count: Int, seed: UInt64) -> [Int64] {
        var link = Link(delay: delay, jitter: jitter, seed: seed)
        let packets = (0..<UInt32(count)).map {
            Packet(number: $0, at: Instant(nanoseconds: Int64($0) * 1_000_000_000))
        }
        return link.pass(packets).departures.map { ($0.time - $0.sent).nanoseconds }
    }

    @Test("uniform jitter is uniform around the delay", arguments: [1, 2, 3] as [UInt64])
    func uniform(seed: UInt64) {
        let sample = Self.travel(
            .uniform(halfRange: .milliseconds(5)), delay: .milliseconds(20), count: 100_000, seed: seed)
        #expect(kolmogorovSmirnov(sample) { ($0 - 15e6) / 10e6 } < 2.3, "seed \(seed)")
        #expect(sample.allSatisfy { $0 >= 15_000_000 && $0 <= 25_000_000 })
    }

    @Test(
        "normal jitter is normal around the delay, cut where the total would be negative",
        arguments: [1, 2] as [UInt64])
    func normal(seed: UInt64) {
        let cumulative = NormalCumulative()
        let sample = Self.travel(
            .normal(deviation: .milliseconds(2)), delay: .milliseconds(20), count: 100_000, seed: seed)
        #expect(kolmogorovSmirnov(sample) { cumulative(($0 - 20e6) / 2e6) } < 2.3, "seed \(seed)")
        let cut = Self.travel(.normal(deviation: .milliseconds(2)), delay: .milliseconds(1), count: 100_000, seed: seed)
        let zeros = Double(cut.count { $0 == 0 }) / 100_000
        let expected = cumulative(-0.5)
        #expect(abs(zeros - expected) < 5 * (expected * (1 - expected) / 100_000).squareRoot())
        #expect(cut.allSatisfy { $0 >= 0 })
    }

    @Test(
        "jitter never reorders, and a packet leaves at its own time or with the one ahead",
        arguments: [1, 2] as [UInt64])
    func orderPreserving(seed: UInt64) {
        let jitter = QuantileTable.uniform(halfRange: .milliseconds(30))
        let free = Self.travel(jitter, delay: .milliseconds(30), count: 20_000, seed: seed)
        var link = Link(delay: .milliseconds(30), jitter: jitter, seed: seed)
        let packets = (0..<20_000 as Range<UInt32>).map {
            Packet(number: $0, at: Instant(nanoseconds: Int64($0) * 1_000_000))
        }
        let departures = link.pass(packets).departures
        #expect(departures.map(\.number) == packets.map(\.number))
        var latest = Int64.min
        for (packet, delay) in zip(departures, free) {
            latest = max(latest, packet.sent.nanoseconds + delay)
            #expect(packet.time.nanoseconds == latest)
        }
    }

    @Test("a packet's jitter does not depend on which other packets come by")
    func purity() {
        let jitter = QuantileTable.normal(deviation: .milliseconds(2))
        let all = Self.travel(jitter, delay: .milliseconds(20), count: 5_000, seed: 1)
        var link = Link(delay: .milliseconds(20), jitter: jitter, seed: 1)
        let some = (0..<5_000 as Range<UInt32>).filter { $0 % 7 == 3 }.map {
            Packet(number: $0, at: Instant(nanoseconds: Int64($0) * 1_000_000_000))
        }
        for packet in link.pass(some).departures {
            #expect((packet.time - packet.sent).nanoseconds == all[Int(packet.number)])
        }
        // Copies and other flows have draws of their own.
        for other in [Packet(number: 5, copy: 1), Packet(number: 5, flow: 1)] {
            var link = Link(delay: .milliseconds(20), jitter: jitter, seed: 1)
            #expect(link.pass([other]).departures.first?.time.nanoseconds != all[5])
        }
    }
}
