@testable import Emulator
import Media
import Metrics
import NetworkEmulation
import Receiver
import Testing
import Timebase
import Wire

/// Links with everything on, and what the World makes of it.
@Suite("Impairments in the World")
struct ImpairmentTests {
    private static func chance(_ probability: Double, _ name: String, seed: UInt64) -> PacketChance {
        PacketChance(Probability(probability), key: DrawKey(seed: seed).named(name))
    }

    private func impaired(_ id: String, seed: UInt64, mark: UInt8, queue: QueueDiscipline = .dropTail) -> NamedLink {
        var link = Experiment.link(id, seed: seed, rate: 4_000_000, loss: 0.02, jitter: .milliseconds(10))
        let key = DrawKey(seed: seed).named(id)
        link.configuration.discipline = queue
        link.configuration.damage = PacketChance(Probability(0.02), key: key.named("corrupt"))
        link.configuration.duplication = PacketChance(Probability(0.05), key: key.named("duplicate"))
        link.configuration.duplicateMark = mark
        link.configuration.policer = TokenBucketParameters(rate: BitRate(bitsPerSecond: 3_900_000), burst: 8_000)
        link.configuration.outages = [
            .zero + .seconds(1)..<(.zero + .milliseconds(1_200)),
            .zero + .seconds(3)..<(.zero + .milliseconds(3_050)),
        ]
        link.crossTraffic = [
            CrossTrafficConfiguration(
                .poisson(rate: BitRate(bitsPerSecond: 1_500_000), length: 1_000), key: key.named("cross"))
        ]
        return link
    }

    private func check(_ measurements: RunMeasurements, _ comment: Comment) {
        for flow in measurements.flows {
            let fates = flow.delivered + flow.lostLink + flow.droppedQueue + flow.droppedChecksum
            #expect(flow.sent + flow.duplicated == fates, comment)
            #expect(flow.delivered >= flow.late + flow.duplicates, comment)
        }
        for link in measurements.links {
            let dropped =
                link.lossDrops + link.queueFullDrops + link.aqmDrops + link.downDrops + link.policedDrops
            #expect(link.packetsIn + link.duplicated == link.packetsOut + dropped, comment)
        }
    }

    static let disciplines: [QueueDiscipline] = [
        .dropTail, .dropHead, .codel(CoDelParameters(ecn: true)),
        .pie(PIEParameters(key: DrawKey(seed: 9))), .fqCodel(FQCoDelParameters(key: DrawKey(seed: 9))),
        .priority([PriorityClass(codePoints: [46], limit: .packets(50))]),
        .weightedFair(
            WeightedFairParameters(
                classes: [
                    GuaranteedClass(
                        codePoints: [0], rate: BitRate(bitsPerSecond: 2_000_000), limit: .packets(50))
                ], bestEffortMinimum: BitRate(bitsPerSecond: 0))),
    ]

