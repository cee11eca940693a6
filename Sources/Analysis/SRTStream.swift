import Metrics
import Timebase
import Wire

/// The data packets of an SRT connection in one direction (draft-sharabayko-srt §3.1): losses by their own sequence
/// numbers of 31 bits, with retransmissions apart.
final class SRTStream {
    let key: FlowKey
    let socketID: UInt32
    private var quality: StreamQuality?
    private var numbers = WrapUnwrapper(bits: 31)
    private var retransmitted: Int64 = 0
    /// Packets that came only because they were sent again.
    private var recovered: Int64 = 0

    init(_ key: FlowKey, socketID: UInt32) {
        self.key = key
        self.socketID = socketID
    }

    /// - Parameters:
    ///   - sequence: the first word of its header.
    ///   - message: the second word, with the flag of retransmissions.
    func add(sequence: UInt32, message: UInt32, payloadCount: Int, at instant: Instant) {
        let number = numbers.unwrap(UInt64(sequence & 0x7fff_ffff))
        if quality == nil {
            var configuration = StreamQuality.Configuration()
            configuration.firstNumber = number
            configuration.window = 32_768
            configuration.isThorough = true
            quality = StreamQuality(configuration)
        }
        let verdict = quality?.arrived(StreamArrival(at: instant, bytes: payloadCount, number: number))
        guard message & 0x0400_0000 != 0 else { return }
        retransmitted += 1
        if verdict?.isFirst == true { recovered += 1 }
    }

    func finish() { quality?.finish() }

    var measurements: StreamMeasurements {
        var result = StreamMeasurements(source: key.source, destination: key.destination)
        result.kind = .srt
        if let quality { result.quality = quality.measurements() }
        result.notes = [
            "SRT: recognized by its handshake; lost are packets that never came, sent again or not"
        ]
        if retransmitted > 0 {
            result.notes.append(
                "\(retransmitted) packets were sent again, of which \(recovered) had not been seen before: these would be "
                    + "lost without; they are among received, reordered and duplicates")
        }
        result.retransmitted = retransmitted
        return result
    }
}
