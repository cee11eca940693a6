import Results
import Glibc
import NetworkEmulation
import Scenario
import Timebase

/// How long packets travel, by the closed form of the law that was asked for, cut at zero.
///
/// It uses the C library and nothing of what the links' tables are made with. Of files it takes the law that they give.
struct DelayLaw {
    /// P(jitter ≤ x), x in nanoseconds.
    private let jitter: (Double) -> Double
    private let delay: Double
    /// Moments of an order below this exist.
    let tailIndex: Double
    /// The values at the midpoints of equal steps of a standard normal deviate, and the weights of these; for what is
    /// expected of the law.
    private let nodes: [(value: Int64, deviate: Double, weight: Double)]
    /// The scores at the nodes' values, each of these once, rising.
    private var places: [(value: Int64, score: Double)] = []

    private static let nodesPerUnit = 128

    /// - Throws: for files that cannot be read.
    init(_ law: ExperimentScenario.Link.Jitter.Law, delay: TimeSpan) throws {
        (jitter, tailIndex) = try Self.jitter(law)
        self.delay = Double(delay.nanoseconds)
        let (jitter, delay) = (jitter, self.delay)
        func cumulative(_ value: Int64) -> Double { value < 0 ? 0 : jitter(Double(value) - delay) }
        var latest: Int64 = 0
        let half = 8 * Self.nodesPerUnit
        let step = 1 / Double(Self.nodesPerUnit)
        nodes = (-half..<half).map { index in
            let z = (Double(index) + 0.5) * step
            latest = Self.least(from: latest) { cumulative($0) >= Self.normal(z) }
            return (latest, z, exp(-z * z / 2) * step / (2 * Double.pi).squareRoot())
        }
        for node in nodes where places.last?.value != node.value {
            // Of an atom the middle of its place.
            let place = (cumulative(node.value - 1) + cumulative(node.value)) / 2
            let tail = min(max(1 - place, 1e-15), 1 - 1e-15)
            places.append((node.value, NormalDistribution.deviate(upperTail: tail)))
        }
    }

    /// P(travelling time ≤ x).
    func cumulative(_ value: Int64) -> Double { value < 0 ? 0 : jitter(Double(value) - delay) }

    /// The least time that is not passed with a probability.
    func quantile(_ probability: Double) -> Int64 { Self.least(from: 0) { cumulative($0) >= probability } }

    /// The part of the law that one nanosecond can hold, as times are whole.
    var resolution: Double {
        nodes.reduce(0) { max($0, jitter(Double($1.value + 1) - delay) - jitter(Double($1.value) - delay)) }
    }

    /// What is expected of a function of the travelling time.
    func expected(_ function: (Double) -> Double) -> Double {
        nodes.reduce(0) { $0 + $1.weight * function(Double($1.value)) }
    }

    // MARK: Correlation

    /// A time's place in the law as a standard normal deviate, straight between the nodes.
    func score(_ value: Int64) -> Double {
        var (low, high) = (0, places.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if places[middle].value <= value { low = middle } else { high = middle }
        }
        let left = places[low]
        guard low + 1 < places.count, value > left.value else { return left.score }
        let right = places[low + 1]
        let part = Double(value - left.value) / Double(right.value - left.value)
        return left.score + part * (right.score - left.score)
    }

    /// The mean of scores, and their autocorrelation where the normal deviates behind the values have `correlation`
    /// (Mehler): Σ c_j² ρ^j / Σ c_j², j from 1 on, c_j the scores' coefficients by Hermite's polynomials of norm 1. A law
    /// without atoms has just ρ.
    func scores(correlation: Double) -> (mean: Double, autocorrelation: Double) {
        let degree = 40
        var coefficients = [Double](repeating: 0, count: degree + 1)
        for node in nodes {
            let score = score(node.value)
            var (before, polynomial) = (0.0, 1.0)
            for order in 0...degree {
                coefficients[order] += node.weight * score * polynomial
                let next =
                    (node.deviate * polynomial - Double(order).squareRoot() * before) / Double(order + 1).squareRoot()
                (before, polynomial) = (polynomial, next)
            }
        }
        var (sum, whole, power) = (0.0, 0.0, 1.0)
        for order in 1...degree {
            power *= correlation
            let square = coefficients[order] * coefficients[order]
            sum += square * power
            whole += square
        }
        return (coefficients[0], whole > 0 ? sum / whole : 0)
    }

    // MARK: The laws

    private typealias Jitter = (cumulative: (Double) -> Double, tailIndex: Double)

