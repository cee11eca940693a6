import Timebase

/// Why a text is not the quantity that was asked for.
public struct QuantityProblem: Error, Equatable, Sendable {
    /// What was asked for, with an example: "a time with its unit, such as 20ms".
    public var expected: String
    /// What to write instead, when that can be guessed.
    public var hint: String?
}

/// Reads quantities as a scenario and the command line write them: a decimal number and its unit, SI prefixes only
/// (k = 1000), every result exact.
///
/// A bare number is refused even if it is zero, since nothing says which unit its writer had in mind.
public enum Quantity {
    /// A time: `20ms`, `1.5 s`, `100 us`. Whole nanoseconds, of either sign.
    public static func time(_ text: String) throws(QuantityProblem) -> TimeSpan {
        .nanoseconds(try whole(text, .time))
    }

    /// A rate in bit/s: `5 Mbit/s`, `640 kbit/s`. Not negative.
    static func bitRate(_ text: String) throws(QuantityProblem) -> BitRate {
        BitRate(bitsPerSecond: UInt64(try notNegative(try whole(text, .bitRate), .bitRate)))
    }

    /// An amount of data in bytes: `64 kB`, `1200 B`. Not negative.
    public static func byteCount(_ text: String) throws(QuantityProblem) -> Int64 {
        try notNegative(try whole(text, .byteCount), .byteCount)
    }

    /// A relative frequency error in parts per billion: `30 ppm`, `-50 ppb`. Positive: gains.
    static func frequency(_ text: String) throws(QuantityProblem) -> Int64 {
        try whole(text, .frequency)
    }

    /// A number of packets: `100 packets`. Not negative.
    static func packetCount(_ text: String) throws(QuantityProblem) -> Int64 {
        try notNegative(try whole(text, .packetCount), .packetCount)
    }

    /// A share, 0...1, written in percent: `1.5%`. The nearest binary number to what is written.
    static func ratio(_ text: String) throws(QuantityProblem) -> Ratio {
        let problem = QuantityProblem(expected: "a percentage from 0% to 100%, such as 1.5%", hint: nil)
        guard let (number, unit) = ExactDecimal.prefix(of: text) else { throw problem.hinting(numberHint(text)) }
        guard unit == "%" else {
            var hint: String?
            if unit.isEmpty {
                let percent = decimalShifted(String(text.filter { $0 != " " }), by: 2)
                let isShare = number.mantissa >= 0 && number.double() <= 1
                hint = isShare ? "the unit is missing: \(percent)%, or \(text)%?" : "the unit is missing: \(text)%?"
            }
            throw problem.hinting(hint)
        }
        let value = number.double(shiftedRight: 2)
        guard (0...1).contains(value) else { throw problem }
        return Ratio(value)
    }

    /// Any number without a unit: `3`, `4.66`.
    static func number(_ text: String) throws(QuantityProblem) -> Double {
        guard let (number, rest) = ExactDecimal.prefix(of: text), rest.isEmpty else {
            throw QuantityProblem(expected: "a number without a unit, such as 3 or 4.66", hint: nil)
        }
        return number.double()
    }

    /// Units a second, exact: `25`, `30000/1001`, or one of the usual names of the NTSC rates.
    ///
    /// `23.976`, `23.98`, `29.97`, `59.94` and `119.88` are n·1000/1001, as everybody means them (SMPTE ST 2036-1
    /// names the rates by these fractions); every other decimal is what it says.
    static func unitRate(_ text: String) throws(QuantityProblem) -> UnitsPerSecond {
        let problem = QuantityProblem(
            expected: "units a second, such as 25, 29.97 or 30000/1001, from one an hour to 1000000", hint: nil)
        let nominal = ["23.976": 24, "23.98": 24, "29.97": 30, "59.94": 60, "119.88": 120][text]
        if let nominal { return UnitsPerSecond(numerator: Int64(nominal) * 1000, denominator: 1001) }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard (1...2).contains(parts.count), let (top, rest) = ExactDecimal.prefix(of: parts[0]) else { throw problem }
        guard rest.isEmpty else { throw problem.hinting("a number alone: \(decimal(top))") }
        var numerator = top.mantissa
        guard top.scale <= 9 else { throw problem }
        var denominator: Int64 = 1
        for _ in 0..<top.scale { denominator *= 10 }
        if parts.count == 2 {
            guard top.scale == 0, let (bottom, rest) = ExactDecimal.prefix(of: parts[1]), rest.isEmpty,
                bottom.scale == 0
            else { throw problem }
            denominator = bottom.mantissa
        }
        guard numerator > 0, denominator > 0 else { throw problem }
        let common = greatestCommonDivisor(numerator, denominator)
        numerator /= common
        denominator /= common
        // The bounds keep every later product of ticks and units within 63 bits.
        guard numerator <= 1_000_000, denominator <= 3_603_600, denominator <= 3600 * numerator
        else { throw problem }
        return UnitsPerSecond(numerator: numerator, denominator: denominator)
    }

    // MARK: - Units

    /// Parts per 10^18 of a kind of fine frequencies.
    static func parts(_ text: String, _ kind: QuantityKind) throws(QuantityProblem) -> Int64 { try whole(text, kind) }

    /// The number times its unit, whole.
    static func whole(_ text: String, _ kind: QuantityKind) throws(QuantityProblem) -> Int64 {
        let problem = QuantityProblem(expected: kind.expected, hint: nil)
        guard let (number, unit) = ExactDecimal.prefix(of: text) else { throw problem.hinting(numberHint(text)) }
        guard let factor = kind.units.first(where: { $0.name == unit })?.factor else {
            throw problem.hinting(kind.hint(number: decimal(number), unit: unit))
        }
        switch number.times(factor) {
        case .success(let value): return value
        case .failure(.tooLarge): throw problem.hinting("the number is too large")
        case .failure(.notWhole): throw problem.hinting("finer than \(kind.finest), the smallest step")
        }
    }

