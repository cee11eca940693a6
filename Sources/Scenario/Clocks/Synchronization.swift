import Timebase

extension ExperimentScenario {
    /// By which algorithm the nodes' clocks are synchronized.
    public enum Synchronization: Equatable, Sendable {
        /// Every clock runs free.
        case none
        /// Cristian's reading of one server's clock.
        case cristian(Cristian)
        /// NTP (RFC 5905).
        case ntp(NTP)
        /// A line through what servers answer.
        case regression(Regression)
        /// Berkeley's algorithm: a coordinator asks, averages and corrects.
        case berkeley(Berkeley)
        /// Every node averages the group's clocks for itself.
        case averaging(Averaging)

        /// What is stepped, what is slewed, and how fast.
        struct Correction: Equatable, Sendable {
            /// Later errors of more than this are stepped as well; nil: none is.
            var stepLimit: TimeSpan?
            /// Parts per billion.
            var slewRate: Int64
        }

        /// Cristian's algorithm.
        public struct Cristian: Equatable, Sendable {
            var poll: TimeSpan
            var probes: Int
            var minimumDelay: TimeSpan
            /// Parts per billion.
            var drift: Int64
            /// Nil: every reading is good enough.
            var accuracy: TimeSpan?
            var correction: Correction
        }

        /// NTP's client.
        public struct NTP: Equatable, Sendable {
            var poll: TimeSpan
            var longestPoll: TimeSpan
            var beginsWithBurst: Bool
            var panicLimit: TimeSpan?
            var correction: Correction
        }

        /// Regression over servers' answers.
        public struct Regression: Equatable, Sendable {
            var poll: TimeSpan
            var correction: Correction
        }

        /// Berkeley's algorithm.
        public struct Berkeley: Equatable, Sendable {
            var poll: TimeSpan
            var election: Election
            /// How far apart the clocks may lie that are averaged.
            public var range: TimeSpan
            var correction: Correction

            enum Election: String, Sendable, CaseIterable { case bully, ring }
        }

        /// Averaging by each node for itself.
        public struct Averaging: Equatable, Sendable {
            /// How often every node tells its time.
            public var interval: TimeSpan
            /// How long after that it takes what it hears.
            public var window: TimeSpan
            /// Which clocks the mean is of.
            public var mean: Mean
            /// How many of the highest and of the lowest a trimmed mean leaves out.
            var trim: Int
            var correction: Correction

            /// The others' clocks, all with the own, or all but the ends.
            public enum Mean: String, Sendable, CaseIterable { case others, all, trimmed }
        }

        /// As scenarios and results call it.
        public var name: String {
            switch self {
            case .none: "none"
            case .cristian: "cristian"
            case .ntp: "ntp"
            case .regression: "regression"
            case .berkeley: "berkeley"
            case .averaging: "averaging"
            }
        }

        /// Whether nodes ask time servers; else each takes part in a group, or in nothing.
        public var asksServers: Bool {
            switch self {
            case .cristian, .ntp, .regression: true
            case .none, .berkeley, .averaging: false
            }
        }

        /// Whether the sender and the receivers set their clocks by each other's.
        public var isOfGroup: Bool {
            switch self {
            case .berkeley, .averaging: true
            case .none, .cristian, .ntp, .regression: false
            }
        }
    }
}

// MARK: - Declaration