    @Test(
        "with everything on, behind a branch too, every datagram and every packet of cross traffic meets one fate",
        arguments: [1, 2, 3] as [UInt64])
    func conservation(seed: UInt64) throws {
        for (index, discipline) in Self.disciplines.enumerated() {
            var experiment = Experiment(
                seed: seed,
                forward: [
                    impaired("forward.0", seed: seed, mark: 1, queue: discipline),
                    impaired("forward.1", seed: seed, mark: 2, queue: discipline),
                ])
            experiment.reverse = [Experiment.link("reverse.0", seed: seed)]
            experiment.receivers = ["a", "b"]
            var configuration = try experiment.configuration()
            for receiver in configuration.receivers.indices {
                let name = "\(configuration.receivers[receiver].id).last.0"
                configuration.receivers[receiver].lastLinks = [impaired(name, seed: seed, mark: 4)]
                configuration.receivers[receiver].firstReverseLinks = [Experiment.link("first", seed: seed)]
                configuration.receivers[receiver].takesDamaged = receiver == 1
            }
            var world = World(configuration)
            VirtualTime.run(&world)
            let measurements = world.measurements()
            check(measurements, "seed \(seed), discipline \(index)")
            #expect(world.packetsUnderWay == 0, "seed \(seed), discipline \(index)")
            let (a, b) = (measurements.flows[0], measurements.flows[1])
            #expect(a.duplicated > 0 && a.droppedChecksum > 0 && a.lostLink > 0 && a.droppedQueue > 0)
            #expect(b.droppedChecksum == 0)
            #expect(
                measurements.links.contains { $0.downDrops > 0 } && measurements.links.contains { $0.policedDrops > 0 })
        }
    }

    @Test("what is captured of a damaged datagram differs from what was sent in exactly its damaged bits")
    func damage() throws {
        var link = Experiment.link("forward.0")
        link.configuration.damage = Self.chance(0.2, "corrupt", seed: 4)
        var experiment = Experiment(duration: .seconds(2), forward: [link], reverse: [Experiment.link("reverse.0")])
        experiment.taps.capturesNodes = true
        var world = World(try experiment.configuration())
        var sent: [UInt32: [UInt8]] = [:]
        var damaged: [Int] = []
        VirtualTime.run(&world, shouldStop: { _ in false }) { world, output in
            guard case .captured(let packet, let point, _) = output, packet.marks.contains(.media) else { return }
            let bytes = Array(world.payload(of: packet))
            if point == .sender { sent[packet.number] = bytes }
            guard point == .receiver(0), let original = sent[packet.number] else { return }
            let bits = zip(bytes, original).reduce(0) { $0 + ($1.0 ^ $1.1).nonzeroBitCount }
            #expect(bits == (packet.marks.contains(.damaged) ? 1 : 0))
            guard packet.marks.contains(.damaged), let sum = world.originalSum(of: packet) else { return }
            var checksum = InternetChecksum()
            original.withUnsafeBytes { checksum.add($0) }
            #expect(sum == checksum.sum)
            for (index, pair) in zip(bytes, original).enumerated() where pair.0 != pair.1 { damaged.append(index) }
        }
        let flow = world.measurements().flows[0]
        #expect(flow.droppedChecksum == damaged.count)
        // Independent with probability 0.2, within five sigma.
        let expected = Double(flow.sent) * 0.2
        #expect(abs(Double(damaged.count) - expected) < 5 * (expected * 0.8).squareRoot())
        // All over the datagram.
        #expect(Set(damaged.map { $0 / 166 }).count == 8)
    }

    @Test(
        "a receiver that takes damaged datagrams is not led astray by damaged headers", arguments: [1, 2] as [UInt64])
    func damagedHeaders(seed: UInt64) throws {
        var link = Experiment.link("forward.0", seed: seed)
        link.configuration.damage = Self.chance(0.05, "corrupt", seed: seed)
        let experiment = Experiment(
            seed: seed, duration: .seconds(30), forward: [link], reverse: [Experiment.link("reverse.0")])
        var configuration = try experiment.configuration()
        configuration.receivers[0].takesDamaged = true
        configuration.receivers[0].media.doubtsHeaders = true
        var world = World(configuration)
        VirtualTime.run(&world)
        let measurements = world.measurements()
        let flow = measurements.flows[0]
        #expect(flow.delivered == flow.sent && flow.sent > 5_000)
        // One bit in 10,624 of a datagram, 96 of them in the RTP header: 5 % of 0.9 % go astray.
        #expect(flow.late + flow.duplicates < flow.sent / 500, "seed \(seed)")
        #expect(measurements.ended < .zero + .seconds(62))
    }

    @Test("changes that hide each other from the checksum pass, as they do in any network stack")
    func hiddenDamage() throws {
        let links = [1, 2].map { index in
            var link = Experiment.link("forward.\(index)")
            link.configuration.damage = Self.chance(1, "corrupt\(index)", seed: 4)
            return link
        }
        var experiment = Experiment(duration: .seconds(30), forward: links, reverse: [Experiment.link("reverse.0")])
        experiment.taps.capturesNodes = true
        var world = World(try experiment.configuration())
        var wrong: Int64 = 0
        VirtualTime.run(&world, shouldStop: { _ in false }) { world, output in
            guard case .captured(let packet, .receiver(0), _) = output, packet.marks.contains(.media),
                let original = world.originalSum(of: packet)
            else { return }
            var checksum = InternetChecksum()
            checksum.add(world.payload(of: packet))
            if checksum.sum != original { wrong += 1 }
        }
        let flow = world.measurements().flows[0]
        #expect(flow.droppedChecksum == wrong && flow.delivered == flow.sent - wrong)
        // Two changes of the same bit of a word in opposite directions: 1 in 32.
        let expected = Double(flow.sent) / 32
        #expect(abs(Double(flow.delivered) - expected) < 5 * expected.squareRoot())
    }

    @Test("what a rate that stays 0 holds back for ever is lost to a link that is down")
    func stuck() throws {
        var link = Experiment.link("forward.0", rate: 4_000_000)
        let pieces = [
            (at: TimeSpan.zero, rate: BitRate(bitsPerSecond: 4_000_000)),
            (at: .seconds(2), rate: BitRate(bitsPerSecond: 0)),
        ]
        link.configuration.capacity = .pieces(try #require(RateTrace(pieces)))
        let experiment = Experiment(forward: [link], reverse: [Experiment.link("reverse.0")])
        var world = World(try experiment.configuration())
        VirtualTime.run(&world)
        let measurements = world.measurements()
        check(measurements, "stuck")
        #expect(measurements.links[0].downDrops > 1 && world.packetsUnderWay == 0)
    }

    @Test("a copy comes with its own luck, and the receiver tells it from the packet", arguments: [0.0, 1.0])
    func copies(probability: Double) throws {
        var link = Experiment.link("forward.0")
        link.configuration.duplication = Self.chance(probability, "duplicate", seed: 4)
        let experiment = Experiment(forward: [link], reverse: [Experiment.link("reverse.0")])
        var world = World(try experiment.configuration())
        VirtualTime.run(&world)
        let flow = world.measurements().flows[0]
        #expect(flow.duplicated == (probability == 1 ? flow.sent : 0))
        #expect(flow.duplicates == flow.duplicated && flow.delivered == flow.sent + flow.duplicated)
        #expect(flow.unrepaired == 0 && flow.late == 0)
    }

    @Test("a driver that steps through the verbs gets the same digest with everything on")
    func drivers() throws {
        let experiment = Experiment(
            forward: [impaired("forward.0", seed: 5, mark: 1)], reverse: [Experiment.link("reverse.0")])
        var one = World(try experiment.configuration())
        var other = World(try experiment.configuration())
        VirtualTime.run(&one)
        while let next = other.nextTimeout {
            other.handleTimeout(at: next - .nanoseconds(1))
            other.handleTimeout(at: next)
            while other.pollOutput() != nil {}
        }
        #expect(one.measurements().digest == other.measurements().digest)
    }
}

