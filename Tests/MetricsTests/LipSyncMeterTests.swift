@testable import Metrics
import Testing
import Timebase

@Suite("Lip-sync skew, weighed by time (ITU-R BT.1359 and others)")
struct LipSyncMeterTests {
    /// Units and instants in milliseconds; both media begin at 0 on the program's timeline.
    private struct Presentation {
        var medium: LipSyncMeter.Medium
        var media: Int64
        var at: Int64
    }

    private static func milliseconds(_ value: Int64) -> Instant { Instant(nanoseconds: value * 1_000_000) }

    /// A program of 24 ms of audio and 40 ms of video a unit, of which only some is presented.
    ///
    /// - Parameter shift: of audio, positive: later.
    private func measured(
        until end: Int64, shift: Int64 = 0, hears: (Int64) -> Bool = { _ in true },
        shows: (Int64) -> Bool = { _ in true }
    ) -> LipSyncMeasurements {
        var units = stride(from: 0, to: end, by: 24).filter(hears).map {
            Presentation(medium: .audio, media: $0, at: $0 + shift)
        }
        units += stride(from: 0, to: end, by: 40).filter(shows).map { Presentation(medium: .video, media: $0, at: $0) }
        units.sort { ($0.at, $0.media) < ($1.at, $1.media) }
        var meter = LipSyncMeter()
        for unit in units {
            meter.present(
                unit.medium, media: .milliseconds(unit.media),
                duration: .milliseconds(unit.medium == .audio ? 24 : 40), at: Self.milliseconds(500 + unit.at),
                picturesEnd: .milliseconds(end))
        }
        let whole = TimeSpan.zero ... .milliseconds(end)
        meter.finish(audio: whole, video: whole)
        return meter.measurements
    }

    @Test("a skew that stands is all there is, and lasts as long as both play", arguments: [0, 30, -30, 100, -150])
    func standing(early: Int64) throws {
        let result = measured(until: 12_000, shift: -early)
        let skew = try #require(result.skew)
        // Audio begins later or ends earlier by the shift.
        #expect(skew.count == 12_000 - abs(early))
        #expect(skew.minimum == early * 1_000_000 && skew.maximum == early * 1_000_000)
        #expect(skew.mean == early * 1_000_000 && skew.standardDeviation == 0)
        #expect(result.withinITUDetectability == (early == 100 || early == -150 ? 0 : 1))
        #expect(result.withinITUAcceptability == (early == 100 ? 0 : 1))
        #expect(result.withinEBUR37 == (abs(early) <= 30 ? 1 : 0))
        #expect(result.slopeNanosecondsPerSecond == 0 && result.slopeStandardErrorNanosecondsPerSecond == 0)
    }

    @Test("a freeze is a ramp: its mean, its deviation and its shares are those of the integrals")
    func freeze() throws {
        // Of 12 s, the pictures of 4.00 to 4.96 s are missing: the one of 3.96 s stands from 4 s on for a second.
        let result = measured(until: 12_000, shows: { !(4_000..<5_000).contains($0) })
        let skew = try #require(result.skew)
        #expect(skew.count == 12_000 && skew.minimum == 0 && skew.maximum == 1_000_000_000)
        // Half a second for a twelfth of the time.
        #expect(abs(skew.mean - 41_666_667) <= 1)
        let deviation = ((1.0 / 3 / 12 - 1.0 / 24 / 24) * 12_000 / 11_999).squareRoot() * 1e9
        #expect(abs(Double(skew.standardDeviation ?? 0) - deviation) < 2)
        for (within, lead) in [
            (result.withinITUDetectability, 45), (result.withinITUAcceptability, 90), (result.withinEBUR37, 40),
            (result.withinATSCIS191, 15),
        ] as [(Double?, Double)] {
            #expect(abs(try #require(within) - (11_000 + lead) / 12_000) < 1e-12)
        }
        #expect(abs(try #require(result.coverage) - 11.0 / 12) < 1e-5)
        #expect(abs(try #require(result.coveredITUDetectability) - 11.0 / 12) < 1e-5)
        // 95 % of 12 s: 0.4 s into the ramp; 99.9 %: 0.988 s.
        #expect(abs(skew.quantile(0.95) - 400_000_000) < 1_000_000)
        #expect(abs(skew.quantile(0.999) - 988_000_000) < 1_000_000)
        #expect((0...512).contains(skew.quantile(0.5)))
    }

