import NetworkEmulation
import Testing
import Timebase

@Suite("Link: drop-tail queue")
struct DropTailQueueTests {
    /// What waits in a model of the queue that is kept by departures alone, apart from the code under test.
    struct Model {
        var waiting: [(length: Int, start: Int64)] = []

        /// Those whose first bit has not gone out at `now`.
        mutating func advance(to now: Int64) { waiting.removeAll { $0.start <= now } }
        var bytes: Int { waiting.reduce(0) { $0 + $1.length } }
    }

    @Test(
        "the limit is never passed, and only what would pass it is refused",
        arguments: [
            DropTailQueue.Limit.packets(7), .packets(0), .bytes(6_000), .bytes(1_499), .time(.milliseconds(30)),
        ])
    func limit(limit: DropTailQueue.Limit) {
        let rate: Int64 = 2_000_000
        for seed in 1...3 as ClosedRange<UInt64> {
            var link = Link(rate: UInt64(rate), queue: limit)
            var random = TestRandom(seed)
            var model = Model()
            var now: Int64 = 0
            var (busyStart, busyBits, free): (Int64, Int64, Int64) = (0, 0, 0)
            var refused = 0
            for number in 0..<8_000 as Range<UInt32> {
                now += random.below(6_000_000)
                let length = Int(28 + random.below(1_473))
                model.advance(to: now)
                let fits: Bool
                switch limit {
                case .packets(let count): fits = model.waiting.count + 1 <= count
                case .bytes(let count): fits = model.bytes + length <= count
                case .time(let span):
                    fits = Int64(model.bytes + length) * 8 * 1_000_000_000 <= span.nanoseconds * rate
                }
                let isIdle = now >= free
                let at = Instant(nanoseconds: now)
                link.serve(until: at) { _ in }
                let verdict = link.handle(Packet(number: number, at: at, length: UInt16(length)), at: at)
                #expect((verdict == .accepted) == (isIdle || fits))
                if isIdle {
                    (busyStart, busyBits) = (now, 0)
                } else if fits {
                    model.waiting.append((length, free))
                } else {
                    refused += 1
                    continue
                }
                busyBits += Int64(length) * 8
                free = busyStart + ceiling(bits: busyBits, rate: rate)
                #expect(link.waitingBytes == model.bytes)
            }
            #expect(refused > 100)
            #expect(link.counters.all.queueFull == Int64(refused))
        }
    }

    @Test("at every step what went in is what came out, was dropped or is inside", arguments: [1, 2] as [UInt64])
    func conservation(seed: UInt64) {
        let key = DrawKey(seed: seed).named("loss")
        var link = Link(
            loss: .gilbertElliott(GilbertElliottLoss(loss: 0.05, meanBurst: 4, key: key)), rate: 3_000_000,
            queue: .packets(10), delay: .milliseconds(15), jitter: .normal(deviation: .milliseconds(5)), seed: seed)
        var random = TestRandom(seed)
        var now: Int64 = 0
        var (entered, left): (Int64, Int64) = (0, 0)
        func check(_ link: Link) {
            let counters = link.counters
            #expect(counters.packetsIn == entered && counters.packetsOut == left)
            #expect(entered == left + counters.all.lost + counters.all.queueFull + Int64(link.occupancy))
        }
        for number in 0..<10_000 as Range<UInt32> {
            now += random.below(5_000_000)
            while link.nextTimeout.nanoseconds <= now {
                let next = link.nextTimeout
                link.handleTimeout(at: next)
                check(link)
                while link.pollOutput(at: next) != nil {
                    left += 1
                    check(link)
                }
            }
            let flow = UInt16(random.below(3))
            let at = Instant(nanoseconds: now)
            _ = link.handle(Packet(number: number, at: at, flow: flow), at: at)
            entered += 1
            check(link)
        }
        #expect(link.counters.all.lost > 0 && link.counters.all.queueFull > 0)
        let flows = 0..<3 as Range<UInt16>
        #expect(flows.reduce(0) { $0 + link.counters[$1].lost } == link.counters.all.lost)
        #expect(flows.reduce(0) { $0 + link.counters[$1].queueFull } == link.counters.all.queueFull)
    }
}

@Suite("Link: queueing (M/D/1)")
struct QueueingTests {
    /// Pollaczek and Khinchine: W = ρ s / (2 (1 − ρ)) for service time s.
    ///
    /// n is such that the standard deviation of the estimate is about half a percent: in heavy traffic its square is
    /// 2 / (n (1 − ρ)²) of the mean's.
    @Test(
        "Poisson arrivals wait M/D/1's mean time within 2 %",
        arguments: [(0.3, 200_000), (0.5, 300_000), (0.7, 800_000), (0.8, 1_500_000)])
    func meanWait(load: Double, count: Int) {
        let service = 1_000_000.0  // 1000 bytes at 8 Mbit/s
        var total: Int128 = 0
        let seeds = 1...2 as ClosedRange<UInt64>
        for seed in seeds {
            var link = Link(rate: 8_000_000)
            var random = TestRandom(seed)
            var now = 0.0
            for number in 0..<UInt32(count / 2) {
                now += random.exponential(mean: service / load)
                let at = Instant(nanoseconds: Int64(now))
                link.serve(until: at) { _ in }
                _ = link.handle(Packet(number: number, at: at), at: at)
            }
            link.serve(until: Instant(nanoseconds: .max - 1)) { _ in }
            #expect(link.queueDelay.count == Int64(count / 2))
            total += link.queueDelay.sum
        }
        let mean = Double(total) / Double(count)
        let expected = load * service / (2 * (1 - load))
        #expect(abs(mean / expected - 1) < 0.02, "load \(load), seeds \(seeds): \(mean) for \(expected) ns")
    }
}
