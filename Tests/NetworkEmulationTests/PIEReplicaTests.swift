import Testing
import Timebase

@testable import NetworkEmulation

/// RFC 8033's pseudocode with a first-come, first-served queue of its own, written from the RFC alone: the controller of §4
/// with §5.4 and §5.5, in milliseconds, and the appendices' `enqueue`.
private struct PIEReplica {
    enum Verdict { case queued, early, tail }

    let limit: Int
    let isDerandomized: Bool
    /// Appendix: a packet dropped because the queue is full begins the accumulation anew.
    let tailDropsReset: Bool
    /// Nanoseconds that each packet of 1,000 bytes takes to be sent.
    let service: Int64
    let key: DrawKey

    private var dropProbability = 0.0
    private var accumulated = 0.0
    private var oldDelay = 0.0
    private var burstAllowance = 150.0
    private var nextUpdate: Int64 = 15_000_000
    /// When each waiting packet came.
    private var queue: [Int64] = []
    private var sendingUntil: Int64?

    init(limit: Int, isDerandomized: Bool, tailDropsReset: Bool = true, service: Int64, key: DrawKey) {
        (self.limit, self.isDerandomized, self.tailDropsReset) = (limit, isDerandomized, tailDropsReset)
        (self.service, self.key) = (service, key)
    }

    /// What becomes of a packet that comes now.
    mutating func arrive(_ number: UInt32, at now: Int64) -> Verdict {
        while let end = sendingUntil, end <= now {
            update(until: end)
            if queue.isEmpty {
                sendingUntil = nil
            } else {
                queue.removeFirst()
                sendingUntil = end + service
            }
        }
        update(until: now)
        guard sendingUntil != nil else {
            sendingUntil = now + service
            return .queued
        }
        if queue.count >= limit {
            if tailDropsReset { accumulated = 0 }
            return .tail
        }
        if burstAllowance == 0, dropsEarly(number) {
            accumulated = 0
            return .early
        }
        queue.append(now)
        return .queued
    }

    private mutating func update(until now: Int64) {
        while nextUpdate <= now {
            calculateDropProbability(queue.first.map { Double(nextUpdate - $0) / 1e6 } ?? 0)
            nextUpdate += 15_000_000
        }
    }

    /// By the waiting time of the head, 15 ms being the target and the time between updates.
    private mutating func calculateDropProbability(_ delay: Double) {
        var change = (0.125 * (delay - 15) + 1.25 * (delay - oldDelay)) / 1_000
        let bands = [(1e-6, 2_048.0), (1e-5, 512), (1e-4, 128), (1e-3, 32), (1e-2, 8), (0.1, 2)]
        change /= bands.first { dropProbability < $0.0 }?.1 ?? 1
        if dropProbability >= 0.1 { change = min(change, 0.02) }
        dropProbability += change
        if delay == 0, oldDelay == 0 { dropProbability *= 0.98 }
        dropProbability = max(0, min(1, dropProbability))
        let isCalm = dropProbability == 0 && delay < 7.5 && oldDelay < 7.5
        burstAllowance = isCalm ? 150 : max(0, burstAllowance - 15)
        oldDelay = delay
    }

    private mutating func dropsEarly(_ number: UInt32) -> Bool {
        if oldDelay < 7.5, dropProbability < 0.2 { return false }
        if queue.count * 1_000 <= 2 * 1_500 { return false }
        if dropProbability == 0 { accumulated = 0 }
        accumulated += dropProbability
        if isDerandomized {
            if accumulated < 0.85 { return false }
            if accumulated >= 8.5 { return true }
        }
        return Double(key.draw(flow: 0, number: Int64(number))) / 0x1p64 < dropProbability
    }
}

@Suite("Link: PIE beside a replica of RFC 8033")
struct PIEReplicaTests {
    struct Setting: Sendable, CustomTestStringConvertible {
        let seed: UInt64
        /// Packets.
        let limit: Int
        /// Of the rate.
        let percent: Int64
        var isDerandomized = true

