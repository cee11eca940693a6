import Wire

/// Finds out how the pictures of a video substream are coded and what they refer to, from what stands before the first
/// slice of each unit and that slice's header.
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
        /// What cannot be read is taken to depend on what came before.
        var references = UnitReferences.predicted
        /// Bytes up to and with the header of its first slice, or all where none begins.
        var beginning = 0
    }

    /// What the units of a picture's syntax before its first slice have told.
    private struct Heading {
        var hasParameters = false
        /// closed_gop and broken_link of MPEG-2.
        var isClosed = false
        var isBroken = false
        /// recovery_frame_cnt of H.264.
        var recoveryCount: UInt64?
    }

    /// Bytes of a slice's header at most, about: its fields up to the first that depends on the content.
    private static let sliceHeaderCount = 16

    /// Whether leading pictures have a type of their own; elsewhere their timestamps tell them.
    var namesLeadingPictures: Bool { syntax == .h265 }

    /// Looks at the elementary data of the next unit in the stream.
    mutating func scan(_ bytes: RawSpan) -> Picture {
        var picture = Picture(beginning: bytes.byteCount)
        var heading = Heading()
        var offset = 0
        while let start = bytes.withUnsafeBytes({ NALUnits.startCode($0, from: offset) }) {
            offset = start + 3
            guard offset < bytes.byteCount else { break }
            switch syntax {
            case .mpeg2: mpeg2(bytes, at: offset, &heading, &picture)
            case .h264: h264(bytes, at: offset, &heading, &picture)
            case .h265: h265(bytes, at: offset, &heading, &picture)
            }
            if isSlice(bytes, at: offset) {
                picture.beginning = min(offset + Self.sliceHeaderCount, bytes.byteCount)
                break
            }
        }
        return picture
    }

    /// Where the slices of a unit's picture lie in its elementary data.
    func slices(in bytes: RawSpan) -> [Range<Int>] {
        var slices: [Range<Int>] = []
        var open: Int?
        var offset = 0
        while let start = bytes.withUnsafeBytes({ NALUnits.startCode($0, from: offset) }) {
            offset = start + 3
            if let open { slices.append(open..<start) }
            open = offset < bytes.byteCount && isSlice(bytes, at: offset) ? start : nil
        }
        if let open { slices.append(open..<bytes.byteCount) }
        return slices
    }

    /// Whether a slice begins behind a start code.
    private func isSlice(_ bytes: RawSpan, at offset: Int) -> Bool {
        let code = (try? bytes.bigEndian(UInt8.self, at: offset)) ?? 0
        switch syntax {
        case .mpeg2: return (0x01...0xaf).contains(code)
        case .h264: return [1, 2, 5].contains(code & 31)
        case .h265: return code >> 1 <= 9 || (16...21).contains(code >> 1)
        }
    }

    /// ISO/IEC 13818-2 §6.2.2.1, §6.2.2.6, §6.2.3: picture_start_code, temporal_reference (10 bits),
    /// picture_coding_type (3 bits).
    private func mpeg2(_ bytes: RawSpan, at offset: Int, _ heading: inout Heading, _ picture: inout Picture) {
        switch (try? bytes.bigEndian(UInt8.self, at: offset)) ?? 0 {
        case 0xb3: heading.hasParameters = true
        case 0xb8:
            // 25 bits of time code, closed_gop, broken_link.
            let flags = (try? bytes.bigEndian(UInt8.self, at: offset + 4)) ?? 0
            heading.isClosed = flags & 0x40 != 0
            heading.isBroken = flags & 0x20 != 0
        case 0x00 where picture.type == .unknown:
            switch (try? bytes.bigEndian(UInt8.self, at: offset + 2)).map({ $0 >> 3 & 7 }) {
            case 1, 4:
                picture.type = .intra
                picture.references = .intra(heading.isClosed ? .instantaneous : heading.isBroken ? .broken : .open)
                picture.references.bringsParameters = heading.hasParameters
                picture.isRandomAccess = heading.hasParameters
            case 2: picture.type = .predicted
            case 3:
                picture.type = .bidirectional
                picture.references = .disposable
            default: break
            }
        default: break
        }
    }

    /// ITU-T H.264 §7.3.1, §7.3.3.
    private func h264(_ bytes: RawSpan, at offset: Int, _ heading: inout Heading, _ picture: inout Picture) {
        let header = (try? bytes.bigEndian(UInt8.self, at: offset)) ?? 0
        switch header & 31 {
        case 5:
            picture.type = .intra
            picture.isRandomAccess = true
            picture.references = .intra(.instantaneous).restartingOrder
            picture.references.bringsParameters = heading.hasParameters
        case 6: heading.recoveryCount = Self.recoveryCount(bytes, at: offset + 1) ?? heading.recoveryCount
        case 7: heading.hasParameters = true
        case 1, 2:
            var reader = BitReader(bytes, at: offset + 1)
            _ = reader.exponentialGolomb()
            switch reader.exponentialGolomb().map({ $0 % 5 }) {
            case 0, 3: picture.type = .predicted
            case 1: picture.type = .bidirectional
            case 2, 4: picture.type = .intra
            default: break
            }
            picture.references = references(picture.type, isReferred: header & 0x60 != 0, heading)
            picture.isRandomAccess = heading.hasParameters && picture.type == .intra
        default: break
        }
    }

    /// Of a picture of H.264 that is no IDR picture.
    private func references(_ type: FrameType, isReferred: Bool, _ heading: Heading) -> UnitReferences {
        var references = UnitReferences(needs: type == .intra ? .nothing : .recent, isReferred: isReferred)
        references.bringsParameters = heading.hasParameters
        if let count = heading.recoveryCount, count > 0 {
            references.recoveryCount = UInt16(clamping: count)
        } else if type == .intra, heading.recoveryCount == 0 || heading.hasParameters {
            references.refresh = .open
        }
        return references
    }

    /// recovery_frame_cnt where one of the messages of an SEI unit is a recovery point (ITU-T H.264 §7.3.2.3.1, §D.1.8).
    private static func recoveryCount(_ bytes: RawSpan, at start: Int) -> UInt64? {
        func number(_ offset: inout Int) -> Int? {
            var value = 0
            while let byte = try? bytes.bigEndian(UInt8.self, at: offset) {
                offset += 1
                value += Int(byte)
                if byte != 255 { return value }
            }
            return nil
        }
        var offset = start
        while let type = number(&offset), let count = number(&offset) {
            if type == 6 {
                var reader = BitReader(bytes, at: offset)
                return reader.exponentialGolomb()
            }
            offset += count
            // rbsp_trailing_bits, or the next start code.
            guard let next = try? bytes.bigEndian(UInt8.self, at: offset), next != 0x80, next != 0 else { return nil }
        }
        return nil
    }

    /// ITU-T H.265 §7.3.1.2, §7.3.6.1, table 7-1.
    private mutating func h265(_ bytes: RawSpan, at offset: Int, _ heading: inout Heading, _ picture: inout Picture) {
        let unitType = ((try? bytes.bigEndian(UInt8.self, at: offset)) ?? 0) >> 1 & 63
        var reader = BitReader(bytes, at: offset + 2)
        switch unitType {
        case 33: heading.hasParameters = true
        case 34:
            guard let set = reader.exponentialGolomb(), set < 64, reader.exponentialGolomb() != nil,
                let flags = reader.bits(5)
            else { return }
            extraSliceBits[Int(set)] = UInt8(flags & 7)
        case 0...9, 16...21:
            let isIRAP = unitType >= 16
            picture.isRandomAccess = isIRAP
            picture.type = h265Type(&reader, isIRAP: isIRAP)
            switch unitType {
            case 16...18: picture.references = .intra(.broken)
            case 19, 20: picture.references = .intra(.instantaneous)
            case 21: picture.references = .intra(.open)
            // Even ones are sub-layer non-reference pictures; 8 and 9 are leading ones that may be skipped (RASL).
            default:
                picture.references = UnitReferences(
                    needs: unitType >= 8 ? .across : picture.type == .intra ? .nothing : .recent,
                    isReferred: unitType % 2 == 1)
            }
            picture.references.bringsParameters = heading.hasParameters
        default: break
        }
    }

    private func h265Type(_ reader: inout BitReader, isIRAP: Bool) -> FrameType {
        // A slice segment that is not the picture's first may be a dependent one, which has no type.
        guard reader.bits(1) == 1, !isIRAP || reader.bits(1) != nil, let set = reader.exponentialGolomb(), set < 64,
            let extra = extraSliceBits[Int(set)], reader.bits(Int(extra)) != nil
        else { return isIRAP ? .intra : .unknown }
        switch reader.exponentialGolomb() {
        case 0: return .bidirectional
        case 1: return .predicted
        case 2: return .intra
        default: return .unknown
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
