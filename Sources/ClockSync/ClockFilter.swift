import Timebase

/// A server's latest samples, of which the one with the least delay counts (RFC 5905 §10).
struct ClockFilter: Sendable {
    /// What the server says of the clock, in seconds.
    struct Estimate: Sendable {
        /// θ: by how much the clock is slow.
        var offset: Double
        /// δ
        var delay: Double
        /// ε: of all stages, the nearer halves weighing twice as much each.
        var dispersion: Double
        /// ψ: root mean square of what the others differ from the best. As erratum 5600 has it: the count is under the root.
        var jitter: Double
        /// When the best sample was taken.
        var middle: FreeInstant
        /// What the server's clock was then against the oscillator.
        var server: TimeSpan
    }

    /// From where samples are looked at.
    struct View {
        var instant: FreeInstant
        /// The disciplined clock minus the oscillator.
        var gain: TimeSpan
        /// What the servers' clock gains on the oscillator, a number; nil before that is known.
        var frequency: Double?
    }

    static let stages = 8
    /// Φ, as a number.
    static let tolerance = Double(OnWireProtocol.tolerance) * 1e-9
    /// MAXDISP, the dispersion of an empty stage.
    private static let maximumDispersion = 16.0
    /// SGATE: an offset that changes by more than so many times the jitter is a spike (§10, in its code).
    private static let spikeGate = 3.0
    private static let resolution = OnWireProtocol.resolution.seconds

    /// In order of delay, with the number of polls since.
    private var samples: [(sample: TimeSample, age: Int)] = []
    /// What the server's clock gains on the oscillator by these samples alone.
    private var slope = 0.0
    /// The sample that was last used, and what was found of it then.
    private var used: (sample: TimeSample, estimate: Estimate, at: FreeInstant)?

    /// Shifts a sample in; nil: an empty stage, because three polls were not answered.
    mutating func shift(in sample: TimeSample?) {
        for index in samples.indices { samples[index].age += 1 }
        samples.removeAll { $0.age >= Self.stages }
        guard let sample else { return }
        let place = samples.firstIndex { $0.sample.delay > sample.delay } ?? samples.endIndex
        samples.insert((sample, 0), at: place)
        slope = ownSlope
    }

    /// The slope of the line nearest to the samples, by least squares; 0 for less than two.
    private var ownSlope: Double {
        guard let first = samples.first?.sample, samples.count > 1 else { return 0 }
        var (sumX, sumY, sumXX, sumXY) = (0.0, 0.0, 0.0, 0.0)
        for (sample, _) in samples {
            let (x, y) = ((sample.middle - first.middle).seconds, (sample.offset - first.offset).seconds)
            (sumX, sumY, sumXX, sumXY) = (sumX + x, sumY + y, sumXX + x * x, sumXY + x * y)
        }
        let count = Double(samples.count)
        let spread = count * sumXX - sumX * sumX
        return spread > 0 ? (count * sumXY - sumX * sumY) / spread : 0
    }

    /// Forgets all samples: the clock or the server has jumped.
    mutating func clear() {
        samples.removeAll(keepingCapacity: true)
        used = nil
    }

    /// What a sample says of the clock now: what it said then, with what the servers' clock has gained since. DEVIATION: the
    /// RFC leaves that out, so that while the frequency is not known servers whose samples are of different age disagree.
    private func offset(of sample: TimeSample, at now: View) -> Double {
        sample.offset(gain: now.gain).seconds + (now.frequency ?? slope) * (now.instant - sample.middle).seconds
    }

    /// Looks whether the best sample is newer than the one used before, and no spike; it is then the one used.
    ///
    /// - Parameter poll: the poll interval; a spike is believed when it has lasted for two.
    mutating func renew(at now: View, poll: TimeSpan) -> Bool {
        guard let best = samples.first?.sample else { return false }
        let found = estimate(of: best, at: now)
        if let before = used {
            guard best.received > before.sample.received else {
                used?.estimate.dispersion = found.dispersion
                used?.estimate.jitter = found.jitter
                used?.at = now.instant
                return false
            }
            let change = found.offset - offset(of: before.sample, at: now)
            let isSpike = abs(change) > Self.spikeGate * max(before.estimate.jitter, found.jitter)
            if isSpike, best.received - before.sample.received < poll * 2 { return false }
        }
        used = (best, found, now.instant)
        return true
    }

    /// What the sample that was last used says now; nil before the first.
    func estimate(at now: View) -> Estimate? {
        guard let used else { return nil }
        var estimate = used.estimate
        estimate.offset = offset(of: used.sample, at: now)
        estimate.dispersion += Self.tolerance * (now.instant - used.at).seconds
        return estimate
    }

    private func estimate(of best: TimeSample, at now: View) -> Estimate {
        let offset = offset(of: best, at: now)
        var (dispersion, squares, weight) = (0.0, 0.0, 0.5)
        for stage in 0..<Self.stages {
            if stage < samples.count {
                let sample = samples[stage].sample
                let aged = sample.dispersion.seconds + Self.tolerance * (now.instant - sample.received).seconds
                dispersion += weight * min(aged, Self.maximumDispersion)
                let difference = self.offset(of: sample, at: now) - offset
                squares += difference * difference
            } else {
                dispersion += weight * Self.maximumDispersion
            }
            weight /= 2
        }
        let jitter = samples.count > 1 ? (squares / Double(samples.count - 1)).squareRoot() : 0
        return Estimate(
            offset: offset, delay: best.delay.seconds, dispersion: dispersion, jitter: max(jitter, Self.resolution),
            middle: best.middle, server: best.offset)
    }
}
