import Metrics
import Receiver
import Timebase
import Wire

/// A transport stream straight in UDP.
final class UDPTransportStream {
    let key: FlowKey
    private var quality: StreamQuality
    private var meter: TransportStreamMeter
    private let replay: PlayoutReplay?
    private var replayed: ReplayMeasurements?

    init(_ key: FlowKey, packetLength: Int, playout: PlayoutAssumption? = nil) {
        self.key = key
        meter = TransportStreamMeter(packetLength: packetLength, isNumbered: false)
        quality = StreamQuality(.unnumbered(isMedia: true))
        replay = playout.map { PlayoutReplay($0, isRTP: false) }
    }

    /// Says that so many bytes come before the first whole packet.
    func begin(behind count: Int) { meter.bytesBefore = count }

    /// Whether there was enough to tell a transport stream by: five packets in sync, as TR 101 290 wants for sync.
    var isCertain: Bool { meter.packets >= 5 }

    func add(_ payload: RawSpan, payloadCount: Int, at instant: Instant) {
        quality.arrivedUnnumbered(bytes: payloadCount, mediaBytes: meter.mediaBytes(of: payload), at: instant)
        meter.add(payload, at: quality.steadyLast)
        meter.tellRate(to: &quality)
        replay?.add(payload, at: quality.steadyLast)
    }

    func finish() {
        meter.tellRate(to: &quality, atEnd: true)
        quality.finish()
        meter.finish()
        replayed = replay?.finish()
    }

    var measurements: StreamMeasurements {
        var result = StreamMeasurements(source: key.source, destination: key.destination)
        result.kind = .transportStream
        result.encoding = "MP2T"
        result.quality = quality.measurements(isNumbered: false)
        result.transportStream = meter.measurements
        result.playout = replayed
        if replay != nil, replayed == nil {
            result.notes.append("no playout: without clock references nothing tells when a datagram is due")
        }
        if let note = meter.indexNote { result.notes.append(note) }
        result.notes.append("UDP does not number its datagrams: loss shows in continuity counters only")
        result.notes.append(
            "no jitter, delay variation and clock drift: without RTP there are no timestamps for each datagram")
        if quality.stepsBack > 0 {
            result.notes.append(
                "the capture's clock was set back \(quality.stepsBack) times, by up to "
                    + "\(quality.largestStepBack.nanoseconds / 1_000_000) ms: that time is left out")
        }
        let missing = meter.missingPackets ?? (meter.continuityErrors == 0 ? 0 : nil)
        if let missing {
            result.quality.mediaLossRatePerSecond = MediaDeliveryIndex.mediaLossRate(
                lostMediaPackets: missing, over: quality.duration)
            if missing > 0 {
                result.notes.append(
                    "\(missing) transport packets are missing by the stream's clock and rate: the media loss rate counts these"
                )
            }
        } else {
            result.notes.append("no media loss rate: continuity counters tell that packets are lost, not how many")
        }
        return result
    }
}
