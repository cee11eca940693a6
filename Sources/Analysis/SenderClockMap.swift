import Timebase

/// Where a stream's ticks lie on its sender's clock, by the sender reports around each (RFC 3550 §6.4.1).
///
/// Between two reports that agree with each other it is the line through both, so that a media clock some hundred ppm off
/// does not matter; before the first and behind the last it goes on at the rate that the reports themselves tell. Where
/// a report contradicts the one before, each holds from itself on.
struct SenderClockMap {
    private struct Point {
        var ticks: Int64
        /// Nanoseconds since 1970.
        var ntp: Int64
        /// Nanoseconds a tick, by all reports that agree with it.
        var slope: Double
        /// The next report agrees with it.
        var goesOn = false
    }

    private var points: [Point] = []
    /// How often a report contradicted the one before, by how much first, and how long after the first report.
    private(set) var steps = 0
    private(set) var firstStep: (by: TimeSpan, after: TimeSpan)?

    /// No clock that works is so far off.
    private static let largestDrift = 1e-3
    /// What reports are off by anyway.
    private static let tolerance: Int64 = 20_000_000

    init(_ mappings: [RTCPMeter.Mapping], clockRate: UInt32) {
        let nominal = 1e9 / Double(clockRate)
        var begin = 0
        for mapping in mappings where points.last.map({ mapping.ticks > $0.ticks }) ?? true {
            if let last = points.last {
                let media = Double(mapping.ticks - last.ticks) * nominal
                let difference = Double(mapping.ntp - last.ntp) - media
                if abs(difference) <= max(Double(Self.tolerance), media * Self.largestDrift) {
                    points[points.count - 1].goesOn = true
                } else {
                    steps += 1
                    if firstStep == nil {
                        firstStep = (
                            .nanoseconds(Int64(clamping: difference)),
                            .nanoseconds(last.ntp - points[0].ntp)
                        )
                    }
                    close(from: begin, nominal)
                    begin = points.count
                }
            }
            points.append(Point(ticks: mapping.ticks, ntp: mapping.ntp, slope: nominal))
        }
        close(from: begin, nominal)
    }

    /// Gives reports that agree their common rate, once they lie far enough apart to tell it.
    private mutating func close(from begin: Int, _ nominal: Double) {
        guard begin < points.count - 1, let last = points.last else { return }
        let span = last.ntp - points[begin].ntp
        let slope = Double(span) / Double(last.ticks - points[begin].ticks)
        guard span >= 1_000_000_000, abs(slope / nominal - 1) <= Self.largestDrift else { return }
        for index in begin..<points.count { points[index].slope = slope }
    }

    /// Nanoseconds since 1970 by the sender's clock; nil without reports.
    func media(_ ticks: Int64) -> Int64? {
        guard !points.isEmpty else { return nil }
        var (low, high) = (0, points.count)
        while low + 1 < high {
            let middle = (low + high) / 2
            if points[middle].ticks <= ticks { low = middle } else { high = middle }
        }
        let point = points[low]
        var slope = point.slope
        if point.goesOn, ticks > point.ticks {
            let next = points[low + 1]
            slope = Double(next.ntp - point.ntp) / Double(next.ticks - point.ticks)
        }
        let span = Double(ticks - point.ticks) * slope
        return point.ntp + Int64(clamping: min(max(span, -2e18), 2e18).rounded())
    }
}
