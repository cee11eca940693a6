import Timebase

/// A server's latest samples and the straight line through them: its clock against the oscillator.
///
/// What chrony does, as far as its documentation says: weighted least squares over as many samples as a line fits, found
/// by a runs test of what it leaves over; samples weigh by their delay.
struct SampleRegression: Sendable {
    /// The line. Times count from the latest sample, offsets from that sample's.
    private struct Line {
        var base: TimeSample
        var intercept = 0.0
        /// What the server's clock gains on the oscillator, a number.
        var slope = 0.0
        /// One standard error of the slope; nil with less than three samples.
        var slopeDeviation: Double?
        var degreesOfFreedom = 0
        /// Of a sample with the least delay.
        var residual = 0.0
    }

    static let capacity = 64
    /// So few are kept whatever the runs test says.
    private static let fewest = 6
    /// So many samples in a row that contradict the others are believed: the clock or the server has jumped.
    private static let jump = 3
    /// What a clock is taken to wander beyond what the line says, a number: chrony's maxclockerror.
    private static let clockError = 1e-6

    /// The oldest first.
    private(set) var samples: [TimeSample] = []
    private var contradictions: [TimeSample] = []
    private var line: Line?
    /// How far the oscillator may be off while there is no line, a number.
    private let maximumDrift: Double

    init(maximumDrift: Double) {
        self.maximumDrift = maximumDrift
        samples.reserveCapacity(Self.capacity)
    }

    /// Takes a sample.
    ///
    /// - Returns: whether it goes with the others, or there are no others any more because it does not.
    mutating func add(_ sample: TimeSample) -> Bool {
        if let line, line.slopeDeviation != nil, contradicts(sample, line) {
            contradictions.append(sample)
            guard contradictions.count >= Self.jump else { return false }
            samples = contradictions
        } else {
            if samples.count == Self.capacity { samples.removeFirst() }
            samples.append(sample)
        }
        contradictions.removeAll()
        fit()
        return true
    }

    /// Whether a sample's offset is farther from the line than half of its delay and all that the line may be off.
    private func contradicts(_ sample: TimeSample, _ line: Line) -> Bool {
        let distance = abs((sample.offset - offset(at: sample.middle)).seconds)
        return distance > Self.halfDelay(sample) + error(at: sample.middle)
    }

    /// How far a sample may be off, its delay being as asymmetric as can be.
    private static func halfDelay(_ sample: TimeSample) -> Double {
        sample.delay.seconds / 2 + sample.dispersion.seconds
    }

    /// The server's clock minus the oscillator at an instant, by the line; zero without samples.
    func offset(at instant: FreeInstant) -> TimeSpan {
        guard let line else { return .zero }
        let elapsed = (instant - line.base.middle).seconds
        return line.base.offset + TimeSpan(seconds: line.intercept + line.slope * elapsed)
    }

    /// What the server's clock gains on the oscillator, and one standard error; nil with less than three samples.
    var frequency: (value: Double, deviation: Double)? {
        line.flatMap { line in line.slopeDeviation.map { (line.slope, $0) } }
    }

    /// How fast what is known of the server's clock ages: the frequency's error at a confidence of 99.95 %, and what the
    /// clock may wander.
    var skew: Double {
        guard let line, let deviation = line.slopeDeviation else { return maximumDrift }
        return min(deviation * Self.studentQuantile(line.degreesOfFreedom), maximumDrift) + Self.clockError
    }

    /// The deviation of a sample of the least delay from the line.
    var jitter: Double { max(line?.residual ?? 0, OnWireProtocol.resolution.seconds) }

    /// How far the line may be off at an instant: the least of what each sample, aged by the skew, allows.
    func error(at instant: FreeInstant) -> Double {
        let skew = skew
        var least = Double.infinity
        for sample in samples {
            let left = abs((offset(at: sample.middle) - sample.offset).seconds)
            let age = abs((instant - sample.middle).seconds)
            least = min(least, left + Self.halfDelay(sample) + skew * age)
        }
        return least
    }

