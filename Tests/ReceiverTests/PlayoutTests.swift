import Receiver
import Testing
import Timebase
import Wire

@Suite("Playout, fixed delay from the first arrival")
struct PlayoutTests {
    static let ms: Int64 = 1_000_000

    /// RTP timestamps count 90 a millisecond.
    @Test("a datagram is released where the anchor's path and the delay put it")
    func releaseInstants() {
        let bench = Bench(delay: .milliseconds(50))
        let start = 7_000 * Self.ms
        let arrivals: [Int64] = [0, 12, 18, 35, 35]
        for (index, arrival) in arrivals.enumerated() {
            bench.receive(sequence: UInt16(index), timestamp: UInt32(900 * index), at: start + arrival * Self.ms)
        }
        #expect(bench.receiver.bufferDepth(at: LocalInstant(nanoseconds: start + 36 * Self.ms)) == .milliseconds(54))
        bench.finish()
        #expect(bench.released.map(\.number) == [0, 1, 2, 3, 4])
        #expect(bench.released.map(\.at.nanoseconds) == (0..<5).map { start + 50 * Self.ms + Int64($0) * 10 * Self.ms })
        #expect(bench.released.map(\.depth) == [40, 30, 20, 10, 0].map { .milliseconds($0) })
        #expect(bench.receiver.underruns == 0)
    }

    @Test("timestamps that are not whole nanoseconds keep their place to the nearest, however far from the anchor")
    func rounding() {
        let bench = Bench(delay: .zero)
        // 1 tick is 11,111.1 ns; 3,000,000,001 ticks are 33,333,333,344,444.4 ns.
        bench.receive(sequence: 0, timestamp: 0, at: 0)
        bench.receive(sequence: 1, timestamp: 1, at: 5)
        bench.receive(sequence: 2, timestamp: 2_000_000_000, at: 10)
        bench.receive(sequence: 3, timestamp: 3_000_000_001, at: 15)
        bench.finish()
        #expect(bench.released.map(\.at.nanoseconds) == [0, 11_111, 22_222_222_222_222, 33_333_333_344_444])
    }

    @Test("what comes within a tick of its release is used, what comes a nanosecond later is late")
    func lateByOneNanosecond() {
        // Timestamps are rounded to ticks of 11,111.1 ns.
        let tick: Int64 = 11_112
        for (policy, lateness) in [
            (LatePolicy.drop, 0), (.drop, 1), (.drop, tick), (.drop, tick + 1), (.present, tick + 1),
        ] as [(LatePolicy, Int64)] {
            let bench = Bench(delay: .milliseconds(20), late: policy)
            bench.receive(sequence: 0, timestamp: 0, at: 0)
            bench.receive(sequence: 1, timestamp: 900, at: 30 * Self.ms + lateness)
            bench.finish()
            if lateness <= tick || policy == .present {
                #expect(bench.released.map(\.at.nanoseconds) == [20 * Self.ms, 30 * Self.ms + lateness])
                #expect(bench.discarded.isEmpty)
            } else {
                #expect(bench.released.count == 1)
                #expect(bench.discarded.map(\.reason) == [.late] && bench.discarded.map(\.number) == [1])
            }
            #expect(bench.receiver.underruns == (lateness > tick ? 1 : 0))
        }
    }

    @Test("late ones presented all the same are dropped once one behind them has been released")
    func latePresented() {
        let bench = Bench(delay: .milliseconds(20), late: .present)
        bench.receive(sequence: 0, timestamp: 0, at: 0)
        bench.receive(sequence: 2, timestamp: 1_800, at: 20 * Self.ms)
        bench.receive(sequence: 3, timestamp: 2_700, at: 30 * Self.ms)
        // Due at 30; number 2 is released at 40, so at 35 it is late and goes first, at 41 it is too late.
        bench.receive(sequence: 1, timestamp: 900, at: 41 * Self.ms)
        bench.finish()
        #expect(bench.released.map(\.number) == [0, 1, 2])
        #expect(bench.discarded.map(\.number) == [3])
    }

    @Test("reordered datagrams are released in their order; repeated ones are discarded, released or not")
    func reorderedAndRepeated() {
        let bench = Bench(delay: .milliseconds(100))
        for (sequence, at) in [(10, 0), (13, 1), (11, 2), (13, 3), (12, 4), (10, 5)] as [(UInt16, Int64)] {
            bench.receive(sequence: sequence, timestamp: UInt32(sequence) * 90, at: at * Self.ms)
        }
        bench.receive(sequence: 11, timestamp: 990, at: 300 * Self.ms)
        bench.finish()
        #expect(bench.released.map(\.number) == [0, 2, 4, 1])
        #expect(bench.released.map(\.at.nanoseconds) == [100, 101, 102, 103].map { $0 * Self.ms })
        #expect(bench.discarded.map(\.number) == [3, 5, 6])
        #expect(bench.discarded.allSatisfy { $0.reason == .duplicate })
    }