    private static func jitter(_ law: ExperimentScenario.Link.Jitter.Law) throws -> Jitter {
        switch law {
        case .normal(let deviation):
            let scale = Double(deviation.nanoseconds)
            return ({ normal($0 / scale) }, .infinity)
        case .uniform(let halfRange):
            let range = Double(halfRange.nanoseconds)
            return ({ min(1, max(0, ($0 / range + 1) / 2)) }, .infinity)
        case .exponential(let mean):
            let mean = Double(mean.nanoseconds)
            return ({ -expm1(-max(0, $0) / mean) }, .infinity)
        case .gamma(let mean, let shape):
            let scale = Double(mean.nanoseconds) / shape
            return ({ lowerGamma(shape, max(0, $0) / scale) }, .infinity)
        case .pareto(let mean, let shape):
            let least = Double(mean.nanoseconds) * (shape - 1) / shape
            return ({ $0 <= least ? 0 : 1 - pow(least / $0, shape) }, shape)
        case .paretoNormal(let scale):
            let scale = Double(scale.nanoseconds)
            return ({ paretoNormal($0 / scale) }, 3)
        case .table(let path, let deviation):
            let values = try ValueTable(dist: FileTree.contents(of: path), deviation: deviation).values
            return ({ Double(rank(of: $0, in: values)) / Double(values.count) }, .infinity)
        case .trace(let path):
            let values = try ValueTable(delays: FileTree.contents(of: path)).values.sorted()
            return ({ Double(rank(of: $0, in: values)) / Double(values.count) }, .infinity)
        case .empirical(let path):
            let table = try EmpiricalTable(empirical: FileTree.contents(of: path))
            return (empirical(table), .infinity)
        }
    }

    private static func normal(_ z: Double) -> Double { erfc(-z / 2.0.squareRoot()) / 2 }

    /// P(a, x): its series below a + 1, else one less than the continued fraction of Q (Abramowitz and Stegun 6.5.29,
    /// 6.5.31; the fraction by Lentz's method).
    private static func lowerGamma(_ a: Double, _ x: Double) -> Double {
        guard x > 0 else { return 0 }
        let factor = exp(a * log(x) - x - lgamma(a))
        if x < a + 1 {
            var (term, sum, n) = (1 / a, 1 / a, a)
            while term > sum * 1e-15 {
                n += 1
                term *= x / n
                sum += term
            }
            return min(1, factor * sum)
        }
        var b = x + 1 - a
        var (c, d) = (1e300, 1 / b)
        var fraction = d
        for i in 1...100_000 {
            let an = -Double(i) * (Double(i) - a)
            b += 2
            d = 1 / (an * d + b)
            c = b + an / c
            fraction *= c * d
            if abs(c * d - 1) < 1e-15 { break }
        }
        return max(0, 1 - factor * fraction)
    }

    /// x(z) = (z + 4 (Q(z)^(−1/3) − 1.5)) / 4 rises with z, Q being the normal law's upper tail.
    private static func paretoNormal(_ x: Double) -> Double {
        var (low, high) = (-12.0, 12.0)
        for _ in 0..<48 {
            let z = (low + high) / 2
            if z + 4 * (pow(normal(-z), -1.0 / 3) - 1.5) <= 4 * x { low = z } else { high = z }
        }
        return normal(low)
    }

    /// How many of sorted values are not above one.
    private static func rank(of value: Double, in values: [Int64]) -> Int {
        var (low, high) = (0, values.count)
        while low < high {
            let middle = (low + high) / 2
            if Double(values[middle]) <= value { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private static func empirical(_ table: EmpiricalTable) -> (Double) -> Double {
        let values = table.values
        let probabilities = table.probabilities.map { $0 == .max ? 1 : Double($0) / 0x1p64 }
        return { value in
            let count = rank(of: value, in: values)
            guard count > 0 else { return 0 }
            guard count < values.count else { return 1 }
            let (left, right) = (Double(values[count - 1]), Double(values[count]))
            let share = (value - left) / (right - left)
            return probabilities[count - 1] + share * (probabilities[count] - probabilities[count - 1])
        }
    }

    /// The least number from `first` on for which a condition holds that holds for all larger ones too.
    private static func least(from first: Int64, _ holds: (Int64) -> Bool) -> Int64 {
        guard !holds(first) else { return first }
        var (low, step): (Int64, Int64) = (first, 1)
        while low + step < 1 << 55, !holds(low + step) {
            low += step
            step *= 2
        }
        var high = min(low + step, 1 << 55)
        while high - low > 1 {
            let middle = low + (high - low) / 2
            if holds(middle) { high = middle } else { low = middle }
        }
        return high
    }
}
