import Wire

/// Telling a packet that was sent twice from one that looks so because fifteen before it are missing.
extension Demultiplexer {
    /// Whether a packet with the counter of the one before repeats that: its payload is the same to the byte
    /// (ISO/IEC 13818-1 §2.4.3.3; clock references may differ).
    func isRepetition(_ header: TransportPacketHeader, lane: Int, _ bytes: RawSpan, at offset: Int) -> Bool {
        guard comparesRepetitions else { return true }
        let skipped = TransportPacket.length - header.payloadCount
        let payload = bytes.extracting(offset + skipped..<offset + TransportPacket.length)
        var earlier = offset - TransportPacket.length
        while earlier >= datagramStart {
            if Self.isUsed(bytes, at: earlier, pid: header.pid) {
                let before = bytes.extracting(earlier + skipped..<earlier + TransportPacket.length)
                return payload.isEqual(to: before)
            }
            earlier -= TransportPacket.length
        }
        let place = lane * TransportPacket.length
        guard latestPackets.count >= place + TransportPacket.length else { return false }
        return payload.isEqual(
            to: latestPackets.span.bytes.extracting(place + skipped..<place + TransportPacket.length))
    }

    /// Keeps each lane's last packet of a datagram.
    mutating func keepLatestPackets(_ bytes: RawSpan, from start: Int, to end: Int) {
        let missing = lanes.count * TransportPacket.length - latestPackets.count
        if missing > 0 { latestPackets += repeatElement(0, count: missing) }
        for lane in lanes.indices {
            var offset = end - TransportPacket.length
            while offset >= start, !Self.isUsed(bytes, at: offset, pid: lanes[lane].pid) {
                offset -= TransportPacket.length
            }
            guard offset >= start else { continue }
            let packet = bytes.extracting(offset..<offset + TransportPacket.length)
            latestPackets.withUnsafeMutableBytes { kept in
                packet.withUnsafeBytes {
                    UnsafeMutableRawBufferPointer(rebasing: kept[(lane * TransportPacket.length)...]).copyMemory(
                        from: $0)
                }
            }
        }
    }

    /// Whether a packet is of the PID and one whose payload is read.
    private static func isUsed(_ bytes: RawSpan, at offset: Int, pid: UInt16) -> Bool {
        guard let header = TransportPacketHeader(bytes, at: offset) else { return false }
        return header.pid == pid && header.hasPayload && !header.transportError && header.scrambling == 0
    }
}
