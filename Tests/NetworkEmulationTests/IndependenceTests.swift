import Testing
import Timebase

@testable import NetworkEmulation

/// Two links in a row whose random stages can be switched on one by one, and what each stage did to each packet.
private struct Chain {
    enum Stage: String, CaseIterable, Sendable {
        case bernoulli, correlatedLoss, gilbertElliott, timeDriven, markov, listed, bitErrors
        case damage, duplication, jitter, correlated, early, policer
    }

    struct Identity: Hashable {
        let number: UInt32
        let copy: UInt8
    }

    /// By link and kind of stage, what became of each packet that met it.
    struct Trace {
        var lost: [[Identity: Bool]] = [[:], [:]]
        var damaged: [[Identity: Int?]] = [[:], [:]]
        var copied: [[Identity: Bool]] = [[:], [:]]
        var travelled: [[Identity: TimeSpan]] = [[:], [:]]
    }

    static func configuration(_ stages: Set<Stage>, link: Int, seed: UInt64) -> LinkConfiguration {
        let key = DrawKey(seed: seed).named("link\(link)")
        var loss = LossModel.none
        let lossKey = key.named("loss")
        if stages.contains(.bernoulli) { loss = .bernoulli(PacketChance(Probability(0.1), key: lossKey)) }
        if stages.contains(.correlatedLoss) {
            loss = .correlated(CorrelatedLoss(Probability(0.1), correlation: 0.6, key: lossKey))
        }
        if stages.contains(.gilbertElliott) {
            loss = .gilbertElliott(GilbertElliottLoss(loss: 0.1, meanBurst: 4, key: lossKey))
        }
        if stages.contains(.timeDriven) {
            loss = .gilbertElliott(
                GilbertElliottLoss(loss: 0.1, meanBurst: 4, step: .milliseconds(3), key: lossKey))
        }
        if stages.contains(.markov) {
            loss =
                MarkovLoss(p13: 0.05, p31: 0.3, p32: 0.2, p23: 0.5, p14: 0.02, key: lossKey).map { .markov($0) } ?? loss
        }
        if stages.contains(.listed) {
            loss = ListedLoss([1, 4, 9], repeatingEvery: 20).map { .listed($0) } ?? loss
        }
        if stages.contains(.bitErrors) { loss = .bitErrors(Self.bitErrors.drawing(with: lossKey)) }
        let hasJitter = stages.contains(.jitter) || stages.contains(.correlated)
        var configuration = LinkConfiguration(
            loss: loss, rate: nil, queueLimit: .packets(1),
            delay: DelayModel(
                delay: .milliseconds(5), jitter: hasJitter ? .quantiles(Self.exponential) : .none,
                correlation: stages.contains(.correlated) ? 0.6 : 0, mayReorder: true,
                early: EarlyPackets(share: Probability(stages.contains(.early) ? 0.1 : 0)), key: key.named("jitter")))
        if stages.contains(.damage) { configuration.damage = PacketChance(Probability(0.1), key: key.named("corrupt")) }
        if stages.contains(.duplication) {
            configuration.duplication = PacketChance(Probability(0.1), key: key.named("duplicate"))
        }
        if stages.contains(.policer) {
            configuration.policer = TokenBucketParameters(rate: BitRate(bitsPerSecond: 4_000_000), burst: 5_000)
        }
        configuration.duplicateMark = UInt8(1 << link)
        return configuration
    }

    // Tables that take long to make.
    private static let bitErrors = BitErrorLoss(rate: 1e-5, key: DrawKey(seed: 0))
    private static let exponential = QuantileTable.exponential(mean: .milliseconds(4))

    /// Sends packets through both links and notes what every stage did.
    static func run(_ stages: [Set<Stage>], seed: UInt64, count: Int = 1_200) -> Trace {
        var trace = Trace()
        var pool = PacketPool(slotCapacity: 1_000)
        var packets = (0..<count).map { Packet(number: UInt32($0), at: .zero + .milliseconds(Int64($0) * 2)) }
        for index in 0...1 {
            var link = Link(configuration(stages[index], link: index, seed: seed))
            var output: [Packet] = []
            for var packet in packets {
                let identity = Identity(number: packet.number, copy: packet.copy)
                packet.slot = pool.allocate()
                pool.mutableBytes(packet.slot).initializeMemory(as: UInt8.self, repeating: 0)
                let verdict = link.handle(packet, &pool, at: packet.time)
                if verdict != .policed { trace.lost[index][identity] = verdict == .lost }
                guard verdict == .accepted else {
                    pool.release(packet.slot)
                    continue
                }
                var copies = 0
                while var arrived = link.pollOutput(at: .distantFuture) {
                    let identity = Identity(number: arrived.number, copy: arrived.copy)
                    trace.travelled[index][identity] = arrived.time - packet.time
                    trace.damaged[index][identity] = Self.changedBit(arrived, pool)
                    if arrived.copy != packet.copy { copies += 1 }
                    pool.release(arrived.slot)
                    arrived.slot = Packet.noSlot
                    output.append(arrived)
                }
                trace.copied[index][identity] = copies > 0
            }
            #expect(pool.slotsInUse == 0)
            packets = output.sorted { ($0.time, $0.number, $0.copy) < ($1.time, $1.number, $1.copy) }
        }
        return trace
    }