@Suite("Reservations")
struct ReservationTests {
    private func fair(_ id: String, rate: UInt64, keeping: UInt64 = 0) -> NamedLink {
        var link = Experiment.link(id, delay: .milliseconds(5), rate: rate)
        link.configuration.discipline = .weightedFair(
            WeightedFairParameters(classes: [], bestEffortMinimum: BitRate(bitsPerSecond: keeping)))
        // Greedy, so that without the guarantee the program would starve.
        link.crossTraffic = [
            CrossTrafficConfiguration(
                .constant(rate: BitRate(bitsPerSecond: 2 * rate), length: 1_500), key: DrawKey(seed: 7).named(id))
        ]
        return link
    }

    private func run(_ links: [NamedLink], reserving rate: UInt64, burst: Int = 3_000) throws -> RunMeasurements {
        let experiment = Experiment(forward: links, reverse: [Experiment.link("reverse.0")])
        var configuration = try experiment.configuration()
        configuration.reservation = TokenBucketParameters(rate: BitRate(bitsPerSecond: rate), burst: burst)
        var world = World(configuration)
        VirtualTime.run(&world)
        return world.measurements()
    }

    @Test("an admitted flow loses nothing to greedy traffic, and its worst delay keeps to T + b/R")
    func admitted() throws {
        let result = try run(
            [fair("forward.0", rate: 8_000_000), fair("forward.1", rate: 6_000_000)], reserving: 4_000_000)
        let row = try #require(result.reservations.first)
        #expect(row.isAdmitted && row.refusedLink == nil)
        let flow = result.flows[0]
        #expect(flow.sent > 1_000 && flow.delivered == flow.sent)
        let (worst, bound) = (try #require(row.worstDelayNanoseconds), try #require(row.boundNanoseconds))
        // b/R 6 ms, L/R 2.712 ms twice, Lmax/C 1.5 and 2 ms, delays 10 ms.
        #expect(bound == 6_000_000 + 2 * 2_712_000 + 1_500_000 + 2_000_000 + 10_000_000)
        #expect(worst <= bound && worst > 10_000_000)
        #expect(try #require(row.neededBurst) <= 3_000)
    }

    @Test("one link that refuses makes the others let go, and nothing is sent")
    func refused() throws {
        // The second link has no room beside what best effort keeps.
        var links = [fair("forward.0", rate: 8_000_000), fair("forward.1", rate: 6_000_000, keeping: 3_000_000)]
        // On the first link another session asks behind: it would find no room if the program had kept its hold.
        let result = try run(links, reserving: 4_000_000)
        let row = try #require(result.reservations.first)
        #expect(!row.isAdmitted && row.refusedLink == "forward.1")
        #expect(row.refusedReason == "3000000 bit/s are free to guarantee")
        #expect(result.flows[0].sent == 0 && row.worstDelayNanoseconds == nil)
        #expect(
            result.warnings.contains(
                .reservationRefused(
                    flow: "program", link: "forward.1", reason: "3000000 bit/s are free to guarantee")))
        // Two phases: what the first link held for the refused session is free again.
        var link = Link(links[0].configuration)
        let isHeld = link.reserve(flow: 0, rate: BitRate(bitsPerSecond: 4_000_000))
        #expect(isHeld)
        #expect(link.unreservedRate?.bitsPerSecond == 8_000_000 - 4_000_000 - 1)
        link.release(flow: 0)
        #expect(link.unreservedRate?.bitsPerSecond == 8_000_000 - 1)
        links.removeLast()
        #expect(try run(links, reserving: 4_000_000).reservations.first?.isAdmitted == true)
    }

