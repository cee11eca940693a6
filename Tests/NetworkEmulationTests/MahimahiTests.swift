import Testing
import Timebase

@testable import NetworkEmulation

@Suite("Link: Mahimahi's delivery opportunities")
struct MahimahiTests {
    static func opportunities(_ text: String) throws -> OpportunityTrace {
        try OpportunityTrace(mahimahi: Array(text.utf8))
    }

    static func link(_ trace: OpportunityTrace, bytes: Int = 1_504, queue: DropTailQueue.Limit = .packets(10_000))
        -> Link
    {
        RateTests.link(.opportunities(trace, bytes: bytes), linkLayer: .tunnel, queue: queue)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// Microseconds, IP bytes and departure in milliseconds of packet after packet.
        let packets: [(at: Int64, length: UInt16, departure: Int64)]

        init(_ description: String, _ packets: [(Int64, UInt16, Int64)]) {
            testDescription = description
            self.packets = packets
        }
    }

    /// Opportunities at 1, 1, 5, 6 ms, then 7, 7, 11, 12, and so on. A packet takes four bytes more than it has.
    static let cases = [
        Case(
            "one full packet an opportunity, and behind 6 ms the next lap",
            [(0, 1_500, 1), (0, 1_500, 1), (0, 1_500, 5), (0, 1_500, 6), (0, 1_500, 7), (0, 1_500, 7), (0, 1_500, 11)]),
        Case("long after the beginning: a thousand laps on", [(6_000_500, 1_500, 6_001), (6_001_500, 1_500, 6_005)]),
        Case("what comes in an opportunity's very millisecond misses it", [(1_000, 1_500, 5)]),
        Case("a microsecond before one it is caught", [(4_999, 1_500, 5)]),
        Case(
            "what comes with the opportunity of a lap's end misses it too", [(6_000, 1_500, 7), (7_000, 1_500, 11)]),
        // 1000 at 5 ms leave 504 for the second, whose other 496 are sent at 6 ms, before 1000 of the third.
        Case("a packet spans opportunities", [(2_000, 996, 5), (2_000, 996, 6), (2_000, 996, 6)]),
        // 1504 = 3 · 500 + 4: the fourth has 4 of its 500 bytes at the first of the two opportunities at 1 ms.
        Case(
            "several small packets leave at one opportunity", [(0, 496, 1), (0, 496, 1), (0, 496, 1), (0, 496, 1)]),
        // 3000 + 4 bytes are 1504 and 1500, and 4 more are left at 5 ms for the next.
        Case("a large packet takes two opportunities", [(2_000, 3_000, 6), (2_000, 1_500, 7)]),
        Case("what is left of an opportunity is lost when nothing waits", [(2_000, 100, 5), (5_500, 1_500, 6)]),
        // With the 1400 bytes left over at 5 ms and 1504 at 6 ms the second would have left at 6 ms.
        Case("nothing is banked, not even for a packet in the same lap", [(2_000, 100, 5), (5_500, 1_501, 7)]),
    ]

    @Test("departures are those of the description", arguments: cases)
    func departures(_ table: Case) throws {
        let link = Self.link(try Self.opportunities("1\n1\n5\n6\n"))
        let departures = RateTests.departures(link, table.packets.map { ($0.at, $0.length) })
        #expect(departures == table.packets.map { $0.departure * 1_000 })
    }

    @Test("a line 0 falls together with the last line of the lap before; queue limits leave the packet under way out")
    func edges() throws {
        let link = Self.link(try Self.opportunities("0\n2\n"))
        // Opportunities at 0, 2, 2, 4, 4, …: the one at 0 is missed by what comes at 0.
        #expect(RateTests.departures(link, Array(repeating: (0, 1_500), count: 4)) == [2, 2, 4, 4].map { $0 * 1_000 })
        // A big packet is under way from 2 ms on, and two may wait behind it.
        let limited = Self.link(try Self.opportunities("2\n"), bytes: 504, queue: .packets(2))
        let arrivals: [(at: Int64, length: UInt16)] = [(0, 1_500), (0, 500), (0, 500), (3_000, 500), (3_000, 500)]
        #expect(RateTests.departures(limited, arrivals) == [6, 8, 10].map { $0 * 1_000 })
    }

