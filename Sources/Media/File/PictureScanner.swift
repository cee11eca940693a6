import Wire

/// Finds out how the pictures of a video substream are coded, from the first slice or picture header of each unit.
struct PictureScanner {
    enum Syntax { case mpeg2, h264, h265 }

    private let syntax: Syntax
    /// num_extra_slice_header_bits of H.265's picture parameter sets; nil before one comes.
    private var extraSliceBits = [UInt8?](repeating: nil, count: 64)

    /// Nil for what is carried opaque.
    init?(_ type: StreamType) {
        switch type {
        case .mpeg1Video, .mpeg2Video: syntax = .mpeg2
        case .h264: syntax = .h264
        case .h265: syntax = .h265
        default: return nil
        }
    }

    /// What a unit's elementary data tell.
    struct Picture: Equatable {
        var type = FrameType.unknown
        var isRandomAccess = false
    }

    /// Looks at the elementary data of the next unit in the stream.
    mutating func scan(_ bytes: RawSpan) -> Picture {
        var picture = Picture()
        var offset = 0
        while let start = bytes.withUnsafeBytes({ NALUnits.startCode($0, from: offset) }) {
            offset = start + 3
            guard offset < bytes.byteCount else { break }
            let isDone: Bool =
                switch syntax {
                case .mpeg2: mpeg2(bytes, at: offset, &picture)
                case .h264: h264(bytes, at: offset, &picture)
                case .h265: h265(bytes, at: offset, &picture)
                }
            if isDone { break }
        }
        return picture
    }

    /// ISO/IEC 13818-2 §6.2.3: picture_start_code, temporal_reference (10 bits), picture_coding_type (3 bits).
    private func mpeg2(_ bytes: RawSpan, at offset: Int, _ picture: inout Picture) -> Bool {
        let code = try? bytes.bigEndian(UInt8.self, at: offset)
        if code == 0xb3 { picture.isRandomAccess = true }
        guard code == 0x00 else { return false }
        switch (try? bytes.bigEndian(UInt8.self, at: offset + 2)).map({ $0 >> 3 & 7 }) {
        case 1, 4: picture.type = .intra
        case 2: picture.type = .predicted
        case 3: picture.type = .bidirectional
        default: break
        }
        picture.isRandomAccess = picture.isRandomAccess && picture.type == .intra
        return true
    }

    /// ITU-T H.264 §7.3.1, §7.3.3.
    private func h264(_ bytes: RawSpan, at offset: Int, _ picture: inout Picture) -> Bool {
        let header = (try? bytes.bigEndian(UInt8.self, at: offset)) ?? 0
        switch header & 31 {
        case 5:
            picture = Picture(type: .intra, isRandomAccess: true)
            return true
        case 7:
            picture.isRandomAccess = true
            return false
        case 1, 2:
            var reader = BitReader(bytes, at: offset + 1)
            _ = reader.exponentialGolomb()
            switch reader.exponentialGolomb().map({ $0 % 5 }) {
            case 0, 3: picture.type = .predicted
            case 1: picture.type = .bidirectional
            case 2, 4: picture.type = .intra
            default: break
            }
            picture.isRandomAccess = picture.isRandomAccess && picture.type == .intra
            return true
        default: return false
        }
    }

    /// ITU-T H.265 §7.3.1.2, §7.3.6.1.
    private mutating func h265(_ bytes: RawSpan, at offset: Int, _ picture: inout Picture) -> Bool {
        let unitType = ((try? bytes.bigEndian(UInt8.self, at: offset)) ?? 0) >> 1 & 63
        var reader = BitReader(bytes, at: offset + 2)
        switch unitType {
        case 34:
            guard let set = reader.exponentialGolomb(), set < 64, reader.exponentialGolomb() != nil,
                let flags = reader.bits(5)
            else { return false }
            extraSliceBits[Int(set)] = UInt8(flags & 7)
            return false
        case 0...9, 16...21:
            let isIRAP = unitType >= 16
            picture.isRandomAccess = isIRAP
            // A slice segment that is not the picture's first may be a dependent one, which has no type.
            guard reader.bits(1) == 1, !isIRAP || reader.bits(1) != nil, let set = reader.exponentialGolomb(), set < 64,
                let extra = extraSliceBits[Int(set)], reader.bits(Int(extra)) != nil
            else {
                if isIRAP { picture.type = .intra }
                return true
            }
            switch reader.exponentialGolomb() {
            case 0: picture.type = .bidirectional
            case 1: picture.type = .predicted
            case 2: picture.type = .intra
            default: break
            }
            return true
        default: return false
        }
    }
}

/// Reads bits, most significant first, stepping over emulation prevention bytes; nil behind the end.
struct BitReader {
    private var window: UInt64 = 0
    private var left: Int

    /// Takes what it will ever read, 8 bytes, at once: slice headers begin with the few fields that are asked for.
    init(_ bytes: RawSpan, at offset: Int) {
        var taken = 0
        var zeros = 0
        var index = offset
        while taken < 8, let byte = try? bytes.bigEndian(UInt8.self, at: index) {
            index += 1
            if zeros >= 2 && byte == 3 {
                zeros = 0
                continue
            }
            zeros = byte == 0 ? zeros + 1 : 0
            window |= UInt64(byte) << UInt64(56 - 8 * taken)
            taken += 1
        }
        left = 8 * taken
    }

    /// The next `count` bits, 0...32.
    mutating func bits(_ count: Int) -> UInt64? {
        guard count <= left else { return nil }
        left -= count
        let value = count == 0 ? 0 : window >> UInt64(64 - count)
        window <<= UInt64(count)
        return value
    }

    /// ue(v).
    mutating func exponentialGolomb() -> UInt64? {
        let zeros = window.leadingZeroBitCount
        guard zeros < 32, bits(zeros) != nil, let value = bits(zeros + 1) else { return nil }
        return value - 1
    }
}
