/// What one RTP packet carries of an access unit: a payload header, and where in the unit the rest lies.
public struct PayloadPiece: Hashable, Sendable, BitwiseCopyable {
    /// The payload header, its last byte lowest.
    var header: UInt32 = 0
    /// Bytes of it, 0...4.
    var headerCount = 0
    /// Where the data begin in the unit.
    var start = 0
    /// Bytes of data, without the sizes that an aggregation packet has before each NAL unit.
    var count = 0
    /// Of an aggregation packet, the first of its NAL units, by number in the unit.
    var firstNALUnit = 0
    /// Of an aggregation packet, how many NAL units it has; else 0.
    var nalUnitCount = 0

    /// Bytes of payload.
    public var byteCount: Int { headerCount + count + 2 * nalUnitCount }
}

/// Cuts access units into the payloads of RTP packets, by a payload format.
///
/// It holds the latest unit's cut and uses its memory again; the unit's bytes stay where they are.
public struct PayloadFragmenter: Sendable {
    /// How units are cut.
    public let kind: RTPPayloadFormat.Kind
    /// The latest unit's payloads, in order.
    public private(set) var pieces: [PayloadPiece] = []
    /// The most bytes of payload in a packet.
    private let limit: Int
    private var nalUnits: [Range<Int>] = []

    /// - Parameter limit: the most bytes of payload in a packet, at least 16. Of what no format lets be cut (Opus, G.711,
    ///   G.722) a longer unit stays whole.
    public init(_ kind: RTPPayloadFormat.Kind, limit: Int) {
        precondition(limit >= 16)
        self.kind = kind
        self.limit = limit
    }

    /// Cuts a unit: of H.264 and H.265 an access unit in byte stream format, of AAC a raw data block without ADTS, of
    /// MPEG audio a frame, of all else the bytes as they are.
    public mutating func cut(_ unit: UnsafeRawBufferPointer) {
        pieces.removeAll(keepingCapacity: true)
        switch kind {
        case .h264, .h265:
            NALUnits.find(in: unit, &nalUnits)
            cutNALUnits(unit)
        case .aac:
            // AU-headers-length 16; AU-size 13 bits, AU-index 0: of a fragment the size is still the whole unit's
            // (RFC 3640 §3.2.1, §3.2.3.1).
            let header = 0x0010_0000 | UInt32(truncatingIfNeeded: unit.count & 0x1fff) << 3
            cutBytes(unit.count) { _ in header }
        case .mpegAudio:
            // MBZ, then where in the frame it begins (RFC 2250 §3.5).
            cutBytes(unit.count) { UInt32(truncatingIfNeeded: $0 & 0xffff) }
        case .units: cutBytes(unit.count) { UInt32(truncatingIfNeeded: $0) }
        case .opus, .pcmu, .pcma, .g722: pieces.append(PayloadPiece(count: unit.count))
        }
    }

    /// Writes a payload of the latest unit.
    ///
    /// - Parameters:
    ///   - piece: one of ``pieces``.
    ///   - unit: the unit's bytes.
    ///   - bytes: at least as many as the piece has.
    public func write(
        _ piece: PayloadPiece, of unit: UnsafeRawBufferPointer, into bytes: UnsafeMutableRawBufferPointer
    ) {
        precondition(bytes.count >= piece.byteCount)
        for index in 0..<piece.headerCount {
            bytes[index] = UInt8(truncatingIfNeeded: piece.header >> UInt32(8 * (piece.headerCount - 1 - index)))
        }
        var position = piece.headerCount
        if piece.nalUnitCount == 0 {
            Self.copy(unit, piece.start..<piece.start + piece.count, into: bytes, at: position)
        }
        for number in piece.firstNALUnit..<piece.firstNALUnit + piece.nalUnitCount {
            let range = nalUnits[number]
            bytes.store(UInt16(range.count), at: position)
            Self.copy(unit, range, into: bytes, at: position + 2)
            position += 2 + range.count
        }
    }

    private static func copy(
        _ unit: UnsafeRawBufferPointer, _ range: Range<Int>, into bytes: UnsafeMutableRawBufferPointer, at offset: Int
    ) {
        UnsafeMutableRawBufferPointer(rebasing: bytes[offset..<offset + range.count])
            .copyMemory(from: UnsafeRawBufferPointer(rebasing: unit[range]))
    }

