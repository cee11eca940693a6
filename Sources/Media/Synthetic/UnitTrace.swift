import Timebase

/// When units come and how large they are, read from CSV: discrete media, or what was traced of a real stream.
public struct UnitTrace: Sendable {
    struct Row: Sendable, Equatable {
        /// 90 kHz from the program's first presentation, rounded down.
        var ticks: Int64
        /// 1...2^24.
        var byteCount: Int
        var frameType: FrameType
    }

    let rows: [Row]
    /// The median distance between rows in ticks; 0 with one row.
    let usualDuration: Int64

    /// Rows.
    var count: Int { rows.count }
    /// The largest unit's bytes, PES header not counted.
    var largestUnit: Int { rows.map(\.byteCount).max() ?? 0 }

    /// Why a trace cannot be used. `line` counts from 1, the header is the first.
    public enum Problem: Error, Equatable, Sendable {
        /// There is nothing behind the header line, or not even that.
        case empty
        /// The first line names no such column: `time` and `size` must be there, `type` may be.
        case missingColumn(String)
        /// A line has fewer fields than the header.
        case missingField(line: Int)
        /// Not a number of seconds from 0 to 10,000,000, nor one with the unit s, ms, us or ns.
        case badTime(line: Int, text: String)
        /// Not a whole number of bytes from 1 to 16,777,216.
        case badSize(line: Int, text: String)
        /// Earlier than the line before; rows are in the order of time.
        case timeGoesBack(line: Int, text: String)
        /// Not UTF-8.
        case notText
    }

    /// Reads CSV whose first line names its columns, `time,size` or `time,size,type`, in any order and among others.
    ///
    /// `time` is seconds from the program's beginning (`0.04`) or carries a unit (`40ms`); `size` is bytes; `type` is I,
    /// P or B for video, anything else for what is not. Lines that are empty or begin with # are skipped.
    public init(csv bytes: [UInt8]) throws(Problem) {
        guard String(validating: bytes, as: UTF8.self) != nil else { throw .notText }
        var columns: (time: Int, size: Int, type: Int?, count: Int)?
        var rows: [Row] = []
        var previous: Int64 = 0
        for (index, line) in bytes.split(separator: 0x0a, omittingEmptySubsequences: false).enumerated() {
            let fields = Self.fields(line)
            if fields.count == 1 && fields[0].isEmpty || fields[0].hasPrefix("#") { continue }
            guard let columns else {
                columns = try Self.columns(fields)
                continue
            }
            guard fields.count >= columns.count else { throw .missingField(line: index + 1) }
            let time = fields[columns.time]
            guard let nanoseconds = Self.nanoseconds(time) else { throw .badTime(line: index + 1, text: time) }
            guard nanoseconds >= previous else { throw .timeGoesBack(line: index + 1, text: time) }
            previous = nanoseconds
            let size = fields[columns.size]
            guard let byteCount = Int(size), (1...1 << 24).contains(byteCount) else {
                throw .badSize(line: index + 1, text: size)
            }
            let ticks = MediaClock.ticks(.nanoseconds(nanoseconds), rate: MediaClock.ninetyKilohertz)
            let type = columns.type.map { Self.frameType(fields[$0]) } ?? .unknown
            rows.append(Row(ticks: ticks, byteCount: byteCount, frameType: type))
        }
        guard !rows.isEmpty else { throw .empty }
        self.rows = rows
        let distances = zip(rows.dropFirst(), rows).map { $0.ticks - $1.ticks }.sorted()
        usualDuration = distances.isEmpty ? 0 : distances[distances.count / 2]
    }

    /// The line's fields without the blanks, quotation marks and carriage returns around them.
    private static func fields(_ line: ArraySlice<UInt8>) -> [String] {
        // Bytes, not characters: to Swift a carriage return and a line feed are one character.
        let byteOrderMark: [UInt8] = [0xef, 0xbb, 0xbf]
        let line = line.starts(with: byteOrderMark) ? line.dropFirst(3) : line
        return line.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map { field in
            let isPadding = { (byte: UInt8) in [0x20, 0x09, 0x0d, 0x22].contains(byte) }
            let end = field.lastIndex { !isPadding($0) }.map { $0 + 1 } ?? field.startIndex
            return String(decoding: field[..<end].drop(while: isPadding), as: UTF8.self)
        }
    }

    private static func columns(
        _ fields: [String]
    ) throws(Problem) -> (time: Int, size: Int, type: Int?, count: Int) {
        let names = fields.map { $0.lowercased() }
        guard let time = names.firstIndex(of: "time") else { throw .missingColumn("time") }
        guard let size = names.firstIndex(of: "size") else { throw .missingColumn("size") }
        let type = names.firstIndex(of: "type")
        return (time, size, type, max(time, size, type ?? 0) + 1)
    }

    private static func frameType(_ text: String) -> FrameType {
        switch text.uppercased() {
        case "I": .intra
        case "P": .predicted
        case "B": .bidirectional
        default: .unknown
        }
    }

    /// A decimal number of seconds, or of the unit behind it, rounded down to a nanosecond.
    private static func nanoseconds(_ text: String) -> Int64? {
        let isNumeric = { (byte: UInt8) in byte == UInt8(ascii: ".") || (0x30...0x39).contains(byte) }
        let number = text.utf8.prefix(while: isNumeric)
        let digitsPerUnit: Int
        switch String(decoding: text.utf8.dropFirst(number.count).drop { $0 == 0x20 }, as: UTF8.self) {
        case "", "s": digitsPerUnit = 9
        case "ms": digitsPerUnit = 6
        case "us": digitsPerUnit = 3
        case "ns": digitsPerUnit = 0
        default: return nil
        }
        let parts = number.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count <= 2, number.contains(where: { $0 != UInt8(ascii: ".") }) else { return nil }
        let fraction = (parts.count == 2 ? Array(parts[1]) : []) + [UInt8](repeating: 0x30, count: 9)
        var value: Int64 = 0
        for digit in Array(parts[0]) + fraction.prefix(digitsPerUnit) {
            value = value * 10 + Int64(digit - 0x30)
            guard value <= 10_000_000_000_000_000 else { return nil }
        }
        return value
    }
}

extension UnitTrace.Problem: CustomStringConvertible {
    /// What is wrong with the trace, to follow its name.
    public var description: String {
        switch self {
        case .empty: "has no rows"
        case .notText: "is not UTF-8 text"
        case .missingColumn(let name): "line 1: no column '\(name)'; expected a header line such as time,size,type"
        case .missingField(let line): "line \(line): fewer fields than the header line has"
        case .badTime(let line, let text):
            "line \(line): time '\(text)'; expected seconds (0.04) or a time with unit (40ms)"
        case .badSize(let line, let text): "line \(line): size '\(text)'; expected whole bytes, 1 to 16777216"
        case .timeGoesBack(let line, let text):
            "line \(line): time '\(text)' lies before the row above; sort the rows by time"
        }
    }
}
