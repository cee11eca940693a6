import Timebase

/// Limits of checks: numbers in the unit of what they limit.
extension Quantity {
    /// What a limit is for, each with the unit that it is measured in.
    public enum Measure: Sendable {
        /// ns.
        case time
        /// bit/s.
        case bitRate
        /// B.
        case byteCount
        /// 0...1.
        case share
        /// Parts per billion.
        case frequency
        /// ns/s.
        case slope
        /// 1/s.
        case perSecond
        /// A number without a unit.
        case plain
    }

    /// A limit in its measure's unit.
    public enum Limit: Equatable, Sendable {
        /// A number without a unit.
        case whole(Int64)
        /// The nearest to what was written.
        case fraction(Double)
    }

    /// Reads a limit: `45ms`, `4 Mbit/s`, `0.1%`, `20ppm`, `3/s`. Whole results are exact; a number may have an exponent.
    ///
    /// A bare number is in the measure's own unit; of times, rates and shares only zero may go without one.
    public static func limit(_ text: String, of measure: Measure) throws(QuantityProblem) -> Limit {
        func problem(_ hint: String) -> QuantityProblem { QuantityProblem(expected: measure.expected, hint: hint) }
        let body = text.drop { $0 == " " }
        let end = body.firstIndex { !"+-0123456789.eE".contains($0) } ?? body.endIndex
        guard let number = ExactDecimal(field: ArraySlice(body[..<end].utf8)) else {
            throw problem("it is not a number with a unit")
        }
        var name = body[end...].drop { $0 == " " }
        while name.last == " " { name.removeLast() }
        if name.isEmpty, measure.needsUnit, number.mantissa != 0 { throw problem("it needs a unit") }
        let units: [Measure.Unit] = measure.units + [("", 1, 0)]
        if let unit = units.first(where: { $0.name == name }) {
            // All digits of a whole number count, also behind the eighteenth.
            if unit.places == 0, let whole = Int64(body[..<end]),
                !whole.multipliedReportingOverflow(by: unit.factor).overflow
            {
                return .whole(whole * unit.factor)
            }
            guard let limit = number.limit(factor: unit.factor, places: unit.places) else {
                throw problem("the number is too large")
            }
            return limit
        }
        let known = Measure.all.flatMap { $0.units.map(\.name) }
        guard !known.contains(String(name)) else { throw problem("its unit does not fit") }
        let near = Suggestions.question(Suggestions.nearest(to: String(name), among: known))
        throw problem("unknown unit '\(name)'" + (near.map { ", " + $0 } ?? ""))
    }

    /// A decimal text, perhaps with an exponent, times 10^`places`: every digit of it and no more.
    public static func decimal(_ text: String, shiftedBy places: Int) -> String { decimalShifted(text, by: places) }
}

extension Quantity.Measure {
    /// A unit is `factor` · 10^`places` of the measure's own.
    typealias Unit = (name: String, factor: Int64, places: Int)

    fileprivate static let all: [Self] = [.time, .bitRate, .byteCount, .share, .frequency, .slope, .perSecond]

    fileprivate var needsUnit: Bool { self == .time || self == .bitRate || self == .share }

    fileprivate var units: [Unit] {
        switch self {
        case .time: QuantityKind.time.units.map { ($0.name, $0.factor, 0) }
        case .bitRate: QuantityKind.bitRate.units.map { ($0.name, $0.factor, 0) }
        case .byteCount: QuantityKind.byteCount.units.map { ($0.name, $0.factor, 0) }
        case .share: [("%", 1, -2), ("ppm", 1, -6), ("ppb", 1, -9)]
        case .frequency: [("ppb", 1, 0), ("ppm", 1_000, 0), ("%", 10_000_000, 0)]
        case .slope:
            [("ns/s", 1, 0), ("us/s", 1_000, 0), ("µs/s", 1_000, 0), ("ms/s", 1_000_000, 0)]
                + Self.frequency.units
        case .perSecond: [("/s", 1, 0), ("1/s", 1, 0)]
        case .plain: []
        }
    }

    fileprivate var expected: String {
        switch self {
        case .time: "a time: 45ms, 500us, 1.5s"
        case .bitRate: "a rate: 4 Mbit/s, 192 kbit/s"
        case .byteCount: "a size: 1500 B, 64 kB"
        case .share: "a share: 0.1%, 50ppm"
        case .frequency: "a frequency error: 40ppm, 500ppb"
        case .slope: "a slope: 20ppm, 5us/s"
        case .perSecond: "a number per second: 3 or 3/s"
        case .plain: "a number without a unit: 0"
        }
    }
}

extension ExactDecimal {
    /// Times `factor` · 10^`places`; nil where that is beyond all numbers.
    fileprivate func limit(factor: Int64, places: Int) -> Quantity.Limit? {
        if places == 0, case .success(let whole) = times(factor) { return .whole(whole) }
        let value = double(shiftedRight: -places) * Double(factor)
        guard value.isFinite else { return nil }
        return Int64(exactly: value).map { .whole($0) } ?? .fraction(value)
    }
}
