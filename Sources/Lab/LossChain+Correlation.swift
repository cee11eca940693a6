import Glibc

/// Losses whose normal scores are a process of the first order: by integrals over its scores, with the C library and
/// nothing of what a link's tables are made with.
extension LossChain {
    /// Above this correlation runs are no longer judged: a process that begins anew every 4,096 packets, as a link's does,
    /// then has visibly more of them than one that never does.
    private static let strongestCorrelation = 0.95

    /// A chain of the scores at Gauss and Legendre's nodes, eight to each piece of the line on either side of the quantile
    /// below which packets are lost. What it says of neighbours and runs are the orthants of the multivariate normal law,
    /// integrated one score after the other; nothing is taken for a chain of two states.
    ///
    /// - Parameters:
    ///   - probability: of a loss.
    ///   - correlation: of neighbours' scores.
    /// - Returns: nil for a correlation above ``strongestCorrelation``.
    static func correlated(_ probability: Double, _ correlation: Double) -> LossChain? {
        guard abs(correlation) <= strongestCorrelation else { return nil }
        guard probability > 0, probability < 1 else { return .bernoulli(probability) }
        let scatter = (1 - correlation * correlation).squareRoot()
        let quantile = score(probability)
        let below = nodes(from: -9, to: quantile, piece: scatter)
        let all = below + nodes(from: quantile, to: 9, piece: scatter)
        return LossChain(
            transition: all.map { from in
                all.map { density(($0.score - correlation * from.score) / scatter) / scatter * $0.weight }
            },
            stationary: all.map { density($0.score) * $0.weight },
            loss: all.indices.map { $0 < below.count ? 1 : 0 }, runsAreIndependent: false)
    }

    /// That two packets whose scores have a correlation are both lost: Φ2(z, z; ρ) of the bivariate normal law, by its
    /// derivative in ρ, which is its density (Plackett), with ρ = sin θ.
    static func bothLost(_ probability: Double, _ correlation: Double) -> Double {
        guard probability > 0, probability < 1 else { return probability }
        let z = score(probability)
        let sum = nodes(from: 0, to: asin(correlation), piece: 0.05).reduce(0) {
            $0 + exp(-z * z / (1 + sin($1.score))) * $1.weight
        }
        return probability * probability + sum / (2 * Double.pi)
    }

    /// The variance, per packet, of how many packets are lost together with the one behind them.
    var varianceOfNeighbours: Double {
        let second = times(step(times(stationary, loss)), loss)
        let next = expected(loss)
        let both = dot(second, second.map { _ in 1 })
        // The pair behind shares a packet with it; those further on know only its second packet's state.
        let behind = dot(second, next) - both * both
        return both - both * both + 2 * (behind + excess(behind: second, of: times(loss, next), mean: both))
    }

    private static func density(_ z: Double) -> Double { exp(-z * z / 2) / (2 * Double.pi).squareRoot() }

    /// The standard normal deviate that is passed downward with a probability.
    private static func score(_ probability: Double) -> Double {
        var (low, high) = (-9.0, 9.0)
        for _ in 0..<64 {
            let z = (low + high) / 2
            if erfc(-z / 2.0.squareRoot()) / 2 < probability { low = z } else { high = z }
        }
        return high
    }

    private typealias Node = (score: Double, weight: Double)

    /// Of integrals over a stretch that may run backward, in equal pieces of at most a length.
    private static func nodes(from start: Double, to end: Double, piece: Double) -> [Node] {
        let rule = [
            (0.183_434_642_495_649_8, 0.362_683_783_378_362_0), (0.525_532_409_916_329_0, 0.313_706_645_877_887_3),
            (0.796_666_477_413_626_7, 0.222_381_034_453_374_5), (0.960_289_856_497_536_3, 0.101_228_536_290_376_3),
        ]
        let pieces = max(1, (abs(end - start) / piece).rounded(.up))
        let half = (end - start) / pieces / 2
        return (0..<Int(pieces)).flatMap { index -> [Node] in
            let middle = start + (2 * Double(index) + 1) * half
            return rule.flatMap { place, weight in
                [(middle - half * place, half * weight), (middle + half * place, half * weight)]
            }
        }
    }
}
