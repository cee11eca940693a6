import NetworkEmulation
import Testing
import Timebase

@Suite("Link: serialization")
struct SerializationTests {
    @Test(
        "in a busy period the n-th packet is through at its start plus the time of all bits, rounded up once",
        arguments: [1_000_003, 7_777_777, 6_000_000, 999_999_937, 64_000] as [Int64])
    func busyPeriod(rate: Int64) {
        var link = Link(rate: UInt64(rate))
        var random = TestRandom(UInt64(rate))
        let start = Instant(nanoseconds: 123_456_789)
        let packets = (0..<20_000 as Range<UInt32>).map {
            Packet(number: $0, at: start, length: UInt16(28 + random.below(1_473)))
        }
        let passage = link.pass(packets)
        #expect(passage.departures.count == packets.count)
        var bits: Int64 = 0
        for (sent, arrived) in zip(packets, passage.departures) {
            bits += Int64(sent.length) * 8
            guard arrived.time == start + .nanoseconds(ceiling(bits: bits, rate: rate)), arrived.number == sent.number
            else {
                Issue.record("packet \(sent.number) at rate \(rate): \(arrived.time.nanoseconds)")
                return
            }
        }
        #expect(link.busyTime == .nanoseconds(ceiling(bits: bits, rate: rate)))
    }

    /// The recursion for random arrivals: a packet that finds the link idle begins a busy period.
    @Test("departures under random arrivals follow the recursion of busy periods", arguments: [1, 2, 3] as [UInt64])
    func randomArrivals(seed: UInt64) {
        let rate: Int64 = 5_000_017
        var link = Link(rate: UInt64(rate), delay: .nanoseconds(777))
        var random = TestRandom(seed)
        var packets: [Packet] = []
        var expected: [Int64] = []
        var now: Int64 = 0
        var (busyStart, busyBits, free): (Int64, Int64, Int64) = (0, 0, 0)
        var periods = 0
        for number in 0..<50_000 as Range<UInt32> {
            now += random.below(3_400_000)
            let length = 28 + random.below(1_473)
            packets.append(Packet(number: number, at: Instant(nanoseconds: now), length: UInt16(length)))
            if now >= free {
                (busyStart, busyBits) = (now, 0)
                periods += 1
            }
            busyBits += length * 8
            free = busyStart + ceiling(bits: busyBits, rate: rate)
            expected.append(free + 777)
        }
        let passage = link.pass(packets)
        #expect(periods > 1_000 && periods < 49_000)
        #expect(passage.departures.map(\.time.nanoseconds) == expected)
    }

    @Test("a link with neither rate nor delay hands packets on at once; with a delay alone, after exactly the delay")
    func noRate() {
        for delay in [0, 1, 20_000_000] as [Int64] {
            var link = Link(delay: .nanoseconds(delay))
            let packets = (0..<100 as Range<UInt32>).map {
                Packet(number: $0, at: Instant(nanoseconds: Int64($0 / 3) * 1_000))
            }
            let passage = link.pass(packets)
            #expect(passage.departures.map(\.number) == packets.map(\.number))
            #expect(passage.departures.map(\.time) == packets.map { $0.time + .nanoseconds(delay) })
            #expect(link.occupancy == 0 && link.nextTimeout == .distantFuture)
        }
    }

    @Test("a rate alone delays by the serialization alone")
    func rateAlone() {
        var link = Link(rate: 8_000)
        let passage = link.pass([Packet(number: 0, length: 1_000), Packet(number: 1, length: 500)])
        #expect(passage.departures.map(\.time.nanoseconds) == [1_000_000_000, 1_500_000_000])
        #expect(link.queueDelay.minimum == 0 && link.queueDelay.maximum == 1_000_000_000)
    }
}
