import Testing

@testable import Timebase

@Suite("Probabilities and draws")
struct DrawTests {
    static let seed: UInt64 = 20_200_101
    static let count: Int64 = 1 << 16

    @Test("0 and 1 are exact, and what lies outside is clamped")
    func edges() {
        for probability in [Probability(0), Probability(-0.5), Probability(.nan), .never] {
            #expect(!probability.isHit(by: 0) && probability.isNever && probability.value == 0)
        }
        for probability in [Probability(1), Probability(7), Probability(.infinity), .always] {
            #expect(probability.isHit(by: .max) && !probability.isNever && probability.value == 1)
        }
    }

    @Test("a half hits below the middle only; 1e-9 is not 0; the number next to 1 is not 1")
    func thresholds() {
        #expect(Probability(0.5).isHit(by: 1 << 63 - 1) && !Probability(0.5).isHit(by: 1 << 63))
        let rare = Probability(1e-9)
        #expect(rare.isHit(by: 18_446_744_072) && !rare.isHit(by: 18_446_744_073) && !rare.isNever)
        #expect(abs(rare.value - 1e-9) < 0x1p-64)
        #expect(!Probability(1 - 0x1p-53).isHit(by: .max))
    }

    @Test("hits come as often as asked, within 5 sigma", arguments: [0.5, 0.1, 0.001])
    func frequency(p: Double) {
        let key = DrawKey(seed: Self.seed).named("frequency")
        let probability = Probability(p)
        let hits = (0..<Self.count).count { probability.isHit(by: key.draw($0)) }
        let mean = p * Double(Self.count)
        #expect(abs(Double(hits) - mean) < 5 * (mean * (1 - p)).squareRoot(), "seed \(Self.seed): \(hits)")
    }

    @Test("draws are the documented function, computed elsewhere")
    func golden() {
        let root = DrawKey(seed: 1)
        #expect(root.draw(0) == 0x491b_b7c1_97c5_ff94)
        #expect(root.draw(1) == 0xa082_bb13_6ef5_2868)
        #expect(root.draw(-1) == 0xf6d8_04a3_8afe_e771)
        #expect(root.draw(flow: 3, number: 1 << 40, copy: 2) == 0xfdc5_9628_29c5_adc0)
        let loss = DrawKey(seed: 7).named("forward.0").named("loss")
        #expect(loss.draw(0) == 0xfaa0_2801_0948_3bbb)
        #expect(loss.draw(1) == 0x79bf_d98f_f06c_95c5)
        #expect(loss.draw(flow: .max, number: 123_456_789, copy: .max) == 0xf689_73de_fc90_01dd)
    }