    @Test("a gap of audio takes its time away and nothing else, wherever it begins", arguments: [0, 1, 7, 11])
    func gaps(phase: Int64) throws {
        // Every unit whose number leaves the phase modulo 13 is lost: about 923 of 12,000 ms.
        let lost = stride(from: 0, to: Int64(12_000), by: 24).filter { $0 / 24 % 13 == phase }.count
        let result = measured(until: 12_000, hears: { $0 / 24 % 13 != phase })
        // Before the first unit nothing is heard either, but the program has begun.
        #expect(try #require(result.skew).count == Int64(12_000 - 24 * lost))
        #expect(abs(try #require(result.coverage) - Double(12_000 - 24 * lost) / 12_000) < 2e-6)
        #expect(result.withinATSCIS191 == 1)
    }

    @Test("behind the last picture that was sent the program is over, not frozen")
    func end() throws {
        var meter = LipSyncMeter()
        let pictures = TimeSpan.milliseconds(4_000)
        for time in stride(from: 0, to: Int64(8_000), by: 8) {
            if time % 24 == 0 {
                meter.present(
                    .audio, media: .milliseconds(time), duration: .milliseconds(24), at: Self.milliseconds(time),
                    picturesEnd: pictures)
            }
            // The last one, of 3.96 s, is lost: 40 ms of standing picture.
            if time % 40 == 0, time < 3_960 {
                meter.present(
                    .video, media: .milliseconds(time), duration: .milliseconds(40), at: Self.milliseconds(time),
                    picturesEnd: pictures)
            }
        }
        meter.finish(audio: .zero ... .milliseconds(8_000), video: .zero...pictures)
        let result = meter.measurements
        #expect(result.skew?.maximum == 40_000_000 && result.skew?.count == 4_000)
        // Sound goes on without a picture for as long again.
        #expect(abs(try #require(result.coverage) - 0.495) < 1e-5)
    }

    @Test("frozen for 700 of 1,200 s, all that is heard is in time and it is 500 s")
    func coverage() throws {
        // Whole periods of 120 ms.
        func plays(_ time: Int64) -> Bool { !(240_000..<940_080).contains(time / 120 * 120) }
        let result = measured(until: 1_200_000, hears: plays, shows: plays)
        let share = (1_200_000.0 - 700_080) / 1_200_000
        #expect(result.withinITUDetectability == 1)
        #expect(abs(try #require(result.coverage) - share) < 1e-6)
        #expect(abs(try #require(result.coveredITUDetectability) - share) < 1e-6)
    }

    @Test("a receiver's clock that is off makes no gaps", arguments: [-200, 0, 200] as [Int64])
    func clocks(partsPerMillion: Int64) {
        var meter = LipSyncMeter()
        for time in stride(from: 0, to: Int64(12_000), by: 8) {
            let now = Instant(nanoseconds: time * (1_000_000 + partsPerMillion))
            for (medium, duration) in [(.audio, 24), (.video, 40)] as [(LipSyncMeter.Medium, Int64)]
            where time % duration == 0 {
                meter.present(
                    medium, media: .milliseconds(time), duration: .milliseconds(duration), at: now,
                    picturesEnd: .milliseconds(12_000))
            }
        }
        meter.finish(audio: .zero ... .milliseconds(12_000), video: .zero ... .milliseconds(12_000))
        #expect(meter.measurements.coverage == 1)
    }

