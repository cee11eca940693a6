import Wire

/// Puts the PES packets of one PID together from the transport packets that came, whatever is missing between them.
struct PacketCollector {
    private let pid: UInt16
    /// The latest packet with payload, to know a repetition of it.
    private var latest: [UInt8] = []
    /// Bytes of the open unit, when its header has told.
    private var expected: Int?

    init(pid: UInt16) { self.pid = pid }

    /// Takes a packet, if it is one of this PID.
    ///
    /// - Returns: whether it was.
    mutating func take(_ packet: UnsafeRawBufferPointer, into lane: inout PresentedLane) -> Bool {
        guard let header = TransportPacketHeader(packet.bytes, at: 0), header.pid == pid else { return false }
        guard header.hasPayload, !header.transportError, header.scrambling == 0, !repeats(packet) else { return true }
        let payload = UnsafeRawBufferPointer(rebasing: packet[header.payloadOffset...])
        if header.payloadUnitStart {
            expected = nil
            lane.begin(.init(bytes: Array(payload), isRandomAccess: header.randomAccess))
        } else {
            lane.changeOpen { $0.bytes.append(contentsOf: payload) }
        }
        var isWhole = false
        lane.changeOpen { isWhole = completes(&$0) }
        if isWhole { lane.close() }
        return true
    }

    /// Where a packet is the same as the one before (ISO/IEC 13818-1 §2.4.3.3).
    private mutating func repeats(_ packet: UnsafeRawBufferPointer) -> Bool {
        if latest.count == packet.count, latest[3] == packet[3], latest.elementsEqual(packet) { return true }
        latest.removeAll(keepingCapacity: true)
        latest.append(contentsOf: packet)
        return false
    }

    /// Reads a unit's header, once it is there; whether the unit is as long as that says.
    private mutating func completes(_ unit: inout PresentedLane.Unit) -> Bool {
        if unit.timestamp == nil, unit.bytes.count <= 274, let header = try? PESHeader(parsing: unit.bytes.span.bytes) {
            unit.timestamp = header.pts
            unit.decodeLead = header.pts.map { pts in header.dts.map { (pts &- $0) & 0x1_ffff_ffff } ?? 0 } ?? 0
            expected = header.packetLength == 0 ? nil : Int(header.packetLength) + 6
        }
        return expected.map { unit.bytes.count >= $0 } ?? false
    }
}
