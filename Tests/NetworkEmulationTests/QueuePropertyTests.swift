import Testing
import Timebase

@testable import NetworkEmulation

@Suite("Queues: what holds for every discipline")
struct QueuePropertyTests {
    private static let hastyPIE = {
        var parameters = PIEParameters(
            target: .milliseconds(3), update: .milliseconds(3), ecn: true, key: DrawKey(seed: 1).named("pie"))
        parameters.largestBurst = .milliseconds(20)
        return parameters
    }()

    static let disciplines: [QueueDiscipline] = [
        .dropTail, .dropHead,
        .codel(CoDelParameters(target: .milliseconds(2), interval: .milliseconds(20), ecn: true)),
        .pie(hastyPIE),
        .fqCodel(
            FQCoDelParameters(
                codel: CoDelParameters(target: .milliseconds(2), interval: .milliseconds(20), ecn: true), buckets: 16,
                key: DrawKey(seed: 1).named("hash"))),
        .priority([
            PriorityClass(codePoints: [0], limit: .packets(9)), PriorityClass(codePoints: [2], limit: .bytes(8_000)),
        ]),
        .weightedFair(
            WeightedFairParameters(
                classes: [
                    GuaranteedClass(
                        codePoints: [1], rate: BitRate(bitsPerSecond: 3_000_000), limit: .time(.milliseconds(20)))
                ], bestEffortMinimum: BitRate(bitsPerSecond: 500_000))),
    ]
    static let limits: [DropTailQueue.Limit] = [.packets(30), .bytes(25_000), .time(.milliseconds(25))]

    /// What has come, and what became of it.
    struct Ledger {
        var entered = 0
        var left = 0
        var lost = 0
        var enteredBytes = 0
        var goneBytes = 0
        /// By flow, the number of the last packet that left.
        var last = [Int64](repeating: -1, count: 6)

        mutating func leave(_ packet: Packet) {
            left += 1
            goneBytes += Int(packet.length)
            #expect(last[Int(packet.flow)] < Int64(packet.number), "flow \(packet.flow) keeps its order")
            last[Int(packet.flow)] = Int64(packet.number)
        }

        mutating func lose(_ packet: Packet) {
            lost += 1
            goneBytes += Int(packet.length)
        }

        func check(_ server: QueueServer) {
            #expect(entered == left + lost + server.queue.count + (server.sending == nil ? 0 : 1))
            let sending = Int(server.sending?.length ?? 0)
            #expect(enteredBytes == goneBytes + server.queue.bytes + sending)
            var queue = server.queue
            let isEmpty = queue.isEmpty()
            #expect(isEmpty == (server.queue.count == 0))
        }
    }

    /// Random traffic near the link's rate; `change` may do something to the queue before each packet.
    static func run(
        _ discipline: QueueDiscipline, seed: UInt64, _ change: (inout LinkQueue, Int64, inout TestRandom) -> Void
    )
        -> Ledger
    {
        var server = QueueServer(discipline, limit: limits[Int(seed % 3)], rate: 8_000_000)
        var random = TestRandom(seed)
        var (ledger, now) = (Ledger(), Int64(0))
        for number in 0..<6_000 as Range<UInt32> {
            now += random.below(10) == 0 ? random.below(6_000_000) : random.below(800_000)
            server.serve(until: now) { ledger.leave($0) }
            change(&server.queue, now, &random)
            while let drop = server.queue.takeDrop() { ledger.lose(drop.packet) }
            let flow = UInt16(random.below(6))
            var packet = Packet(
                number: number, at: Instant(nanoseconds: now), length: UInt16(40 + random.below(1_461)), flow: flow)
            packet.differentiatedServices = UInt8(flow % 4)
            packet.marks = flow % 2 == 0 ? .ecnCapable : []
            ledger.entered += 1
            ledger.enteredBytes += Int(packet.length)
            if server.offer(packet) != nil { ledger.lose(packet) }
            while let drop = server.queue.takeDrop() { ledger.lose(drop.packet) }
            ledger.check(server)
        }
        server.serve(until: .max - 1) { ledger.leave($0) }
        while let drop = server.queue.takeDrop() { ledger.lose(drop.packet) }
        #expect(ledger.entered == ledger.left + ledger.lost && server.queue.count == 0 && server.queue.bytes == 0)
        return ledger
    }

    @Test(
        "what went in came out, was dropped for a reason or waits; and each flow keeps its order",
        arguments: disciplines.indices, [1, 2, 3] as [UInt64])
    func conservation(index: Int, seed: UInt64) {
        let ledger = Self.run(Self.disciplines[index], seed: seed) { _, _, _ in }
        #expect(ledger.lost > 100 && ledger.left > 2_000)
    }

    @Test("that holds when the discipline, the limit, the rate or reservations change meanwhile", arguments: 1...6)
    func changes(seed: Int) {
        var kind = seed
        _ = Self.run(Self.disciplines[kind], seed: UInt64(seed)) { queue, now, random in
            switch random.below(120) {
            case 0, 1:
                kind = Int(random.below(7))
                let limit = Self.limits[Int(random.below(3))]
                let before = queue.count
                queue.change(
                    to: Self.disciplines[kind], limit: limit, rate: BitRate(bitsPerSecond: 8_000_000),
                    at: Instant(nanoseconds: now))
                #expect(queue.count <= before)
            case 2: queue.setRate(BitRate(bitsPerSecond: UInt64(1_000_000 + random.below(9_000_000))))
            case 3, 4: _ = queue.reserve(flow: UInt16(random.below(6)), rate: BitRate(bitsPerSecond: 700_000))
            case 5: queue.release(flow: UInt16(random.below(6)))
            default: break
            }
        }
    }

    @Test("another discipline takes what waits in the order in which it would have left, as far as it fits")
    func change() {
        for target in [QueueDiscipline.dropTail, Self.disciplines[3], Self.disciplines[2]] {
            let rate = BitRate(bitsPerSecond: 8_000_000)
            var queue = LinkQueue(
                limit: .packets(20), discipline: .priority([PriorityClass(codePoints: [46], limit: .packets(20))]),
                rate: rate, linkLayer: .none)
            for number in 0..<10 as Range<UInt32> {
                _ = queue.enqueue(Packet(number, codePoint: number % 2 == 0 ? 0 : 46, length: 1_000))
            }
            queue.change(to: target, limit: .packets(7), rate: rate, at: .zero)
            var (out, dropped): ([UInt32], [UInt32]) = ([], [])
            while let drop = queue.takeDrop() {
                #expect(drop.reason == .queueFull)
                dropped.append(drop.packet.number)
            }
            while let packet = queue.dequeue(at: .zero) { out.append(packet.number) }
            #expect(out == [1, 3, 5, 7, 9, 0, 2] && dropped == [4, 6, 8])
        }
    }
}