    /// Pieces as long as they may be, each behind a header of four bytes that may tell where it begins.
    private mutating func cutBytes(_ count: Int, header: (Int) -> UInt32) {
        var start = 0
        while start < count {
            let length = min(limit - 4, count - start)
            pieces.append(PayloadPiece(header: header(start), headerCount: 4, start: start, count: length))
            start += length
        }
    }

    // MARK: H.264 and H.265

    /// Bytes of a NAL unit's header.
    private var headerCount: Int { kind == .h264 ? 1 : 2 }

    /// Neighbours that fit in one packet share it; what fits in none is cut (RFC 6184 §5.7.1, §5.8, RFC 7798 §4.4).
    private mutating func cutNALUnits(_ unit: UnsafeRawBufferPointer) {
        var first = 0
        var size = headerCount
        for number in nalUnits.indices {
            let count = nalUnits[number].count
            if size + 2 + count > limit || count > limit {
                flush(unit, first..<number)
                (first, size) = (number, headerCount)
            }
            if count > limit {
                fragment(unit, nalUnits[number])
                first = number + 1
            } else {
                size += 2 + count
            }
        }
        flush(unit, first..<nalUnits.count)
    }

    private mutating func flush(_ unit: UnsafeRawBufferPointer, _ numbers: Range<Int>) {
        guard let first = numbers.first else { return }
        guard numbers.count > 1 else {
            pieces.append(PayloadPiece(start: nalUnits[first].lowerBound, count: nalUnits[first].count))
            return
        }
        var piece = PayloadPiece(headerCount: headerCount, firstNALUnit: first, nalUnitCount: numbers.count)
        piece.header = aggregateHeader(unit, numbers)
        for number in numbers { piece.count += nalUnits[number].count }
        pieces.append(piece)
    }

    /// The forbidden bit of any, and the highest importance: the largest nal_ref_idc (RFC 6184 §5.7), the lowest layer and
    /// the lowest temporal one (RFC 7798 §4.4.2).
    private func aggregateHeader(_ unit: UnsafeRawBufferPointer, _ numbers: Range<Int>) -> UInt32 {
        if kind == .h264 {
            var (forbidden, importance): (UInt8, UInt8) = (0, 0)
            for number in numbers {
                let header = unit[nalUnits[number].lowerBound]
                forbidden |= header & 0x80
                importance = max(importance, header & 0x60)
            }
            return UInt32(forbidden | importance | 24)
        }
        var (forbidden, layer, temporal): (UInt32, UInt32, UInt32) = (0, 63, 7)
        for number in numbers where nalUnits[number].count > 1 {
            let start = nalUnits[number].lowerBound
            let header = UInt32(unit[start]) << 8 | UInt32(unit[start + 1])
            forbidden |= header & 0x8000
            layer = min(layer, header >> 3 & 63)
            temporal = min(temporal, header & 7)
        }
        return forbidden | 48 << 9 | layer << 3 | temporal
    }

    /// FU-A (RFC 6184 §5.8) or fragmentation units (RFC 7798 §4.4.3): the NAL unit's header is not repeated, its type goes
    /// into the fragment's.
    private mutating func fragment(_ unit: UnsafeRawBufferPointer, _ range: Range<Int>) {
        let first = unit[range.lowerBound]
        let header: UInt32
        let type: UInt32
        if kind == .h264 {
            (header, type) = (UInt32(first & 0xe0 | 28), UInt32(first & 31))
        } else {
            (header, type) = (
                UInt32(first & 0x81 | 49 << 1) << 8 | UInt32(unit[range.lowerBound + 1]), UInt32(first >> 1 & 63)
            )
        }
        var start = range.lowerBound + headerCount
        var isFirst = true
        while start < range.upperBound {
            let count = min(limit - headerCount - 1, range.upperBound - start)
            let isLast = start + count == range.upperBound
            let flags: UInt32 = (isFirst ? 0x80 : 0) | (isLast ? 0x40 : 0)
            pieces.append(
                PayloadPiece(
                    header: header << 8 | flags | type, headerCount: headerCount + 1, start: start, count: count))
            start += count
            isFirst = false
        }
    }
}