extension ExperimentScenario.Synchronization {
    static let kind = Kind<Self>.word("none", .none).or(
        Choice<Self>([
            Alternative(
                "cristian", Cristian.record.kind(),
                "The first server's time plus half of the round trip, by the fastest of some probes (Cristian 1989).",
                embed: Self.cristian
            ) { if case .cristian(let law) = $0 { law } else { nil } }.standingAlone(),
            Alternative(
                "ntp", NTP.record.kind(), "The Network Time Protocol (RFC 5905).", embed: Self.ntp
            ) { if case .ntp(let law) = $0 { law } else { nil } }.standingAlone(),
            Alternative(
                "regression", Regression.record.kind(),
                "Offset and frequency by regression over many exchanges, weighted by their delays.",
                embed: Self.regression
            ) { if case .regression(let law) = $0 { law } else { nil } }.standingAlone(),
            Alternative(
                "berkeley", Berkeley.record.kind(),
                "A coordinator among sender and receivers asks all and sets them to a fault-tolerant average.",
                embed: Self.berkeley
            ) { if case .berkeley(let law) = $0 { law } else { nil } }.standingAlone(),
            Alternative(
                "averaging", Averaging.record.kind(),
                "Sender and receivers tell each other their time, and each takes a mean of what it hears.",
                embed: Self.averaging
            ) { if case .averaging(let law) = $0 { law } else { nil } }.standingAlone(),
        ]).kind())

    fileprivate static let polls = TimeSpan.milliseconds(10)...TimeSpan.seconds(131_072)
}

extension ExperimentScenario.Synchronization.Correction {
    /// What all begin with that do not say something else.
    fileprivate static let usual = Self(stepLimit: nil, slewRate: 500_000)

    private static let fields: [Field<Self>] = [
        .key(
            "step_limit", \.stepLimit, .optional(.time(.microseconds(1)...ExperimentScenario.durations.upperBound)),
            "A later error of more than this is stepped away, also backwards (by ntp once it has lasted 300 s); the first always is."
        ).like("128ms"),
        .key(
            "slew", \.slewRate, .frequency(1_000...100_000_000),
            "How fast all other errors are made up for."
        ).like("100 ppm"),
    ]

    fileprivate static func fields<Whole>(
        _ path: any WritableKeyPath<Whole, Self> & Sendable
    ) -> [Field<Whole>] { fields.map { $0.at(path) } }
}

extension ExperimentScenario.Synchronization.Cristian {
    static let record = Record<Self>(
        Self(
            poll: .seconds(10), probes: 8, minimumDelay: .zero, drift: 100_000, accuracy: nil,
            correction: ExperimentScenario.Synchronization.Correction.usual),
        [
            .key(
                "poll", \.poll, .time(ExperimentScenario.Synchronization.polls),
                "How often the clock is set."),
            .key("probes", \.probes, .integer(1...1_024), "Of so many probes the one with the least round trip counts.")
                .like("1"),
            .key(
                "minimum_delay", \.minimumDelay, .time(ExperimentScenario.delays),
                "The least that a probe's one way can take: the more of it is known, the tighter the bound."
            ).like("20ms"),
            .key(
                "drift", \.drift, .frequency(0...100_000_000),
                "The largest frequency error that a clock is taken to have, for the bound."),
            .key(
                "accuracy", \.accuracy, .optional(.time(.microseconds(1)...ExperimentScenario.delays.upperBound)),
                "Readings with a larger bound are thrown away and tried again."
            ).like("5ms"),
        ] + ExperimentScenario.Synchronization.Correction.fields(\.correction))
}

extension ExperimentScenario.Synchronization.NTP {
    static let record = Record<Self>(
        Self(
            poll: .seconds(64), longestPoll: .seconds(1_024), beginsWithBurst: true, panicLimit: .seconds(1_000),
            correction: ExperimentScenario.Synchronization.Correction(stepLimit: .milliseconds(128), slewRate: 500_000)),
        [
            .key(
                "poll", \.poll, powerOfTwo,
                "How often a server is asked at first, a power of two seconds; where it is given, without max_poll always."
            ).like("4s"),
            .key(
                "max_poll", \.longestPoll, powerOfTwo,
                "How seldom it is asked once the clock is known well, a power of two seconds and at least poll."
            ).like(
                "256s"),
            .key(
                "iburst", \.beginsWithBurst, .truth,
                "Whether a server that has not answered yet is asked eight times, two seconds apart."),
            .key(
                "panic_limit", \.panicLimit, .optional(.time(.seconds(1)...ExperimentScenario.durations.upperBound)),
                "A client whose clock is farther off than this gives up, at its first answer too."
            ).like("1000s"),
        ] + ExperimentScenario.Synchronization.Correction.fields(\.correction),
        rules: [
            Rule("poll", "max_poll") { ntp, reader in
                if !reader.has("max_poll") {
                    ntp.longestPoll = reader.has("poll") ? ntp.poll : ntp.longestPoll
                } else if ntp.longestPoll < ntp.poll {
                    reader["max_poll"].reportInvalid(expected: "at least the poll of \(Quantity.text(ntp.poll))")
                }
            }
        ])

