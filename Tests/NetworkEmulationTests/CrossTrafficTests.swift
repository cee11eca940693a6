import Testing
import Timebase

@testable import NetworkEmulation

@Suite("Cross traffic")
struct CrossTrafficTests {
    private func times(_ pattern: ArrivalPattern, seed: UInt64 = 1, until end: TimeSpan) -> [Instant] {
        var source = CrossTraffic(pattern, flow: 7, key: DrawKey(seed: seed).named("cross"))
        var times: [Instant] = []
        while source.nextTimeout < .zero + end {
            let next = source.nextTimeout
            #expect(source.send(at: next - .nanoseconds(1)) == nil)
            guard let packet = source.send(at: next) else { break }
            #expect(packet.number == UInt32(times.count) && packet.flow == 7)
            times.append(next)
        }
        return times
    }

    private let rate = BitRate(bitsPerSecond: 9_600_000)

    @Test("Poisson: counts a second have mean and variance λ, gaps are exponential", arguments: [1, 2, 3] as [UInt64])
    func poisson(seed: UInt64) {
        // 1,200 bytes at 9.6 Mbit/s: 1,000 packets a second.
        let seconds = 1_000
        let times = times(.poisson(rate: rate, length: 1_200), seed: seed, until: .seconds(Int64(seconds)))
        var counts = [Double](repeating: 0, count: seconds)
        for time in times { counts[Int(time.nanoseconds / 1_000_000_000)] += 1 }
        let mean = Double(times.count) / Double(seconds)
        // 5 sigma: of a Poisson count √λ each; of a sample variance λ √(2/n).
        #expect(abs(mean - 1_000) < 5 * (1_000.0 / Double(seconds)).squareRoot(), "seed \(seed): \(mean)")
        let variance = counts.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(seconds - 1)
        #expect(abs(variance - 1_000) < 5 * 1_000 * (2.0 / Double(seconds)).squareRoot(), "seed \(seed): \(variance)")
        // P(gap > x) = e^(−x) in units of the mean: at one and at three means.
        let gaps = zip(times, times.dropFirst()).map { Double(($1 - $0).nanoseconds) / 1_000_000 }
        for (limit, tail) in [(1.0, 0.36787944), (3.0, 0.04978707)] {
            let share = Double(gaps.count { $0 > limit }) / Double(gaps.count)
            #expect(abs(share - tail) < 5 * (tail * (1 - tail) / Double(gaps.count)).squareRoot(), "seed \(seed)")
        }
    }

    @Test("constant: every packet comes at its exact place after a phase within one spacing")
    func constant() {
        let times = times(.constant(rate: BitRate(bitsPerSecond: 7_000_000), length: 1_000), until: .seconds(100))
        let first = times[0]
        #expect(first >= .zero && first < .zero + .nanoseconds(1_142_857))
        for (index, time) in times.enumerated() {
            // 8,000 bits at 7 Mbit/s: 8/7 ms, rounded down.
            #expect((time - first).nanoseconds == Int64(index) * 8_000_000 / 7)
        }
    }

    @Test("on-off: evenly spaced while on, on for on / (on + off) of the time", arguments: [1, 2, 3] as [UInt64])
    func onOff(seed: UInt64) {
        let law = QuantileTable.exponential(mean: .milliseconds(200))
        let rest = QuantileTable.exponential(mean: .milliseconds(300))
        let seconds: Int64 = 4_000
        let times = times(.onOff(rate: rate, length: 1_200, on: law, off: rest), seed: seed, until: .seconds(seconds))
        // Alternating exponential periods: the time on in T has mean T · on/(on + off) and, for T far longer than a
        // cycle, variance T · 2 on² off² / (on + off)³ (renewal theory).
        let (on, off, span) = (0.2, 0.3, Double(seconds))
        let expected = span * on / (on + off)
        let deviation = (span * 2 * on * on * off * off / ((on + off) * (on + off) * (on + off))).squareRoot()
        let measured = Double(times.count) / 1_000
        #expect(abs(measured - expected) < 5 * deviation, "seed \(seed): on for \(measured) s of \(expected)")
        let gaps = zip(times, times.dropFirst()).map { ($1 - $0).nanoseconds }
        #expect(gaps.allSatisfy { $0 >= 1_000_000 })
        #expect(gaps.count { $0 > 1_000_000 } > 1_000)
    }

    @Test("a recorded trace comes as it was, and again after its period")
    func recorded() {
        let arrivals: [(at: TimeSpan, length: UInt16)] = [
            (.zero, 100), (.milliseconds(3), 200), (.milliseconds(3), 300), (.milliseconds(10), 400),
        ]
        let once = times(.recorded(arrivals, period: nil), until: .seconds(1))
        #expect(once.map(\.nanoseconds) == [0, 3_000_000, 3_000_000, 10_000_000])
        let twice = times(.recorded(arrivals, period: .milliseconds(12)), until: .milliseconds(24))
        #expect(twice.map { $0.nanoseconds / 1_000_000 } == [0, 3, 3, 10, 12, 15, 15, 22])
        var source = CrossTraffic(.recorded(arrivals, period: nil), flow: 0, key: DrawKey(seed: 1))
        #expect((0..<4).map { _ in source.send(at: .distantFuture)?.length } == [100, 200, 300, 400])
        #expect(source.nextTimeout == .distantFuture)
    }

    @Test("periods that lie beyond all time end a source, and no sum overflows")
    func endless() {
        let on = QuantileTable.exponential(mean: .microseconds(1))
        let off = QuantileTable.exponential(mean: .seconds(3_600))
        let pattern = ArrivalPattern.onOff(rate: BitRate(bitsPerSecond: 1_000), length: 1_500, on: on, off: off)
        let source = CrossTraffic(pattern, flow: 0, key: DrawKey(seed: 1))
        #expect(source.nextTimeout == .distantFuture)
    }

    @Test("a stopped source sends nothing more")
    func stop() {
        var source = CrossTraffic(.poisson(rate: rate, length: 1_200), flow: 0, key: DrawKey(seed: 1))
        #expect(source.send(at: .distantFuture) != nil)
        source.stop()
        #expect(source.nextTimeout == .distantFuture)
        #expect(source.send(at: .zero + .seconds(9)) == nil)
    }
}
