import DequeModule
import Timebase

/// What the receiver's clock gains on the sender's, by a line of least squares through the arrivals of the latest reports.
///
/// A report's way has another delay than the media's, so that only what the line gains counts, from where the first one
/// stood. Until there are enough reports it says nothing.
struct ReportLine: Sendable {
    /// Seconds since the first report, nanoseconds of difference to the first.
    private struct Point: Sendable, BitwiseCopyable {
        var time: Double
        var difference: Double
    }

    private var points = Deque<Point>()
    private var first: (arrival: LocalInstant, difference: LocalInstant)?
    private var slope = 0.0
    /// What the line gives at time zero.
    private var intercept = 0.0
    /// What the first line gave at its beginning.
    private var reference: Double?

    /// Half a minute of reports as RFC 3550 §6.2 has them, and five.
    private static let fewest = 8
    private static let most = 64

    /// Takes a report: its arrival less the time in the stream that it tells of, and its arrival.
    mutating func add(_ difference: LocalInstant, at arrival: LocalInstant) {
        let first = self.first ?? (arrival, difference)
        self.first = first
        if points.count == Self.most { points.removeFirst() }
        points.append(
            Point(
                time: Double((arrival - first.arrival).nanoseconds) * 1e-9,
                difference: Double((difference - first.difference).nanoseconds)))
        guard points.count >= Self.fewest else { return }
        let count = Double(points.count)
        let time = points.reduce(0) { $0 + $1.time } / count
        let mean = points.reduce(0) { $0 + $1.difference } / count
        let square = points.reduce(0) { $0 + ($1.time - time) * ($1.time - time) }
        guard square > 0 else { return }
        slope = points.reduce(0) { $0 + ($1.time - time) * ($1.difference - mean) } / square
        intercept = mean - slope * time
        reference = reference ?? intercept
    }

    /// What has been gained at an instant.
    func value(at now: LocalInstant) -> TimeSpan {
        guard let first, let reference else { return .zero }
        let time = Double((now - first.arrival).nanoseconds) * 1e-9
        return .nanoseconds(Int64((intercept - reference + slope * time).rounded(.toNearestOrAwayFromZero)))
    }
}
