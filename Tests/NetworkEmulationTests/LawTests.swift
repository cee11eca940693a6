import Testing
import Timebase

@testable import NetworkEmulation

@Suite("Delay laws")
struct LawTests {
    @Test("gamma's far tails are those of closed forms")
    func gammaTails() {
        let table = QuantileTable.gamma(mean: .seconds(1), shape: 1)
        // Tails of 2^-20 either way: 20 ln 2 and 2^-20 means.
        #expect(abs(table.value(at: 0 &- (1 << 44)) - 13_862_943_611) < 20)
        #expect(abs(table.value(at: 1 << 44) - 954) <= 1)
        let half = QuantileTable.gamma(mean: .seconds(1), shape: 0.5)
        // The square of the normal quantile of a two-sided tail.
        let deviate = NormalDistribution.deviate(upperTail: 0x1p-21)
        #expect(abs(Double(half.value(at: 0 &- (1 << 44))) / (deviate * deviate * 1e9) - 1) < 1e-6)
    }

    @Test("paretonormal is a quarter normal and three quarters Pareto, quantile by quantile")
    func paretoNormal() {
        let table = QuantileTable.paretoNormal(scale: .milliseconds(8))
        // The median: (0 + 3 · (2^(1/3) − 1.5) · 4/3) / 4 = 2^(1/3) − 1.5 = −0.2400790.
        #expect(abs(table.value(at: 1 << 63) + 1_920_632) <= 1)
        // Upper quarter: (0.6744898 + 3 · (4^(1/3) − 1.5) · 4/3) / 4 = 0.2560235.
        #expect(abs(table.value(at: 3 << 62) - 2_048_188) <= 2)
    }

    @Test("a trace gives the n-th packet of every flow its n-th value, round and round")
    func trace() throws {
        let table = try #require(ValueTable([3, 1, 4, 1, 5].map { .milliseconds($0) }))
        var model = DelayStage(DelayModel(delay: .milliseconds(1), jitter: .trace(table), key: DrawKey(seed: 1)))
        for number in [0, 1, 2, 3, 4, 5, 12, 4_000_000_002] as [UInt32] {
            let expected = TimeSpan.milliseconds(1 + [3, 1, 4, 1, 5][Int(number % 5)])
            #expect(model.travellingTime(of: Packet(number: number, flow: 3)) == expected)
        }
        #expect(ValueTable([]) == nil)
    }

    @Test("correlated draws are the same whichever other packets come by")
    func correlatedPurity() {
        let key = DrawKey(seed: 4).named("law")
        let table = QuantileTable.normal(deviation: .milliseconds(5))
        var model = DelayStage(
            DelayModel(delay: .milliseconds(50), jitter: .quantiles(table), correlation: 0.8, key: key))
        let all = (0..<10_000 as Range<UInt32>).map { model.travellingTime(of: Packet(number: $0)) }
        var random = TestRandom(1)
        for _ in 0..<2_000 {
            let number = UInt32(random.below(10_000))
            #expect(model.travellingTime(of: Packet(number: number)) == all[Int(number)])
            #expect(model.travellingTime(of: Packet(number: number, copy: 1)) != all[Int(number)])
        }
    }

    @Test("jitter that may reorder lets every packet arrive at its own time, in that order")
    func reordering() {
        let key = DrawKey(seed: 1).named("jitter")
        let table = QuantileTable.uniform(halfRange: .milliseconds(30))
        var model = DelayStage(DelayModel(delay: .milliseconds(30), jitter: .quantiles(table), key: key))
        let packets = (0..<5_000 as Range<UInt32>).map {
            Packet(number: $0, at: Instant(nanoseconds: Int64($0) * 1_000_000))
        }
        let own = packets.map { $0.time + model.travellingTime(of: $0) }
        var link = Link(
            LinkConfiguration(
                loss: .none, rate: nil, queueLimit: .packets(1),
                delay: DelayModel(delay: .milliseconds(30), jitter: .quantiles(table), mayReorder: true, key: key)))
        let departures = link.pass(packets).departures
        #expect(departures.count == packets.count)
        for packet in departures { #expect(packet.time == own[Int(packet.number)]) }
        for (a, b) in zip(departures, departures.dropFirst()) { #expect(a.time <= b.time) }
        #expect(zip(departures, departures.dropFirst()).contains { $0.number > $1.number })
    }

    @Test("early packets travel in no time, as often as asked, and move nobody else")
    func early() {
        let key = DrawKey(seed: 2).named("jitter")
        func pass(_ early: Probability) -> [Packet] {
            var link = Link(
                LinkConfiguration(
                    loss: .none, rate: nil, queueLimit: .packets(1),
                    delay: DelayModel(
                        delay: .milliseconds(10), jitter: .none, early: EarlyPackets(share: early), key: key)))
            return link.pass(
                (0..<100_000 as Range<UInt32>).map {
                    Packet(number: $0, at: Instant(nanoseconds: Int64($0) * 1_000_000))
                }
            ).departures
        }
        let departures = pass(Probability(0.02))
        let early = departures.count { $0.time == $0.sent }
        #expect(abs(Double(early) / 100_000 - 0.02) < 5 * (0.02 * 0.98 / 100_000).squareRoot())
        #expect(departures.allSatisfy { $0.time == $0.sent || $0.time == $0.sent + .milliseconds(10) })
        #expect(
            departures.filter { $0.time != $0.sent }.map(\.number)
                == departures.filter { $0.time != $0.sent }.map(\.number).sorted())
        #expect(pass(.never).allSatisfy { $0.time == $0.sent + .milliseconds(10) })
    }
}
