import Wire

extension PresentedLane.Ready {
    /// Its PES packet, with the times that it has here.
    var packet: [UInt8] {
        var bytes = unit.bytes
        let isBounded = bytes.count >= 6 && bytes[4] | bytes[5] != 0
        if let presentation, presentation != decode { Self.makeRoomForDTS(in: &bytes) }
        bytes.withUnsafeMutableBytes { bytes in
            if let presentation { PESHeader.replaceTimestamps(in: bytes, pts: presentation, dts: decode) }
            // PES_packet_length says what is there; 0 is video of any length (ISO/IEC 13818-1 §2.4.3.7).
            guard isBounded else { return }
            let length = UInt16(exactly: bytes.count - 6) ?? 0
            (bytes[4], bytes[5]) = (UInt8(length >> 8), UInt8(truncatingIfNeeded: length))
        }
        return bytes
    }

    /// A unit that was made to be decoded when it is presented, and is decoded before now, gets a DTS.
    private static func makeRoomForDTS(in bytes: inout [UInt8]) {
        guard let header = try? PESHeader(parsing: bytes.span.bytes), header.pts != nil, header.dts == nil,
            bytes[8] <= 250
        else { return }
        bytes[7] |= 0xc0
        bytes[8] += 5
        // With its marker bits; what it says comes later.
        bytes.insert(contentsOf: [0x11, 0, 1, 0, 1], at: 14)
        bytes[9] |= 0x10
    }
}
