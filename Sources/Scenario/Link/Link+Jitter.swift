import NetworkEmulation
import Timebase

extension ExperimentScenario.Link {
    /// What is added to the delay, or lies around it.
    public struct Jitter: Equatable, Sendable {
        /// The law of one delay.
        public var law: Law
        /// At lag one, 0..<1.
        public var correlation: Ratio
        /// Whether packets may overtake.
        public var reorder: Bool

        /// A law of delays, of one packet by itself.
        public enum Law: Hashable, Sendable {
            // Around the delay, the total cut at zero.
            /// Standard deviation.
            case normal(deviation: TimeSpan)
            /// As likely anywhere within so much of the delay.
            case uniform(halfRange: TimeSpan)
            /// A quarter normal, three quarters Pareto, as netem's table has it, with its scale.
            case paretoNormal(deviation: TimeSpan)
            /// An iproute2 distribution.
            case table(path: String, deviation: TimeSpan)
            // Added to it.
            /// A memoryless addition with this mean.
            case exponential(mean: TimeSpan)
            /// A gamma law with this mean.
            case gamma(mean: TimeSpan, shape: Double)
            /// A Pareto law with this mean and shape.
            case pareto(mean: TimeSpan, shape: Double)
            /// Values of a cumulative law, or a sample.
            case empirical(path: String)
            /// A value a packet.
            case trace(path: String)
        }
    }
}

// MARK: - Declaration

extension ExperimentScenario.Link.Jitter {
    static let choice = Choice<Self>([
        law("normal", span("deviation", "The standard deviation of the delay."), "A normal law around the delay.") {
            .normal(deviation: $0)
        } extract: {
            if case .normal(let deviation) = $0 { deviation } else { nil }
        },
        law("uniform", span("half_range", "How far it goes to either side."), "A uniform law around the delay.") {
            .uniform(halfRange: $0)
        } extract: {
            if case .uniform(let range) = $0 { range } else { nil }
        },
        law(
            "paretonormal", span("deviation", "The standard deviation of the delay."),
            "netem's mixture, a quarter normal and three quarters Pareto, around the delay."
        ) {
            .paretoNormal(deviation: $0)
        } extract: {
            if case .paretoNormal(let deviation) = $0 { deviation } else { nil }
        },
        law("exponential", span("mean", "The mean of what is added."), "An exponential law, added to the delay.") {
            .exponential(mean: $0)
        } extract: {
            if case .exponential(let mean) = $0 { mean } else { nil }
        },
        law("gamma", shaped(0.05...10_000), "A gamma law, added to the delay.") {
            .gamma(mean: $0, shape: $1)
        } extract: {
            if case .gamma(let mean, let shape) = $0 { (mean, shape) } else { nil }
        },
        law("pareto", shaped(1.05...1_000), "A Pareto law, added to the delay.") {
            .pareto(mean: $0, shape: $1)
        } extract: {
            if case .pareto(let mean, let shape) = $0 { (mean, shape) } else { nil }
        },
        law(
            "table",
            file("An iproute2 distribution.", like: "normal.dist").and(
                span("deviation", "The standard deviation of the delay.")),
            "The law of a file, around the delay."
        ) {
            .table(path: $0, deviation: $1)
        } extract: {
            if case .table(let path, let deviation) = $0 { (path, deviation) } else { nil }
        },
        law(
            "empirical", file("Values of a cumulative law, or a sample.", like: "delays.csv"),
            "The law of measured delays, added to the delay."
        ) {
            .empirical(path: $0)
        } extract: {
            if case .empirical(let path) = $0 { path } else { nil }
        },
        Alternative(
            "trace", file("A value a packet.", like: "delays.csv").and(replaying).kind(),
            "One value after the other, added to the delay.", embed: { Self(.trace(path: $0), $1) }
        ) { if case .trace(let path) = $0.law { (path, $0.drawing) } else { nil } },
    ])

    /// How values are drawn from a law.
    private typealias Drawing = (correlation: Ratio, reorder: Bool)

    private static let drawing = Record<Drawing>(
        (.zero, false),
        [
            .key("correlation", \.correlation, .correlation, "The correlation of neighbouring packets' values.")
                .like("30%"), overtaking,
        ])

    private static let overtaking = Field<Drawing>.key(
        "reorder", \.reorder, .truth, "Whether packets may overtake one another."
    ).like("true")

    private static let replaying = Record<Drawing>(
        (.zero, false),
        [
            .key(
                "correlation", \.correlation,
                .correlation.checked { correlation, reader in
                    guard correlation != .zero else { return }
                    reader.report("a trace has the correlation that it has", hint: "leave it out")
                }, "The values have the correlation that they have."
            ).like("0%"), overtaking,
        ])

    private init(_ law: Law, _ drawing: Drawing) {
        self.init(law: law, correlation: drawing.correlation, reorder: drawing.reorder)
    }

    private var drawing: Drawing { (correlation, reorder) }

    private static func law<Parameters>(
        _ name: String, _ parameters: Record<Parameters>, _ meaning: String,
        embed: @escaping @Sendable (Parameters) -> Law, extract: @escaping @Sendable (Law) -> Parameters?
    ) -> Alternative<Self> {
        Alternative(name, parameters.and(drawing).kind(), meaning, embed: { Self(embed($0), $1) }) { jitter in
            extract(jitter.law).map { ($0, jitter.drawing) }
        }
    }

    private static func span(_ name: String, _ meaning: String) -> Record<TimeSpan> {
        Record(.zero, [.key(name, \.self, .time(ExperimentScenario.delays), meaning).required(like: "5ms")])
    }

    private static func shaped(_ range: ClosedRange<Double>) -> Record<(TimeSpan, Double)> {
        span("mean", "The mean of what is added.").and(
            Record(1, [.key("shape", \.self, .number(range), "The law's shape.").required(like: "2.5")]))
    }

    private static func file(_ meaning: String, like example: String) -> Record<String> {
        Record("", [.key("file", \.self, .file, meaning).required("a file's name", like: example)])
    }
}

// MARK: - Building

extension ExperimentScenario.Link.Jitter.Law {
    /// - Parameter path: where it stands in the scenario.
    func mechanism(_ tables: LinkTables, path: String) throws(ScenarioProblems) -> DelayModel.Jitter {
        switch self {
        case .normal(let deviation): .quantiles(.normal(deviation: deviation))
        case .uniform(let halfRange): .quantiles(.uniform(halfRange: halfRange))
        case .paretoNormal(let scale): .quantiles(.paretoNormal(scale: scale))
        case .exponential(let mean): .quantiles(.exponential(mean: mean))
        case .gamma(let mean, let shape): .quantiles(.gamma(mean: mean, shape: shape))
        case .pareto(let mean, let shape): .quantiles(.pareto(mean: mean, shape: shape))
        case .table(let file, let deviation):
            .values(
                try tables.read(file, path: path) { bytes throws(TraceProblem) in
                    try ValueTable(dist: bytes, deviation: deviation)
                })
        case .empirical(let file):
            .empirical(
                try tables.read(file, path: path) { bytes throws(TraceProblem) in
                    try EmpiricalTable(empirical: bytes)
                })
        case .trace(let file):
            .trace(
                try tables.read(file, path: path) { bytes throws(TraceProblem) in try ValueTable(delays: bytes) })
        }
    }
}