    @Test("nothing is measured of nothing; of one medium alone, that nothing was covered")
    func tooLittle() {
        var meter = LipSyncMeter()
        let whole = TimeSpan.zero ... .seconds(10)
        meter.finish(audio: whole, video: whole)
        #expect(meter.measurements.coverage == nil && meter.measurements.skew == nil)
        let deaf = measured(until: 10_000, hears: { _ in false })
        #expect(deaf.skew == nil && deaf.withinEBUR37 == nil && deaf.slopeNanosecondsPerSecond == nil)
        #expect(deaf.coverage == 0 && deaf.coveredEBUR37 == 0)
    }
}

@Suite("Trend of the lip-sync skew")
struct LipSyncTrendTests {
    /// The measurements of audio that is early by what `course` says of each second, nanoseconds, and comes in units of
    /// a millisecond.
    private func measured(seconds: Int64, from start: Int64 = 0, _ course: (Int64) -> Int64) -> LipSyncMeasurements {
        var meter = LipSyncMeter()
        let (unit, zero) = (TimeSpan.milliseconds(100), TimeSpan.seconds(start))
        for tenth in 0..<seconds * 10 {
            let now = Instant.zero + zero + .milliseconds(100 * tenth)
            let media = zero + .milliseconds(100 * tenth)
            meter.present(.video, media: media, duration: unit, at: now, picturesEnd: .seconds(1_000_000))
            let skew = TimeSpan.nanoseconds(course(tenth))
            meter.present(.audio, media: media + skew, duration: unit, at: now, picturesEnd: .seconds(1_000_000))
        }
        meter.finish(audio: zero...zero + .seconds(seconds), video: zero...zero + .seconds(seconds))
        return meter.measurements
    }

    @Test("a straight line has its slope, however far from emulated time zero", arguments: [0, 360_000])
    func line(start: Int64) throws {
        // -40 ppm, in steps of a unit each.
        let result = measured(seconds: 1_000, from: start) { 30_000_000 - 4_000 * $0 }
        #expect(result.slopeNanosecondsPerSecond == -40_000)
        #expect(try #require(result.slopeStandardErrorNanosecondsPerSecond) <= 1)
    }

    @Test("steps of a unit: the slope is that of the integrals over time")
    func steps() throws {
        // One step of 1 ms in the middle of T = 40 s: 12 ∫ts / T³ with t from the middle is 12 · 1e6 · T²/8 / T³ = 37,500.
        let result = measured(seconds: 40) { $0 < 200 ? 0 : 1_000_000 }
        #expect(result.slopeNanosecondsPerSecond == 37_500)
        // Residuals of the 40 means, at -19.5 ... 19.5 s: variance 1e12/4 less the line's, over 38 and Σx² = 5,330.
        let squares = (0..<40).reduce(0.0) { $0 + (Double($1) - 19.5) * (Double($1) - 19.5) }
        let products = (0..<40).reduce(0.0) { $0 + (Double($1) - 19.5) * ($1 < 20 ? -5e5 : 5e5) }
        let rest = 40 * 25e10 - products * products / squares
        let error = (rest / 38 / squares).squareRoot()
        #expect(abs(Double(try #require(result.slopeStandardErrorNanosecondsPerSecond)) - error) <= 1)
    }

    @Test("noise has an error and no slope: of 200 runs of white noise at most 3 show one")
    func noise() {
        // A normal deviate passes three standard errors once in 370, of 60 blocks once in 250: 3 of 200 are rarer than 1 %.
        var shown = 0
        for seed in 0..<200 as Range<Int64> {
            var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1
            let result = measured(seconds: 60) { _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return Int64(state >> 44)
            }
            #expect(result.slopeStandardErrorNanosecondsPerSecond.map { $0 > 0 } == true)
            if result.slopeNanosecondsPerSecond != nil { shown += 1 }
        }
        #expect(shown <= 3)
    }

    @Test("less than ten seconds have neither slope nor error")
    func tooShort() {
        let result = measured(seconds: 9) { 1_000 * $0 }
        #expect(result.slopeNanosecondsPerSecond == nil && result.slopeStandardErrorNanosecondsPerSecond == nil)
    }
}
