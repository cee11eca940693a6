import Metrics
import Timebase

/// How a run ended.
public enum RunStatus: String, Sendable {
    /// The sources sent for the whole duration, and all that was under way has drained.
    case completed
    /// The user stopped the sources before their time; what was under way has drained.
    case interrupted
}

/// What a run is, beside what it measured.
public struct RunIdentity: Sendable {
    /// The scenario's name.
    public var name: String
    /// "virtual".
    var mode: String
    var seed: UInt64
    /// When the sources stop.
    public var duration: TimeSpan
    /// The resolved scenario as it is saved: the run's record of itself.
    public var resolvedScenario: String

    public init(name: String, mode: String = "virtual", seed: UInt64, duration: TimeSpan, resolvedScenario: String) {
        self.name = name
        self.mode = mode
        self.seed = seed
        self.duration = duration
        self.resolvedScenario = resolvedScenario
    }

    /// 8 hexadecimal digits of SHA-256 over the resolved scenario and the run's digest: the same experiment with the
    /// same outcome has the same id anywhere.
    func id(digest: EventDigest) -> String {
        let source = Array((resolvedScenario + "\n" + digest.hexadecimal).utf8)
        let sha256 = SHA256.hexadecimalDigest(of: source) ?? digest.hexadecimal
        return String(sha256.prefix(8))
    }
}

/// Everything that run.json says about one run.
public struct RunRecord: Sendable {
    /// What was run.
    public var identity: RunIdentity
    /// How it ended.
    public var status: RunStatus
    /// What was measured.
    public var measurements: RunMeasurements
    /// Wall-clock time the run took, nanoseconds. A host fact: outside the digest and the id.
    public var wallNanoseconds: Int64
    /// The terms of the QoS contract and the user's checks.
    public var checks: [CheckResult] = []
    /// What became of pictures; empty until `rubato quality` has compared them.
    var quality: [PictureQuality] = []
    /// The other files of the run directory.
    public var artifacts: [Artifact] = []

    public init(identity: RunIdentity, status: RunStatus, measurements: RunMeasurements, wallNanoseconds: Int64) {
        self.identity = identity
        self.status = status
        self.measurements = measurements
        self.wallNanoseconds = wallNanoseconds
    }

    /// What tells the run from others: see ``RunIdentity``.
    public var id: String { identity.id(digest: measurements.digest) }

    /// Emulated time over wall-clock time; nil when no time was measured.
    var speedFactor: Double? {
        guard wallNanoseconds > 0 else { return nil }
        return Double(measurements.ended.nanoseconds) / Double(wallNanoseconds)
    }

    /// Nil when nothing was to be checked.
    public var passed: Bool? { checks.isEmpty ? nil : checks.allSatisfy(\.passed) }
}

extension RunRecord {
    /// run.json: every name of the catalog, null where nothing was measured.
    public var document: JSONValue { Catalog.members.document(of: self) }

    /// Writes the text of ``document``.
    public func write(to file: OutputFile) { Catalog.members.write(self, to: file) }
}
