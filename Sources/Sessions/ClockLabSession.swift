import Capture
import Lab
import Results
import Scenario
import Timebase

/// `rubato lab clock-sync` from its arguments to its exit status.
public struct ClockLabSession {
    /// With commas between; a comma inside brackets is the algorithm's own.
    public var algorithms = "none,cristian,ntp,regression,berkeley,averaging"
    /// By how much the way back takes longer, with commas between: "0ms,10ms".
    public var asymmetries = "0ms"
    /// "3" or "1..10".
    public var seeds = "1..3"
    /// How far the receivers' clocks are off at first.
    public var offset = "35ms"
    /// How much they gain and lose.
    public var frequency = "50ppm"
    /// What the way to a receiver takes at least.
    public var delay = "20ms"
    /// The mean of what is added to it.
    public var jitter = "1ms"
    /// How long each run lasts.
    public var duration = "600s"
    /// How many receivers there are.
    public var receivers = 4
    /// How many time servers there are; 0: the sender is the one server.
    public var servers = 0
    /// Of the first run's exchanges, the one that is explained, from 1.
    public var explained: Int?
    /// Where the series goes; nil: nowhere.
    public var csv: String?
    /// Whether the result is one JSON document on standard output.
    public var json = false
    /// Whether nothing but problems goes to standard error.
    public var quiet = false
    let console: Console

    public init(console: Console) { self.console = console }

    /// - Returns: the exit status.
    /// - Throws: ``UserFacingError``, ``SystemError``.
    public func run() throws -> Int32 {
        let lab = try lab()
        Interrupt.install()
        let monitor = RunMonitor(total: lab.duration * Int64(lab.runCount), console: quiet ? nil : console)
        var runs: [ClockLabRun] = []
        do {
            for algorithm in lab.algorithms {
                for asymmetry in lab.asymmetries {
                    for seed in lab.seeds where !Interrupt.isRequested {
                        runs.append(try lab.run(algorithm, asymmetry: asymmetry, seed: seed))
                        monitor.report(.zero + lab.duration * Int64(runs.count))
                    }
                }
            }
        } catch let problems as ScenarioProblems {
            throw UserFacingError.usage(problems.description)
        }
        monitor.finish()
        guard runs.count == lab.runCount else { return ExitStatus.interrupted }
        return try finish(ClockLabReport(lab, runs))
    }

    private func finish(_ report: ClockLabReport) throws -> Int32 {
        if let csv {
            let file = try OutputFile(path: csv)
            file.write(report.series)
            try file.close()
        }
        if let explained {
            guard let text = report.explanation(ofExchange: explained) else {
                let count = report.runs.first?.exchanges.count ?? 0
                throw UserFacingError.usage(
                    "'--explain \(explained)': the first run has \(count) exchanges",
                    remedy: count > 0
                        ? "they count from 1 to \(count)"
                        : "put an algorithm first that asks a time server: --algorithms cristian")
            }
            console.result(text)
        } else if json {
            console.result(report.document.document())
        } else if !quiet {
            console.result(report.text(isColoured: console.isColoured))
        }
        if let failure = console.failure { throw failure }
        return ExitStatus.success
    }

    // MARK: - Arguments

    private func lab() throws -> ClockLab {
        var lab = ClockLab(
            algorithms: Self.split(algorithms),
            asymmetries: try Self.split(asymmetries).map { try span($0, "--asymmetry", Self.asymmetryRange) },
            seeds: try seedList())
        guard !lab.algorithms.isEmpty else {
            throw UserFacingError.usage("'--algorithms' names none", remedy: "such as --algorithms cristian,ntp")
        }
        lab.offset = try span(offset, "--offset", .zero ... .seconds(86_400))
        lab.delay = try span(delay, "--delay", .zero ... .seconds(10))
        lab.jitter = try span(jitter, "--jitter", .zero ... .seconds(10))
        lab.duration = try span(duration, "--duration", .seconds(10) ... .seconds(1_000_000))
        guard 1...100 ~= receivers else {
            throw UserFacingError.usage("'--receivers \(receivers)' is not from 1 to 100")
        }
        lab.receivers = receivers
        guard 0...100 ~= servers else {
            throw UserFacingError.usage("'--servers \(servers)' is not from 0 to 100")
        }
        lab.servers = servers
        do {
            lab.frequency = try Quantity.frequency(frequency)
        } catch {
            throw UserFacingError.usage("'--frequency \(frequency)' is not \(error.expected)", remedy: error.hint)
        }
        guard lab.frequency.magnitude <= 100_000_000 else {
            throw UserFacingError.usage("'--frequency \(frequency)' is not from -100000 ppm to 100000 ppm")
        }
        try checkSize(of: lab)
        if let least = lab.asymmetries.min(), lab.delay + least < .zero {
            throw UserFacingError.usage(
                "an asymmetry of \(Quantity.text(least)) is more than the delay of \(Quantity.text(lab.delay))",
                remedy: "no packet arrives before it is sent: raise --delay")
        }
        return lab
    }

    /// Each clock's, each second; kept until the report.
    private static let mostSamples = 1e7

    private func checkSize(of lab: ClockLab) throws {
        let samples = Double(lab.runCount) * Double(1 + lab.receivers) * Double(lab.duration.nanoseconds) * 1e-9
        guard samples <= Self.mostSamples else {
            throw UserFacingError.usage(
                "\(lab.runCount) runs of \(duration) with \(receivers) receivers are too much at once",
                remedy: "a shorter --duration, or fewer --receivers, --seeds or --algorithms")
        }
    }

    private static let asymmetryRange = TimeSpan.seconds(-10) ... .seconds(10)

    private func span(_ text: String, _ option: String, _ range: ClosedRange<TimeSpan>) throws -> TimeSpan {
        do {
            let span = try Quantity.time(text)
            guard range.contains(span) else {
                throw UserFacingError.usage(
                    "'\(option) \(text)' is not from \(Quantity.text(range.lowerBound)) to "
                        + Quantity.text(range.upperBound))
            }
            return span
        } catch let problem as QuantityProblem {
            throw UserFacingError.usage("'\(option) \(text)' is not \(problem.expected)", remedy: problem.hint)
        }
    }

    private func seedList() throws -> [UInt64] {
        let ends = seeds.split(separator: ".", omittingEmptySubsequences: true).map { UInt64($0) }
        if ends.count == 1, let seed = ends[0], !seeds.contains(".") { return [seed] }
        guard ends.count == 2, let first = ends[0], let last = ends[1], seeds.contains(".."), first <= last,
            last - first < 100_000
        else {
            throw UserFacingError.usage("'--seeds \(seeds)' names no seeds", remedy: "such as 7, or 1..10")
        }
        return Array(first...last)
    }

    /// At commas outside brackets.
    static func split(_ text: String) -> [String] {
        var parts: [String] = [""]
        var depth = 0
        for character in text {
            if character == "{" || character == "[" { depth += 1 }
            if character == "}" || character == "]" { depth -= 1 }
            if character == ",", depth == 0 { parts.append("") } else { parts[parts.count - 1].append(character) }
        }
        return parts.map { String($0.drop { $0 == " " }) }.filter { !$0.isEmpty }
    }
}
