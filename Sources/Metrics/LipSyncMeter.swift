import Timebase

/// Lip-sync skew of one audio and video pair: the media time heard less the media time shown, weighed by the time that
/// it lasts. Positive: audio early (ITU-R BT.1359).
///
/// The media time heard runs on for a unit's nominal duration; without a unit to follow nothing is heard, and there is
/// no skew. The media time shown runs on for a frame's nominal duration and then stands still until the next frame, so
/// that a freeze shows as growing skew; behind the last picture the program is over, not frozen. So the skew is a
/// straight line between one presentation and the next, at rest or rising as fast as time, and every integral over it
/// is exact. Samples on a grid were rejected: a grid and the picture rate have a common beat.
public struct LipSyncMeter: Sendable {
    /// Which of the two a unit belongs to.
    public enum Medium: Sendable { case audio, video }

    /// A unit since its presentation.
    private struct Playing: Sendable {
        let media: TimeSpan
        let since: Instant
        /// When its nominal duration is over.
        let end: Instant
        /// Up to when a next unit follows without a gap: clocks that differ and timestamps in whole ticks put it a
        /// thousandth and a tick of 90 kHz later at most.
        let reach: Instant

        init(media: TimeSpan, since: Instant, duration: TimeSpan) {
            self.media = media
            self.since = since
            end = since + duration
            reach = end + .nanoseconds(duration.nanoseconds / 1000 + 11_112)
        }

        /// How long it plays, if something is known to follow at `now`, or nothing before.
        func lasts(until now: Instant) -> Instant { now <= reach ? now : end }
    }

    /// How long the skew was inside one standard's limits, nanoseconds.
    private struct Inside: Sendable {
        var whole: Int64 = 0
        /// Of it, what both media moved on.
        var moving: Int64 = 0

        mutating func add(_ limits: LipSyncLimits, from first: Int64, to last: Int64, lasting length: Int64) {
            if first < last {
                whole += limits.overlap(from: first, to: last)
            } else if limits.contains(.nanoseconds(first)) {
                whole += length
                moving += length
            }
        }
    }

    private var heard: Playing?
    private var shown: Playing?
    /// The first unit of the two.
    private var first: Playing?

    /// Nanoseconds of skew, weighed by microseconds; those below a millisecond to one microsecond, far below what
    /// anybody notices.
    private var skews: Histogram
    /// How long there was a skew, nanoseconds, and how much of it both media moved on.
    private var time: Int64 = 0
    private var moving: Int64 = 0
    private var ituDetectability = Inside()
    private var ituAcceptability = Inside()
    private var ebuR37 = Inside()
    private var atscIS191 = Inside()
    private var steinmetz = Inside()
    private var trend = LipSyncTrend()
    /// How long both media played, gaps that only clocks and ticks make included.
    private var played = TimeSpan.zero
    /// How long both should have; known at the end.
    private var programTime: TimeSpan?
    /// Since when nothing is presented because a viewer wants it so, and for how long nothing was before.
    private var interruption: (since: Instant?, total: TimeSpan) = (nil, .zero)
    /// The skew at the latest presentation, or where it ended before that.
    public private(set) var latest: TimeSpan?

    /// - Parameter skewCuts: numbers at which the skew is counted exactly, nanoseconds.
    public init(skewCuts: [Int64] = []) { skews = Histogram(resolutionBits: 10, cuts: skewCuts) }

    /// A unit is presented.
    ///
    /// - Parameters:
    ///   - media: its place on the program's timeline.
    ///   - duration: its nominal one.
    ///   - now: true time, which does not decrease.
    ///   - picturesEnd: where the last picture that was sent by now ends, on the program's timeline.
    public mutating func present(
        _ medium: Medium, media: TimeSpan, duration: TimeSpan, at now: Instant, picturesEnd: TimeSpan
    ) {
        settle(until: now, picturesEnd: picturesEnd)
        if let since = interruption.since { interruption = (nil, interruption.total + (now - since)) }
        let unit = Playing(media: media, since: now, duration: duration)
        if first == nil { first = unit }
        switch medium {
        case .audio: heard = unit
        case .video: shown = unit
        }
    }

    /// A viewer stops what plays, or goes elsewhere, until the next unit: that is neither a freeze nor time to play in.
    public mutating func interrupt(at now: Instant) {
        guard interruption.since == nil, first != nil else { return }
        settle(until: now, picturesEnd: shown.map { $0.media + (now - $0.since) } ?? .zero)
        interruption.since = now
        (heard, shown) = (nil, nil)
    }

    /// No unit follows: what plays, plays to its end.
    ///
    /// - Parameters:
    ///   - audio: from the first unit's begin to the last one's end, as they were sent, on the program's timeline.
    ///   - video: the same of the pictures.
    public mutating func finish(audio: ClosedRange<TimeSpan>, video: ClosedRange<TimeSpan>) {
        guard let first else { return }
        settle(until: .distantFuture, picturesEnd: video.upperBound)
        let latest = [heard, shown].compactMap(\.self).max { $0.since < $1.since } ?? first
        let end =
            interruption.since ?? latest.since + (max(audio.upperBound, video.upperBound) - latest.media)
        programTime = max(.zero, end - first.since - interruption.total)
        (heard, shown) = (nil, nil)
    }

