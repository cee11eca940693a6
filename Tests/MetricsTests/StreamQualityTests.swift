@testable import Metrics
import Testing
import Timebase

@Suite("Quality of a received stream")
struct StreamQualityTests {
    static let ms: Int64 = 1_000_000

    /// Every 20 ms a packet of 1,000 bytes, 8 kHz timestamps; a delay of 5 ms and 1 ms more for odd numbers. Number 3 is
    /// lost, 6 overtakes 5, 8 comes twice.
    static let arrivals: [StreamArrival] = ([0, 1, 2, 4, 6, 5, 7, 8, 8, 9] as [Int64]).map { (number: Int64) in
        let delay: Int64 = 5 + number % 2 + (number == 5 ? 21 : 0)
        return StreamArrival(
            at: Instant(nanoseconds: (20 * number + delay) * ms), bytes: 1_000, number: number,
            timestamp: 160 * number, delay: .nanoseconds(delay * ms), mediaBytes: 940)
    }

    static func measured(_ change: (inout StreamQuality.Configuration) -> Void) -> StreamQualityMeasurements {
        var configuration = StreamQuality.Configuration()
        change(&configuration)
        var quality = StreamQuality(configuration)
        for arrival in arrivals { quality.arrived(arrival) }
        quality.finish()
        return quality.measurements()
    }

    @Test("counts, losses, reordering and rate by hand")
    func counts() {
        let result = Self.measured { $0.isThorough = true }
        #expect(result.received == 10 && result.unique == 9 && result.duplicates == 1 && result.tooLate == 0)
        #expect(result.lost == 1 && result.expected == 10 && result.reordered == 1)
        #expect(result.largestReorderExtent == 1 && result.lossRuns.map(\.length) == [1])
        #expect(result.bytes == 10_000 && result.first.nanoseconds == 5 * Self.ms)
        #expect(result.last.nanoseconds == 186 * Self.ms)
        // Nine packets in 181 ms.
        #expect(result.bitsPerSecond == 397_790)
        #expect(result.interarrival?.count == 9 && result.interarrival?.minimum == 0)
        #expect(result.burstGap?.bursts == 0 && result.burstGap?.gapDensity == 0)
    }

    @Test("the numbers sent make losses at the end count")
    func sentCount() {
        var quality = StreamQuality()
        for arrival in Self.arrivals { quality.arrived(arrival) }
        quality.finish(sentCount: 13)
        #expect(quality.measurements().lost == 4)
        #expect(quality.measurements().lossRuns.map(\.length) == [1, 3])
    }

    /// What their timestamps tell.
    static func timed() -> StreamQualityMeasurements {
        var timing = StreamTiming()
        timing.begin(clockRate: 8_000)
        var seen: Set<Int64> = []
        for arrival in arrivals {
            let isFirst = seen.insert(arrival.number).inserted
            timing.add(
                .init(
                    at: arrival.instant, timestamp: arrival.timestamp, number: arrival.number, isFirst: isFirst),
                delay: timing.delay(arrival.instant, arrival.timestamp))
        }
        timing.finish()
        var result = StreamQualityMeasurements()
        timing.fill(&result)
        return result
    }

