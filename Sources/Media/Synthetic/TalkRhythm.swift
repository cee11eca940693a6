import Timebase

/// When a call's packets come: all the time, or in talk spurts and silences of whole packets.
///
/// Their lengths are geometric, which is exponential in whole packets, with exactly the means asked for, and drawn by the
/// spurt's number: what one call does moves no other.
struct TalkRhythm: Sendable {
    private let spurts: Spurts?
    /// The place of the next packet, in packets from the origin.
    private var place: Int64 = 0
    /// Packets that the spurt under way still has; unused without spurts.
    private var left: Int64 = 0
    /// Spurts begun.
    private var spurtCount: Int64 = 0

    private struct Spurts: Sendable {
        /// Times whose whole packets, and one more, are the lengths.
        let on: QuantileTable
        let off: QuantileTable
        let period: TimeSpan
        let key: DrawKey

        func length(_ table: QuantileTable, _ draw: Int64) -> Int64 {
            1 + table.value(at: key.draw(draw)) / period.nanoseconds
        }
    }

    /// Of a call that is possible.
    init(_ call: SyntheticCall, key: DrawKey) {
        guard let talk = call.talkSpurts else {
            spurts = nil
            return
        }
        let period = call.packetDuration
        spurts = Spurts(
            on: Self.table(mean: talk.on, period: period), off: Self.table(mean: talk.off, period: period),
            period: period, key: key.named("talk_spurts"))
    }

    /// Exponential, with the mean whose whole periods and one more are `mean` in the mean: −period / ln(1 − period / mean).
    private static func table(mean: TimeSpan, period: TimeSpan) -> QuantileTable {
        let share = Double(period.nanoseconds) / Double(mean.nanoseconds)
        let length = -Double(period.nanoseconds) / naturalLogarithm(1 - share)
        return .exponential(mean: .nanoseconds(Int64(length)))
    }

    /// The place of the next packet, in packets from the origin.
    mutating func next() -> Int64 {
        defer { place += 1 }
        guard let spurts else { return place }
        if left == 0 {
            if spurtCount > 0 { place += spurts.length(spurts.off, 2 * spurtCount - 1) }
            left = spurts.length(spurts.on, 2 * spurtCount)
            spurtCount += 1
        }
        left -= 1
        return place
    }
}
