import Metrics
import Timebase

/// Compares what is heard with what is shown, every 10 ms of playing.
///
/// The media time heard runs on for a unit's nominal duration; without a unit to follow, nothing is heard and nothing
/// is sampled. The media time shown runs on for a frame's nominal duration and then stands still until the next frame,
/// so a freeze shows as growing skew. Samples from after a frame's duration count only once another frame follows:
/// after the last one the programme is over, not frozen.
struct LipSyncSampler: Sendable {
    private static let period = TimeSpan.milliseconds(10)
    /// Ten minutes of standing picture; a longer freeze is counted as it stands.
    private static let pendingCapacity = 60_000

    private(set) var estimator = LipSyncEstimator()
    /// The latest skew sampled.
    private(set) var latest: TimeSpan?
    private var heard: Playing?
    private var shown: Playing?
    private var nextSample: Instant?
    private var pending: [(skew: TimeSpan, at: Instant)] = []

    /// A unit since its presentation.
    private struct Playing: Sendable {
        var media: TimeSpan
        var since: Instant
        var duration: TimeSpan
    }

    /// A unit is presented: `media` is its place on the program's timeline, `duration` its nominal one.
    mutating func present(isAudio: Bool, media: TimeSpan, duration: TimeSpan, at now: Instant) {
        sample(before: now)
        if isAudio {
            heard = Playing(media: media, since: now, duration: duration)
        } else {
            for sample in pending { record(sample.skew, sample.at) }
            pending.removeAll(keepingCapacity: true)
            shown = Playing(media: media, since: now, duration: duration)
        }
    }

    /// Samples what plays up to the end; no unit follows.
    ///
    /// - Parameter videoEnd: when the last picture that was sent ends, on the program's timeline. A picture that stood
    ///   before that was frozen; one that stands after it is the end.
    mutating func finish(videoEnd: TimeSpan) {
        guard let heard, let shown else { return }
        sample(before: heard.since + heard.duration)
        for sample in pending where sample.at - shown.since < videoEnd - shown.media {
            record(sample.skew, sample.at)
        }
        pending.removeAll()
    }

    /// Takes the samples due before `end`.
    private mutating func sample(before end: Instant) {
        guard let heard, let shown else { return }
        var at = max(nextSample ?? max(heard.since, shown.since), max(heard.since, shown.since))
        while at < end {
            let sounding = at - heard.since
            guard sounding < heard.duration else { break }
            let standing = at - shown.since
            let skew = heard.media + sounding - shown.media - min(standing, shown.duration)
            if standing <= shown.duration {
                record(skew, at)
            } else {
                if pending.count == Self.pendingCapacity {
                    for sample in pending { record(sample.skew, sample.at) }
                    pending.removeAll(keepingCapacity: true)
                }
                pending.append((skew, at))
            }
            at += Self.period
        }
        nextSample = at
    }

    private mutating func record(_ skew: TimeSpan, _ at: Instant) {
        latest = skew
        estimator.add(skew: skew, at: at)
    }
}
