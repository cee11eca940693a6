import Scenario
import Timebase

/// Numbers as people read them: three significant digits, units chosen by size, `n/a` for what was not measured.
public enum Format {
    /// What stands in place of a number that is nil.
    public static let notMeasured = "n/a"

    /// "850 ns", "12.3 µs", "24.3 ms", "1.24 s", "3,600 s".
    public static func time(_ nanoseconds: Int64?, signed: Bool = false) -> String {
        guard let nanoseconds else { return notMeasured }
        return scaled(
            Double(nanoseconds), [(1, "ns"), (1e3, "µs"), (1e6, "ms"), (1e9, "s")], wholeBase: true, signed: signed)
    }

    /// "5.31 Mbit/s".
    static func rate(_ bitsPerSecond: Int64?) -> String {
        guard let bitsPerSecond else { return notMeasured }
        return scaled(
            Double(bitsPerSecond), [(1, "bit/s"), (1e3, "kbit/s"), (1e6, "Mbit/s"), (1e9, "Gbit/s")], wholeBase: true)
    }

    /// "64.0 kB".
    public static func size(_ bytes: Int64?) -> String {
        guard let bytes else { return notMeasured }
        return scaled(Double(bytes), [(1, "B"), (1e3, "kB"), (1e6, "MB"), (1e9, "GB")], wholeBase: true)
    }

    /// "48,210".
    public static func count(_ value: Int64?) -> String {
        guard let value else { return notMeasured }
        return (value < 0 ? "-" : "") + grouped(value.magnitude)
    }

    /// "0.57 %". All but everything is never shown as "100 %", nor a little as "0 %".
    static func share(_ ratio: Double?) -> String {
        guard let ratio, ratio.isFinite else { return notMeasured }
        let percent = ratio * 100
        if percent == 0 { return "0 %" }
        if percent == 100 { return "100 %" }
        if percent > 99.99, percent < 100 { return ">99.99 %" }
        if percent > 0, percent < 0.001 { return "<0.001 %" }
        let size = abs(percent)
        let places = size >= 90 && size < 100 ? 2 : size >= 10 ? 1 : size >= 1 ? 2 : size >= 0.1 ? 2 : 3
        return decimal(percent, places: places) + " %"
    }

    /// "40.0 ppm".
    static func frequency(_ partsPerBillion: Int64?, signed: Bool = true) -> String {
        guard let partsPerBillion else { return notMeasured }
        return scaled(Double(partsPerBillion), [(1, "ppb"), (1e3, "ppm")], wholeBase: true, signed: signed)
    }

    /// A number without a unit, in at most three significant digits.
    static func plain(_ value: Double?) -> String {
        guard let value, value.isFinite else { return notMeasured }
        if value == value.rounded(), abs(value) < 1e15 { return count(Int64(value)) }
        return significant(value)
    }

    /// "3,620×", "2.4×".
    public static func speed(_ factor: Double?) -> String {
        guard let factor, factor.isFinite else { return notMeasured }
        return significant(factor) + "×"
    }

    /// A value of run.json in its metric's unit.
    static func value(_ value: JSONValue, _ unit: MetricUnit) -> String {
        switch (value, unit) {
        case (.null, _): return notMeasured
        case (.string(let text), _): return text
        case (.bool(let truth), _): return truth ? "true" : "false"
        case (_, .ratio): return share(value.double)
        case (.integer(let whole), .nanoseconds): return time(whole)
        case (.integer(let whole), .bitsPerSecond): return rate(whole)
        case (.integer(let whole), .bytes): return size(whole)
        case (.integer(let whole), .partsPerBillion): return frequency(whole, signed: false)
        case (.integer(let whole), .nanosecondsPerSecond): return time(whole) + "/s"
        case (.integer(let whole), .count): return count(whole)
        case (_, .perSecond): return plain(value.double) + "/s"
        default: return plain(value.double) + (unit.name.map { unit == .count ? "" : " " + $0 } ?? "")
        }
    }

    /// A value of run.json in its metric's unit, with every digit it has: limits are not rounded.
    static func exact(_ value: JSONValue, _ unit: MetricUnit) -> String {
        let units: [(exponent: Int, name: String)]
        switch unit {
        case .nanoseconds: units = [(0, " ns"), (3, " µs"), (6, " ms"), (9, " s")]
        case .nanosecondsPerSecond: units = [(0, " ns/s"), (3, " µs/s"), (6, " ms/s")]
        case .bitsPerSecond: units = [(0, " bit/s"), (3, " kbit/s"), (6, " Mbit/s"), (9, " Gbit/s")]
        case .bytes: units = [(0, " B"), (3, " kB"), (6, " MB"), (9, " GB")]
        case .partsPerBillion: units = [(0, " ppb"), (3, " ppm")]
        case .ratio: units = [(-2, " %")]
        case .perSecond: units = [(0, "/s")]
        case .count, .plain, .text, .truth: units = [(0, "")]
        }
        let written: String
        switch value {
        case .integer(let whole): written = whole.description
        case .number(let number): written = number.description
        default: return Format.value(value, unit)
        }
        guard let size = value.double.map(abs) else { return Format.value(value, unit) }
        var chosen = units[0]
        for unit in units.dropFirst() where size >= Format.power(unit.exponent) { chosen = unit }
        return Quantity.decimal(written, shiftedBy: -chosen.exponent) + chosen.name
    }

    private static func power(_ exponent: Int) -> Double {
        (0..<max(exponent, 0)).reduce(1.0) { power, _ in power * 10 }
    }

    /// With a fixed number of places after the point, halves away from zero.
    public static func decimal(_ value: Double, places: Int) -> String {
        var factor = 1.0
        for _ in 0..<places { factor *= 10 }
        let rounded = (abs(value) * factor).rounded()
        guard rounded < 9e18 else { return value.description }
        let all = UInt64(rounded)
        let sign = value < 0 && all > 0 ? "-" : ""
        guard places > 0 else { return sign + grouped(all) }
        let divisor = UInt64(factor)
        let fraction = String(all % divisor)
        return sign + grouped(all / divisor) + "." + String(repeating: "0", count: places - fraction.count) + fraction
    }

    private static func significant(_ value: Double) -> String {
        let size = abs(value)
        return decimal(value, places: size >= 99.95 ? 0 : size >= 9.995 ? 1 : size >= 0.9995 ? 2 : 3)
    }

    private static func scaled(
        _ value: Double, _ units: [(factor: Double, name: String)], wholeBase: Bool, signed: Bool = false
    ) -> String {
        let size = abs(value)
        // 999.95 would round to "1,000": the next unit says it better.
        var chosen = units.last { size >= $0.factor * 0.9995 } ?? units[0]
        if chosen.factor == 1 || size == 0 { chosen = units[0] }
        let number = wholeBase && chosen.factor == 1 ? decimal(value, places: 0) : significant(value / chosen.factor)
        return (signed && value > 0 ? "+" : "") + number + " " + chosen.name
    }

    private static func grouped(_ value: UInt64) -> String {
        let digits = Array(String(value).utf8)
        var text: [UInt8] = []
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text.append(UInt8(ascii: ",")) }
            text.append(digit)
        }
        return String(decoding: text, as: UTF8.self)
    }
}
