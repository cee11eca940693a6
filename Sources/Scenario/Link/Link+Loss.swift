import NetworkEmulation
import Timebase

extension ExperimentScenario.Link {
    /// Which packets are lost.
    public enum Loss: Equatable, Sendable {
        /// Independent, or with normal scores that are correlated at lag one, 0..<1.
        case bernoulli(Ratio, correlation: Ratio = .zero)
        /// By a chain of two states.
        case gilbertElliott(GilbertElliott)
        /// By a chain of four states.
        case markov4(Markov4)
        /// Packets by their numbers in their flow, the first being 0; again after `period` packets, if there is one.
        case pattern(drop: [Int], period: Int?)
        /// One line a packet.
        case trace(path: String)
        /// Of each bit, 0...1.
        case bitErrors(Double)

        /// Gilbert's chain of two states, with Elliott's losses in both.
        public struct GilbertElliott: Equatable, Sendable {
            /// The chain, by what is seen of it or by its transitions.
            public var law: Law
            /// The chain's step in time; nil: it steps with packets.
            public var step: TimeSpan?

            /// Two ways to say what the chain does.
            public enum Law: Equatable, Sendable {
                /// Mean length of a run of losses in packets, at least 1 / (1 - loss).
                case bursts(loss: Ratio, meanBurst: Double, longestBurst: Int?)
                /// p: good to bad, r: bad to good.
                case transitions(p: Ratio, r: Ratio, lossBad: Ratio, lossGood: Ratio)
            }
        }

        /// Netem's chain: gap without loss (1), burst without (2), burst with loss (3), a loss alone in a gap (4).
        public enum Markov4: Equatable, Sendable {
            /// Probabilities from state to state, as netem names them.
            case transitions(p13: Ratio, p31: Ratio, p32: Ratio, p23: Ratio, p14: Ratio)
            /// By what is seen: the share lost, lost packets a burst, their density there, the share lost alone,
            /// packets a gap.
            case bursts(loss: Ratio, meanBurst: Double, density: Ratio, isolated: Ratio, meanGoodRun: Double)
        }
    }
}

// MARK: - Declaration

extension ExperimentScenario.Link.Loss {
    static let choice = Choice<Self>([
        Alternative(
            "bernoulli", bernoulli,
            "Each packet is lost with this probability, by itself or correlated with its neighbours.",
            embed: { .bernoulli($0.loss, correlation: $0.correlation) }
        ) { if case .bernoulli(let loss, let correlation) = $0 { (loss, correlation) } else { nil } },
        Alternative(
            "gilbert_elliott", GilbertElliott.record.kind(), "Losses in bursts: a chain of a good and a bad state.",
            embed: Self.gilbertElliott
        ) { if case .gilbertElliott(let chain) = $0 { chain } else { nil } },
        Alternative(
            "markov4", Markov4.choice.kind(),
            "netem's chain of four states: bursts with gaps, and losses by themselves.",
            embed: Self.markov4
        ) { if case .markov4(let chain) = $0 { chain } else { nil } },
        Alternative(
            "pattern", pattern.kind(), "The program's packets by their numbers, the first being 0.",
            embed: { .pattern(drop: $0.drop, period: $0.period) }
        ) { if case .pattern(let drop, let period) = $0 { (drop, period) } else { nil } },
        Alternative("trace", .file, "A file with a line a packet that says whether it is lost.", embed: Self.trace) {
            if case .trace(let path) = $0 { path } else { nil }
        }.like("losses.txt"),
        Alternative(
            "bit_error_rate", bitErrorRate, "The probability that a bit is wrong; a packet with a wrong bit is lost.",
            embed: Self.bitErrors
        ) { if case .bitErrors(let rate) = $0 { rate } else { nil } },
    ])

    private typealias Bernoulli = (loss: Ratio, correlation: Ratio)

    private static let bernoulli = Kind<Ratio>.ratio.mapped(
        embed: { Bernoulli($0, .zero) }, extract: { $0.correlation == .zero ? $0.loss : nil }
    ).or(correlated.kind())

