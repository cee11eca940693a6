/// A distribution of signed 64-bit values (nanoseconds, unless its owner says otherwise) in constant memory.
///
/// Count, minimum, maximum, sum and sum of squares are exact. Quantiles come from log-linear buckets, 512 an octave, and
/// are within 0.1 % of the true value; magnitudes below 1024 are exact. Counters are kept in chunks of 64 that come into
/// being when first needed, so that an empty histogram owns no memory and a narrow one less than 2 kB; all values that
/// there are would take 120 kB. Adding to buckets that exist allocates nothing.
///
/// Where values lie about zero, most memory goes to octaves of tiny ones that mean nothing: a coarser resolution does
/// without them. Then quantiles of magnitudes below 1024 of its units are within one unit, and above nothing changes.
///
/// Counters have 16 bits: three quarters of a histogram's counters never pass a few hundred, and the rare 65536th hit
/// goes to a short list of carries. Wider counters were rejected for their memory: a thousand receivers have ten
/// thousand histograms.
@frozen
public struct Histogram: Sendable {
    @usableFromInline var total: Int64 = 0
    @usableFromInline var least: Int64 = .max
    @usableFromInline var greatest: Int64 = .min
    @usableFromInline var exactSum: Int128 = 0
    /// Exact while it fits: ten thousand million values of up to 36 hours do. Beyond, held at the largest number.
    @usableFromInline var sumOfSquares: UInt128 = 0
    /// Where each chunk's counters begin, in chunks, for the chunks `firstChunk`...; `noSlot` where there are none.
    @usableFromInline var directory: [UInt16] = []
    @usableFromInline var firstChunk: Int = 0
    @usableFromInline var counters: [UInt16] = []
    /// How many times a counter went round, by bucket.
    @usableFromInline var carries: [Carry] = []
    /// The binary logarithm of the resolution: magnitudes are binned without so many of their lowest bits.
    @usableFromInline let resolutionBits: UInt64

    @usableFromInline
    @frozen
    struct Carry: Sendable, BitwiseCopyable {
        @usableFromInline let bucket: Int32
        @usableFromInline var rounds: UInt32
    }

    @usableFromInline static var noSlot: UInt16 { .max }

    /// - Parameter resolutionBits: magnitudes that differ by less than 2 to this power may share a bucket; 0 (all values
    ///   are told apart, as far as 0.1 % goes) to 32.
    @inlinable
    public init(resolutionBits: Int = 0) {
        precondition((0...32).contains(resolutionBits))
        self.resolutionBits = UInt64(resolutionBits)
    }

    /// How many values were added.
    @inlinable public var count: Int64 { total }
    /// The exact sum of all values.
    public var sum: Int128 { exactSum }
    /// The smallest value added; nil when empty.
    public var minimum: Int64? { count == 0 ? nil : least }
    /// The largest value added; nil when empty.
    public var maximum: Int64? { count == 0 ? nil : greatest }
    /// Whether no value was added.
    public var isEmpty: Bool { count == 0 }

    /// Adds one value.
    @inlinable
    public mutating func add(_ value: Int64) {
        total &+= 1
        if value < least { least = value }
        if value > greatest { greatest = value }
        exactSum &+= Int128(value)
        let square = UInt128(truncatingIfNeeded: Int128(value) &* Int128(value))
        let (squares, overflow) = sumOfSquares.addingReportingOverflow(square)
        sumOfSquares = overflow ? .max : squares
        let bucket = Self.bucket(of: value, resolutionBits)
        let chunk = bucket &>> 6 &- firstChunk
        guard chunk >= 0, chunk < directory.count, directory[chunk] != Self.noSlot else {
            return addToNewChunk(bucket)
        }
        let index = Int(directory[chunk]) &<< 6 | bucket & 63
        counters[index] &+= 1
        if counters[index] == 0 { carry(bucket, rounds: 1) }
    }

    /// Adds the same value `times` times.
    public mutating func add(_ value: Int64, times: Int64) {
        guard times > 0 else { return }
        total += times
        least = min(least, value)
        greatest = max(greatest, value)
        exactSum += Int128(value) * Int128(times)
        let square = UInt128(truncatingIfNeeded: Int128(value) &* Int128(value))
        let (product, excess) = square.multipliedReportingOverflow(by: UInt128(times))
        let (squares, overflow) = sumOfSquares.addingReportingOverflow(product)
        sumOfSquares = excess || overflow ? .max : squares
        add(UInt64(times), to: Self.bucket(of: value, resolutionBits))
    }

    /// Adds all values of another histogram; the result is as if each had been added here. From a histogram of another
    /// resolution, as if each had been at the middle of its bucket, count, ends and moments excepted.
    public mutating func merge(_ other: Histogram) {
        guard other.count > 0 else { return }
        total += other.total
        least = min(least, other.least)
        greatest = max(greatest, other.greatest)
        exactSum += other.exactSum
        let (squares, overflow) = sumOfSquares.addingReportingOverflow(other.sumOfSquares)
        sumOfSquares = overflow ? .max : squares
        other.forEachBucket { bucket, count in
            let isSame = other.resolutionBits == resolutionBits
            add(count, to: isSame ? bucket : Self.bucket(of: other.middle(of: bucket), resolutionBits))
            return true
        }
    }

