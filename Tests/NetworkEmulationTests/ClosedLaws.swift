import Glibc
import Timebase

@testable import NetworkEmulation

/// A law of delays, as the link draws it and as its closed form has it. The closed forms use the C library and nothing of
/// what the tables are made with.
struct ClosedLaw: Sendable {
    let name: String
    let jitter: DelayModel.Jitter
    /// The value at a draw.
    let value: @Sendable (UInt64) -> Int64
    /// P(X ≤ x), x in nanoseconds.
    let cumulative: @Sendable (Double) -> Double
    /// Nanoseconds; nil where the variance is infinite: only quantiles are judged then.
    let moments: (mean: Double, deviation: Double)?
    /// E(x − μ)⁴ / σ⁴; nil where it is infinite: the sample's deviation and correlation have no error bound then.
    let kurtosis: Double?
}

extension ClosedLaw {
    private init(
        _ name: String, _ table: QuantileTable, moments: (mean: Double, deviation: Double)?, kurtosis: Double?,
        _ cumulative: @escaping @Sendable (Double) -> Double
    ) {
        self.init(
            name: name, jitter: .quantiles(table), value: { table.value(at: $0) }, cumulative: cumulative,
            moments: moments, kurtosis: kurtosis)
    }

    static let ms = 1e6

    static let normal = ClosedLaw(
        "normal", .normal(deviation: .milliseconds(5)), moments: (0, 5 * ms), kurtosis: 3
    ) { erfc(-$0 / (5 * ms) / 2.0.squareRoot()) / 2 }

    static let uniform = ClosedLaw(
        "uniform", .uniform(halfRange: .milliseconds(5)), moments: (0, 10 * ms / 12.0.squareRoot()), kurtosis: 1.8
    ) { min(1, max(0, $0 / (10 * ms) + 0.5)) }

    static let all: [ClosedLaw] =
        [
            normal, uniform,
            ClosedLaw("exponential", .exponential(mean: .milliseconds(7)), moments: (7 * ms, 7 * ms), kurtosis: 9) {
                -expm1(-max(0, $0) / (7 * ms))
            },
            paretoNormal, empirical, distribution,
        ] + [0.5, 2.5, 7].map(gamma) + [1.2, 2.5, 3.5, 6].map(pareto)

    /// P(a, x) rises from the error function (a = ½) or the exponential (a = 1) by
    /// P(a + 1, x) = P(a, x) − x^a e^(−x) / Γ(a + 1).
    static func gamma(shape: Double) -> ClosedLaw {
        ClosedLaw(
            "gamma \(shape)", .gamma(mean: .milliseconds(10), shape: shape),
            moments: (10 * ms, 10 * ms / shape.squareRoot()), kurtosis: 3 + 6 / shape
        ) { value in
            let x = max(0, value) / (10 * ms) * shape
            var a = shape.truncatingRemainder(dividingBy: 1) == 0 ? 1 : 0.5
            var lower = a == 1 ? -expm1(-x) : erf(x.squareRoot())
            while a < shape {
                lower -= pow(x, a) * exp(-x) / tgamma(a + 1)
                a += 1
            }
            return lower
        }
    }

    static func pareto(shape a: Double) -> ClosedLaw {
        let least = 9 * ms * (a - 1) / a
        let deviation = a > 2 ? least / (a - 1) * (a / (a - 2)).squareRoot() : nil
        let kurtosis = a > 4 ? 3 + 6 * (a * a * a + a * a - 6 * a - 2) / (a * (a - 3) * (a - 4)) : nil
        return ClosedLaw(
            "Pareto \(a)", .pareto(mean: .milliseconds(9), shape: a), moments: deviation.map { (9 * ms, $0) },
            kurtosis: kurtosis
        ) { $0 <= least ? 0 : 1 - pow(least / $0, a) }
    }

    /// x(z) = (z + 4 (Q(z)^(−1/3) − 1.5)) / 4 scales, Q the normal law's upper tail: found by halving. Its variance is
    /// 1/16 + ¾ + ½ E(z Q(z)^(−1/3)); its fourth moment is infinite, as that of Pareto's law of shape 3.
    static let paretoNormal: ClosedLaw = {
        @Sendable func tail(_ z: Double) -> Double { erfc(z / 2.0.squareRoot()) / 2 }
        let covariance = nodes.reduce(0) { $0 + $1.weight * $1.z * pow(tail($1.z), -1.0 / 3) }
        return ClosedLaw(
            "paretonormal", .paretoNormal(scale: .milliseconds(8)),
            moments: (0, 8 * ms * (1.0 / 16 + 0.75 + covariance / 2).squareRoot()), kurtosis: nil
        ) { value in
            var (low, high) = (-9.0, 9.0)
            for _ in 0..<50 {
                let z = (low + high) / 2
                if (z + 4 * (pow(tail(z), -1.0 / 3) - 1.5)) / 4 * 8 * ms <= value { low = z } else { high = z }
            }
            return tail(-low)
        }
    }()

