/// Why a trace or a table cannot be used: where, what stands there, and what was expected.
public struct TraceProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// From 1; nil: the file as a whole.
    let line: Int?
    /// What stands there, cut to 40 characters; empty where something is missing.
    let text: String
    let expected: String

    init(line: Int?, _ text: ArraySlice<UInt8> = [], expected: String) {
        self.line = line
        self.expected = expected
        // Control characters would play tricks on a terminal.
        let shown = String(decoding: text.prefix(160), as: UTF8.self).unicodeScalars
            .map { $0.properties.generalCategory == .control ? "\u{fffd}" : Character($0) }
        self.text = shown.count > 40 ? String(shown.prefix(37)) + "..." : String(shown)
    }

    /// To follow the file's name: `line 3: '-3' is not valid; expected …`.
    public var description: String {
        let place = line.map { "line \($0): " } ?? ""
        return place + (text.isEmpty ? "" : "'\(text)' is not valid; ") + "expected \(expected)"
    }
}

/// The lines of a text, without what ends them: a line feed, or a carriage return and a line feed. The last one may lack
/// it. A byte order mark is passed over.
///
/// Bytes, not characters: to Swift a carriage return and a line feed are one character.
struct TraceLines: Sequence {
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    struct Iterator: IteratorProtocol {
        fileprivate var rest: ArraySlice<UInt8>
        fileprivate var number = 0

        mutating func next() -> (number: Int, text: ArraySlice<UInt8>)? {
            guard !rest.isEmpty else { return nil }
            let end = rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex
            var text = rest[..<end]
            if text.last == UInt8(ascii: "\r") { text.removeLast() }
            rest = end < rest.endIndex ? rest[(end + 1)...] : []
            number += 1
            return (number, text)
        }
    }

    func makeIterator() -> Iterator {
        Iterator(rest: bytes.starts(with: [0xef, 0xbb, 0xbf]) ? bytes[3...] : bytes[...])
    }
}

extension ArraySlice<UInt8> {
    /// What comes before a number sign, which begins a comment.
    var withoutComment: ArraySlice<UInt8> { prefix { $0 != UInt8(ascii: "#") } }

    /// The parts between blanks and tabs.
    var words: [ArraySlice<UInt8>] { split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") } }

    /// The parts between commas, or else semicolons, or else blanks; without the blanks and quotation marks around them.
    var fields: [ArraySlice<UInt8>] {
        for separator in [UInt8(ascii: ","), UInt8(ascii: ";")] where contains(separator) {
            return split(separator: separator, omittingEmptySubsequences: false).map(\.trimmed)
        }
        return words.map(\.trimmed)
    }

    private var trimmed: ArraySlice<UInt8> {
        func isPadding(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == UInt8(ascii: "\"") }
        var field = drop(while: isPadding)
        while let last = field.last, isPadding(last) { field.removeLast() }
        return field
    }
}