    @Test("sequence numbers and timestamps wrap")
    func wrap() {
        let bench = Bench(delay: .milliseconds(2_000))
        for index in 0..<70_000 as Range<Int64> {
            // Every fifth pair comes in the wrong order; both wraps fall into the first ten.
            let place = index % 10 < 2 ? index ^ 1 : index
            bench.receive(
                sequence: UInt16(truncatingIfNeeded: 65_530 + place),
                timestamp: UInt32(truncatingIfNeeded: 0xffff_0000 + 90_000 * place), at: index * 1_000 * Self.ms)
        }
        bench.finish()
        #expect(bench.released.count == 70_000 && bench.discarded.isEmpty)
        // The first to arrive is number 1, a second ahead of its place.
        #expect(bench.released.map(\.at.nanoseconds) == (0..<70_000).map { (1_000 + 1_000 * Int64($0)) * Self.ms })
    }

    @Test("an empty buffer that a late datagram finds is one underrun, until one is in time again")
    func underruns() {
        let bench = Bench(delay: .milliseconds(5))
        bench.receive(sequence: 0, timestamp: 0, at: 0)
        for index in 1...4 as ClosedRange<Int64> {
            bench.receive(sequence: UInt16(index), timestamp: UInt32(900 * index), at: (10 * index + 20) * Self.ms)
        }
        #expect(bench.receiver.underruns == 1)
        bench.receive(sequence: 5, timestamp: 4_500, at: 65 * Self.ms)  // due at 55
        bench.receive(sequence: 9, timestamp: 8_100, at: 70 * Self.ms)  // due at 95
        bench.receive(sequence: 10, timestamp: 9_000, at: 120 * Self.ms)  // due at 105
        bench.finish()
        #expect(bench.receiver.underruns == 2)
    }

    @Test("an underrun is judged when the release was due, not when the late datagram comes")
    func underrunWhenDue() {
        // Every 10 ms, released 5 ms after it was sent. Number 2, due at 25, comes at 31: at 25 nothing waited, at 31
        // number 3 has come.
        let starved = Bench(delay: .milliseconds(5))
        for (number, at) in [(0, 0), (1, 10), (3, 30), (2, 31), (4, 40)] as [(Int64, Int64)] {
            starved.receive(sequence: UInt16(number), timestamp: UInt32(900 * number), at: at * Self.ms)
        }
        starved.finish()
        #expect(starved.receiver.underruns == 1)
        // Released 25 ms after: number 2, due at 45, comes at 80, when all others have been released. At 45 number 3
        // waited.
        let supplied = Bench(delay: .milliseconds(25))
        for (number, at) in [(0, 0), (1, 10), (3, 30), (4, 40), (2, 80)] as [(Int64, Int64)] {
            supplied.receive(sequence: UInt16(number), timestamp: UInt32(900 * number), at: at * Self.ms)
        }
        supplied.finish()
        #expect(supplied.receiver.underruns == 0)
    }

    @Test("one that never comes was due between its neighbours", arguments: [(24, 0), (26, 1)] as [(Int64, Int64)])
    func lostUnderrun(nextArrival: Int64, underruns: Int64) {
        // Number 2, lost, was due at 25; number 3 comes before or after that.
        let bench = Bench(delay: .milliseconds(5))
        for (number, at) in [(0, 0), (1, 10), (3, nextArrival), (4, 40)] as [(Int64, Int64)] {
            bench.receive(sequence: UInt16(number), timestamp: UInt32(900 * number), at: at * Self.ms)
        }
        bench.finish()
        #expect(bench.receiver.underruns == underruns)
    }

    @Test("datagrams that are not RTP are discarded and counted as such")
    func malformed() {
        let bench = Bench()
        for raw in [[], [0x80], [UInt8](repeating: 0, count: 40), Array(repeating: 0xff, count: 12)] as [[UInt8]] {
            bench.receive(at: 0, raw: raw)
        }
        bench.finish()
        #expect(bench.discarded.count == 4 && bench.discarded.allSatisfy { $0.reason == .malformed })
    }

    /// The references say 188 bytes a millisecond; datagrams of two packets are sent every 2 ms.
    @Test("without RTP the clock references say when datagrams were sent, those before the second one too")
    func referenceTimeline() {
        let bench = Bench(delay: .milliseconds(40), hasRTP: false)
        var writer = StreamWriter()
        for index in 0..<20 as Range<Int64> {
            let ticks = (5_000 + 2 * index) * 27_000
            // A reference in the second packet of every fourth datagram, from the second on.
            let packets =
                index % 4 == 1
                ? [writer.packet(0x100, [1]), writer.packet(0x100, [], pcr: ticks + 27_000)]
                : [writer.packet(0x100, [1]), writer.packet(0x100, [2])]
            // Arrivals are 3 ms late every third time: it does not show in the releases.
            bench.receive(packets, at: (100 + 2 * index + (index % 3 == 2 ? 3 : 0)) * Self.ms)
        }
        bench.finish()
        #expect(bench.released.count == 20 && bench.discarded.isEmpty)
        #expect(bench.released.map(\.at.nanoseconds) == (0..<20).map { (140 + 2 * Int64($0)) * Self.ms })
    }

    @Test("without a second reference nothing can be timed: what waits is discarded in the end")
    func noReferences() {
        let bench = Bench(hasRTP: false)
        var writer = StreamWriter()
        for index in 0..<5_000 as Range<Int64> { bench.receive([writer.packet(0x100, [1])], at: index) }
        bench.finish()
        #expect(bench.released.isEmpty && bench.discarded.count == 5_000)
        #expect(bench.discarded.count { $0.reason == .overflow } == 5_000 - 4_096)
    }
}
