import Timebase
import Wire

/// Why bytes cannot be sent as a program.
public enum TransportStreamError: Error, Equatable, Sendable {
    /// There are no bytes.
    case empty
    /// There are no packets of a transport stream; what it looks like instead: `JPEG image`, or nil when not known.
    case notTransportStream(looksLike: String?)
    /// Packets, but no program association table, or none of the program maps that it names.
    case noProgram(packets: Int64)
    /// Programs, but of none of their streams PES packets that can be sent; the warnings say why.
    case noElementaryStreams(warnings: [String])
    /// PES packets, of which not one says when it is to be presented.
    case noTimestamps
}

extension TransportStreamError: CustomStringConvertible {
    /// What is wrong with the file, to follow its name.
    public var description: String {
        switch self {
        case .empty: "is empty"
        case .notTransportStream(let name?): "is no MPEG transport stream; it looks like a \(name)"
        case .notTransportStream(nil):
            "is no MPEG transport stream: there are no sync bytes 188, 192 or 204 bytes apart"
        case .noProgram(let packets):
            "has \(packets) transport packets, but no program association table with a program map that is there"
        case .noElementaryStreams(let warnings):
            "has no elementary stream that can be sent" + warnings.map { "; \($0)" }.joined()
        case .noTimestamps: "has PES packets, but none with a presentation timestamp"
        }
    }
}

extension Program {
    /// The first program of a transport stream file that has elementary streams: units are PES packets, byte for byte.
    ///
    /// Packets are of 188, 192 or 204 bytes. Jumps of the program's clock are closed up, and then, as in repetitions,
    /// PTS and DTS in the units' headers are rewritten; else nothing is.
    ///
    /// Damage is counted and told in ``warnings``: a unit of which bytes are missing is left out, as no receiver could
    /// tell it from one that the network damaged.
    ///
    /// - Parameters:
    ///   - bytes: the file.
    ///   - loop: begins again at the end, for ever or for `duration`. A repetition follows when the longest of the
    ///     substreams has ended.
    ///   - duration: no unit is presented at it or later. A substream ends with the last unit in decoding order before
    ///     the first such one, so that nothing is left that would refer to it.
    /// - Complexity: O(n log n) in the units, three passes over the bytes; keeps a copy of what is sent.
    public init(
        transportStream bytes: [UInt8], loop: Bool = false, duration: TimeSpan? = nil
    ) throws(TransportStreamError) {
        try self.init(transportStream: bytes.span.bytes, loop: loop, duration: duration)
    }

    /// The same for bytes that lie elsewhere.
    init(
        transportStream bytes: RawSpan, loop: Bool = false, duration: TimeSpan? = nil
    ) throws(TransportStreamError) {
        guard bytes.byteCount > 0 else { throw .empty }
        guard let framing = PacketFraming(bytes) else {
            throw .notTransportStream(looksLike: FileSignature.name(bytes))
        }
        var reader = try TransportStreamReader(bytes, framing)
        reader.readPackets(bytes, framing)
        self = try reader.program(loop: loop, duration: duration)
    }
}

/// What else a file may be, by its first bytes.
enum FileSignature {
    private static let signatures: [(offset: Int, bytes: [UInt8], name: String)] = [
        (0, [0xff, 0xd8, 0xff], "JPEG image"), (0, [0x89, 0x50, 0x4e, 0x47], "PNG image"),
        (0, Array("GIF8".utf8), "GIF image"), (4, Array("ftyp".utf8), "MP4 or QuickTime file"),
        (0, [0x1a, 0x45, 0xdf, 0xa3], "Matroska or WebM file"), (0, Array("RIFF".utf8), "RIFF file (AVI, WAV)"),
        (0, Array("OggS".utf8), "Ogg file"), (0, Array("FLV".utf8), "Flash video"), (0, Array("ID3".utf8), "MP3 file"),
        (0, [0, 0, 1, 0xba], "MPEG program stream"), (0, [0, 0, 1, 0xb3], "MPEG video elementary stream"),
        (0, [0, 0, 0, 1], "H.264 or H.265 elementary stream"), (0, [0xd4, 0xc3, 0xb2, 0xa1], "pcap capture"),
        (0, [0x4d, 0x3c, 0xb2, 0xa1], "pcap capture"), (0, [0x0a, 0x0d, 0x0d, 0x0a], "pcapng capture"),
        (0, [0x1f, 0x8b], "gzip file"), (0, [0x50, 0x4b, 3, 4], "ZIP archive"), (0, Array("%PDF".utf8), "PDF document"),
    ]

    static func name(_ bytes: RawSpan) -> String? {
        for signature in signatures {
            let isThere = signature.bytes.enumerated().allSatisfy { index, byte in
                (try? bytes.bigEndian(UInt8.self, at: signature.offset + index)) == byte
            }
            if isThere { return signature.name }
        }
        for offset in 0..<min(512, bytes.byteCount) {
            let byte = (try? bytes.bigEndian(UInt8.self, at: offset)) ?? 0
            guard (0x20...0x7e).contains(byte) || (0x09...0x0d).contains(byte) else { return nil }
        }
        return "text file"
    }
}
