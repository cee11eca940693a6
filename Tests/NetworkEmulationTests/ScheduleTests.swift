import Testing
import Timebase

@testable import NetworkEmulation

@Suite("Schedules and outages of a link")
struct ScheduleTests {
    private func configuration(
        rate: UInt64? = nil, capacity: CapacitySource = .constant, delay: Int64 = 0, loss: LossModel = .none,
        limit: DropTailQueue.Limit = .packets(1_000), discipline: QueueDiscipline = .dropTail
    ) -> LinkConfiguration {
        var configuration = LinkConfiguration(
            loss: loss, rate: rate.map { BitRate(bitsPerSecond: $0) }, queueLimit: limit,
            delay: DelayModel(delay: .milliseconds(delay), key: DrawKey(seed: 1)), discipline: discipline)
        configuration.capacity = capacity
        return configuration
    }

    private func packets(_ count: Int, every milliseconds: Int64) -> [Packet] {
        (0..<count).map { Packet(number: UInt32($0), at: .zero + .milliseconds(milliseconds * Int64($0))) }
    }

    @Test("a change holds for what comes and leaves at its instant and later")
    func change() {
        var link = configuration(delay: 5)
        let all = PacketChance(.always, key: DrawKey(seed: 1))
        link.changes = [
            (.zero + .milliseconds(20), configuration(delay: 50)),
            (.zero + .milliseconds(40), configuration(delay: 50, loss: .bernoulli(all))),
            (.zero + .milliseconds(60), configuration(delay: 1)),
        ]
        var changing = Link(link)
        let passage = changing.pass(packets(10, every: 10))
        // Order is kept: what leaves with the short delay waits for what left with the long one.
        #expect(passage.departures.map(\.number) == [0, 1, 2, 3, 6, 7, 8, 9])
        #expect(passage.departures.map { $0.time.nanoseconds / 1_000_000 } == [5, 15, 70, 80, 80, 80, 81, 91])
        #expect(passage.verdicts[4...5].allSatisfy { $0 == .lost })
    }

    @Test("a rate that changes in the middle of a packet sends the rest at the new rate")
    func midPacket() throws {
        // 8,000 bits: half at 1 Mbit/s in 4 ms, the other half at 8 Mbit/s in half a millisecond.
        let pieces = [
            (at: TimeSpan.zero, rate: BitRate(bitsPerSecond: 1_000_000)),
            (at: .milliseconds(4), rate: BitRate(bitsPerSecond: 8_000_000)),
        ]
        let trace = try #require(RateTrace(pieces))
        var link = Link(configuration(rate: 1_000_000, capacity: .pieces(trace)))
        let passage = link.pass([Packet(number: 0), Packet(number: 1)])
        #expect(passage.departures.map { $0.time.nanoseconds } == [4_500_000, 5_500_000])
    }

