import Testing
import Timebase

@testable import NetworkEmulation

@Suite("Link: timeouts")
struct LinkTimeoutTests {
    static let rate = BitRate(bitsPerSecond: 1_000_000)

    /// Links that must not put off anything, and some that may.
    static let links: [(name: String, configuration: LinkConfiguration)] = {
        let key = DrawKey(seed: 5)
        func link(_ discipline: QueueDiscipline, _ change: (inout LinkConfiguration) -> Void = { _ in }) -> (
            String, LinkConfiguration
        ) {
            var link = LinkConfiguration(
                loss: .none, rate: rate, queueLimit: .packets(20),
                delay: DelayModel(delay: .milliseconds(3), key: key), discipline: discipline)
            change(&link)
            return ("\(discipline)".prefix { $0 != "(" }.description, link)
        }
        func jittery(reorder: Bool, early: Double = 0) -> DelayModel {
            DelayModel(
                delay: .milliseconds(30), jitter: .quantiles(.normal(deviation: .milliseconds(12))),
                mayReorder: reorder, early: EarlyPackets(share: Probability(early)), key: key)
        }
        let codel = CoDelParameters(target: .milliseconds(20), interval: .milliseconds(60))
        let bucket = TokenBucketParameters(rate: rate, burst: 4_000)
        var list = [
            link(.dropTail), link(.dropHead), link(.codel(codel)), link(.pie(PIEParameters(key: key))),
            link(.fqCodel(FQCoDelParameters(codel: codel, key: key))),
            link(.weightedFair(WeightedFairParameters(classes: [], bestEffortMinimum: rate))),
            link(.dropTail) { $0.delay = jittery(reorder: false) },
            link(.dropTail) { $0.delay = jittery(reorder: true) },
            link(.dropTail) { $0.delay = jittery(reorder: false, early: 0.1) },
            link(.codel(codel)) { $0.delay = jittery(reorder: true, early: 0.1) },
            link(.dropTail) { $0.capacity = .tokens(bucket) },
            link(.dropTail) { $0.duplication = PacketChance(Probability(0.3), key: key.named("duplicate")) },
        ]
        for at in [2_000, 2_001, 5_000] as [Int64] {
            var changing = list[0].1
            var later = list[2].1
            later.delay = jittery(reorder: true)
            later.queueLimit = .packets(4)
            changing.changes = [(.zero + .milliseconds(at), later), (.zero + .milliseconds(at + 1_500), list[6].1)]
            list.append(("changing", changing))
        }
        return list.map { (name: $0.0, configuration: $0.1) }
    }()

    /// What a link did, by when it told.
    struct Course: Equatable {
        var departures: [[Int64]] = []
        var drops: [[Int64]] = []
        var verdicts: [LinkVerdict] = []

        mutating func take(_ link: inout Link, at now: Instant) {
            while let packet = link.pollOutput(at: now) {
                departures.append([now.nanoseconds, packet.time.nanoseconds, Int64(packet.number), Int64(packet.copy)])
            }
            #expect(!link.hasDrops || link.nextTimeout >= now)
            while link.hasDrops, let drop = link.pollDrop() {
                drops.append([now.nanoseconds, Int64(drop.packet.number), Int64(drop.reason.rawValue)])
            }
            #expect(link.pollDrop() == nil)
        }
    }

    private func course(_ configuration: LinkConfiguration, nudged: Bool) -> Course {
        var link = Link(configuration)
        var course = Course()
        var random = TestRandom(9)
        var now: Int64 = 0
        func serve(until end: Int64) {
            while link.nextTimeout.nanoseconds <= end {
                let next = link.nextTimeout
                link.handleTimeout(at: next)
                course.take(&link, at: next)
            }
        }
        for number in 0..<2_000 as Range<UInt32> {
            // Now more than the link can send, now less.
            let spread: Int64 = number / 100 % 2 == 0 ? 9_000_000 : 24_000_000
            now += random.below(spread)
            let nudge = random.below(9_000_000)
            if nudged {
                let early = max(now - nudge, 0)
                serve(until: early)
                for _ in 0..<3 {
                    let before = (link.nextTimeout, link.occupancy)
                    link.handleTimeout(at: Instant(nanoseconds: early))
                    #expect(link.pollOutput(at: Instant(nanoseconds: early)) == nil)
                    #expect(!link.hasDrops && link.nextTimeout == before.0)
                    // Copies are made when it is known when their packet leaves.
                    #expect(link.occupancy == before.1 || configuration.duplication != nil)
                }
            }
            serve(until: now)
            let at = Instant(nanoseconds: now)
            course.verdicts.append(link.handle(Packet(number: number, at: at, flow: UInt16(number % 3)), at: at))
            course.take(&link, at: at)
        }
        serve(until: now + 10_000_000_000)
        #expect(link.occupancy == 0 && link.nextTimeout == .distantFuture)
        return course
    }

    @Test("calls before the next timeout change nothing, and nothing is told by them", arguments: links.indices)
    func early(index: Int) {
        let (name, configuration) = Self.links[index]
        let (plain, nudged) = (course(configuration, nudged: false), course(configuration, nudged: true))
        #expect(plain.departures == nudged.departures, "\(name)")
        #expect(plain.drops == nudged.drops, "\(name)")
        #expect(plain.verdicts == nudged.verdicts, "\(name)")
        #expect(plain.departures.count > 1_000)
        #expect(plain.departures.allSatisfy { $0[0] == $0[1] }, "every packet is handed over when it arrives")
    }

    @Test("a packet that waits for nobody needs one timeout, that of its arrival")
    func timeouts() {
        var link = Link(Self.links[0].configuration)
        for number in 0..<100 as Range<UInt32> {
            let at = Instant.zero + .milliseconds(20 * Int64(number))
            #expect(link.handle(Packet(number: number, at: at), at: at) == .accepted)
            #expect(link.nextTimeout == at + .milliseconds(8 + 3))
            link.handleTimeout(at: link.nextTimeout)
            #expect(link.pollOutput(at: link.nextTimeout)?.number == number)
            #expect(link.nextTimeout == .distantFuture)
        }
    }
}