    /// The first bit of a packet of zeros that is not 0 any more.
    private static func changedBit(_ packet: Packet, _ pool: borrowing PacketPool) -> Int? {
        let bytes = pool.bytes(packet.slot, count: packet.payloadCount)
        return bytes.firstIndex { $0 != 0 }.map { $0 * 8 + bytes[$0].trailingZeroBitCount }
    }

    /// How many packets met a stage in both runs, and whether it did the same to each of them.
    static func agree<Value: Equatable>(_ a: [Identity: Value], _ b: [Identity: Value]) -> (met: Int, same: Bool) {
        let common = a.keys.filter { b[$0] != nil }
        return (common.count, common.allSatisfy { a[$0] == b[$0] })
    }
}

@Suite("Stages draw independently of each other")
struct IndependenceTests {
    /// A loss model takes the place of another on the same link, so these are not switched on beside each other.
    private static let losses: Set<Chain.Stage> = [
        .bernoulli, .correlatedLoss, .gilbertElliott, .timeDriven, .markov, .listed, .bitErrors,
    ]

    @Test(
        "switching one stage on or off changes no other stage's doing to a packet that meets it in both cases",
        arguments: Chain.Stage.allCases, [0, 1])
    private func pairs(toggled: Chain.Stage, on link: Int) {
        let seed: UInt64 = 77
        // A policer draws nothing.
        for observed in Chain.Stage.allCases where observed != .policer {
            for place in 0...1 {
                // A time-driven chain's draws belong to instants: what moves a packet in time moves it to another's luck.
                let moves: [Chain.Stage] = [.jitter, .correlated, .early, .duplication]
                if observed == .timeDriven, link < place, moves.contains(toggled) { continue }
                let sharesLoss = Self.losses.contains(toggled) && Self.losses.contains(observed)
                if place == link, sharesLoss || toggled == observed { continue }
                // Correlated jitter is jitter drawn otherwise, not a stage beside it.
                if place == link, [.jitter, .correlated].contains(toggled), [.jitter, .correlated].contains(observed) {
                    continue
                }
                var base: [Set<Chain.Stage>] = [[], []]
                base[place].insert(observed)
                var changed = base
                changed[link].insert(toggled)
                check(Chain.run(base, seed: seed), Chain.run(changed, seed: seed), observed, toggled, link, place, seed)
            }
        }
    }

    private func check(
        _ a: Chain.Trace, _ b: Chain.Trace, _ observed: Chain.Stage, _ toggled: Chain.Stage, _ link: Int, _ place: Int,
        _ seed: UInt64
    ) {
        let name: Comment = "\(toggled.rawValue) on \(link), \(observed.rawValue) on \(place), seed \(seed)"
        let result: (met: Int, same: Bool)
        switch observed {
        case .bernoulli, .correlatedLoss, .gilbertElliott, .timeDriven, .markov, .listed, .bitErrors, .policer:
            result = Chain.agree(a.lost[place], b.lost[place])
        case .damage: result = Chain.agree(a.damaged[place], b.damaged[place])
        case .duplication: result = Chain.agree(a.copied[place], b.copied[place])
        case .jitter, .correlated:
            // Early packets on the same link skip their jitter.
            let early = toggled == .early && link == place
            let kept = b.travelled[place].filter { !early || $0.value > .zero }
            result = Chain.agree(a.travelled[place], kept)
        case .early:
            let jumps = { (trace: Chain.Trace) in trace.travelled[place].mapValues { $0 == .zero } }
            result = Chain.agree(jumps(a), jumps(b))
        }
        #expect(result.met >= 1_000, name)
        #expect(result.same, name)
    }

    @Test("the trace tells stages apart: another seed does something else to the packets")
    func sensitive() {
        let stages: [Set<Chain.Stage>] = [[.bernoulli, .damage, .duplication, .jitter], [.markov, .early]]
        let (a, b) = (Chain.run(stages, seed: 1), Chain.run(stages, seed: 2))
        #expect(!Chain.agree(a.lost[0], b.lost[0]).same)
        #expect(!Chain.agree(a.damaged[0], b.damaged[0]).same)
        #expect(!Chain.agree(a.copied[0], b.copied[0]).same)
        #expect(!Chain.agree(a.travelled[0], b.travelled[0]).same)
        #expect(!Chain.agree(a.lost[1], b.lost[1]).same)
    }
}
