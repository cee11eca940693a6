import Media
import Wire

/// Puts the units of one session together from its datagrams, as PES packets.
struct DatagramCollector {
    private let session: Int
    private let streamID: UInt8
    private var assembler: PayloadAssembler
    private let format: RTPPayloadFormat

    init(_ session: Int, _ format: RTPPayloadFormat, streamID: UInt8) {
        (self.session, self.streamID, self.format) = (session, streamID, format)
        assembler = PayloadAssembler(format)
    }

    /// Takes an RTP packet.
    ///
    /// - Parameter isCaptured: whether the unit's times are those of its capture, and so are known.
    mutating func take(
        _ datagram: UnsafeRawBufferPointer, _ sessions: SessionMedia, into lane: inout PresentedLane, isCaptured: Bool
    ) {
        guard let header = try? RTPHeader(parsing: datagram.bytes) else { return }
        let end = header.payloadOffset + header.payloadCount
        let payload = UnsafeRawBufferPointer(rebasing: datagram[header.payloadOffset..<end])
        let isFirst = lane.openTimestamp != Int64(header.timestamp)
        if isFirst {
            lane.close()
            guard let media = sessions.unit(session, header.timestamp) else { return }
            lane.begin(begin(media, header.timestamp, isCaptured: isCaptured))
        }
        lane.changeOpen { unit in
            assembler.add(payload, sequenceNumber: header.sequenceNumber, to: &unit.bytes, isFirst: isFirst)
        }
    }

    private func begin(_ media: MediaUnit, _ timestamp: UInt32, isCaptured: Bool) -> PresentedLane.Unit {
        let lead = media.presentation - media.decode
        var bytes: [UInt8] = []
        if !format.isWave {
            let header = PESHeader(streamID: streamID, pts: media.presentation, dts: lead > 0 ? media.decode : nil)
            bytes = Array(repeating: 0, count: header.headerLength)
            bytes.withUnsafeMutableBytes { _ = header.write(to: $0, dataCount: nil) }
        }
        return PresentedLane.Unit(
            bytes: bytes, timestamp: Int64(timestamp), decodeLead: max(0, lead), isRandomAccess: media.isRandomAccess,
            fate: isCaptured ? .presented(media.presentation) : .waiting)
    }
}

extension RTPPayloadFormat {
    /// Whether it is samples that go into a WAVE file and not into a transport stream.
    var isWave: Bool { kind == .pcmu || kind == .pcma }
}