    /// NTP counts polls in powers of two (RFC 5905 §7.3); a client may ask more often than the standard's 16 s.
    private static let powerOfTwo = Kind<TimeSpan>.time(.milliseconds(250)...TimeSpan.seconds(131_072))
        .checked { poll, reader in
            if Self.exponent(of: poll) == nil {
                reader.reportInvalid(
                    expected: "a power of two seconds: 250ms, 500ms, 1s, 2s, 4s, 8s ... 131072s",
                    hint: "NTP counts so (RFC 5905 section 7.3)")
            }
        }

    /// The binary logarithm of a poll in seconds; nil for no power of two.
    static func exponent(of poll: TimeSpan) -> Int8? {
        (-2...17).first { exponent in
            let quarters = Int64(1) << Int64(exponent + 2)
            return poll == .milliseconds(250 * quarters)
        }.map { Int8($0) }
    }
}

extension ExperimentScenario.Synchronization.Regression {
    static let record = Record<Self>(
        Self(
            poll: .seconds(1),
            correction: ExperimentScenario.Synchronization.Correction.usual),
        [
            .key("poll", \.poll, .time(ExperimentScenario.Synchronization.polls), "How often the server is asked.")
        ] + ExperimentScenario.Synchronization.Correction.fields(\.correction))
}

extension ExperimentScenario.Synchronization.Berkeley {
    static let record = Record<Self>(
        Self(
            poll: .seconds(10), election: .bully, range: .milliseconds(100),
            correction: ExperimentScenario.Synchronization.Correction.usual),
        [
            .key(
                "poll", \.poll, .time(ExperimentScenario.Synchronization.polls), "How often the coordinator asks all."),
            .key("election", \.election, .words(), "How a new coordinator is found when the old one is silent.").like(
                "ring"),
            .key(
                "range", \.range, .time(.microseconds(1)...ExperimentScenario.delays.upperBound),
                "The average is that of the largest set of clocks which lie so near to each other."
            ).like("20ms"),
        ] + ExperimentScenario.Synchronization.Correction.fields(\.correction))
}

extension ExperimentScenario.Synchronization.Averaging {
    static let record = Record<Self>(
        Self(
            interval: .seconds(10), window: .seconds(1), mean: .others, trim: 1,
            correction: ExperimentScenario.Synchronization.Correction.usual),
        [
            .key(
                "interval", \.interval, .time(ExperimentScenario.Synchronization.polls),
                "How often every node tells its time."
            ).like("10s"),
            .key(
                "window", \.window, .time(ExperimentScenario.Synchronization.polls),
                "How long after that it takes what it hears; less than the interval."
            ).like("500ms"),
            .key("mean", \.mean, .words(), "Of the others' clocks, of all, or of all without the extremes.").like(
                "trimmed"),
            .key(
                "trim", \.trim, .integer(1...100),
                "How many of the fastest and of the slowest a trimmed mean leaves out."),
        ] + ExperimentScenario.Synchronization.Correction.fields(\.correction),
        rules: [
            Rule("interval", "window") { averaging, reader in
                if averaging.window >= averaging.interval {
                    reader["window"].reportInvalid(
                        expected: "less than the interval of \(Quantity.text(averaging.interval))")
                }
            }
        ])
}
