import Timebase

/// A compound RTCP packet: what one datagram carries (RFC 3550 §6.1).
public struct RTCPCompound: Hashable, Sendable {
    /// In the order of the datagram; a report comes first (RFC 3550 §6.1).
    public var packets: [RTCPPacket]

    /// Packets to write into one datagram.
    public init(_ packets: [RTCPPacket]) { self.packets = packets }

    /// Reads a datagram, with the checks of RFC 3550 §A.2.
    ///
    /// - Parameter allowsReducedSize: also takes a datagram that does not begin with a report (RFC 5506).
    /// - Throws: `notRecognized` when it does not begin with SR or RR, `badLength` when that one is padded or padding
    ///   comes before the last packet, and what ``RTCPPacket/init(parsing:)`` does.
    public init(parsing bytes: RawSpan, allowsReducedSize: Bool = false) throws(ParseError) {
        packets = []
        var offset = 0
        repeat {
            let header = try RTCPHeader(bytes, at: offset)
            if offset == 0, !allowsReducedSize {
                guard header.type == 200 || header.type == 201 else { throw .notRecognized }
                guard header.paddingCount == 0 else { throw .badLength }
            }
            let end = offset + header.length
            guard header.paddingCount == 0 || end == bytes.byteCount else { throw .badLength }
            packets.append(try RTCPPacket(header, bytes.extracting(offset..<end)))
            offset = end
        } while offset < bytes.byteCount
    }

    /// The datagram's bytes.
    ///
    /// - Complexity: O(n) in their number, with allocations.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        for packet in packets { packet.append(to: &bytes) }
        return bytes
    }
}

extension RTCPPacket {
    /// Appends the packet's bytes: whole words, without padding. More than 31 blocks, chunks or sources, and more than
    /// 255 bytes of a text, are cut.
    func append(to bytes: inout [UInt8]) {
        let start = bytes.count
        bytes += [0, type, 0, 0]
        let count = appendBody(to: &bytes)
        while (bytes.count - start) % 4 != 0 { bytes.append(0) }
        let words = (bytes.count - start) / 4 - 1
        bytes[start] = 0x80 | UInt8(count)
        bytes[start + 2] = UInt8(truncatingIfNeeded: words >> 8)
        bytes[start + 3] = UInt8(truncatingIfNeeded: words)
    }

    /// - Returns: what the header's count says.
    private func appendBody(to bytes: inout [UInt8]) -> Int {
        switch self {
        case .senderReport(let report):
            bytes.appendBigEndian(report.ssrc)
            bytes.appendBigEndian(report.ntpTimestamp.rawValue)
            bytes.appendBigEndian(report.rtpTimestamp)
            bytes.appendBigEndian(report.packetCount)
            bytes.appendBigEndian(report.octetCount)
            for block in report.reports.prefix(31) { block.append(to: &bytes) }
            return min(report.reports.count, 31)
        case .receiverReport(let report):
            bytes.appendBigEndian(report.ssrc)
            for block in report.reports.prefix(31) { block.append(to: &bytes) }
            return min(report.reports.count, 31)
        case .sourceDescription(let chunks):
            for chunk in chunks.prefix(31) { chunk.append(to: &bytes) }
            return min(chunks.count, 31)
        case .goodbye(let goodbye):
            for source in goodbye.sources.prefix(31) { bytes.appendBigEndian(source) }
            if let reason = goodbye.reason?.prefix(255) { bytes += [UInt8(reason.count)] + reason }
            return min(goodbye.sources.count, 31)
        case .other(_, let count, let body):
            bytes += body.prefix(4 * 65_535)
            return Int(count & 31)
        }
    }
}

extension RTCPPacket.SourceDescription {
    /// The chunk, ended by one to four zero bytes so that the next begins on a word (RFC 3550 §6.5).
    fileprivate func append(to bytes: inout [UInt8]) {
        let start = bytes.count
        bytes.appendBigEndian(ssrc)
        for item in items {
            let text = item.text.prefix(255)
            bytes += [item.type, UInt8(text.count)] + text
        }
        repeat { bytes.append(0) } while (bytes.count - start) % 4 != 0
    }
}
