/// What a substream is to those who watch, hear or read it.
@frozen
public enum SubstreamKind: Sendable {
    /// Seen, heard, or neither.
    case video, audio, data

    /// As scenarios and results call it.
    public var name: String {
        switch self {
        case .video: "video"
        case .audio: "audio"
        case .data: "data"
        }
    }
}

/// How a video picture was coded, as far as its unit tells.
@frozen
@usableFromInline
enum FrameType: UInt8, Sendable {
    /// Not video, or of a codec that is carried opaque.
    case unknown
    /// I, and H.264's SI: needs no other picture.
    case intra
    /// P, and H.264's SP: needs earlier pictures.
    case predicted
    /// B: needs pictures on both sides.
    case bidirectional
}

/// One PES packet: what a substream hands to the multiplexer, and what the receiver presents.
///
/// Times are ticks of 90 kHz on the program's timeline: unwrapped, so without the modulus of 2^33 that they have on
/// the wire. Subtract ``Program/firstPresentation`` for the time since emulated time zero.
@frozen
public struct MediaUnit: Sendable, BitwiseCopyable {
    /// 0, 1, 2… in decoding order, without gaps, over every repetition of a looped file.
    public var index: Int64
    /// When it is to be presented: its PTS; worked out from its neighbours when ``hasTimestamp`` is false.
    public var presentation: Int64
    /// When it is to be decoded: its DTS, or its PTS where it has none. At most ``presentation``, but for bad files;
    /// negative or before the program's first presentation where decoding runs ahead.
    public var decode: Int64
    /// How long it is presented: the distance to the next presentation, or the usual one for the last. Not negative.
    public var duration: Int64
    /// Bytes of the whole PES packet, its header included. At least 6.
    public var byteCount: Int
    /// Bytes of the PES header (ISO/IEC 13818-1 §2.4.3.6); what is behind it is the elementary stream's. 6 to ``byteCount``.
    var headerByteCount: Int
    var frameType: FrameType
    /// Decoding can begin here.
    public var isRandomAccess: Bool
    /// Whether the PES packet carries a PTS.
    public var hasTimestamp: Bool

    /// What it refers to, and what refers to it.
    public var references = UnitReferences.independent
    /// Bytes from its first that have to come for anything of it to be decoded: up to and with its first slice's header.
    public var beginningByteCount: UInt32 = 0
    /// Frames of sound in it that are heard one by one; 1 for what is whole or not.
    public var frameCount: UInt16 = 1

    /// Where its source finds its bytes.
    var locator: Int64
    /// What its source needs besides to make its bytes.
    var detail: UInt64

    /// "I", "P" or "B"; empty for what is no picture, or one of which that is not known.
    public var pictureType: StaticString {
        switch frameType {
        case .unknown: ""
        case .intra: "I"
        case .predicted: "P"
        case .bidirectional: "B"
        }
    }

    /// Bytes of the elementary stream.
    public var elementaryByteCount: Int { byteCount - headerByteCount }
}
