import Results
import Glibc
import Metrics
import Timebase

/// One thing about a stage of a link: what was asked for beside what was measured.
public struct LabCheck: Sendable, Equatable {
    /// How sure the bounds are: a stage that does what is asked passes one once in a thousand times.
    static let tail = 1e-3

    /// `forward.0`.
    var link: String
    /// From when on it was asked for; nil: from the beginning.
    var since: TimeSpan?
    var stage: String
    var what: String
    var unit: MetricUnit
    var asked: Double
    var measured: Double
    /// Where `measured` may lie.
    var low: Double
    var high: Double
    /// Where the bound comes from.
    var basis: Basis
    /// What was measured at first, out of bounds, where it was measured again with the packets behind; else nil.
    var measuredFirst: Double?

    enum Basis: String, Sendable {
        /// Chance: it holds 999 times out of a thousand.
        case chance
        /// Nothing is left to chance, and nothing but the last packet to rounding.
        case exact
        /// A control loop settles near what is asked, not at it.
        case settling
    }

    /// Whether what was measured lies within the bounds, ends included.
    public var passed: Bool { low <= measured && measured <= high }
}

/// What was not judged, and why.
struct LabNote: Sendable, Equatable {
    /// The link and its stage.
    var place: String
    var text: String
}

/// What is being asked of which stage; makes its checks.
struct LabBook {
    var link: String
    var since: TimeSpan?
    var stage = ""
    private(set) var checks: [LabCheck] = []
    private(set) var notes: [LabNote] = []

    init(link: String, since: TimeSpan? = nil, stage: String = "") {
        (self.link, self.since, self.stage) = (link, since, stage)
    }

    /// Puts a second measurement in the place of each that chance has thrown out of its bounds.
    mutating func repeatFailures(from first: Int, with second: [LabCheck]) {
        for index in first..<checks.count where !checks[index].passed && checks[index].basis == .chance {
            guard var again = second.first(where: { $0.what == checks[index].what }) else { continue }
            again.measuredFirst = checks[index].measured
            checks[index] = again
        }
    }

    mutating func note(_ text: String) {
        let time = since.map { " from \(Format.time($0.nanoseconds))" } ?? ""
        notes.append(LabNote(place: "\(link) \(stage)\(time)", text: text))
    }

    mutating func add(
        _ what: String, _ unit: MetricUnit, asked: Double, measured: Double, low: Double, high: Double,
        _ basis: LabCheck.Basis = .chance
    ) {
        checks.append(
            LabCheck(
                link: link, since: since, stage: stage, what: what, unit: unit, asked: asked, measured: measured,
                low: low, high: high, basis: basis))
    }

    mutating func add(
        _ what: String, _ unit: MetricUnit, asked: Double, measured: Double, within limit: Double,
        _ basis: LabCheck.Basis = .chance
    ) {
        add(what, unit, asked: asked, measured: measured, low: asked - limit, high: asked + limit, basis)
    }

    /// What admits no difference.
    mutating func exact(_ what: String, _ unit: MetricUnit, asked: Double, measured: Double) {
        add(what, unit, asked: asked, measured: measured, within: 0, .exact)
    }

    /// How many of `count` met something that each meets with a probability of its own.
    mutating func share(_ what: String, asked: Double, of count: Int, hits: Int) {
        let limits = CountLimits(mean: asked * Double(count), variance: asked * (1 - asked) * Double(count))
        let basis: LabCheck.Basis = asked == 0 || asked == 1 ? .exact : .chance
        share(what, asked: asked, of: count, hits: hits, limits, basis)
    }

    mutating func share(
        _ what: String, asked: Double, of count: Int, hits: Int, _ limits: CountLimits,
        _ basis: LabCheck.Basis = .chance
    ) {
        let scale = Double(max(1, count))
        add(
            what, .ratio, asked: asked, measured: Double(hits) / scale, low: limits.low / scale,
            high: min(1, limits.high / scale), basis)
    }
}

/// Between which numbers a count lies 999 times out of a thousand.
struct CountLimits: Equatable {
    var low: Double
    var high: Double

    /// - Parameters:
    ///   - mean: of the count.
    ///   - variance: of the count; what comes by itself has the mean or less, what comes in bursts more.
    ///
    /// A count of more than 500 bursts is normal. One of fewer is that of bursts at random, of geometric lengths that give
    /// the variance (Pólya and Aeppli's law): just so where a chain of two states loses few packets.
    init(mean: Double, variance: Double) {
        guard mean > 0, variance > 0 else {
            (low, high) = (mean, mean)
            return
        }
        let burst = max(1, (variance / mean + 1) / 2)
        guard mean / burst < 500 else {
            let half = SampleStatistics.meanLimit(variance: variance, count: 1, tail: LabCheck.tail)
            (low, high) = (max(0, mean - half), mean + half)
            return
        }
        (low, high) = Self.bursts(mean / burst, burst)
    }

    /// - Parameters:
    ///   - number: of bursts, the mean.
    ///   - length: their mean.
    private static func bursts(_ number: Double, _ length: Double) -> (Double, Double) {
        let more = 1 - 1 / length
        var (before, here) = (0.0, exp(-number))
        var (count, cumulative) = (0.0, here)
        var low: Double? = cumulative > LabCheck.tail / 2 ? 0 : nil
        while cumulative < 1 - LabCheck.tail / 2, count < 1e8 {
            count += 1
            let next = ((2 * more * (count - 1) + number / length) * here - more * more * (count - 2) * before) / count
            (before, here) = (here, next)
            cumulative += here
            if low == nil, cumulative > LabCheck.tail / 2 { low = count }
        }
        return (low ?? 0, count)
    }
}
