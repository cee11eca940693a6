import Timebase

extension QuantileTable {
    /// An exponential distribution.
    ///
    /// - Parameter mean: not negative. Tables end at a tail of 2^-33: at 22.9 means.
    public static func exponential(mean: TimeSpan) -> QuantileTable {
        QuantileTable { tail, isUpper in
            -Double(mean.nanoseconds) * naturalLogarithm(isUpper ? tail : 1 - tail)
        }
    }

    /// A Pareto distribution of the first kind: P(X > x) = (m / x)^shape for x ≥ m = mean · (shape − 1) / shape.
    ///
    /// The table ends at a tail of 2^-33, which takes 2^(-33 (1 − 1/shape)) of the mean with it: a thousandth with shape
    /// 1.43, an eighth with 1.1.
    ///
    /// - Parameters:
    ///   - mean: not negative.
    ///   - shape: more than 1; the deviation exists above 2.
    public static func pareto(mean: TimeSpan, shape: Double) -> QuantileTable {
        precondition(shape > 1)
        let least = Double(mean.nanoseconds) * (shape - 1) / shape
        return QuantileTable { tail, isUpper in least * power(isUpper ? tail : 1 - tail, -1 / shape) }
    }

    /// The law of `paretonormal` as iproute2 makes it, before its table is cut at four deviations: a quarter of the
    /// standard normal quantile and three quarters of (q^(−1/3) − 1.5) · 4/3, that of a Pareto law of shape 3 around 0.
    ///
    /// - Parameter scale: what is there called the jitter; not negative. The mean is 0.
    public static func paretoNormal(scale: TimeSpan) -> QuantileTable {
        QuantileTable { tail, isUpper in
            let deviate = NormalDistribution.deviate(upperTail: tail)
            let pareto = (power(isUpper ? tail : 1 - tail, -1.0 / 3) - 1.5) * 4 / 3
            return Double(scale.nanoseconds) * ((isUpper ? deviate : -deviate) + 3 * pareto) / 4
        }
    }

    /// A gamma distribution.
    ///
    /// - Parameters:
    ///   - mean: not negative.
    ///   - shape: 0.05...10,000; 1 is exponential, the deviation is mean / √shape.
    /// - Complexity: some ten million operations.
    public static func gamma(mean: TimeSpan, shape: Double) -> QuantileTable {
        precondition((0.05...10_000).contains(shape))
        let law = GammaDistribution(shape: shape)
        let unit = Double(mean.nanoseconds) / shape
        // Knots come in the order of falling tails, so each begins where the one before ended.
        var latest = (isUpper: false, x: shape)
        return QuantileTable { tail, isUpper in
            if isUpper != latest.isUpper { latest = (isUpper, shape) }
            func isBeyond(_ x: Double) -> Bool {
                let tails = law.tails(x)
                return isUpper ? tails.upper < tail : tails.lower > tail
            }
            var (low, high) = (latest.x, latest.x)
            while !isBeyond(high) { high = high * 1.25 }
            while low > 1e-300, isBeyond(low) { low = isUpper || low > 1e-3 ? low / 1.25 : low / 1_024 }
            for _ in 0..<60 where high - low > high * 1e-13 {
                let middle = (low + high) / 2
                if isBeyond(middle) { high = middle } else { low = middle }
            }
            latest.x = high
            return unit * high
        }
    }

    /// A distribution given by points of its cumulative law, straight between them.
    ///
    /// - Parameter points: values with the probability of lying at or below each: at least two, both rising (values may
    ///   repeat no more than probabilities do), from probability 0 to 1.
    /// - Returns: nil for other points.
    public static func empirical(_ points: [(value: TimeSpan, probability: Double)]) -> QuantileTable? {
        guard points.count >= 2, points[0].probability == 0, points[points.count - 1].probability == 1 else {
            return nil
        }
        for (a, b) in zip(points, points.dropFirst()) {
            guard a.value <= b.value, a.probability <= b.probability else { return nil }
        }
        return QuantileTable { tail, isUpper in
            let probability = isUpper ? 1 - tail : tail
            var (low, high) = (0, points.count - 1)
            while high - low > 1 {
                let middle = (low + high) / 2
                if points[middle].probability < probability { low = middle } else { high = middle }
            }
            let (a, b) = (points[low], points[high])
            let part =
                b.probability > a.probability ? (probability - a.probability) / (b.probability - a.probability) : 1
            return Double(a.value.nanoseconds) + part * Double(b.value.nanoseconds - a.value.nanoseconds)
        }
    }
}

/// A distribution of equally likely values, such as iproute2's `.dist` files hold.
public struct ValueTable: Sendable {
    @usableFromInline let values: [Int64]

    /// - Parameter values: nanoseconds, at least one.
    public init?(_ values: [TimeSpan]) {
        guard !values.isEmpty else { return nil }
        self.values = values.map(\.nanoseconds)
    }

    /// Why a table cannot be read; lines count from 1.
    public enum Problem: Error, Equatable, Sendable {
        case empty
        case notANumber(line: Int, text: String)
        /// Not in -32768...32767.
        case outOfRange(line: Int, text: String)
        /// More than 16,384 entries.
        case tooLong
        case notText
    }

    /// Reads an iproute2 distribution: whole numbers apart by white space, 8192 of them a deviation, `#` to the line's
    /// end a comment.
    ///
    /// As netem does it, `deviation` times an entry is divided by 8192 and rounded to the nearest, halves away from zero.
    public init(dist bytes: [UInt8], deviation: TimeSpan) throws(Problem) {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .notText }
        var values: [Int64] = []
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            for word in line.prefix(while: { $0 != "#" }).split(whereSeparator: \.isWhitespace) {
                guard let entry = Int64(word) else { throw .notANumber(line: index + 1, text: String(word)) }
                guard Int64(Int16.min)...Int64(Int16.max) ~= entry else {
                    throw .outOfRange(line: index + 1, text: String(word))
                }
                values.append(entry.scaled(by: max(0, deviation.nanoseconds), over: 8_192, .nearest))
                guard values.count <= 16_384 else { throw .tooLong }
            }
        }
        guard !values.isEmpty else { throw .empty }
        self.values = values
    }

    /// The value picked by 64 uniform bits.
    @inlinable
    public func value(at draw: UInt64) -> Int64 {
        values[Int(truncatingIfNeeded: draw.multipliedFullWidth(by: UInt64(values.count)).high)]
    }
}
