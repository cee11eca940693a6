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
        Link(
            LinkConfiguration(
                loss: .none, rate: BitRate(bitsPerSecond: rate), queueLimit: queue,
                delay: DelayModel(delay: .zero, key: DrawKey(seed: 1)), linkLayer: linkLayer, capacity: capacity))
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

    static func opportunities(_ text: String) throws -> OpportunityTrace {
        try OpportunityTrace(mahimahi: Array(text.utf8))
    }

    @Test("Mahimahi's opportunities: spanning packets, lost rests, a miss in the same millisecond, the period")
    func mahimahi() throws {
        let source = CapacitySource.opportunities(try Self.opportunities("1\n1\n5\n6\n"), bytes: 1_504)
        let link = Self.link(source, linkLayer: .tunnel)
        // One full packet an opportunity, twice at 1 ms; the fifth waits for the lap behind 6 ms.
        let full = Array(repeating: (at: Int64(0), length: UInt16(1_500)), count: 7)
        #expect(Self.departures(link, full) == [1, 1, 5, 6, 7, 7, 11].map { $0 * 1_000 })
        // What comes at 1 ms sharp misses both opportunities there; at 4.999 ms that of 5 ms is caught.
        #expect(Self.departures(link, [(1_000, 1_500)]) == [5_000])
        #expect(Self.departures(link, [(4_999, 1_500)]) == [5_000])
        // Four of 496 + 4 bytes need the second opportunity at 1 ms; 996 + 4 leave 504 for half of the next packet.
        #expect(Self.departures(link, [(0, 496), (0, 496), (0, 496), (0, 496)]) == [1, 1, 1, 1].map { $0 * 1_000 })
        #expect(
            Self.departures(link, [(2_000, 996), (2_000, 996), (2_000, 996)]) == [5, 6, 6].map { $0 * 1_000 })
        // The rest of an opportunity is lost when nothing waits: the second packet gets nothing of 5 ms.
        #expect(Self.departures(link, [(2_000, 100), (5_500, 1_500)]) == [5_000, 6_000])
        // Long after the beginning: 1,000 laps on.
        #expect(Self.departures(link, [(6_000_500, 1_500)]) == [6_001_000])
    }

    @Test("a line 0 falls together with the last line of the lap before; queue limits leave the packet under way out")
    func mahimahiEdges() throws {
        let trace = try Self.opportunities("0\n2\n")
        let link = Self.link(.opportunities(trace, bytes: 1_504), linkLayer: .tunnel)
        // Opportunities at 0, 2, 2, 4, 4, …: the one at 0 is missed by what comes at 0.
        #expect(Self.departures(link, Array(repeating: (0, 1_500), count: 4)) == [2, 2, 4, 4].map { $0 * 1_000 })
        // A big packet is under way from 2 ms on, and two may wait behind it.
        let limited = Self.link(
            .opportunities(try Self.opportunities("2\n"), bytes: 504), linkLayer: .tunnel, queue: .packets(2))
        let arrivals: [(at: Int64, length: UInt16)] = [(0, 1_500), (0, 500), (0, 500), (3_000, 500), (3_000, 500)]
        #expect(Self.departures(limited, arrivals) == [6, 8, 10].map { $0 * 1_000 })
    }

    @Test("opportunities spread over the time before them are a rate")
    func spread() throws {
        let trace = try #require(RateTrace(try Self.opportunities("1\n1\n5\n6\n")))
        // 24 Mbit/s for 1 ms, then 12,000 bits in 4 ms: 3 Mbit/s, then 12 Mbit/s for 1 ms.
        let link = Self.link(.pieces(trace))
        #expect(
            Self.departures(link, Array(repeating: (0, 1_500), count: 6)) == [500, 1_000, 5_000, 6_000, 6_500, 7_000])
    }

    @Test("bad traces name their line")
    func badTraces() {
        let cases: [(String, OpportunityTrace.Problem)] = [
            ("", .empty), ("0\n0\n", .noPeriod), ("1\n\n2\n", .notANumber(line: 2, text: "")),
            ("1\n3\n2\n", .timeGoesBack(line: 3, text: "2")), ("1\n-3\n", .notANumber(line: 2, text: "-3")),
            ("1.5", .notANumber(line: 1, text: "1.5")),
            ("99999999999999999999", .notANumber(line: 1, text: "99999999999999999999")),
        ]
        for (text, problem) in cases {
            #expect(throws: problem) { try OpportunityTrace(mahimahi: Array(text.utf8)) }
        }
        #expect(throws: OpportunityTrace.Problem.notText) { try OpportunityTrace(mahimahi: [0xfe]) }
    }
}
