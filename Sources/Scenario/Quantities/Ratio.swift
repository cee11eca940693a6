import Timebase

/// A share, 0...1, kept as the number that was asked for.
public struct Ratio: Hashable, Sendable {
    /// 0...1.
    public let value: Double

    /// - Parameter value: 0...1; what lies outside is clamped.
    init(_ value: Double) { self.value = min(1, max(0, value)) }

    /// Nothing.
    public static let zero = Ratio(0)

    /// What a random stage draws with.
    var probability: Probability { Probability(value) }
}

/// Units a second, as a fraction in lowest terms: 25/1, 30000/1001.
struct UnitsPerSecond: Hashable, Sendable {
    /// 1...1,000,000.
    let numerator: Int64
    /// 1...3,603,600.
    let denominator: Int64

    init(numerator: Int64, denominator: Int64) {
        self.numerator = numerator
        self.denominator = denominator
    }
}