    @Test("every byte of a draw is uniform: chi-square of 256 cells within 5 sigma", arguments: 0..<8)
    func uniform(byte: Int) {
        let key = DrawKey(seed: Self.seed).named("uniform")
        var cells = [Int](repeating: 0, count: 256)
        for number in 0..<Self.count { cells[Int(key.draw(number) >> UInt64(8 * byte) & 255)] += 1 }
        let expected = Double(Self.count) / 256
        let chiSquare = cells.reduce(0.0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
        // Mean 255, variance 2 · 255.
        #expect(abs(chiSquare - 255) < 5 * 510.0.squareRoot(), "seed \(Self.seed): \(chiSquare)")
    }

    /// Pairs of draws that must know nothing of each other, by packet number.
    static let pairs: [(name: String, draws: @Sendable (DrawKey, Int64) -> (UInt64, UInt64))] = [
        ("two names", { ($0.named("loss").draw($1), $0.named("jitter").draw($1)) }),
        ("names of one letter's difference", { ($0.named("forward.0").draw($1), $0.named("forward.1").draw($1)) }),
        ("the same names in another order", { ($0.named("a").named("b").draw($1), $0.named("b").named("a").draw($1)) }),
        ("a key and its part", { ($0.draw($1), $0.named("").draw($1)) }),
        ("neighbouring flows", { ($0.draw(flow: 1, number: $1), $0.draw(flow: 2, number: $1)) }),
        ("flow and copy", { ($0.draw(flow: 0, number: $1, copy: 1), $0.draw(flow: 1, number: $1, copy: 0)) }),
        ("neighbouring numbers", { ($0.draw($1), $0.draw($1 + 1)) }),
        ("numbers far apart", { ($0.draw($1), $0.draw($1 + 1 << 32)) }),
        ("a packet and its copy", { ($0.draw(flow: 9, number: $1), $0.draw(flow: 9, number: $1, copy: 1)) }),
        ("number and flow", { ($0.draw(flow: UInt16($1), number: 5), $0.draw(flow: 5, number: $1)) }),
        ("neighbouring seeds", { (DrawKey(seed: UInt64($1)).draw(0), DrawKey(seed: UInt64($1 + 1)).draw(0)) }),
    ]

    @Test("draws are independent: correlation and equal bits within 5 sigma", arguments: pairs.indices)
    func independent(pair: Int) {
        let (name, draws) = Self.pairs[pair]
        let key = DrawKey(seed: Self.seed)
        var products = 0.0
        var equalBits = 0
        for number in 0..<Self.count {
            let (left, right) = draws(key, number)
            products += (Double(left) * 0x1p-64 - 0.5) * (Double(right) * 0x1p-64 - 0.5)
            equalBits += (~(left ^ right)).nonzeroBitCount
        }
        let count = Double(Self.count)
        // The product of two centred uniform numbers has deviation 1/12.
        #expect(abs(products) < 5 * count.squareRoot() / 12, "\(name), seed \(Self.seed)")
        #expect(abs(Double(equalBits) - 32 * count) < 5 * (16 * count).squareRoot(), "\(name), seed \(Self.seed)")
    }

    @Test("flipping one bit of what names a draw flips each of its bits half the time", arguments: 0..<64)
    func avalanche(bit: Int) {
        let key = DrawKey(seed: Self.seed)
        var flips = [Int](repeating: 0, count: 64)
        for number in 0..<4096 as Range<Int64> {
            let difference = key.draw(number) ^ key.draw(number ^ 1 << Int64(bit))
            for output in 0..<64 { flips[output] += Int(difference >> UInt64(output) & 1) }
        }
        for (output, count) in flips.enumerated() {
            #expect(abs(count - 2048) < 6 * 32, "bit \(bit) to \(output), seed \(Self.seed)")
        }
    }
}

@Suite("Event digest")
struct EventDigestTests {
    private let events: [(UInt8, Int64, Int64, Int64, Int64)] = [
        (1, 2, 3, 4, 5), (255, -1, .min, .max, 0), (1, 2, 3, 4, 5), (0, 0, 0, 0, 0), (7, 1, 0, 0, 0),
    ]

    private func digest(_ events: [(UInt8, Int64, Int64, Int64, Int64)]) -> EventDigest {
        var digest = EventDigest()
        for event in events { digest.add(event.0, event.1, event.2, event.3, event.4) }
        return digest
    }

    @Test("the digest is the documented function, computed elsewhere")
    func golden() {
        #expect(digest([]).hexadecimal == String(repeating: "0", count: 32))
        #expect(digest(Array(events.prefix(1))).hexadecimal == "9aeb5e34fc7f2f41d8320e6e146d365a")
        #expect(digest(Array(events.prefix(2))).hexadecimal == "79fc4b1fcadf27ae43d193145e1798a3")
    }

    @Test("order does not matter")
    func order() {
        #expect(digest(events.reversed()) == digest(events))
    }

    @Test("a missing, doubled or changed event shows")
    func sensitivity() {
        let whole = digest(events)
        for index in events.indices {
            var less = events
            less.remove(at: index)
            #expect(digest(less) != whole)
            #expect(digest(events + [events[index]]) != whole)
            for place in 0..<4 {
                var changed = events
                if place == 0 { changed[index].1 ^= 1 }
                if place == 1 { changed[index].2 ^= 1 }
                if place == 2 { changed[index].3 ^= 1 }
                if place == 3 { changed[index].4 ^= 1 }
                #expect(digest(changed) != whole)
            }
            var kind = events
            kind[index].0 ^= 1
            #expect(digest(kind) != whole)
        }
    }

    @Test("arguments that change places show")
    func places() {
        let orders: Set<EventDigest> = [
            digest([(1, 2, 3, 4, 5)]), digest([(1, 3, 2, 4, 5)]), digest([(1, 2, 4, 3, 5)]), digest([(1, 2, 3, 5, 4)]),
            digest([(1, 5, 3, 4, 2)]), digest([(2, 1, 3, 4, 5)]),
        ]
        #expect(orders.count == 6)
    }
}
