import Timebase

extension ExperimentScenario {
    /// One direction of a link, its stages in the order a packet meets them.
    public struct Link: Equatable, Sendable {
        public var loss: Loss?
        /// Packets of which one bit is changed.
        public var corrupt: Ratio
        /// What does not conform is dropped.
        public var policer: TokenBucket?
        /// Meaningless without a rate.
        public var queue: Queue
        public var capacity: Capacity
        /// What the link layer adds to each IP packet, for the rate, the policer and the shaper.
        public var overhead: Overhead
        /// Packets of which a copy follows.
        public var duplicate: Ratio
        /// Not negative.
        public var delay: TimeSpan
        public var jitter: Jitter?
        /// Packets that travel without delay, and so overtake.
        public var reorder: Ratio
        /// The share of the rate that sessions can reserve.
        public var reservable: Ratio
        public var crossTraffic: [CrossTraffic]
        /// By rising time.
        public var schedule: [Step]

        /// No rate, no delay, no impairment.
        public static let ideal = Link(
            loss: nil, corrupt: .zero, policer: nil, queue: Queue(discipline: .dropTail, limit: .usual),
            capacity: .unlimited, overhead: .none, duplicate: .zero, delay: .zero, jitter: nil, reorder: .zero,
            reservable: Ratio(1), crossTraffic: [], schedule: [])

        public enum Overhead: String, Sendable, CaseIterable { case none, ethernet, atm }
    }

    /// Bytes come at `rate`, and at most `burst` of them are kept.
    public struct TokenBucket: Equatable, Sendable {
        public var rate: BitRate
        public var burst: Int
    }
}

extension ExperimentScenario.Link {
    public enum Capacity: Equatable, Sendable {
        /// No serialization, and so no queue.
        case unlimited
        case constant(BitRate)
        case trace(RateTraceFile)
        /// A token bucket: packets leave whole, as soon as it holds their bytes.
        case shaper(ExperimentScenario.TokenBucket)
    }

    /// A file that says when how much can be sent.
    public struct RateTraceFile: Hashable, Sendable {
        public var format: Format
        /// Absolute.
        public var path: String

        public enum Format: Hashable, Sendable {
            /// Mahimahi's: a line an opportunity, in milliseconds.
            case mahimahi(Reading)
            /// `time_s,rate_bps`, from the beginning again after `period`.
            case csv(period: TimeSpan?)
            /// `seconds Mbit/s`, as the Norwegian HSDPA traces are handed about.
            case hsdpa
        }

        public enum Reading: String, Sendable, CaseIterable { case opportunities, piecewise }
    }

    /// Which packets wait, which go first, and which are given up.
    public struct Queue: Equatable, Sendable {
        public var discipline: Discipline
        /// Of all that waits, or of each class.
        public var limit: Limit

        public enum Limit: Equatable, Sendable {
            case packets(Int)
            case bytes(Int)
            /// The time that what waits takes to be sent.
            case time(TimeSpan)

            public static let usual = Limit.time(.milliseconds(200))
        }

        public enum Discipline: Equatable, Sendable {
            case dropTail
            case dropHead
            case codel(CoDel)
            case pie(target: TimeSpan, update: TimeSpan, ecn: Bool)
            case fqCodel(CoDel, flows: Int, quantum: Int)
            /// Classes by falling priority; the rest comes last.
            case priority([ServiceClass])
            /// Classes with the rates they are guaranteed; the rest shares what is left.
            case weightedFair([GuaranteedClass])
        }

        public struct CoDel: Equatable, Sendable {
            public var target: TimeSpan
            public var interval: TimeSpan
            /// Marks packets that can take it instead of dropping them.
            public var ecn: Bool
        }

        public struct GuaranteedClass: Equatable, Sendable {
            public var serviceClass: ServiceClass
            public var rate: BitRate
        }
    }

    /// What is added to the delay, or lies around it.
    public struct Jitter: Equatable, Sendable {
        public var law: Law
        /// At lag one, 0..<1.
        public var correlation: Ratio
        /// Whether packets may overtake.
        public var reorder: Bool

