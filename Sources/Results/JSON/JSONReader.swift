/// Why a text is not JSON, and where.
public struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
    var problem: String
    /// From 1.
    var line: Int
    /// From 1, in bytes.
    var column: Int

    public var description: String { "line \(line), column \(column): \(problem)" }
}

extension JSONValue {
    /// Reads a whole document (RFC 8259).
    ///
    /// Whole numbers that fit are `integer`; others, and all with a fraction or exponent, are `number`. Stricter than
    /// the RFC asks: a name given twice in an object, a number beyond `Double`, and nesting over 128 are errors.
    public init(parsing bytes: [UInt8]) throws(JSONError) {
        var reader = JSONReader(bytes: bytes)
        self = try reader.document()
    }
}

private struct JSONReader {
    let bytes: [UInt8]
    var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func document() throws(JSONError) -> JSONValue {
        skipSpace()
        guard next != nil else { throw failure("the document is empty") }
        let value = try value(depth: 0)
        skipSpace()
        guard next == nil else { throw failure("something follows the end of the document") }
        return value
    }

    func failure(_ problem: String, at offset: Int? = nil) -> JSONError {
        let before = bytes[..<min(offset ?? position, bytes.count)]
        let line = before.reduce(1) { $1 == 0x0a ? $0 + 1 : $0 }
        let lineStart = before.lastIndex(of: 0x0a).map { $0 + 1 } ?? 0
        return JSONError(problem: problem, line: line, column: before.count - lineStart + 1)
    }

    mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { position += 1 }
    }

    mutating func take(_ character: UInt8) -> Bool {
        guard next == character else { return false }
        position += 1
        return true
    }

    mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        guard depth < 128 else { throw failure("nested deeper than 128") }
        switch next {
        case UInt8(ascii: "{"): return .object(try object(depth: depth))
        case UInt8(ascii: "["): return .array(try array(depth: depth))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), .some(UInt8(ascii: "0")...UInt8(ascii: "9")): return try number()
        case nil: throw failure("the document ends where a value is expected")
        default: throw failure("a value is expected")
        }
    }

    mutating func word(_ word: String, _ value: JSONValue) throws(JSONError) -> JSONValue {
        guard bytes[position...].starts(with: word.utf8) else { throw failure("a value is expected") }
        position += word.utf8.count
        return value
    }

    mutating func array(depth: Int) throws(JSONError) -> [JSONValue] {
        position += 1
        var elements: [JSONValue] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return elements }
        while true {
            skipSpace()
            elements.append(try value(depth: depth + 1))
            skipSpace()
            if take(UInt8(ascii: "]")) { return elements }
            guard take(UInt8(ascii: ",")) else { throw failure("',' or ']' is expected") }
        }
    }

    mutating func object(depth: Int) throws(JSONError) -> JSONObject {
        position += 1
        var members: [JSONObject.Member] = []
        var names: Set<String> = []
        skipSpace()
        if take(UInt8(ascii: "}")) { return JSONObject() }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw failure("a name in quotes is expected") }
            let start = position
            let name = try string()
            guard names.insert(name).inserted else { throw failure("the name \"\(name)\" occurs twice", at: start) }
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw failure("':' is expected") }
            skipSpace()
            members.append(JSONObject.Member(name, try value(depth: depth + 1)))
            skipSpace()
            if take(UInt8(ascii: "}")) { return JSONObject(members) }
            guard take(UInt8(ascii: ",")) else { throw failure("',' or '}' is expected") }
        }
    }

    mutating func digits() -> Int {
        let start = position
        while let byte = next, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { position += 1 }
        return position - start
    }

    mutating func number() throws(JSONError) -> JSONValue {
        let start = position
        var isWhole = true
        _ = take(UInt8(ascii: "-"))
        if take(UInt8(ascii: "0")) {
            if digits() > 0 { throw failure("a number does not begin with 0", at: start) }
        } else if digits() == 0 {
            throw failure("a digit is expected")
        }
        if take(UInt8(ascii: ".")) {
            isWhole = false
            if digits() == 0 { throw failure("a digit is expected") }
        }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            isWhole = false
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            if digits() == 0 { throw failure("a digit is expected") }
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isWhole, let value = Int64(text) { return .integer(value) }
        guard let value = Double(text), value.isFinite else { throw failure("the number is too large", at: start) }
        return .number(value)
    }

    mutating func string() throws(JSONError) -> String {
        let start = position
        position += 1
        var content: [UInt8] = []
        while let byte = next {
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: content, as: UTF8.self) else {
                    throw failure("the text is not UTF-8", at: start)
                }
                return text
            case UInt8(ascii: "\\"): try escape(into: &content)
            case 0..<0x20: throw failure("a control character in a text", at: position - 1)
            default: content.append(byte)
            }
        }
        throw failure("the text has no end", at: start)
    }

    mutating func escape(into content: inout [UInt8]) throws(JSONError) {
        let start = position - 1
        guard let kind = next else { throw failure("the text has no end") }
        position += 1
        switch kind {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): content.append(kind)
        case UInt8(ascii: "b"): content.append(0x08)
        case UInt8(ascii: "f"): content.append(0x0c)
        case UInt8(ascii: "n"): content.append(0x0a)
        case UInt8(ascii: "r"): content.append(0x0d)
        case UInt8(ascii: "t"): content.append(0x09)
        case UInt8(ascii: "u"):
            var code = try fourHexadecimalDigits()
            if (0xd800..<0xdc00).contains(code), take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) {
                let low = try fourHexadecimalDigits()
                guard (0xdc00..<0xe000).contains(low) else { throw failure("half a surrogate pair", at: start) }
                code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw failure("half a surrogate pair", at: start) }
            content.append(contentsOf: Character(scalar).utf8)
        default: throw failure("an unknown escape", at: start)
        }
    }

    mutating func fourHexadecimalDigits() throws(JSONError) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
                throw failure("four hexadecimal digits are expected")
            }
            code = code << 4 | UInt32(digit)
            position += 1
        }
        return code
    }
}
