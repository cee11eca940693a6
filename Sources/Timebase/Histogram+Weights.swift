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

    /// The same distribution with its weights in a unit that is `unit` times as large, rounded so that none is lost on
    /// the way up; nil if they are less than half a unit together.
    public func weighted(per unit: Int64) -> Histogram? {
        let whole = count / unit + (count % unit * 2 >= unit ? 1 : 0)
        guard whole > 0 else { return nil }
        var result = Histogram(resolutionBits: Int(resolutionBits))
        (result.total, result.least, result.greatest) = (whole, least, greatest)
        result.exactSum = exactSum * Int128(whole) / Int128(count)
        let squares = sumOfSquares.multipliedFullWidth(by: UInt128(whole))
        let (quotient, remainder) = UInt128(count).dividingFullWidth(squares)
        result.sumOfSquares = sumOfSquares == .max ? .max : quotient + (remainder == 0 ? 0 : 1)
        let all = UInt128(count)
        func share(_ passed: Int64) -> Int64 { Int64((UInt128(passed) * UInt128(whole) * 2 + all) / (all * 2)) }
        result.cuts = cuts.map { Cut($0.value, share($0.fewest)...share($0.most)) }
        var (passed, given): (Int64, Int64) = (0, 0)
        forEachBucket { bucket, weight, sole in
            passed += Int64(clamping: weight)
            let share = share(passed)
            if share > given { result.put(UInt64(share - given), of: sole, in: bucket) }
            given = share
            return true
        }
        return result
    }
}
