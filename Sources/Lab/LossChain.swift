/// A Markov chain whose states lose packets, each with a probability: the closed form of the laws of losses, by linear
/// algebra alone and so apart from how a link draws them. Which law has which is in ``StageLab``.
struct LossChain {
    private let changes: [(from: Int, to: Int, probability: Double)]
    /// Its stationary law.
    let stationary: [Double]
    /// The share of packets lost in each state.
    let loss: [Double]
    /// Whether a run of losses always ends in the same state, so that runs know nothing of each other.
    let runsAreIndependent: Bool

    init(transition: [[Double]], stationary: [Double], loss: [Double], runsAreIndependent: Bool) {
        changes = transition.enumerated().flatMap { from, row in
            row.enumerated().filter { $0.element > 0 }.map { (from, $0.offset, $0.element) }
        }
        self.stationary = stationary
        self.loss = loss
        self.runsAreIndependent = runsAreIndependent
    }

    static func bernoulli(_ loss: Double) -> LossChain {
        LossChain(transition: [[1]], stationary: [1], loss: [loss], runsAreIndependent: true)
    }

    /// Gilbert and Elliott's: good, bad.
    static func gilbertElliott(p: Double, r: Double, bad: Double = 1, good: Double = 0) -> LossChain {
        let sum = p + r
        return LossChain(
            transition: [[1 - p, p], [r, 1 - r]], stationary: sum > 0 ? [r / sum, p / sum] : [1, 0],
            loss: [good, bad], runsAreIndependent: bad == 1 && good == 0)
    }

    /// Of runs longer than `longest` each (longest + 1)-th packet gets through: good, then a bad packet's place in its run
    /// modulo longest + 1, the last of which is not lost.
    static func gilbertElliott(loss: Double, meanBurst: Double, longest: Int?) -> LossChain {
        let (p, r) = (loss / (1 - loss) / meanBurst, 1 / meanBurst)
        guard let longest, longest < 1_000 else { return gilbertElliott(p: p, r: r) }
        var rows = [[1 - p, p] + [Double](repeating: 0, count: longest)]
        for place in 0...longest {
            var row = [r] + [Double](repeating: 0, count: longest + 1)
            row[1 + (place + 1) % (longest + 1)] += 1 - r
            rows.append(row)
        }
        var places = [1.0]
        for _ in 0..<longest { places.append(places[places.count - 1] * (1 - r)) }
        let sum = places.reduce(0, +)
        return LossChain(
            transition: rows, stationary: [1 - loss] + places.map { loss * $0 / sum },
            loss: [0] + [Double](repeating: 1, count: longest) + [0], runsAreIndependent: false)
    }

    /// Netem's four states: received in a gap, received in a burst, lost in a burst, lost alone.
    static func markov(p13: Double, p31: Double, p32: Double, p23: Double, p14: Double) -> LossChain {
        let first = 1 / (1 + p13 * p32 / (p31 * p23) + p13 / p31 + p14)
        return LossChain(
            transition: [
                [1 - p13 - p14, 0, p13, p14], [0, 1 - p23, p23, 0], [p31, p32, 1 - p31 - p32, 0], [1, 0, 0, 0],
            ],
            stationary: [first, first * p13 * p32 / (p31 * p23), first * p13 / p31, first * p14], loss: [0, 0, 1, 1],
            runsAreIndependent: false)
    }

    /// Its chain by the share lost, the mean burst, density, isolated losses and the mean good run.
    static func markov(loss: Double, burst: Double, density: Double, isolated: Double, goodRun: Double) -> LossChain {
        markov(
            p13: (loss - isolated) / (burst * (1 - isolated) * (density - loss)), p31: 1 / (burst * density),
            p32: (1 - density) / (density * goodRun), p23: 1 / goodRun, p14: isolated / (1 - isolated))
    }

    // MARK: What follows from it

    /// The share of packets lost.
    var share: Double { dot(stationary, loss) }

    /// 1 + 2 (ρ1 + ρ2 + …): by how much bursts enlarge the variance of the share lost.
    var inflation: Double {
        let share = share
        guard share > 0, share < 1 else { return 1 }
        return 1 + 2 * excess(behind: times(stationary, loss), of: loss, mean: share) / (share * (1 - share))
    }

    /// How many runs of losses of 1, 2, … packets there are, as shares of all packets, up to where a thousand millionth of
    /// them is left.
    var runs: [Double] {
        var found: [Double] = []
        forEachRun { closing in found.append(closing.reduce(0, +)) }
        return found
    }

    /// The variance, per packet, of how many runs there are of lengths in a range.
    ///
    /// A run of k losses is counted at the packet before it. The next k packets begin none; the one behind them got through
    /// and may begin another; from there on the chain knows only its state.
    func variance(ofRuns lengths: Range<Int>) -> Double {
        let follows = probability(ofRuns: lengths)
        let begins = times(follows, received)
        let mean = dot(stationary, begins)
        var (closing, length, packets) = (stationary.map { _ in 0.0 }, 0, 0.0)
        forEachRun { law in
            length += 1
            guard lengths.contains(length) else { return }
            closing = zip(closing, law).map { $0 + $1 }
            packets += Double(length) * law.reduce(0, +)
        }
        let later =
            dot(closing, follows) - mean * closing.reduce(0, +) - mean * packets
            + excess(behind: closing, of: begins, mean: mean)
        return mean - mean * mean + 2 * later
    }

    private var received: [Double] { loss.map { 1 - $0 } }

    /// The law of the packet behind runs of 1, 2, … losses, as shares of all packets.
    private func forEachRun(_ visit: ([Double]) -> Void) {
        var here = times(step(times(stationary, received)), loss)
        let least = here.reduce(0, +) * 1e-9
        for _ in 0..<1_000_000 {
            guard here.reduce(0, +) > least else { break }
            let next = step(here)
            visit(times(next, received))
            here = times(next, loss)
        }
    }

    /// That a run of a length in the range follows a packet, by its state.
    private func probability(ofRuns lengths: Range<Int>) -> [Double] {
        var (sum, here) = (stationary.map { _ in 0.0 }, expected(received))
        for length in 1..<min(lengths.upperBound, 1_000_000) {
            here = expected(times(here, loss))
            if lengths.contains(length) { sum = zip(sum, here).map { $0 + $1 } }
            if (here.max() ?? 0) < 1e-15 { break }
        }
        return sum
    }

    /// Σ over the packets behind one, of what is expected there of `value` more than its mean.
    func excess(behind law: [Double], of value: [Double], mean: Double) -> Double {
        let weight = law.reduce(0, +)
        guard weight > 0 else { return 0 }
        var (here, sum) = (law, 0.0)
        for _ in 0..<1_000_000 {
            here = step(here)
            let more = dot(here, value) - mean * weight
            sum += more
            if abs(more) < 1e-9 * mean * weight { break }
        }
        return sum
    }

    /// The law of the next packet's state.
    func step(_ law: [Double]) -> [Double] {
        var next = law.map { _ in 0.0 }
        for change in changes { next[change.to] += law[change.from] * change.probability }
        return next
    }

    /// What is expected of a value at the next packet, by the state of this one.
    func expected(_ value: [Double]) -> [Double] {
        var now = value.map { _ in 0.0 }
        for change in changes { now[change.from] += value[change.to] * change.probability }
        return now
    }

    func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
    func times(_ a: [Double], _ b: [Double]) -> [Double] { zip(a, b).map { $0 * $1 } }
}
