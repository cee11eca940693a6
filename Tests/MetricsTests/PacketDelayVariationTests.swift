@testable import Metrics
import Testing
import Timebase

@Suite("Packet delay variation (RFC 3393, RFC 5481)")
struct PacketDelayVariationTests {
    private func fed(_ packets: [(number: Int64, delay: Int64)]) -> PacketDelayVariation {
        var variation = PacketDelayVariation()
        for packet in packets { variation.add(number: packet.number, delay: .nanoseconds(packet.delay)) }
        return variation
    }

    @Test("IPDV is signed, of successive numbers only; PDV is above the least delay")
    func byHand() throws {
        // 3 is lost, so that 4 has no IPDV.
        let variation = fed([(0, 100_000), (1, 150_000), (2, 90_000), (4, 500_000), (5, 510_000)])
        let ipdv = try #require(variation.ipdv).summary
        #expect(ipdv.count == 3 && ipdv.minimum == -60_000 && ipdv.maximum == 50_000 && ipdv.mean == 0)
        #expect(abs(ipdv.p50 - 10_000) <= 1_024)
        let pdv = try #require(variation.pdv).summary
        #expect(pdv.count == 5 && pdv.minimum == 0 && pdv.maximum == 420_000 && pdv.mean == 180_000)
        #expect(abs(pdv.p50 - 60_000) <= 1_024)
    }

    @Test("a constant delay has no variation, of whatever size it is", arguments: [0, 1_000_000_000_000, -7])
    func constant(delay: Int64) throws {
        let variation = fed((0..<500).map { ($0, delay) })
        let (ipdv, pdv) = (try #require(variation.ipdv), try #require(variation.pdv))
        #expect(ipdv.count == 499 && ipdv.minimum == 0 && ipdv.maximum == 0)
        #expect(pdv.count == 500 && pdv.maximum == 0 && pdv.standardDeviation == 0)
    }

    @Test("nothing is measured of no packet, and no IPDV of one")
    func tooFew() {
        #expect(fed([]).ipdv == nil && fed([]).pdv == nil)
        #expect(fed([(9, 1000)]).ipdv == nil)
        #expect(fed([(9, 1000)]).pdv?.maximum == 0)
    }

    @Test("a reordered packet gives the two differences that it belongs to; a copy gives none")
    func reordered() throws {
        let variation = fed([(0, 10_000), (2, 30_000), (1, 25_000), (1, 77_000), (2, 99_000), (3, 31_000)])
        let ipdv = try #require(variation.ipdv).summary
        // 25 − 10, 30 − 25, 31 − 30.
        #expect(ipdv.count == 3 && ipdv.minimum == 1_000 && ipdv.maximum == 15_000)
        #expect(abs(ipdv.p50 - 5_000) <= 1_024)
    }

    @Test("reordering within 63 numbers loses no difference", arguments: [1, 2, 9, 60])
    func shuffled(block: Int64) throws {
        let key = DrawKey(seed: 11)
        func delay(_ number: Int64) -> Int64 { Int64(key.draw(number) % 1_048_576) }
        var packets: [(Int64, Int64)] = []
        for start in stride(from: Int64(0), to: 1200, by: Int(block)) {
            for offset in (0..<block).reversed() { packets.append((start + offset, delay(start + offset))) }
        }
        let ipdv = try #require(fed(packets).ipdv).summary
        let last = Int64(packets.count) - 1
        let exact = (1...last).map { delay($0) - delay($0 - 1) }.sorted()
        #expect(Int64(ipdv.count) == last)
        #expect(ipdv.minimum == exact.first && ipdv.maximum == exact.last)
        #expect(abs(ipdv.p50 - exact[(exact.count + 1) / 2 - 1]) <= 1_024)
    }

    /// Ways in which delays can move while the least delay is unknown, by packet number.
    static let courses: [(name: String, tolerance: Double, delay: @Sendable (Int64, UInt64) -> Int64)] = [
        ("steady", 0.001, { _, draw in 20_000_000 + Int64(draw % 1_000_000) }),
        ("rising", 0.001, { number, draw in 20_000_000 + number * 100 + Int64(draw % 1_000_000) }),
        ("falls once", 0.002, { number, draw in (number < 300 ? 220_000_000 : 20_000_000) + Int64(draw % 2_000_000) }),
        ("negative", 0.001, { _, draw in -5_000_000_000 + Int64(draw % 3_000_000) }),
        ("few", 0.001, { number, draw in number < 40 ? Int64(draw % 1_000_000) : 500_000 }),
    ]

    @Test("PDV's quantiles are those of the sorted delays less the least", arguments: courses.indices)
    func quantiles(course: Int) throws {
        let (name, tolerance, delay) = Self.courses[course]
        let key = DrawKey(seed: 12).named(name)
        var delays = (0..<(name == "few" ? 40 : 20_000) as Range<Int64>).map { delay($0, key.draw($0)) }
        let variation = fed(delays.enumerated().map { (Int64($0), $1) })
        let pdv = try #require(variation.pdv).summary
        delays.sort()
        let least = try #require(delays.first)
        #expect(pdv.count == Int64(delays.count) && pdv.minimum == 0)
        let largest = try #require(delays.last)
        #expect(pdv.maximum == largest - least)
        for (p, got) in [(0.05, pdv.p5), (0.5, pdv.p50), (0.95, pdv.p95), (0.99, pdv.p99), (0.999, pdv.p999)] {
            let exact = delays[Int((p * Double(delays.count)).rounded(.up)) - 1] - least
            let bound = max(1_024, tolerance * Double(exact))
            #expect(abs(Double(got - exact)) <= bound, "\(name) p\(p): \(got), exactly \(exact)")
        }
    }
}