    /// Rattan's reading: two opportunities before 1 ms, one in the 4 ms before 5 ms, one in the millisecond before 6 ms.
    @Test("opportunities spread over the time before them are a rate")
    func spread() throws {
        let trace = try #require(RateTrace(try Self.opportunities("1\n1\n5\n6\n")))
        for (lap, at, rate) in [0, 1, 1_000].flatMap({ lap in
            [(0, 24_000_000), (1, 3_000_000), (4, 3_000_000), (5, 12_000_000)].map { (lap, $0, $1) }
        }) as [(Int64, Int64, UInt64)] {
            var credit: UInt128 = 0
            let start = Instant(nanoseconds: (lap * 6 + at) * 1_000_000)
            #expect(
                trace.end(of: 12, from: start, credit: &credit) - start == .nanoseconds(Int64(12_000_000_000 / rate)))
        }
        #expect(
            RateTests.departures(RateTests.link(.pieces(trace)), Array(repeating: (0, 1_500), count: 6)) == [
                500, 1_000, 5_000, 6_000, 6_500, 7_000,
            ])
        // Four opportunities of 12,000 bits in 6 ms.
        #expect(trace.meanRate() == BitRate(bitsPerSecond: 8_000_000))
    }

    @Test(
        "an outage takes the opportunities from its beginning up to before its end, in any lap",
        arguments: [
            ([(5, 6)], [1, 1, 6, 7, 7]), ([(1, 2)], [5, 6, 7, 7, 11]), ([(0, 5)], [5, 6, 7, 7, 11]),
            ([(6, 11)], [1, 1, 5, 11, 12]), ([(5, 5)], [1, 1, 5, 6, 7]), ([(7, 12), (1, 5)], [5, 6, 12, 13, 13]),
            ([(2, 6_000)], [1, 1, 6_000, 6_001, 6_001]), ([(-4, 1), (3, 6), (5, 7)], [1, 1, 7, 7, 11]),
        ] as [([(Int64, Int64)], [Int64])])
    func outages(intervals: [(Int64, Int64)], times: [Int64]) throws {
        let outages = intervals.map { TimeSpan.milliseconds($0.0)..<TimeSpan.milliseconds($0.1) }
        let trace = try Self.opportunities("1\n1\n5\n6\n").without(outages)
        #expect(
            RateTests.departures(Self.link(trace), Array(repeating: (0, 1_500), count: 5)) == times.map { $0 * 1_000 })
        // The same with the cursor skipping over what nobody used.
        for now in -1...20 as ClosedRange<Int64> {
            var walking = OpportunityCursor(trace)
            while walking.next.nanoseconds <= now * 1_000_000 { walking.take() }
            var skipping = OpportunityCursor(trace)
            skipping.skip(until: Instant(nanoseconds: now * 1_000_000))
            #expect(skipping.next == walking.next)
        }
        let whole = try Self.opportunities("1\n1\n5\n6\n")
        #expect(
            RateTrace(trace)?.meanRate(until: .seconds(12))
                == RateTrace(whole)?.overridden(in: outages, with: BitRate(bitsPerSecond: 0))?.meanRate(
                    until: .seconds(12)))
    }

    @Test("an outage without end leaves packets inside")
    func endlessOutage() throws {
        let trace = try Self.opportunities("2\n").without([.milliseconds(5)..<TimeSpan.nanoseconds(.max)])
        var link = Self.link(trace)
        #expect(link.pass((0..<5).map { Packet(number: $0, length: 1_500) }).departures.count == 2)
        #expect(link.occupancy == 3)
    }
}
