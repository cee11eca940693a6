import NetworkEmulation
import Timebase

/// What links and clocks can share: files, and tables of laws, each of which is read or made once.
final class LinkTables {
    /// What problems call the scenario.
    private let title: String
    private var jitters: [ExperimentScenario.Link.Jitter.Law: DelayModel.Jitter] = [:]
    private var lossTraces: [String: ListedLoss] = [:]
    private var bitErrors: [Double: BitErrorLoss] = [:]
    private var rateTraces: [ExperimentScenario.Link.RateTraceFile: RateTraceTable] = [:]
    private var clockTraces: [String: ClockTrace] = [:]

    init(title: String) { self.title = title }

    func jitter(
        _ law: ExperimentScenario.Link.Jitter.Law, path: String
    ) throws(ScenarioProblems) -> DelayModel.Jitter {
        if let known = jitters[law] { return known }
        let jitter = try law.mechanism(self, path: path)
        jitters[law] = jitter
        return jitter
    }

    func lossTrace(_ file: String, path: String) throws(ScenarioProblems) -> ListedLoss {
        if let known = lossTraces[file] { return known }
        let model = try read(file, path: path) { bytes throws(TraceProblem) in
            try ListedLoss(trace: bytes, mediaOnly: true)
        }
        lossTraces[file] = model
        return model
    }

    func clockTrace(_ file: String, path: String) throws(ScenarioProblems) -> ClockTrace {
        if let known = clockTraces[file] { return known }
        let trace = try read(file, path: path) { bytes throws(TraceProblem) in try ClockTrace(bytes) }
        clockTraces[file] = trace
        return trace
    }

    func bitErrors(_ rate: Double, _ key: DrawKey) -> BitErrorLoss {
        let model = bitErrors[rate] ?? BitErrorLoss(rate: rate, key: key)
        bitErrors[rate] = model
        return model.drawing(with: key)
    }

    func rateTrace(
        _ file: ExperimentScenario.Link.RateTraceFile, path: String
    ) throws(ScenarioProblems) -> RateTraceTable {
        if let known = rateTraces[file] { return known }
        let trace = try read(file.path, path: path) { bytes throws(TraceProblem) in try file.format.table(bytes) }
        guard let trace else { throw problem(path, "'\(file.path)' delivers nothing") }
        rateTraces[file] = trace
        return trace
    }

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

    func problem(_ path: String, _ statement: String, expected: String? = nil) -> ScenarioProblems {
        ScenarioProblems([ScenarioProblem(.file(title), path: path, statement, expected: expected)])
    }
}
