import Testing
import Timebase

@testable import NetworkEmulation

extension Packet {
    /// A packet of a class, its flow the code point.
    init(_ number: UInt32, codePoint: UInt8, at nanoseconds: Int64 = 0, length: Int) {
        let at = Instant(nanoseconds: nanoseconds)
        self.init(
            time: at, sent: at, slot: Packet.noSlot, number: number, length: UInt16(length), flow: UInt16(codePoint),
            differentiatedServices: codePoint)
    }
}

/// Packets offered to a server at given times; what comes out, in order.
func departures(from server: inout QueueServer, of packets: [Packet]) -> [Packet] {
    var out: [Packet] = []
    for packet in packets {
        server.serve(until: packet.time.nanoseconds) { out.append($0) }
        _ = server.offer(packet)
    }
    server.serve(until: .max - 1) { out.append($0) }
    return out
}

@Suite("Link: strict priority")
struct PriorityTests {
    static let classes = [
        PriorityClass(codePoints: [46], limit: .packets(100)), PriorityClass(codePoints: [34, 36], limit: .packets(5)),
    ]

    @Test("the first class that waits is served, in a class the first that came; each has its own limit")
    func order() {
        var queue = LinkQueue(
            limit: .bytes(3_000), discipline: .priority(Self.classes), rate: BitRate(bitsPerSecond: 1), linkLayer: .none
        )
        let codePoints: [UInt8] = [0, 36, 8, 46, 34, 46, 63, 36, 36, 36, 36, 36, 46, 0]
        var refused: [UInt32] = []
        for (number, codePoint) in codePoints.enumerated() {
            let packet = Packet(UInt32(number), codePoint: codePoint, length: 1_000)
            if queue.enqueue(packet) == .queueFull { refused.append(UInt32(number)) }
        }
        // Five of the second class; 3,000 bytes of the rest.
        #expect(refused == [10, 11, 13] && queue.count == 11 && queue.bytes == 11_000)
        var out: [UInt32] = []
        while let packet = queue.dequeue(at: .zero) { out.append(packet.number) }
        #expect(out == [3, 5, 12, 1, 4, 7, 8, 9, 0, 2, 6])
    }

    /// The same EF packets beside more and more AF: with any amount of it each packet waits at most one AF packet longer.
    @Test("EF's delay does not depend on the load of AF, but for one packet", arguments: [30, 90, 300] as [Int64])
    func independence(percent: Int64) {
        let rate: Int64 = 10_000_000
        var random = TestRandom(7)
        var (voice, video): ([Packet], [Packet]) = ([], [])
        var now = 0.0
        // A tenth of the link in bursts of Poisson arrivals, so that EF waits for itself too.
        while now < 20e9 {
            now += random.exponential(mean: 1_600_000)
            voice.append(Packet(UInt32(voice.count), codePoint: 46, at: Int64(now), length: 200))
        }
        now = 0
        while now < 20e9 {
            now += random.exponential(mean: 1_200_000 * 100 / Double(percent))
            video.append(Packet(UInt32(video.count), codePoint: 34, at: Int64(now), length: 1_500))
        }
        let classes = [PriorityClass(codePoints: [46], limit: .packets(1_000))]
        var alone = QueueServer(.priority(classes), rate: rate)
        var beside = QueueServer(.priority(classes), rate: rate)
        let before = departures(from: &alone, of: voice).map(\.time.nanoseconds)
        let both = (voice + video).sorted { $0.time < $1.time }
        let after = departures(from: &beside, of: both).filter { $0.flow == 46 }.map(\.time.nanoseconds)
        let longer = zip(after, before).map { $0 - $1 }
        #expect(after.count == voice.count && longer.min() ?? -1 >= 0)
        // 1,500 bytes at 10 Mbit/s, and the bound is met: 80 % of it.
        let most = longer.max() ?? 0
        #expect(most <= 1_200_000 && most > 960_000, "\(most) ns")
    }
}

