/// The header of a frame of MPEG audio (ISO/IEC 11172-3 §2.4.1.3, 13818-3) or of AAC in ADTS (ISO/IEC 14496-3 §1.A.2).
public struct AudioFrameHeader: Hashable, Sendable, BitwiseCopyable {
    /// Bytes of the whole frame, its header included; more than 4.
    public let byteCount: Int
    /// Samples of each channel.
    public let samples: Int
    /// Hz.
    public let sampleRate: Int
    /// Of ADTS, the bytes before the raw data block, 7 or 9; 0 for MPEG audio, whose frames are nothing without theirs.
    public let wrapperCount: Int
    /// Of ADTS, what it says of the stream: an AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1); nil for MPEG audio.
    let specificConfiguration: UInt16?

    /// Nil where there is no such header at `offset`, or it does not lie inside the bytes.
    public init?(_ data: RawSpan, at offset: Int) {
        guard let word = try? data.bigEndian(UInt32.self, at: offset), word >> 20 == 0xfff else { return nil }
        // The two have the sync word in common; ADTS is layer 0.
        let header = word >> 17 & 3 == 0 ? Self.adts(data, at: offset, word) : Self.mpeg(word)
        guard let header, header.byteCount > 4 else { return nil }
        self = header
    }

    private init(
        byteCount: Int, samples: Int, sampleRate: Int, wrapperCount: Int = 0, specificConfiguration: UInt16? = nil
    ) {
        (self.byteCount, self.samples, self.sampleRate) = (byteCount, samples, sampleRate)
        (self.wrapperCount, self.specificConfiguration) = (wrapperCount, specificConfiguration)
    }

    private static func adts(_ data: RawSpan, at offset: Int, _ word: UInt32) -> AudioFrameHeader? {
        let rates = [
            96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
        ]
        let index = Int(word >> 10 & 15)
        guard index < rates.count, let rest = try? data.bigEndian(UInt32.self, at: offset + 3) else { return nil }
        let objectType = UInt16(word >> 14 & 3) + 1
        let channels = UInt16(word >> 6 & 7)
        // 13 bits of length from the last two of the fourth byte on; the blocks less one are the last two of the seventh.
        return AudioFrameHeader(
            byteCount: Int(rest >> 13 & 0x1fff), samples: 1024 * (Int(rest & 3) + 1), sampleRate: rates[index],
            wrapperCount: word >> 16 & 1 == 1 ? 7 : 9,
            specificConfiguration: objectType << 11 | UInt16(index) << 7 | channels << 3)
    }

    /// The header of an ADTS frame of one raw data block, without a CRC.
    ///
    /// - Parameters:
    ///   - configuration: an AudioSpecificConfig of two bytes.
    ///   - byteCount: of the raw data block, at most 8,184.
    static func adts(_ configuration: UInt16, byteCount: Int) -> [UInt8] {
        let objectType = UInt64(configuration >> 11 & 3) &- 1 & 3
        let (index, channels) = (UInt64(configuration >> 7 & 15), UInt64(configuration >> 3 & 7))
        var word: UInt64 = 0xfff1 << 40
        word |= objectType << 38 | index << 34 | channels << 30
        word |= UInt64(min(byteCount + 7, 0x1fff)) << 13 | 0x7ff << 2
        return (0..<7).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * (6 - $0))) }
    }

    private static func mpeg(_ word: UInt32) -> AudioFrameHeader? {
        let isFirst = word >> 19 & 1 == 1
        let layer = 4 - Int(word >> 17 & 3)
        let (rateIndex, sampleIndex) = (Int(word >> 12 & 15), Int(word >> 10 & 3))
        guard (1...14).contains(rateIndex), sampleIndex < 3 else { return nil }
        let sampleRate = [44_100, 48_000, 32_000][sampleIndex] / (isFirst ? 1 : 2)
        let bitRate = 1000 * bitRates(isFirst, layer)[rateIndex - 1]
        let padding = Int(word >> 9 & 1)
        guard layer > 1 else {
            return AudioFrameHeader(
                byteCount: (12 * bitRate / sampleRate + padding) * 4, samples: 384, sampleRate: sampleRate)
        }
        let samples = layer == 3 && !isFirst ? 576 : 1152
        return AudioFrameHeader(
            byteCount: samples / 8 * bitRate / sampleRate + padding, samples: samples, sampleRate: sampleRate)
    }

    /// kbit/s by bitrate_index, from 1 on.
    private static func bitRates(_ isFirst: Bool, _ layer: Int) -> [Int] {
        switch (isFirst, layer) {
        case (true, 1): (1...14).map { 32 * $0 }
        case (true, 2): [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384]
        case (true, _): [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320]
        case (false, 1): [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256]
        case (false, _): [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160]
        }
    }
}
