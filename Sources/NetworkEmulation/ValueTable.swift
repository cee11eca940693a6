import Timebase

/// A distribution of equally likely values, or a trace of them.
public struct ValueTable: Sendable {
    /// Nanoseconds; of a distribution in rising order.
    public let values: [Int64]

    /// - Parameter values: nanoseconds, at least one; for a distribution in rising order, so that correlated draws give
    ///   correlated values.
    init?(_ values: [TimeSpan]) {
        guard !values.isEmpty else { return nil }
        self.values = values.map(\.nanoseconds)
    }

    /// Reads an iproute2 distribution: whole numbers apart by white space, 8192 of them a deviation, `#` to the line's
    /// end a comment.
    ///
    /// As netem does it, `deviation` times an entry is divided by 8192 and rounded to the nearest, halves away from zero.
    public init(dist bytes: [UInt8], deviation: TimeSpan) throws(TraceProblem) {
        let range = Int64(Int16.min)...Int64(Int16.max)
        var values: [Int64] = []
        for (line, text) in TraceLines(bytes) {
            for word in text.withoutComment.words {
                guard case .success(let entry)? = ExactDecimal(field: word)?.times(1), range.contains(entry) else {
                    throw TraceProblem(line: line, word, expected: "a whole number from -32768 to 32767")
                }
                guard values.count < 16_384 else {
                    throw TraceProblem(line: line, word, expected: "at most 16384 numbers")
                }
                values.append(entry.scaled(by: max(0, deviation.nanoseconds), over: 8_192, .nearest))
            }
        }
        guard !values.isEmpty else { throw TraceProblem(line: nil, expected: "at least one number") }
        self.values = values.sorted()
    }

    /// Reads one delay a line, the first packet's first: `delay_ms`.
    ///
    /// Without a header line delays are milliseconds; a header may name others: `delay_s`, `delay_us`, `delay_ns`. They
    /// may be negative: what is added to a constant delay.
    public init(delays bytes: [UInt8]) throws(TraceProblem) {
        values = try NumberTable(bytes, [.delay("delay")]).values
    }

    /// The value picked by 64 uniform bits.
    func value(at draw: UInt64) -> Int64 {
        values[Int(truncatingIfNeeded: draw.multipliedFullWidth(by: UInt64(values.count)).high)]
    }

    /// The value of a packet by its number, 0...; behind the last value the first comes again.
    subscript(number: Int) -> Int64 { values[number % values.count] }
}

extension NumberTable.Column {
    /// A delay, or what is added to one, usually in milliseconds.
    static func delay(_ name: String) -> Self {
        Self(name: name, units: milliseconds, range: -3_600_000_000_000...3_600_000_000_000, limits: "from -1 h to 1 h")
    }
}
