import Timebase

extension RTCPPacket {
    /// Reads one packet, which is all of `bytes` but the padding.
    ///
    /// What follows the last report block of SR and RR, a profile's extension, is left out.
    ///
    /// - Throws: `truncated` when what the counts announce is not there, `forbiddenValue` when an SDES item runs out of
    ///   its packet, and what ``RTCPHeader/init(_:at:)`` does.
    init(parsing bytes: RawSpan) throws(ParseError) {
        let header = try RTCPHeader(bytes, at: 0)
        guard header.length == bytes.byteCount else { throw .badLength }
        try self.init(header, bytes)
    }

    init(_ header: RTCPHeader, _ whole: RawSpan) throws(ParseError) {
        let bytes = whole.extracting(0..<header.length - header.paddingCount)
        let count = Int(header.count)
        switch header.type {
        case 200:
            var report = SenderReport(
                ssrc: try bytes.bigEndian(at: 4), ntpTimestamp: NTPTimestamp(rawValue: try bytes.bigEndian(at: 8)),
                rtpTimestamp: try bytes.bigEndian(at: 16), packetCount: try bytes.bigEndian(at: 20),
                octetCount: try bytes.bigEndian(at: 24))
            report.reports = try Self.reports(bytes, count, at: 28)
            self = .senderReport(report)
        case 201:
            let reports = try Self.reports(bytes, count, at: 8)
            self = .receiverReport(ReceiverReport(ssrc: try bytes.bigEndian(at: 4), reports: reports))
        case 202: self = .sourceDescription(try Self.chunks(bytes, count))
        case 203: self = .goodbye(try Self.goodbye(bytes, count))
        default:
            let body = bytes.extracting(4..<bytes.byteCount).copied
            self = .other(type: header.type, count: header.count, body: body)
        }
    }

    private static func reports(
        _ bytes: RawSpan, _ count: Int, at offset: Int
    ) throws(ParseError) -> [ReceptionReport] {
        var reports: [ReceptionReport] = []
        for index in 0..<count {
            reports.append(try ReceptionReport(bytes, at: offset + index * ReceptionReport.length))
        }
        return reports
    }

    /// Each chunk's items end with a zero byte, and the chunk with its word.
    private static func chunks(_ bytes: RawSpan, _ count: Int) throws(ParseError) -> [SourceDescription] {
        var chunks: [SourceDescription] = []
        var offset = 4
        for _ in 0..<count {
            var chunk = SourceDescription(ssrc: try bytes.bigEndian(at: offset), items: [])
            offset += 4
            while true {
                let type: UInt8 = try bytes.bigEndian(at: offset)
                if type == 0 { break }
                let text = offset + 2
                let end = text + Int(try bytes.bigEndian(UInt8.self, at: offset + 1))
                guard end <= bytes.byteCount else { throw .forbiddenValue }
                chunk.items.append(.init(type: type, text: bytes.extracting(text..<end).copied))
                offset = end
            }
            offset = (offset + 4) & ~3
            chunks.append(chunk)
        }
        return chunks
    }

    private static func goodbye(_ bytes: RawSpan, _ count: Int) throws(ParseError) -> Goodbye {
        var goodbye = Goodbye(sources: [])
        for index in 0..<count { goodbye.sources.append(try bytes.bigEndian(at: 4 + 4 * index)) }
        let offset = 4 + 4 * count
        if offset < bytes.byteCount {
            let end = offset + 1 + Int(try bytes.bigEndian(UInt8.self, at: offset))
            guard end <= bytes.byteCount else { throw .truncated }
            goodbye.reason = bytes.extracting(offset + 1..<end).copied
        }
        return goodbye
    }
}

/// The first word of every RTCP packet, and its padding (RFC 3550 §6.4.1).
struct RTCPHeader {
    var type: UInt8
    /// The five bits in front of the type: how many blocks, chunks or sources.
    var count: UInt8
    /// Bytes of the whole packet, a multiple of 4.
    var length: Int
    /// Bytes of padding at its end.
    var paddingCount: Int

    /// - Throws: `truncated` when the packet does not end within the bytes, `unsupportedVersion` unless the version is
    ///   2, `badLength` when the padding is not whole words of the packet.
    init(_ bytes: RawSpan, at offset: Int) throws(ParseError) {
        let word: UInt32 = try bytes.bigEndian(at: offset)
        guard word >> 30 == 2 else { throw .unsupportedVersion }
        count = UInt8(word >> 24 & 31)
        type = UInt8(word >> 16 & 255)
        length = 4 * (Int(word & 0xffff) + 1)
        guard length <= bytes.byteCount - offset else { throw .truncated }
        paddingCount = 0
        if word & 0x2000_0000 != 0 {
            paddingCount = Int(bytes.loaded(UInt8.self, at: offset + length - 1))
            guard paddingCount > 0, paddingCount % 4 == 0, paddingCount <= length - 4 else { throw .badLength }
        }
    }
}
