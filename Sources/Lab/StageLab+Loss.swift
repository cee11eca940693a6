import Results
import Glibc
import Metrics
import NetworkEmulation
import Scenario
import Timebase

extension StageLab {
    mutating func loss(_ asked: ExperimentScenario.Link.Loss?) throws {
        var probe = probe
        let step = asked?.step ?? .nanoseconds(1)
        // A chain that steps with time is met once in each of its steps.
        let begin = Int64(first) + start.nanoseconds / step.nanoseconds + (start == .zero ? 0 : 1)
        let fates = (0..<packets).map { number in
            let now = Instant.zero + step * (begin + Int64(number))
            let isLost = probe.handle(probe.packet(number, at: now), at: now) == .lost
            probe.advance(to: now) { _ in }
            return isLost
        }
        if let asked, let listed = try listed(asked) {
            let wrong = fates.indices.count { listed(first + $0) != fates[$0] }
            book.share(
                "packets lost", asked: share(of: packets, listed), of: packets, hits: fates.count { $0 },
                CountLimits(mean: Double(fates.indices.count(where: listed)), variance: 0), .exact)
            return book.exact("packets with another fate than listed", .count, asked: 0, measured: Double(wrong))
        }
        if case .bernoulli(let loss, let correlation)? = asked, correlation != .zero {
            return correlated(fates, loss.value, correlation.value)
        }
        let chain = asked.flatMap { LossChain($0, length: Int(length)) } ?? .bernoulli(0)
        compare(fates, chain)
    }

    private func share(of count: Int, _ listed: (Int) -> Bool) -> Double {
        Double((0..<count).count(where: listed)) / Double(max(1, count))
    }

    // MARK: Laws

    private mutating func compare(_ fates: [Bool], _ chain: LossChain) {
        let (count, share) = (Double(packets), chain.share)
        guard share > 0, share < 1 else {
            return book.share("packets lost", asked: share, of: packets, hits: fates.count { $0 })
        }
        let inflation = chain.inflation
        let runs = chain.runs
        let variance = share * (1 - share) * count * inflation
        book.share(
            "packets lost", asked: share, of: packets, hits: fates.count { $0 },
            CountLimits(mean: share * count, variance: variance))
        let found = SampleStatistics.runLengths(of: true, in: fates)
        meanBurst(found, chain, runs, inflation)
        var (first, bins) = (1, 0)
        while first <= runs.count {
            // Lengths are taken together where they are rare, and from where few runs are left all of them.
            var last = 2 * first - 1
            if runs.dropFirst(last).reduce(0, +) * count < 25 || bins >= 5 { last = .max - 1 }
            let expected = runs[(first - 1)..<min(last, runs.count)].reduce(0, +) * count
            let limits = CountLimits(
                mean: expected, variance: chain.variance(ofRuns: first..<last + 1) * count)
            let name =
                last > runs.count
                ? first == 1 ? "any length" : "\(first) or more" : first == last ? "\(first)" : "\(first) to \(last)"
            bins += 1
            book.add(
                "runs of \(name)", .count, asked: expected,
                measured: Double(found.reduce(0) { first...last ~= $1.key ? $0 + $1.value : $0 }),
                low: limits.low, high: limits.high)
            first = last == .max - 1 ? .max : last + 1
        }
    }

    private mutating func correlated(_ fates: [Bool], _ loss: Double, _ correlation: Double) {
        guard let chain = LossChain.correlated(loss, correlation) else {
            // No function of the process behind the losses is more correlated than it is (Gebelein's inequality).
            let variance = loss * (1 - loss) * SampleStatistics.inflation(correlation: correlation)
            book.share(
                "packets lost", asked: loss, of: packets, hits: fates.count { $0 },
                CountLimits(mean: loss * Double(packets), variance: variance * Double(packets)))
            return book.note("neighbours and runs are not judged with so strong a correlation")
        }
        compare(fates, chain)
        guard loss > 0, loss < 1 else { return }
        // Every 4,096 packets the process begins anew.
        let pairs = fates.indices.dropLast().filter { (first + $0 + 1) % 4_096 > 0 }
        let (asked, count) = (LossChain.bothLost(loss, correlation), Double(pairs.count))
        book.share(
            "neighbours both lost", asked: asked, of: pairs.count, hits: pairs.count { fates[$0] && fates[$0 + 1] },
            CountLimits(mean: asked * count, variance: chain.varianceOfNeighbours * count))
    }

