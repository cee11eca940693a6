@testable import Metrics
import Testing
import Timebase

@Suite("Freezes (W3C webrtc-stats)")
struct FreezeDetectorTests {
    /// Presents frames after each of the durations, in milliseconds.
    private func fed(_ durations: [Int64]) -> FreezeDetector {
        var detector = FreezeDetector()
        var instant = Instant.zero
        detector.add(presentedAt: instant)
        for duration in durations {
            instant += .milliseconds(duration)
            detector.add(presentedAt: instant)
        }
        return detector
    }

    private let steady = [Int64](repeating: 40, count: 30)

    @Test("at 25 frames a second, 190 ms is a freeze (average + 150) and 189 ms is not")
    func increase() {
        #expect(fed(steady + [189]).measurements.count == 0)
        let freeze = fed(steady + [190, 40, 40])
        #expect(freeze.count == 1 && freeze.total == .milliseconds(190) && freeze.longest == .milliseconds(190))
    }

    @Test("at 5 frames a second, 600 ms is a freeze (three times the average) and 599 ms is not")
    func factor() {
        let slow = [Int64](repeating: 200, count: 10)
        #expect(fed(slow + [599]).count == 0)
        #expect(fed(slow + [600]).count == 1)
    }

    @Test("only the last 30 durations are averaged, frozen ones too")
    func window() {
        // After 30 frames of 40 ms nothing is left of the slow beginning: 190 ms freezes again.
        #expect(fed([Int64](repeating: 200, count: 30) + steady + [190]).count == 1)
        // One frame less, and the average is 45.33 ms: 195 ms do not suffice, 196 do.
        #expect(fed([Int64](repeating: 200, count: 30) + steady.dropLast() + [195]).count == 0)
        #expect(fed([Int64](repeating: 200, count: 30) + steady.dropLast() + [196]).count == 1)
        // A freeze of 1 s lifts the average from 40 to 72 ms: 222 ms is the next limit.
        let two = fed(steady + [1000, 221])
        #expect(two.count == 1)
        #expect(fed(steady + [1000, 222]).count == 2 && fed(steady + [1000, 222]).total == .milliseconds(1222))
    }

    @Test("no judgement before five durations are known")
    func beginning() {
        #expect(fed([40, 40, 40, 40, 5000]).count == 0)
        #expect(fed([40, 40, 40, 40, 40, 5000]).count == 1)
        #expect(fed([]).count == 0)
    }

    @Test("a frame that is meant to stand long is frozen only 150 ms beyond that")
    func nominalDuration() {
        for (stood, count) in [(5_000, 0), (5_149, 0), (5_150, 1)] as [(Int64, Int64)] {
            var detector = fed(steady)
            detector.add(presentedAt: Instant(nanoseconds: 1_240_000_000), lasting: .seconds(5))
            detector.add(presentedAt: Instant(nanoseconds: 1_240_000_000) + .milliseconds(stood))
            #expect(detector.count == count)
        }
    }

    @Test("the wait for the first frame counts as one, by the same limits around the nominal duration")
    func blank() {
        for (span, count) in [(189, 0), (190, 1), (10_000, 1)] as [(Int64, Int64)] {
            var detector = FreezeDetector()
            detector.noteBlank(.milliseconds(span), nominal: .milliseconds(40))
            #expect(detector.count == count && detector.measurements.longest == .milliseconds(count * span))
        }
    }

    @Test("a picture that stands still to the end counts once")
    func end() {
        var detector = fed(steady)
        let verdicts = [1200, 1700, 2100].map { detector.finish(at: Instant(nanoseconds: $0 * 1_000_000)) }
        #expect(verdicts == [false, true, false])
        let half = TimeSpan.milliseconds(500)
        #expect(detector.measurements == FreezeMeasurements(count: 1, total: half, longest: half))
    }
}

@Suite("Lip-sync skew (ITU-R BT.1359 and others)")
struct LipSyncLimitsTests {
    @Test("limits include their ends and nothing beyond; audio early is positive")
    func limits() {
        for (limits, lead, lag) in [
            (LipSyncLimits.ituDetectability, 45, -125), (.ituAcceptability, 90, -185), (.ebuR37, 40, -60),
            (.atscIS191, 15, -45),
        ] as [(LipSyncLimits, Int64, Int64)] {
            #expect(limits.contains(.milliseconds(lead)) && limits.contains(.milliseconds(lag)))
            #expect(!limits.contains(.nanoseconds(lead * 1_000_000 + 1)))
            #expect(!limits.contains(.nanoseconds(lag * 1_000_000 - 1)))
        }
    }
}

@Suite("Rate and summaries")
struct RateAndSummaryTests {
    @Test("a constant rate measures exactly, with two packets as with many", arguments: [2, 3, 1000])
    func rate(count: Int64) {
        var meter = RateMeter()
        // 1250 bytes a millisecond: 10 Mbit/s.
        for index in 0..<count { meter.add(bytes: 1250, at: Instant(nanoseconds: 5 + index * 1_000_000)) }
        #expect(meter.bitsPerSecond == 10_000_000)
        #expect(meter.packets == count && meter.bytes == 1250 * count)
    }

    @Test("no rate of one packet or of one instant")
    func noRate() {
        var meter = RateMeter()
        #expect(meter.bitsPerSecond == nil)
        meter.add(bytes: 1, at: .zero)
        #expect(meter.bitsPerSecond == nil)
        meter.add(bytes: 1, at: .zero)
        #expect(meter.bitsPerSecond == nil)
    }
}
