import NetworkEmulation
import Timebase

extension ExperimentScenario.Link {
    /// Which packets wait, which go first, and which are given up.
    public struct Queue: Equatable, Sendable {
        /// Who goes first and who is dropped.
        public var discipline: Discipline
        /// Of all that waits, or of each class.
        public var limit: Limit

        static let usual = Queue(discipline: .dropTail, limit: .usual)

        /// How much may wait.
        public enum Limit: Equatable, Sendable {
            /// So many packets.
            case packets(Int)
            /// IP bytes.
            case bytes(Int)
            /// The time that what waits takes to be sent.
            case time(TimeSpan)

            static let usual = Limit.time(.milliseconds(200))
        }

        /// A queueing discipline by name, with its parameters.
        public enum Discipline: Equatable, Sendable {
            /// First in, first out; what no longer fits is refused.
            case dropTail
            /// First in, first out; what waits longest makes room.
            case dropHead
            /// Controlled delay (RFC 8289).
            case codel(CoDel)
            /// Proportional integral controller enhanced (RFC 8033).
            case pie(PIE)
            /// Flows in turn, each with CoDel (RFC 8290).
            case fqCodel(FQCoDel)
            /// Classes by falling priority; the rest comes last.
            case priority([ServiceClass])
            /// Classes with the rates they are guaranteed; the rest shares what is left.
            case weightedFair([GuaranteedClass])
        }

        /// CoDel's parameters (RFC 8289).
        public struct CoDel: Equatable, Sendable {
            /// The wait that it keeps to.
            public var target: TimeSpan
            /// How long the wait may be above the target before a packet is dropped.
            public var interval: TimeSpan
            /// Marks packets that can take it instead of dropping them.
            public var ecn: Bool
        }

        /// PIE's parameters (RFC 8033).
        public struct PIE: Equatable, Sendable {
            /// The wait that it keeps to.
            public var target: TimeSpan
            var update: TimeSpan
            /// As ``CoDel/ecn``.
            public var ecn: Bool
            /// Spreads drops out (RFC 8033 §5.4).
            var derandomize: Bool
        }

        /// FQ-CoDel's parameters (RFC 8290 §5.2).
        public struct FQCoDel: Equatable, Sendable {
            /// What each flow's queue is managed with.
            public var codel: CoDel
            var flows: Int
            /// Bytes.
            var quantum: Int
        }

        /// A class with a rate of its own.
        public struct GuaranteedClass: Equatable, Sendable {
            /// Whose packets.
            public var serviceClass: ServiceClass
            /// What they get at least, bit/s of IP packets.
            public var rate: BitRate
        }
    }
}

// MARK: - Declaration

extension ExperimentScenario.Link.Queue {
    private static let limitWords = "packets, bytes or a time: 100 packets, 64 kB or 100 ms"

    private static func limit(_ usual: Limit) -> Record<Limit> {
        Record(usual, [.key("limit", \.self, Limit.kind, "How much may wait, of each class where there are classes.")])
    }

    private static let neededLimit = Record<Limit>(
        .usual,
        [.key("limit", \.self, Limit.kind, "How much may wait.").required(limitWords, like: "100 ms")]
    ).kind()

    // The defaults are those of the standards and of Linux.
    static let kind = Choice<Self>([
        Alternative(
            "drop_tail", neededLimit, "Packets that find the queue full are dropped.",
            embed: { Self(discipline: .dropTail, limit: $0) },
            extract: { $0.discipline == .dropTail ? $0.limit : nil }),
        Alternative(
            "drop_head", neededLimit, "The packet that has waited longest makes room.",
            embed: { Self(discipline: .dropHead, limit: $0) },
            extract: { $0.discipline == .dropHead ? $0.limit : nil }),
        Alternative(
            "codel", CoDel.record.and(limit(.packets(1_000))).kind(), "CoDel (RFC 8289).",
            embed: { Self(discipline: .codel($0), limit: $1) },
            extract: { if case .codel(let law) = $0.discipline { (law, $0.limit) } else { nil } }
        ).standingAlone(),
        Alternative(
            "pie", PIE.record.and(limit(.packets(1_000))).kind(), "PIE (RFC 8033).",
            embed: { Self(discipline: .pie($0), limit: $1) },
            extract: { if case .pie(let law) = $0.discipline { (law, $0.limit) } else { nil } }
        ).standingAlone(),
        Alternative(
            "fq_codel", FQCoDel.record.and(limit(.packets(10_240))).kind(), "CoDel in a queue a flow (RFC 8290).",
            embed: { Self(discipline: .fqCodel($0), limit: $1) },
            extract: { if case .fqCodel(let law) = $0.discipline { (law, $0.limit) } else { nil } }
        ).standingAlone(),
        Alternative(
            "priority", classes.and(limit(.usual)).kind(), "A class is served only when those before it are empty.",
            embed: { Self(discipline: .priority($0), limit: $1) },
            extract: { if case .priority(let classes) = $0.discipline { (classes, $0.limit) } else { nil } }),
        Alternative(
            "wfq", guarantees.and(limit(.usual)).kind(), "Weighted fair queueing: classes with guaranteed rates.",
            embed: { Self(discipline: .weightedFair($0), limit: $1) },
            extract: { if case .weightedFair(let classes) = $0.discipline { (classes, $0.limit) } else { nil } }),
    ]).kind()

