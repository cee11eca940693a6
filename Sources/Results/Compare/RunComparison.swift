/// Saved runs side by side; the first is what the others are compared with.
public struct RunComparison: Sendable {
    static let schema = "rubato.comparison/1"

    /// A value of the scenario that is not the same in all runs; nil where a run does not have it.
    struct ScenarioDifference: Sendable, Equatable {
        var path: String
        var values: [String?]

        init(path: String, values: [String?]) {
            self.path = path
            self.values = values
        }
    }

    enum Verdict: String, Sendable {
        case good
        case regression
        /// Neither direction is known to be worse.
        case notJudged = "not_judged"
    }

    /// One number in every run.
    public struct Row: Sendable {
        /// What the row is called in a table: the metric, and the element that it is of.
        public var label: String
        var kind: MetricKind
        /// Null where a run has not measured it, or has no such element.
        var values: [JSONValue]
        /// The worst over the runs after the first; nil when nothing was to be judged.
        var verdict: Verdict?

        /// Value minus the first run's; null where either is missing.
        func change(_ index: Int) -> JSONValue {
            if case .integer(let value) = values[index], case .integer(let base) = values[0] {
                let (difference, overflow) = value.subtractingReportingOverflow(base)
                if !overflow { return .integer(difference) }
            }
            guard let value = values[index].double, let base = values[0].double else { return nil }
            return JSONValue(value - base)
        }

        /// By how much two quantiles may differ without a difference between what they are of.
        func resolution(of value: Double) -> Double {
            let name = label.split(separator: ".").last.map(String.init) ?? ""
            guard DistributionMember(rawValue: name)?.isQuantile == true, value.magnitude < 0x1p62 else { return 0 }
            return Double(DistributionMember.resolution(of: Int64(value)))
        }

        /// The change as a share of the first run's size; null where that is zero or missing.
        func relativeChange(_ index: Int) -> Double? {
            guard let base = values[0].double, base != 0, let change = change(index).double else { return nil }
            return change / abs(base)
        }
    }

    var runs: [SavedRun]
    var scenarioDifferences: [ScenarioDifference]
    var rows: [Row]
    /// By how much a metric may get worse, as a share; nil when nothing is judged.
    var allowance: Double?
    /// Whether the metrics are the program's choice, so that others may differ too.
    var isDefaultSelection: Bool

    /// Metrics shown when the user names none.
    static let headline = [
        "flows.bitrate_bps.delivered", "loss", "flows.packets.late",
        "flows.one_way_delay_ns.p50", "flows.one_way_delay_ns.p95", "flows.one_way_delay_ns.p99",
        "flows.round_trip_ns.p50", "flows.pdv_ns.p99", "flows.interarrival_jitter_ns.mean", "flows.mdi.df_ns",
        "substreams.presented.on_time", "substreams.presented.late", "substreams.presented.missing",
        "substreams.presented.damaged", "substreams.decodable.impaired", "substreams.decodable.undecodable",
        "substreams.end_to_end_delay_ns.p99", "substreams.freezes.total_ns",
        "quality.ssim.mean", "quality.psnr_db.mean", "quality.below_098",
        "lip_sync.skew_ns.p50", "lip_sync.skew_ns.p95", "lip_sync.within.itu_detectability",
        "links.drops.queue_full", "links.queue_delay_ns.p99",
    ]

    /// Those that are shown beside them where the clocks' part of the scenarios differs.
    private static let clockHeadline = [
        "flows.one_way_delay_error_ns.mean", "clocks.offset_error_ns.mean", "clocks.offset_error_ns.p95",
        "clocks.bound_violations",
    ]

    /// - Parameters:
    ///   - names: metrics, or groups of them ("flows.one_way_delay_ns"); empty for those that matter most.
    ///   - allowance: judge the runs after the first by it: 0.05 lets a metric get worse by 5 %.
    /// - Throws: ``UserFacingError`` (usage) for an unknown name.
    public init(of runs: [SavedRun], on names: [String], allowance: Double?) throws(UserFacingError) {
        guard runs.count >= 2 else {
            throw .usage("a comparison needs two runs at least", remedy: "rubato compare runs/a runs/b")
        }
        self.runs = runs
        self.allowance = allowance
        isDefaultSelection = names.isEmpty
        scenarioDifferences = RunComparison.differences(of: runs.map(\.scenario))
        rows = []
        let documents = runs.map(\.judged)
        let labels = ListLabels(of: documents)
        let clocksDiffer = scenarioDifferences.contains { $0.path == "clocks" || $0.path.hasPrefix("clocks.") }
        for name in names.isEmpty ? RunComparison.headline + (clocksDiffer ? RunComparison.clockHeadline : []) : names {
            rows += try RunComparison.rows(for: name, in: documents, labels: labels)
        }
        for index in rows.indices { rows[index].verdict = verdict(on: rows[index]) }
    }

