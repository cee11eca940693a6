import Timebase

/// Limits of lip-sync skew, both included; positive: audio early (ITU-R BT.1359).
public struct LipSyncLimits: Hashable, Sendable {
    /// Minus how far audio may lag.
    public let lowest: TimeSpan
    /// How far audio may lead.
    public let highest: TimeSpan

    /// - Parameters:
    ///   - lag: how far audio may be late, as a positive length.
    ///   - lead: how far audio may be early.
    public init(lag: TimeSpan, lead: TimeSpan) {
        lowest = -lag
        highest = lead
    }

    public func contains(_ skew: TimeSpan) -> Bool { skew >= lowest && skew <= highest }

    /// ITU-R BT.1359-1: what viewers notice, +45 ms to −125 ms.
    public static let ituDetectability = LipSyncLimits(lag: .milliseconds(125), lead: .milliseconds(45))
    /// ITU-R BT.1359-1: what viewers accept, +90 ms to −185 ms.
    public static let ituAcceptability = LipSyncLimits(lag: .milliseconds(185), lead: .milliseconds(90))
    /// EBU R37, end to end, +40 ms to −60 ms.
    public static let ebuR37 = LipSyncLimits(lag: .milliseconds(60), lead: .milliseconds(40))
    /// ATSC IS-191, +15 ms to −45 ms.
    public static let atscIS191 = LipSyncLimits(lag: .milliseconds(45), lead: .milliseconds(15))
}

/// Lip-sync skew of one audio and video pair: its distribution, how much of it lies inside each standard's limits, and
/// its trend. Positive: audio early (ITU-R BT.1359).
public struct LipSyncEstimator: Sendable {
    /// The skews, nanoseconds; those below a millisecond to one microsecond, far below what anybody notices.
    public private(set) var skews = Histogram(resolutionBits: 10)
    private var insideITUDetectability: Int64 = 0
    private var insideITUAcceptability: Int64 = 0
    private var insideEBUR37: Int64 = 0
    private var insideATSCIS191: Int64 = 0
    /// Least squares by means and centred sums (Welford), which do not cancel however long the run: seconds after the
    /// first sample, and nanoseconds of skew.
    private var first: Instant?
    private var meanTime = 0.0
    private var meanSkew = 0.0
    private var squaresOfTime = 0.0
    private var products = 0.0

    public init() {}

    /// Takes a sample.
    ///
    /// - Parameter skew: the media time heard less the media time shown.
    public mutating func add(skew: TimeSpan, at instant: Instant) {
        skews.add(skew.nanoseconds)
        if LipSyncLimits.ituDetectability.contains(skew) { insideITUDetectability += 1 }
        if LipSyncLimits.ituAcceptability.contains(skew) { insideITUAcceptability += 1 }
        if LipSyncLimits.ebuR37.contains(skew) { insideEBUR37 += 1 }
        if LipSyncLimits.atscIS191.contains(skew) { insideATSCIS191 += 1 }
        let origin = first ?? instant
        first = origin
        let count = Double(skews.count)
        let time = Double((instant - origin).nanoseconds) / 1e9
        let fromMean = time - meanTime
        meanTime += fromMean / count
        let skewFromMean = Double(skew.nanoseconds) - meanSkew
        meanSkew += skewFromMean / count
        squaresOfTime += fromMean * (time - meanTime)
        products += fromMean * (Double(skew.nanoseconds) - meanSkew)
    }

    /// Least-squares slope of the skew, nanoseconds a second of true time; nil unless samples lie at two instants at
    /// least.
    public var slope: Double? { squaresOfTime > 0 ? products / squaresOfTime : nil }

    /// The share of samples inside limits, 0...1; nil without samples.
    private func share(_ inside: Int64) -> Double? {
        skews.isEmpty ? nil : Double(inside) / Double(skews.count)
    }

    /// All of it, except for whose it is.
    public var measurements: LipSyncMeasurements {
        var result = LipSyncMeasurements()
        result.skew = skews.distribution
        result.withinITUDetectability = share(insideITUDetectability)
        result.withinITUAcceptability = share(insideITUAcceptability)
        result.withinEBUR37 = share(insideEBUR37)
        result.withinATSCIS191 = share(insideATSCIS191)
        result.slopeNanosecondsPerSecond = slope.map { Int64($0.rounded(.toNearestOrAwayFromZero)) }
        return result
    }
}