    /// A quarter at 1 ms, a quarter evenly between 1 and 2 ms, a quarter at 2 ms, a quarter evenly between 10 and 12 ms.
    static let empirical: ClosedLaw = {
        let points: [(value: TimeSpan, probability: Double)] = [
            (.milliseconds(1), 0.25), (.milliseconds(2), 0.5), (.milliseconds(2), 0.75), (.milliseconds(10), 0.75),
            (.milliseconds(12), 1),
        ]
        // Of a piece from a to b the n-th moment is (b^(n+1) − a^(n+1)) / ((n + 1) (b − a)).
        let raw = (1...4).map { n in
            let power = Double(n)
            let low = (pow(2, power + 1) - 1) / (power + 1)
            let high = (pow(12, power + 1) - pow(10, power + 1)) / (power + 1) / 2
            return (1 + low + pow(2, power) + high) / 4
        }
        let (mean, second, third, fourth) = (raw[0], raw[1], raw[2], raw[3])
        let variance = second - mean * mean
        let central = fourth - 4 * mean * third + 6 * mean * mean * second - 3 * mean * mean * mean * mean
        guard let table = EmpiricalTable(points) else { fatalError("the points are a law") }
        return ClosedLaw(
            name: "empirical", jitter: .empirical(table), value: { table.value(at: $0) },
            cumulative: { value in
                let x = value / ms
                return x < 1 ? 0 : x < 2 ? 0.25 * x : x < 10 ? 0.75 : min(1, 0.75 + (x - 10) / 8)
            }, moments: (mean * ms, variance.squareRoot() * ms), kurtosis: central / variance / variance)
    }()

    /// 1,000 entries of an iproute2 table, lopsided and shuffled, for a deviation of 3 ms.
    static let distribution: ClosedLaw = {
        let entries = (0..<1_000).map { ($0 * 7_919 % 1_000) * ($0 * 7_919 % 1_000) / 50 - 6_000 }
        let text = entries.map(String.init).joined(separator: " ")
        guard let table = try? ValueTable(dist: Array(text.utf8), deviation: .milliseconds(3)) else {
            fatalError("the entries are a table")
        }
        let values = entries.map { (Double($0) * 3 * ms / 8_192).rounded(.toNearestOrAwayFromZero) }.sorted()
        func moment(_ power: Double, around origin: Double) -> Double {
            values.reduce(0) { $0 + pow($1 - origin, power) } / 1_000
        }
        let mean = moment(1, around: 0)
        let variance = moment(2, around: mean)
        return ClosedLaw(
            name: ".dist table", jitter: .values(table), value: { table.value(at: $0) },
            cumulative: { value in
                var (low, high) = (0, values.count)
                while low < high {
                    let middle = (low + high) / 2
                    if values[middle] <= value { low = middle + 1 } else { high = middle }
                }
                return Double(low) / 1_000
            }, moments: (mean, variance.squareRoot()),
            kurtosis: moment(4, around: mean) / variance / variance)
    }()

    /// Midpoints of 1/512 and their weights in an integral over the normal law.
    private static let nodes: [(z: Double, weight: Double)] = (-4_096..<4_096).map { step in
        let z = (Double(step) + 0.5) / 512
        return (z, exp(-z * z / 2) / 512 / (2 * Double.pi).squareRoot())
    }

    /// The autocorrelation where the normal deviates behind the values have correlation r (Mehler): Σ c_j² r^j / σ²
    /// with c_j = ∫ x(z) he_j(z) φ(z) dz, he_j the Hermite polynomials of norm 1 and x(z) the quantile at Φ(z), found from
    /// the cumulative law by halving.
    func autocorrelation(_ correlations: [Double]) -> [Double] {
        guard let moments, correlations.contains(where: { $0 != 0 }) else { return correlations }
        let degree = 60
        var coefficients = [Double](repeating: 0, count: degree + 1)
        for (z, weight) in Self.nodes {
            let probability = erfc(-z / 2.0.squareRoot()) / 2
            var (low, high) = (-1e9, 1e10)
            for _ in 0..<50 {
                let middle = (low + high) / 2
                if cumulative(middle) < probability { low = middle } else { high = middle }
            }
            var (before, polynomial) = (0.0, 1.0)
            for j in 0...degree {
                coefficients[j] += weight * high * polynomial
                let next = (z * polynomial - Double(j).squareRoot() * before) / Double(j + 1).squareRoot()
                (before, polynomial) = (polynomial, next)
            }
        }
        return correlations.map { r in
            var (sum, power) = (0.0, 1.0)
            for j in 1...degree {
                power *= r
                sum += coefficients[j] * coefficients[j] * power
            }
            return sum / (moments.deviation * moments.deviation)
        }
    }
}