        public enum Law: Hashable, Sendable {
            // Around the delay, the total cut at zero.
            /// Standard deviation.
            case normal(deviation: TimeSpan)
            case uniform(halfRange: TimeSpan)
            case paretoNormal(deviation: TimeSpan)
            /// An iproute2 distribution.
            case table(path: String, deviation: TimeSpan)
            // Added to it.
            case exponential(mean: TimeSpan)
            case gamma(mean: TimeSpan, shape: Double)
            case pareto(mean: TimeSpan, shape: Double)
            /// Values of a cumulative law, or a sample.
            case empirical(path: String)
            /// A value a packet.
            case trace(path: String)
        }
    }

    public enum Loss: Equatable, Sendable {
        case bernoulli(Ratio)
        case gilbertElliott(GilbertElliott)
        case markov4(Markov4)
        /// Packets by their numbers in their flow, the first being 0; again after `period` packets, if there is one.
        case pattern(drop: [Int], period: Int?)
        /// One line a packet.
        case trace(path: String)
        /// Of each bit, 0...1.
        case bitErrors(Double)

        public struct GilbertElliott: Equatable, Sendable {
            public var law: Law
            /// The chain's step in time; nil: it steps with packets.
            public var step: TimeSpan?

            public enum Law: Equatable, Sendable {
                /// Mean length of a run of losses in packets, at least 1 / (1 - loss).
                case bursts(loss: Ratio, meanBurst: Double, longestBurst: Int?)
                /// p: good to bad, r: bad to good.
                case transitions(p: Ratio, r: Ratio, lossBad: Ratio, lossGood: Ratio)
            }
        }

        public enum Markov4: Equatable, Sendable {
            case transitions(p13: Ratio, p31: Ratio, p32: Ratio, p23: Ratio, p14: Ratio)
            case bursts(loss: Ratio, meanBurst: Double, density: Ratio, isolated: Ratio, meanGoodRun: Double)
        }
    }

    /// Other people's traffic.
    public struct CrossTraffic: Equatable, Sendable {
        public var pattern: Pattern
        public var serviceClass: ServiceClass
        public var reservation: ExperimentScenario.TokenBucket?

        public enum Pattern: Equatable, Sendable {
            /// Rates of IP packets, lengths of IP packets in bytes.
            case poisson(rate: BitRate, packet: Int)
            case constant(rate: BitRate, packet: Int)
            case onOff(OnOff)
            /// `time_s,bytes`, one line an arrival.
            case trace(path: String, repeats: Bool)
        }

        public struct OnOff: Equatable, Sendable {
            /// While it is on.
            public var rate: BitRate
            public var packet: Int
            /// Mean lengths.
            public var on: TimeSpan
            public var off: TimeSpan
            /// Of a Pareto law; nil: exponential.
            public var shape: Double?
        }
    }

    /// A change of the link at a time.
    public struct Step: Equatable, Sendable {
        public var at: TimeSpan
        /// How long nothing can enter or be sent.
        public var down: TimeSpan?
        /// The link from then on, as far as `keys` name it.
        public var link: ExperimentScenario.Link
        /// What is written here, in the order of a link's keys.
        public var keys: [String]
    }
}

/// A class of service: a DSCP, 0...63 (RFC 2474), by its usual name where it has one.
public struct ServiceClass: Hashable, Sendable {
    public let codePoint: UInt8

    public static let bestEffort = ServiceClass(codePoint: 0)

    init(codePoint: UInt8) { self.codePoint = codePoint & 63 }

    /// `EF`, `AF41`, `CS5`, `LE`, `VA`, `BE` (or `DF`, `CS0`), or a number.
    init?(_ text: String) {
        if let number = UInt8(text), number < 64 {
            codePoint = number
        } else if let known = Self.names.first(where: { $0.0 == text }) {
            codePoint = known.1
        } else {
            return nil
        }
    }

    public var name: String { Self.names.first { $0.1 == codePoint }?.0 ?? "\(codePoint)" }

    /// RFC 2474, 2597, 3246, 5865, 8622.
    private static let names: [(String, UInt8)] =
        [("BE", 0), ("DF", 0), ("LE", 1), ("EF", 46), ("VA", 44)]
        + (0...7).map { ("CS\($0)", UInt8($0 * 8)) }
        + (1...4).flatMap { group in (1...3).map { ("AF\(group)\($0)", UInt8(8 * group + 2 * $0)) } }
}
