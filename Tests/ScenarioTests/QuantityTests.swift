import Testing
import Timebase

@testable import Scenario

@Suite("Quantities")
struct QuantityTests {
    static let times: [(String, Int64)] = [
        ("20ms", 20_000_000), ("20 ms", 20_000_000), ("1.5s", 1_500_000_000), ("0.1ms", 100_000), ("100us", 100_000),
        ("7 µs", 7_000), ("3ns", 3), ("2min", 120_000_000_000), ("1h", 3_600_000_000_000), ("-120ms", -120_000_000),
        ("+5ms", 5_000_000), ("0ms", 0), ("0.000000001s", 1), ("1.10s", 1_100_000_000), ("0.3ms", 300_000),
        // More digits than a binary floating-point number holds.
        ("9007199.254740993s", 9_007_199_254_740_993),
    ]

    @Test("A time is read exactly", arguments: times)
    func time(text: String, nanoseconds: Int64) throws {
        #expect(try Quantity.time(text).nanoseconds == nanoseconds)
    }

    static let badTimes: [(String, String?)] = [
        ("20", "the unit is missing: 20 ms?"), ("0", "the unit is missing: 0 ms?"),
        ("1,5 s", "the decimal sign is a point"), ("5 sec", "write 5 s"), ("5 MS", "write 5 ms"),
        ("0.5ns", "finer than 1 ns, the smallest step"), ("5m", "write 5 min (or ms)"),
        (".5s", "a digit goes before the point: 0.5s"), ("9999999999h", "the number is too large"),
        ("1234567890123456789s", "at most 18 digits"), ("1e3s", "units: ns, us, µs, μs, ms, s, min, h"),
        ("ms", nil), ("", nil), ("5.ms", nil), ("--5ms", nil),
    ]

    @Test("What is no time is refused, with a hint", arguments: badTimes)
    func badTime(text: String, hint: String?) {
        let problem = #expect(throws: QuantityProblem.self) { try Quantity.time(text) }
        #expect(problem?.expected == "a time with its unit, such as 20ms")
        #expect(problem?.hint == hint)
    }

    static let bitRates: [(String, UInt64)] = [
        ("5 Mbit/s", 5_000_000), ("640kbit/s", 640_000), ("2.048 Mbit/s", 2_048_000), ("1 Gbit/s", 1_000_000_000),
        ("1200 bit/s", 1_200), ("0.0000005 Tbit/s", 500_000),
    ]

    @Test("A bit rate counts k as 1000", arguments: bitRates)
    func bitRate(text: String, bitsPerSecond: UInt64) throws {
        #expect(try Quantity.bitRate(text).bitsPerSecond == bitsPerSecond)
    }

    static let badBitRates = [
        ("5", "the unit is missing: 5 Mbit/s?"), ("5 Mbps", "write 5 Mbit/s"), ("5 mbit/s", "write 5 Mbit/s"),
        ("5 Mibit/s", "SI prefixes only: k = 1000, not 1024"), ("-1 Mbit/s", "it cannot be negative"),
        ("0.5 bit/s", "finer than 1 bit/s, the smallest step"),
    ]

    @Test("What is no bit rate is refused, with a hint", arguments: badBitRates)
    func badBitRate(text: String, hint: String) {
        let problem = #expect(throws: QuantityProblem.self) { try Quantity.bitRate(text) }
        #expect(problem?.hint == hint)
    }

    @Test func bytesPacketsAndFrequencies() throws {
        #expect(try Quantity.byteCount("64 kB") == 64_000)
        #expect(try Quantity.byteCount("1200B") == 1_200)
        #expect(throws: QuantityProblem.self) { try Quantity.byteCount("64 KiB") }
        #expect(throws: QuantityProblem.self) { try Quantity.byteCount("0.5 B") }
        #expect(try Quantity.packetCount("100 packets") == 100)
        #expect(throws: QuantityProblem.self) { try Quantity.packetCount("100") }
        #expect(throws: QuantityProblem.self) { try Quantity.packetCount("1.5 packets") }
        #expect(try Quantity.frequency("30 ppm") == 30_000)
        #expect(try Quantity.frequency("-0.5ppm") == -500)
        #expect(try Quantity.frequency("7 ppb") == 7)
        #expect(throws: QuantityProblem.self) { try Quantity.frequency("0.5 ppb") }
    }

    static let ratios: [(String, Double)] = [
        ("0%", 0), ("100%", 1), ("1.5%", 0.015), ("0.1%", 0.001), ("0.0000001%", 1e-9), ("33.3 %", 0.333), ("7%", 0.07),
        ("0.57%", 0.0057),
    ]

    @Test("A percentage is the nearest binary number", arguments: ratios)
    func ratio(text: String, value: Double) throws {
        #expect(try Quantity.ratio(text).value == value)
    }

