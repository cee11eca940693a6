import Metrics
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
struct LipSyncEstimatorTests {
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

    @Test("shares are those of the samples inside")
    func shares() {
        var estimator = LipSyncEstimator()
        for (index, skew) in ([0, 20, 42, 50, 100, -50, -100, -150, -200, 10] as [Int64]).enumerated() {
            estimator.add(skew: .milliseconds(skew), at: Instant(nanoseconds: Int64(index) * 10_000_000))
        }
        let result = estimator.measurements
        #expect(result.withinATSCIS191 == 0.2)
        #expect(result.withinEBUR37 == 0.4)
        #expect(result.withinITUDetectability == 0.6)
        #expect(result.withinITUAcceptability == 0.8)
        #expect(result.skew?.count == 10 && result.skew?.minimum == -200_000_000 && result.skew?.maximum == 100_000_000)
    }

    @Test("a straight line has its slope, however far from emulated time zero", arguments: [0, 36_000, -5_000_000])
    func line(start: Int64) throws {
        var estimator = LipSyncEstimator()
        for index in 0..<100_000 as Range<Int64> {
            // −40 ppm: 400 ns less every 10 ms.
            estimator.add(
                skew: .nanoseconds(30_000_000 - 400 * index),
                at: Instant(nanoseconds: start * 1_000_000_000 + 10_000_000 * index))
        }
        #expect(abs(try #require(estimator.slope) + 40_000) < 1e-4)
        #expect(estimator.measurements.slopeNanosecondsPerSecond == -40_000)
    }

    @Test("the slope of (0, 1), (1, 3), (2, 2), (3, 5) is 1.1")
    func leastSquares() throws {
        var estimator = LipSyncEstimator()
        for (time, skew) in [(0, 1), (1, 3), (2, 2), (3, 5)] as [(Int64, Int64)] {
            estimator.add(skew: .nanoseconds(skew), at: Instant(nanoseconds: time * 1_000_000_000))
        }
        #expect(abs(try #require(estimator.slope) - 1.1) < 1e-12)
    }

    @Test("nothing is measured of nothing, and no slope of one instant")
    func tooFew() {
        var estimator = LipSyncEstimator()
        #expect(estimator.measurements.skew == nil && estimator.measurements.withinEBUR37 == nil)
        for _ in 0..<3 { estimator.add(skew: .milliseconds(3), at: Instant(nanoseconds: 5)) }
        #expect(estimator.slope == nil && estimator.measurements.slopeNanosecondsPerSecond == nil)
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
