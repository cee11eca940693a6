import Testing

@testable import Timebase

@Suite("Instants, scaling, grids")
struct TimeTests {
    @Test("instants and spans add, subtract and compare as nanoseconds")
    func arithmetic() {
        let instant = Instant(nanoseconds: 1_500_000_000)
        #expect(instant + .milliseconds(500) == Instant(nanoseconds: 2_000_000_000))
        #expect(instant - .seconds(2) == Instant(nanoseconds: -500_000_000))
        #expect(instant - Instant(nanoseconds: 1) == .nanoseconds(1_499_999_999))
        #expect(-TimeSpan.microseconds(3) * 2 == .nanoseconds(-6000))
        #expect(Instant.zero < instant && instant < .distantFuture)
        var moved = LocalInstant(nanoseconds: 7) + .nanoseconds(3)
        moved = moved - .nanoseconds(11)
        #expect(moved - LocalInstant(nanoseconds: 0) == .nanoseconds(-1))
        var span = TimeSpan.zero
        span += .seconds(1)
        span -= .milliseconds(1)
        #expect(span == .milliseconds(999))
    }

    @Test(
        "a quotient goes down, up or to the nearest, halves away from zero",
        arguments: [
            (7, 1, 2, 3, 4, 4), (-7, 1, 2, -4, -3, -4), (5, 1, 3, 1, 2, 2), (-5, 1, 3, -2, -1, -2),
            (4, 1, 3, 1, 2, 1), (-4, 1, 3, -2, -1, -1), (6, 2, 3, 4, 4, 4), (-6, 2, 3, -4, -4, -4), (0, 5, 7, 0, 0, 0),
            (9, 0, 4, 0, 0, 0), (.max, 3, 3, .max, .max, .max),
            (-.max, 1_000_000_007, 1_000_000_007, -.max, -.max, -.max),
        ] as [(Int64, Int64, Int64, Int64, Int64, Int64)])
    func scaling(value: Int64, numerator: Int64, denominator: Int64, down: Int64, up: Int64, nearest: Int64) {
        #expect(value.scaled(by: numerator, over: denominator) == down)
        #expect(value.scaled(by: numerator, over: denominator, .up) == up)
        #expect(value.scaled(by: numerator, over: denominator, .nearest) == nearest)
    }

    @Test("scaling agrees with 128-bit division for random values")
    func scalingAgainstWide() {
        let key = DrawKey(seed: 5)
        for index in 0..<2000 as Range<Int64> {
            let value = Int64(bitPattern: key.draw(index)) >> 8
            let denominator = Int64(key.named("d").draw(index) >> 34) + 1
            let numerator = Int64(key.named("n").draw(index) % UInt64(denominator) + 1)
            let product = Int128(value) * Int128(numerator)
            let down = value.scaled(by: numerator, over: denominator)
            let rest = product - Int128(down) * Int128(denominator)
            #expect(rest >= 0 && rest < Int128(denominator))
            #expect(value.scaled(by: numerator, over: denominator, .up) == down + (rest == 0 ? 0 : 1))
            let nearest = value.scaled(by: numerator, over: denominator, .nearest)
            #expect((Int128(nearest) * Int128(denominator) - product).magnitude * 2 <= UInt128(denominator))
        }
    }

    @Test("29.97 frames a second stay exact for ten hours: each frame from the origin")
    func ntsc() {
        let grid = PeriodicGrid(count: 30_000, every: .seconds(1001))
        // 1,078,921 · 1001/30 ms exactly.
        let exact = Int128(1_078_921) * 1_001_000_000_000 / 30_000
        #expect(grid.time(1_078_921).nanoseconds == Int64(exact))
        #expect(grid.time(30_000) == .seconds(1001))
        #expect(grid.time(30_000 * 36) == .seconds(36_036))
        #expect(grid.time(1) == .nanoseconds(33_366_666))
        #expect(grid.time(-1) == .nanoseconds(-33_366_667))
        #expect(grid.time(0) == .zero)
        // No two frames are further apart than the period rounded up, even at the end.
        for index in 1_078_900..<1_078_921 as Range<Int64> {
            let step = (grid.time(index + 1) - grid.time(index)).nanoseconds
            #expect(step == 33_366_666 || step == 33_366_667)
        }
    }

    @Test(
        "the index at or before a time is the largest that is not later",
        arguments: [(30_000, 1001), (25, 1), (44_100, 1), (1, 3), (90_000, 1), (999_999_937, 1)] as [(Int64, Int64)])
    func indexAtOrBefore(count: Int64, seconds: Int64) {
        let grid = PeriodicGrid(count: count, every: .seconds(seconds))
        let key = DrawKey(seed: 6)
        for number in 0..<300 as Range<Int64> {
            let index = Int64(key.draw(number) % 100_000_000) - 1000
            for shift in -1...1 as ClosedRange<Int64> {
                let span = grid.time(index) + .nanoseconds(shift)
                let found = grid.index(atOrBefore: span)
                #expect(grid.time(found) <= span && grid.time(found + 1) > span)
            }
        }
    }
}