    private static func notNegative(_ value: Int64, _ kind: QuantityKind) throws(QuantityProblem) -> Int64 {
        guard value >= 0 else { throw QuantityProblem(expected: kind.expected, hint: "it cannot be negative") }
        return value
    }

    /// What to say about a text that does not begin with a number.
    private static func numberHint(_ text: String) -> String? {
        if text.contains(",") { return "the decimal sign is a point" }
        if text.utf8.filter({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }).count > 18 {
            return "at most 18 digits"
        }
        if text.hasPrefix(".") { return "a digit goes before the point: 0\(text)" }
        return nil
    }

    private static func decimal(_ number: ExactDecimal) -> String {
        var power: Int64 = 1
        for _ in 0..<number.scale { power *= 10 }
        return decimalText(number.mantissa, over: power)
    }
}

extension QuantityProblem {
    fileprivate func hinting(_ hint: String?) -> QuantityProblem { QuantityProblem(expected: expected, hint: hint) }
}

/// A unit family: its units, largest last, and what to say about others.
struct QuantityKind: Sendable {
    var expected: String
    /// The smallest step, in words.
    var finest: String
    var units: [(name: String, factor: Int64)]
    /// What the family's bare numbers might have meant.
    var usual: String
    /// Spellings that are not read, with the unit that was meant; nil where none is.
    var misspelled: [String: String] = [:]

    func hint(number: String, unit: String) -> String? {
        if unit.isEmpty { return "the unit is missing: \(number) \(usual)?" }
        if unit.hasPrefix(",") { return "the decimal sign is a point" }
        if let meant = misspelled[unit] { return "write \(number) \(meant)" }
        if unit.contains("ib") || unit.contains("iB") { return "SI prefixes only: k = 1000, not 1024" }
        let folded = unit.lowercased()
        if let meant = units.first(where: { $0.name.lowercased() == folded }) { return "write \(number) \(meant.name)" }
        return "units: " + units.map(\.name).joined(separator: ", ")
    }

    static let time = QuantityKind(
        expected: "a time with its unit, such as 20ms", finest: "1 ns",
        units: [
            ("ns", 1), ("us", 1_000), ("µs", 1_000), ("μs", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000),
            ("min", 60_000_000_000), ("h", 3_600_000_000_000),
        ],
        usual: "ms",
        misspelled: [
            "m": "min (or ms)", "sec": "s", "secs": "s", "second": "s", "seconds": "s", "msec": "ms", "usec": "us",
            "minutes": "min", "minute": "min", "hours": "h", "hour": "h",
        ])

    static let bitRate = QuantityKind(
        expected: "a bit rate with its unit, such as 5 Mbit/s", finest: "1 bit/s",
        units: [
            ("bit/s", 1), ("kbit/s", 1_000), ("Mbit/s", 1_000_000), ("Gbit/s", 1_000_000_000),
            ("Tbit/s", 1_000_000_000_000),
        ],
        usual: "Mbit/s",
        misspelled: [
            "bps": "bit/s", "kbps": "kbit/s", "Kbps": "kbit/s", "Mbps": "Mbit/s", "mbps": "Mbit/s", "Gbps": "Gbit/s",
            "gbps": "Gbit/s", "b/s": "bit/s", "kb/s": "kbit/s", "Mb/s": "Mbit/s", "Gb/s": "Gbit/s", "kbit": "kbit/s",
            "Mbit": "Mbit/s", "Gbit": "Gbit/s", "k": "kbit/s", "M": "Mbit/s", "G": "Gbit/s",
        ])

    static let byteCount = QuantityKind(
        expected: "an amount of data with its unit, such as 64 kB", finest: "1 B",
        units: [("B", 1), ("kB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000)],
        usual: "B",
        misspelled: ["bytes": "B", "byte": "B", "k": "kB", "M": "MB", "kbyte": "kB", "Mbyte": "MB"])

    static let frequency = QuantityKind(
        expected: "a frequency error with its unit, such as 40 ppm", finest: "1 ppb",
        units: [("ppb", 1), ("ppm", 1_000)], usual: "ppm")

    /// In parts per 10^18, for what departs from a constant frequency error.
    static let fineFrequency = parts("", "a frequency with its unit, such as 10 ppb")
    /// In parts per 10^18 by the square root of a second.
    static let wander = parts("/sqrt(s)", "a random walk of frequency with its unit, such as 1 ppb/sqrt(s)")
    /// In parts per 10^18 a day.
    static let ageing = parts("/day", "an ageing with its unit, such as 5 ppb/day")

    private static func parts(_ per: String, _ expected: String) -> QuantityKind {
        QuantityKind(
            expected: expected, finest: "0.000000000001 ppm" + per,
            units: [("ppt" + per, 1_000_000), ("ppb" + per, 1_000_000_000), ("ppm" + per, 1_000_000_000_000)],
            usual: "ppb" + per)
    }

    static let packetCount = QuantityKind(
        expected: "a number of packets, such as 100 packets", finest: "1 packet",
        units: [("packets", 1), ("packet", 1)], usual: "packets", misspelled: ["pkts": "packets", "p": "packets"])
}

/// Euclid's; the magnitude of the other where one is 0.
func greatestCommonDivisor(_ a: Int64, _ b: Int64) -> Int64 {
    var (a, b) = (a, b)
    while b != 0 { (a, b) = (b, a % b) }
    return abs(a)
}
