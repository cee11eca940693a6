import Scenario

/// A number with a unit, as the right side of a check gives it: "45ms", "4 Mbit/s", "0.1%".
struct Quantity: Equatable {
    enum Dimension: Equatable {
        case bare, time, rate, size, share, perSecond, slope
    }

    /// In the dimension's base unit: ns, bit/s, B, 1, 1/s, ns/s.
    var value: JSONValue
    var dimension: Dimension

    private struct Unit {
        var name: String
        var dimension: Dimension
        /// The unit is `factor` · 10^`exponent` base units.
        var exponent: Int
        var factor: Int64 = 1
    }

    /// The micro sign (U+00B5) and the Greek letter (U+03BC) look alike; both are accepted.
    private static let units: [Unit] = [
        Unit(name: "", dimension: .bare, exponent: 0),
        Unit(name: "ns", dimension: .time, exponent: 0),
        Unit(name: "us", dimension: .time, exponent: 3),
        Unit(name: "\u{B5}s", dimension: .time, exponent: 3),
        Unit(name: "\u{3BC}s", dimension: .time, exponent: 3),
        Unit(name: "ms", dimension: .time, exponent: 6),
        Unit(name: "s", dimension: .time, exponent: 9),
        Unit(name: "min", dimension: .time, exponent: 9, factor: 60),
        Unit(name: "h", dimension: .time, exponent: 9, factor: 3600),
        Unit(name: "bit/s", dimension: .rate, exponent: 0),
        Unit(name: "kbit/s", dimension: .rate, exponent: 3),
        Unit(name: "Mbit/s", dimension: .rate, exponent: 6),
        Unit(name: "Gbit/s", dimension: .rate, exponent: 9),
        Unit(name: "B", dimension: .size, exponent: 0),
        Unit(name: "kB", dimension: .size, exponent: 3),
        Unit(name: "MB", dimension: .size, exponent: 6),
        Unit(name: "GB", dimension: .size, exponent: 9),
        Unit(name: "%", dimension: .share, exponent: -2),
        Unit(name: "ppm", dimension: .share, exponent: -6),
        Unit(name: "ppb", dimension: .share, exponent: -9),
        Unit(name: "/s", dimension: .perSecond, exponent: 0),
        Unit(name: "1/s", dimension: .perSecond, exponent: 0),
        Unit(name: "ns/s", dimension: .slope, exponent: 0),
        Unit(name: "us/s", dimension: .slope, exponent: 3),
        Unit(name: "\u{B5}s/s", dimension: .slope, exponent: 3),
        Unit(name: "ms/s", dimension: .slope, exponent: 6),
    ]

    /// Reads a limit for a metric and converts it to the metric's own unit; whole results stay exact.
    ///
    /// A bare number is in the metric's own unit; for times, rates and shares only zero may go without one.
    ///
    /// - Throws: ``UserFacingError`` (usage).
    static func limit(_ text: String, for unit: MetricUnit) throws(UserFacingError) -> JSONValue {
        let body = text.drop { $0 == " " }
        let numberEnd = body.firstIndex { !"+-0123456789.eE".contains($0) } ?? body.endIndex
        // "1e" is a number only when digits follow: units do not begin with e.
        guard let decimal = Decimal(String(body[..<numberEnd])) else {
            throw .usage("'\(text)' is not a number with a unit", remedy: examples(for: unit))
        }
        let name = body[numberEnd...].drop { $0 == " " }
        guard let given = units.first(where: { $0.name == name }) else {
            let near = Suggestions.nearest(to: String(name), among: units.map(\.name).filter { !$0.isEmpty })
            throw .usage("'\(text)': unknown unit '\(name)'", remedy: Suggestions.question(near) ?? examples(for: unit))
        }
        if given.dimension == .bare, [.nanoseconds, .bitsPerSecond, .ratio].contains(unit), Double(body) != 0 {
            throw .usage("'\(text)' needs a unit", remedy: examples(for: unit))
        }
        guard let exponent = exponent(from: given.dimension, to: unit) else {
            throw .usage(
                "'\(text)' does not fit a metric in \(unit.name ?? "plain numbers")", remedy: examples(for: unit))
        }
        return decimal.scaled(exponent: given.exponent + exponent, factor: given.factor)
    }