@Suite("Rates")
struct BitRateTests {
    @Test(
        "a transmission takes its bits over the rate, rounded up",
        arguments: [
            // 1356 bytes at 6 Mbit/s: 1.808 ms; one bit at 3 bit/s: a third of a second, up; nothing takes no time.
            (10_848, 6_000_000, 1_808_000), (1, 3, 333_333_334), (0, 1, 0), (8, 1_000_000_000, 8),
            (1, 1_000_000_000_000, 1), (12_000, 64_000, 187_500_000), (10_848, 2_500_000, 4_339_200),
        ] as [(UInt64, UInt64, Int64)])
    func transmission(bits: UInt64, rate: UInt64, nanoseconds: Int64) {
        #expect(BitRate(bitsPerSecond: rate).transmissionTime(bits: bits) == .nanoseconds(nanoseconds))
    }

    @Test("a train asked for by its sum of bits takes no longer than its last bit needs")
    func train() {
        let rate = BitRate(bitsPerSecond: 7_000_003)
        // 1000 packets rounded one by one would be late by half a microsecond.
        let bits: UInt64 = 1000 * 10_848
        let time = rate.transmissionTime(bits: bits)
        #expect(rate.bits(in: time) == bits)
        #expect(rate.bits(in: time - .nanoseconds(1)) == bits - 1)
    }
}

@Suite("Media clocks and NTP")
struct MediaClockTests {
    @Test("ticks and spans of 90 kHz and 27 MHz")
    func ticks() {
        #expect(MediaClock.ticks(.seconds(1), rate: MediaClock.ninetyKilohertz) == 90_000)
        #expect(MediaClock.ticks(.nanoseconds(33_366_666), rate: 90_000) == 3002)
        #expect(MediaClock.ticks(.nanoseconds(33_366_666), rate: 90_000, .nearest) == 3003)
        #expect(MediaClock.span(ticks: 3003, rate: 90_000) == .nanoseconds(33_366_667))
        #expect(MediaClock.span(ticks: 27, rate: MediaClock.system) == .microseconds(1))
        #expect(MediaClock.span(ticks: 1 << 33, rate: 90_000) == .nanoseconds(95_443_717_688_889))
        #expect(MediaClock.ticks(.nanoseconds(-1), rate: 90_000) == -1)
    }

    @Test(
        "a wrapping count is followed over its wraps, forward and backward",
        arguments: [16, 32, 33] as [UInt8])
    func unwrapping(bits: UInt8) {
        let range = Int64(1) << Int64(bits)
        var unwrapper = WrapUnwrapper(bits: bits)
        #expect(unwrapper.latest == nil)
        var value = range - 5
        for step in [0, 3, 10, range / 2 - 1, -range / 2 + 1, -40, 7, range / 3, range / 3, range / 3, range / 3] {
            value += step
            let wrapped = UInt64(bitPattern: value) & UInt64(range - 1)
            #expect(unwrapper.nearest(wrapped) == value)
            #expect(unwrapper.unwrap(wrapped) == value)
            #expect(unwrapper.latest == value)
        }
    }

    @Test("looking does not move the count, and it goes below zero when it must")
    func nearest() {
        var unwrapper = WrapUnwrapper(bits: 16)
        #expect(unwrapper.unwrap(2) == 2)
        #expect(unwrapper.nearest(65_535) == -1)
        #expect(unwrapper.latest == 2)
        #expect(unwrapper.unwrap(65_530) == -6)
        #expect(unwrapper.unwrap(1) == 1)
    }

    @Test(
        "NTP's seconds of days in RFC 5905, figure 4",
        arguments: [
            // Seconds since 1970 of 1970-01-01, 1972-01-01, 1999-12-31, 2000-01-01, 2036-02-08, and the era's seconds.
            (0, 2_208_988_800), (63_072_000, 2_272_060_800), (946_598_400, 3_155_587_200), (946_684_800, 3_155_673_600),
            (2_086_041_600, 63_104),
        ] as [(Int64, UInt64)])
    func days(unix: Int64, ntp: UInt64) {
        let local = LocalInstant(nanoseconds: (unix - emulatedEpochUnixSeconds) * 1_000_000_000)
        #expect(NTPTimestamp(local).rawValue == ntp << 32)
    }

    @Test("NTP's fraction is rounded down, before emulated time zero too")
    func fraction() {
        let second: UInt64 = 3_786_825_600  // 2020-01-01
        #expect(NTPTimestamp(LocalInstant(nanoseconds: 500_000_000)).rawValue == second << 32 | 0x8000_0000)
        #expect(NTPTimestamp(LocalInstant(nanoseconds: 1)).rawValue == second << 32 | 4)
        #expect(NTPTimestamp(LocalInstant(nanoseconds: -1)).rawValue == (second - 1) << 32 | 4_294_967_291)
        let middle = UInt32(second & 0xffff) << 16 | 0xffff
        #expect(NTPTimestamp(LocalInstant(nanoseconds: 999_999_999)).middle == middle)
    }
}