    private static let correlated = Record<Bernoulli>(
        (.zero, .zero),
        [
            .key("loss", \.loss, .ratio, "The share of packets lost, whatever the correlation.")
                .required("a percentage, such as 2%", like: "2%"),
            .key(
                "correlation", \.correlation, .correlation,
                "The correlation of neighbouring packets' normal scores; one below the loss's quantile is a loss."
            ).like("50%"),
        ])

    private static let pattern = Record<(drop: [Int], period: Int?)>(
        ([], nil),
        [
            .key("drop", \.drop, Kind<Int>.integer(0...(1 << 24) - 1).list(), "Which packets are lost.")
                .required("numbers of packets, such as [5, 6, 17]", like: "[5, 6, 17]"),
            .optional("repeat", \.period, .integer(1...1 << 24), "After how many packets the pattern begins again.")
                .like("100"),
        ],
        rules: [
            Rule("drop", "repeat") { pattern, reader in
                guard let period = pattern.period else { return }
                for (number, element) in zip(pattern.drop, reader["drop"].elements ?? []) where number >= period {
                    element.reportInvalid(expected: "a whole number from 0 to \(period - 1)")
                }
            }
        ])

    private static let bitErrorRate = Kind<Double>.scalar(
        Shape.Scalar(noun: "a number", example: "1e-6", range: { "from 0 to 1" }),
        { text throws(QuantityProblem) in
            let isNumber = text.utf8.allSatisfy { "0123456789+-.eE".utf8.contains($0) }
            guard isNumber, let rate = Double(text), (0...1).contains(rate) else {
                throw QuantityProblem(expected: "a number from 0 to 1, such as 1e-6", hint: nil)
            }
            return rate
        }, { "\($0)" })
}

extension ExperimentScenario.Link.Loss.GilbertElliott {
    private typealias Bursts = (loss: Ratio, meanBurst: Double, longestBurst: Int?)
    private typealias Transitions = (p: Ratio, r: Ratio, lossBad: Ratio, lossGood: Ratio)

    static let record = Record<Self>(
        Self(law: .bursts(loss: .zero, meanBurst: 1, longestBurst: nil), step: nil),
        [
            .oneOf(
                \.law,
                Choice<Law>(
                    [
                        Alternative(bursts, embed: Law.bursts) {
                            if case .bursts(let loss, let burst, let longest) = $0 {
                                (loss, burst, longest)
                            } else {
                                nil
                            }
                        },
                        Alternative(transitions, embed: Law.transitions) {
                            if case .transitions(let p, let r, let bad, let good) = $0 {
                                (p, r, bad, good)
                            } else {
                                nil
                            }
                        },
                    ], group: "law", usual: "loss")),
            .oneOf(
                \.step,
                Choice<TimeSpan?>(
                    by: Shape.Field(
                        name: "time_driven", shape: Shape(),
                        meaning:
                            "Whether the chain steps with time, so that outages stay where they are when packets are added."
                    ),
                    [
                        Alternative(
                            word: "false", Record<Bool>(true, []), embed: { _ in nil },
                            extract: { $0 == nil ? true : nil }),
                        Alternative(word: "true", step, embed: { $0 }, extract: { $0 }),
                    ], usual: "false", isUsualSilent: true)),
        ])

    private static let step = Record<TimeSpan>(
        .milliseconds(1),
        [
            .key(
                "step", \.self, .time(.microseconds(1)...ExperimentScenario.delays.upperBound),
                "The time from one step of the chain to the next.")
        ])

    private static let bursts = Record<Bursts>(
        (.zero, 1, nil),
        [
            .key(
                "loss", \.loss, .ratio.checked(range: { Kind.belowOne }) { checkLoss($0, $1) },
                "The share of packets lost."
            )
            .required("a percentage, such as 1%, or p and r", like: "1%"),
            .key(
                "mean_burst", \.meanBurst, .number(1...1_000_000),
                "The mean length of a run of losses in packets, at least 1 / (1 - loss)."
            ).required("the mean length of a run of losses in packets, such as 3", like: "3"),
            .optional("longest_burst", \.longestBurst, .integer(1...1_000_000), "The longest run of losses in packets.")
                .like("7"),
        ], rules: [Rule("loss", "mean_burst") { checkBurst($0, $1) }])

