/// A distribution of signed 64-bit values (nanoseconds, unless its owner says otherwise) in constant memory.
///
/// Count, minimum, maximum, sum and sum of squares are exact. Quantiles come from log-linear buckets, 512 an octave. A
/// bucket that has held one value only, however often, tells that value exactly; of others the middle is told, which is
/// within 0.1 % of any value in it, magnitudes below 1024 being exact. A coarser resolution widens the buckets of small
/// magnitudes: then the middle is within 0.1 % or half a unit of the resolution, whichever is more. Where values lie
/// about zero, this spares octaves of tiny ones that mean nothing. At numbers that are known before the first value
/// comes, its ``Cut``s, it counts exactly, and no quantile is told on the wrong side of one.
///
/// Slots are kept in chunks of 64 that come into being when first needed, so that an empty histogram owns no memory and
/// a narrow one less than 2 kB; all values that there are would take 120 kB. Adding to buckets that exist allocates
/// nothing, but for a value that is alone in its bucket and comes again, or has more than 15 bits that the bucket does
/// not tell: 16 bytes, for up to 16,384 such.
///
/// A slot has 16 bits, and says what its bucket holds:
///
/// - 0: nothing.
/// - 1 to 0x3fff: so many values, not all the same. The rare 16,384th goes to a short list of carries.
/// - From 0x4000 on: one value, several times; the rest is its place in `soles`.
/// - From 0x8000 on: one value, once; the rest is what of it the bucket does not tell, where that has 15 bits.
///
/// Wider ones were rejected for their memory: a thousand receivers have ten thousand histograms, and nearly all buckets
/// of most hold one value, or a few hundred.
@frozen
public struct Histogram: Sendable {
    @usableFromInline var total: Int64 = 0
    @usableFromInline var least: Int64 = .max
    @usableFromInline var greatest: Int64 = .min
    @usableFromInline var exactSum: Int128 = 0
    /// Exact while it fits: ten thousand million values of up to 36 hours do. Beyond, held at the largest number.
    @usableFromInline var sumOfSquares: UInt128 = 0
    /// Where each chunk's slots begin, in chunks, for the chunks `firstChunk`...; `noChunk` where there are none.
    @usableFromInline var directory: [UInt16] = []
    @usableFromInline var firstChunk: Int = 0
    @usableFromInline var slots: [UInt16] = []
    /// What slots have no room for, ascending.
    @usableFromInline var carries: [Carry] = []
    /// The values that are alone in their buckets.
    @usableFromInline var soles: [Sole] = []
    @usableFromInline var cuts: [Cut] = []
    /// The binary logarithm of the resolution: values are binned without so many of their lowest bits.
    @usableFromInline let resolutionBits: UInt64

    @usableFromInline
    @frozen
    struct Carry: Sendable, BitwiseCopyable {
        @usableFromInline let bucket: Int32
        /// Of 8,192 values.
        @usableFromInline var rounds: UInt32
    }

    @usableFromInline
    @frozen
    struct Sole: Sendable, BitwiseCopyable {
        @usableFromInline var value: Int64
        @usableFromInline var count: Int64
    }

    @usableFromInline static var noChunk: UInt16 { .max }

    /// - Parameters:
    ///   - resolutionBits: values that differ by less than 2 to this power may share a bucket; 0 (all values are told
    ///     apart, as far as 0.1 % goes) to 32.
    ///   - cuts: numbers at which it counts exactly, in any order, each once.
    public init(resolutionBits: Int = 0, cuts: [Int64] = []) {
        precondition((0...32).contains(resolutionBits))
        self.resolutionBits = UInt64(resolutionBits)
        self.cuts = cuts.map { Cut($0) }
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
        if !cuts.isEmpty { countAtCuts(value, times: 1) }
        let bucket = Self.bucket(of: value, resolutionBits)
        let chunk = bucket &>> 6 &- firstChunk
        guard chunk >= 0, chunk < directory.count, directory[chunk] != Self.noChunk else {
            return put(1, of: value, in: bucket)
        }
        let index = Int(directory[chunk]) &<< 6 | bucket & 63
        let slot = slots[index]
        if slot &- 1 < 0x3ffe {
            slots[index] = slot &+ 1
        } else if slot &>> 14 == 1, soles[Int(slot & 0x3fff)].value == value {
            soles[Int(slot & 0x3fff)].count &+= 1
        } else {
            put(1, of: value, in: bucket)
        }
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
        countAtCuts(value, times: times)
        put(UInt64(times), of: value, in: Self.bucket(of: value, resolutionBits))
    }

    /// Adds all values of another histogram; the result is as if each had been added here. From a histogram of another
    /// resolution, as if each had been where its bucket tells, count, ends and moments excepted.
    public mutating func merge(_ other: Histogram) {
        guard other.count > 0 else { return }
        mergeCuts(of: other)
        total += other.total
        least = min(least, other.least)
        greatest = max(greatest, other.greatest)
        exactSum += other.exactSum
        let (squares, overflow) = sumOfSquares.addingReportingOverflow(other.sumOfSquares)
        sumOfSquares = overflow ? .max : squares
        other.forEachBucket { bucket, count, sole in
            let isSame = other.resolutionBits == resolutionBits
            let target = isSame ? bucket : Self.bucket(of: sole ?? other.middle(of: bucket), resolutionBits)
            put(count, of: sole, in: target)
            return true
        }
    }

    /// Forgets all values and keeps the memory.
    public mutating func removeAll() {
        for index in slots.indices { slots[index] = 0 }
        carries.removeAll(keepingCapacity: true)
        soles.removeAll(keepingCapacity: true)
        (total, least, greatest, exactSum, sumOfSquares) = (0, .max, .min, 0, 0)
        cuts = cuts.map { Cut($0.value) }
    }

    /// The bytes of slots and tables that it holds beside itself.
    var storageByteCount: Int {
        2 * directory.capacity + 2 * slots.capacity + MemoryLayout<Carry>.stride * carries.capacity
            + MemoryLayout<Sole>.stride * soles.capacity + MemoryLayout<Cut>.stride * cuts.capacity
    }
}
