/// The header of a PES packet (ISO/IEC 13818-1 §2.4.3.6).
@frozen
public struct PESHeader: Hashable, Sendable, BitwiseCopyable {
    /// stream_id (ISO/IEC 13818-1 table 2-22).
    public let streamID: UInt8
    /// PES_packet_length: the bytes after that field; 0 is unbounded, which transport streams allow for video.
    public let packetLength: UInt16
    /// The elementary data begin with an access unit or its start code.
    @usableFromInline let dataAlignment: Bool
    /// Presentation time in ticks of 90 kHz, 0..<2^33; nil when absent, or when a marker bit in it is wrong.
    public let pts: Int64?
    /// Decoding time in ticks of 90 kHz, 0..<2^33; nil when absent: then it is the PTS.
    public let dts: Int64?
    /// Where the elementary data begin, bytes from the packet's start.
    public let headerLength: Int

    /// A header to write.
    @inlinable
    public init(streamID: UInt8, pts: Int64? = nil, dts: Int64? = nil, dataAlignment: Bool = true) {
        self.streamID = streamID
        self.packetLength = 0
        self.dataAlignment = dataAlignment
        self.pts = pts
        // A decoding time without a presentation time cannot be said.
        self.dts = pts == nil ? nil : dts
        self.headerLength = Self.hasExtension(streamID) ? 9 + (pts == nil ? 0 : dts == nil ? 5 : 10) : 6
    }

    /// Bytes of elementary data that the packet's length announces; nil when unbounded.
    var dataCount: Int? {
        packetLength == 0 ? nil : Int(packetLength) + 6 - headerLength
    }

    /// Whether packets of a stream have flags, timestamps and the rest after the length: not program stream maps and
    /// directories, padding, private_stream_2, ECM, EMM, DSM-CC and H.222.1 type E.
    @inlinable
    static func hasExtension(_ streamID: UInt8) -> Bool {
        switch streamID {
        case 0xbc, 0xbe, 0xbf, 0xf0, 0xf1, 0xf2, 0xf8, 0xff: false
        default: true
        }
    }

    /// Reads the header at the start of a PES packet; the data behind it need not be there.
    ///
    /// - Throws: `notRecognized` without a start code, `truncated` when the header does not end within the bytes,
    ///   `badLength` when the timestamps do not fit in the header or the header not in the packet, `forbiddenValue`
    ///   when the bits before the flags are not '10' (MPEG-1's packets are not in transport streams).
    public init(parsing bytes: RawSpan) throws(ParseError) {
        guard try bytes.bigEndian24(at: 0) == 1 else { throw .notRecognized }
        streamID = try bytes.bigEndian(at: 3)
        packetLength = try bytes.bigEndian(at: 4)
        guard Self.hasExtension(streamID) else {
            dataAlignment = false
            pts = nil
            dts = nil
            headerLength = 6
            return
        }
        let flags: UInt16 = try bytes.bigEndian(at: 6)
        let rest = Int(try bytes.bigEndian(UInt8.self, at: 8))
        guard flags &>> 14 == 2 else { throw .forbiddenValue }
        dataAlignment = flags & 0x0400 != 0
        headerLength = 9 + rest
        guard packetLength == 0 || Int(packetLength) + 6 >= headerLength else { throw .badLength }
        guard headerLength <= bytes.byteCount else { throw .truncated }
        let timestamps = Self.timestampCount(flags)
        guard rest >= 5 * timestamps else { throw .badLength }
        pts = timestamps > 0 ? Self.timestamp(bytes, at: 9) : nil
        dts = timestamps > 1 ? Self.timestamp(bytes, at: 14) : nil
    }

