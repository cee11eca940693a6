import Testing
import Timebase

@testable import NetworkEmulation

@Suite("Link: drop-head and CoDel (RFC 8289)")
struct ActiveQueueTests {
    static let ms: Int64 = 1_000_000

    static func link(_ discipline: QueueDiscipline, queue: DropTailQueue.Limit) -> Link {
        Link(
            LinkConfiguration(
                loss: .none, rate: BitRate(bitsPerSecond: 8_000_000), queueLimit: queue,
                delay: DelayModel(delay: .zero, key: DrawKey(seed: 1)), discipline: discipline))
    }

    @Test("a full drop-head queue gives up what has waited longest")
    func dropHead() {
        var link = Self.link(.dropHead, queue: .packets(3))
        var drops: [UInt32] = []
        for number in 0..<6 as Range<UInt32> {
            #expect(link.handle(Packet(number: number), at: .zero) == .accepted)
            while let drop = link.pollDrop() {
                #expect(drop.reason == .queueFull)
                drops.append(drop.packet.number)
            }
        }
        #expect(drops == [1, 2])
        #expect(link.pass([]).departures.map(\.number) == [0, 3, 4, 5])
        #expect(link.counters.all.queueFull == 2)
        // One that alone passes the limit is refused, and nobody makes room for it in vain but those that waited.
        var small = Self.link(.dropHead, queue: .bytes(900))
        #expect(small.handle(Packet(number: 0), at: .zero) == .accepted)
        #expect(small.handle(Packet(number: 1), at: .zero) == .dropped(.queueFull))
    }

    /// A queue of packets that have all waited for a second; one is taken every 10 ms.
    @Test("drops begin an interval after the target was passed and come after interval / √count")
    func controlLaw() {
        var queue = DropTailQueue(limit: .packets(10_000), rate: BitRate(bitsPerSecond: 1))
        for number in 0..<5_000 as Range<UInt32> { _ = queue.enqueue(Packet(number: number)) }
        var codel = CoDel(CoDelParameters())
        var drops: [Int64] = []
        var now: Int64 = 1_000
        while now < 1_600 {
            var outcome = QueueOutcome()
            _ = codel.dequeue(from: &queue, at: Instant(nanoseconds: now * Self.ms), &outcome)
            while outcome.takeDrop() != nil { drops.append(now) }
            now += 1
        }
        // 1000: above; 1100: the first drop, count 1, next at 1200; then 100/√2 = 70.7: 1270.7; 57.7: 1328.4; 50: 1378.4;
        // 44.7: 1423.2; 40.8: 1463.99; 37.8: 1501.8; 35.4: 1537.1; 33.3: 1570.5.
        #expect(drops == [1_100, 1_200, 1_271, 1_329, 1_379, 1_424, 1_464, 1_502, 1_538, 1_571])
        #expect(codel.isDropping && codel.count == 10)
    }

    @Test("one packet's bytes are never dropped for having waited, nor what waits less than the target")
    func spared() {
        for (length, waited) in [(1_500, 1_000), (100, 4)] as [(UInt16, Int64)] {
            var codel = CoDel(CoDelParameters())
            for round in 0..<400 as Range<Int64> {
                var queue = DropTailQueue(limit: .packets(100), rate: BitRate(bitsPerSecond: 1))
                let now = Instant(nanoseconds: (2_000 + 10 * round) * Self.ms)
                let packets = length == 1_500 ? 2 : 50
                for number in 0..<UInt32(packets) {
                    _ = queue.enqueue(Packet(number: number, at: now - .milliseconds(waited), length: length))
                }
                var outcome = QueueOutcome()
                _ = codel.dequeue(from: &queue, at: now, &outcome)
                #expect(outcome.takeDrop() == nil)
            }
        }
    }

    /// A load that does not answer to drops: CoDel forgets its rate of drops whenever the target is met, so the time
    /// swings above the target; without it the queue would grow to 6 and to 20 s.
    @Test(
        "under steady overload CoDel bounds the waiting time, and every packet is accounted for",
        arguments: [(105, 20), (120, 200)] as [(Int64, Double)])
    func overload(percent: Int64, bound: Double) {
        var link = Self.link(.codel(CoDelParameters()), queue: .packets(10_000))
        var (dropped, out, last): (Int64, Int64, Histogram) = (0, 0, Histogram())
        let count: Int64 = 120_000
        for number in 0..<count {
            let at = Instant(nanoseconds: number * Self.ms * 100 / percent)
            link.serve(until: at) { packet in
                out += 1
                if packet.sent.nanoseconds > 60_000 * Self.ms {
                    last.add((packet.time - packet.sent).nanoseconds - Self.ms)
                }
            }
            _ = link.handle(Packet(number: UInt32(number), at: at), at: at)
            while let drop = link.pollDrop() {
                #expect(drop.reason == .activeManagement)
                dropped += 1
            }
            if number % 1_000 == 0 { #expect(number + 1 == out + dropped + Int64(link.occupancy)) }
        }
        #expect(link.counters.all.managed == dropped && link.counters.all.queueFull == 0)
        // What is too much is dropped: all but capacity.
        #expect(abs(Double(dropped) / Double(count) - (1 - 100 / Double(percent))) < 0.01)
        let mean = Double(last.sum) / Double(last.count) / 1e6
        #expect(mean < bound, "\(mean) ms")
    }
}