    /// The rows of which a run after the first is worse than the first by more than was allowed.
    public var regressions: [Row] { rows.filter { $0.verdict == .regression } }

    /// Nil when nothing was to be judged. A judgement that had nothing to judge does not pass.
    public var passed: Bool? {
        guard allowance != nil else { return nil }
        return regressions.isEmpty && rows.contains { $0.verdict == .good }
    }

    private static func rows(
        for name: String, in documents: [JSONValue], labels: ListLabels
    ) throws(UserFacingError) -> [Row] {
        // What is no group is judged as a metric, with that one's errors.
        if let path = try? MetricPath(parsing: trimmed(name)), let node = try? path.node(), node.kind == nil {
            return merge(
                try inSome(documents) { document throws(UserFacingError) in
                    try path.values(in: document, labels: labels).flatMap { numbers($0, node.element) }
                })
        }
        let metric = try Metric(parsing: name)
        guard metric.kind.unit.isNumber else {
            throw .usage("'\(name)' is not a number", remedy: "compare shows the scenario's differences by itself")
        }
        return merge(
            try inSome(documents) { document throws(UserFacingError) in
                try metric.values(in: document, labels: labels).map { ($0, metric.kind) }
            })
    }

    /// What is found in each document: nothing where it has no such element, unless none has.
    private static func inSome<Found>(
        _ documents: [JSONValue], _ find: (JSONValue) throws(UserFacingError) -> [Found]
    ) throws(UserFacingError) -> [[Found]] {
        var problems: [UserFacingError] = []
        var found: [[Found]] = []
        for document in documents {
            do throws(UserFacingError) {
                found.append(try find(document))
            } catch {
                problems.append(error)
                found.append([])
            }
        }
        if problems.count == documents.count, let first = problems.first { throw first }
        return found
    }

    /// The numbers below a name, as far as they were measured.
    private static func numbers(_ found: MetricValue, _ node: CatalogNode) -> [(MetricValue, MetricKind)] {
        if let kind = node.kind {
            return kind.unit.isNumber && found.value.double != nil ? [(found, kind)] : []
        }
        return (found.value.members ?? []).flatMap { member -> [(MetricValue, MetricKind)] in
            guard let child = node.child(member.name) else { return [] }
            return numbers(MetricValue(label: found.label + "." + member.name, value: member.value), child)
        }
    }

    /// One row for each label, in the order of the first run that has it.
    private static func merge(_ found: [[(MetricValue, MetricKind)]]) -> [Row] {
        var order: [String] = []
        var rows: [String: Row] = [:]
        for (run, values) in found.enumerated() {
            for (value, kind) in values {
                if rows[value.label] == nil {
                    order.append(value.label)
                    rows[value.label] = Row(
                        label: value.label, kind: kind, values: Array(repeating: .null, count: found.count))
                }
                rows[value.label]?.values[run] = value.value
            }
        }
        return order.compactMap { rows[$0] }
    }

    private func verdict(on row: Row) -> Verdict? {
        guard let allowance else { return nil }
        guard row.kind.worse != .unknown else { return .notJudged }
        // What neither run measured says nothing; what only the later one lost is worse than any number.
        guard let base = row.values[0].double else { return .notJudged }
        for (value, run) in zip(row.values, runs).dropFirst() where !isSame(run, as: runs[0]) {
            guard let value = value.double else { return .regression }
            let (before, after) = row.kind.worse == .awayFromZero ? (abs(base), abs(value)) : (base, value)
            let worsening = row.kind.worse == .down ? before - after : after - before
            // Where the base is zero any share is too little: less than a microsecond nobody can see or hear.
            let negligible = row.kind.unit == .nanoseconds ? max(999, row.resolution(of: base) - 1) : 0
            if worsening > max(allowance * abs(before), negligible) { return .regression }
        }
        return .good
    }

    /// Whether the same happened in both. Numbers of theirs differ only as far as their checks made them exact.
    private func isSame(_ run: SavedRun, as other: SavedRun) -> Bool {
        guard let digest = run.fact("digest").string else { return false }
        return digest == other.fact("digest").string
    }

    private static func differences(of scenarios: [JSONValue]) -> [ScenarioDifference] {
        let flattened = scenarios.map { ScenarioText.flattened($0) }
        let tables = flattened.map { pairs in
            Dictionary(pairs.map { ($0.path, $0.value) }, uniquingKeysWith: { first, _ in first })
        }
        var seen: Set<String> = []
        var differences: [ScenarioDifference] = []
        for path in flattened.joined().map(\.path) where seen.insert(path).inserted {
            let values = tables.map { $0[path] }
            if Set(values).count > 1 { differences.append(ScenarioDifference(path: path, values: values)) }
        }
        return differences
    }
}
