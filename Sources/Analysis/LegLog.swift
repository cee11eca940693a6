import Capture
import Timebase
import Wire

/// The RTP packets of one leg's capture, by stream: what each is known by, and when it came.
struct LegLog {
    struct Packet: BitwiseCopyable {
        var timestamp: UInt32
        var sequenceNumber: UInt16
        /// Nanoseconds by the capture's clock.
        var instant: Int64

        /// What it has in common with the other leg's copy, and with nothing else near it.
        var identity: UInt64 { UInt64(timestamp) << 16 | UInt64(sequenceNumber) }
    }

    private(set) var packets: [[Packet]] = []
    private var places: [DatagramLog.Key: Int] = [:]
    private var last: (key: DatagramLog.Key, place: Int)?
    private var count = 0
    /// Packets beyond the limit.
    private(set) var leftOut: Int64 = 0

    /// 16 bytes each.
    private static let limit = 1 << 23

    mutating func add(_ datagram: Datagram, payload: RawSpan) {
        guard payload.byteCount >= RTPHeader.fixedLength, let first = try? payload.bigEndian(UInt16.self, at: 0),
            first >> 14 == 2, !(192...223).contains(first & 0xff),
            let ssrc = try? payload.bigEndian(UInt32.self, at: 8),
            let sequenceNumber = try? payload.bigEndian(UInt16.self, at: 2),
            let timestamp = try? payload.bigEndian(UInt32.self, at: 4)
        else { return }
        guard count < Self.limit else {
            leftOut += 1
            return
        }
        count += 1
        let key = DatagramLog.Key(flow: FlowKey(source: datagram.source, destination: datagram.destination), ssrc: ssrc)
        packets[place(key)].append(
            Packet(timestamp: timestamp, sequenceNumber: sequenceNumber, instant: datagram.instant.nanoseconds))
    }

    private mutating func place(_ key: DatagramLog.Key) -> Int {
        if let last, last.key == key { return last.place }
        let place = places[key] ?? packets.count
        if place == packets.count {
            places[key] = place
            packets.append([])
        }
        last = (key, place)
        return place
    }

    func packets(of stream: StreamMeasurements) -> [Packet] {
        places[
            DatagramLog.Key(flow: FlowKey(source: stream.source, destination: stream.destination), ssrc: stream.ssrc)
        ].map { packets[$0] } ?? []
    }
}
