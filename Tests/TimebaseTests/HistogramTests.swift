import Testing

@testable import Timebase

@Suite("Histogram (one value exactly, others to 0.1 %, in constant memory)")
struct HistogramTests {
    static let quantiles = [0, 0.001, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999, 1]

    /// Shapes that press on different parts: values by index 0..<n.
    static let shapes: [(name: String, count: Int, value: @Sendable (Int64, UInt64) -> Int64)] = [
        ("small exact", 3_000, { _, draw in Int64(draw % 1024) - 300 }),
        ("all scales", 20_000, { _, draw in Int64(bitPattern: draw) >> Int64(draw % 63) }),
        ("delay", 20_000, { _, draw in 20_000_000 + Int64(draw % 5_000_000) }),
        ("symmetric", 20_000, { _, draw in Int64(draw % 10_000_000) - 5_000_000 }),
        ("one value", 100, { _, _ in -123_456_789 }),
        ("two far apart", 1_000, { index, _ in index % 2 == 0 ? -40_000_000_000 : 7_000_000_000_000 }),
        ("descending", 10_000, { index, _ in 30_000_000_000 - index * 2_999_999 }),
    ]

    @Test("quantiles are within 0.1 % of the sorted values; count, ends, sum are exact", arguments: shapes.indices)
    func againstSortedValues(shape: Int) throws {
        let (_, count, value) = Self.shapes[shape]
        let key = DrawKey(seed: 1).named("histogram")
        var histogram = Histogram()
        var values: [Int64] = []
        for index in 0..<Int64(count) {
            values.append(value(index, key.draw(index)))
            histogram.add(values[Int(index)])
        }
        values.sort()
        #expect(histogram.count == Int64(count))
        #expect(histogram.minimum == values.first)
        #expect(histogram.maximum == values.last)
        #expect(histogram.sum == values.reduce(Int128(0)) { $0 + Int128($1) })
        for p in Self.quantiles {
            let rank = max(1, Int((p * Double(count)).rounded(.up)))
            let exact = values[rank - 1]
            let got = try #require(histogram.quantile(p))
            let difference = (Int128(got) - Int128(exact)).magnitude
            #expect(difference * 1000 <= exact.magnitude, "p = \(p): \(got), exactly \(exact)")
            if exact.magnitude < 1024 { #expect(got == exact) }
        }
    }

    @Test("the quantile of rank ceil(p n) is not moved by the rounding of p")
    func rank() {
        var histogram = Histogram()
        for value in 1...100 { histogram.add(Int64(value)) }
        for percent in 1...100 {
            #expect(histogram.quantile(Double(percent) / 100) == Int64(percent))
        }
        #expect(histogram.quantile(0.0701) == 8)
        #expect(histogram.quantile(-1) == 1)
        #expect(histogram.quantile(2) == 100)
    }

    @Test("mean and variance of 2, 4, 4, 4, 5, 5, 7, 9 are 5 and 32/7, wherever they lie; one value has no variance")
    func moments() {
        for offset: Int64 in [0, -5, 1_000_000_000_000_000, -1_000_000_000_000_000] {
            var histogram = Histogram()
            for value: Int64 in [2, 4, 4, 4, 5, 5, 7, 9] { histogram.add(value + offset) }
            #expect(histogram.mean == Double(offset + 5))
            #expect(histogram.roundedMean == offset + 5)
            #expect(histogram.standardDeviation == (32.0 / 7).squareRoot())
        }
        var one = Histogram()
        one.add(7)
        #expect(one.standardDeviation == nil)
        one.add(7)
        #expect(one.standardDeviation == 0)
    }

    @Test("the mean is rounded to the nearest, halves away from zero")
    func meanRounding() {
        for (values, mean) in [([1, 2], 2), ([-1, -2], -2), ([1, 1, 2], 1), ([-1, -1, -2], -1), ([-1, 1], 0)] {
            var histogram = Histogram()
            for value in values { histogram.add(Int64(value)) }
            #expect(histogram.roundedMean == Int64(mean))
        }
    }

    @Test("empty has no numbers and no memory")
    func empty() {
        let histogram = Histogram()
        #expect(histogram.isEmpty && histogram.count == 0)
        #expect(histogram.minimum == nil && histogram.maximum == nil && histogram.mean == nil)
        #expect(histogram.standardDeviation == nil && histogram.quantile(0.5) == nil && histogram.roundedMean == nil)
        #expect(histogram.storageByteCount == 0)
    }

    @Test("the ends of the range are taken without a trap")
    func extremes() {
        var histogram = Histogram()
        for value: Int64 in [.min, .max, 0, .min, .max] { histogram.add(value) }
        #expect(histogram.minimum == .min && histogram.maximum == .max)
        #expect(histogram.quantile(0.5) == 0)
        #expect(histogram.sum == -2)
        // Beyond what the sum of squares holds.
        let deviation = 0x1p63
        #expect(abs((histogram.standardDeviation ?? 0) / deviation - 1) < 0.002)
    }

    @Test("a bucket's values are all that fall into it; buckets ascend and meet", arguments: [0, 1, 10, 32])
    func values(resolutionBits: UInt64) {
        var last: Int64?
        for bucket in Histogram.bucket(of: .min, resolutionBits)...Histogram.bucket(of: .max, resolutionBits) {
            let values = Histogram.values(of: bucket, resolutionBits)
            if let last { #expect(values.lowerBound == last + 1) }
            last = values.upperBound
            #expect(Histogram.bucket(of: values.lowerBound, resolutionBits) == bucket)
            #expect(Histogram.bucket(of: values.upperBound, resolutionBits) == bucket)
        }
        #expect(last == .max && Histogram.values(of: Histogram.bucket(of: .min)).lowerBound == .min)
        #expect(Histogram.bucket(of: -1, resolutionBits) == -1 && Histogram.bucket(of: 0, resolutionBits) == 0)
    }

    @Test("a value that is alone in its bucket is told exactly, however often it came", arguments: [0, 6, 10])
    func soleValues(resolutionBits: Int) {
        for value: Int64 in [0, 1, -1, 777, -65_537, 25_000_000, -33_554_431, 512_108_467, 1 << 61, .min + 1, .max] {
            for times in [1, 2, 3, 70_000] {
                var histogram = Histogram(resolutionBits: resolutionBits)
                // Far from it on both sides, so that it is neither end, where there is room.
                let distance = Int64(max(5_000_000, value.magnitude / 16))
                let (below, above) = (
                    value.subtractingReportingOverflow(distance), value.addingReportingOverflow(distance)
                )
                if !below.overflow { histogram.add(below.partialValue, times: 4) }
                for _ in 0..<times { histogram.add(value) }
                if !above.overflow { histogram.add(above.partialValue, times: 4) }
                let rank = Double(below.overflow ? 1 : 5) - 0.5
                #expect(histogram.quantile(rank / Double(histogram.count)) == value)
            }
        }
    }

    @Test("a constant with 2 % of others among it is told exactly, in whatever order they come")
    func constantAmongOthers() {
        let key = DrawKey(seed: 6)
        for order in 0..<4 as Range<Int64> {
            var histogram = Histogram()
            for index in 0..<20_000 as Range<Int64> {
                let draw = key.draw(index << 2 | order)
                // Others may be in the next bucket, not in its own of 32,768 ns.
                let other = 25_040_000 + Int64(draw % 4_000_000)
                histogram.add(draw % 50 == 0 || order > 0 && index < 300 * order ? other : 25_000_000)
            }
            #expect(histogram.quantile(0.5) == 25_000_000)
            histogram.add(25_000_001)
            #expect(histogram.quantile(0.5) != 25_000_000)
        }
    }

    @Test("every value alone in its bucket is a quantile exactly; two in one are told by its middle")
    func rareValues() throws {
        let key = DrawKey(seed: 7)
        for resolutionBits in [0, 10] {
            var histogram = Histogram(resolutionBits: resolutionBits)
            var values = (0..<3_000 as Range<Int64>).map { Int64(key.draw($0) % 400_000_000) - 100_000_000 }
            values += values.prefix(500)
            for value in values { histogram.add(value) }
            values.sort()
            let byBucket = Dictionary(grouping: values) { Histogram.bucket(of: $0, UInt64(resolutionBits)) }
            var exact = 0
            for rank in 1...values.count {
                let value = values[rank - 1]
                let neighbours = Set(byBucket[Histogram.bucket(of: value, UInt64(resolutionBits))] ?? [])
                let got = try #require(histogram.quantile(Double(rank) / Double(values.count)))
                if neighbours.count == 1 || rank == 1 || rank == values.count {
                    exact += 1
                    #expect(got == value)
                } else {
                    let bound = max(Double(abs(value)) / 1_000, resolutionBits == 0 ? 0 : 512)
                    #expect(Double(abs(got - value)) <= bound)
                }
            }
            #expect(exact > 500 && exact < values.count)
        }
    }

    @Test("a slot that goes round keeps every hit, of one value or of several")
    func carries() {
        var histogram = Histogram()
        for index in 0..<70_000 as Range<Int64> { histogram.add(5_000_000 + index & 1) }
        for _ in 0..<200_000 { histogram.add(6_000_000) }
        histogram.add(7_000_000, times: 9_000_000_000)
        var total: UInt64 = 0
        var counts: [UInt64] = []
        histogram.forEachBucket { _, count, _ in
            total += count
            counts.append(count)
            return true
        }
        #expect(counts == [70_000, 200_000, 9_000_000_000])
        #expect(total == UInt64(histogram.count))
        #expect(histogram.sum == 70_000 * 5_000_000 + 35_000 + 200_000 * 6_000_000 + 9_000_000_000 * 7_000_000)
    }

    @Test("merging two halves equals adding all to one")
    func merge() {
        let key = DrawKey(seed: 2)
        var (all, left, right) = (Histogram(), Histogram(), Histogram())
        for index in 0..<200_000 as Range<Int64> {
            let value = Int64(key.draw(index) % 3000) * 1000 - 500_000
            all.add(value)
            if index % 3 == 0 { left.add(value) } else { right.add(value) }
        }
        left.merge(right)
        left.merge(Histogram())
        var (bins, others): ([Int: UInt64], [Int: UInt64]) = ([:], [:])
        left.forEachBucket { bucket, count, sole in
            bins[bucket << 1 | (sole == nil ? 0 : 1)] = count
            return true
        }
        all.forEachBucket { bucket, count, sole in
            others[bucket << 1 | (sole == nil ? 0 : 1)] = count
            return true
        }
        #expect(bins == others)
        #expect(left.count == all.count && left.sum == all.sum && left.minimum == all.minimum)
        #expect(left.standardDeviation == all.standardDeviation)
        for p in Self.quantiles { #expect(left.quantile(p) == all.quantile(p)) }
    }

    @Test("a shifted histogram has shifted moments and ends exactly")
    func shifted() throws {
        var histogram = Histogram()
        for value: Int64 in [20_000_001, 20_000_003, 25_000_000, 31_000_000] { histogram.add(value) }
        let moved = histogram.shifted(by: -20_000_001)
        #expect(moved.minimum == 0 && moved.maximum == 10_999_999)
        #expect(moved.sum == histogram.sum - 4 * 20_000_001)
        let (left, right) = (try #require(moved.standardDeviation), try #require(histogram.standardDeviation))
        #expect(abs(left - right) < 1e-6)
    }

    @Test("a resolution of 64: tiny values within it, from 65,536 on buckets as without", arguments: [1, -1])
    func resolution(sign: Int64) {
        for magnitude in [0, 1, 63, 64, 1_000, 4_321, 65_535] as [Int64] {
            let values = Histogram.values(of: Histogram.bucket(of: sign * magnitude, 6), 6)
            #expect(values.count == 64 && values.contains(sign * magnitude))
        }
        let key = DrawKey(seed: 4)
        for index in 0..<20_000 as Range<Int64> {
            let draw = key.draw(index)
            let value = sign * max(65_537, Int64(draw >> (1 + draw % 46)))
            let values = Histogram.values(of: Histogram.bucket(of: value, 6), 6)
            #expect(values == Histogram.values(of: Histogram.bucket(of: value)))
        }
    }

    @Test("a resolution leaves count, ends and moments exact, saves memory, and outlives shifting and merging")
    func coarse() {
        let key = DrawKey(seed: 5)
        var (coarse, exact) = (Histogram(resolutionBits: 6), Histogram())
        for index in 0..<50_000 as Range<Int64> {
            let value = Int64(key.draw(index) % 4_000_000) - 2_000_000
            coarse.add(value)
            exact.add(value)
        }
        func isSame(_ left: Histogram, _ right: Histogram, within tolerance: Int64) -> Bool {
            left.count == right.count && left.minimum == right.minimum && left.maximum == right.maximum
                && left.sum == right.sum && left.standardDeviation == right.standardDeviation
                && Self.quantiles.allSatisfy {
                    abs((left.quantile($0) ?? 0) - (right.quantile($0) ?? 0)) <= tolerance
                }
        }
        #expect(isSame(coarse, exact, within: 64))
        #expect(coarse.storageByteCount * 3 < exact.storageByteCount * 2)
        // 0.1 % of the largest value, of each rounding.
        #expect(isSame(coarse.shifted(by: 5_000_000), exact.shifted(by: 5_000_000), within: 7_000))
        #expect(coarse.shifted(by: 64).resolutionBits == 6)
        var (same, finer, coarser) = (Histogram(resolutionBits: 6), Histogram(), Histogram(resolutionBits: 6))
        same.merge(coarse)
        finer.merge(coarse)
        coarser.merge(exact)
        #expect(isSame(same, coarse, within: 0))
        #expect(isSame(finer, exact, within: 64) && isSame(coarser, exact, within: 64))
    }

    @Test("forgetting keeps the memory and nothing else")
    func removeAll() {
        var histogram = Histogram()
        for _ in 0..<70_000 { histogram.add(5_000_000) }
        let bytes = histogram.storageByteCount
        histogram.removeAll()
        #expect(histogram.isEmpty && histogram.quantile(0.5) == nil && histogram.storageByteCount == bytes)
        histogram.add(3)
        #expect(histogram.minimum == 3 && histogram.maximum == 3 && histogram.quantile(0.5) == 3)
    }

    @Test("memory: a narrow distribution under 2 kB, ten usual ones under 64 kB, more values no more memory")
    func memory() {
        let key = DrawKey(seed: 3)
        var narrow = Histogram()
        var wide = Histogram()
        for index in 0..<100_000 as Range<Int64> {
            narrow.add(20_000_000 + Int64(key.draw(index) % 5_000_000))
            wide.add(Int64(key.draw(index) % 20_000_000) - 10_000_000)
        }
        #expect(narrow.storageByteCount < 2048, "\(narrow.storageByteCount)")
        #expect(wide.storageByteCount < 36_000, "\(wide.storageByteCount)")
        #expect(8 * narrow.storageByteCount + wide.storageByteCount < 53_000)
        let before = narrow.storageByteCount
        for index in 0..<400_000 as Range<Int64> { narrow.add(20_000_000 + Int64(key.draw(index) % 5_000_000)) }
        #expect(narrow.storageByteCount == before)
    }
}
