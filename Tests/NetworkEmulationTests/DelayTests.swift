import NetworkEmulation
import Testing
import Timebase

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

    @Test("normal jitter lies around the delay, cut where the total would be negative", arguments: [1, 2] as [UInt64])
    func cut(seed: UInt64) {
        let sample = Self.travel(
            .normal(deviation: .milliseconds(2)), delay: .milliseconds(1), count: 100_000, seed: seed)
        let zeros = Double(sample.count { $0 == 0 }) / 100_000
        // Φ(−½)
        let expected = 0.308_537_5
        #expect(abs(zeros - expected) < 5 * (expected * (1 - expected) / 100_000).squareRoot(), "seed \(seed)")
        #expect(sample.allSatisfy { $0 >= 0 })
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