@Suite("Link: weighted fair queueing (WF2Q+)")
struct WeightedFairTests {
    static func discipline(_ rates: [(UInt8, UInt64)], least: UInt64 = 1) -> QueueDiscipline {
        let classes = rates.map {
            GuaranteedClass(
                codePoints: CodePoints([$0.0]), rate: BitRate(bitsPerSecond: $0.1), limit: .packets(100_000))
        }
        return .weightedFair(
            WeightedFairParameters(classes: classes, bestEffortMinimum: BitRate(bitsPerSecond: least)))
    }

    /// Bennett and Zhang's example: one class with half the link and eleven packets, ten with a twentieth and one each.
    /// Sent by their finish alone, ten of the first class would go out in a row.
    @Test("the class with half of the link gets every other packet")
    func example() {
        // The tenth is best effort, which is left as much.
        let small = (1...9).map { (UInt8($0), UInt64(50_000)) }
        var server = QueueServer(Self.discipline([(46, 500_000)] + small), rate: 1_000_000)
        var packets = (0..<11).map { Packet(UInt32($0), codePoint: 46, length: 125) }
        packets += (1...10).map { Packet(0, codePoint: UInt8($0), length: 125) }
        let order = departures(from: &server, of: packets).map { Int($0.flow) }
        // Equals go by class, best effort first.
        let others = [10] + Array(1...9)
        #expect(order == [46] + others.flatMap { [$0, 46] })
    }

    /// Generalized processor sharing, by events in real numbers: when the last bit of each packet has been served if
    /// every class that has something is served at once, in the ratio of the weights.
    struct Fluid {
        var weights: [Double]
        var queues: [[Double]]

        /// For packets that are all there at time zero, in bits, at 1 bit a unit of time.
        mutating func finishes() -> [[Double]] {
            var (now, out) = (0.0, queues.map { _ in [Double]() })
            var heads = queues.map { _ in 0 }
            while true {
                let active = queues.indices.filter { heads[$0] < queues[$0].count }
                if active.isEmpty { return out }
                let sum = active.reduce(0) { $0 + weights[$1] }
                let step = active.map { queues[$0][heads[$0]] * sum / weights[$0] }.min() ?? 0
                now += step
                for index in active {
                    queues[index][heads[index]] -= step * weights[index] / sum
                    guard queues[index][heads[index]] < 1e-6 else { continue }
                    out[index].append(now)
                    heads[index] += 1
                }
            }
        }
    }

