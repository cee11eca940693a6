import Testing
import Timebase

@testable import NetworkEmulation

@Suite("Link: CoDel's law (RFC 8289)")
struct CoDelTests {
    static let interval = 0.1

    /// A CoDel and packets that have waited as long as a test says.
    struct Bench {
        var codel: CoDel
        var outcome = QueueOutcome()
        var marks: Packet.Marks = []
        private(set) var signals: [Int64] = []
        private var number: UInt32 = 0

        init(_ parameters: CoDelParameters) { codel = CoDel(parameters) }

        /// Takes a packet each millisecond up to `end` ms from a long queue, each having waited for `wait` ms.
        mutating func run(from begin: Int64, until end: Int64, wait: Int64) {
            for now in begin..<end {
                var queue = DropTailQueue(limit: .packets(100), rate: BitRate(bitsPerSecond: 1))
                let at = Instant(nanoseconds: now * 1_000_000)
                for _ in 0..<50 {
                    var packet = Packet(number: number, at: at - .milliseconds(wait))
                    packet.marks = marks
                    number += 1
                    _ = queue.enqueue(packet)
                }
                let out = codel.dequeue(from: &queue, at: at, &outcome)
                if out?.marks.contains(.congestionExperienced) == true { signals.append(now) }
                while outcome.takeDrop() != nil { signals.append(now) }
            }
        }
    }

    /// First at 1100, an interval after the target was passed, then after 100/√1, 100/√2, ...: see the suite of drop-head
    /// and CoDel.
    static let first: [Int64] = [1_100, 1_200, 1_271, 1_329, 1_379, 1_424, 1_464, 1_502, 1_538, 1_571]

    @Test("marks come at the instants of the drops whose place they take")
    func marks() {
        var bench = Bench(CoDelParameters(ecn: true))
        bench.marks = .ecnCapable
        bench.run(from: 1_000, until: 1_600, wait: 500)
        #expect(bench.signals == Self.first)
        #expect(bench.outcome.markedByFlow == [10])
        // What cannot be marked is dropped, and nothing is marked that is not asked for.
        for (ecn, marks) in [(true, []), (false, .ecnCapable)] as [(Bool, Packet.Marks)] {
            var bench = Bench(CoDelParameters(ecn: ecn))
            bench.marks = marks
            bench.run(from: 1_000, until: 1_600, wait: 500)
            #expect(bench.signals == Self.first && bench.outcome.markedByFlow.isEmpty)
        }
    }

    /// Ten drops from a count of 1 on: it begins again with 10 - 1 = 9 if the target was met for less than 16 intervals
    /// since the next drop would have been due (at 1602.1), else with 1. The interval before the first drop counts.
    @Test("soon after it goes on with the drops that it had added, later anew", arguments: [(3_199, 9), (3_204, 1)])
    func reentry(drop: Int64, count: Int64) {
        var bench = Bench(CoDelParameters())
        bench.run(from: 1_000, until: 1_600, wait: 500)
        bench.run(from: 1_600, until: drop - 100, wait: 4)
        #expect(!bench.codel.isDropping && bench.signals == Self.first)
        bench.run(from: drop - 100, until: drop + 1, wait: 500)
        #expect(bench.codel.isDropping && bench.codel.count == count && bench.signals.last == drop)
        // 100/√9 = 33.3 or 100/√1.
        bench.run(from: drop + 1, until: drop + 101, wait: 500)
        #expect(bench.signals[11] == drop + (count == 9 ? 34 : 100))
        // With no more than one drop added, the next time begins with 1.
        guard count == 9 else { return }
        var next = Bench(CoDelParameters())
        next.run(from: 1_000, until: 1_150, wait: 500)
        next.run(from: 1_150, until: 1_160, wait: 4)
        next.run(from: 1_160, until: 1_261, wait: 500)
        #expect(next.signals == [1_100, 1_260] && next.codel.count == 1)
    }

    /// An excess of e packets a second that does not answer: the rate of drops √k / I reaches it at k = (e I)², after
    /// I Σ 1/√k. By then e t − k packets wait, counted from when the queue began, target / (e / C) and an interval before
    /// the first drop; and as drops are from the head, the head has waited for the time in which so many came.
    @Test("under an excess that does not answer, the queue first grows to what the law gives", arguments: [120, 150])
    func firstPeak(percent: Int64) {
        var run = OverloadRun(.codel(CoDelParameters()), percent: percent)
        run.run()
        let (capacity, target) = (1_000.0, 0.005)
        let excess = capacity * Double(percent - 100) / 100
        let drops = Int((excess * Self.interval * excess * Self.interval).rounded())
        let steps = (1...drops).reduce(0.0) { $0 + 1 / Double($1).squareRoot() }
        let time = target * capacity / excess + Self.interval * (1 + steps)
        let peak = (excess * time - Double(drops)) / (capacity + excess) * 1e9
        #expect(abs(Double(run.longestWait) / peak - 1) < 0.03, "\(run.longestWait) for \(peak) ns")
        #expect(run.refused.isEmpty)
        // What bounds the waiting time then is the limit.
        var limited = OverloadRun(.codel(CoDelParameters()), percent: percent, limit: .packets(50))
        limited.run()
        #expect(limited.longestWait <= 50_000_000 && limited.refused[.queueFull, default: 0] > 0)
    }
}
