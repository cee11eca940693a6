import Glibc
import Testing

@testable import Timebase

@Suite("Logarithm and the normal distribution's quantiles")
struct NormalDistributionTests {
    @Test("the logarithm is within 2 units in the last place of the C library's")
    func logarithm() {
        let key = DrawKey(seed: 31)
        for index in 0..<20_000 as Range<Int64> {
            // Random bits are numbers of all sizes; and numbers next to 1, where digits cancel.
            let bits = Double(bitPattern: key.draw(index) & 0x7fff_ffff_ffff_ffff)
            let near = 1 + (Double(key.named("near").draw(index)) * 0x1p-64 - 0.5) / Double(1 + index % 1000)
            for x in [bits, near] where x.isFinite && x > 0 {
                let exact = log(x)
                #expect(abs(naturalLogarithm(x) - exact) <= 2 * exact.ulp, "\(x)")
            }
        }
    }

    @Test("the logarithm at its edges")
    func edges() {
        #expect(naturalLogarithm(1) == 0)
        #expect(naturalLogarithm(0) == -.infinity && naturalLogarithm(.infinity) == .infinity)
        #expect(naturalLogarithm(-1).isNaN && naturalLogarithm(.nan).isNaN)
        #expect(abs(naturalLogarithm(.leastNonzeroMagnitude) + 744.440_071_921_381_3) < 1e-12)
    }

    @Test(
        "deviates are those of 40-digit arithmetic to 1e-12",
        arguments: [
            (0.5, 0), (0.4, 0.253347103135799741), (0.075, 1.43953147093845593), (0.0749, 1.44023826752796366),
            (0.025, 1.95996398454005421), (0.001, 3.09023230616781354), (1e-6, 4.75342430882289896),
            (0x1p-33, 6.33795775455378925), (1e-12, 7.03448382530113193), (1e-20, 9.26234008979840758),
            (1e-100, 21.2734535609653243),
        ])
    func deviates(tail: Double, deviate: Double) {
        #expect(abs(NormalDistribution.deviate(upperTail: tail) - deviate) <= 1e-12)
        if tail > 1e-3 { #expect(abs(NormalDistribution.deviate(upperTail: 1 - tail) + deviate) <= 1e-12) }
    }

    @Test("erfc of a deviate gives its tail back")
    func inverse() {
        for step in 1..<2000 {
            let tail = Double(step) / 2000
            let back = erfc(NormalDistribution.deviate(upperTail: tail) / 2.0.squareRoot()) / 2
            #expect(abs(back / tail - 1) < 1e-12)
        }
    }
}

@Suite("Quantile tables")
struct QuantileTableTests {
    static let seed: UInt64 = 4711
    static let count = 200_000

    /// A table, its closed form's cumulative distribution, mean and deviation, all in nanoseconds.
    struct Law: Sendable {
        let name: String
        let table: QuantileTable
        let cumulative: @Sendable (Double) -> Double
        /// 1 − cumulative, exact in the far tail.
        let survival: @Sendable (Double) -> Double
        let mean: Double
        let deviation: Double
    }

    static let laws = [
        Law(
            name: "uniform", table: .uniform(halfRange: .milliseconds(10)),
            cumulative: { ($0 + 1e7) / 2e7 }, survival: { (1e7 - $0) / 2e7 }, mean: 0,
            deviation: 2e7 / 12.0.squareRoot()),
        Law(
            name: "normal", table: .normal(deviation: .milliseconds(5)),
            cumulative: { erfc(-$0 / 5e6 / 2.0.squareRoot()) / 2 },
            survival: { erfc($0 / 5e6 / 2.0.squareRoot()) / 2 }, mean: 0, deviation: 5e6),
        Law(
            name: "exponential",
            table: QuantileTable { tail, isUpper in
                -5e6 * (isUpper ? naturalLogarithm(tail) : naturalLogarithm(1 - tail))
            },
            cumulative: { -expm1(-max(0, $0) / 5e6) }, survival: { exp(-max(0, $0) / 5e6) },
            mean: 5e6, deviation: 5e6),
    ]

