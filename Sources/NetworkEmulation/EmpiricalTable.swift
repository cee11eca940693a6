import Timebase

/// A distribution given by points of its cumulative law, straight between them; jumps and gaps are exact.
public struct EmpiricalTable: Sendable {
    /// Rising, as are the values. The first 0, the last 2^64 − 1.
    public let probabilities: [UInt64]
    /// Nanoseconds, one to each of ``probabilities``.
    public let values: [Int64]

    /// - Parameter points: values with the probability of lying at or below each, neither falling. A first probability
    ///   above 0 is that of the first value itself; the last is 1.
    /// - Returns: nil for other points.
    init?(_ points: [(value: TimeSpan, probability: Double)]) {
        guard let first = points.first, let last = points.last, first.probability >= 0, last.probability == 1,
            zip(points, points.dropFirst()).allSatisfy({ $0.value <= $1.value && $0.probability <= $1.probability })
        else { return nil }
        let start = first.probability > 0 ? [(value: first.value, probability: 0.0)] : []
        let all = start + points
        values = all.map(\.value.nanoseconds)
        probabilities = all.map { $0.probability >= 1 ? .max : UInt64($0.probability * 0x1p64) }
    }

    /// Reads rows of `value_ms,probability`, or a sample of values, one a line.
    ///
    /// Without a header line values are milliseconds; a header may name others: `value_s`, `value_us`, `value_ns`. They
    /// may be negative: what is added to a constant delay. Of a table neither column falls, and the last probability is
    /// 1, or so near that a millionth is missing. A sample may be in any order; each of its values is equally likely.
    public init(empirical bytes: [UInt8]) throws(TraceProblem) {
        let whole: Int64 = 1_000_000_000_000_000_000
        let table = try NumberTable(
            bytes,
            [
                .delay("value"),
                NumberTable.Column(
                    name: "probability", units: [("", whole)], range: 0...whole, limits: "from 0 to 1", isOptional: true
                ),
            ])
        guard table.width == 2 else {
            self.init(sample: table.values)
            return
        }
        for row in 1..<max(1, table.count) {
            for column in 0...1 where table[row, column] < table[row - 1, column] {
                throw TraceProblem(
                    line: table.lines[row],
                    expected: "a \(column == 0 ? "value" : "probability") not below the row above's")
            }
        }
        let last = table.count - 1
        guard table[last, 1] >= whole - whole / 1_000_000 else {
            throw TraceProblem(line: table.lines[last], expected: "1 as the last probability")
        }
        let points = (0...last).map { row in
            (
                value: TimeSpan.nanoseconds(table[row, 0]),
                probability: row == last ? 1 : Double(table[row, 1]) / Double(whole)
            )
        }
        guard let law = EmpiricalTable(points) else {
            throw TraceProblem(line: nil, expected: "rows of value_ms,probability")
        }
        self = law
    }

    /// A step of the cumulative law at each value.
    private init(sample: [Int64]) {
        let sorted = sample.sorted()
        values = sorted.flatMap { [$0, $0] }
        let count = UInt64(sorted.count)
        probabilities = (1..<2 * count + 1).map { index in
            index / 2 == count ? .max : count.dividingFullWidth((index / 2, 0)).quotient
        }
    }

    /// The value at probability `draw / 2^64`, in nanoseconds, rounded down between two points.
    ///
    /// - Complexity: O(log points).
    func value(at draw: UInt64) -> Int64 {
        // The last point at or below the draw: of several at one probability, the one behind the gap.
        var (low, high) = (0, probabilities.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if probabilities[middle] <= draw { low = middle } else { high = middle }
        }
        guard low + 1 < probabilities.count else { return values[low] }
        let step = UInt64(values[low + 1] - values[low])
        let (within, width) = (draw - probabilities[low], probabilities[low + 1] - probabilities[low])
        return values[low] + Int64(width.dividingFullWidth(within.multipliedFullWidth(by: step)).quotient)
    }
}