    @Test("while a link is down nothing enters, what waits stands still, and what travels arrives")
    func outage() throws {
        let down = Instant.zero + .milliseconds(10)..<(Instant.zero + .milliseconds(30))
        let pieces = [(at: TimeSpan.zero, rate: BitRate(bitsPerSecond: 1_000_000))]
        let trace = try #require(
            RateTrace(pieces)?.overridden(
                in: [.milliseconds(10)..<TimeSpan.milliseconds(30)], with: BitRate(bitsPerSecond: 0)))
        var configuration = configuration(rate: 1_000_000, capacity: .pieces(trace), delay: 3)
        configuration.outages = [down]
        var link = Link(configuration)
        // Two at once: the first is through at 8 ms, the second has 2 of its 8 ms when the link goes down.
        let passage = link.pass(
            [Packet(number: 0), Packet(number: 1)]
                + [10, 29, 30].enumerated().map { index, at in
                    Packet(number: UInt32(2 + index), at: .zero + .milliseconds(Int64(at)))
                })
        #expect(passage.verdicts == [.accepted, .accepted, .down, .down, .accepted])
        #expect(passage.departures.map(\.number) == [0, 1, 4])
        #expect(passage.departures.map { $0.time.nanoseconds / 1_000_000 } == [11, 39, 47])
        #expect(link.counters.all.down == 2)
    }

    @Test("an outage of a shaper holds its packets back until the end")
    func shaperOutage() {
        let bucket = TokenBucketParameters(rate: BitRate(bitsPerSecond: 1_000_000), burst: 1_000)
        var configuration = configuration(rate: 1_000_000, capacity: .tokens(bucket))
        configuration.outages = [Instant.zero + .milliseconds(5)..<(Instant.zero + .milliseconds(20))]
        var link = Link(configuration)
        let passage = link.pass((0..<3).map { Packet(number: UInt32($0)) })
        // Tokens for the second are there at 8 ms, within the outage; those for the third 8 ms after it has gone.
        #expect(passage.departures.map { $0.time.nanoseconds / 1_000_000 } == [0, 20, 28])
    }

    @Test("another queue takes over what waits, in its order, and drops what no longer fits")
    func queue() {
        var configuration = configuration(rate: 1_000_000)
        configuration.changes = [
            (
                .zero + .milliseconds(4),
                self.configuration(rate: 1_000_000, limit: .packets(3), discipline: .dropHead)
            )
        ]
        var link = Link(configuration)
        var dropped: [UInt32] = []
        for packet in (0..<6).map({ Packet(number: UInt32($0)) }) {
            #expect(link.handle(packet, at: .zero) == .accepted)
        }
        let late = Packet(number: 6, at: .zero + .milliseconds(5))
        #expect(link.handle(late, at: late.time) == .accepted)
        while let drop = link.pollDrop() { dropped.append(drop.packet.number) }
        // Five wait: the three that fit move over, dropping from the head; the newcomer takes the head's place.
        #expect(dropped == [1, 2, 3])
        var left: [UInt32] = []
        while link.nextTimeout != .distantFuture { link.serve(until: link.nextTimeout) { left.append($0.number) } }
        #expect(left == [0, 4, 5, 6])
    }

    @Test("a share of packets skips the delay and overtakes", arguments: [1, 2, 3] as [UInt64])
    func early(seed: UInt64) {
        var configuration = configuration()
        configuration.delay = DelayModel(
            delay: .milliseconds(20), jitter: .none, early: EarlyPackets(share: Probability(0.02)),
            key: DrawKey(seed: seed))
        var link = Link(configuration)
        let count = 50_000
        let passage = link.pass(packets(count, every: 1))
        let early = passage.departures.count { $0.time == $0.sent }
        #expect(passage.departures.allSatisfy { $0.time == $0.sent || $0.time == $0.sent + .milliseconds(20) })
        // Binomial, within five sigma.
        #expect(abs(Double(early) - 1_000) < 5 * (1_000 * 0.98).squareRoot(), "seed \(seed): \(early)")
    }

    @Test("copies and damage strike the share asked for, every bit alike", arguments: [1, 2, 3] as [UInt64])
    func shares(seed: UInt64) {
        var configuration = configuration()
        configuration.duplication = PacketChance(Probability(0.1), key: DrawKey(seed: seed).named("duplicate"))
        configuration.damage = PacketChance(Probability(0.1), key: DrawKey(seed: seed).named("corrupt"))
        var link = Link(configuration)
        // Behind the payload, what a slot keeps of its damage.
        var pool = PacketPool(slotCapacity: 1_304)
        let zeros = pool.allocate()
        pool.mutableBytes(zeros).initializeMemory(as: UInt8.self, repeating: 0)
        let count = 200_000
        var bits = [Int](repeating: 0, count: 16)
        for var packet in packets(count, every: 1) {
            (packet.slot, packet.length) = (zeros, 1_328)
            pool.retain(zeros)
            _ = link.handle(packet, &pool, at: packet.time)
            while let arrived = link.pollOutput(at: packet.time) {
                defer { pool.release(arrived.slot) }
                let bytes = pool.bytes(arrived.slot, count: 1_300)
                guard arrived.slot != zeros, arrived.copy == 0, let place = bytes.firstIndex(where: { $0 != 0 }) else {
                    continue
                }
                #expect(bytes[place].nonzeroBitCount == 1)
                bits[(place * 8 + bytes[place].trailingZeroBitCount) / 650] += 1
            }
        }
        #expect(pool.slotsInUse == 1)
        let sigma = (Double(count) * 0.1 * 0.9).squareRoot()
        #expect(abs(Double(link.counters.all.duplicated) - Double(count) * 0.1) < 5 * sigma, "seed \(seed)")
        let total = bits.reduce(0, +)
        #expect(abs(Double(total) - Double(count) * 0.1) < 5 * sigma, "seed \(seed)")
        // Chi-square with 15 degrees of freedom: mean 15, deviation √30; 5 sigma above.
        let expected = Double(total) / 16
        let statistic = bits.reduce(0.0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
        #expect(statistic < 15 + 5 * 30.0.squareRoot(), "seed \(seed): \(statistic)")
    }
}