    @Test("delays that are known and delays from timestamps vary alike; jitter takes every arrival")
    func delays() throws {
        let known = Self.measured { configuration in
            configuration.knowsDelays = true
            configuration.clockRate = 8_000
        }
        let seen = Self.timed()
        #expect(known.oneWayDelay?.count == 10 && known.oneWayDelay?.maximum == 27 * Self.ms)
        #expect(seen.oneWayDelay == nil && seen.clockDriftPartsPerMillion == nil)
        for result in [known, seen] {
            let (pdv, ipdv) = (try #require(result.pdv), try #require(result.ipdv))
            #expect(pdv.count == 9 && pdv.maximum == 22 * Self.ms)
            #expect(ipdv.count == 7 && ipdv.minimum == -22 * Self.ms && ipdv.maximum == 22 * Self.ms)
        }
        #expect(known.interarrivalJitter != nil && known.interarrivalJitter == seen.interarrivalJitter)
        #expect(Self.measured { $0.knowsDelays = true }.interarrivalJitter == nil)
    }

    @Test("a copy fills no decoder's buffer: a delay factor counts each packet once")
    func copies() throws {
        // 376 kbit/s: 940 bytes every 20 ms, and as much time in each.
        for copies in [1, 2, 5] {
            var configuration = StreamQuality.Configuration()
            configuration.mediaRate = BitRate(bitsPerSecond: 376_000)
            var quality = StreamQuality(configuration)
            for number in 0..<200 as Range<Int64> {
                for _ in 0..<copies {
                    quality.arrived(
                        StreamArrival(
                            at: Instant(nanoseconds: 20 * number * Self.ms), bytes: 1_000, number: number,
                            timestamp: 160 * number, delay: .zero, mediaBytes: 940))
                }
            }
            quality.finish()
            #expect(quality.measurements().delayFactor?.minimum == 20 * Self.ms)
            #expect(quality.measurements().delayFactor?.maximum == 20 * Self.ms)
        }
    }

    @Test("media that wait for their rate are measured as if it had been known")
    func waiting() throws {
        var configuration = StreamQuality.Configuration()
        configuration.awaitsMediaRate = true
        configuration.isThorough = true
        var quality = StreamQuality(configuration)
        for (index, arrival) in Self.arrivals.enumerated() {
            if index == 4 { quality.begin(mediaRate: BitRate(bitsPerSecond: 376_000)) }
            quality.arrived(arrival)
        }
        quality.finish()
        let late = quality.measurements()
        let early = Self.measured { configuration in
            configuration.mediaRate = BitRate(bitsPerSecond: 376_000)
            configuration.isThorough = true
        }
        #expect(late.delayFactor?.summary == early.delayFactor?.summary && late.delayFactor != nil)
    }

    @Test("a rate that never comes leaves out what needs it")
    func neverKnown() {
        var configuration = StreamQuality.Configuration()
        configuration.awaitsMediaRate = true
        var quality = StreamQuality(configuration)
        for arrival in Self.arrivals { quality.arrived(arrival) }
        #expect(quality.awaitsMediaRate)
        quality.begin(mediaRate: nil)
        quality.finish()
        let result = quality.measurements()
        #expect(result.pdv == nil && result.interarrivalJitter == nil && result.delayFactor == nil)
        #expect(result.unique == 9 && !quality.awaitsMediaRate)
    }

    @Test("a clock that is set back leaves its step out of rate and duration", arguments: [101, 1_500, 3_600_000])
    func setBack(step: Int64) {
        var configuration = StreamQuality.Configuration()
        configuration.isThorough = true
        configuration.mediaRate = BitRate(bitsPerSecond: 376_000)
        var quality = StreamQuality(configuration)
        for number in 0..<100 as Range<Int64> {
            let time = 10_000_000 + 20 * number - (number >= 40 ? step + 20 : 0)
            quality.arrived(
                StreamArrival(at: Instant(nanoseconds: time * Self.ms), bytes: 500, number: number, mediaBytes: 940))
        }
        quality.finish()
        let result = quality.measurements()
        #expect(quality.stepsBack == 1)
        #expect(result.bitsPerSecond == 200_000)
        // The interval in which the clock was set has no length that anybody knows.
        #expect(result.duration == .milliseconds(98 * 20))
        #expect(result.delayFactor?.maximum == 20 * Self.ms)
    }

    @Test("packets without numbers count by bytes and instants; instants may go back")
    func unnumbered() {
        var quality = StreamQuality()
        for time in [10, 30, 20, 40] as [Int64] {
            quality.arrivedUnnumbered(bytes: 500, mediaBytes: 376, at: Instant(nanoseconds: time * Self.ms))
        }
        quality.finish()
        let result = quality.measurements(isNumbered: false)
        #expect(result.received == 4 && result.bytes == 2_000 && result.last.nanoseconds == 40 * Self.ms)
        // The third packet counts at the second's instant.
        #expect(result.bitsPerSecond == 400_000)
        #expect(result.unique == nil && result.lost == nil && result.burstGap == nil && result.expected == nil)
        #expect(StreamQuality().measurements().bitsPerSecond == nil)
    }
}
