/// What an RTP payload is of its access unit, as far as its own bytes and the marker tell.
public struct PayloadPart: Hashable, Sendable, BitwiseCopyable {
    /// Whether a payload is the first of its unit.
    public enum Beginning: Sendable, BitwiseCopyable {
        /// It is: a delimiter, or the format says so.
        case certain
        /// It may be: parameter sets, a message, the first slice of a picture; delimiters may come before it.
        case possible
        /// Nothing says so.
        case untold
    }

    /// Whether it is the first of its unit.
    public var beginning = Beginning.untold
    /// Whether it is the last of its unit.
    public var ends = false
    /// Whether no other picture refers to its own: nal_ref_idc 0, or a sub-layer's non-reference picture.
    public var isDisposable = false

    init(beginning: Beginning = .untold, ends: Bool = false) { (self.beginning, self.ends) = (beginning, ends) }

    /// - Throws: `truncated`, `badLength` or `notRecognized` when it is no payload of this format.
    public init(_ payload: RawSpan, of format: RTPPayloadFormat, marker: Bool) throws(ParseError) {
        ends = format.marksEnds && marker
        switch format.kind {
        case .h264: try readH264(payload)
        case .h265: try readH265(payload)
        case .aac: try readAAC(payload)
        case .mpegAudio: try readMPEGAudio(payload)
        case .units: beginning = try payload.bigEndian(UInt32.self, at: 0) == 0 ? .certain : .untold
        case .opus, .pcmu, .pcma, .g722:
            guard payload.byteCount > 0 else { throw .truncated }
            (beginning, ends) = (.certain, true)
        }
    }

    /// RFC 6184 §5.2; of a STAP-A the first NAL unit.
    private mutating func readH264(_ payload: RawSpan) throws(ParseError) {
        let first: UInt8 = try payload.bigEndian(at: 0)
        isDisposable = first & 0x60 == 0
        var (type, place) = (first & 31, 0)
        switch type {
        case 24:
            place = 3
            type = try payload.bigEndian(UInt8.self, at: place) & 31
        case 28:
            place = 1
            let header: UInt8 = try payload.bigEndian(at: place)
            guard header & 0x80 != 0 else { return }
            type = header & 31
        case 25...27, 29: throw .notRecognized
        default: break
        }
        switch type {
        case 9: beginning = .certain
        case 6...8, 14...18: beginning = .possible
        // first_mb_in_slice 0 is one bit, 1 (H.264 §7.3.3).
        case 1, 2, 5:
            if try payload.bigEndian(UInt8.self, at: place + 1) & 0x80 != 0 { beginning = .possible }
        default: break
        }
    }

    /// RFC 7798 §4.4; of an aggregation packet the first NAL unit.
    private mutating func readH265(_ payload: RawSpan) throws(ParseError) {
        var place = 0
        var type = try payload.bigEndian(UInt8.self, at: 0) >> 1 & 63
        _ = try payload.bigEndian(UInt8.self, at: 1)
        switch type {
        case 48:
            place = 4
            type = try payload.bigEndian(UInt8.self, at: place) >> 1 & 63
        case 49:
            place = 1
            let header: UInt8 = try payload.bigEndian(at: 2)
            type = header & 63
            isDisposable = type < 16 && type % 2 == 0
            guard header & 0x80 != 0 else { return }
        case 50: throw .notRecognized
        default: break
        }
        // Even types below 16 are of pictures that their own sub-layer does not refer to (H.265 table 7-1).
        isDisposable = type < 16 && type % 2 == 0
        switch type {
        case 35: beginning = .certain
        case 32...34, 39: beginning = .possible
        // first_slice_segment_in_pic_flag (H.265 §7.3.6.1).
        case 0...31:
            if try payload.bigEndian(UInt8.self, at: place + 2) & 0x80 != 0 { beginning = .possible }
        default: break
        }
    }

    /// RFC 3640 §3.2.1: a whole access unit, or a fragment of one whose size it still tells.
    private mutating func readAAC(_ payload: RawSpan) throws(ParseError) {
        guard try payload.bigEndian(UInt16.self, at: 0) == 16 else { throw .notRecognized }
        let size = Int(try payload.bigEndian(UInt16.self, at: 2) >> 3)
        guard payload.byteCount - 4 <= size else { throw .badLength }
        if payload.byteCount - 4 == size { (beginning, ends) = (.certain, true) }
    }

    /// RFC 2250 §3.5; a frame's own header tells whether it is whole.
    private mutating func readMPEGAudio(_ payload: RawSpan) throws(ParseError) {
        guard try payload.bigEndian(UInt32.self, at: 0) & 0xffff == 0 else { return }
        guard let frame = AudioFrameHeader(payload, at: 4) else { throw .notRecognized }
        beginning = .certain
        ends = payload.byteCount - 4 >= frame.byteCount
    }
}