    private static func checkLoss(_ loss: Ratio, _ reader: ScenarioReader) {
        guard loss.value >= 1 else { return }
        reader.report(
            "with all packets lost there are no bursts", expected: "less than 100%", hint: "use bernoulli: 100%")
    }

    /// Where losses are independent (p + r = 1) a run of them has a mean length of 1 / (1 - loss); shorter runs would
    /// need losses that repel each other.
    private static func checkBurst(_ bursts: Bursts, _ reader: ScenarioReader) {
        let least = 1 / (1 - bursts.loss.value)
        guard bursts.meanBurst < least else { return }
        reader["mean_burst"].reportInvalid(
            expected: "at least 1 / (1 - loss) = \(Quantity.text((least * 1000).rounded(.up) / 1000))",
            hint: "even independent losses of \(Quantity.text(bursts.loss)) come in runs of that mean length")
    }

    private static let transitions = Record<Transitions>(
        (.zero, .zero, Ratio(1), .zero),
        [
            .key("p", \.p, .ratio, "The probability of going from good to bad, a packet.")
                .required("a probability, such as 1%", like: "1%"),
            .key("r", \.r, .ratio, "The probability of going from bad to good, a packet.")
                .required("a probability, such as 1%", like: "25%"),
            .key("loss_bad", \.lossBad, .ratio, "The share of packets lost in the bad state.").like("90%"),
            .key("loss_good", \.lossGood, .ratio, "The share of packets lost in the good state.").like("0.1%"),
        ],
        rules: [
            Rule("p", "r") { chain, reader in
                guard chain.p.value + chain.r.value == 0 else { return }
                reader["r"].reportInvalid(
                    expected: "more than 0%", hint: "with p also 0% it would never leave a state")
            }
        ])
}

extension ExperimentScenario.Link.Loss.Markov4 {
    private typealias Transitions = (p13: Ratio, p31: Ratio, p32: Ratio, p23: Ratio, p14: Ratio)
    private typealias Bursts = (loss: Ratio, meanBurst: Double, density: Ratio, isolated: Ratio, meanGoodRun: Double)

    static let choice = Choice<Self>(
        [
            Alternative(transitions, embed: Self.transitions) {
                if case .transitions(let p13, let p31, let p32, let p23, let p14) = $0 {
                    (p13, p31, p32, p23, p14)
                } else {
                    nil
                }
            },
            Alternative(bursts, embed: Self.bursts) {
                if case .bursts(let loss, let burst, let density, let isolated, let good) = $0 {
                    (loss, burst, density, isolated, good)
                } else {
                    nil
                }
            },
        ], group: "law", usual: "loss")

    /// netem's: 13, 31, 32, 23, 14, all but the first with a default.
    private static let transitions = Record<Transitions>(
        (.zero, Ratio(1), .zero, Ratio(1), .zero),
        [
            .key("p13", \.p13, .ratio, "The probability of going from receiving in a gap to losing in a burst.")
                .required("a probability, such as 1%", like: "1%"),
            .key("p31", \.p31, ending, "The probability of going from losing in a burst back to a gap.").usually(
                "100% less p32"
            ).like("20%"),
            .key("p32", \.p32, .ratio, "The probability of going from losing to receiving within a burst.").like("10%"),
            .key("p23", \.p23, ending, "The probability of going from receiving within a burst back to losing.").like(
                "30%"),
            .key("p14", \.p14, .ratio, "The probability of going from receiving in a gap to a loss by itself.").like(
                "0.5%"),
        ],
        rules: [
            Rule("p31", "p32") { chain, reader in
                guard !reader.has("p31") else { return }
                chain.p31 = Ratio(1 - chain.p32.value)
                checkEnd(chain.p31, reader["p31"])
            },
            Rule("p13", "p31", "p32", "p23", "p14") { checkTransitions($0, $1) },
        ])

    /// The probability of a way out of a burst.
    private static func checkEnd(_ way: Ratio, _ reader: ScenarioReader) {
        guard way.value == 0 else { return }
        reader.reportInvalid(expected: "more than 0%", hint: "a burst would never end")
    }

    private static let ending = Kind<Ratio>.ratio.checked(range: { "above 0%, up to 100%" }) { checkEnd($0, $1) }