    private static let classes = Record<[ServiceClass]>(
        [],
        [
            .key(
                "classes", \.self,
                Kind<ServiceClass>.serviceClass.list(most: (16, "classes")).checked { _, reader in
                    checkDistinct(reader.elements ?? [])
                }, "By falling priority; what is in none of them comes last."
            ).required("classes by falling priority, such as [EF, AF41]", like: "[EF, AF41]")
        ])

    private static func checkDistinct(_ elements: [ScenarioReader]) {
        var seen: Set<ServiceClass> = []
        for element in elements {
            guard let parsed = element.text.flatMap({ ServiceClass($0) }), !seen.insert(parsed).inserted else {
                continue
            }
            element.report("the class \(parsed.name) is given twice")
        }
    }

    private static let guarantees = Record<[GuaranteedClass]>(
        [],
        [
            .key("classes", \.self, GuaranteedClass.kind, "The rate that each class is guaranteed; the rest is shared.")
                .like("{ EF: { rate: 2 Mbit/s } }")
        ])
}

extension ExperimentScenario.Link.Queue.GuaranteedClass {
    private static let rate = Record<BitRate>(
        ExperimentScenario.rates.lowerBound,
        [
            .key("rate", \.self, .bitRate(ExperimentScenario.rates), "What the class gets when all want more.")
                .required("the rate that the class is guaranteed, such as 2 Mbit/s", like: "2 Mbit/s")
        ])

    static let kind = rate.kind().keyed(like: "EF").mapped { entries, reader in
        if entries.count > 16 { reader.report("\(entries.count) classes", expected: "at most 16") }
        return entries.compactMap { name, rate in
            guard let parsed = ServiceClass(name) else {
                reader[name].report(
                    "'\(shortened(name))' is no class",
                    expected: "a DSCP: EF, AF11 ... AF43, CS0 ... CS7, LE, or 0 to 63")
                return nil
            }
            return Self(serviceClass: parsed, rate: rate)
        }
    } extract: { (classes: [Self]) in
        classes.map { ($0.serviceClass.name, $0.rate) }
    }
}

extension ExperimentScenario.Link.Queue.CoDel {
    private static let spans = TimeSpan.microseconds(1)...ExperimentScenario.delays.upperBound

    static let record = Record<Self>(
        Self(target: .milliseconds(5), interval: .milliseconds(100), ecn: false),
        [
            .key("target", \.target, .time(spans), "The waiting time that is tolerated for ever."),
            .key("interval", \.interval, .time(spans), "How long a longer wait is tolerated, about a round trip."),
            .key("ecn", \.ecn, .truth, "Marks packets that can take it instead of dropping them.").like("true"),
        ])

    fileprivate var parameters: CoDelParameters { CoDelParameters(target: target, interval: interval, ecn: ecn) }
}

extension ExperimentScenario.Link.Queue.PIE {
    private static let spans = TimeSpan.microseconds(1)...ExperimentScenario.delays.upperBound

    static let record = Record<Self>(
        Self(target: .milliseconds(15), update: .milliseconds(15), ecn: false, derandomize: true),
        [
            .key("target", \.target, .time(spans), "The waiting time that it steers to."),
            .key("update", \.update, .time(spans), "How often the probability of a drop is updated."),
            .key("ecn", \.ecn, .truth, "Marks packets that can take it instead of dropping them.").like("true"),
            .key(
                "derandomize", \.derandomize, .truth,
                "Whether drops are spread out (RFC 8033 section 5.4), as in Linux and not in ns-3."
            ).like("false"),
        ])

