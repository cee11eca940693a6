@testable import ClockSync
import Testing
import Timebase

@Suite("Oscillator")
struct OscillatorTests {
    static let errors: [Int64] = [0, 1, -1, 40_000, -25_000, 500_000, -500_000, 999_999_937, -999_999_999]

    /// Uniform in ±bound.
    static func random(_ index: Int64, bound: Int64) -> Int64 {
        let draw = DrawKey(seed: 11).named("oscillator").draw(index)
        return Int64(draw.multipliedFullWidth(by: UInt64(2 * bound + 1)).high) - bound
    }

    @Test("the instant showing a reading is the earliest that shows it or more", arguments: errors)
    func inverse(partsPerBillion: Int64) {
        // Ten years for usual clocks; a nearly stopped one would leave the range of 63 bits.
        let bound: Int64 = partsPerBillion < -900_000_000 ? 1_000_000_000 : 300_000_000_000_000_000
        for index in 0..<2_000 as Range<Int64> {
            let offset = Self.random(3 * index, bound: 10_000_000_000)
            let clock = Oscillator(offset: .nanoseconds(offset), partsPerBillion: partsPerBillion)
            let scale = index % 3 == 0 ? 1_000 : bound
            let local = LocalInstant(nanoseconds: Self.random(3 * index + 1, bound: min(scale, bound)) + offset)
            let at = clock.instant(showing: local)
            #expect(clock.reading(at: at) >= local)
            #expect(clock.reading(at: at - .nanoseconds(1)) < local)
            let instant = Instant(nanoseconds: Self.random(3 * index + 2, bound: bound))
            // A slow clock shows one reading for many instants; the inverse gives the first of them.
            let back = clock.instant(showing: clock.reading(at: instant))
            #expect(back <= instant)
            #expect(clock.reading(at: back) == clock.reading(at: instant))
        }
    }

    @Test("readings never go back")
    func monotone() {
        for error in [-500_000, 333_333] as [Int64] {
            let clock = Oscillator(partsPerBillion: error)
            var before = clock.reading(at: Instant(nanoseconds: -5_001))
            for instant in -5_000...5_000 as ClosedRange<Int64> {
                let reading = clock.reading(at: Instant(nanoseconds: instant))
                #expect(reading >= before)
                before = reading
            }
        }
    }

    /// offset + t · f, rounded down: 36,000 s × 40 ppm = 1.44 s.
    @Test("after ten hours the error is the offset and the frequency error times the time, to the nanosecond")
    func tenHours() {
        let instant = Instant(nanoseconds: 36_000_000_000_000)
        let fast = Oscillator(offset: .milliseconds(35), partsPerBillion: 40_000)
        #expect(fast.error(at: instant) == .nanoseconds(35_000_000 + 1_440_000_000))
        let slow = Oscillator(offset: .milliseconds(-7), partsPerBillion: -500_000)
        #expect(slow.error(at: instant) == .nanoseconds(-7_000_000 - 18_000_000_000))
        // 36,000,000,000,001 ns × 1.000000001 = 36,000,036,000,001.000036: the fraction is cut.
        let hair = Oscillator(partsPerBillion: 1_000)
        #expect(hair.reading(at: instant + .nanoseconds(1)).nanoseconds == 36_000_036_000_001)
        // Before time zero the cut is downwards too: −1 × 1.000001 = −1.000001.
        #expect(hair.reading(at: Instant(nanoseconds: -1)).nanoseconds == -2)
    }

    @Test("a perfect clock shows the time")
    func perfect() {
        let clock = Oscillator()
        for nanoseconds in [Int64.min + 1, -1, 0, 1, Int64.max - 1] {
            #expect(clock.reading(at: Instant(nanoseconds: nanoseconds)).nanoseconds == nanoseconds)
            #expect(clock.instant(showing: LocalInstant(nanoseconds: nanoseconds)).nanoseconds == nanoseconds)
        }
    }
}