    private static func checkTransitions(_ chain: Transitions, _ reader: ScenarioReader) {
        for (name, first, second) in [("p14", chain.p13, chain.p14), ("p32", chain.p31, chain.p32)]
        where first.value + second.value > 1 {
            reader[name].report(
                "the two ways out of a state are taken in more than 100% of the cases",
                expected: "a sum of at most 100%")
        }
    }

    private static let bursts = Record<Bursts>(
        (.zero, 1, Ratio(1), .zero, 1),
        [
            .key("loss", \.loss, .ratio, "The share of packets lost.")
                .required("a percentage, such as 1%, or p13, p31, p32, p23 and p14", like: "5%"),
            .key("mean_burst", \.meanBurst, .number(1...1_000_000), "The mean length of a burst in packets.")
                .required("the mean length of a burst in packets, such as 10", like: "10"),
            .key("burst_density", \.density, .ratio, "The share of packets lost within a burst, more than loss.").like(
                "80%"),
            .key("isolated_loss", \.isolated, .ratio, "The share of packets lost by themselves, at most loss.").like(
                "1%"),
            .key(
                "mean_good_run", \.meanGoodRun, .number(1...1_000_000),
                "The mean number of packets received in a row within a burst."
            ).like("2"),
        ], rules: [Rule("loss", "burst_density", "isolated_loss") { checkBursts($0, $1) }])

    private static func checkBursts(_ chain: Bursts, _ reader: ScenarioReader) {
        if chain.isolated.value > chain.loss.value {
            reader["isolated_loss"].reportInvalid(expected: "at most the loss of \(Quantity.text(chain.loss))")
        } else if chain.density.value <= chain.loss.value {
            reader["burst_density"].reportInvalid(
                expected: "more than the loss of \(Quantity.text(chain.loss))",
                hint: "bursts are denser than the whole")
        }
    }
}

// MARK: - Building

extension ExperimentScenario.Link.Loss {
    /// - Parameter path: where it stands in the scenario.
    func mechanism(_ tables: LinkTables, _ key: DrawKey, path: String) throws(ScenarioProblems) -> LossModel {
        switch self {
        case .bernoulli(let loss, .zero): return .bernoulli(PacketChance(loss.probability, key: key))
        case .bernoulli(let loss, let correlation):
            return .correlated(CorrelatedLoss(loss.probability, correlation: correlation.value, key: key))
        case .gilbertElliott(let chain): return .gilbertElliott(chain.mechanism(key))
        case .markov4(let chain):
            guard let model = chain.mechanism(key) else {
                throw tables.problem(path + ".markov4", "no chain has these numbers", expected: "numbers that agree")
            }
            return .markov(model)
        case .pattern(let drop, let period):
            guard let model = ListedLoss(drop, repeatingEvery: period, mediaOnly: true) else { return .none }
            return .listed(model)
        case .trace(let file): return .listed(try tables.lossTrace(file, path: path))
        case .bitErrors(let rate): return .bitErrors(tables.bitErrors(rate, key))
        }
    }
}

extension ExperimentScenario.Link.Loss.GilbertElliott {
    fileprivate func mechanism(_ key: DrawKey) -> GilbertElliottLoss {
        switch law {
        case .bursts(let loss, let burst, let longest):
            GilbertElliottLoss(loss: loss.value, meanBurst: burst, longestBurst: longest, step: step, key: key)
        case .transitions(let p, let r, let bad, let good):
            GilbertElliottLoss(
                goodToBad: p.value, badToGood: r.value, lossBad: bad.value, lossGood: good.value, step: step, key: key)
        }
    }
}

extension ExperimentScenario.Link.Loss.Markov4 {
    fileprivate func mechanism(_ key: DrawKey) -> MarkovLoss? {
        switch self {
        case .transitions(let p13, let p31, let p32, let p23, let p14):
            MarkovLoss(p13: p13.value, p31: p31.value, p32: p32.value, p23: p23.value, p14: p14.value, key: key)
        case .bursts(let loss, let burst, let density, let isolated, let good):
            MarkovLoss(
                loss: loss.value, meanBurst: burst, burstDensity: density.value, isolatedLoss: isolated.value,
                meanGoodRun: good, key: key)
        }
    }
}