    /// Runs that depend on each other are given the room that losses need.
    private mutating func meanBurst(_ found: [Int: Int], _ chain: LossChain, _ runs: [Double], _ inflation: Double) {
        let begun = runs.reduce(0, +)
        let number = found.values.reduce(0, +)
        guard begun * Double(packets) >= 100, number > 0 else {
            return book.note("the mean run is not judged, with less than 100 to come")
        }
        let mean = zip(1..., runs).reduce(0) { $0 + Double($1.0) * $1.1 } / begun
        let square = zip(1..., runs).reduce(0) { $0 + Double($1.0 * $1.0) * $1.1 } / begun
        let limit = SampleStatistics.meanLimit(
            variance: square - mean * mean, count: Int(begun * Double(packets)), tail: LabCheck.tail,
            inflation: chain.runsAreIndependent ? 1 : max(1, inflation))
        let measured = Double(found.reduce(0) { $0 + $1.key * $1.value }) / Double(number)
        book.add("mean run of losses", .plain, asked: mean, measured: measured, within: limit)
    }

    // MARK: Lists

    /// Whether a packet is to be lost, where packets are listed.
    private func listed(_ asked: ExperimentScenario.Link.Loss) throws -> ((Int) -> Bool)? {
        switch asked {
        case .pattern(let drop, let period):
            let numbers = Set(drop)
            return { number in numbers.contains(period.map { number % $0 } ?? number) }
        case .trace(let path):
            // Read here once more, in another way: comments off, and the digits in their order.
            let lines = String(decoding: try FileTree.contents(of: path), as: UTF8.self).split(separator: "\n")
            let digits = lines.flatMap { line in line.prefix { $0 != "#" }.filter { $0 == "0" || $0 == "1" } }
            let fates = digits.map { $0 == "1" }
            return { fates[$0 % fates.count] }
        default: return nil
        }
    }
}

extension ExperimentScenario.Link.Loss {
    /// Of a chain in time.
    fileprivate var step: TimeSpan? {
        if case .gilbertElliott(let chain) = self { chain.step } else { nil }
    }
}

extension LossChain {
    /// Of a law that draws; nil for lists of packets and for correlated losses, which are judged apart.
    ///
    /// - Parameter length: of the packets, in bytes.
    init?(_ loss: ExperimentScenario.Link.Loss, length: Int) {
        switch loss {
        case .bernoulli(let loss, let correlation):
            guard correlation == .zero else { return nil }
            self = .bernoulli(loss.value)
        case .bitErrors(let rate):
            // 1 − (1 − rate)^(8 · length) without the cancellation.
            self = .bernoulli(-expm1(Double(8 * length) * log1p(-rate)))
        case .gilbertElliott(let chain):
            switch chain.law {
            case .bursts(let loss, let burst, let longest):
                self = .gilbertElliott(loss: loss.value, meanBurst: burst, longest: longest)
            case .transitions(let p, let r, let bad, let good):
                self = .gilbertElliott(p: p.value, r: r.value, bad: bad.value, good: good.value)
            }
        case .markov4(.transitions(let p13, let p31, let p32, let p23, let p14)):
            self = .markov(p13: p13.value, p31: p31.value, p32: p32.value, p23: p23.value, p14: p14.value)
        case .markov4(.bursts(let loss, let burst, let density, let isolated, let good)):
            self = .markov(
                loss: loss.value, burst: burst, density: density.value, isolated: isolated.value, goodRun: good)
        case .pattern, .trace: return nil
        }
    }
}