    @Test(
        "What is no percentage is refused",
        arguments: ["0.5", "1", "0", "101%", "-1%", "100.0001%", "%", "five%", "5 percent"])
    func badRatio(text: String) {
        #expect(throws: QuantityProblem.self) { try Quantity.ratio(text) }
    }

    @Test func aBareShareGetsItsPercentage() {
        let problem = #expect(throws: QuantityProblem.self) { try Quantity.ratio("0.02") }
        #expect(problem?.hint == "the unit is missing: 2%, or 0.02%?")
    }

    static let unitRates: [(String, Int64, Int64)] = [
        ("25", 25, 1), ("30000/1001", 30_000, 1_001), ("29.97", 30_000, 1_001), ("23.976", 24_000, 1_001),
        ("12.5", 25, 2), ("50/2", 25, 1), ("1/3600", 1, 3_600),
    ]

    @Test("A rate of units is an exact fraction", arguments: unitRates)
    func unitRate(text: String, numerator: Int64, denominator: Int64) throws {
        #expect(try Quantity.unitRate(text) == UnitsPerSecond(numerator: numerator, denominator: denominator))
    }

    @Test(
        "What is no rate of units is refused",
        arguments: [
            "0", "-25", "25/0", "25 fps", "1/3601", "1000001", "1/2/3", "", "/", "25/", "2.5/2", "0.00000000001",
        ])
    func badUnitRate(text: String) {
        #expect(throws: QuantityProblem.self) { try Quantity.unitRate(text) }
    }

    static let spans: [Int64] = [
        0, 1, 999, 1_000, 1_500, 100_000, 20_000_000, 999_999_999, 1_000_000_000, 60_000_000_000, -120_000_000,
        9_007_199_254_740_993, 999_999_999_999_999_999,
    ]

    @Test("A time that is written is read back", arguments: spans)
    func timeText(nanoseconds: Int64) throws {
        let span = TimeSpan.nanoseconds(nanoseconds)
        #expect(try Quantity.time(Quantity.text(span)) == span)
    }

    @Test func textsAreShort() {
        #expect(Quantity.text(.milliseconds(20)) == "20ms")
        #expect(Quantity.text(.milliseconds(1500)) == "1.5s")
        #expect(Quantity.text(.microseconds(100)) == "100us")
        #expect(Quantity.text(.seconds(60)) == "60s")
        #expect(Quantity.text(.nanoseconds(.max)) == "9223372036.854775807s")
        #expect(Quantity.text(BitRate(bitsPerSecond: 192_000)) == "192 kbit/s")
        #expect(Quantity.text(BitRate(bitsPerSecond: 1_234_567)) == "1.234567 Mbit/s")
        #expect(Quantity.text(bytes: 64_000) == "64 kB")
        #expect(Quantity.text(bytes: 1) == "1 B")
        #expect(Quantity.text(partsPerBillion: -500) == "-0.5 ppm")
        #expect(Quantity.text(Ratio(0.001)) == "0.1%")
        #expect(Quantity.text(Ratio(1e-9)) == "0.0000001%")
        #expect(Quantity.text(Ratio(1)) == "100%")
        #expect(Quantity.text(4.66) == "4.66")
        #expect(Quantity.text(3.0) == "3")
        #expect(Quantity.text(UnitsPerSecond(numerator: 30_000, denominator: 1_001)) == "30000/1001")
    }

    @Test("Any percentage that can be read is written so that it is read back, seed 7")
    func ratiosSurviveBeingWritten() throws {
        var draws = SplitMix(state: 7)
        for _ in 0..<2000 {
            // Up to 18 digits with the point at any place.
            let digits = String(draws.next() % 100_000_000_000_000_000)
            let zeros = String(repeating: "0", count: Int(draws.next() & 15))
            let text = "0." + String((zeros + digits).prefix(17)) + "%"
            let ratio = try Quantity.ratio(text)
            #expect(try Quantity.ratio(Quantity.text(ratio)) == ratio, "\(text)")
        }
    }

    static let misspelled = [
        ("delai", "delay"), ("jiter", "jitter"), ("Loss", "loss"), ("rat", "rate"), ("bernouli", "bernoulli"),
        ("dealy", "delay"),
    ]

    @Test("The nearest word is found", arguments: misspelled)
    func nearestWord(word: String, expected: String) {
        let words = ["rate", "queue", "delay", "jitter", "loss", "bernoulli"]
        #expect(Suggestions.nearest(to: word, among: words, limit: 1) == [expected])
    }

    @Test func nothingIsNearToAnotherWord() {
        #expect(Suggestions.nearest(to: "bandwidth", among: ["rate", "queue", "delay"]).isEmpty)
        #expect(Suggestions.editDistance(Array("kitten"), Array("sitting")) == 3)
        #expect(Suggestions.editDistance([], Array("ab")) == 2)
    }
}

/// SplitMix64: the same numbers in every run.
struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
