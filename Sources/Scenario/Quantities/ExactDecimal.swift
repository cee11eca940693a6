/// A decimal number as it was written: `mantissa × 10^-scale`, exact.
struct ExactDecimal: Equatable, Sendable {
    var mantissa: Int64
    /// Digits behind the point, 0...18.
    var scale: Int

    /// Splits a text into the number that it begins with and the rest, blanks removed from either.
    ///
    /// The number has an optional sign, digits and at most one point with digits on both sides; at most 18 digits, so
    /// that every number times every unit fits in 128 bits. Exponents are not read: `1e3` has the unit `e3`.
    ///
    /// - Returns: nil when the text begins otherwise.
    static func prefix(of text: String) -> (number: ExactDecimal, rest: String)? {
        var bytes = Array(text.utf8)[...]
        while bytes.first == UInt8(ascii: " ") { bytes.removeFirst() }
        var isNegative = false
        if let sign = bytes.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            isNegative = sign == UInt8(ascii: "-")
            bytes.removeFirst()
        }
        var number = ExactDecimal(mantissa: 0, scale: 0)
        var digits = 0
        var seenPoint = false
        while let byte = bytes.first {
            if byte == UInt8(ascii: "."), !seenPoint, digits > 0 {
                seenPoint = true
            } else if (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
                digits += 1
                guard digits <= 18 else { return nil }
                number.mantissa = number.mantissa * 10 + Int64(byte - UInt8(ascii: "0"))
                number.scale += seenPoint ? 1 : 0
            } else {
                break
            }
            bytes.removeFirst()
        }
        guard digits > 0, !seenPoint || number.scale > 0 else { return nil }
        if isNegative { number.mantissa = -number.mantissa }
        while bytes.first == UInt8(ascii: " ") { bytes.removeFirst() }
        while bytes.last == UInt8(ascii: " ") { bytes.removeLast() }
        return (number, String(decoding: bytes, as: UTF8.self))
    }

    /// The number times a whole factor, if that is whole and fits in 63 bits.
    func times(_ factor: Int64) -> Result<Int64, Misfit> {
        var divisor: Int128 = 1
        for _ in 0..<scale { divisor *= 10 }
        let product = Int128(mantissa) * Int128(factor)
        guard product % divisor == 0 else { return .failure(.notWhole) }
        guard let whole = Int64(exactly: product / divisor) else { return .failure(.tooLarge) }
        return .success(whole)
    }

    enum Misfit: Error { case notWhole, tooLarge }

    /// The nearest binary number to this one divided by 10^`places`.
    func double(shiftedRight places: Int = 0) -> Double {
        // Through the text, because a division of two rounded numbers would round twice.
        Double("\(mantissa)e-\(scale + places)") ?? .nan
    }
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
