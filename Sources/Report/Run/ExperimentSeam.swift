import Metrics
import Timebase

/// What `rubato run` was asked for.
public struct RunRequest: Sendable {
    /// A YAML file or a preset's name.
    public var scenario: String
    public var seed: UInt64?
    /// As written: "60s".
    public var duration: String?
    /// "PATH=VALUE", in the order given.
    public var settings: [String] = []
    public var capture = false

    public init(scenario: String) { self.scenario = scenario }
}

/// A scenario that has been read, checked and completed, and only waits to be run.
public struct PreparedRun {
    public var identity: RunIdentity
    /// scenario.yaml: the scenario as it was given; nil for a rerun.
    public var scenarioText: String?
    /// The terms of the QoS contract.
    public var contract: [Check]
    /// What `[x]` can select in each list of run.json: ["flows": ["tv"], "links": ["forward.0"], ...].
    public var elements: [String: [String]]
    /// Runs it: writes what the scenario's outputs ask for into the directory, reports to the monitor, stops the
    /// sources when it says so, and returns what was measured.
    public var execute: (RunDirectory, RunMonitor) throws -> RunOutcome

    public init(
        identity: RunIdentity, scenarioText: String?, contract: [Check] = [], elements: [String: [String]] = [:],
        execute: @escaping (RunDirectory, RunMonitor) throws -> RunOutcome
    ) {
        self.identity = identity
        self.scenarioText = scenarioText
        self.contract = contract
        self.elements = elements
        self.execute = execute
    }
}

public struct RunOutcome: Sendable {
    public var measurements: RunMeasurements
    public var status: RunStatus

    public init(measurements: RunMeasurements, status: RunStatus) {
        self.measurements = measurements
        self.status = status
    }
}

/// A scenario that comes with the program.
public struct PresetDescription: Sendable, Equatable {
    public var name: String
    /// One line.
    public var summary: String
    /// The YAML.
    public var text: String

    public init(name: String, summary: String, text: String) {
        self.name = name
        self.summary = summary
        self.text = text
    }
}

/// Where the command line meets the emulator: the only place that knows how a scenario becomes a run.
public enum ExperimentSeam {
    /// Reads, overrides, checks and completes a scenario.
    ///
    /// - Throws: ``UserFacingError`` (usage) with all problems of the scenario at once, ``SystemError``.
    public static func prepare(_ request: RunRequest) throws -> PreparedRun {
        throw UserFacingError("cannot run '\(request.scenario)': this build has no emulator")
    }

    /// In the order in which they are listed.
    public static func presets() -> [PresetDescription] { [] }
}
