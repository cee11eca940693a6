import Capture
import Glibc
import Metrics
import Results
import Sessions
import Timebase

enum Fixture {
    /// A thousand values: above `base` lie the 5 % quantile by `p5`, the median by 0.4 ms, the mean by 0.5 ms, the 95 %
    /// quantile by 2 ms, that of 99 % by 3 ms, that of 99.9 % by 4 ms and the largest by 5 ms.
    static func distribution(_ base: Int64, p5: Int64 = 1_000) -> Distribution? {
        var values = Histogram()
        let steps: [(Int64, Int64)] = [
            (0, 1), (p5, 49), (400_000, 899), (2_000_000, 1), (3_000_000, 40), (4_000_000, 9), (5_000_000, 1),
        ]
        for (above, times) in steps { values.add(base + above, times: times) }
        return values.distribution
    }

    /// One value a thousand times, which all quantiles are.
    static func distribution(only value: Int64, times: Int64 = 1_000) -> Distribution? {
        var values = Histogram()
        values.add(value, times: times)
        return values.distribution
    }

    /// 1000 sent, 990 delivered, 10 lost in runs of 1 and 4; 5 late.
    static func flow(receiver: String) -> FlowMeasurements {
        var flow = FlowMeasurements()
        flow.id = "program"
        flow.receiver = receiver
        flow.carriage = "ts-rtp"
        flow.sent = 1000
        flow.quality.received = 990
        flow.quality.reordered = 0
        flow.lostLink = 10
        flow.late = 5
        flow.unrepaired = 10
        flow.sentBitsPerSecond = 5_312_345
        flow.quality.bitsPerSecond = 5_259_000
        flow.usedBitsPerSecond = 5_232_660
        flow.overheadRatio = 0.0825
        flow.quality.oneWayDelay = distribution(20_000_000)
        flow.oneWayDelayMeasured = distribution(55_000_000)
        flow.oneWayDelayError = distribution(35_000_000)
        flow.quality.ipdv = distribution(-2_000_000)
        flow.quality.pdv = distribution(0)
        flow.quality.interarrivalJitter = InterarrivalJitterMeasurements(
            mean: 1_210_000, maximum: 4_200_000, last: 900_000)
        flow.lossRuns = [(length: 1, count: 6), (length: 4, count: 1)]
        flow.quality.lossRuns = flow.lossRuns
        flow.quality.delayFactor = distribution(only: 6_000_000)
        flow.quality.mediaLossRatePerSecond = 1.5
        return flow
    }

    /// 1,000 packets of G.711, of which the sixth and seventh and the last were lost; 110 ms from mouth to ear.
    static func call(receiver: String) -> CallMeasurements {
        var call = CallMeasurements()
        call.id = "speech"
        call.receiver = receiver
        call.codec = "g711"
        call.impairment = .g711
        for number in 0..<1_000 { call.losses.add(isLost: [5, 6, 999].contains(number)) }
        call.delay = .init(
            mouthToEar: 110_000_000, packetizing: 20_000_000, sending: 0, network: 30_000_000, buffer: 60_000_000)
        return call
    }

    static func measurements(receivers: [String] = ["tv"]) -> RunMeasurements {
        var measurements = RunMeasurements()
        measurements.ended = Instant(nanoseconds: 60_000_000_000)
        measurements.digest.add(1, 2, 3, 4, 5)
        for receiver in receivers {
            measurements.flows.append(flow(receiver: receiver))
            var video = SubstreamMeasurements()
            video.id = "video"
            video.kind = "video"
            video.receiver = receiver
            video.sentUnits = 1500
            video.onTime = 1490
            video.late = 4
            video.missing = 6
            video.intact = 1480
            video.impaired = 14
            video.endToEndDelay = distribution(180_000_000)
            video.freezes = FreezeMeasurements(
                count: 2, total: .milliseconds(120), longest: .milliseconds(80))
            measurements.substreams.append(video)
            var audio = video
            audio.id = "audio"
            audio.kind = "audio"
            audio.freezes = nil
            measurements.substreams.append(audio)
            var pair = LipSyncMeasurements()
            pair.receiver = receiver
            pair.audio = "audio"
            pair.video = "video"
            pair.skew = distribution(-1_000_000)
            pair.withinITUDetectability = 0.998
            pair.withinITUAcceptability = 1
            measurements.lipSync.append(pair)
            var clock = ClockMeasurements()
            clock.node = receiver
            clock.algorithm = "none"
            clock.trueFrequencyPartsPerBillion = 40_000
            measurements.clocks.append(clock)
            var playout = PlayoutMeasurements()
            playout.receiver = receiver
            playout.algorithm = "fixed"
            measurements.playout.append(playout)
        }
        var link = LinkMeasurements()
        link.id = "forward.0"
        link.direction = "forward"
        link.rateBitsPerSecond = 6_000_000
        link.utilization = 0.885
        link.packetsIn = 1000
        link.packetsOut = 990
        link.lossDrops = 10
        link.queueDelay = distribution(0)
        measurements.links = [link]
        var stream = TransportStreamMeasurements()
        stream.point = "sender"
        stream.tr101290 = [("Continuity_count_error", 3), ("CRC_error", nil)]
        measurements.transportStreams = [stream]
        return measurements
    }

    static func record(receivers: [String] = ["tv"]) -> RunRecord {
        let identity = RunIdentity(
            name: "evening", seed: 7, duration: .seconds(60), resolvedScenario: "name: evening\nseed: 7\n")
        return RunRecord(
            identity: identity, status: .completed, measurements: measurements(receivers: receivers),
            wallNanoseconds: 20_000_000)
    }
}
