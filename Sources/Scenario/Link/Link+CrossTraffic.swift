import NetworkEmulation
import Timebase

extension ExperimentScenario.Link {
    /// Other people's traffic.
    public struct CrossTraffic: Equatable, Sendable {
        /// When packets come and how long they are.
        public var pattern: Pattern
        var serviceClass: ServiceClass
        var reservation: ExperimentScenario.TokenBucket?

        /// A law of arrivals.
        public enum Pattern: Equatable, Sendable {
            /// Rates of IP packets, lengths of IP packets in bytes.
            case poisson(rate: BitRate, packet: Int)
            /// Packets at equal distances.
            case constant(rate: BitRate, packet: Int)
            /// Bursts at equal distances, with silences between.
            case onOff(OnOff)
            /// `time_s,bytes`, one line an arrival.
            case trace(path: String, repeats: Bool)
        }

        /// A source that is on, then off, then on again.
        public struct OnOff: Equatable, Sendable {
            /// While it is on.
            public var rate: BitRate
            /// IP bytes.
            public var packet: Int
            /// Mean lengths.
            public var on: TimeSpan
            /// The mean length of a silence.
            public var off: TimeSpan
            /// Of a Pareto law; nil: exponential.
            public var shape: Double?
        }
    }
}

// MARK: - Declaration

extension ExperimentScenario.Link.CrossTraffic {
    static let record = Record<Self>(
        Self(
            pattern: .constant(rate: ExperimentScenario.rates.lowerBound, packet: 1_200), serviceClass: .bestEffort,
            reservation: nil),
        [
            .oneOf(\.pattern, Pattern.choice),
            .key("class", \.serviceClass, .serviceClass, "The class of service of its packets."),
            .key(
                "reservation", \.reservation, .optional(ExperimentScenario.TokenBucket.record.kind()),
                "What it asks its link to hold for it, before the run; refused, it sends nothing."
            ).like("{ rate: 2 Mbit/s, burst: 3 kB }"),
        ])
}

extension ExperimentScenario.Link.CrossTraffic.Pattern {
    static let choice = Choice<Self>(
        [
            Alternative(
                "poisson", flow.kind(), "Packets of one length at random times.",
                embed: { .poisson(rate: $0, packet: $1) },
                extract: { if case .poisson(let rate, let packet) = $0 { (rate, packet) } else { nil } }),
            Alternative(
                "constant", flow.kind(), "Packets of one length at even distances.",
                embed: { .constant(rate: $0, packet: $1) },
                extract: { if case .constant(let rate, let packet) = $0 { (rate, packet) } else { nil } }),
            Alternative(
                "on_off", ExperimentScenario.Link.CrossTraffic.OnOff.record.kind(),
                "Packets at even distances, in times that begin and end at random.", embed: Self.onOff
            ) { if case .onOff(let flow) = $0 { flow } else { nil } },
            Alternative(
                "trace", trace.kind(), "Arrivals from a table time_s,bytes.",
                embed: { .trace(path: $0, repeats: $1) },
                extract: { if case .trace(let path, let repeats) = $0 { (path, repeats) } else { nil } }),
        ], group: "pattern",
        missing: Missing(
            statement: "no traffic is described", expected: "one of poisson, constant, on_off, trace"))

    private static let flow = Record<(BitRate, Int)>(
        (ExperimentScenario.rates.lowerBound, 1_200), flowKeys(\.0, \.1, rate: "The rate, IP headers included."))

    private static let trace = Record<(String, Bool)>(
        ("", false),
        [
            .key("file", \.0, .file, "The table of arrivals.").required("a file's name", like: "arrivals.csv"),
            .key("repeat", \.1, .truth, "Whether it begins again at its end.").like("true"),
        ])

    fileprivate static func flowKeys<Flow>(
        _ rate: any WritableKeyPath<Flow, BitRate> & Sendable, _ packet: any WritableKeyPath<Flow, Int> & Sendable,
        rate meaning: String
    ) -> [Field<Flow>] {
        [
            .key("rate", rate, .bitRate(ExperimentScenario.rates), meaning).required(like: "2 Mbit/s"),
            .key("packet", packet, .byteCount(28...1_500), "The length of an IP packet.").like("1200 B"),
        ]
    }
}

extension ExperimentScenario.Link.CrossTraffic.OnOff {
    private static let spans = TimeSpan.milliseconds(1)...ExperimentScenario.delays.upperBound

    static let record = Record<Self>(
        Self(
            rate: ExperimentScenario.rates.lowerBound, packet: 1_200, on: .seconds(1), off: .seconds(1), shape: nil),
        ExperimentScenario.Link.CrossTraffic.Pattern.flowKeys(
            \.rate, \.packet, rate: "The rate while it is on, IP headers included.") + [
                .key("on", \.on, .time(spans), "The mean time that it is on.")
                    .required("a mean time with its unit, such as 200ms", like: "200ms"),
                .key("off", \.off, .time(spans), "The mean time that it is off.")
                    .required("a mean time with its unit, such as 200ms", like: "1s"),
                .oneOf(
                    \.shape,
                    Choice<Double?>(
                        by: Shape.Field(
                            name: "law", shape: Shape(), meaning: "The law of the times that it is on and off."),
                        [
                            Alternative(
                                word: "exponential", Record<Bool>(true, []), embed: { _ in nil },
                                extract: { $0 == nil ? true : nil }),
                            Alternative(
                                word: "pareto",
                                Record<Double>(
                                    1.5,
                                    [
                                        .key(
                                            "shape", \.self, .number(1.05...100),
                                            "The law's shape; below 2 without a variance."
                                        )
                                        .required("the law's shape, such as 1.5", like: "1.5")
                                    ]), embed: { $0 }, extract: { $0 }),
                        ], usual: "exponential")),
            ])
}

// MARK: - Building

extension ExperimentScenario.Link.CrossTraffic.Pattern {
    /// - Parameter path: where it stands in the scenario.
    func mechanism(_ tables: LinkTables, path: String) throws(ScenarioProblems) -> ArrivalPattern {
        switch self {
        case .poisson(let rate, let packet): return .poisson(rate: rate, length: UInt16(packet))
        case .constant(let rate, let packet): return .constant(rate: rate, length: UInt16(packet))
        case .onOff(let flow):
            func law(_ mean: TimeSpan) -> QuantileTable {
                flow.shape.map { .pareto(mean: mean, shape: $0) } ?? .exponential(mean: mean)
            }
            return .onOff(rate: flow.rate, length: UInt16(flow.packet), on: law(flow.on), off: law(flow.off))
        case .trace(let file, let repeats):
            let path = path + ".trace"
            let trace = try tables.read(file, path: path) { bytes throws(TraceProblem) in
                try ArrivalTrace(csv: bytes)
            }
            guard trace.arrivals.allSatisfy({ 28...1_500 ~= $0.length }) else {
                throw tables.problem(path, "'\(file)' has packets of less than 28 or more than 1500 bytes")
            }
            guard !repeats || trace.span > .zero else {
                throw tables.problem(path, "'\(file)' has no length to repeat")
            }
            return .recorded(trace.arrivals.map { ($0.time, $0.length) }, period: repeats ? trace.span : nil)
        }
    }
}
