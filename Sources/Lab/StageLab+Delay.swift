import Results
import Metrics
import NetworkEmulation
import Scenario
import Timebase

extension StageLab {
    mutating func delay(_ asked: ExperimentScenario.Link) throws {
        // Alone on the link nobody is in a packet's way: these are the law's own values.
        var alone = probe
        let sample = alone.travellingTimes(from: start, count: packets)
        let jitter = asked.jitter
        switch jitter?.law {
        case nil:
            let other = sample.first { $0 != asked.delay.nanoseconds } ?? asked.delay.nanoseconds
            book.exact("delay", .nanoseconds, asked: Double(asked.delay.nanoseconds), measured: Double(other))
        case .trace(let path):
            let values = try ValueTable(delays: FileTree.contents(of: path)).values
            let wrong = sample.indices.count { index in
                sample[index] != max(0, asked.delay.nanoseconds + values[(first + index) % values.count])
            }
            book.exact("packets with another delay than listed", .count, asked: 0, measured: Double(wrong))
        case .some(let law):
            compare(sample, try DelayLaw(law, delay: asked.delay), jitter?.correlation.value ?? 0)
        }
    }

    private mutating func compare(_ sample: [Int64], _ law: DelayLaw, _ correlation: Double) {
        // No function of the process behind the values is more correlated than it is (Gebelein's inequality).
        let inflation = max(1, SampleStatistics.inflation(correlation: correlation))
        moments(sample, law, inflation)
        let sorted = sample.sorted()
        for (name, probability) in Self.quantiles {
            let half = SampleStatistics.meanLimit(
                variance: probability * (1 - probability), count: sample.count, tail: LabCheck.tail,
                inflation: inflation)
            let rank = min(sample.count - 1, Int(Double(sample.count) * probability))
            book.add(
                name, .nanoseconds, asked: Double(law.quantile(probability)), measured: Double(sorted[rank]),
                low: Double(probability > half ? law.quantile(probability - half) - 1 : 0),
                high: Double(law.quantile(min(probability + half, 1 - 1e-12)) + 1))
        }
        let step = max(1, sample.count / 16_384)
        let limit =
            SampleStatistics.kolmogorovLimit(count: sample.count, tail: LabCheck.tail, inflation: inflation)
            + Double(step - 1) / Double(sample.count) + law.resolution
        book.add(
            "Kolmogorov-Smirnov distance", .plain, asked: 0,
            measured: SampleStatistics.kolmogorovDistance(of: sorted, every: step) { law.cumulative($0) }, low: 0,
            high: limit)
        autocorrelation(sample, law, correlation)
    }

    private static let quantiles: [(String, Double)] = [
        ("5 % quantile", 0.05), ("median", 0.5), ("95 % quantile", 0.95), ("99 % quantile", 0.99),
        ("99.9 % quantile", 0.999),
    ]

    /// The mean needs a third moment to be normal at these counts, the deviation a sixth.
    private mutating func moments(_ sample: [Int64], _ law: DelayLaw, _ inflation: Double) {
        guard let measured = SampleStatistics.moments(of: sample), law.tailIndex >= 3 else {
            return book.note("mean and deviation are not judged: the law's tail is too heavy")
        }
        let mean = law.expected { $0 }
        func moment(_ power: Int) -> Double {
            law.expected { value in (0..<power).reduce(1.0) { product, _ in product * (value - mean) } }
        }
        let variance = moment(2)
        book.add(
            "mean", .nanoseconds, asked: mean, measured: measured.mean,
            within: 1
                + SampleStatistics.meanLimit(
                    variance: variance, count: sample.count, tail: LabCheck.tail, inflation: inflation))
        guard law.tailIndex >= 6 else {
            return book.note("the deviation is not judged: the law's tail is too heavy")
        }
        let deviation = variance.squareRoot()
        let limit = SampleStatistics.deviationLimit(
            deviation: deviation, kurtosis: moment(4) / variance / variance, count: sample.count, tail: LabCheck.tail,
            inflation: inflation)
        book.add("deviation", .nanoseconds, asked: deviation, measured: measured.deviation, within: 1 + limit)
    }

    /// Of neighbours' normal scores, which have ρ whatever the law; its standard error is Bartlett's for a process of the
    /// first order, √((1 − ρ²) / n).
    private mutating func autocorrelation(_ sample: [Int64], _ law: DelayLaw, _ correlation: Double) {
        let asked = law.scores(correlation: correlation)
        var (products, squares, pairs) = (0.0, 0.0, 0)
        var before = 0.0
        for (number, value) in sample.enumerated() {
            let score = law.score(value) - asked.mean
            squares += score * score
            // Every 4,096 packets the process begins anew.
            if number % 4_096 > 0 {
                products += score * before
                pairs += 1
            }
            before = score
        }
        guard pairs > 0, squares > 0 else {
            return book.note("the autocorrelation is not judged: all delays are equal")
        }
        let measured = products / Double(pairs) / (squares / Double(sample.count))
        let limit = SampleStatistics.meanLimit(
            variance: 1 - asked.autocorrelation * asked.autocorrelation, count: pairs, tail: LabCheck.tail)
        book.add(
            "autocorrelation, lag 1", .plain, asked: asked.autocorrelation, measured: measured, within: limit)
    }

    // MARK: Order

    /// Whether packets sent close to each other overtake only when they may: each takes its own delay, or waits for those
    /// ahead, or goes early.
    mutating func order(_ asked: ExperimentScenario.Link, alone: LinkConfiguration) {
        var undisturbed = LinkProbe(alone, length: length, first: first)
        let own = undisturbed.travellingTimes(from: start, count: packets)
        let spacing = closeSpacing(own)
        var arrivals = [Int64](repeating: 0, count: packets)
        var probe = probe
        for number in 0..<packets {
            let now = start + .nanoseconds(spacing * Int64(number))
            probe.advance(to: now) { arrivals[Int($0.number) - first] = $0.time.nanoseconds }
            _ = probe.handle(probe.packet(number, at: now), at: now)
        }
        probe.finish { arrivals[Int($0.number) - first] = $0.time.nanoseconds }

        let keepsOrder = asked.jitter?.reorder != true
        var (early, candidates, wrong) = (0, 0, 0)
        var latest = Int64.min
        for number in 0..<packets {
            let sent = start.nanoseconds + spacing * Int64(number)
            let expected = keepsOrder ? max(latest, sent + own[number]) : sent + own[number]
            if expected > sent { candidates += 1 }
            if arrivals[number] == sent, expected > sent, asked.reorder != .zero {
                early += 1
                continue
            }
            wrong += arrivals[number] == expected ? 0 : 1
            latest = expected
        }
        book.exact(
            keepsOrder ? "overtaken, or not as late as law and order have it" : "held up by those ahead", .count,
            asked: 0,
            measured: Double(wrong))
        if asked.reorder != .zero {
            book.share("packets early", asked: asked.reorder.share.value, of: candidates, hits: early)
        }
    }

    /// A quarter of what usually lies between two delays, though no more than 256 packets are on their way.
    private func closeSpacing(_ times: [Int64]) -> Int64 {
        let some = times.prefix(10_000).sorted()
        let (low, middle, high) = (some[some.count / 6], some[some.count / 2], some[some.count * 5 / 6])
        return max((high - low) / 8, middle / 256, 1)
    }
}