    /// Takes in what has played since the latest presentation.
    private mutating func settle(until now: Instant, picturesEnd: TimeSpan) {
        guard let heard, let shown else { return }
        let start = max(heard.since, shown.since)
        played += max(.zero, min(heard.lasts(until: now), shown.lasts(until: now)) - start)
        let silence = min(now, heard.end)
        let skew = heard.media - shown.media - (heard.since - shown.since)
        add(skew, from: start, to: min(silence, shown.end), rises: false)
        let stands = max(start, shown.end)
        let over = shown.since + (picturesEnd - shown.media)
        add(skew + (stands - shown.end), from: stands, to: min(silence, over), rises: true)
    }

    /// Takes in a piece of the skew's course: `skew` at its start, at rest or rising as fast as time.
    private mutating func add(_ skew: TimeSpan, from start: Instant, to end: Instant, rises: Bool) {
        guard end > start else { return }
        let length = (end - start).nanoseconds
        let first = skew.nanoseconds
        let last = rises ? first + length : first
        // The rest of a microsecond goes to the next piece, so that none is lost.
        skews.add(evenlyFrom: first, to: last, times: (time + length) / 1000 - time / 1000)
        time += length
        if !rises { moving += length }
        ituDetectability.add(.ituDetectability, from: first, to: last, lasting: length)
        ituAcceptability.add(.ituAcceptability, from: first, to: last, lasting: length)
        ebuR37.add(.ebuR37, from: first, to: last, lasting: length)
        atscIS191.add(.atscIS191, from: first, to: last, lasting: length)
        steinmetz.add(.steinmetz, from: first, to: last, lasting: length)
        trend.add(from: first, to: last, start: start, nanoseconds: length)
        latest = .nanoseconds(last)
    }
}

// MARK: - Results

extension LipSyncMeter {
    /// The share of the program's time in which both media played, 0...1; nil before the end, and where nothing was
    /// presented.
    private var coverage: Double? {
        guard let programTime, programTime > .zero else { return nil }
        // Presentations come at whole ticks, so that the two ends are a tick uncertain.
        let missing = programTime - played
        return missing.nanoseconds <= 22_224 ? 1 : Double(played.nanoseconds) / Double(programTime.nanoseconds)
    }

    /// The share of the time inside limits, 0...1; nil where there was no skew.
    private func share(_ inside: Inside) -> Double? { time > 0 ? Double(inside.whole) / Double(time) : nil }

    /// The share of the program's time in which both media played inside limits, 0...1.
    private func coveredShare(_ inside: Inside) -> Double? {
        coverage.map { moving > 0 ? $0 * (Double(inside.moving) / Double(moving)) : 0 }
    }

    /// All of it, except for whose it is.
    public var measurements: LipSyncMeasurements {
        var result = LipSyncMeasurements()
        result.skew = Distribution(skews, unit: 1000)
        result.coverage = coverage
        result.withinITUDetectability = share(ituDetectability)
        result.withinITUAcceptability = share(ituAcceptability)
        result.withinEBUR37 = share(ebuR37)
        result.withinATSCIS191 = share(atscIS191)
        result.withinSteinmetz = share(steinmetz)
        result.coveredITUDetectability = coveredShare(ituDetectability)
        result.coveredITUAcceptability = coveredShare(ituAcceptability)
        result.coveredEBUR37 = coveredShare(ebuR37)
        result.coveredATSCIS191 = coveredShare(atscIS191)
        result.coveredSteinmetz = coveredShare(steinmetz)
        result.slopeNanosecondsPerSecond = trend.slope.map { Int64($0.rounded(.toNearestOrAwayFromZero)) }
        result.slopeStandardErrorNanosecondsPerSecond = trend.standardError.map {
            Int64($0.rounded(.toNearestOrAwayFromZero))
        }
        return result
    }
}

extension LipSyncMeasurements {
    /// The share of the skew's time inside the profile's limits, the narrowest where it has several; nil of a name that is
    /// none.
    public var withinProfile: Double? {
        switch profile {
        case "itu-bt1359": withinITUDetectability
        case "ebu-r37": withinEBUR37
        case "atsc-is191": withinATSCIS191
        case "steinmetz": withinSteinmetz
        default: nil
        }
    }

    /// The same of the program's time in which both really played.
    public var coveredProfile: Double? {
        switch profile {
        case "itu-bt1359": coveredITUDetectability
        case "ebu-r37": coveredEBUR37
        case "atsc-is191": coveredATSCIS191
        case "steinmetz": coveredSteinmetz
        default: nil
        }
    }
}
