import Timebase
import Wire

/// Frames of MPEG audio (ISO/IEC 11172-3 §2.4.1.3, 13818-3) and of AAC in ADTS (ISO/IEC 14496-3 §1.A.2), as far as it
/// takes to know how long a unit lasts that none follows.
enum AudioFrames {
    /// How long the frames of a unit last together, ticks of 90 kHz; nil where it does not begin with a frame of these.
    static func duration(of data: RawSpan) -> Int64? {
        var (offset, samples, rate) = (0, 0, 0)
        while let frame = Frame(data, at: offset) {
            samples += frame.samples
            rate = frame.sampleRate
            offset += frame.byteCount
        }
        return rate > 0 ? Int64(samples).scaled(by: 90_000, over: Int64(rate), .nearest) : nil
    }

    private struct Frame {
        let byteCount: Int
        let samples: Int
        let sampleRate: Int

        init?(_ data: RawSpan, at offset: Int) {
            guard let word = try? data.bigEndian(UInt32.self, at: offset), word >> 20 == 0xfff else { return nil }
            // The two have the sync word in common; ADTS is layer 0.
            let frame = word >> 17 & 3 == 0 ? Self.adts(data, at: offset, word) : Self.mpeg(word)
            guard let frame, frame.byteCount > 4 else { return nil }
            self = frame
        }

        private init(byteCount: Int, samples: Int, sampleRate: Int) {
            (self.byteCount, self.samples, self.sampleRate) = (byteCount, samples, sampleRate)
        }

        private static func adts(_ data: RawSpan, at offset: Int, _ word: UInt32) -> Frame? {
            let rates = [
                96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
            ]
            let index = Int(word >> 10 & 15)
            guard index < rates.count, let rest = try? data.bigEndian(UInt32.self, at: offset + 3) else { return nil }
            // 13 bits of length from the last two of the fourth byte on; the blocks less one are the last two of the seventh.
            return Frame(
                byteCount: Int(rest >> 13 & 0x1fff), samples: 1024 * (Int(rest & 3) + 1), sampleRate: rates[index])
        }

        private static func mpeg(_ word: UInt32) -> Frame? {
            let isFirst = word >> 19 & 1 == 1
            let layer = 4 - Int(word >> 17 & 3)
            let (rateIndex, sampleIndex) = (Int(word >> 12 & 15), Int(word >> 10 & 3))
            guard (1...14).contains(rateIndex), sampleIndex < 3 else { return nil }
            let sampleRate = [44_100, 48_000, 32_000][sampleIndex] / (isFirst ? 1 : 2)
            let bitRate = 1000 * bitRates(isFirst, layer)[rateIndex - 1]
            let padding = Int(word >> 9 & 1)
            guard layer > 1 else {
                return Frame(byteCount: (12 * bitRate / sampleRate + padding) * 4, samples: 384, sampleRate: sampleRate)
            }
            let samples = layer == 3 && !isFirst ? 576 : 1152
            return Frame(
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
}
