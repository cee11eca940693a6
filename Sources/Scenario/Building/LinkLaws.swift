import NetworkEmulation
import Timebase

/// The laws of delay and loss, with the tables behind them, each of which is made once.
final class LinkLaws {
    private let title: String
    private var jitters: [ExperimentScenario.Link.Jitter.Law: DelayModel.Jitter] = [:]
    private var lossTraces: [String: ListedLoss] = [:]
    private var bitErrors: [Double: BitErrorLoss] = [:]

    init(title: String) { self.title = title }

    // MARK: Delay

    func delay(
        _ link: ExperimentScenario.Link, _ key: DrawKey, path: String
    ) throws(ScenarioProblems) -> DelayModel {
        var jitter = DelayModel.Jitter.none
        if let law = link.jitter?.law {
            if let known = jitters[law] { jitter = known } else { jitter = try table(law, path: path + ".jitter") }
            jitters[law] = jitter
        }
        return DelayModel(
            delay: link.delay, jitter: jitter, correlation: link.jitter?.correlation.value ?? 0,
            mayReorder: link.jitter?.reorder ?? false, early: link.reorder.probability, key: key)
    }

    private func table(
        _ law: ExperimentScenario.Link.Jitter.Law, path: String
    ) throws(ScenarioProblems) -> DelayModel.Jitter {
        switch law {
        case .normal(let deviation): return .quantiles(.normal(deviation: deviation))
        case .uniform(let halfRange): return .quantiles(.uniform(halfRange: halfRange))
        case .paretoNormal(let scale): return .quantiles(.paretoNormal(scale: scale))
        case .exponential(let mean): return .quantiles(.exponential(mean: mean))
        case .gamma(let mean, let shape): return .quantiles(.gamma(mean: mean, shape: shape))
        case .pareto(let mean, let shape): return .quantiles(.pareto(mean: mean, shape: shape))
        case .table(let file, let deviation):
            return .values(
                try read(file, path: path) { bytes throws(TraceProblem) in
                    try ValueTable(dist: bytes, deviation: deviation)
                })
        case .empirical(let file):
            return .empirical(
                try read(file, path: path) { bytes throws(TraceProblem) in try EmpiricalTable(empirical: bytes) })
        case .trace(let file):
            return .trace(
                try read(file, path: path) { bytes throws(TraceProblem) in try ValueTable(delays: bytes) })
        }
    }

    // MARK: Loss

    func loss(
        _ loss: ExperimentScenario.Link.Loss?, _ key: DrawKey, path: String
    ) throws(ScenarioProblems) -> LossModel {
        switch loss {
        case nil: return .none
        case .bernoulli(let ratio): return .bernoulli(PacketChance(ratio.probability, key: key))
        case .gilbertElliott(let chain): return .gilbertElliott(gilbertElliott(chain, key))
        case .markov4(let chain):
            guard let model = markov(chain, key) else {
                throw problem(path + ".markov4", "no chain has these numbers", expected: "numbers that agree")
            }
            return .markov(model)
        case .pattern(let drop, let period):
            guard let model = ListedLoss(drop, repeatingEvery: period, mediaOnly: true) else { return .none }
            return .listed(model)
        case .trace(let file):
            if let known = lossTraces[file] { return .listed(known) }
            let model = try read(file, path: path) { bytes throws(TraceProblem) in
                try ListedLoss(trace: bytes, mediaOnly: true)
            }
            lossTraces[file] = model
            return .listed(model)
        case .bitErrors(let rate):
            let model = bitErrors[rate] ?? BitErrorLoss(rate: rate, key: key)
            bitErrors[rate] = model
            return .bitErrors(model.drawing(with: key))
        }
    }

    private func gilbertElliott(_ chain: ExperimentScenario.Link.Loss.GilbertElliott, _ key: DrawKey)
        -> GilbertElliottLoss
    {
        switch chain.law {
        case .bursts(let loss, let burst, let longest):
            GilbertElliottLoss(
                loss: loss.value, meanBurst: burst, longestBurst: longest, step: chain.step, key: key)
        case .transitions(let p, let r, let bad, let good):
            GilbertElliottLoss(
                goodToBad: p.value, badToGood: r.value, lossBad: bad.value, lossGood: good.value, step: chain.step,
                key: key)
        }
    }

    private func markov(_ chain: ExperimentScenario.Link.Loss.Markov4, _ key: DrawKey) -> MarkovLoss? {
        switch chain {
        case .transitions(let p13, let p31, let p32, let p23, let p14):
            MarkovLoss(p13: p13.value, p31: p31.value, p32: p32.value, p23: p23.value, p14: p14.value, key: key)
        case .bursts(let loss, let burst, let density, let isolated, let good):
            MarkovLoss(
                loss: loss.value, meanBurst: burst, burstDensity: density.value, isolatedLoss: isolated.value,
                meanGoodRun: good, key: key)
        }
    }

    // MARK: Files

    /// What `parse` makes of a file.
    func read<Value>(
        _ file: String, path: String, _ parse: ([UInt8]) throws(TraceProblem) -> Value
    ) throws(ScenarioProblems) -> Value {
        let bytes = try ProgramLoader.read(file, title: title, path: path)
        do throws(TraceProblem) {
            return try parse(bytes)
        } catch {
            throw problem(path, "'\(file)': \(error)")
        }
    }

    private func problem(_ path: String, _ statement: String, expected: String? = nil) -> ScenarioProblems {
        ScenarioProblems([ScenarioProblem(.file(title), path: path, statement, expected: expected)])
    }
}
