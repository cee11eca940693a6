import Testing
import Timebase

@Suite("Exact decimals")
struct ExactDecimalTests {
    static let nanoseconds: [(String, Int64)] = [
        ("0.549999952316", 549_999_952), ("0.0", 0), ("-0", 0), ("12", 12_000_000_000), (".5", 500_000_000),
        ("5.", 5_000_000_000), ("1e-05", 10_000), ("1E+2", 100_000_000_000), ("+1.5e0", 1_500_000_000),
        ("0.0000000005", 1), ("-0.0000000005", -1), ("0.00000000049999999999999999999999999", 0),
        ("0.00000000000000000000000000000000000000000000001", 0), ("9007199.254740993", 9_007_199_254_740_993),
        ("1e-1000000000000", 0), ("0e99999999999999999999", 0), ("0.2499999995", 250_000_000),
        ("9223372036.85477580", 9_223_372_036_854_775_800), ("9223372036.854775807", 9_223_372_036_854_775_800),
        ("000000000000000000000000001.25", 1_250_000_000),
        ("1000000000000000000000e-21", 1_000_000_000), ("12345678901234567890123e-22", 1_234_567_890),
    ]

    @Test("a field is read to the nearest of whole units, halves away from zero", arguments: nanoseconds)
    func rounded(text: String, value: Int64) {
        #expect(ExactDecimal(field: Array(text.utf8)[...])?.rounded(times: 1_000_000_000) == value)
    }

    @Test(
        "what does not fit is nil",
        arguments: ["9223372036.85477581", "1e300", "-1e10", "1e999999999999", "99999999999999999999999999"])
    func misfit(text: String) throws {
        let number = try #require(ExactDecimal(field: Array(text.utf8)[...]))
        #expect(number.rounded(times: 1_000_000_000) == nil)
    }

    @Test(
        "what is no number is none",
        arguments: [
            "", ".", "-", "+.", "e5", "1e", "1e+", "1.2.3", "1 ", " 1", "0x10", "1,5", "nan", "inf", "1e5.0", "--1",
        ])
    func notANumber(text: String) { #expect(ExactDecimal(field: Array(text.utf8)[...]) == nil) }
}
