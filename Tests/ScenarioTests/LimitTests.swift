import Scenario
import Testing

@Suite("Limits")
struct LimitTests {
    static let limits: [(String, Quantity.Measure, Quantity.Limit)] = [
        ("45ms", .time, .whole(45_000_000)), ("1.5 s", .time, .whole(1_500_000_000)),
        ("2 min", .time, .whole(120_000_000_000)),
        ("0", .time, .whole(0)), ("9007199254740993ns", .time, .whole(9_007_199_254_740_993)),
        ("0.5ns", .time, .fraction(0.5)), ("4 Mbit/s", .bitRate, .whole(4_000_000)),
        ("64 kB", .byteCount, .whole(64_000)),
        ("1500", .byteCount, .whole(1500)), ("0.1%", .share, .fraction(0.001)), ("100%", .share, .whole(1)),
        ("50ppm", .share, .fraction(0.00005)), ("1ppb", .share, .fraction(1e-9)), ("0", .share, .whole(0)),
        ("0.0", .share, .whole(0)), ("40 ppm", .frequency, .whole(40_000)), ("500ppb", .frequency, .whole(500)),
        ("0.01%", .frequency, .whole(100_000)), ("5us/s", .slope, .whole(5_000)), ("20ppm", .slope, .whole(20_000)),
        ("-80 us/s", .slope, .whole(-80_000)), ("3", .perSecond, .whole(3)), ("3.5/s", .perSecond, .fraction(3.5)),
        ("2 1/s", .perSecond, .whole(2)), ("1e3", .plain, .whole(1000)), ("-7", .plain, .whole(-7)),
    ]

    @Test("A limit is read in the unit of what it limits", arguments: limits)
    func limit(text: String, measure: Quantity.Measure, limit: Quantity.Limit) throws {
        #expect(try Quantity.limit(text, of: measure) == limit)
    }

    static let refused: [(String, Quantity.Measure, String)] = [
        ("45", .time, "it needs a unit"), ("4e6", .bitRate, "it needs a unit"), ("0.01", .share, "it needs a unit"),
        ("5ms", .plain, "its unit does not fit"), ("5 Mbit/s", .time, "its unit does not fit"),
        ("4 Mbps", .bitRate, "unknown unit 'Mbps'"), ("soon", .time, "it is not a number"),
        ("", .time, "it is not a number"), ("1e999", .plain, "too large"),
    ]

    @Test("What is no limit is refused, with the reason", arguments: refused)
    func noLimit(text: String, measure: Quantity.Measure, words: String) {
        let problem = #expect(throws: QuantityProblem.self) { try Quantity.limit(text, of: measure) }
        #expect(problem?.hint?.contains(words) == true, "\(problem as Any)")
    }

    @Test(
        "A decimal's point moves without rounding",
        arguments: [
            ("45670000", -6, "45.67"), ("30", -1, "3"), ("-0.1", 1, "-1"), ("1e-05", 2, "0.001"), ("0", 5, "0"),
            ("-0.0", 2, "0"), ("1.5e3", 0, "1500"), ("9007199254740993", -9, "9007199.254740993"),
        ])
    func shifted(text: String, places: Int, expected: String) {
        #expect(Quantity.decimal(text, shiftedBy: places) == expected)
    }
}
