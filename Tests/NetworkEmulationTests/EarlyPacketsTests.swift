import Metrics
import Testing
import Timebase

@testable import NetworkEmulation

/// A million packets, within five standard deviations of the renewal process that netem's `reorder … gap` is: the distances
/// from one early packet to the next are gap − 1 and a geometric number with mean 1 / share.
@Suite("Early packets behind a gap")
struct EarlyPacketsTests {
    static let count = 1_000_000
    static let key = DrawKey(seed: 7).named("early")

    struct Law: Sendable, CustomTestStringConvertible {
        let share: Double
        let gap: Int

        var testDescription: String { "share \(share), gap \(gap)" }

        func packets(seed: UInt64) -> EarlyPackets {
            EarlyPackets(share: Probability(share), gap: gap).drawing(with: DrawKey(seed: seed).named("early"))
        }
    }

    static func early(_ packets: EarlyPackets, count: Int = count) -> [Int] {
        var packets = packets
        return (0..<count).filter { packets.hits(Packet(number: UInt32($0))) }
    }

    static let laws = [
        Law(share: 0.25, gap: 5), Law(share: 0.9, gap: 3), Law(share: 0.02, gap: 20), Law(share: 0.5, gap: 2),
        Law(share: 0.99, gap: 10),
    ]

    /// Of a renewal process with distances of mean μ and deviation σ the count among n packets has the mean n / μ and the
    /// variance n σ² / μ³; beginning anew takes less than 1/4096 of it.
    @Test("as many are early as the process has, at its distances", arguments: laws)
    func law(_ law: Law) {
        let mean = Double(law.gap - 1) + 1 / law.share
        let variance = (1 - law.share) / (law.share * law.share)
        let expected = Double(Self.count) / mean
        let deviation = (Double(Self.count) * variance / (mean * mean * mean)).squareRoot()
        for seed in LossLawTests.seeds {
            let early = Self.early(law.packets(seed: seed))
            #expect(
                abs(Double(early.count) - expected) < 5 * deviation + expected / 4_096,
                "seed \(seed): \(early.count), \(expected) ± \(deviation)")
            let distances = zip(early, early.dropFirst()).map { $1 - $0 }
            #expect(early.first ?? 0 >= law.gap - 1 && distances.min() == law.gap)
            var geometric = law.share
            for more in 0...3 {
                let seen = Double(distances.count { $0 == law.gap + more }) / Double(distances.count)
                // Where the process begins anew a distance is longer.
                let limit =
                    SampleStatistics.meanLimit(
                        variance: geometric * (1 - geometric), count: distances.count, tail: SampleStatistics.fiveSigma)
                    + mean / Double(4_096 * law.gap)
                #expect(abs(seen - geometric) < limit, "seed \(seed), \(law.gap + more): \(seen), \(geometric)")
                geometric *= 1 - law.share
            }
        }
    }

    /// Its counter: packets since the latest early one; below gap − 1 nothing is drawn.
    @Test("packet for packet it is netem's counter", arguments: laws + [Law(share: 1, gap: 4)])
    func counter(_ law: Law) {
        let count = 4_096 * law.gap
        var (expected, counter): ([Int], Int) = ([], 0)
        for number in 0..<count {
            let draw = DrawKey(seed: 1).named("early").draw(flow: 0, number: Int64(number))
            if counter < law.gap - 1 || Double(draw) / 0x1p64 >= law.share {
                counter += 1
            } else {
                expected.append(number)
                counter = 0
            }
        }
        #expect(Self.early(law.packets(seed: 1), count: count) == expected)
    }

    @Test("with a share of 1 just every gap-th is early; with a gap of 1 each by the draw that it always had")
    func edges() {
        let certain = Self.early(EarlyPackets(share: .always, gap: 5).drawing(with: Self.key))
        #expect(certain == Array(stride(from: 4, to: Self.count, by: 5)))
        #expect(Self.early(EarlyPackets(share: .never, gap: 5).drawing(with: Self.key)).isEmpty)
        var (single, chance) = (
            EarlyPackets(share: Probability(0.1), gap: 1).drawing(with: Self.key),
            PacketChance(Probability(0.1), key: Self.key)
        )
        for number in 0..<20_000 as Range<UInt32> {
            let packet = Packet(number: number, flow: UInt16(number % 3), copy: UInt8(number % 2))
            #expect(single.hits(packet) == chance.hits(packet))
        }
    }

    @Test(
        "whether a packet is early does not depend on which others come by", arguments: laws + [Law(share: 1, gap: 4)])
    func purity(_ law: Law) {
        let all = Set(Self.early(law.packets(seed: 3), count: 60_000))
        var some = law.packets(seed: 3)
        var random = TestRandom(5)
        for index in 0..<4_000 as Range<Int64> {
            let number = index % 2 == 0 ? random.below(60_000) : 12 * index
            #expect(some.hits(Packet(number: UInt32(number))) == all.contains(Int(number)))
            if index % 3 == 0 { _ = some.hits(Packet(number: UInt32(number), flow: 1)) }
            if index % 5 == 0 { _ = some.hits(Packet(number: UInt32(number), copy: 1)) }
        }
    }

    @Test("copies go early as often as what may, and never within the gap")
    func copies() {
        var packets = Law(share: 0.5, gap: 4).packets(seed: 2)
        let early = Set(Self.early(packets, count: 40_000))
        var (may, hits) = (0, 0)
        for number in 0..<40_000 {
            let isFree = number >= 3 && !(number - 3..<number).contains { early.contains($0) }
            let isEarly = packets.hits(Packet(number: UInt32(number), copy: 1))
            // The process begins anew with packet 16,384.
            guard number < 16_384 else { break }
            if !isFree { #expect(!isEarly) }
            may += isFree ? 1 : 0
            hits += isEarly ? 1 : 0
        }
        #expect(abs(Double(hits) - 0.5 * Double(may)) < 5 * (0.25 * Double(may)).squareRoot())
    }

    @Test("a link's early packets overtake what is on its way")
    func link() {
        var link = Link(
            LinkConfiguration(
                loss: .none, rate: nil, queueLimit: .packets(1),
                delay: DelayModel(
                    delay: .milliseconds(10), jitter: .none, early: EarlyPackets(share: .always, gap: 5), key: Self.key)
            ))
        let departures = link.pass(
            (0..<20 as Range<UInt32>).map { Packet(number: $0, at: Instant(nanoseconds: Int64($0) * 1_000_000)) }
        ).departures
        #expect(departures.map(\.number).prefix(8) == [4, 9, 0, 1, 2, 3, 14, 5])
        for packet in departures {
            #expect(packet.time == packet.sent + .milliseconds(packet.number % 5 == 4 ? 0 : 10))
        }
    }
}
