import NetworkEmulation
import Timebase

extension ExperimentScenario.Link {
    /// How much a link carries, of IP packets with what the link layer adds.
    public enum Capacity: Equatable, Sendable {
        /// No serialization, and so no queue.
        case unlimited
        /// Always this rate.
        case constant(BitRate)
        /// What a file says, from emulated time zero on.
        case trace(RateTraceFile)
        /// A token bucket: packets leave whole, as soon as it holds their bytes.
        case shaper(ExperimentScenario.TokenBucket)
    }

    /// A file that says when how much can be sent.
    public struct RateTraceFile: Hashable, Sendable {
        var format: Format
        /// Absolute.
        public var path: String

        enum Format: Hashable, Sendable {
            /// Mahimahi's: a line an opportunity, in milliseconds.
            case mahimahi(Reading)
            /// `time_s,rate_bps`, from the beginning again after `period`.
            case csv(period: TimeSpan?)
            /// `seconds Mbit/s`, as the Norwegian HSDPA traces are handed about.
            case hsdpa
        }

        enum Reading: String, Sendable, CaseIterable { case opportunities, piecewise }
    }

    /// The rate as far as the scenario says it; that of a trace is in its file.
    var nominalRate: BitRate? {
        switch capacity {
        case .unlimited, .trace: nil
        case .constant(let rate): rate
        case .shaper(let bucket): bucket.rate
        }
    }
}

extension ExperimentScenario {
    /// Bytes come at `rate`, and at most `burst` of them are kept.
    public struct TokenBucket: Equatable, Sendable {
        /// Bits per second of IP packets with what the link layer adds.
        public var rate: BitRate
        /// Bytes.
        public var burst: Int
    }
}

// MARK: - Declaration

extension ExperimentScenario.Link.Capacity {
    static let choice = Choice<Self>(
        [
            Alternative(
                "rate", .optional(.bitRate(ExperimentScenario.rates)),
                "The rate, IP headers included; none: no limit, and no queue.",
                embed: { $0.map(Self.constant) ?? .unlimited }
            ) {
                switch $0 {
                case .unlimited: .some(nil)
                case .constant(let rate): rate
                case .trace, .shaper: nil
                }
            }.like("6 Mbit/s"),
            Alternative(
                "rate_trace", ExperimentScenario.Link.RateTraceFile.choice.kind(),
                "A rate that changes as a file says.", embed: Self.trace
            ) { if case .trace(let file) = $0 { file } else { nil } }.like("{ mahimahi: lte.trace }"),
            Alternative(
                "shaper", ExperimentScenario.TokenBucket.record.kind(),
                "A token bucket; packets leave whole, as soon as it holds their bytes.", embed: Self.shaper
            ) { if case .shaper(let bucket) = $0 { bucket } else { nil } }.like("{ rate: 5 Mbit/s, burst: 30 kB }"),
        ], group: "rate")
}

extension ExperimentScenario.TokenBucket {
    static let record = Record<Self>(
        Self(rate: ExperimentScenario.rates.upperBound, burst: 1_600),
        [
            .key("rate", \.rate, .bitRate(ExperimentScenario.rates), "The rate at which tokens come, one a byte.")
                .required(like: "5 Mbit/s"),
            .key("burst", \.burst, .byteCount(1_600...1_000_000_000), "How many bytes of tokens are kept.")
                .required(like: "30 kB"),
        ])

    var parameters: TokenBucketParameters { TokenBucketParameters(rate: rate, burst: burst) }
}

extension ExperimentScenario.Link.RateTraceFile {
    private typealias Mahimahi = (path: String, reading: Reading)
    private typealias Table = (path: String, period: TimeSpan?)