    /// Forgets all values and keeps the memory.
    mutating func removeAll() {
        for index in counters.indices { counters[index] = 0 }
        carries.removeAll(keepingCapacity: true)
        (total, least, greatest, exactSum, sumOfSquares) = (0, .max, .min, 0, 0)
    }

    /// The bytes of counters and tables that it holds beside itself.
    var storageByteCount: Int {
        2 * directory.capacity + 2 * counters.capacity + MemoryLayout<Carry>.stride * carries.capacity
    }
}

// MARK: - Buckets

extension Histogram {
    /// The bucket of a value: its own number in units of the resolution below 1024, above that 512 to an octave; negative
    /// values mirror positive.
    @inlinable
    static func bucket(of value: Int64, _ resolutionBits: UInt64 = 0) -> Int {
        let magnitude = value.magnitude &>> resolutionBits
        let shift = 54 &- (magnitude | 512).leadingZeroBitCount
        let bucket = shift &<< 9 &+ Int(truncatingIfNeeded: magnitude &>> UInt64(truncatingIfNeeded: shift))
        let sign = Int(truncatingIfNeeded: value &>> 63)
        return (bucket ^ sign) &- sign
    }

    /// The middle of a bucket, which is less than 1/1024 of any value in it, or a unit of the resolution, away from that
    /// value.
    static func middle(of bucket: Int, _ resolutionBits: UInt64 = 0) -> Int64 {
        // Holds what is less than a unit on both sides of zero.
        guard bucket != 0 else { return 0 }
        let position = UInt64(bucket.magnitude)
        let shift = position < 1024 ? 0 : position >> 9 - 1
        let width: UInt64 = 1 << (shift + resolutionBits)
        // The largest magnitude of all, 2^63, is alone in its bucket's lower edge.
        let middle = Int64(clamping: (position - shift << 9) * width + width / 2)
        return bucket < 0 ? -middle : middle
    }

    /// The smallest and the largest value that fall into a bucket.
    static func values(of bucket: Int, _ resolutionBits: UInt64 = 0) -> ClosedRange<Int64> {
        let position = UInt64(bucket.magnitude)
        let shift = position < 1024 ? 0 : position >> 9 - 1
        let width: UInt64 = 1 << (shift + resolutionBits)
        let low = (position - shift << 9) * width
        let (nearest, farthest) = (Int64(clamping: low), Int64(clamping: low + (width - 1)))
        // The largest magnitude of all, 2^63, is negative and alone.
        if low > UInt64(Int64.max) { return .min ... .min }
        if bucket == 0 { return -farthest...farthest }
        return bucket < 0 ? -farthest ... -nearest : nearest...farthest
    }

    /// The middle of a bucket that holds something, or what of it is nearest to values that there were.
    private func middle(of bucket: Int) -> Int64 { min(max(Self.middle(of: bucket, resolutionBits), least), greatest) }

    @usableFromInline
    @inline(never)
    mutating func addToNewChunk(_ bucket: Int) {
        makeChunk(bucket >> 6)
        add(1, to: bucket)
    }

    mutating func add(_ times: UInt64, to bucket: Int) {
        makeChunk(bucket >> 6)
        let index = Int(directory[bucket >> 6 - firstChunk]) << 6 | bucket & 63
        let total = UInt64(counters[index]) + times
        counters[index] = UInt16(truncatingIfNeeded: total)
        if total > UInt64(UInt16.max) { carry(bucket, rounds: UInt32(clamping: total >> 16)) }
    }

    @usableFromInline
    @inline(never)
    mutating func carry(_ bucket: Int, rounds: UInt32) {
        if let index = carries.firstIndex(where: { $0.bucket == Int32(bucket) }) {
            carries[index].rounds += rounds
        } else {
            carries.append(Carry(bucket: Int32(bucket), rounds: rounds))
        }
    }

    private mutating func makeChunk(_ chunk: Int) {
        let octave = 8  // chunks; the directory grows by as many, so that it grows seldom
        if directory.isEmpty {
            firstChunk = chunk - octave / 2
            directory = Array(repeating: Self.noSlot, count: octave)
        } else if chunk < firstChunk {
            let more = firstChunk - chunk + octave - 1
            directory = Array(repeating: Self.noSlot, count: more) + directory
            firstChunk -= more
        } else if chunk >= firstChunk + directory.count {
            let more = chunk - firstChunk - directory.count + octave
            directory = directory + Array(repeating: Self.noSlot, count: more)
        }
        guard directory[chunk - firstChunk] == Self.noSlot else { return }
        directory[chunk - firstChunk] = UInt16(counters.count >> 6)
        // The allocator rounds capacities up, so that they need not be whole chunks.
        if counters.count + 64 > counters.capacity {
            // By an eighth, not by the doubling of arrays: memory counts here, and it happens a few dozen times at most.
            counters.reserveCapacity(counters.count + max(2 * 64, counters.count / 8 & ~63))
        }
        counters.append(contentsOf: repeatElement(0, count: 64))
    }

