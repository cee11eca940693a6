/// Values that last: `times` stands for time.
extension Histogram {
    /// Adds values that go evenly from one to another and weigh `times` together. Moments and ends are exact (a mean is
    /// within 1 / `times` of its value, towards zero); each bucket gets its share of the way.
    ///
    /// - Parameters:
    ///   - first: at most `last`.
    ///   - times: not negative; of no weight at all, only the ends count.
    /// - Complexity: O(buckets between the two).
    public mutating func add(evenlyFrom first: Int64, to last: Int64, times: Int64) {
        guard first < last else { return add(first, times: times) }
        least = min(least, first)
        greatest = max(greatest, last)
        guard times > 0 else { return }
        total += times
        let (a, b, weight) = (Int128(first), Int128(last), Int128(times))
        // One towards zero and the other up: the variance is never less than none.
        exactSum += (a + b) * weight / 2
        let square = UInt128((a * a + a * b + b * b).magnitude)
        let (product, excess) = square.multipliedReportingOverflow(by: UInt128(times))
        let (squares, overflow) = sumOfSquares.addingReportingOverflow(product / 3 + (product % 3 == 0 ? 0 : 1))
        sumOfSquares = excess || overflow ? .max : squares
        countAtCuts(evenlyFrom: first, to: last, times: times)
        var given: Int64 = 0
        var value = first
        while given < times {
            let bucket = Self.bucket(of: value, resolutionBits)
            let edge = min(Self.values(of: bucket, resolutionBits).upperBound, last)
            let share = edge == last ? times : Int64(weight * Int128(edge - first) / Int128(last - first))
            if share > given { put(UInt64(share - given), of: value == edge ? value : nil, in: bucket) }
            given = share
            value = edge == last ? last : edge + 1
        }
    }
}
