import Timebase

/// Writes quantities so that ``Quantity`` reads back exactly what was written.
extension Quantity {
    /// In the largest unit up to seconds that leaves at least one before the point: `1.5s`, `20ms`, `100us`.
    public static func text(_ time: TimeSpan) -> String {
        let units: [(String, Int64)] = [("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000), ("ns", 1)]
        guard time != .zero else { return "0ms" }
        let (name, factor) = units.first { time.nanoseconds.magnitude >= UInt64($0.1) } ?? ("ns", 1)
        return decimalText(time.nanoseconds, over: factor) + name
    }

    /// `4 Mbit/s`, `1.234567 Mbit/s`.
    static func text(_ rate: BitRate) -> String {
        scaled(Int64(clamping: rate.bitsPerSecond), QuantityKind.bitRate)
    }

    /// `64 kB`.
    static func text(bytes: Int64) -> String { scaled(bytes, QuantityKind.byteCount) }

    /// `40 ppm`, `0.5 ppm`.
    public static func text(partsPerBillion: Int64) -> String { decimalText(partsPerBillion, over: 1000) + " ppm" }

    /// `1 ppb/sqrt(s)`: parts per 10^18 of a kind of fine frequencies.
    static func text(parts: Int64, _ kind: QuantityKind) -> String {
        parts == 0 ? "0 \(kind.usual)" : scaled(parts, kind)
    }

    /// `1.5%`: the shortest decimal that is read back as the same number.
    static func text(_ ratio: Ratio) -> String { decimalShifted(ratio.value.description, by: 2) + "%" }

    /// `3`, `4.66`: the shortest decimal that is read back as the same number.
    static func text(_ number: Double) -> String { decimalShifted(number.description, by: 0) }

    /// `25`, `30000/1001`.
    static func text(_ rate: UnitsPerSecond) -> String {
        rate.denominator == 1 ? "\(rate.numerator)" : "\(rate.numerator)/\(rate.denominator)"
    }

    private static func scaled(_ value: Int64, _ kind: QuantityKind) -> String {
        let unit = kind.units.last { value.magnitude >= UInt64($0.factor) } ?? kind.units[0]
        return decimalText(value, over: unit.factor) + " " + unit.name
    }
}

/// A decimal text, perhaps with an exponent, times 10^`places`, without exponent or needless zeros.
///
/// On the text, because a multiplication would round.
func decimalShifted(_ text: String, by places: Int) -> String {
    let parts = text.split(whereSeparator: { $0 == "e" || $0 == "E" }).map(String.init)
    guard let first = parts.first else { return text }
    let isNegative = first.hasPrefix("-")
    let halves = first.drop { $0 == "-" || $0 == "+" }.split(separator: ".", omittingEmptySubsequences: false)
    let whole = String(halves.first ?? "")
    var digits = Array(whole + (halves.count > 1 ? String(halves[1]) : ""))
    var point = whole.count + places + (parts.count > 1 ? Int(parts[1]) ?? 0 : 0)
    while point <= 0 {
        digits.insert("0", at: 0)
        point += 1
    }
    while digits.count < point { digits.append("0") }
    var left = String(digits[..<point].drop { $0 == "0" })
    if left.isEmpty { left = "0" }
    var right = digits[point...]
    while right.last == "0" { right.removeLast() }
    let isZero = left == "0" && right.isEmpty
    return (isNegative && !isZero ? "-" : "") + left + (right.isEmpty ? "" : "." + String(right))
}

/// `value / 10^digits` in decimal, without needless zeros.
func decimalText(_ value: Int64, over power: Int64) -> String {
    let magnitude = value.magnitude
    let whole = magnitude / UInt64(power)
    var fraction = magnitude % UInt64(power)
    var text = (value < 0 ? "-" : "") + String(whole)
    guard fraction > 0 else { return text }
    text += "."
    var place = UInt64(power) / 10
    while fraction > 0, place > 0 {
        text += String(fraction / place)
        fraction %= place
        place /= 10
    }
    return text
}
