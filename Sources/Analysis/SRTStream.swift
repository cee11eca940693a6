import Metrics
import Timebase

/// The data packets of an SRT connection in one direction: labelled, not measured further.
final class SRTStream {
    let key: FlowKey
    let socketID: UInt32
    private var quality = StreamQuality(.unnumbered(isMedia: false))

    init(_ key: FlowKey, socketID: UInt32) {
        self.key = key
        self.socketID = socketID
    }

    func add(payloadCount: Int, at instant: Instant) { quality.arrivedUnnumbered(bytes: payloadCount, at: instant) }

    var measurements: StreamMeasurements {
        var result = StreamMeasurements(source: key.source, destination: key.destination)
        result.kind = .srt
        result.quality = quality.measurements(isNumbered: false)
        result.notes = ["SRT: recognized by its handshake; its data packets are counted only"]
        return result
    }
}