        var testDescription: String { "seed \(seed), limit \(limit), \(percent) %, derandomize \(isDerandomized)" }
        var key: DrawKey { DrawKey(seed: seed).named("pie") }
    }

    static let settings = [1, 2, 3].flatMap { seed in
        [15, 25, 40].flatMap { limit in
            [160, 200].map { Setting(seed: seed, limit: limit, percent: $0) }
        }
    }

    /// Packets of 1,000 bytes at 4 Mbit/s take 2 ms; they come at random.
    static let service: Int64 = 2_000_000

    /// When packets come, nanoseconds.
    static func arrivals(_ setting: Setting) -> [Int64] {
        var random = TestRandom(setting.seed)
        var now = 0.0
        return (0..<20_000).map { _ in
            now += random.exponential(mean: Double(service) * 100 / Double(setting.percent))
            return Int64(now)
        }
    }

    private static func replica(_ setting: Setting, tailDropsReset: Bool = true) -> [PIEReplica.Verdict] {
        var replica = PIEReplica(
            limit: setting.limit, isDerandomized: setting.isDerandomized, tailDropsReset: tailDropsReset,
            service: service, key: setting.key)
        return arrivals(setting).enumerated().map { replica.arrive(UInt32($0.offset), at: $0.element) }
    }

    private static func verdicts(_ setting: Setting) -> [PIEReplica.Verdict] {
        let parameters = PIEParameters(isDerandomized: setting.isDerandomized, key: setting.key)
        var server = QueueServer(.pie(parameters), limit: .packets(setting.limit), rate: 4_000_000)
        return arrivals(setting).enumerated().map { number, now in
            server.serve(until: now) { _ in }
            switch server.offer(Packet(number: UInt32(number), at: Instant(nanoseconds: now))) {
            case nil: return .queued
            case .activeManagement: return .early
            case .queueFull: return .tail
            }
        }
    }

    @Test(
        "each packet meets the fate that the pseudocode gives it, with tail drops among the early ones",
        arguments: settings + [Setting(seed: 4, limit: 25, percent: 200, isDerandomized: false)])
    func fates(setting: Setting) {
        let (seen, expected) = (Self.verdicts(setting), Self.replica(setting))
        let differing = zip(seen, expected).enumerated().filter { $0.element.0 != $0.element.1 }
        #expect(differing.isEmpty, "from packet \(differing.first?.offset ?? 0) on")
        let (early, tail) = (expected.count { $0 == .early }, expected.count { $0 == .tail })
        #expect(early > 1_000 && tail > 100, "\(early) early drops, \(tail) tail drops")
    }

    @Test("without the reset at tail drops the fates would be others", arguments: settings)
    func power(setting: Setting) {
        let isTold = Self.verdicts(setting) != Self.replica(setting, tailDropsReset: false)
        #expect(isTold)
    }

    /// At 0.1521 the sum passes 0.85 with the sixth packet; a tail drop behind the fifth makes it six more.
    @Test("a tail drop sets the accumulated probability back")
    func accumulated() {
        var pie = PIE(PIETests.parameters, start: .zero)
        for step in PIETests.steps.prefix(10) { pie.update(.milliseconds(step.delay)) }
        func offer(_ number: UInt32) -> Bool { pie.isCongested(for: Packet(number: number), waitingBytes: 10_000) }
        for number in 0..<5 as Range<UInt32> { #expect(!offer(number)) }
        #expect(abs(pie.accumulated - 5 * 0.152_145_385_742_187_5) < 1e-12)
        pie.noteTailDrop()
        #expect(pie.accumulated == 0)
        for number in 5..<10 as Range<UInt32> { #expect(!offer(number)) }
        #expect(abs(pie.accumulated - 5 * 0.152_145_385_742_187_5) < 1e-12)
    }
}
