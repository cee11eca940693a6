/// How text looks on a terminal; plain text carries no styles.
public enum TextStyle: String, Sendable {
    /// What stands out: titles.
    case bold = "1"
    /// What stands back: headers, remarks.
    case dim = "2"
    /// What failed.
    case red = "31"
    /// What passed.
    case green = "32"
    /// What to look at.
    case yellow = "33"
}

/// Text with styles switched on or off.
public struct StyledText: Sendable {
    var isColoured: Bool

    public init(isColoured: Bool) { self.isColoured = isColoured }

    /// The text in a style; as it is without one, or where styles are off.
    public func callAsFunction(_ text: String, _ style: TextStyle?) -> String {
        guard isColoured, let style, !text.isEmpty else { return text }
        return "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m"
    }
}

/// Columns that align, however wide what is in them.
public struct TextTable {
    /// A text in its place, with its style.
    public struct Cell: ExpressibleByStringInterpolation {
        var text: String
        var style: TextStyle?

        /// A text in a style; nil: as the rest.
        public init(_ text: String, _ style: TextStyle? = nil) {
            self.text = text
            self.style = style
        }

        public init(stringLiteral value: String) { self.init(value) }
    }

    /// To which edge of its column a cell keeps.
    public enum Alignment { case left, right }

    /// Spaces before every line.
    public var indentation = 2
    var gap = 2
    /// Columns beyond the last given align right.
    var alignments: [Alignment] = [.left]
    private var header: [Cell]?
    private var rows: [[Cell]] = []

    public init(header: [String]? = nil, alignments: [Alignment] = [.left]) {
        self.header = header?.map { Cell($0, .dim) }
        self.alignments = alignments
    }

    /// Adds a row below the others.
    public mutating func add(_ row: [Cell]) { rows.append(row) }

    var isEmpty: Bool { rows.isEmpty }

    /// The lines, without spaces at their ends. A column that is empty in every row is left out.
    public func lines(_ styled: StyledText) -> [String] {
        let all = (header.map { [$0] } ?? []) + rows
        let columns = all.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.contains { column < $0.count && !$0[column].text.isEmpty }
                ? all.map { column < $0.count ? displayWidth($0[column].text) : 0 }.max() ?? 0 : 0
        }
        return all.map { row in
            var line = ""
            var pending = String(repeating: " ", count: indentation)
            for (column, cell) in row.enumerated() where widths[column] > 0 {
                let padding = String(repeating: " ", count: widths[column] - displayWidth(cell.text))
                let isRight = (column < alignments.count ? alignments[column] : .right) == .right
                if isRight { pending += padding }
                if !cell.text.isEmpty {
                    line += pending + styled(cell.text, cell.style)
                    pending = ""
                }
                if !isRight { pending += padding }
                pending += String(repeating: " ", count: gap)
            }
            return line
        }
    }
}

/// Columns that a text takes on a terminal: none for combining marks, two for East Asian wide characters and emoji.
public func displayWidth(_ text: String) -> Int {
    if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.utf8.count }
    return text.reduce(0) { $0 + displayWidth($1) }
}

private func displayWidth(_ character: Character) -> Int {
    guard let scalar = character.unicodeScalars.first else { return 0 }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format, .control: return 0
    default: break
    }
    // Unicode Standard Annex #11: the ranges whose East_Asian_Width is W or F.
    switch scalar.value {
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97C, 0xAC00...0xD7A3, 0xF900...0xFAFF,
        0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1FAFF,
        0x20000...0x3FFFD:
        return 2
    default: return 1
    }
}
