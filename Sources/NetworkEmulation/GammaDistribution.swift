import Timebase

/// e to the power `x`, within some units in the last place and the same on every machine; 0 below -745, infinity above
/// 709. Only + − × ÷ are used. For when a scenario loads, not for every packet.
func exponential(_ x: Double) -> Double {
    guard x > -745 else { return x.isNaN ? x : 0 }
    guard x < 709 else { return .infinity }
    // x = n ln 2 + r with |r| ≤ ln 2 / 2, ln 2 in two parts as in `naturalLogarithm`.
    let count = (x * 1.442_695_040_888_963_4).rounded()
    let r = (x - count * 0x1.62e42fefa3800p-1) - count * 0x1.ef35793c76730p-45
    var sum = 1.0
    for n in stride(from: 16.0, through: 1.0, by: -1.0) { sum = 1 + sum * r / n }
    return Double(sign: .plus, exponent: Int(count) / 2, significand: sum)
        * Double(sign: .plus, exponent: Int(count) - Int(count) / 2, significand: 1)
}

/// `base` to a power, base more than 0.
func power(_ base: Double, _ exponent: Double) -> Double { exponential(exponent * naturalLogarithm(base)) }

extension NormalDistribution {
    /// The probability that a standard normal deviate exceeds `x`, `x` not negative.
    static func upperTail(_ x: Double) -> Double {
        let density = exponential(-x * x / 2) / (2 * Double.pi).squareRoot()
        if x < 2.5 {
            // ½ − φ(x) (x + x³/3 + x⁵/15 + …)
            var (term, sum, n) = (x, x, 1.0)
            while term > 1e-18 {
                n += 2
                term *= x * x / n
                sum += term
            }
            return 0.5 - density * sum
        }
        // Laplace's continued fraction: φ(x) / (x + 1/(x + 2/(x + 3/…)))
        var fraction = x
        for n in stride(from: 80.0, through: 1.0, by: -1.0) { fraction = x + n / fraction }
        return density / fraction
    }
}

/// The gamma distribution with mean 1.
struct GammaDistribution {
    let shape: Double
    private let logGamma: Double

    init(shape: Double) {
        self.shape = shape
        // Stirling's series, ten places up.
        var (z, shift) = (shape, 0.0)
        while z < 10 {
            shift += naturalLogarithm(z)
            z += 1
        }
        let inverse = 1 / (z * z)
        let series = (1 / 12.0 - inverse * (1 / 360.0 - inverse * (1 / 1_260.0 - inverse / 1_680))) / z
        logGamma = (z - 0.5) * naturalLogarithm(z) - z + 0.5 * naturalLogarithm(2 * Double.pi) + series - shift
    }

    /// Lower and upper tail of the standard gamma distribution at `x` more than 0: the smaller from its own expansion.
    func tails(_ x: Double) -> (lower: Double, upper: Double) {
        let factor = exponential(shape * naturalLogarithm(x) - x - logGamma)
        if x < shape + 1 {
            var (term, sum, a) = (1 / shape, 1 / shape, shape)
            while term > sum * 1e-16 {
                a += 1
                term *= x / a
                sum += term
            }
            let lower = factor * sum
            return (lower, 1 - lower)
        }
        // Lentz's method for Legendre's continued fraction.
        var b = x + 1 - shape
        var (c, d) = (1e300, 1 / b)
        var h = d
        for n in 1...10_000 {
            let a = -Double(n) * (Double(n) - shape)
            b += 2
            d = 1 / (a * d + b)
            c = b + a / c
            h *= d * c
            if abs(d * c - 1) < 1e-15 { break }
        }
        let upper = factor * h
        return (1 - upper, upper)
    }
}