    /// Visits what was added, bin by bin in ascending order, until `visit` says false: the values that may have been
    /// added, within minimum...maximum, and how many were.
    public func forEachBin(_ visit: (_ values: ClosedRange<Int64>, _ count: UInt64) -> Bool) {
        forEachBucket { bucket, count in
            let all = Self.values(of: bucket, resolutionBits)
            return visit(max(all.lowerBound, least)...min(all.upperBound, greatest), count)
        }
    }

    /// Visits all buckets that hold something, in ascending order of value, until `visit` says false.
    func forEachBucket(_ visit: (_ bucket: Int, _ count: UInt64) -> Bool) {
        for (offset, slot) in directory.enumerated() where slot != Self.noSlot {
            for position in 0..<64 {
                let bucket = (firstChunk + offset) << 6 | position
                let rounds = carries.isEmpty ? 0 : carries.first { $0.bucket == Int32(bucket) }?.rounds ?? 0
                let count = UInt64(rounds) << 16 + UInt64(counters[Int(slot) << 6 | position])
                if count > 0, !visit(bucket, count) { return }
            }
        }
    }
}

// MARK: - Results

extension Histogram {
    /// The arithmetic mean, exact before it is rounded to a `Double`; nil when empty.
    public var mean: Double? {
        guard count > 0 else { return nil }
        let (quotient, remainder) = sum.quotientAndRemainder(dividingBy: Int128(count))
        return Double(quotient) + Double(remainder) / Double(count)
    }

    /// The mean rounded to a whole number, halves away from zero; nil when empty.
    public var roundedMean: Int64? {
        guard count > 0 else { return nil }
        let (quotient, remainder) = sum.quotientAndRemainder(dividingBy: Int128(count))
        let away: Int128 = remainder.magnitude * 2 >= UInt128(count) ? remainder.signum() : 0
        return Int64(clamping: quotient + away)
    }

    /// The standard deviation of the values themselves (the population's, divided by n); nil when empty.
    public var standardDeviation: Double? {
        guard count > 0 else { return nil }
        // Squares about a whole number next to the mean: exact where the usual difference of two huge sums is not.
        // Wrapping, because the parts may pass 127 bits where the result does not.
        let (center, remainder) = sum.quotientAndRemainder(dividingBy: Int128(count))
        let squares =
            Int128(truncatingIfNeeded: sumOfSquares) &- Int128(count) &* center &* center
            &- 2 &* center &* remainder
        let rest = Double(remainder) / Double(count)
        let variance = Double(UInt128(truncatingIfNeeded: squares)) / Double(count) - rest * rest
        return variance > 0 ? variance.squareRoot() : 0
    }

    /// The smallest value that at least a share `p` of all values do not exceed: the value of rank ⌈p·n⌉; nil when empty.
    ///
    /// Within 0.1 % of the true value or a unit of the resolution, never outside minimum...maximum, and exact at both
    /// ends and, with a resolution of 1, below 1024.
    ///
    /// - Parameter p: 0...1; what lies outside is clamped.
    /// - Complexity: O(buckets in use).
    public func quantile(_ p: Double) -> Int64? {
        guard count > 0 else { return nil }
        // The factor takes back the rounding of p and of the product: 0.07 · 100 is 7, not the 8 that doubles make of it.
        let exact = (p * Double(count) * (1 - 0x1p-50)).rounded(.up)
        guard exact > 1 else { return least }
        guard exact < Double(count) else { return greatest }
        let rank = UInt64(exact)
        var cumulative: UInt64 = 0
        var result = greatest
        forEachBucket { bucket, count in
            cumulative += count
            guard cumulative >= rank else { return true }
            result = middle(of: bucket)
            return false
        }
        return result
    }

    /// The same values, each increased by `offset`, binned anew in the same resolution: quantiles carry the roundings of
    /// both.
    public func shifted(by offset: Int64) -> Histogram {
        guard count > 0 else { return self }
        var result = Histogram(resolutionBits: Int(resolutionBits))
        forEachBucket { bucket, count in
            result.add(count, to: Self.bucket(of: middle(of: bucket) + offset, resolutionBits))
            return true
        }
        result.total = count
        result.least = least + offset
        result.greatest = greatest + offset
        result.exactSum = sum + Int128(offset) * Int128(count)
        // Σ(x + d)² = Σx² + 2dΣx + nd²; wrapping as in the standard deviation.
        let shift = Int128(offset)
        result.sumOfSquares = UInt128(
            truncatingIfNeeded: Int128(truncatingIfNeeded: sumOfSquares) &+ 2 &* shift &* sum
                &+ Int128(count) &* shift &* shift)
        return result
    }
}