    /// Writes the header, without what ``init(parsing:)`` does not keep (ESCR, stuffing and the like).
    ///
    /// - Parameters:
    ///   - dataCount: bytes of elementary data that follow. Nil, or more than the length field can say, makes the
    ///     packet unbounded.
    ///   - bytes: at least 19 bytes, or as many as the header has.
    /// - Returns: the header's length in bytes: ``headerLength``, for a header that was not parsed.
    @discardableResult
    public func write(to bytes: UnsafeMutableRawBufferPointer, dataCount: Int?) -> Int {
        let timestamps = pts == nil ? 0 : dts == nil ? 1 : 2
        let length = Self.hasExtension(streamID) ? 9 + 5 * timestamps : 6
        precondition(bytes.count >= length)
        bytes.store(0x0000_0100 | UInt32(streamID), at: 0)
        bytes.store(dataCount.flatMap { UInt16(exactly: $0 + length - 6) } ?? 0, at: 4)
        guard length > 6 else { return length }
        bytes.store(UInt8(dataAlignment ? 0x84 : 0x80), at: 6)
        bytes.store(UInt8(timestamps == 0 ? 0 : timestamps == 1 ? 0x80 : 0xc0), at: 7)
        bytes.store(UInt8(5 * timestamps), at: 8)
        if let pts, timestamps > 0 {
            Self.storeTimestamp(pts, prefix: timestamps == 2 ? 3 : 2, to: bytes, at: 9)
        }
        if let dts, timestamps > 1 { Self.storeTimestamp(dts, prefix: 1, to: bytes, at: 14) }
        return length
    }

    /// Moves PTS and DTS of the PES packet at the start of `bytes` in place, modulo 2^33, so that a file can be sent
    /// again behind itself. A timestamp with a wrong marker bit, and an ESCR, stay as they are.
    ///
    /// - Parameter offsetTicks: ticks of 90 kHz; positive is later.
    /// - Returns: whether there was a readable header; if not, nothing has changed.
    @discardableResult
    public static func rewriteTimestamps(
        in bytes: UnsafeMutableRawBufferPointer, by offsetTicks: Int64
    ) -> Bool {
        guard let header = try? PESHeader(parsing: bytes.bytes) else { return false }
        store(pts: header.pts.map { $0 &+ offsetTicks }, dts: header.dts.map { $0 &+ offsetTicks }, in: bytes)
        return true
    }

    /// Puts other timestamps into the PES packet at the start of `bytes` in place, modulo 2^33: ticks of 90 kHz. One that
    /// it does not have is not added.
    ///
    /// - Returns: its header as it was; nil, and nothing has changed, where it cannot be read.
    @discardableResult
    public static func replaceTimestamps(
        in bytes: UnsafeMutableRawBufferPointer, pts: Int64, dts: Int64
    ) -> PESHeader? {
        guard let header = try? PESHeader(parsing: bytes.bytes) else { return nil }
        store(pts: header.pts == nil ? nil : pts, dts: header.dts == nil ? nil : dts, in: bytes)
        return header
    }

    private static func store(pts: Int64?, dts: Int64?, in bytes: UnsafeMutableRawBufferPointer) {
        if let pts { storeTimestamp(pts, prefix: bytes[9] &>> 4, to: bytes, at: 9) }
        if let dts { storeTimestamp(dts, prefix: bytes[14] &>> 4, to: bytes, at: 14) }
    }

    /// 0, 1 or 2, from the two flags; '01' is forbidden and read as none.
    private static func timestampCount(_ flags: UInt16) -> Int {
        switch flags & 0x00c0 {
        case 0x0080: 1
        case 0x00c0: 2
        default: 0
        }
    }

    /// The five bytes at `offset`: 4 bits of prefix, then 3, 15 and 15 bits, a marker bit of 1 behind each.
    private static func timestamp(_ bytes: RawSpan, at offset: Int) -> Int64? {
        let high = Int64(bytes.loaded(UInt8.self, at: offset))
        let middle = Int64(bytes.loaded(UInt16.self, at: offset + 1))
        let low = Int64(bytes.loaded(UInt16.self, at: offset + 3))
        guard high & middle & low & 1 == 1 else { return nil }
        return (high >> 1 & 7) << 30 | (middle >> 1) << 15 | low >> 1
    }

    private static func storeTimestamp(
        _ value: Int64, prefix: UInt8, to bytes: UnsafeMutableRawBufferPointer, at offset: Int
    ) {
        bytes.store(prefix &<< 4 | UInt8(truncatingIfNeeded: value >> 30 & 7) &<< 1 | 1, at: offset)
        bytes.store(UInt16(truncatingIfNeeded: value >> 15) &<< 1 | 1, at: offset + 1)
        bytes.store(UInt16(truncatingIfNeeded: value) &<< 1 | 1, at: offset + 3)
    }
}
