import Timebase
import Wire

/// Frames of MPEG audio (ISO/IEC 11172-3 §2.4.1.3, 13818-3) and of AAC in ADTS (ISO/IEC 14496-3 §1.A.2): where they lie
/// and how long they last.
struct AudioFrames {
    /// How long the frames of a unit last together, ticks of 90 kHz; nil where it does not begin with a frame of these.
    let duration: Int64?
    /// Where each frame lies; empty where they do not fill the unit to its end.
    let ranges: [Range<Int>]

    /// - Parameter data: a unit's elementary data.
    init(_ data: RawSpan) {
        var (offset, samples, rate) = (0, 0, 0)
        var ranges: [Range<Int>] = []
        while let frame = AudioFrameHeader(data, at: offset) {
            samples += frame.samples
            rate = frame.sampleRate
            ranges.append(offset..<offset + frame.byteCount)
            offset += frame.byteCount
        }
        duration = rate > 0 ? Int64(samples).scaled(by: 90_000, over: Int64(rate), .nearest) : nil
        self.ranges = offset == data.byteCount ? ranges : []
    }
}
