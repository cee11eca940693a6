@testable import ClockSync
import Testing
import Timebase

@Suite("Logical time: Lamport's clock, vector clocks, delivery vectors")
struct LogicalTimeTests {
    /// Three processes whose clocks tick 6, 8 and 10 in the same time, and four messages; the second and the fourth of the
    /// slow ones would come before they left.
    @Test("the textbook's example: clocks that tick 6, 8 and 10")
    func textbook() {
        let rates: [UInt64] = [6, 8, 10]
        // Sender, its tick, receiver: each message takes one tick.
        let messages: [(from: Int, tick: Int, to: Int)] = [(0, 1, 1), (1, 3, 2), (2, 6, 1), (1, 8, 0)]
        var clocks = [LamportClock](repeating: LamportClock(), count: 3)
        var table = [[UInt64]](repeating: [0], count: 3)
        for tick in 1...10 {
            for process in 0..<3 {
                if let message = messages.first(where: { $0.tick == tick - 1 && $0.to == process }) {
                    clocks[process].receive(table[message.from][tick - 1], ticks: rates[process])
                } else {
                    clocks[process].tick(rates[process])
                }
            }
            for process in 0..<3 { table[process].append(clocks[process].value) }
        }
        #expect(table[0] == [0, 6, 12, 18, 24, 30, 36, 42, 48, 70, 76])
        #expect(table[1] == [0, 8, 16, 24, 32, 40, 48, 61, 69, 77, 85])
        #expect(table[2] == [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100])
    }

    @Test("equal clocks are ordered by node")
    func ties() {
        let a = LogicalStamp(lamport: 5, node: 1, vector: [])
        let b = LogicalStamp(lamport: 5, node: 2, vector: [])
        #expect(a.precedes(b) && !b.precedes(a) && !a.precedes(a))
        #expect(b.precedes(LogicalStamp(lamport: 6, node: 0, vector: [])))
    }

    /// A random execution; what happened before what is found from messages and the order at each process alone.
    private struct Execution {
        var stamps: [LogicalStamp] = []
        /// Of each event: the events that happened before it.
        var causes: [Set<Int>] = []

        init(seed: UInt64, processes: Int, events: Int) {
            let key = DrawKey(seed: seed).named("execution")
            var lamport = [LamportClock](repeating: LamportClock(), count: processes)
            var vectors = (0..<processes).map { VectorClock(count: processes, process: $0) }
            var latest = [Int?](repeating: nil, count: processes)
            var underWay: [(event: Int, to: Int)] = []
            for event in 0..<events {
                let draw = key.draw(Int64(event))
                let process = Int(draw % UInt64(processes))
                var causes = Set(latest[process].map { self.causes[$0].union([$0]) } ?? [])
                let mine = underWay.indices.filter { underWay[$0].to == process }
                if draw >> 32 & 1 == 0, let index = mine.isEmpty ? nil : mine[Int(draw >> 40) % mine.count] {
                    let message = underWay.remove(at: index).event
                    lamport[process].receive(stamps[message].lamport)
                    vectors[process].receive(stamps[message].vector)
                    causes.formUnion(self.causes[message].union([message]))
                } else {
                    lamport[process].tick()
                    vectors[process].tick()
                    underWay.append((event, Int(draw >> 48) % processes))
                }
                stamps.append(
                    LogicalStamp(
                        lamport: lamport[process].value, node: UInt16(process), vector: vectors[process].counts))
                self.causes.append(causes)
                latest[process] = event
            }
        }
    }

    @Test(
        "vector stamps are ordered exactly as events happened, Lamport's never against it",
        arguments: 0..<20 as Range<UInt64>)
    func happenedBefore(seed: UInt64) {
        let execution = Execution(seed: seed, processes: 2 + Int(seed % 5), events: 120)
        var concurrent = 0
        for a in execution.stamps.indices {
            for b in execution.stamps.indices where a != b {
                let truth = execution.causes[b].contains(a)
                #expect(execution.stamps[a].happenedBefore(execution.stamps[b]) == truth)
                if truth { #expect(execution.stamps[a].lamport < execution.stamps[b].lamport) }
                if !truth, !execution.causes[a].contains(b) { concurrent += 1 }
            }
        }
        #expect(concurrent > 0, "an execution without concurrent events shows nothing")
    }

    @Test("a process's own count is not taken from what another says of it")
    func liar() {
        var clock = VectorClock(count: 2, process: 0)
        clock.receive([.max, 7])
        #expect(clock.counts == [1, 7])
        clock.receive([])
        #expect(clock.counts == [2, 7])
    }

    @Test(
        "a message is deliverable when it is its sender's next and nothing before it is missing",
        arguments: [
            ([1, 0, 0], 0, [0, 0, 0], true),
            ([2, 0, 0], 0, [0, 0, 0], false),  // the sender's first is missing
            ([1, 1, 0], 1, [0, 0, 0], false),  // its sender had seen one that is missing here
            ([1, 1, 0], 1, [1, 0, 0], true),
            ([1, 1, 0], 1, [1, 1, 0], false),  // already delivered
            ([0, 1, 0], 1, [5, 0, 9], true),  // more has been delivered here than its sender had seen
            ([1, 0], 0, [0, 0, 0], false),
        ] as [([UInt32], Int, [UInt32], Bool)])
    func deliverable(message: [UInt32], sender: Int, delivered: [UInt32], expected: Bool) {
        #expect(DeliveryVector(message).isDeliverable(from: sender, after: DeliveryVector(delivered)) == expected)
    }
}
