import Timebase
import Wire

/// Frames of MPEG audio (ISO/IEC 11172-3 §2.4.1.3, 13818-3) and of AAC in ADTS (ISO/IEC 14496-3 §1.A.2), as far as it
/// takes to know how long a unit lasts that none follows.
enum AudioFrames {
    /// How long the frames of a unit last together, ticks of 90 kHz; nil where it does not begin with a frame of these.
    static func duration(of data: RawSpan) -> Int64? {
        var (offset, samples, rate) = (0, 0, 0)
        while let frame = AudioFrameHeader(data, at: offset) {
            samples += frame.samples
            rate = frame.sampleRate
            offset += frame.byteCount
        }
        return rate > 0 ? Int64(samples).scaled(by: 90_000, over: Int64(rate), .nearest) : nil
    }
}
