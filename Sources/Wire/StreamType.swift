/// What an elementary stream carries, as its program's map tells it: the stream_type of ISO/IEC 13818-1 table 2-34, the
/// descriptors of ETSI EN 300 468 and the registered format identifiers of SMPTE. The raw value is a name to print.
public enum StreamType: String, Hashable, Sendable, CaseIterable {
    /// ISO/IEC 11172-2.
    case mpeg1Video = "mpeg1-video"
    /// ISO/IEC 13818-2 (ITU-T H.262).
    case mpeg2Video = "mpeg2-video"
    /// ISO/IEC 14496-2.
    case mpeg4Visual = "mpeg4-visual"
    /// ITU-T H.264, ISO/IEC 14496-10 (AVC).
    case h264
    /// ITU-T H.265, ISO/IEC 23008-2 (HEVC).
    case h265
    /// ITU-T H.266, ISO/IEC 23090-3 (VVC).
    case h266
    /// ISO/IEC 15444-1.
    case jpeg2000
    /// SMPTE ST 421.
    case vc1
    /// SMPTE ST 2042-1 (VC-2 and its elder).
    case dirac
    /// AOMedia's AV1.
    case av1
    /// China's AVS1-P2 (GB/T 20090.2).
    case cavs
    /// China's AVS2 (GB/T 33475.2).
    case avs2
    /// China's AVS3 (T/AI 109.2).
    case avs3

    /// ISO/IEC 11172-3.
    case mpeg1Audio = "mpeg1-audio"
    /// ISO/IEC 13818-3.
    case mpeg2Audio = "mpeg2-audio"
    /// AAC in ADTS frames (ISO/IEC 13818-7).
    case aacADTS = "aac"
    /// AAC in LATM (ISO/IEC 14496-3).
    case aacLATM = "aac-latm"
    /// AC-3 (ETSI TS 102 366).
    case ac3
    /// Enhanced AC-3 (ETSI TS 102 366, annex E).
    case eac3
    /// AC-4 (ETSI TS 103 190).
    case ac4
    /// DTS and its kin (ETSI TS 102 114).
    case dts
    /// Dolby TrueHD, as on Blu-ray discs.
    case trueHD = "truehd"
    /// Opus (RFC 6716).
    case opus
    /// Linear PCM, as on Blu-ray discs.
    case lpcm
    /// Linear PCM by SMPTE ST 302.
    case smpte302m

    /// DVB subtitles (ETSI EN 300 743).
    case subtitles
    /// Teletext (ETSI EN 300 472).
    case teletext
    /// Metadata in PES packets (ISO/IEC 13818-1 §2.12).
    case metadata
    /// Metadata as keys, lengths and values (SMPTE ST 336).
    case klv
    /// Splice information (ANSI/SCTE 35).
    case scte35
    /// DSM-CC sections (ISO/IEC 13818-6).
    case dsmcc
    /// Private sections (ISO/IEC 13818-1 §2.4.4.10).
    case privateSections = "private-sections"
    /// PES packets with private data.
    case privatePES = "private-pes"
    /// A stream_type that nothing here tells.
    case unknown

    /// Who takes it: eyes, ears, or neither.
    public enum Kind: String, Hashable, Sendable {
        /// `data`: subtitles too, though they are read.
        case video, audio, data
    }

    /// Whether it is seen, heard, or neither.
    public var kind: Kind {
        switch self {
        case .mpeg1Video, .mpeg2Video, .mpeg4Visual, .h264, .h265, .h266, .jpeg2000, .vc1, .dirac, .av1, .cavs, .avs2,
            .avs3:
            .video
        case .mpeg1Audio, .mpeg2Audio, .aacADTS, .aacLATM, .ac3, .eac3, .ac4, .dts, .trueHD, .opus, .lpcm, .smpte302m:
            .audio
        case .subtitles, .teletext, .metadata, .klv, .scte35, .dsmcc, .privateSections, .privatePES, .unknown: .data
        }
    }

    /// Whether the stream's packets carry sections instead of PES packets.
    public var carriesSections: Bool {
        switch self {
        case .scte35, .dsmcc, .privateSections: true
        default: false
        }
    }

    /// - Parameters:
    ///   - code: the stream_type.
    ///   - descriptors: the stream's own.
    ///   - programDescriptors: the program's, of which a registration gives meaning to user-private codes.
    init(code: UInt8, descriptors: [UInt8] = [], programDescriptors: [UInt8] = []) {
        if let type = Self.assigned(code) {
            self = type
        } else if code == 0x06 || code >= 0x80 {
            // What a descriptor says goes before what a private code means by custom.
            self =
                Self.described(by: descriptors)
                ?? Self.customary(code, isBluRay: Self.registration(programDescriptors) == Self.identifier("HDMV"))
        } else {
            self = .unknown
        }
    }

