import Metrics
import Results
import Scenario
import Timebase

/// What `rubato lab clock-sync` found: a row for each algorithm and asymmetry, over all seeds.
public struct ClockLabReport: Sendable {
    static let schema = "rubato.lab-clock-sync/1"

    /// What was asked.
    public let lab: ClockLab
    /// The runs, in the order of algorithms, asymmetries and seeds.
    public let runs: [ClockLabRun]
    /// A clock has converged from when it stays so near to where theory puts it.
    static let tolerance = TimeSpan.milliseconds(1)

    /// What came of the lab's runs.
    public init(_ lab: ClockLab, _ runs: [ClockLabRun]) {
        self.lab = lab
        self.runs = runs
    }

    /// One algorithm over one network. Errors are of the second half of the time, when what can settle has.
    struct Row {
        let runs: [ClockLabRun]
        private let half: Instant

        init(_ runs: [ClockLabRun], _ lab: ClockLab) {
            self.runs = runs
            half = .zero + .nanoseconds(lab.duration.nanoseconds / 2)
        }

        var first: ClockLabRun { runs[0] }
        private var settled: [(sample: ClockLabRun.Sample, residual: TimeSpan)] {
            runs.flatMap { $0.residuals.filter { $0.sample.at >= half } }
        }

        var errors: Histogram {
            var errors = Histogram()
            for (sample, _) in settled { errors.add(sample.error.nanoseconds) }
            return errors
        }

        /// How far from where theory puts them.
        var residuals: Histogram {
            var residuals = Histogram()
            for (_, residual) in settled { residuals.add(Int64(residual.nanoseconds.magnitude)) }
            return residuals
        }

        var bounds: Histogram {
            var bounds = Histogram()
            for (sample, _) in settled { if let bound = sample.bound { bounds.add(bound.nanoseconds) } }
            return bounds
        }

        var broken: (broken: Int, claimed: Int) {
            runs.map(\.brokenBounds).reduce((0, 0)) { ($0.0 + $1.broken, $0.1 + $1.claimed) }
        }

        /// Of those runs that did, ascending.
        var convergences: [TimeSpan] {
            runs.compactMap { $0.converged(within: ClockLabReport.tolerance) }.sorted()
        }

        var messages: Int64 { runs.reduce(0) { $0 + $1.messages } / Int64(runs.count) }
    }

    var rows: [Row] {
        lab.algorithms.flatMap { algorithm in
            lab.asymmetries.compactMap { asymmetry in
                let runs = runs.filter { $0.setting == algorithm && $0.asymmetry == asymmetry }
                return runs.isEmpty ? nil : Row(runs, lab)
            }
        }
    }

    // MARK: - For programs

    /// The report as JSON.
    public var document: JSONValue {
        [
            "schema": .string(Self.schema),
            "tool": ["name": .string(Tool.name), "version": .string(Tool.version)],
            "seeds": .array(lab.seeds.map { Int64(exactly: $0).map { .integer($0) } ?? .string($0.description) }),
            "receivers": .integer(Int64(lab.receivers)), "servers": .integer(Int64(lab.servers)),
            "duration_ns": .integer(lab.duration.nanoseconds),
            "offset_ns": .integer(lab.offset.nanoseconds), "frequency_ppb": .integer(lab.frequency),
            "delay_ns": .integer(lab.delay.nanoseconds), "jitter_mean_ns": .integer(lab.jitter.nanoseconds),
            "rows": .array(rows.map(document)),
        ]
    }

    private func document(_ row: Row) -> JSONValue {
        let convergences = row.convergences
        let broken = row.broken
        return [
            "algorithm": .string(row.first.algorithm), "setting": .string(row.first.setting),
            "asymmetry_ns": .integer(row.first.asymmetry.nanoseconds),
            "theory_ns": JSONValue(row.first.theory?.nanoseconds),
            "error_ns": DistributionMember.document(row.errors.distribution),
            "residual_ns": DistributionMember.document(row.residuals.distribution),
            "bound_ns": DistributionMember.document(row.bounds.distribution),
            "bound_samples": .integer(Int64(broken.claimed)), "bound_violations": .integer(Int64(broken.broken)),
            "runs": .integer(Int64(row.runs.count)), "converged_runs": .integer(Int64(convergences.count)),
            "convergence_ns": .array(convergences.map { .integer($0.nanoseconds) }),
            "messages": .integer(row.messages),
        ]
    }