    fileprivate func parameters(_ key: DrawKey) -> PIEParameters {
        PIEParameters(target: target, update: update, ecn: ecn, isDerandomized: derandomize, key: key)
    }
}

extension ExperimentScenario.Link.Queue.FQCoDel {
    static let record = Record<Self>(
        Self(codel: ExperimentScenario.Link.Queue.CoDel.record.initial, flows: 1_024, quantum: 1_514),
        ExperimentScenario.Link.Queue.CoDel.record.fields.map { $0.at(\.codel) } + [
            .key("flows", \.flows, .integer(1...65_535), "How many queues the flows are spread over.").like("64"),
            .key("quantum", \.quantum, .byteCount(64...1_000_000), "What a flow may send in its turn.").like("300 B"),
        ])
}

extension ExperimentScenario.Link.Queue.Limit {
    static let kind = Kind<Self>.scalar(
        Shape.Scalar(noun: "packets, bytes or a time", example: "100 packets", range: { most }),
        { text throws(QuantityProblem) in try parse(text) }, text)

    private static let most = "more than nothing, at most 1000000 packets, 10 GB or 1h"

    private static func parse(_ text: String) throws(QuantityProblem) -> Self {
        let expected = "packets, bytes or a time: 100 packets, 64 kB or 100 ms"
        guard let (_, unit) = ExactDecimal.prefix(of: text), !unit.isEmpty else {
            throw QuantityProblem(expected: expected, hint: "number and unit")
        }
        let parsed: Self
        let isInRange: Bool
        if QuantityKind.packetCount.units.contains(where: { $0.name == unit }) {
            let count = try Quantity.packetCount(text)
            (parsed, isInRange) = (.packets(Int(count)), (1...1_000_000).contains(count))
        } else if QuantityKind.byteCount.units.contains(where: { $0.name == unit }) {
            let count = try Quantity.byteCount(text)
            (parsed, isInRange) = (.bytes(Int(count)), (1...10_000_000_000).contains(count))
        } else if QuantityKind.time.units.contains(where: { $0.name == unit }) {
            let time = try Quantity.time(text)
            (parsed, isInRange) = (.time(time), time > .zero && ExperimentScenario.delays.contains(time))
        } else {
            throw QuantityProblem(expected: expected, hint: "units: packets, B, kB, MB, us, ms, s")
        }
        guard isInRange else { throw QuantityProblem(expected: most, hint: nil) }
        return parsed
    }

    private static func text(_ limit: Self) -> String {
        switch limit {
        case .packets(let count): "\(count) packets"
        case .bytes(let count): Quantity.text(bytes: Int64(count))
        case .time(let span): Quantity.text(span)
        }
    }
}

// MARK: - Building

extension ExperimentScenario.Link.Queue {
    /// - Parameters:
    ///   - rate: the link's, as far as it is known.
    ///   - reservable: the share of it that is not kept for the rest.
    func mechanism(rate: BitRate?, reservable: Ratio, _ key: DrawKey) -> QueueDiscipline {
        switch discipline {
        case .dropTail: return .dropTail
        case .dropHead: return .dropHead
        case .codel(let law): return .codel(law.parameters)
        case .pie(let law): return .pie(law.parameters(key))
        case .fqCodel(let law):
            return .fqCodel(
                FQCoDelParameters(
                    codel: law.codel.parameters, buckets: law.flows, quantum: law.quantum, key: key))
        case .priority(let classes):
            return .priority(classes.map { PriorityClass(codePoints: [$0.codePoint], limit: limit.mechanism) })
        case .weightedFair(let classes):
            let guaranteed = classes.map {
                NetworkEmulation.GuaranteedClass(
                    codePoints: [$0.serviceClass.codePoint], rate: $0.rate, limit: limit.mechanism)
            }
            let kept = Double(rate?.bitsPerSecond ?? 0) * (1 - reservable.value)
            return .weightedFair(
                WeightedFairParameters(
                    classes: guaranteed, bestEffortMinimum: BitRate(bitsPerSecond: UInt64(kept.rounded()))))
        }
    }
}

extension ExperimentScenario.Link.Queue.Limit {
    var mechanism: DropTailQueue.Limit {
        switch self {
        case .packets(let count): .packets(count)
        case .bytes(let count): .bytes(count)
        case .time(let span): .time(span)
        }
    }
}