    /// The code that says this type alone, without descriptors; nil when it takes more, or when none is assigned.
    var code: UInt8? {
        if self == .unknown { return nil }
        return (0x01...0x7f).first { (Self.assigned($0) ?? Self.customary($0)) == self }
            ?? (0x80...0xff).first { Self.customary($0) == self }
    }

    /// Codes of ISO/IEC 13818-1 that mean one thing everywhere.
    private static func assigned(_ code: UInt8) -> StreamType? {
        switch code {
        case 0x01: .mpeg1Video
        case 0x02: .mpeg2Video
        case 0x03: .mpeg1Audio
        case 0x04: .mpeg2Audio
        case 0x05: .privateSections
        case 0x08, 0x0a...0x0d: .dsmcc
        case 0x0f: .aacADTS
        case 0x10: .mpeg4Visual
        case 0x11: .aacLATM
        case 0x15: .metadata
        case 0x1b, 0x1f, 0x20: .h264
        case 0x21, 0x32: .jpeg2000
        case 0x24, 0x25: .h265
        case 0x33: .h266
        case 0x42: .cavs
        default: nil
        }
    }

    /// Private codes as they are used in practice: ATSC A/53 and A/52, SCTE 35, and on discs (registration 'HDMV').
    private static func customary(_ code: UInt8, isBluRay: Bool = false) -> StreamType {
        switch code {
        case 0x06: .privatePES
        case 0x80 where isBluRay: .lpcm
        case 0x80: .mpeg2Video
        case 0x81: .ac3
        case 0x82 where isBluRay, 0x85 where isBluRay, 0x86 where isBluRay, 0x8a: .dts
        case 0x83 where isBluRay: .trueHD
        case 0x84 where isBluRay, 0x87: .eac3
        case 0x86: .scte35
        case 0xd1: .dirac
        case 0xd2: .avs2
        case 0xd4: .avs3
        case 0xea: .vc1
        default: .unknown
        }
    }

    /// What the first descriptor that names a format says.
    private static func described(by descriptors: [UInt8]) -> StreamType? {
        for descriptor in DescriptorLoop(descriptors) {
            let type: StreamType? =
                switch descriptor.tag {
                case 0x05: registered(registration(descriptor))
                case 0x46, 0x56: .teletext
                case 0x59: .subtitles
                case 0x6a: .ac3
                case 0x7a: .eac3
                case 0x7b: .dts
                case 0x7c: .aacADTS
                case 0x7f: extended(descriptor.content.first)
                default: nil
                }
            if let type { return type }
        }
        return nil
    }

    /// descriptor_tag_extension of EN 300 468 §6.4; 0x80 is the one that Opus in transport streams took.
    private static func extended(_ tag: UInt8?) -> StreamType? {
        switch tag {
        case 0x0e: .dts
        case 0x15: .ac4
        case 0x80: .opus
        default: nil
        }
    }

    private static func registered(_ identifier: UInt32?) -> StreamType? {
        switch identifier {
        case Self.identifier("AC-3"): .ac3
        case Self.identifier("EAC3"): .eac3
        case Self.identifier("AC-4"): .ac4
        case Self.identifier("DTS1"), Self.identifier("DTS2"), Self.identifier("DTS3"), Self.identifier("DTSH"): .dts
        case Self.identifier("Opus"): .opus
        case Self.identifier("BSSD"): .smpte302m
        case Self.identifier("HEVC"): .h265
        case Self.identifier("VC-1"): .vc1
        case Self.identifier("drac"): .dirac
        case Self.identifier("AV01"): .av1
        case Self.identifier("CUEI"): .scte35
        case Self.identifier("KLVA"): .klv
        case Self.identifier("ID3 "): .metadata
        default: nil
        }
    }

    /// The format_identifier of the first registration descriptor (ISO/IEC 13818-1 §2.6.8).
    private static func registration(_ descriptors: [UInt8]) -> UInt32? {
        DescriptorLoop(descriptors).first { $0.tag == 0x05 }.flatMap { registration($0) }
    }

    private static func registration(_ descriptor: DescriptorLoop.Descriptor) -> UInt32? {
        descriptor.content.count < 4 ? nil : descriptor.content.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    private static func identifier(_ text: StaticString) -> UInt32 {
        (0..<4).reduce(0) { $0 << 8 | UInt32(text.utf8Start[$1]) }
    }
}
