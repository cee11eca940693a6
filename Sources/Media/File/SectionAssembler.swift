import Wire

/// Puts the sections of one PID together from its packets.
struct SectionAssembler {
    private var pending: [UInt8] = []
    private var continuityCounter: UInt8?

    /// Takes a packet of the PID.
    ///
    /// - Returns: the sections that it completes, raw, their CRC not yet looked at.
    mutating func take(_ header: TransportPacketHeader, _ bytes: RawSpan, at offset: Int) -> [[UInt8]] {
        guard header.hasPayload, !header.transportError, header.scrambling == 0 else { return [] }
        guard header.continuityCounter != continuityCounter else { return [] }
        if let continuityCounter, header.continuityCounter != (continuityCounter + 1) & 15 { pending = [] }
        continuityCounter = header.continuityCounter
        let payload = bytes.extracting(offset + header.payloadOffset..<offset + TransportPacket.length)
        guard let parts = try? SectionPayload(payload, payloadUnitStart: header.payloadUnitStart) else {
            pending = []
            return []
        }
        var sections: [[UInt8]] = []
        if !pending.isEmpty {
            pending += payload.extracting(parts.continuation).copied
            collect(&sections)
        }
        if let new = parts.newSections {
            pending = payload.extracting(new).copied
            collect(&sections)
        }
        return sections
    }

    /// Moves whole sections out of what is pending; stuffing ends it.
    private mutating func collect(_ sections: inout [[UInt8]]) {
        while let first = pending.first {
            guard first != 0xff else { return pending = [] }
            guard let length = PSISection.announcedLength(pending.span.bytes, at: 0), length <= pending.count else {
                return
            }
            sections.append(Array(pending[..<length]))
            pending.removeFirst(length)
        }
    }
}
