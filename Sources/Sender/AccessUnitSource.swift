import Media
import Timebase
import Wire

/// What is sent whole and presented at one time: a picture, a frame of sound, a unit of data.
struct AccessUnit: Sendable, BitwiseCopyable {
    /// Where its bytes begin in the source's.
    var start: Int
    var byteCount: Int
    /// The PES packet that it comes from, with the times and the number that it has itself.
    var media: MediaUnit
    /// Ticks of the payload format's clock from the program's first presentation.
    var timestamp: Int64
}

/// The access units of a substream as a payload format wants them: of video each PES packet's bytes, of audio the frames
/// inside the PES packets, without what transport streams put around them.
struct AccessUnitSource: Sendable {
    private var source: SubstreamSource
    private let writer: UnitWriter
    private let format: RTPPayloadFormat
    private let firstPresentation: Int64
    /// The bytes of the latest units.
    private(set) var bytes: [UInt8] = []
    /// Of them, those that are meant.
    private var count = 0
    private var units: [AccessUnit] = []
    private var position = 0
    /// The number of the next one.
    private var index: Int64 = 0
    /// Where the next frame begins by those before it, where one goes on from the packet before.
    private var continued: (presentation: Int64, timestamp: Int64)?

    init(_ program: Program, substream: Int, format: RTPPayloadFormat) {
        source = program.source(substream)
        writer = source.writer
        self.format = format
        firstPresentation = program.firstPresentation
    }

    /// The next unit; its bytes are in ``bytes`` until the next call.
    mutating func next() -> AccessUnit? {
        while position == units.count {
            guard let packet = source.next() else { return nil }
            position = 0
            units.removeAll(keepingCapacity: true)
            read(packet)
        }
        defer { position += 1 }
        return units[position]
    }

    private mutating func read(_ packet: MediaUnit) {
        var timestamp = (packet.presentation - firstPresentation).scaled(by: format.clockRate, over: 90_000, .nearest)
        switch format.kind {
        case .aac, .mpegAudio: readFrames(packet, timestamp)
        case .opus:
            fill(packet, behind: 0)
            var offset = 0
            var presentation = packet.presentation
            while let (range, samples) = opusPacket(at: offset) {
                let duration = Int64(samples).scaled(by: 90_000, over: format.clockRate)
                append(range, of: packet, (presentation, timestamp), duration)
                presentation += duration
                timestamp += Int64(samples)
                offset = range.upperBound
            }
        case .h264, .h265, .pcmu, .pcma, .g722, .units:
            fill(packet, behind: 0)
            append(0..<count, of: packet, timestamp)
        }
    }

    /// Frames of AAC or MPEG audio. The PES packet's time is that of the first frame that begins in it (ISO/IEC 13818-1
    /// §2.4.3.7); the end of the one before may come first, and the last one may go on in the next packet.
    private mutating func readFrames(_ packet: MediaUnit, _ timestamp: Int64) {
        let kept = rest()
        fill(packet, behind: kept)
        var offset = 0
        var next = (presentation: packet.presentation, timestamp: timestamp)
        if kept > 0, let continued { next = continued }
        var hasBegun = kept == 0
        while let frame = frame(&offset) {
            if !hasBegun, offset >= kept {
                next = (packet.presentation, timestamp)
                hasBegun = true
            }
            guard offset + frame.byteCount <= count else { break }
            let duration = Int64(frame.samples).scaled(by: 90_000, over: Int64(frame.sampleRate))
            append(offset + frame.wrapperCount..<offset + frame.byteCount, of: packet, next, duration)
            next.presentation += duration
            next.timestamp += Int64(frame.samples).scaled(by: format.clockRate, over: Int64(frame.sampleRate))
            offset += frame.byteCount
        }
        continued = next
        restStart = offset
    }

    /// Where the bytes begin that belong to a frame which the latest packet did not end.
    private var restStart = 0

    /// Moves what is left of the latest packet to the front; how many bytes that is.
    private mutating func rest() -> Int {
        let left = count - restStart
        guard left > 0, restStart > 0 else { return max(0, left) }
        for index in 0..<left { bytes[index] = bytes[restStart + index] }
        return left
    }

    private func opusPacket(at offset: Int) -> (range: Range<Int>, samples: Int)? {
        let meant = bytes.span.bytes.extracting(0..<count)
        guard let range = try? OpusPacket.range(inTransportStreamUnit: meant, at: offset),
            let packet = try? OpusPacket(parsing: meant.extracting(range))
        else { return nil }
        return (range, packet.samples)
    }

    /// The header of the next frame at `offset` or behind it.
    private func frame(_ offset: inout Int) -> AudioFrameHeader? {
        let meant = bytes.span.bytes.extracting(0..<count)
        while offset + 4 <= count {
            if let frame = AudioFrameHeader(meant, at: offset) { return frame }
            offset += 1
        }
        return nil
    }

    /// Adds a frame, which is decoded when it is presented.
    private mutating func append(
        _ range: Range<Int>, of packet: MediaUnit, _ times: (presentation: Int64, timestamp: Int64), _ duration: Int64
    ) {
        var frame = packet
        frame.frameCount = 1
        (frame.presentation, frame.decode, frame.duration) = (times.presentation, times.presentation, duration)
        append(range, of: frame, times.timestamp)
    }

    private mutating func append(_ range: Range<Int>, of packet: MediaUnit, _ timestamp: Int64) {
        var media = packet
        media.index = index
        index += 1
        units.append(
            AccessUnit(start: range.lowerBound, byteCount: range.count, media: media, timestamp: timestamp))
    }

    /// Takes a PES packet's elementary bytes, behind `kept` bytes that are there already.
    private mutating func fill(_ packet: MediaUnit, behind kept: Int) {
        let length = packet.elementaryByteCount
        count = kept + length
        if bytes.count < count { bytes.append(contentsOf: repeatElement(0, count: count - bytes.count)) }
        let writer = writer
        bytes.withUnsafeMutableBytes { buffer in
            writer.write(
                packet, from: packet.byteCount - length,
                into: UnsafeMutableRawBufferPointer(rebasing: buffer[kept..<kept + length]))
        }
    }
}
