import Timebase

/// How far a sample lies from the law that it should follow, and how far it may by chance.
///
/// Bounds are given by `tail`: how often a sample of the law itself passes them, 5.7e-7 being five standard deviations of a
/// normal law either way and 1e-3 a confidence of 99.9 %. `inflation` is by how much correlation enlarges the variance of
/// a mean over the sample: 1 + 2 (ρ1 + ρ2 + …), which is (1 + ρ) / (1 − ρ) for ρk = ρ^k. Of values that are functions of
/// an autoregressive normal process of the first order (a Gaussian copula) no function is more correlated than the process
/// itself (Gebelein's inequality), so that this factor is an upper bound for means, shares, quantiles and, by Anderson's
/// inequality, the Kolmogorov distance.
public enum SampleStatistics {
    /// Once in 1.7 million: what a normal deviate of five standard deviations either way has.
    public static let fiveSigma = 5.733_031_4e-7

    /// By how much first-order correlation enlarges the variance of means.
    ///
    /// - Parameter correlation: of neighbours, -1 < ρ < 1; of a two-state chain (Gilbert and Elliott) 1 − p − r.
    public static func inflation(correlation: Double) -> Double { (1 + correlation) / (1 - correlation) }

    /// How far a mean may lie from the law's.
    ///
    /// - Parameter variance: the law's; of a share p it is p (1 − p).
    public static func meanLimit(variance: Double, count: Int, tail: Double, inflation: Double = 1) -> Double {
        NormalDistribution.deviate(upperTail: tail / 2) * (max(0, variance) / Double(count) * inflation).squareRoot()
    }

    /// How far a standard deviation may lie from the law's: that of the sample's is σ √((κ − 1) / 4n).
    ///
    /// - Parameter kurtosis: κ = E(x − μ)⁴ / σ⁴ of the law, 3 for a normal one; finite.
    public static func deviationLimit(
        deviation: Double, kurtosis: Double, count: Int, tail: Double, inflation: Double = 1
    ) -> Double {
        deviation / 2 * meanLimit(variance: kurtosis - 1, count: count, tail: tail, inflation: inflation)
    }

    /// Mean and standard deviation (of the population); nil without values.
    public static func moments(of sample: [Int64]) -> (mean: Double, deviation: Double)? {
        guard !sample.isEmpty else { return nil }
        let (count, origin) = (Double(sample.count), Double(sample[0]))
        var (sum, squares) = (0.0, 0.0)
        for value in sample { sum += Double(value) - origin }
        let mean = sum / count
        for value in sample {
            let distance = Double(value) - origin - mean
            squares += distance * distance
        }
        return (origin + mean, (squares / count).squareRoot())
    }

    /// The Kolmogorov-Smirnov distance: the largest between a sample's cumulative distribution and a law's.
    ///
    /// - Parameters:
    ///   - sorted: whole numbers in rising order, at least one.
    ///   - step: the law is asked for at every so many-th value; the distance comes out too large by up to step / n.
    ///   - cumulative: P(X ≤ x) at whole numbers; what jumps at one is taken for an atom of the law.
    /// - Complexity: O(n / step).
    public static func kolmogorovDistance<Values: RandomAccessCollection<Int64>>(
        of sorted: Values, every step: Int = 1, _ cumulative: (Int64) -> Double
    ) -> Double {
        let count = Double(sorted.count)
        func value(_ rank: Int) -> Int64 { sorted[sorted.index(sorted.startIndex, offsetBy: rank)] }
        var distance = cumulative(value(0) - 1)
        for rank in stride(from: 0, to: sorted.count, by: step) {
            // From this value up to before the next one the sample's law lies between these two.
            let next = min(rank + step, sorted.count)
            let (low, high) = (Double(rank + 1) / count, Double(next) / count)
            let beforeNext = next < sorted.count ? cumulative(value(next) - 1) : 1
            distance = max(distance, high - cumulative(value(rank)), beforeNext - low)
        }
        return distance
    }

    /// How large the Kolmogorov-Smirnov distance may be: 2 e^(−2 n d²) = tail (Kolmogorov's limit law, its first term).
    public static func kolmogorovLimit(count: Int, tail: Double, inflation: Double = 1) -> Double {
        (naturalLogarithm(2 / tail) / 2 / Double(count) * inflation).squareRoot()
    }

    /// The ranks between which a law's quantile lies in a sorted sample, whatever the law.
    ///
    /// That is, in units of the quantile, ± z √(q (1 − q) / n) / f(x) with the density f.
    ///
    /// - Parameter probability: 0...1.
    public static func quantileRanks(
        _ probability: Double, count: Int, tail: Double, inflation: Double = 1
    ) -> ClosedRange<Int> {
        let half = meanLimit(
            variance: probability * (1 - probability), count: count, tail: tail, inflation: inflation)
        let low = (Double(count) * (probability - half)).rounded(.down) - 1
        let high = (Double(count) * (probability + half)).rounded(.up)
        return Int(max(0, low))...Int(min(Double(count - 1), high))
    }

    /// The autocorrelation at a lag within blocks, and its standard error as the blocks' own scatter has it.
    ///
    /// Pairs reach over no block's end. Where a process begins anew with every block, blocks are independent and the error
    /// needs no more assumptions; else blocks should be long beside its memory.
    ///
    /// - Parameters:
    ///   - mean: the law's.
    ///   - variance: the law's, more than 0.
    ///   - block: values in a block, more than `lag`; what is left behind the last whole one is not used.
    /// - Returns: nil for less than two blocks.
    public static func autocorrelation(
        of sample: [Int64], lag: Int, mean: Double, variance: Double, block: Int
    ) -> (value: Double, error: Double)? {
        let blocks = sample.count / block
        guard blocks > 1, block > lag else { return nil }
        var (sum, squares) = (0.0, 0.0)
        for index in 0..<blocks {
            var products = 0.0
            for position in index * block + lag..<(index + 1) * block {
                products += (Double(sample[position]) - mean) * (Double(sample[position - lag]) - mean)
            }
            let own = products / Double(block - lag) / variance
            sum += own
            squares += own * own
        }
        let (count, value) = (Double(blocks), sum / Double(blocks))
        let scatter = max(0, squares / count - value * value) / (count - 1)
        return (value, scatter.squareRoot())
    }

    /// How often runs of `value` of each length come, those at the ends, which may be cut, left out.
    public static func runLengths(of value: Bool, in sequence: some Sequence<Bool>) -> [Int: Int] {
        var counts: [Int: Int] = [:]
        // Nil before the first other value.
        var length: Int?
        for item in sequence {
            if item == value {
                length = length.map { $0 + 1 }
            } else {
                if let length, length > 0 { counts[length, default: 0] += 1 }
                length = 0
            }
        }
        return counts
    }
}
