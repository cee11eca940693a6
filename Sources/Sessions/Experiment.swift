import Results
import Capture
import Emulator
import Metrics
import Scenario
import Timebase

/// What `rubato run` was asked for.
public struct RunRequest: Sendable {
    /// A YAML file or a preset's name.
    public var scenario: String
    /// In place of the scenario's; nil: the scenario's.
    public var seed: UInt64?
    /// As written: "60s".
    public var duration: String?
    /// "PATH=VALUE", in the order given.
    public var settings: [String] = []
    /// Whether packets at the ends are captured, whatever the scenario says.
    public var capture = false
    /// Where checks beside the contract want distributions to count exactly.
    public var cuts = DistributionCuts()

    public init(scenario: String) { self.scenario = scenario }
}

/// A scenario that has been read, checked and completed, and only waits to be run.
public struct PreparedRun {
    var identity: RunIdentity
    /// scenario.yaml: the scenario as it was given; nil for a rerun.
    var scenarioText: String?
    /// The terms of the QoS contract.
    var contract: [Check]
    /// The record of a run of nothing: every element of every list that run.json is going to have.
    var planned: () -> RunRecord
    /// Runs it: writes what the scenario's outputs ask for into the directory, reports to the monitor, stops the
    /// sources when it says so, and returns what was measured.
    public var execute: (RunDirectory, RunMonitor) throws -> RunOutcome

    public init(
        identity: RunIdentity, scenarioText: String?, contract: [Check] = [], planned: @escaping () -> RunRecord,
        execute: @escaping (RunDirectory, RunMonitor) throws -> RunOutcome
    ) {
        self.identity = identity
        self.scenarioText = scenarioText
        self.contract = contract
        self.planned = planned
        self.execute = execute
    }
}

/// What came of a run.
public struct RunOutcome: Sendable {
    var measurements: RunMeasurements
    var status: RunStatus
    /// When the sources stopped before their time.
    var stopped: Instant?

    public init(measurements: RunMeasurements, status: RunStatus, stopped: Instant? = nil) {
        self.measurements = measurements
        self.status = status
        self.stopped = stopped
    }
}

/// Where the command line meets the emulator: the only place that knows how a scenario becomes a run.
public enum Experiment {
    /// Reads, overrides, checks and completes a scenario.
    ///
    /// - Throws: ``UserFacingError`` (usage) with all problems of the scenario at once, ``SystemError``.
    @usableFromInline static func prepare(_ request: RunRequest) throws -> PreparedRun {
        do {
            let document = try ScenarioDocument.load(request.scenario)
            let scenario = try document.resolve(settings(request))
            return try prepare(recordingFile(scenario, document), document, request.cuts)
        } catch let problems as ScenarioProblems {
            throw UserFacingError.usage(problems.description)
        }
    }

    /// The World of a scenario.
    ///
    /// - Throws: as ``prepare(_:)``.
    static func configuration(_ request: RunRequest) throws -> WorldConfiguration {
        do {
            let document = try ScenarioDocument.load(request.scenario)
            let scenario = try recordingFile(document.resolve(settings(request)), document)
            guard case .file = scenario.program else {
                throw UserFacingError.usage(
                    "'\(request.scenario)' sends made units, which are no pictures",
                    remedy: "program: { file: movie.ts }")
            }
            return try WorldBuilder(scenario, title: document.title).configuration()
        } catch let problems as ScenarioProblems {
            throw UserFacingError.usage(problems.description)
        }
    }

    /// `--seed`, `--duration` and `--capture` stand for settings; what is given last holds.
    private static func settings(_ request: RunRequest) -> [ScenarioSetting] {
        var settings = request.settings.map { ScenarioSetting(argument: $0) }
        if let seed = request.seed { settings.append(.seed(seed)) }
        if let duration = request.duration {
            settings.append(ScenarioSetting(path: "duration", value: duration, option: "--duration \(duration)"))
        }
        if request.capture {
            settings.append(
                ScenarioSetting(path: "capture.points", value: "[sender, receiver]", option: "--capture"))
        }
        return settings
    }

    private static func prepare(
        _ scenario: ExperimentScenario, _ document: ScenarioDocument, _ cuts: DistributionCuts
    ) throws -> PreparedRun {
        let contract = try scenario.qos.checks.map(check)
        let configuration = try WorldBuilder(scenario, title: document.title).configuration()
            .counting(at: DistributionCuts(of: contract)).counting(at: cuts)
        let duration = scenario.duration ?? configuration.programDuration ?? .zero
        let identity = RunIdentity(
            name: scenario.name, seed: scenario.seed, duration: duration, resolvedScenario: scenario.resolvedYAML)
        return PreparedRun(
            identity: identity, scenarioText: document.text, contract: contract,
            planned: { planned(identity, scenario, configuration) }
        ) { directory, monitor in
            try execute(scenario, configuration, in: directory, monitor)
        }
    }

    /// The scenario with its file's digest in it, so that its record says which file it was; a digest that was given
    /// must be the file's.
    private static func recordingFile(
        _ scenario: ExperimentScenario, _ document: ScenarioDocument
    ) throws -> ExperimentScenario {
        guard case .file(var file) = scenario.program else { return scenario }
        let digest = try Artifact(
            path: FileTree.lastComponent(of: file.path), in: FileTree.parent(of: file.path)
        ).sha256
        if let expected = file.sha256, expected != digest {
            throw UserFacingError.usage(
                "\(document.title): program.file: '\(file.path)' is not the file that sha256 names: it has \(digest)",
                remedy: "put the right file there, or leave sha256 out to take this one")
        }
        file.sha256 = digest
        var scenario = scenario
        scenario.program = .file(file)
        return scenario
    }

    private static func check(_ term: QoSCheck) throws -> Check {
        try Check(parsing: term.expression, term: term.name.rawValue, leastCount: term.leastCount)
    }

    /// A World that has not begun lists what it is going to measure.
    private static func planned(
        _ identity: RunIdentity, _ scenario: ExperimentScenario, _ configuration: WorldConfiguration
    ) -> RunRecord {
        var record = RunRecord(
            identity: identity, status: .completed, measurements: World(configuration).measurements(),
            wallNanoseconds: 0)
        let paths = ["resolved.yaml", "scenario.yaml"] + RunOutputs.paths(scenario, configuration)
        record.artifacts = paths.sorted().map { Artifact(path: $0, bytes: 0, sha256: "") }
        return record
    }

    private static func execute(
        _ scenario: ExperimentScenario, _ configuration: WorldConfiguration, in directory: RunDirectory,
        _ monitor: RunMonitor
    ) throws -> RunOutcome {
        Interrupt.install()
        let outputs = try RunOutputs(scenario, configuration, in: directory)
        var world = World(configuration)
        let stopped = try VirtualTime.run(
            &world,
            shouldStop: { world in
                monitor.report(world.now)
                return monitor.shouldStop(at: world.now)
            },
            take: { world, output throws(SystemError) in try outputs.take(output, of: world) })
        try outputs.close()
        return RunOutcome(
            measurements: world.measurements(), status: stopped == nil ? .completed : .interrupted, stopped: stopped)
    }
}

extension ScenarioSetting {
    /// `--seed`.
    static func seed(_ seed: UInt64) -> ScenarioSetting {
        ScenarioSetting(path: "seed", value: "\(seed)", option: "--seed \(seed)")
    }
}
