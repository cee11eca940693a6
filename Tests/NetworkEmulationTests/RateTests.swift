import Testing
import Timebase

@testable import NetworkEmulation

@Suite("Link: link layers and changing rates")
struct RateTests {
    static let ms: Int64 = 1_000_000

    static func link(
        rate: UInt64 = 12_000_000, _ capacity: CapacitySource, linkLayer: LinkLayer = .none,
        queue: DropTailQueue.Limit = .packets(10_000)
    ) -> Link {
        var configuration = LinkConfiguration(
            loss: .none, rate: BitRate(bitsPerSecond: rate), queueLimit: queue,
            delay: DelayModel(delay: .zero, key: DrawKey(seed: 1)))
        configuration.linkLayer = linkLayer
        configuration.capacity = capacity
        return Link(configuration)
    }

    /// Arrivals in microseconds with lengths, departures in microseconds.
    static func departures(_ link: Link, _ arrivals: [(at: Int64, length: UInt16)]) -> [Int64] {
        var link = link
        let packets = arrivals.enumerated().map {
            Packet(number: UInt32($0), at: Instant(nanoseconds: $1.at * 1_000), length: $1.length)
        }
        return link.pass(packets).departures.map { $0.time.nanoseconds / 1_000 }
    }

    @Test("what a link layer adds is sent, and counted by a limit in time")
    func linkLayers() {
        #expect(LinkLayer.ethernet.bytes(length: 1_356) == 1_394)
        // ⌈1356 / 48⌉ = 29 cells of 53; 48 bytes are one cell, 49 two.
        #expect(LinkLayer.atm.bytes(length: 1_356) == 1_537)
        #expect(LinkLayer.atm.bytes(length: 48) == 53 && LinkLayer.atm.bytes(length: 49) == 106)
        #expect(LinkLayer(overhead: -14).bytes(length: 10) == 0)
        // 1394 · 8 / 11.152 Mbit/s = 1 ms.
        let ethernet = Self.link(rate: 11_152_000, .constant, linkLayer: .ethernet)
        #expect(Self.departures(ethernet, [(0, 1_356), (0, 1_356)]) == [1_000, 2_000])
        // Two of them wait 2 ms: with 2 ms all three get through, with 1,999 us only two.
        for (limit, count) in [(2_000, 3), (1_999, 2)] as [(Int64, Int)] {
            let link = Self.link(rate: 11_152_000, .constant, linkLayer: .ethernet, queue: .time(.microseconds(limit)))
            #expect(Self.departures(link, [(0, 1_356), (0, 1_356), (0, 1_356)]).count == count)
        }
    }

    @Test("a rate that changes while a packet is on the wire sends the rest at the new rate")
    func midPacket() throws {
        let trace = try #require(
            RateTrace([
                (.zero, BitRate(bitsPerSecond: 8_000_000)), (.milliseconds(10), BitRate(bitsPerSecond: 1_000_000)),
                (.milliseconds(20), BitRate(bitsPerSecond: 0)), (.milliseconds(50), BitRate(bitsPerSecond: 4_000_000)),
            ]))
        // 1000 bytes are 8000 bits: 4000 in the 0.5 ms to 10 ms, 4000 more in 4 ms.
        #expect(Self.departures(Self.link(.pieces(trace)), [(9_500, 1_000)]) == [14_000])
        // From 14 ms on: 6000 bits until 20 ms, nothing until 50 ms, 2000 in 0.5 ms; the next one in 2 ms.
        #expect(
            Self.departures(Self.link(.pieces(trace)), [(9_500, 1_000), (9_500, 1_000), (9_500, 1_000)]) == [
                14_000, 50_500, 52_500,
            ])
        // Begun while nothing can be sent.
        #expect(Self.departures(Self.link(.pieces(trace)), [(30_000, 500)]) == [51_000])
    }

    /// The integral of the rate, summed nanosecond pieces by hand in 128 bits.
    @Test(
        "in a busy period departures are the inverse of the rate's integral, rounded up once",
        arguments: [1, 2, 3] as [UInt64])
    func integral(seed: UInt64) throws {
        var random = TestRandom(seed)
        var pieces: [(at: TimeSpan, rate: BitRate)] = []
        var begin: Int64 = 0
        for index in 0..<50 {
            pieces.append(
                (.nanoseconds(begin), BitRate(bitsPerSecond: index % 7 == 3 ? 0 : UInt64(random.below(9_999_991)))))
            begin += 1 + random.below(7_000_003)
        }
        let period = begin
        var link = Self.link(.pieces(try #require(RateTrace(pieces, repeatingEvery: .nanoseconds(period)))))
        let start: Int64 = 3 * period + 12_345
        let packets = (0..<3_000 as Range<UInt32>).map {
            Packet(number: $0, at: Instant(nanoseconds: start), length: UInt16(28 + random.below(1_400)))
        }
        var expected: [Int64] = []
        var sent: Int128 = 0
        var needed: Int128 = 0
        var (index, lap) = (0, 3 * period)
        func end(_ index: Int, _ lap: Int64) -> Int64 {
            lap + (index + 1 < pieces.count ? pieces[index + 1].at.nanoseconds : period)
        }
        var now = start
        for packet in packets {
            needed += Int128(packet.length) * 8 * 1_000_000_000
            while true {
                let rate = Int128(pieces[index].rate.bitsPerSecond)
                let whole = rate * Int128(end(index, lap) - now)
                if now < end(index, lap), sent + whole >= needed, rate > 0 {
                    let span = Int64((needed - sent + rate - 1) / rate)
                    expected.append(now + span)
                    break
                }
                sent += whole
                now = end(index, lap)
                index += 1
                if index == pieces.count { (index, lap) = (0, lap + period) }
            }
        }
        #expect(link.pass(packets).departures.map(\.time.nanoseconds) == expected)
    }

    @Test("a rate that ends at 0 holds what is on the wire for ever, and traces that cannot be are refused")
    func edges() throws {
        let trace = try #require(
            RateTrace([(.zero, BitRate(bitsPerSecond: 1_000)), (.seconds(1), BitRate(bitsPerSecond: 0))]))
        var link = Self.link(.pieces(trace))
        #expect(link.pass([Packet(number: 0), Packet(number: 1)]).departures.isEmpty)
        #expect(link.occupancy == 2)
        let rate = BitRate(bitsPerSecond: 1)
        #expect(RateTrace([]) == nil && RateTrace([(.seconds(1), rate)]) == nil)
        #expect(RateTrace([(.zero, rate), (.zero, rate)]) == nil)
        #expect(RateTrace([(.zero, rate)], repeatingEvery: .zero) == nil)
        #expect(RateTrace([(.zero, BitRate(bitsPerSecond: 0))], repeatingEvery: .seconds(1)) == nil)
    }
}
