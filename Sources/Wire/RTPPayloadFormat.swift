/// How the access units of a substream are put into RTP packets, and what its description says of it.
public struct RTPPayloadFormat: Hashable, Sendable {
    /// The payload format.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// RFC 6184, packetization mode 1: single NAL units, STAP-A, FU-A.
        case h264 = "H264"
        /// RFC 7798 without DONs: single NAL units, aggregation packets, fragmentation units.
        case h265 = "H265"
        /// RFC 3640 in mode AAC-hbr, one access unit a packet.
        case aac = "mpeg4-generic"
        /// RFC 2250 §3.5, one frame a packet.
        case mpegAudio = "MPA"
        /// RFC 7587.
        case opus
        /// RFC 3551 §4.5.14: G.711 by the µ-law.
        case pcmu = "PCMU"
        /// RFC 3551 §4.5.14: G.711 by the A-law.
        case pcma = "PCMA"
        /// RFC 3551 §4.5.2; its clock counts 8 kHz although 16,000 samples are taken a second.
        case g722 = "G722"
        /// No standard's: units of any bytes in pieces, each behind its place in the unit (32 bits).
        case units = "x-rubato-units"
    }

    /// The payload format.
    public let kind: Kind
    /// 0...127.
    public let payloadType: UInt8
    /// Hz of the RTP timestamps.
    public let clockRate: Int64
    /// What a=rtpmap says of channels; nil for nothing.
    let channels: Int?
    /// The value of a=fmtp; nil for none.
    let parameters: String?
    /// Of AAC, its AudioSpecificConfig.
    private(set) var audioConfiguration: UInt16?

    /// A format with what is its own of it: static payload types stay (RFC 3551 §6), and with them their clocks.
    ///
    /// - Parameters:
    ///   - dynamicPayloadType: for formats that have no payload type of their own, 96...127.
    ///   - clockRate: for AAC, whose clock counts samples.
    public init(
        _ kind: Kind, dynamicPayloadType: UInt8 = 96, clockRate: Int64? = nil, channels: Int? = nil,
        parameters: String? = nil
    ) {
        self.kind = kind
        self.parameters = parameters
        switch kind {
        case .h264, .h265, .units:
            (payloadType, self.clockRate, self.channels) = (dynamicPayloadType, 90_000, nil)
        case .aac: (payloadType, self.clockRate, self.channels) = (dynamicPayloadType, clockRate ?? 48_000, channels)
        case .mpegAudio: (payloadType, self.clockRate, self.channels) = (14, 90_000, nil)
        case .opus: (payloadType, self.clockRate, self.channels) = (dynamicPayloadType, OpusPacket.clockRate, 2)
        case .pcmu: (payloadType, self.clockRate, self.channels) = (0, 8_000, nil)
        case .pcma: (payloadType, self.clockRate, self.channels) = (8, 8_000, nil)
        case .g722: (payloadType, self.clockRate, self.channels) = (9, 8_000, nil)
        }
    }

    /// What the session's description says of it.
    public var description: SessionDescription.Media.Format {
        .init(
            payloadType: payloadType, encoding: kind.rawValue, clockRate: clockRate, channels: channels,
            parameters: parameters)
    }

    /// Whether the marker is on the last packet of a unit (RFC 6184 §5.1, RFC 7798 §4.1, RFC 3640 §3.1); of the others
    /// it tells where sound begins behind silence (RFC 3551 §4.1).
    public var marksEnds: Bool {
        switch kind {
        case .h264, .h265, .aac, .units: true
        case .mpegAudio, .opus, .pcmu, .pcma, .g722: false
        }
    }
}

extension RTPPayloadFormat {
    /// H.264 with the parameter sets among the NAL units of a byte stream (RFC 6184 §8.1).
    public static func h264(dynamicPayloadType: UInt8, from stream: UnsafeRawBufferPointer) -> RTPPayloadFormat {
        let sets = parameterSets(stream) { $0 & 31 }
        var parameters = "packetization-mode=1"
        if let sequence = sets[7], sequence.count >= 4 {
            // profile_idc, constraint flags, level_idc (RFC 6184 §8.1, profile-level-id).
            let level = sequence[1...3].map { byte in
                String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
            }.joined()
            parameters += "; profile-level-id=\(level)"
        }
        let both = [sets[7], sets[8]].compactMap(\.self).map(Base64.text)
        if both.count == 2 { parameters += "; sprop-parameter-sets=" + both.joined(separator: ",") }
        return RTPPayloadFormat(.h264, dynamicPayloadType: dynamicPayloadType, parameters: parameters)
    }

    /// H.265 with the parameter sets among the NAL units of a byte stream (RFC 7798 §7.1).
    public static func h265(dynamicPayloadType: UInt8, from stream: UnsafeRawBufferPointer) -> RTPPayloadFormat {
        let sets = parameterSets(stream) { $0 >> 1 & 63 }
        let parameters = [("sprop-vps", 32), ("sprop-sps", 33), ("sprop-pps", 34)].compactMap { name, type in
            sets[UInt8(type)].map { "\(name)=\(Base64.text($0))" }
        }
        return RTPPayloadFormat(
            .h265, dynamicPayloadType: dynamicPayloadType,
            parameters: parameters.isEmpty ? nil : parameters.joined(separator: "; "))
    }

    /// AAC as the header of its frames describes it; nil where they are not ADTS (RFC 3640 §4.1, §3.3.6).
    public static func aac(dynamicPayloadType: UInt8, from header: AudioFrameHeader) -> RTPPayloadFormat? {
        guard let configuration = header.specificConfiguration else { return nil }
        let digits = String(configuration, radix: 16)
        let text = String(repeating: "0", count: 4 - digits.utf8.count) + digits
        let channels = Int(configuration >> 3 & 15)
        var format = RTPPayloadFormat(
            .aac, dynamicPayloadType: dynamicPayloadType, clockRate: Int64(header.sampleRate),
            channels: channels == 7 ? 8 : channels == 0 ? 2 : channels,
            parameters: "streamtype=5; profile-level-id=1; mode=AAC-hbr; sizelength=13; indexlength=3; "
                + "indexdeltalength=3; config=\(text)")
        format.audioConfiguration = configuration
        return format
    }

    /// The first NAL unit of each type.
    private static func parameterSets(
        _ stream: UnsafeRawBufferPointer, type: (UInt8) -> UInt8
    ) -> [UInt8: [UInt8]] {
        var ranges: [Range<Int>] = []
        NALUnits.find(in: stream, &ranges)
        var sets: [UInt8: [UInt8]] = [:]
        for range in ranges where sets[type(stream[range.lowerBound])] == nil {
            sets[type(stream[range.lowerBound])] = Array(stream[range])
        }
        return sets
    }
}

/// Base 64 (RFC 4648 §4).
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")

    static func text(_ bytes: [UInt8]) -> String {
        var text = ""
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let part = bytes[start..<min(start + 3, bytes.count)]
            let word = part.reduce(0) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - part.count))
            for digit in 0..<4 {
                text.append(digit > part.count ? "=" : alphabet[Int(word >> UInt32(18 - 6 * digit) & 63)])
            }
        }
        return text
    }
}