    @Test("while all classes have something, nothing is through later than a packet's time after the fluid")
    func fluid() {
        var random = TestRandom(11)
        for _ in 0..<50 {
            let rates = (0..<4).map { (UInt8($0 + 1), UInt64(50_000 + random.below(200_000))) }
            let rest = 1_000_000 - rates.reduce(0) { $0 + $1.1 }
            var packets: [Packet] = []
            var fluid = Fluid(
                weights: rates.map { Double($0.1) } + [Double(rest)], queues: Array(repeating: [], count: 5))
            for index in 0..<5 {
                for number in 0..<60 as Range<UInt32> {
                    let length = Int(40 + random.below(1_461))
                    packets.append(Packet(number, codePoint: index < 4 ? UInt8(index + 1) : 0, length: length))
                    fluid.queues[index].append(Double(length * 8))
                }
            }
            let finishes = fluid.finishes()
            // Until the first class runs dry: WF2Q+ does not follow what the fluid gives the others then.
            let end = finishes.map { $0.last ?? 0 }.min() ?? 0
            var queue = LinkQueue(
                limit: .packets(1_000), discipline: Self.discipline(rates), rate: BitRate(bitsPerSecond: 1_000_000),
                linkLayer: .none)
            for packet in packets { #expect(queue.enqueue(packet) == nil) }
            var (bits, compared) = (0.0, 0)
            while let packet = queue.dequeue(at: .zero) {
                bits += Double(packet.length) * 8
                let index = packet.flow == 0 ? 4 : Int(packet.flow) - 1
                let finish = finishes[index][Int(packet.number)]
                guard finish < end else { continue }
                #expect(bits <= finish + 12_000)
                // Nor much earlier: no packet begins before the fluid has begun it.
                let length = Double(packet.length) * 8
                #expect(bits - length >= finish - length * 1_000_000 / fluid.weights[index] - 0.001)
                compared += 1
            }
            #expect(compared > 80)
        }
    }

    /// Fifteen seconds with everything backlogged: the guarantees and, for best effort, the rest; then at half the rate
    /// without the queue being told: the same shares; then with one class silent: what it had goes to the others in
    /// proportion.
    @Test("shares under saturation are the weights within 1 %, at any rate of the link")
    func shares() {
        var server = QueueServer(
            Self.discipline([(46, 1_000_000), (34, 2_500_000)]), limit: .packets(50), rate: 8_000_000)
        var random = TestRandom(5)
        let classes: [UInt8] = [46, 34, 0]
        var backlog = [0, 0, 0]
        var now: Int64 = 0
        func shares(_ active: [Int], seconds: Int64) -> [Double] {
            var bytes = [0.0, 0.0, 0.0]
            let end = now + seconds * 1_000_000_000
            while now < end {
                for index in active {
                    while backlog[index] < 20 {
                        let length = Int([200, 1_500, 900][index] - random.below(150))
                        _ = server.offer(Packet(0, codePoint: classes[index], at: now, length: length))
                        backlog[index] += 1
                    }
                }
                now = server.end
                server.serve(until: now) { packet in
                    let index = classes.firstIndex(of: packet.differentiatedServices) ?? 0
                    backlog[index] -= 1
                    bytes[index] += Double(packet.length)
                }
            }
            let sum = bytes.reduce(0, +)
            return bytes.map { $0 / sum }
        }
        func compare(_ seen: [Double], _ weights: [Double]) {
            let sum = weights.reduce(0, +)
            for (share, weight) in zip(seen, weights) where weight > 0 {
                #expect(abs(share / (weight / sum) - 1) < 0.01, "\(seen) for \(weights)")
            }
        }
        compare(shares([0, 1, 2], seconds: 15), [1, 2.5, 4.5])
        server.rate = 4_000_000
        compare(shares([0, 1, 2], seconds: 15), [1, 2.5, 4.5])
        _ = shares([0, 2], seconds: 1)
        compare(shares([0, 2], seconds: 15), [1, 0, 4.5])
        // Told of the rate, best effort gets what the guarantees leave of it.
        server.queue.setRate(BitRate(bitsPerSecond: 4_000_000))
        compare(shares([0, 1, 2], seconds: 15), [1, 2.5, 0.5])
    }

    /// Each packet is through by max(arrival, that of the one before) + L / R, and at most Lmax / C later: a guarantee that
    /// does not depend on the others (Goyal, Lam and Vin, "Determining End-to-End Delay Bounds in Heterogeneous Networks").
    @Test(
        "every packet is through at its class's own rate, but for one packet's time", arguments: [1, 2, 3] as [UInt64])
    func guarantee(seed: UInt64) {
        let rates: [(UInt8, UInt64)] = [(46, 1_000_000), (34, 3_000_000), (26, 500_000)]
        var server = QueueServer(Self.discipline(rates, least: 500_000), rate: 8_000_000)
        var random = TestRandom(seed)
        var packets: [Packet] = []
        var now: Int64 = 0
        for number in 0..<60_000 as Range<UInt32> {
            // Bursts, then silence: about the link's rate.
            now += random.below(20) == 0 ? random.below(25_000_000) : random.below(10_000)
            let codePoint = [46, 34, 26, 0, 0][Int(random.below(5))] as UInt8
            packets.append(Packet(number, codePoint: codePoint, at: now, length: Int(40 + random.below(1_461))))
        }
        var (due, most) = ([UInt16: Double](), -Double.infinity)
        for packet in departures(from: &server, of: packets) {
            let rate = Double(rates.first { $0.0 == packet.differentiatedServices }?.1 ?? 3_500_000)
            let begin = max(Double(packet.sent.nanoseconds), due[packet.flow] ?? 0)
            due[packet.flow] = begin + Double(packet.length) * 8e9 / rate
            let late = Double(packet.time.nanoseconds) - (due[packet.flow] ?? 0)
            most = max(most, late)
        }
        // The server rounds each packet's time up to a nanosecond. The bound is met: more than 70 %.
        #expect(most <= 1_500_000 + 60_000, "\(most) ns")
        #expect(most > 1_050_000, "\(most) ns")
    }

    @Test("a reservation is kept, refused when too large, and taken back")
    func reservations() {
        let rate = BitRate(bitsPerSecond: 8_000_000)
        func megabits(_ count: UInt64) -> BitRate { BitRate(bitsPerSecond: count * 1_000_000) }
        var queue = LinkQueue(
            limit: .packets(100), discipline: Self.discipline([(46, 2_000_000)], least: 1_000_000), rate: rate,
            linkLayer: .none)
        #expect(queue.unreservedRate == megabits(5))
        // What waits goes over in order, so nothing overtakes.
        for number in 0..<6 as Range<UInt32> {
            _ = queue.enqueue(Packet(number: number, flow: number % 2 == 0 ? 5 : 6))
        }
        let asked: [(flow: UInt16, rate: BitRate, isKept: Bool, left: UInt64)] = [
            (5, megabits(6), false, 5), (5, megabits(0), false, 5), (5, megabits(3), true, 2),
            (5, megabits(5), true, 0),
            (6, BitRate(bitsPerSecond: 1), false, 0),
        ]
        for (flow, rate, isKept, left) in asked {
            let answer = queue.reserve(flow: flow, rate: rate)
            #expect(answer == isKept && queue.unreservedRate == megabits(left))
        }
        for number in 6..<12 as Range<UInt32> {
            _ = queue.enqueue(Packet(number: number, flow: number % 2 == 0 ? 5 : 6))
        }
        // 5 to 1: by finish 5 of flow 5 before the first of flow 6, but the first of 6 may begin at once.
        var order: [UInt16] = []
        var last: [UInt16: UInt32] = [:]
        while order.count < 6, let packet = queue.dequeue(at: .zero) {
            order.append(packet.flow)
            #expect(last[packet.flow].map { $0 < packet.number } ?? true)
            last[packet.flow] = packet.number
        }
        #expect(order.count { $0 == 5 } == 5)
        queue.release(flow: 5)
        #expect(queue.unreservedRate == megabits(5) && queue.count == 6)
        queue.release(flow: 5)
        var numbers: [UInt32] = []
        while let packet = queue.dequeue(at: .zero) { numbers.append(packet.number) }
        #expect(numbers.count == 6)
        #expect(queue.takeDrop() == nil)
        // Other disciplines know none.
        var other = LinkQueue(limit: .packets(1), discipline: .dropTail, rate: rate, linkLayer: .none)
        let answer = other.reserve(flow: 1, rate: megabits(1))
        #expect(!answer && other.unreservedRate == nil)
    }

    @Test("the latency is a packet at the guaranteed rate and the largest one at the link's")
    func latency() {
        // 1,000 bytes at 2 Mbit/s: 4 ms; 1,500 at 10 Mbit/s: 1.2 ms.
        let latency = WeightedFairParameters.latency(
            rate: BitRate(bitsPerSecond: 2_000_000), packet: 1_000, linkRate: BitRate(bitsPerSecond: 10_000_000),
            largestPacket: 1_500)
        #expect(latency == .microseconds(5_200))
    }
}
