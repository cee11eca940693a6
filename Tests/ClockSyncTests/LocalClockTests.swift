@testable import ClockSync
import Testing
import Timebase

@Suite("Local clock: raw and disciplined")
struct LocalClockTests {
    private func at(_ nanoseconds: Int64) -> Instant { Instant(nanoseconds: nanoseconds) }

    @Test("without adjustments it reads as its oscillator")
    func plain() {
        let raw = Oscillator(offset: .milliseconds(35), partsPerBillion: 40_000)
        let clock = LocalClock(raw)
        for instant in [0, 1, 999_999_937, 86_400_000_000_000] as [Int64] {
            #expect(clock.reading(at: at(instant)) == raw.reading(at: at(instant)))
            let shown = clock.reading(at: at(instant))
            #expect(clock.instant(showing: shown) == raw.instant(showing: shown))
        }
        #expect(clock.instant(showing: .distantFuture) == .distantFuture && !clock.isAdjusted)
    }

    @Test("steps, slews and frequencies add up as computed by hand")
    func sums() {
        var clock = LocalClock(Oscillator(offset: .milliseconds(-2)))
        clock.adjust(.frequency(50_000_000), at: at(1_000_000_000))
        // A second later 50 ppm have gained 50 us.
        #expect(clock.reading(at: at(2_000_000_000)).nanoseconds == 1_998_050_000)
        clock.adjust(.slew(.milliseconds(1), rate: 500_000), at: at(2_000_000_000))
        // 500 ppm make up for a millisecond in two seconds.
        #expect(clock.reading(at: at(3_000_000_000)).nanoseconds == 2_998_600_000)
        #expect(clock.reading(at: at(5_000_000_000)).nanoseconds == 4_999_200_000)
        clock.adjust(.step(.seconds(-1)), at: at(5_000_000_000))
        #expect(clock.reading(at: at(5_000_000_000)).nanoseconds == 3_999_200_000)
        #expect(clock.error(at: at(6_000_000_000)).nanoseconds == -1_000_750_000)
    }

    @Test("a slew under way goes on behind a step and a change of frequency, and another replaces it")
    func continued() {
        var clock = LocalClock(Oscillator())
        clock.adjust(.slew(.milliseconds(-10), rate: 1_000_000), at: at(0))
        clock.adjust(.step(.seconds(1)), at: at(4_000_000_000))
        clock.adjust(.frequency(0), at: at(6_000_000_000))
        #expect(clock.error(at: at(20_000_000_000)) == .seconds(1) - .milliseconds(10))
        clock.adjust(.slew(.milliseconds(-10), rate: 1_000_000), at: at(20_000_000_000))
        clock.adjust(.slew(.milliseconds(5), rate: 1_000_000), at: at(21_000_000_000))
        #expect(clock.error(at: at(40_000_000_000)) == .seconds(1) - .milliseconds(6))
    }

    @Test(
        "readings never go back, and the instant that shows one is the first that does",
        arguments: 0..<20 as Range<Int64>)
    func inverse(seed: Int64) {
        let key = DrawKey(seed: UInt64(seed)).named("local clock")
        func random(_ index: Int64, _ bound: Int64) -> Int64 {
            Int64(key.draw(index).multipliedFullWidth(by: UInt64(2 * bound + 1)).high) - bound
        }
        var clock = LocalClock(
            Oscillator(offset: .nanoseconds(random(0, 1_000_000_000)), partsPerBillion: random(1, 500_000)))
        for round in 0..<20 as Range<Int64> {
            let start = round * 1_000_000_007
            let adjustment: ClockAdjustment =
                switch round % 3 {
                case 0:
                    .slew(
                        .nanoseconds(random(10 * round + 2, 5_000_000)),
                        rate: 1 + abs(random(10 * round + 3, 499_999_998)))
                case 1: .frequency(random(10 * round + 4, 100_000_000_000))
                default: .step(.nanoseconds(abs(random(10 * round + 5, 1_000_000_000))))
                }
            let before = clock.reading(at: at(start))
            clock.adjust(adjustment, at: at(start))
            var latest = clock.reading(at: at(start))
            #expect(latest >= before)
            for step in 1...50 as ClosedRange<Int64> {
                let instant = at(start + step * 20_000_000)
                let shown = clock.reading(at: instant)
                #expect(shown >= latest, "seed \(seed)")
                latest = shown
                let first = clock.instant(showing: shown)
                #expect(first <= instant && clock.reading(at: first) >= shown, "seed \(seed)")
                #expect(first <= at(start) || clock.reading(at: first - .nanoseconds(1)) < shown, "seed \(seed)")
            }
        }
    }
}
