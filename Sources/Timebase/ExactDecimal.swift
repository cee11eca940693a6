/// A decimal number as it was written: `mantissa × 10^-scale`, exact to 18 significant digits.
public struct ExactDecimal: Equatable, Sendable {
    /// The digits as a whole number, with the sign.
    public private(set) var mantissa: Int64
    /// Digits behind the point; negative where the number goes on with zeros before it.
    public private(set) var scale: Int

    /// Splits a text into the number that it begins with and the rest, blanks removed from either.
    ///
    /// The number has an optional sign, digits and at most one point with digits on both sides; at most 18 digits, so
    /// that every number times every unit fits in 128 bits. Exponents are not read: `1e3` has the unit `e3`.
    ///
    /// - Returns: nil when the text begins otherwise.
    public static func prefix(of text: String) -> (number: ExactDecimal, rest: String)? {
        var bytes = Array(text.utf8)[...]
        while bytes.first == UInt8(ascii: " ") { bytes.removeFirst() }
        guard let (number, before, behind) = take(from: &bytes), before > 0, behind != 0,
            before + (behind ?? 0) <= 18
        else { return nil }
        while bytes.first == UInt8(ascii: " ") { bytes.removeFirst() }
        while bytes.last == UInt8(ascii: " ") { bytes.removeLast() }
        return (number, String(decoding: bytes, as: UTF8.self))
    }

    /// Reads the whole of a table's field, as programs write numbers: `12`, `-0.5`, `.5`, `5.`, `1e-05`; without blanks.
    ///
    /// Digits behind the eighteenth significant one are dropped.
    ///
    /// - Returns: nil for anything else.
    public init?(field: ArraySlice<UInt8>) {
        var bytes = field
        guard let (number, before, behind) = Self.take(from: &bytes), before + (behind ?? 0) > 0 else { return nil }
        self = number
        guard let letter = bytes.popFirst() else { return }
        let digits =
            bytes.first.map { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") } == true
            ? bytes.dropFirst() : bytes
        guard letter | 0x20 == UInt8(ascii: "e"), !digits.isEmpty, digits.allSatisfy(Self.isDigit) else { return nil }
        // Exponents of more digits are as good as infinite.
        let size = digits.count > 6 ? 1_000_000 : digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        scale -= bytes.first == UInt8(ascii: "-") ? -size : size
    }

    private init(mantissa: Int64, scale: Int) {
        self.mantissa = mantissa
        self.scale = scale
    }

    private static func isDigit(_ byte: UInt8) -> Bool { 0x30...0x39 ~= byte }

    /// Takes a sign, digits and a point from the front, and counts the digits before the point and behind it, if any.
    private static func take(
        from bytes: inout ArraySlice<UInt8>
    ) -> (number: ExactDecimal, before: Int, behind: Int?)? {
        var number = ExactDecimal(mantissa: 0, scale: 0)
        let sign = bytes.first
        if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { bytes.removeFirst() }
        var (before, behind): (Int, Int?) = (0, nil)
        while let byte = bytes.first {
            if byte == UInt8(ascii: "."), behind == nil {
                behind = 0
            } else if isDigit(byte) {
                if let digits = behind { behind = digits + 1 } else { before += 1 }
                if number.mantissa < 100_000_000_000_000_000 {
                    number.mantissa = number.mantissa * 10 + Int64(byte - 0x30)
                    number.scale += behind == nil ? 0 : 1
                } else {
                    number.scale -= behind == nil ? 1 : 0
                }
            } else {
                break
            }
            bytes.removeFirst()
        }
        if sign == UInt8(ascii: "-") { number.mantissa = -number.mantissa }
        return (number, before, behind)
    }

    /// The number times a whole factor, if that is whole and fits in 63 bits.
    public func times(_ factor: Int64) -> Result<Int64, Misfit> {
        guard let (quotient, remainder, _) = product(factor) else { return .failure(.tooLarge) }
        guard remainder == 0 else { return .failure(.notWhole) }
        guard let whole = Int64(exactly: quotient) else { return .failure(.tooLarge) }
        return .success(whole)
    }

    /// Why a number times a factor is no `Int64`.
    public enum Misfit: Error { case notWhole, tooLarge }

    /// The number times a whole factor, rounded to the nearest, halves away from zero; nil where that does not fit.
    public func rounded(times factor: Int64) -> Int64? {
        guard let (quotient, remainder, divisor) = product(factor) else { return nil }
        let isUp = remainder.magnitude >= divisor - remainder.magnitude
        return Int64(exactly: quotient + (isUp ? remainder.signum() : 0))
    }

    /// The number times a factor as a whole number and a rest over a divisor; nil where it is beyond 128 bits.
    private func product(_ factor: Int64) -> (quotient: Int128, remainder: Int128, divisor: UInt128)? {
        var product = Int128(mantissa) * Int128(factor)
        guard product != 0, scale > 0 else {
            for _ in 0..<(product == 0 ? 0 : -scale) {
                let (next, overflow) = product.multipliedReportingOverflow(by: 10)
                if overflow { return nil }
                product = next
            }
            return (product, 0, 1)
        }
        // A product has less than 38 digits, so that it is less than a half of any larger power.
        var divisor: UInt128 = 1
        for _ in 0..<min(scale, 38) { divisor *= 10 }
        if scale > 38 { return (0, product.signum(), divisor) }
        let (quotient, remainder) = product.quotientAndRemainder(dividingBy: Int128(divisor))
        return (quotient, remainder, divisor)
    }

    /// The nearest binary number to this one divided by 10^`places`.
    public func double(shiftedRight places: Int = 0) -> Double {
        // Through the text, because a division of two rounded numbers would round twice.
        Double("\(mantissa)e\(-(scale + places))") ?? .nan
    }
}
