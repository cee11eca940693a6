/// What is written for a value.
indirect enum ScenarioText: Sendable {
    typealias Entry = (key: String, text: ScenarioText)

    case scalar(String)
    /// `isBlock`: a line an entry or element, where there are any.
    case map([Entry], isBlock: Bool)
    case list([ScenarioText], isBlock: Bool)

    /// On one line.
    var line: String {
        switch self {
        case .scalar(let text): return text
        case .map(let entries, _):
            guard !entries.isEmpty else { return "{}" }
            return "{ " + entries.map { "\($0.key): \($0.text.line)" }.joined(separator: ", ") + " }"
        case .list(let elements, _):
            let text = elements.map(\.line).joined(separator: ", ")
            if case .map? = elements.first { return "[ \(text) ]" }
            return "[\(text)]"
        }
    }

    /// On many lines, without the blanks of what stands around them; nil where one line is enough.
    private var block: [String]? {
        switch self {
        case .map(let entries, isBlock: true): entries.flatMap { key, text in text.lines(behind: key) }
        case .list(let elements, isBlock: true) where !elements.isEmpty:
            elements.flatMap { element in
                (element.block ?? [element.line]).enumerated().map { ($0 == 0 ? "- " : "  ") + $1 }
            }
        default: nil
        }
    }

    private func lines(behind key: String) -> [String] {
        guard let block else { return ["\(key): \(line)"] }
        return ["\(key):"] + block.map { "  " + $0 }
    }

    /// A whole document.
    var document: String { (block ?? [line]).map { $0 + "\n" }.joined() }

    /// A text as a YAML scalar that is read back as the same text.
    static func quoted(_ text: String) -> String {
        let isPlain =
            text != "null" && text.first.map { $0 == "/" || $0.isASCII && $0.isLetter } == true
            && text.utf8.allSatisfy { isWordByte($0) || $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: ".") }
        if isPlain { return text }
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case " "..."~": result.unicodeScalars.append(scalar)
            default:
                // Escaped, so that neither line breaks nor what YAML forbids can stand in the text.
                let digits = String(scalar.value, radix: 16)
                result += "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
            }
        }
        return result + "\""
    }
}