    static let choice = Choice<Self>(
        [
            Alternative(
                Record<Mahimahi>(
                    ("", .opportunities),
                    [
                        .key("mahimahi", \.path, .file, "Opportunities to send, a line each with its millisecond.")
                            .like("lte.trace"),
                        .key(
                            "reading", \.reading, .words(),
                            "Each line as a packet of 1504 bytes, or as 12000 bits of a rate that changes."
                        ).like("piecewise"),
                    ]),
                embed: { Self(format: .mahimahi($0.reading), path: $0.path) },
                extract: { if case .mahimahi(let reading) = $0.format { ($0.path, reading) } else { nil } }),
            Alternative(
                Record<Table>(
                    ("", nil),
                    [
                        .key("csv", \.path, .file, "A table time_s,rate_bps.").like("rates.csv"),
                        .key(
                            "repeat", \.period, .optional(.time(ExperimentScenario.durations)),
                            "The time after which the table begins again."
                        ).like("90s"),
                    ]),
                embed: { Self(format: .csv(period: $0.period), path: $0.path) },
                extract: { if case .csv(let period) = $0.format { ($0.path, period) } else { nil } }),
            Alternative(
                "hsdpa", .file, "Lines of seconds and Mbit/s, as the Norwegian HSDPA traces have them.",
                embed: { Self(format: .hsdpa, path: $0) },
                extract: { $0.format == .hsdpa ? $0.path : nil }
            ).like("bus.txt"),
        ], group: "format",
        missing: Missing(
            statement: "no trace is named", expected: "one of mahimahi, csv, hsdpa with a file's name"))
}

// MARK: - Building

/// What a rate trace's file says.
enum RateTraceTable {
    case pieces(RateTrace)
    case opportunities(OpportunityTrace)
}

extension ExperimentScenario.Link.RateTraceFile.Format {
    func table(_ bytes: [UInt8]) throws(TraceProblem) -> RateTraceTable? {
        switch self {
        case .csv(let period): .pieces(try RateTrace(csv: bytes, repeatingEvery: period))
        case .hsdpa: .pieces(try RateTrace(hsdpa: bytes))
        case .mahimahi(.opportunities): .opportunities(try OpportunityTrace(mahimahi: bytes))
        case .mahimahi(.piecewise): RateTrace(try OpportunityTrace(mahimahi: bytes)).map { .pieces($0) }
        }
    }
}

extension ExperimentScenario.Link {
    /// - Parameter outages: by rising time, from emulated time zero.
    /// - Returns: also the rate, or the trace's mean one.
    func capacitySource(
        _ outages: [Range<Instant>], _ tables: LinkTables, path: String
    ) throws(ScenarioProblems) -> (rate: BitRate?, CapacitySource) {
        let spans = outages.map { $0.lowerBound - Instant.zero..<$0.upperBound - Instant.zero }
        func down(_ trace: RateTrace) throws(ScenarioProblems) -> CapacitySource {
            guard let trace = trace.overridden(in: spans, with: BitRate(bitsPerSecond: 0)) else {
                throw tables.problem(path + ".schedule", "the rate trace is too fine for an outage so late")
            }
            return .pieces(trace)
        }
        switch capacity {
        case .unlimited: return (nil, .constant)
        case .shaper(let bucket): return (bucket.rate, .tokens(bucket.parameters))
        case .constant(let rate):
            let changes = schedule.compactMap { step in
                step.keys.contains("rate") ? step.link.nominalRate.map { (at: step.at, rate: $0) } : nil
            }
            guard !changes.isEmpty || !spans.isEmpty else { return (rate, .constant) }
            let first = changes.first?.at == .zero ? [] : [(at: TimeSpan.zero, rate: rate)]
            guard let trace = RateTrace(first + changes) else {
                throw tables.problem(path + ".schedule", "the rates cannot be followed")
            }
            return (rate, try down(trace))
        case .trace(let file):
            switch try tables.rateTrace(file, path: path + ".rate_trace") {
            case .pieces(let trace): return (trace.meanRate(), try down(trace))
            case .opportunities(let trace):
                let bytes = 1_504
                return (
                    trace.meanRate(opportunityBits: UInt64(bytes * 8)),
                    .opportunities(trace.without(spans), bytes: bytes)
                )
            }
        }
    }
}
