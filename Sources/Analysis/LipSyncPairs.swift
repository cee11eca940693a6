import Metrics
import Timebase
import Wire

/// Lip-sync of the audio and video streams of one sender, as they arrive: each stream's media time comes from the sender
/// reports around it (``SenderClockMap``), a frame's lateness is when its last packet came less its media time, and the skew of an
/// audio frame is the lateness of the video frame shown then (the nearest earlier one) less its own.
enum LipSyncPairs {
    /// A stream that can be one of a pair.
    struct Member {
        var id: String
        var stream: RTPStream
        var isAudio: Bool
        var clock: SenderClockMap
    }

    static func find(in streams: [(id: String, stream: RTPStream)]) -> [PairMeasurements] {
        let members = streams.compactMap { member($0.id, $0.stream) }
        var pairs: [PairMeasurements] = []
        for audio in members where audio.isAudio {
            for video in members where !video.isAudio && belong(audio, video) {
                pairs.append(measure(audio, video))
            }
        }
        return pairs
    }

    private static func member(_ id: String, _ stream: RTPStream) -> Member? {
        guard stream.rtcp.latest != nil, let rate = stream.clockRate,
            stream.kind == .rtp || stream.kind == .srtp, stream.encoding?.name.uppercased() != "MP2T"
        else { return nil }
        // Without a description: video's clock is 90 kHz, and audio's never is but for MPEG audio, which has a type.
        let isAudio = stream.encoding?.kind.map { $0 == .audio } ?? (rate != 90_000)
        return Member(
            id: id, stream: stream, isAudio: isAudio,
            clock: SenderClockMap(stream.rtcp.mappings, clockRate: rate))
    }

    /// One sender: the same canonical name, or without names the same host.
    private static func belong(_ audio: Member, _ video: Member) -> Bool {
        guard audio.stream.source.address == video.stream.source.address,
            audio.stream.destination.address == video.stream.destination.address
        else { return false }
        guard let first = audio.stream.rtcp.cname, let second = video.stream.rtcp.cname else { return true }
        return first == second
    }

    private static func measure(_ audio: Member, _ video: Member) -> PairMeasurements {
        let heard = lateness(of: audio)
        let shown = lateness(of: video)
        var skews = Histogram()
        var index = -1
        for frame in heard {
            while index + 1 < shown.count, shown[index + 1].media <= frame.media { index += 1 }
            if index >= 0 { skews.add(shown[index].late - frame.late) }
        }
        let isTruncated = audio.stream.frames.isTruncated || video.stream.frames.isTruncated
        return PairMeasurements(
            audio: audio.id, video: video.id, skew: skews.distribution,
            floor: max(audio.stream.rtcp.resolution, video.stream.rtcp.resolution),
            method: "sender reports: lateness of the nearest earlier video frame less that of each audio frame, "
                + "at their last packets" + (isTruncated ? "; the first 262,144 frames" : ""))
    }

    /// Media times on the sender's clock and how late each frame is, in the order of media time.
    private static func lateness(of member: Member) -> [(media: Int64, late: Int64)] {
        member.stream.frames.frames.compactMap { frame in
            member.clock.media(frame.ticks).map { ($0, frame.instant.nanoseconds - $0) }
        }.sorted { ($0.media, $0.late) < ($1.media, $1.late) }
    }
}
