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

    /// The sample's standard deviation, divided by n − 1; nil with fewer than two values.
    public var standardDeviation: Double? {
        guard count > 1 else { return nil }
        let variance = sumOfSquaredDistances / Double(count - 1)
        return variance > 0 ? variance.squareRoot() : 0
    }

    /// Of the values from their mean.
    private var sumOfSquaredDistances: Double {
        guard sumOfSquares < .max else { return sumOfSquaredDistancesByBuckets }
        // Squares about a whole number next to the mean: exact where the usual difference of two huge sums is not.
        // Wrapping, because the parts may pass 127 bits where the result does not.
        let (center, remainder) = sum.quotientAndRemainder(dividingBy: Int128(count))
        let squares =
            Int128(truncatingIfNeeded: sumOfSquares) &- Int128(count) &* center &* center
            &- 2 &* center &* remainder
        let rest = Double(remainder) / Double(count)
        return Double(UInt128(truncatingIfNeeded: squares)) - rest * rest * Double(count)
    }

    /// What the exact sum does not hold, to a thousandth.
    private var sumOfSquaredDistancesByBuckets: Double {
        var result = 0.0
        let mean = mean ?? 0
        forEachBucket { bucket, count, sole in
            let distance = Double(sole ?? middle(of: bucket)) - mean
            result += distance * distance * Double(count)
            return true
        }
        return result
    }

    /// The smallest value that at least a share `p` of all values do not exceed: the value of rank ⌈p·n⌉; nil when empty.
    ///
    /// Exact at both ends, and where no other value fell into its bucket; else within 0.1 % or half a unit of the
    /// resolution, whichever is more, and on the right side of each cut. Never outside minimum...maximum.
    ///
    /// - Parameter p: 0...1; what lies outside is clamped.
    /// - Complexity: O(buckets in use).
    public func quantile(_ p: Double) -> Int64? {
        guard count > 0 else { return nil }
        let rank = rank(of: p)
        guard rank > 1 else { return least }
        guard rank < count else { return greatest }
        var cumulative: UInt64 = 0
        var result = greatest
        forEachBucket { bucket, count, sole in
            cumulative += count
            guard cumulative >= UInt64(rank) else { return true }
            result = sole ?? middle(of: bucket, within: values(ofRank: rank))
            return false
        }
        return result
    }

    /// ⌈p·n⌉, 1...n.
    func rank(of p: Double) -> Int64 {
        // The factor takes back the rounding of p and of the product: 0.07 · 100 is 7, not the 8 that doubles make of it.
        let exact = (p * Double(count) * (1 - 0x1p-50)).rounded(.up)
        if exact >= Double(count) { return count }
        return exact > 1 ? Int64(exact) : 1
    }

    /// The same values, each increased by `offset`, binned anew in the same resolution: those that are alone in their
    /// buckets exactly, others with the roundings of both.
    public func shifted(by offset: Int64) -> Histogram {
        guard count > 0 else { return self }
        var result = Histogram(resolutionBits: Int(resolutionBits))
        result.cuts = cuts.map { Cut($0.value + offset, $0.range) }
        forEachBucket { bucket, count, sole in
            let moved = (sole ?? middle(of: bucket)) + offset
            result.put(count, of: sole == nil ? nil : moved, in: Self.bucket(of: moved, resolutionBits))
            return true
        }
        result.total = count
        result.least = least + offset
        result.greatest = greatest + offset
        result.exactSum = sum + Int128(offset) * Int128(count)
        // Σ(x + d)² = Σx² + 2dΣx + nd²; wrapping as in the standard deviation.
        let shift = Int128(offset)
        let squares = Int128(truncatingIfNeeded: sumOfSquares) &+ 2 &* shift &* sum &+ Int128(count) &* shift &* shift
        result.sumOfSquares = sumOfSquares == .max ? .max : UInt128(truncatingIfNeeded: squares)
        return result
    }
}
