/// The natural logarithm of `x`; negative infinity of 0, not a number of negative numbers.
///
/// Within 2 units in the last place, and the same on every machine, which the C library's does not promise: tables built
/// with it are part of the results. Only + − × ÷ are used. For when a scenario loads, not for every packet.
public func naturalLogarithm(_ x: Double) -> Double {
    guard x > 0, x < .infinity else { return x == 0 ? -.infinity : x == .infinity ? x : .nan }
    // x = m · 2^e with m in √½...√2.
    var exponent = Double(x.exponent)
    var mantissa = x.significand
    if mantissa > 1.414_213_562_373_095_1 {
        mantissa /= 2
        exponent += 1
    }
    // ln m = 2 artanh(f), f = (m − 1)/(m + 1), |f| < 0.1716: the terms left out are under 2^-58 of the first.
    let numerator = mantissa - 1
    let f = numerator / (mantissa + 1)
    let square = f * f
    var series = 0.0
    for denominator in stride(from: 21.0, through: 3.0, by: -2.0) { series = (series + 1 / denominator) * square }
    // 2f = (m − 1) − f(m − 1), which keeps the digits that 2f has lost in the division.
    let logarithm = numerator - f * (numerator - 2 * series)
    // ln 2 in two parts, the first with so few digits that its product with the exponent is exact.
    let ln2High = 0x1.62e42fefa3800p-1
    let ln2Low = 0x1.ef35793c76730p-45
    return exponent * ln2High + (exponent * ln2Low + logarithm)
}
