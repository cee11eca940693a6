/// A section of program specific information in the long form, with CRC (ISO/IEC 13818-1 §2.4.4, table 2-30).
///
/// ``SectionAssembler`` puts sections together from the packets of a PID.
public struct PSISection: Hashable, Sendable {
    var tableID: UInt8
    /// The private_indicator: 0 in the tables of ISO/IEC 13818-1, 1 in those of DVB.
    var isPrivate = false
    /// transport_stream_id of a PAT, program_number of a PMT.
    public var tableIDExtension: UInt16
    /// 0...31.
    var version: UInt8
    /// Whether the table holds now; if not, it is the next to hold.
    public var isCurrent = true
    var sectionNumber: UInt8 = 0
    /// The highest section_number of the table.
    public var lastSectionNumber: UInt8 = 0
    /// What is between the header and the CRC.
    var body: [UInt8]

    /// The most bytes of a section of PAT and PMT, header and CRC included (§2.4.4.4, §2.4.4.9).
    static let maximumLength = 1_024

    /// The only section of a table that holds now.
    public init(tableID: UInt8, tableIDExtension: UInt16, version: UInt8, body: [UInt8]) {
        self.tableID = tableID
        self.tableIDExtension = tableIDExtension
        self.version = version
        self.body = body
    }

    /// Reads one section; bytes behind it are not looked at.
    ///
    /// - Throws: `truncated` when it does not end within the bytes, `notRecognized` for the short form (no CRC),
    ///   `badLength` when it is too short for its header and CRC, `badChecksum` when the CRC is wrong.
    public init(parsing bytes: RawSpan) throws(ParseError) {
        guard let length = Self.announcedLength(bytes, at: 0), length <= bytes.byteCount else { throw .truncated }
        guard bytes.loaded(UInt8.self, at: 1) & 0x80 != 0 else { throw .notRecognized }
        guard length >= 12 else { throw .badLength }
        let section = bytes.extracting(0..<length)
        guard CRC32.mpeg2(section) == 0 else { throw .badChecksum }
        let flags: UInt8 = section.loaded(at: 5)
        self.init(
            tableID: section.loaded(at: 0), tableIDExtension: section.loaded(at: 3), version: flags >> 1 & 31,
            body: section.extracting(8..<(length - 4)).copied)
        isPrivate = section.loaded(UInt8.self, at: 1) & 0x40 != 0
        isCurrent = flags & 1 != 0
        sectionNumber = section.loaded(at: 6)
        lastSectionNumber = section.loaded(at: 7)
    }

    /// Bytes of the section that begins at `offset`, header and CRC included, as its third byte and the bits before it
    /// say; nil until those are there.
    static func announcedLength(_ bytes: RawSpan, at offset: Int) -> Int? {
        guard let word = try? bytes.bigEndian24(at: offset) else { return nil }
        return Int(word & 0xfff) + 3
    }

    /// The section as it is sent, CRC included; nil when it would be longer than 4,096 bytes.
    public var bytes: [UInt8]? {
        let length = body.count + 12
        guard length <= 4_096 else { return nil }
        var bytes = [tableID]
        bytes.reserveCapacity(length)
        bytes.appendBigEndian((isPrivate ? 0xf000 : 0xb000) | UInt16(length - 3))
        bytes.appendBigEndian(tableIDExtension)
        bytes += [0xc0 | (version & 31) << 1 | (isCurrent ? 1 : 0), sectionNumber, lastSectionNumber]
        bytes += body
        bytes.appendBigEndian(CRC32.mpeg2(bytes.span.bytes))
        return bytes
    }
}

extension PSISection {
    /// Transport packets that a section of `count` bytes takes when it begins right behind its pointer.
    @inlinable
    public static func packetCount(sectionCount count: Int) -> Int { (count + 1 + 183) / 184 }

    /// Writes one of the packets that carry a section, the last of them filled up with 0xff.
    ///
    /// - Parameters:
    ///   - index: 0..<``packetCount(sectionCount:)``.
    ///   - section: the whole section, as ``bytes`` gives it.
    ///   - packet: at least 188 bytes.
    public static func writePacket(
        _ index: Int, of section: [UInt8], pid: UInt16, continuityCounter: UInt8,
        to packet: UnsafeMutableRawBufferPointer
    ) {
        precondition(index >= 0 && index < packetCount(sectionCount: section.count))
        let fields = TransportPacketFields(
            pid: pid, continuityCounter: continuityCounter, payloadUnitStart: index == 0)
        let payload = writeTransportPacket(fields, payloadCount: 184, to: packet)
        var offset = payload.lowerBound
        if index == 0 {
            packet[offset] = 0
            offset += 1
        }
        let from = index == 0 ? 0 : index * 184 - 1
        let count = min(section.count - from, payload.upperBound - offset)
        section.withUnsafeBytes { source in
            UnsafeMutableRawBufferPointer(rebasing: packet[offset..<offset + count])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[from..<from + count]))
        }
        UnsafeMutableRawBufferPointer(rebasing: packet[offset + count..<payload.upperBound])
            .initializeMemory(as: UInt8.self, repeating: 0xff)
    }
}
