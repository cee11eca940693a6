import Timebase

/// A clock's recorded course: rows of a time and either its offset or its frequency error then.
///
/// `time_s,offset_s` without a header line; a header may name other units (`time_ms`, `offset_us`, ...), or `frequency_ppm`
/// or `frequency_ppb` in place of the offset. See ``NumberTable`` for the rest.
public enum ClockTrace: Sendable, Equatable {
    /// A straight line from each offset (positive: fast) to the next; the first holds before it, the last after it.
    case offsets([(at: Instant, offset: TimeSpan)])
    /// Parts per 10^18 (positive: gains), each from its time on.
    case frequencies([(at: Instant, frequency: Int64)])

    private static let offset = NumberTable.Column(
        name: "offset", units: NumberTable.Column.seconds,
        range: -31_622_400_000_000_000...31_622_400_000_000_000, limits: "from -366 to 366 days")
    /// As much as a clock of a scenario may have.
    private static let frequency = NumberTable.Column(
        name: "frequency", units: [("ppm", 1_000_000_000_000), ("ppb", 1_000_000_000)],
        range: -100_000_000_000_000_000...100_000_000_000_000_000, limits: "from -100000 to 100000 ppm")

    /// - Throws: ``TraceProblem`` with the line.
    public init(_ bytes: [UInt8]) throws(TraceProblem) {
        let names = TraceLines(bytes).lazy.map(\.text.withoutComment.fields).first { $0.contains { !$0.isEmpty } } ?? []
        let isOfFrequency = names.contains { String(decoding: $0, as: UTF8.self).lowercased().hasPrefix("frequency") }
        let table = try NumberTable(bytes, [.time, isOfFrequency ? Self.frequency : Self.offset], order: .rising)
        func time(_ row: Int) -> Instant { Instant(nanoseconds: table[row, 0]) }
        guard !isOfFrequency else {
            self = .frequencies((0..<table.count).map { (time($0), table[$0, 1]) })
            return
        }
        for row in 1..<max(1, table.count) {
            let (elapsed, gained) = (table[row, 0] - table[row - 1, 0], table[row, 1] - table[row - 1, 1])
            // An oscillator runs forward: not slower than half as fast as time, not faster than three times.
            guard gained >= -(elapsed / 2), gained <= 2 * elapsed else {
                throw TraceProblem(
                    line: table.lines[row],
                    expected:
                        "an offset that since the row above has lost at most half of the time, and gained at most twice it"
                )
            }
        }
        self = .offsets((0..<table.count).map { (time($0), .nanoseconds(table[$0, 1])) })
    }

    public static func == (one: ClockTrace, other: ClockTrace) -> Bool {
        switch (one, other) {
        case (.offsets(let one), .offsets(let other)): one.elementsEqual(other, by: ==)
        case (.frequencies(let one), .frequencies(let other)): one.elementsEqual(other, by: ==)
        default: false
        }
    }
}
