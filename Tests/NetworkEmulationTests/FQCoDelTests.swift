import Testing
import Timebase

@testable import NetworkEmulation

@Suite("Link: FQ-CoDel (RFC 8290)")
struct FQCoDelTests {
    static let parameters = FQCoDelParameters(quantum: 1_500, key: DrawKey(seed: 1).named("hash"))

    static func queue(limit: DropTailQueue.Limit = .packets(10_000)) -> LinkQueue {
        LinkQueue(
            limit: limit, discipline: .fqCodel(parameters), rate: BitRate(bitsPerSecond: 8_000_000), linkLayer: .none)
    }

    /// The order in which packets leave, by flow.
    static func flows(_ queue: inout LinkQueue, count: Int = .max) -> [UInt16] {
        var flows: [UInt16] = []
        while flows.count < count, let packet = queue.dequeue(at: .zero) { flows.append(packet.flow) }
        return flows
    }

    @Test("buckets send a quantum in turn, and what is over it is owed")
    func deficits() {
        var queue = Self.queue()
        for number in 0..<4 as Range<UInt32> { _ = queue.enqueue(Packet(number: number, length: 1_000, flow: 1)) }
        for number in 0..<4 as Range<UInt32> { _ = queue.enqueue(Packet(number: number, length: 500, flow: 2)) }
        // 1: 1500 - 1000 - 1000 = -500, gets 1500, has 1000. 2: 1500 - 3 · 500 = 0, gets 1500. 1: 1000 - 1000 = 0, gets
        // 1500. 2: its last one. 1: its last one.
        #expect(Self.flows(&queue) == [1, 1, 2, 2, 2, 1, 2, 1])
        let isEmpty = queue.isEmpty()
        #expect(isEmpty && queue.bytes == 0)
    }

    @Test("a flow that is new goes first, but is new again only after a turn of the others")
    func sparseFlow() {
        var queue = Self.queue()
        for number in 0..<36 as Range<UInt32> {
            _ = queue.enqueue(Packet(number: number / 3, length: 1_500, flow: [1, 2, 4][Int(number % 3)]))
        }
        #expect(Self.flows(&queue, count: 6) == [1, 2, 4, 1, 2, 4])
        _ = queue.enqueue(Packet(number: 0, length: 100, flow: 3))
        #expect(Self.flows(&queue, count: 2) == [3, 1])
        // It was found empty and put behind 4, 1 and 2, of which 1 has had its turn and 4 was given a quantum.
        _ = queue.enqueue(Packet(number: 1, length: 100, flow: 3))
        #expect(Self.flows(&queue, count: 4) == [2, 3, 4, 1])
        // Found empty there it is in no list, and new again.
        _ = queue.enqueue(Packet(number: 2, length: 100, flow: 3))
        #expect(Self.flows(&queue, count: 2) == [3, 2])
    }

    @Test("a packet that finds the link idle counts against its bucket's quantum")
    func idleLink() {
        var server = QueueServer(.fqCodel(Self.parameters), rate: 8_000_000)
        let packets = [1, 1, 2, 1].map { Packet(number: 0, length: 1_500, flow: $0) }
        #expect(departures(from: &server, of: packets).map(\.flow) == [1, 2, 1, 1])
    }

    @Test(
        "over the limit the fattest bucket loses its head",
        arguments: [.packets(5), .bytes(4_100), .time(.milliseconds(4))] as [DropTailQueue.Limit])
    func fattest(limit: DropTailQueue.Limit) {
        var queue = Self.queue(limit: limit)
        for number in 0..<4 as Range<UInt32> { _ = queue.enqueue(Packet(number: number, length: 900, flow: 1)) }
        for number in 0..<4 as Range<UInt32> {
            #expect(queue.enqueue(Packet(number: number, length: 250, flow: 2)) == nil)
        }
        var drops: [UInt32] = []
        while let drop = queue.takeDrop() {
            #expect(drop.packet.flow == 1 && drop.reason == .queueFull)
            drops.append(drop.packet.number)
        }
        switch limit {
        case .packets: #expect(drops == [0, 1, 2])
        case .bytes, .time: #expect(drops == [0])
        }
        #expect(queue.count == 8 - drops.count && queue.bytes == 4_600 - 900 * drops.count)
    }

    /// Chi-square over 64 cells: mean 63, standard deviation √126 = 11.2; five of them.
    @Test("flows fall into buckets evenly, otherwise under another key")
    func hashing() {
        var cells = [Int](repeating: 0, count: 64)
        let backlog = Backlog(limit: .packets(1), rate: BitRate(bitsPerSecond: 1), linkLayer: .none)
        let (one, other) = (
            FQCoDel(Self.parameters, backlog: backlog),
            FQCoDel(FQCoDelParameters(key: DrawKey(seed: 2).named("hash")), backlog: backlog)
        )
        var same = 0
        for flow in 0..<UInt16.max {
            cells[one.hash(flow: flow) / 16] += 1
            same += one.hash(flow: flow) == other.hash(flow: flow) ? 1 : 0
        }
        let expected = 65_535.0 / 64
        let sum = cells.reduce(0.0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
        #expect(abs(sum - 63) < 56, "\(sum)")
        // Binomial with 1/1024: mean 64, deviation 8.
        #expect(abs(same - 64) < 40)
    }

    @Test("each bucket has a CoDel of its own: a flow that keeps to its share loses nothing")
    func isolation() {
        var server = QueueServer(.fqCodel(Self.parameters), rate: 8_000_000)
        var (drops, longest) = ([Int](repeating: 0, count: 2), Int64(0))
        for number in 0..<30_000 as Range<Int64> {
            let now = number * 1_000_000
            server.serve(until: now) { packet in
                if packet.flow == 1 { longest = max(longest, packet.time.nanoseconds - packet.sent.nanoseconds) }
            }
            let at = Instant(nanoseconds: now)
            _ = server.offer(Packet(number: UInt32(number), at: at, length: 1_000, flow: 0))
            if number % 10 == 0 { _ = server.offer(Packet(number: UInt32(number), at: at, length: 500, flow: 1)) }
            while let drop = server.queue.takeDrop() { drops[Int(drop.packet.flow)] += 1 }
        }
        #expect(drops[0] > 100 && drops[1] == 0)
        // Behind the packet being sent and what is left of the other's turn: 1.5 ms and less than a packet, and its own.
        #expect(longest <= 4_000_000)
    }

    @Test("a link's queue is small before it is used")
    func size() { #expect(MemoryLayout<LinkQueue>.size < 1_200) }
}
