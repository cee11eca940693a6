import Timebase

/// A substream to be made.
public struct SubstreamRequest: Sendable {
    /// What it is made of.
    public enum Content: Sendable {
        /// H.264 pictures (ITU-T H.264), in bytes that parse.
        case h264(SyntheticVideo)
        /// MPEG-1 audio layer II frames (ISO/IEC 11172-3).
        case mp2(SyntheticAudio)
        /// Packets of a telephone call.
        case call(SyntheticCall)
        /// Units of bytes without a meaning.
        case opaque(SyntheticOpaque)
        /// Units with the times and sizes of a trace.
        case trace(UnitTrace)
    }

    /// Unique in its program; also names its random draws.
    var id: String
    var kind: SubstreamKind
    var content: Content

    public init(id: String, kind: SubstreamKind, content: Content) {
        self.id = id
        self.kind = kind
        self.content = content
    }
}

/// Why a program cannot be made as asked.
public enum SyntheticProgramError: Error, Equatable, Sendable {
    /// Nothing was asked for.
    case noSubstreams
    /// More than the 32 video or audio streams, or the 1,024 in all, that have a number.
    case tooManySubstreams
    /// Two substreams have this id.
    case duplicateID(String)
    /// sizeVariation is not 0...1.
    case variationOutOfRange(id: String)
    /// The least bit rate that holds the pictures (or a byte a unit) at this unit rate is higher, or the rate is
    /// beyond 2^30 bytes a unit.
    case bitRateOutOfRange(id: String)
    /// Layer II has no such bit rate, or no such frame duration: 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256,
    /// 320 or 384 kbit/s; 24 or 36 ms.
    case notLayerII(id: String)
    /// No packet of a call is this long, or a talk spurt or silence is shorter than a packet.
    case notACall(id: String)
}

extension Program {
    /// Presentation of the first unit on the wire, 10 s: decoding times and clock references that run ahead of it by
    /// any usual latency stay positive.
    static let syntheticOrigin: Int64 = 900_000

    /// A program of made substreams, all beginning together.
    ///
    /// Table and PID numbers are those that FFmpeg gives: program 1 of stream 1, map on 0x1000, substreams from 0x100.
    ///
    /// - Parameters:
    ///   - duration: no unit is presented at it or later; nil is endless, but for traces.
    ///   - key: what the substreams' keys are named under.
    /// - Complexity: O(n) in the substreams, each of which keeps 64 KiB.
    public init(
        synthetic requests: [SubstreamRequest], duration: TimeSpan?, key: DrawKey
    ) throws(SyntheticProgramError) {
        guard !requests.isEmpty else { throw .noSubstreams }
        guard requests.count <= 1_024 else { throw .tooManySubstreams }
        var substreams: [Substream] = []
        var sources: [SubstreamSource] = []
        var counts: (video: UInt8, audio: UInt8) = (0, 0)
        for request in requests {
            guard !substreams.contains(where: { $0.id == request.id }) else { throw .duplicateID(request.id) }
            var substream = request.entry
            substream.pid = 0x100 + UInt16(substreams.count)
            // Numbered stream_ids for the 16 video and 32 audio streams that table 2-22 knows.
            switch substream.streamID {
            case 0xe0:
                substream.streamID += counts.video
                counts.video += 1
            case 0xc0:
                substream.streamID += counts.audio
                counts.audio += 1
            default: break
            }
            guard counts.video <= 16, counts.audio <= 32 else { throw .tooManySubstreams }
            let source = try request.source(
                streamID: substream.streamID, duration: duration, key: key.named("media").named(request.id))
            var look = source
            substream.usualDuration = look.next()?.duration ?? 0
            if case .call = request.content { substream.fillingDuration = substream.usualDuration }
            substreams.append(substream)
            sources.append(source)
        }
        self.init(
            programNumber: 1, transportStreamID: 1, pmtPID: 0x1000,
            pcrPID: (substreams.first { $0.kind == .video } ?? substreams[0]).pid, programDescriptors: [],
            substreams: substreams, serviceDescriptionSection: nil, firstPresentation: Self.syntheticOrigin,
            duration: duration, warnings: [], damage: ProgramDamage(), sources: sources)
    }
}

extension SubstreamRequest {
    /// The substream without its PID and the number in its stream_id.
    fileprivate var entry: Substream {
        var entry = Substream(
            id: id, kind: kind, pid: 0, streamType: 0x06, descriptors: [], streamID: 0xbd, codecName: "opaque",
            usualDuration: 0)
        switch content {
        case .h264:
            entry.streamType = 0x1b
            entry.streamID = 0xe0
            entry.codecName = "h264"
        case .mp2:
            entry.streamType = 0x03
            entry.streamID = 0xc0
            entry.codecName = "mp2"
        case .call(let call):
            entry.descriptors = call.codec.descriptors
            entry.codecName = call.codec.name
        case .opaque, .trace: break
        }
        return entry
    }

    fileprivate func source(
        streamID: UInt8, duration: TimeSpan?, key: DrawKey
    ) throws(SyntheticProgramError) -> SubstreamSource {
        let origin = Program.syntheticOrigin
        switch content {
        case .h264(let video):
            guard (0...1).contains(video.sizeVariation) else { throw .variationOutOfRange(id: id) }
            let units = H264Units(video, origin: origin, duration: duration, streamID: streamID, key: key)
            guard let units else { throw .bitRateOutOfRange(id: id) }
            return SubstreamSource(units)
        case .mp2(let audio):
            let units = MP2Units(audio, origin: origin, duration: duration, streamID: streamID, key: key)
            guard let units else { throw .notLayerII(id: id) }
            return SubstreamSource(units)
        case .opaque(let opaque):
            guard (0...1).contains(opaque.sizeVariation) else { throw .variationOutOfRange(id: id) }
            let units = OpaqueUnits(opaque, origin: origin, duration: duration, streamID: streamID, key: key)
            guard let units else { throw .bitRateOutOfRange(id: id) }
            return SubstreamSource(units)
        case .call(let call):
            if case .opus(_, let variation) = call.codec, !(0...1).contains(variation) {
                throw .variationOutOfRange(id: id)
            }
            guard call.isPossible else { throw .notACall(id: id) }
            let units = CallUnits(call, origin: origin, duration: duration, streamID: streamID, key: key)
            guard let units else { throw .bitRateOutOfRange(id: id) }
            return SubstreamSource(units)
        case .trace(let trace):
            let units = TracedUnits(trace, origin: origin, duration: duration, streamID: streamID, key: key)
            return SubstreamSource(units)
        }
    }
}