    /// Power of ten from a dimension's base unit to a metric's unit; nil when one is not the other.
    private static func exponent(from dimension: Dimension, to unit: MetricUnit) -> Int? {
        switch (dimension, unit) {
        case (.bare, _): 0
        case (.time, .nanoseconds), (.rate, .bitsPerSecond), (.size, .bytes), (.share, .ratio): 0
        case (.perSecond, .perSecond), (.slope, .nanosecondsPerSecond): 0
        case (.share, .partsPerBillion), (.share, .nanosecondsPerSecond): 9
        default: nil
        }
    }

    private static func examples(for unit: MetricUnit) -> String {
        switch unit {
        case .nanoseconds: "write a time: 45ms, 500us, 1.5s"
        case .bitsPerSecond: "write a rate: 4 Mbit/s, 192 kbit/s"
        case .bytes: "write a size: 1500 B, 64 kB"
        case .ratio: "write a share: 0.1%, 50ppm"
        case .partsPerBillion: "write a frequency error: 40ppm, 500ppb"
        case .nanosecondsPerSecond: "write a slope: 20ppm, 5us/s"
        case .perSecond: "write a number per second: 3 or 3/s"
        case .count, .plain: "write a number without a unit: 0"
        case .text: "write a text: completed"
        case .truth: "write true or false"
        }
    }
}

/// A decimal number as it was written, before its unit is known.
struct Decimal {
    var isNegative: Bool
    /// Without point and sign.
    var digits: String
    var exponent: Int

    init?(_ text: String) {
        var rest = Substring(text)
        isNegative = rest.first == "-"
        if rest.first == "-" || rest.first == "+" { rest = rest.dropFirst() }
        let mantissa = rest.prefix { $0 != "e" && $0 != "E" }
        var exponent = 0
        if mantissa.endIndex < rest.endIndex {
            guard let written = Int(rest[rest.index(after: mantissa.endIndex)...]), abs(written) < 1000 else {
                return nil
            }
            exponent = written
        }
        let parts = mantissa.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let whole = parts.first ?? ""
        let fraction = parts.count > 1 ? parts[1] : ""
        guard whole.count + fraction.count > 0, !whole.isEmpty, (whole + fraction).utf8.allSatisfy({ 48...57 ~= $0 })
        else { return nil }
        digits = String(whole + fraction)
        self.exponent = exponent - fraction.count
    }

    /// Times 10^`shift`, every digit of it and no more: "45.67", "30", "-0.1".
    func text(shiftedBy shift: Int) -> String {
        var kept = Substring(digits)
        var exponent = exponent + shift
        while kept.count > 1, kept.last == "0" {
            kept = kept.dropLast()
            exponent += 1
        }
        while kept.count > 1, kept.first == "0" { kept = kept.dropFirst() }
        if kept == "0" { return "0" }
        var text = String(kept)
        if exponent >= 0 {
            text += String(repeating: "0", count: exponent)
        } else {
            if text.count <= -exponent { text = String(repeating: "0", count: 1 - exponent - text.count) + text }
            text.insert(".", at: text.index(text.endIndex, offsetBy: exponent))
        }
        return (isNegative ? "-" : "") + text
    }

    /// Times `factor` · 10^`exponent`: an exact integer where it is one and fits, else the nearest `Double`.
    func scaled(exponent shift: Int, factor: Int64) -> JSONValue {
        var kept = Substring(digits)
        var exponent = exponent + shift
        while exponent < 0, kept.count > 1, kept.last == "0" {
            kept = kept.dropLast()
            exponent += 1
        }
        if exponent >= 0, exponent < 19, let mantissa = Int64(kept) {
            var (value, overflow) = mantissa.multipliedReportingOverflow(by: factor)
            for _ in 0..<exponent where !overflow { (value, overflow) = value.multipliedReportingOverflow(by: 10) }
            if !overflow { return .integer(isNegative ? -value : value) }
        }
        // One correctly rounded conversion instead of a division that rounds again.
        let nearest = (Double("\(kept)e\(exponent)") ?? 0) * Double(factor)
        return nearest == 0 ? .integer(0) : JSONValue(isNegative ? -nearest : nearest)
    }
}