    var latest: FreeInstant? { samples.last?.received }

    /// Fits the line to as many samples as one fits.
    private mutating func fit() {
        var weights = weights
        while true {
            let line = line(weights[...])
            self.line = line
            guard samples.count > Self.fewest, hasTooFewRuns(line) else { return }
            samples.removeFirst()
            weights.removeFirst()
        }
    }

    /// One over the variances that delays let expect: (1 + (q - least) / σ)², where q is half of the delay and the
    /// dispersion, and σ what the median q exceeds the least, over 0.7, but no more than the least.
    private var weights: [Double] {
        let distances = samples.map(Self.halfDelay)
        let sorted = distances.sorted()
        guard let least = sorted.first else { return [] }
        let median = sorted[sorted.count / 2]
        let deviation = min(max((median - least) / 0.7, OnWireProtocol.resolution.seconds), least)
        return distances.map { distance in
            let deviations = 1 + (distance - least) / deviation
            return 1 / (deviations * deviations)
        }
    }

    private func line(_ weights: ArraySlice<Double>) -> Line? {
        guard let base = samples.last else { return nil }
        var line = Line(base: base)
        guard samples.count > 1 else { return line }
        var (total, meanX, meanY, sumXX, sumXY, sumYY) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        for (sample, weight) in zip(samples, weights) {
            let (x, y) = ((sample.middle - base.middle).seconds, (sample.offset - base.offset).seconds)
            total += weight
            let (dx, dy) = (x - meanX, y - meanY)
            meanX += dx * weight / total
            meanY += dy * weight / total
            sumXX += weight * dx * (x - meanX)
            sumXY += weight * dx * (y - meanY)
            sumYY += weight * dy * (y - meanY)
        }
        guard samples.count > 2, sumXX > 0 else {
            // Two samples' slope is mostly noise: the line is level at the better one.
            line.intercept = meanY
            return line
        }
        line.slope = sumXY / sumXX
        line.intercept = meanY - line.slope * meanX
        line.degreesOfFreedom = samples.count - 2
        let variance = max(sumYY - line.slope * sumXY, 0) / Double(line.degreesOfFreedom)
        line.residual = variance.squareRoot()
        line.slopeDeviation = max((variance / sumXX).squareRoot(), 1e-12)
        return line
    }

    /// Whether residuals keep their sign for longer than chance allows (Wald and Wolfowitz), at 5 %: then the oscillator has
    /// turned off the line.
    private func hasTooFewRuns(_ line: Line?) -> Bool {
        guard line != nil else { return false }
        var (positive, runs, latest) = (0, 0, false)
        for (index, sample) in samples.enumerated() {
            let isPositive = sample.offset > offset(at: sample.middle)
            if isPositive { positive += 1 }
            if index == 0 || isPositive != latest { runs += 1 }
            latest = isPositive
        }
        let (count, products) = (Double(samples.count), 2 * Double(positive) * Double(samples.count - positive))
        let mean = 1 + products / count
        let variance = products * (products - count) / (count * count * (count - 1))
        guard variance > 0 else { return false }
        return Double(runs) - mean < -1.645 * variance.squareRoot()
    }

    /// Student's t that is exceeded in either direction once in a thousand times.
    static func studentQuantile(_ degreesOfFreedom: Int) -> Double {
        let table = [636.619, 31.599, 12.924, 8.610, 6.869, 5.959, 5.408, 5.041, 4.781, 4.587]
        if degreesOfFreedom <= table.count { return table[max(0, degreesOfFreedom - 1)] }
        // Fisher's expansion about the normal quantile 3.2905, its terms in 1/n.
        let reciprocal = 1 / Double(degreesOfFreedom)
        return 3.290_5 + reciprocal * (9.729_7 + reciprocal * (26.133 + reciprocal * (53.17 + reciprocal * 79.4)))
    }
}
