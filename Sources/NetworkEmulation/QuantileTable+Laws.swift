import Timebase

extension QuantileTable {
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
}
