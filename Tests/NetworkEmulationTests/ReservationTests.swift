import Testing
import Timebase

#if canImport(Glibc)
    import Glibc
#endif

@testable import NetworkEmulation

/// A flow through one to three links, on each of which others come and go: one that always has something to send, and one
/// with a guarantee of its own that sends far more than that in bursts.
struct ReservedPath {
    static let linkRate: Int64 = 10_000_000
    /// Of the flow, R and b: bit/s and bits.
    static let rate: Int64 = 2_000_000
    static let burst: Int64 = 80_000
    static let packet = 1_000
    static let largestPacket = 1_500
    static let delay: Int64 = 3_000_000

    private var links: [Link]
    private var random: TestRandom
    /// When the flow sends next, and the bits · 10^9 that its bucket held when it was last looked at.
    private var nextOwn: Int64 = 0
    private var looked: Int64 = 0
    private var tokens = burst * 1_000_000_000
    private var ownLength: Int64 = 1_000
    private var number: UInt32 = 0
    /// By link: when the others send next.
    private var nextGreedy: [Int64]
    private var nextBurst: [Int64]
    private(set) var packets = 0
    private(set) var own = 0
    private(set) var ownLost = 0
    private(set) var worst: Int64 = 0

    /// b / R + Σ (L / R + Lmax / C) + Σ delays, ns.
    static func bound(links: Int) -> Int64 {
        let latency = WeightedFairParameters.latency(
            rate: BitRate(bitsPerSecond: UInt64(rate)), packet: packet,
            linkRate: BitRate(bitsPerSecond: UInt64(linkRate)),
            largestPacket: largestPacket)
        return burst * 1_000_000_000 / rate + Int64(links) * (latency.nanoseconds + delay)
    }

    init(links count: Int, isReserved: Bool, seed: UInt64) {
        let classes = [
            GuaranteedClass(codePoints: [34], rate: BitRate(bitsPerSecond: 3_000_000), limit: .packets(200))
        ]
        let parameters = WeightedFairParameters(
            classes: classes, bestEffortMinimum: BitRate(bitsPerSecond: 1_000_000))
        let configuration = LinkConfiguration(
            loss: .none, rate: BitRate(bitsPerSecond: UInt64(Self.linkRate)), queueLimit: .packets(200),
            delay: DelayModel(delay: .nanoseconds(Self.delay), key: DrawKey(seed: 1)),
            discipline: .weightedFair(parameters))
        links = (0..<count).map { _ in Link(configuration) }
        if isReserved {
            for index in links.indices {
                _ = links[index].reserve(flow: 0, rate: BitRate(bitsPerSecond: UInt64(Self.rate)))
            }
        }
        random = TestRandom(seed)
        nextGreedy = (0..<count).map { Int64($0) * 100_000 }
        nextBurst = (0..<count).map { Int64($0) * 50_000_000 }
    }

    /// Until so many packets have been handed to links.
    mutating func run(packets end: Int) {
        while packets < end {
            var now = nextOwn
            for index in links.indices {
                now = min(now, nextGreedy[index], nextBurst[index], links[index].nextTimeout.nanoseconds)
            }
            let at = Instant(nanoseconds: now)
            for index in links.indices where links[index].nextTimeout <= at { serve(index, at) }
            if nextOwn <= now { sendOwn(at) }
            for index in links.indices { sendOthers(index, at) }
        }
    }

    private mutating func serve(_ index: Int, _ now: Instant) {
        links[index].handleTimeout(at: now)
        while let packet = links[index].pollOutput(at: now) {
            guard packet.flow == 0 else { continue }
            if index + 1 < links.count {
                hand(packet, to: index + 1, now)
            } else {
                own += 1
                worst = max(worst, (packet.time - packet.sent).nanoseconds)
            }
        }
        while links[index].pollDrop() != nil {}
    }

    private mutating func hand(_ packet: Packet, to index: Int, _ now: Instant) {
        packets += 1
        if links[index].handle(packet, at: now) != .accepted, packet.flow == 0 { ownLost += 1 }
    }

    /// As much as the bucket holds at once, and on at its rate; now and then not before it is full again.
    private mutating func sendOwn(_ now: Instant) {
        let full = Self.burst * 1_000_000_000
        tokens = min(full, tokens + (now.nanoseconds - looked) * Self.rate)
        looked = now.nanoseconds
        while tokens >= ownLength * 8_000_000_000 {
            tokens -= ownLength * 8_000_000_000
            let packet = Packet(number: number, at: now, length: UInt16(ownLength))
            number += 1
            hand(packet, to: 0, now)
            ownLength = random.below(4) == 0 ? 100 + random.below(901) : 1_000
        }
        let wanted = random.below(60) == 0 ? full : ownLength * 8_000_000_000
        nextOwn = now.nanoseconds + max(0, wanted - tokens + Self.rate - 1) / Self.rate
    }

    private mutating func sendOthers(_ index: Int, _ now: Instant) {
        if nextGreedy[index] <= now.nanoseconds {
            hand(Packet(number: 0, at: now, length: 1_500, flow: 1), to: index, now)
            nextGreedy[index] += 1_150_000
        }
        if nextBurst[index] <= now.nanoseconds {
            for _ in 0..<(20 + random.below(60)) {
                var packet = Packet(number: 0, at: now, length: UInt16(500 + random.below(1_001)), flow: 2)
                packet.differentiatedServices = 34
                hand(packet, to: index, now)
            }
            nextBurst[index] += 100_000_000 + random.below(300_000_000)
        }
    }
}

@Suite("Reservations: the bound of a flow that keeps to its token bucket")
struct ReservationTests {
    /// Packets handed to links, over the three lengths of the path: 10^7 with RUBATO_LONG_TESTS set, which takes
    /// minutes, else 3 · 10^5.
    static let packets = getenv("RUBATO_LONG_TESTS") == nil ? 300_000 : 10_000_000

    @Test("no packet is ever later than b / R + Σ (L / R + Lmax / C), and the worst comes near", arguments: 1...3)
    func bound(links: Int) {
        var path = ReservedPath(links: links, isReserved: true, seed: UInt64(links))
        path.run(packets: (Self.packets + 2) / 3)
        let bound = ReservedPath.bound(links: links)
        #expect(path.ownLost == 0 && path.own > path.packets / 20)
        #expect(path.worst <= bound, "\(path.worst) of \(bound) ns")
        #expect(Double(path.worst) > 0.8 * Double(bound), "\(path.worst) of \(bound) ns")
    }

    @Test("without the reservation the same flow passes the bound")
    func control() {
        var path = ReservedPath(links: 1, isReserved: false, seed: 1)
        path.run(packets: 30_000)
        #expect(path.worst > ReservedPath.bound(links: 1))
    }
}
