@testable import NetworkEmulation

/// A Markov chain whose states lose packets, each with a probability: the closed form of every loss model with memory, by
/// linear algebra alone.
struct LossChain: Sendable {
    /// Row by row.
    let transition: [[Double]]
    /// The stationary law.
    let stationary: [Double]
    /// The share of packets lost in each state.
    let loss: [Double]

    /// Independent losses.
    static func bernoulli(_ loss: Double) -> LossChain {
        LossChain(transition: [[1]], stationary: [1], loss: [loss])
    }

    /// Gilbert and Elliott's: good, bad.
    static func gilbertElliott(p: Double, r: Double, bad: Double = 1, good: Double = 0) -> LossChain {
        LossChain(
            transition: [[1 - p, p], [r, 1 - r]], stationary: [r / (p + r), p / (p + r)], loss: [good, bad])
    }

    /// The same of human numbers: r = 1 / B, p = L / (B (1 − L)).
    static func gilbertElliott(loss: Double, meanBurst: Double) -> LossChain {
        gilbertElliott(p: loss / (1 - loss) / meanBurst, r: 1 / meanBurst)
    }

    /// With every (longest + 1)-th packet of a bad run let through: good, then the places of a bad packet in its run
    /// modulo longest + 1, the last of which gets through.
    static func longestBurst(loss: Double, meanBurst: Double, longest: Int) -> LossChain {
        let (p, r) = (loss / (1 - loss) / meanBurst, 1 / meanBurst)
        let stay = 1 - r
        var rows = [[1 - p, p] + [Double](repeating: 0, count: longest)]
        for place in 0...longest {
            var row = [r] + [Double](repeating: 0, count: longest + 1)
            row[1 + (place + 1) % (longest + 1)] += stay
            rows.append(row)
        }
        var places: [Double] = [1]
        for _ in 0..<longest { places.append(places[places.count - 1] * stay) }
        let sum = places.reduce(0, +)
        return LossChain(
            transition: rows, stationary: [1 - loss] + places.map { loss * $0 / sum },
            loss: [0] + [Double](repeating: 1, count: longest) + [0])
    }

    /// Netem's four states (reference order 1, 2, 3, 4).
    static func markov(p13: Double, p31: Double, p32: Double, p23: Double, p14: Double) -> LossChain {
        let first = 1 / (1 + p13 * p32 / (p31 * p23) + p13 / p31 + p14)
        return LossChain(
            transition: [
                [1 - p13 - p14, 0, p13, p14], [0, 1 - p23, p23, 0], [p31, p32, 1 - p31 - p32, 0], [1, 0, 0, 0],
            ],
            stationary: [first, first * p13 * p32 / (p31 * p23), first * p13 / p31, first * p14], loss: [0, 0, 1, 1])
    }

    /// The same of a loss share P, mean burst B, density, isolated losses and mean good run G.
    static func markov(loss: Double, burst: Double, density: Double, isolated: Double, goodRun: Double) -> LossChain {
        markov(
            p13: (loss - isolated) / (burst * (1 - isolated) * (density - loss)), p31: 1 / (burst * density),
            p32: (1 - density) / (density * goodRun), p23: 1 / goodRun, p14: isolated / (1 - isolated))
    }

    /// How far the stationary law is from being one.
    var imbalance: Double {
        let moved = stationary.indices.map { to in
            stationary.indices.reduce(0) { $0 + stationary[$1] * transition[$1][to] }
        }
        return zip(moved, stationary).map { abs($0 - $1) }.max() ?? 0
    }

    var share: Double { zip(stationary, loss).reduce(0) { $0 + $1.0 * $1.1 } }

    /// Of the losses at a distance of 1, 2, … packets, until they have died away.
    var autocorrelations: [Double] {
        let share = share
        let variance = share * (1 - share)
        guard variance > 0 else { return [0] }
        var ahead = loss
        var found: [Double] = []
        repeat {
            ahead = transition.map { row in zip(row, ahead).reduce(0) { $0 + $1.0 * $1.1 } }
            let covariance = zip(zip(stationary, loss), ahead).reduce(0) { $0 + $1.0.0 * $1.0.1 * $1.1 }
            found.append((covariance - share * share) / variance)
        } while abs(found[found.count - 1]) > 1e-9 && found.count < 100_000
        return found
    }

    /// 1 + 2 Σ ρ: by how much bursts enlarge the variance of the share lost.
    var inflation: Double { 1 + 2 * autocorrelations.reduce(0, +) }

    /// How many runs of lost (or of received) packets of length 1, 2, … there are, as shares of all packets, up to where
    /// a thousand millionth of them is left.
    func runs(ofLost isLost: Bool) -> [Double] {
        let own = loss.map { isLost ? $0 : 1 - $0 }
        // From a packet of the other kind to one of this kind.
        var here = step(zip(stationary, own).map { $0 * (1 - $1) }, own)
        let least = here.reduce(0, +) * 1e-9
        var found: [Double] = []
        while here.reduce(0, +) > least {
            let next = step(here, own)
            found.append(here.reduce(0, +) - next.reduce(0, +))
            here = next
        }
        return found
    }

    private func step(_ law: [Double], _ kind: [Double]) -> [Double] {
        law.indices.map { to in law.indices.reduce(0) { $0 + law[$1] * transition[$1][to] } * kind[to] }
    }
}