    @Test("a queue that guarantees nothing refuses, and so does a rate that changes")
    func cannot() throws {
        let plain = Experiment.link("forward.0", rate: 8_000_000)
        #expect(try run([plain], reserving: 1_000_000).reservations[0].refusedReason?.contains("wfq") == true)
        var changing = fair("forward.0", rate: 8_000_000)
        let pieces = [(at: TimeSpan.zero, rate: BitRate(bitsPerSecond: 8_000_000))]
        changing.configuration.capacity = .pieces(try #require(RateTrace(pieces)))
        #expect(try run([changing], reserving: 1_000_000).reservations[0].refusedReason?.contains("changes") == true)
        // Without a rate there is nothing to wait for.
        let free = Experiment.link("forward.0")
        #expect(try run([free], reserving: 4_000_000).reservations[0].isAdmitted)
    }

    @Test("sessions of cross traffic ask first, in their order; one that is refused is silent")
    func others() throws {
        var link = fair("forward.0", rate: 8_000_000)
        link.crossTraffic = [5_000_000, 5_000_000].enumerated().map { index, rate in
            CrossTrafficConfiguration(
                .constant(rate: BitRate(bitsPerSecond: rate), length: 1_500),
                reservation: TokenBucketParameters(rate: BitRate(bitsPerSecond: rate), burst: 3_000),
                key: DrawKey(seed: UInt64(index)).named("cross"))
        }
        let result = try run([link], reserving: 2_500_000, burst: 4_000)
        #expect(result.reservations.map(\.isAdmitted) == [true, false, true])
        #expect(
            result.reservations.map(\.flow) == ["forward.0.cross_traffic.0", "forward.0.cross_traffic.1", "program"])
        // One source of 5 Mbit/s for the program's time, and the program.
        let others = result.links[0].packetsIn - result.flows[0].sent
        let seconds = Double(result.ended.nanoseconds) / 1e9
        #expect(others < Int64(seconds * 5_000_000 / 12_000) + 20)
    }

    @Test("a flow that keeps not to its burst is told that the bound does not hold")
    func nonconforming() throws {
        let result = try run([fair("forward.0", rate: 8_000_000)], reserving: 1_000_000)
        let row = try #require(result.reservations.first)
        let needed = try #require(row.neededBurst)
        #expect(needed > 3_000)
        #expect(
            result.warnings.contains(.burstBeyondReservation(flow: "program", needed: needed, reserved: row.burst)))
    }
}