    @Test("drawn values follow the law: moments within 5 sigma, Kolmogorov-Smirnov", arguments: laws.indices)
    func drawn(index: Int) {
        let law = Self.laws[index]
        let key = DrawKey(seed: Self.seed).named(law.name)
        var values = (0..<Int64(Self.count)).map { Double(law.table.value(at: key.draw($0))) }
        let count = Double(Self.count)
        let mean = values.reduce(0, +) / count
        let meanBound = 5 * law.deviation / count.squareRoot()
        #expect(abs(mean - law.mean) < meanBound, "\(law.name), seed \(Self.seed): \(mean)")
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
        // The deviation's own is at most deviation · √((kurtosis − 1)/4n): 2 for the exponential, the widest here.
        let bound = 5 * law.deviation * (2 / count).squareRoot()
        #expect(abs(variance.squareRoot() - law.deviation) < bound, "\(law.name), seed \(Self.seed)")
        values.sort()
        var distance = 0.0
        for (rank, value) in values.enumerated() {
            let p = law.cumulative(value)
            distance = max(distance, abs(p - Double(rank) / count), abs(p - Double(rank + 1) / count))
        }
        // The probability of passing 2.66/√n by chance is 1.4e-6, that of 5 sigma.
        #expect(distance < 2.66 / count.squareRoot(), "\(law.name), seed \(Self.seed): \(distance)")
    }

    @Test("quantiles reach their probability by the closed form, far tails too", arguments: laws.indices)
    func quantiles(index: Int) {
        let law = Self.laws[index]
        for octave in 1...32 {
            for part in 0..<50 {
                let tail = UInt64(Double(1 << (63 - UInt64(octave))) * (1 + Double(part) / 50))
                let p = Double(tail) * 0x1p-64
                let low = Double(law.table.value(at: tail))
                let high = Double(law.table.value(at: 0 &- tail))
                // To 2 ns, for the knots and the interpolation are whole nanoseconds, or to 1e-3 of the tail.
                let context: Comment = "\(law.name) \(p): \(low), \(high)"
                #expect(law.cumulative(low - 2) <= p * 1.001 && law.cumulative(low + 2) >= p * 0.999, context)
                #expect(law.survival(high + 2) <= p * 1.001 && law.survival(high - 2) >= p * 0.999, context)
            }
        }
    }

    @Test("values rise with their draws, over all edges of octaves and parts", arguments: laws.indices)
    func monotone(index: Int) {
        let table = Self.laws[index].table
        var draws: [UInt64] = [0, .max, 1 << 63 - 1, 1 << 63]
        for octave in 0..<63 as Range<UInt64> {
            for part in 64...128 as ClosedRange<UInt64> {
                let edge = octave < 57 ? part << (56 - octave) : part >> (octave - 56)
                for draw in [edge &- 1, edge, edge &+ 1] { draws += [draw, 0 &- draw] }
            }
        }
        let values = draws.sorted().map { table.value(at: $0) }
        for (left, right) in zip(values, values.dropFirst()) { #expect(left <= right) }
    }

    @Test("symmetric laws are symmetric to the nanosecond, and their middle is 0", arguments: [0, 1])
    func symmetric(index: Int) {
        let table = Self.laws[index].table
        let key = DrawKey(seed: Self.seed).named("symmetric")
        for number in 0..<5000 as Range<Int64> {
            let draw = key.draw(number)
            #expect(abs(table.value(at: draw) + table.value(at: ~draw)) <= 1)
        }
        #expect(abs(table.value(at: 1 << 63)) <= 1)
    }

    @Test("ends are held: the uniform's are its limits, the normal's 6.34 deviations; no width is a constant")
    func ends() {
        #expect(Self.laws[0].table.value(at: 0) == -10_000_000 && Self.laws[0].table.value(at: .max) == 10_000_000)
        #expect(Self.laws[1].table.value(at: .max) == 31_689_789)
        #expect(Self.laws[1].table.value(at: 0) == -31_689_789)
        let none = QuantileTable.normal(deviation: .zero)
        for draw in [0, 77, 1 << 63, .max] as [UInt64] { #expect(none.value(at: draw) == 0) }
    }
}