    /// `algorithm,asymmetry_ns,seed,t_ns,node,error_ns,bound_ns`, a row a second and node.
    public var series: String {
        var text = "algorithm,asymmetry_ns,seed,t_ns,node,error_ns,bound_ns\n"
        for run in runs {
            let prefix = "\(csvField(run.setting)),\(run.asymmetry.nanoseconds),\(run.seed),"
            for sample in run.samples {
                let node = sample.node == 0 ? "sender" : "r\(sample.node)"
                text += prefix + "\((sample.at - Instant.zero).nanoseconds),\(node),\(sample.error.nanoseconds),"
                text += (sample.bound?.nanoseconds.description ?? "") + "\n"
            }
        }
        return text
    }

    // MARK: - For a person

    /// The report as tables for a terminal; `isColoured`: with escape sequences.
    public func text(isColoured: Bool) -> String {
        let styled = StyledText(isColoured: isColoured)
        var table = TextTable(
            header: [
                "algorithm", "asymmetry", "theory", "error mean", "off by p95", "bound mean", "broken", "converged",
                "messages",
            ])
        for row in rows {
            let broken = row.broken
            table.add([
                TextTable.Cell(row.first.setting), time(row.first.asymmetry), theory(of: row.first),
                TextTable.Cell(Format.time(row.errors.distribution?.mean, signed: true)),
                TextTable.Cell(Format.time(row.residuals.distribution?.quantile(0.95))),
                TextTable.Cell(Format.time(row.bounds.distribution?.mean)),
                broken.claimed == 0
                    ? TextTable.Cell("n/a", .dim)
                    : TextTable.Cell("\(broken.broken) of \(Format.count(Int64(broken.claimed)))"),
                convergence(row), TextTable.Cell(Format.count(row.messages)),
            ])
        }
        return ([title(styled)] + table.lines(styled) + [""] + legend.map { styled($0, .dim) }).joined(separator: "\n")
            + "\n"
    }

    private func title(_ styled: StyledText) -> String {
        styled("clock synchronization", .bold)
            + "  \(lab.receivers) \(lab.receivers == 1 ? "receiver" : "receivers") \(Format.time(lab.offset.nanoseconds)) and "
            + "\(Format.frequency(lab.frequency, signed: false)) off, \(Format.time(lab.duration.nanoseconds)), "
            + "\(lab.seeds.count) \(lab.seeds.count == 1 ? "seed" : "seeds")"
            + (lab.servers == 0 ? "" : ", \(lab.servers) time \(lab.servers == 1 ? "server" : "servers")")
    }

    private func time(_ span: TimeSpan) -> TextTable.Cell { TextTable.Cell(Format.time(span.nanoseconds)) }

    private func theory(of run: ClockLabRun) -> TextTable.Cell {
        if let theory = run.theory { return TextTable.Cell(Format.time(theory.nanoseconds, signed: true)) }
        switch run.synchronization {
        case .berkeley: return TextTable.Cell("group mean", .dim)
        case .averaging: return TextTable.Cell("group, slow", .dim)
        case .none, .cristian, .ntp, .regression: return TextTable.Cell("n/a", .dim)
        }
    }

    private func convergence(_ row: Row) -> TextTable.Cell {
        let convergences = row.convergences
        guard !convergences.isEmpty else { return TextTable.Cell("never", .dim) }
        let median = Format.time(convergences[convergences.count / 2].nanoseconds)
        return TextTable.Cell(
            convergences.count == row.runs.count ? median : "\(median), \(convergences.count) of \(row.runs.count)")
    }

    private var legend: [String] {
        [
            "  Errors are clock less true time, of each receiver's clock (of a group the sender's too), each second of the",
            "  second half; positive: fast. theory: where asymmetry leaves two-way exchanges, A/2; berkeley and averaging",
            "  keep to their group's mean alone, which averaging drags behind by the mean one-way delay at each round, as",
            "  far as clocks slew so fast. off by: of that.",
            "  bound: the error that the algorithm claims at most (of true time, or of the group's mean); broken: samples",
            "  beyond it, of all that have one. converged: when all clocks stay within 1 ms of theory for the last tenth at",
            "  least, median of the runs.",
        ]
    }
}
