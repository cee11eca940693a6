@testable import Results
import Sessions
import Testing

@Suite("JSON (RFC 8259)")
struct JSONTests {
    @Test("A document reads back as it was written, order and exactness kept")
    func roundTrip() throws {
        let value: JSONValue = [
            "z": .integer(.max), "a": .integer(.min), "beyond 2^53": .integer(9_007_199_254_740_993),
            "tenth": .number(0.1), "tiny": .number(.leastNonzeroMagnitude),
            "huge": .number(1.797_693_134_862_315_7e308),
            "text": "quote \" backslash \\ newline \n bell \u{7} café \u{1F3B5}", "none": nil, "yes": true,
            "empty": [], "nothing": [:], "list": [1, [2], ["x": nil]],
        ]
        #expect(try JSONValue(parsing: value.document()) == value)
    }

    @Test("The layout is two spaces a level, a member a line, a newline at the end")
    func layout() {
        let value: JSONValue = ["b": [1, .number(0.5)], "a": ["n": nil], "e": []]
        #expect(
            value.text == """
                {
                  "b": [
                    1,
                    0.5
                  ],
                  "a": {
                    "n": null
                  },
                  "e": []
                }

                """)
    }

    @Test("NaN and the infinities become null", arguments: [Double.nan, .infinity, -.infinity])
    func notFinite(_ value: Double) {
        #expect(JSONValue.number(value).text == "null\n")
        #expect(JSONValue(value) == .null)
    }

    @Test(
        "Whole numbers that fit stay integers, all others are doubles",
        arguments: [
            ("0", JSONValue.integer(0)), ("-0", .integer(0)), ("9223372036854775807", .integer(.max)),
            ("-9223372036854775808", .integer(.min)), ("9223372036854775808", .number(9_223_372_036_854_775_808)),
            ("1.0", .number(1)), ("1e3", .number(1000)), ("-2.5E-1", .number(-0.25)),
        ])
    func numbers(_ text: String, _ value: JSONValue) throws {
        #expect(try JSONValue(parsing: Array(text.utf8)) == value)
    }

    @Test("Escapes and surrogate pairs are read")
    func escapes() throws {
        let text = #""\"\\\/\b\f\n\r\t\u0041\ud83c\udfb5""#
        #expect(try JSONValue(parsing: Array(text.utf8)) == .string("\"\\/\u{8}\u{c}\n\r\tA\u{1F3B5}"))
    }

    @Test(
        "What is not JSON is refused with its place",
        arguments: [
            ("", 1, 1), ("  ", 1, 3), ("{", 1, 2), ("[1,]", 1, 4), ("[1 2]", 1, 4), ("{\"a\" 1}", 1, 6),
            ("{\n  \"a\": 1,\n  \"a\": 2\n}", 3, 3), ("01", 1, 1), ("1.", 1, 3), ("-", 1, 2), ("1e999", 1, 1),
            ("nul", 1, 1), ("\"abc", 1, 1), ("\"\\q\"", 1, 2), ("\"\\ud800\"", 1, 2), ("\"a\nb\"", 1, 3), ("1 2", 1, 3),
            ("'a'", 1, 1),
        ])
    func refused(_ text: String, _ line: Int, _ column: Int) {
        let error = #expect(throws: JSONError.self) { try JSONValue(parsing: Array(text.utf8)) }
        #expect(error?.line == line)
        #expect(error?.column == column)
    }

    @Test("Text that is not UTF-8, and nesting without end, are refused")
    func hostile() {
        #expect(throws: JSONError.self) { try JSONValue(parsing: [0x22, 0xff, 0x22]) }
        #expect(throws: JSONError.self) { try JSONValue(parsing: [UInt8](repeating: 0x5b, count: 100_000)) }
    }

    @Test("Every truncation of a document is refused, none traps")
    func truncated() {
        let bytes = Fixture.record().document.document()
        let end = bytes.count - 2
        for length in stride(from: 0, to: end, by: 7) {
            #expect(throws: JSONError.self) { try JSONValue(parsing: Array(bytes[..<length])) }
        }
    }

    @Test("Random changes of a document never trap")
    func damaged() {
        let bytes = Fixture.record().document.document()
        var state: UInt64 = 0x5eed
        func next() -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33)
        }
        for _ in 0..<300 {
            var damaged = bytes
            for _ in 0..<3 { damaged[next() % damaged.count] = UInt8(next() & 255) }
            _ = try? JSONValue(parsing: damaged)
        }
    }
}
