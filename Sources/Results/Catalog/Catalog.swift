import Metrics
import Scenario
import Timebase

/// Every name of run.json, schema `rubato.run/2`: declared once, for the document, checks, comparisons and the reference.
///
/// Made when first asked for; starting the program asks for nothing of it.
enum Catalog {
    /// The schema of run.json.
    static let schema = "rubato.run/2"
    /// What earlier versions wrote: names that are still there, but figures that mean something else.
    static let earlierSchemas = ["rubato.run/1"]

    /// The whole of run.json.
    static let root = CatalogNode("run.json", "What one run measured.", .group(members.map(\.node)))

    static let members: [CatalogMember<RunRecord>] = [
        .text("schema", "What this document is: '\(schema)'.") { _ in schema },
        .group(
            "tool", "What wrote it.",
            [
                .text("name", "The program's name.") { _ in Tool.name },
                .text("version", "The program's version.") { _ in Tool.version },
            ]),
        run,
        .list(flows) { $0.measurements.flows },
        .list(substreams) { $0.measurements.substreams },
        .list(calls) { $0.measurements.calls },
        .list(lipSync) { $0.measurements.lipSync },
        .list(playout) { $0.measurements.playout },
        .list(clocks) { $0.measurements.clocks },
        .list(links) { $0.measurements.links },
        commands, destinations, agreement,
        .list(reservations) { $0.measurements.reservations },
        .list(transportStreams) { $0.measurements.transportStreams },
        .list(quality) { $0.quality },
        .group(
            "qos", "What became of the QoS contract and the checks.",
            [
                .truth("passed", "Whether all of them hold; null when there are none.") { $0.passed },
                .list(checks) { $0.checks },
            ]),
        validity,
        .list(artifacts) { $0.artifacts },
    ]

    private static let run = CatalogMember<RunRecord>.group(
        "run", "The experiment, and how it went.",
        [
            .text("id", "Eight digits of SHA-256 over the resolved scenario and the digest.") { $0.id },
            .text("name", "The scenario's name.") { $0.identity.name },
            .text("mode", "How it was driven: 'virtual'.") { $0.identity.mode },
            .text("status", "'completed', or 'interrupted' when the sources were stopped before their time.") {
                $0.status.rawValue
            },
            .value("seed", MetricKind(unit: .plain), "The root of every random draw; a text from 2^63 on.") {
                // Beyond Int64 a number would lose digits in most readers.
                Int64(exactly: $0.identity.seed).map { .integer($0) } ?? .string($0.identity.seed.description)
            },
            .nanoseconds("duration_ns", "When the sources stopped, in emulated time.") {
                $0.identity.duration.nanoseconds
            },
            .nanoseconds("ended_ns", "When every packet had met its fate and every unit its deadline.") {
                $0.measurements.ended.nanoseconds
            },
            .nanoseconds("wall_ns", "How long the run took by the wall clock; outside the digest.") {
                $0.wallNanoseconds
            },
            .value("speed_factor", MetricKind(unit: .plain), "Emulated time over wall-clock time; outside the digest.")
            {
                JSONValue($0.speedFactor)
            },
            .text("digest", "Over every packet's fate and instants and every presentation, whatever is written.") {
                $0.measurements.digest.hexadecimal
            },
        ])

    private static let validity = CatalogMember<RunRecord>.group(
        "validity", "Whether the measurement can be trusted.",
        [
            .truth("valid", "Whether it kept its own limits: always, in virtual time.") { _ in true },
            .distribution("timer_lateness_ns", worse: .up, "How late timers fired; null in virtual time.") { _ in nil },
            .count("missed_deadlines", worse: .up, "Timers that fired too late; null in virtual time.") { _ in nil },
            .texts("warnings", "What makes the numbers less than they seem.") {
                $0.measurements.warnings.map(\.text)
            },
        ])

    private static let checks = CatalogList<CheckResult>(
        "checks", "Each term of the QoS contract and each check.", selectors: ["metric"], labels: [["metric"]],
        [
            .text("metric", "What is compared.") { $0.check.metric.text },
            .text("op", "How: <, <=, >, >=, == or !=.") { $0.check.comparison.rawValue },
            .value("limit", MetricKind(unit: .plain), "With what, in the metric's own unit.") { $0.check.limit },
            .value("value", MetricKind(unit: .plain), "The value that fails, or is nearest to failing.") { $0.value },
            .count("count", "How many samples the value was made of.") { $0.count },
            .truth("passed", "Whether it holds; what was not measured, or too seldom, does not.") { $0.passed },
        ])

    private static let artifacts = CatalogList<Artifact>(
        "artifacts", "The other files of the run directory.", selectors: ["path"], labels: [["path"]],
        [
            .text("path", "Where the file lies in the directory.") { $0.path },
            .whole("bytes", .bytes, "Its length.") { $0.bytes },
            .text("sha256", "Its digest (FIPS 180-4), hexadecimal.") { $0.sha256 },
        ])
}
