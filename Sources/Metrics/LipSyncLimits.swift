import Timebase

/// Limits of lip-sync skew, both included; positive: audio early (ITU-R BT.1359).
struct LipSyncLimits: Hashable, Sendable {
    /// Minus how far audio may lag.
    let lowest: TimeSpan
    /// How far audio may lead.
    let highest: TimeSpan

    /// - Parameters:
    ///   - lag: how far audio may be late, as a positive length.
    ///   - lead: how far audio may be early.
    init(lag: TimeSpan, lead: TimeSpan) {
        lowest = -lag
        highest = lead
    }

    func contains(_ skew: TimeSpan) -> Bool { skew >= lowest && skew <= highest }

    /// How much of a skew that goes evenly from `first` up to `last` lies inside, nanoseconds of skew.
    func overlap(from first: Int64, to last: Int64) -> Int64 {
        max(0, min(last, highest.nanoseconds) - max(first, lowest.nanoseconds))
    }

    /// ITU-R BT.1359-1: what viewers notice, +45 ms to −125 ms.
    static let ituDetectability = LipSyncLimits(lag: .milliseconds(125), lead: .milliseconds(45))
    /// ITU-R BT.1359-1: what viewers accept, +90 ms to −185 ms.
    static let ituAcceptability = LipSyncLimits(lag: .milliseconds(185), lead: .milliseconds(90))
    /// EBU R37, end to end, +40 ms to −60 ms.
    static let ebuR37 = LipSyncLimits(lag: .milliseconds(60), lead: .milliseconds(40))
    /// ATSC IS-191, +15 ms to −45 ms.
    static let atscIS191 = LipSyncLimits(lag: .milliseconds(45), lead: .milliseconds(15))
    /// Steinmetz, Human Perception of Jitter and Media Synchronization (1996): in sync, ±80 ms.
    static let steinmetz = LipSyncLimits(lag: .milliseconds(80), lead: .milliseconds(80))
}
