import Timebase

/// A text table of decimal numbers, read exactly into whole units.
///
/// A row is a line; fields are apart by commas, semicolons, or blanks and tabs. Lines that are empty and what follows a
/// number sign are passed over. The first row may name the columns, each followed by its unit (`time_ms`), or not
/// (`time`, in the usual unit); then they may stand in any order and among others. Without it they stand in the order
/// given here, in their usual units, and nothing else.
struct NumberTable {
    struct Column {
        let name: String
        /// The name's ending and the whole units in one, the usual one first.
        let units: [(name: String, factor: Int64)]
        /// In whole units.
        let range: ClosedRange<Int64>
        /// The range in words, such as `from 0 to 1 Tbit/s`.
        let limits: String
        /// Whether the first row decides that the table goes without it; only the last column.
        var isOptional = false

        /// The name with a unit, as a header has it.
        func heading(_ unit: String) -> String { unit.isEmpty ? name : "\(name)_\(unit)" }

        static let seconds = [("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000), ("ns", 1)] as [(String, Int64)]
        static let milliseconds = [seconds[1], seconds[0], seconds[2], seconds[3]]

        /// A time from the beginning of a trace, in nanoseconds.
        static let time = Column(
            name: "time", units: seconds, range: 0...10_000_000_000_000_000, limits: "from 0 to 10000000 s")
    }

    /// Where a column stands in a row, and the unit that its numbers have.
    private struct Place {
        let index: Int
        let column: Column
        let unit: (name: String, factor: Int64)

        func value(_ field: ArraySlice<UInt8>, line: Int) throws(TraceProblem) -> Int64 {
            guard let value = ExactDecimal(field: field)?.rounded(times: unit.factor), column.range.contains(value)
            else {
                let unit = unit.name.isEmpty ? "" : " in \(unit.name)"
                throw TraceProblem(line: line, field, expected: "\(column.name)\(unit), \(column.limits)")
            }
            return value
        }
    }

    /// The values of all rows, row by row.
    private(set) var values: [Int64] = []
    /// Values a row.
    private(set) var width = 0
    /// The line of each row.
    private(set) var lines: [Int] = []

    var count: Int { lines.count }
    subscript(row: Int, column: Int) -> Int64 { values[row * width + column] }

    /// How the first column goes on from row to row.
    enum Order: String {
        case rising = "above"
        case notFalling = "not below"
    }

    init(_ bytes: [UInt8], _ columns: [Column], order: Order? = nil) throws(TraceProblem) {
        var places: [Place] = []
        var hasHeader = false
        for (line, text) in TraceLines(bytes) {
            let fields = text.withoutComment.fields
            guard let first = fields.first, fields.count > 1 || !first.isEmpty else { continue }
            if places.isEmpty {
                hasHeader = Self.isName(first)
                places = try Self.places(fields, areNames: hasHeader, columns, line: line)
                width = places.count
                if hasHeader { continue }
            }
            let needed = (places.map(\.index).max() ?? 0) + 1
            guard hasHeader ? fields.count >= needed : fields.count == needed else {
                throw TraceProblem(line: line, text, expected: Self.form(columns))
            }
            for place in places { values.append(try place.value(fields[place.index], line: line)) }
            lines.append(line)
            guard let order, count > 1 else { continue }
            let (latest, before) = (self[count - 1, 0], self[count - 2, 0])
            guard latest > before || order == .notFalling && latest == before else {
                throw TraceProblem(
                    line: line, fields[places[0].index],
                    expected: "\(columns[0].name) \(order.rawValue) the row above's")
            }
        }
        guard count > 0 else { throw TraceProblem(line: nil, expected: "at least one row: \(Self.form(columns))") }
    }

    private static func isName(_ field: ArraySlice<UInt8>) -> Bool {
        field.first.map { 0x61...0x7a ~= $0 | 0x20 || $0 == UInt8(ascii: "_") } ?? false
    }

    /// Where the columns are: by their names, or by their order.
    private static func places(
        _ fields: [ArraySlice<UInt8>], areNames: Bool, _ columns: [Column], line: Int
    ) throws(TraceProblem) -> [Place] {
        guard areNames else {
            return columns.enumerated().filter { $0 < fields.count || !$1.isOptional }
                .map { Place(index: $0, column: $1, unit: $1.units[0]) }
        }
        let names = fields.map { String(decoding: $0, as: UTF8.self).lowercased() }
        var places: [Place] = []
        for column in columns {
            let place = ([(column.name, column.units[0])] + column.units.map { (column.heading($0.name), $0) })
                .lazy.compactMap { spelling, unit in
                    names.firstIndex(of: spelling.lowercased()).map { Place(index: $0, column: column, unit: unit) }
                }.first
            if let place {
                places.append(place)
            } else if !column.isOptional {
                let headings = column.units.map { column.heading($0.name) }.joined(separator: " or ")
                throw TraceProblem(
                    line: line, Array(fields.joined(separator: [UInt8(ascii: ",")]))[...],
                    expected: "a column \(headings)")
            }
        }
        return places
    }

    /// `rows of time_s,rate_bps`.
    private static func form(_ columns: [Column]) -> String {
        "rows of " + columns.map { $0.heading($0.units[0].name) }.joined(separator: ",")
    }
}
