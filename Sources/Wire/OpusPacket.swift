/// An Opus packet (RFC 6716 §3), by what its first bytes say.
public struct OpusPacket: Hashable, Sendable, BitwiseCopyable {
    /// Opus counts 48 kHz whatever it was made from (RFC 7587 §4.1).
    public static let clockRate: Int64 = 48_000

    /// Samples at 48 kHz.
    public let samples: Int

    /// - Throws: `truncated` where the bytes that say it are not there, `badLength` for more than 120 ms.
    public init(parsing bytes: RawSpan) throws(ParseError) {
        let first: UInt8 = try bytes.bigEndian(at: 0)
        let configuration = Int(first >> 3)
        let frame =
            switch configuration {
            case 0..<12: [480, 960, 1920, 2880][configuration & 3]
            case 12..<16: [480, 960][configuration & 1]
            default: [120, 240, 480, 960][configuration & 3]
            }
        let count =
            switch first & 3 {
            case 0: 1
            case 3: Int(try bytes.bigEndian(UInt8.self, at: 1) & 0x3f)
            default: 2
            }
        guard frame * count <= 5_760 else { throw .badLength }
        samples = frame * count
    }

    /// Where the Opus packet of a transport stream's access unit lies, behind the control header that begins at
    /// `offset` (opus_control_header of the mapping of Opus into transport streams).
    ///
    /// - Throws: `notRecognized` without the header's prefix, `truncated` when the packet does not lie inside the bytes.
    public static func range(inTransportStreamUnit bytes: RawSpan, at offset: Int) throws(ParseError) -> Range<Int> {
        let flags: UInt16 = try bytes.bigEndian(at: offset)
        guard flags & 0xffe0 == 0x7fe0 else { throw .notRecognized }
        var position = offset + 2
        var count = 0
        var byte: UInt8
        repeat {
            byte = try bytes.bigEndian(at: position)
            count += Int(byte)
            position += 1
        } while byte == 0xff
        if flags & 0x10 != 0 { position += 2 }
        if flags & 0x08 != 0 { position += 2 }
        if flags & 0x04 != 0 { position += 1 + Int(try bytes.bigEndian(UInt8.self, at: position)) }
        guard position + count <= bytes.byteCount else { throw .truncated }
        return position..<position + count
    }

    /// What a transport stream puts before a packet: a control header with its size alone.
    static func controlHeader(byteCount: Int) -> [UInt8] {
        [0x7f, 0xe0] + Array(repeating: 0xff, count: byteCount / 255) + [UInt8(byteCount % 255)]
    }
}
