import ClockSync
import Timebase

extension ExperimentScenario {
    /// What is wrong with a node for a while.
    struct Fault: Equatable, Sendable {
        /// From the node's start, by its own clock.
        var at: TimeSpan
        /// Nil: for good.
        var length: TimeSpan?
        /// "sender", a receiver's id, or a time server's.
        var node: String
        var kind: Manner

        /// The textbook's classes.
        enum Manner: Equatable, Sendable {
            case crash(losesState: Bool)
            case omission(share: Ratio, Direction?)
            case timing(by: TimeSpan, Direction?)
            /// Drift in parts per billion.
            case value(offset: TimeSpan, drift: Int64)
            case state(Violation)
            case arbitrary(by: TimeSpan)
        }

        /// Of whose messages; without one, of both.
        enum Direction: String, Sendable, CaseIterable {
            case incoming = "in"
            case outgoing = "out"
        }

        /// An answer that the protocol forbids.
        enum Violation: String, Sendable, CaseIterable {
            case notEchoed = "not-echoed"
            case stratumZero = "stratum-0"
            case leapThree = "leap-3"
        }
    }
}

// MARK: - Declaration

extension ExperimentScenario.Fault {
    private static let spans = TimeSpan.zero...ExperimentScenario.durations.upperBound

    static let list = Record<Self>(
        Self(at: .zero, length: nil, node: "", kind: .crash(losesState: true)),
        [
            .key("at", \.at, .time(spans), "When it begins, from the node's start by its own clock.").required(
                like: "20s"),
            .key(
                "for", \.length,
                .optional(.time(.nanoseconds(1)...ExperimentScenario.durations.upperBound), nil: "ever"),
                "How long it lasts."
            ).like("5s"),
            .key("node", \.node, .scenarioName, "Whose: the sender, a receiver, or a time server.").required(
                "a node, such as sender", like: "sender"),
            .oneOf(\.kind, kinds),
        ]
    ).kind().list(most: (1_000, "faults"))

    private static let kinds = Choice<Manner>(
        by: Shape.Field(
            name: "kind", shape: Shape(), meaning: "What it is: the classes of Cristian, and of Hadzilacos and Toueg."),
        [
            Alternative(word: "crash", crash, embed: { .crash(losesState: $0) }) {
                if case .crash(let loses) = $0 { loses } else { nil }
            },
            Alternative(word: "omission", omission, embed: { .omission(share: $0.share, $0.direction) }) {
                if case .omission(let share, let direction) = $0 { (share, direction) } else { nil }
            },
            Alternative(word: "timing", timing, embed: { .timing(by: $0.by, $0.direction) }) {
                if case .timing(let by, let direction) = $0 { (by, direction) } else { nil }
            },
            Alternative(word: "value", value, embed: { .value(offset: $0.offset, drift: $0.drift) }) {
                if case .value(let offset, let drift) = $0 { (offset, drift) } else { nil }
            },
            Alternative(word: "state", state, embed: Manner.state) {
                if case .state(let violation) = $0 { violation } else { nil }
            },
            Alternative(word: "arbitrary", arbitrary, embed: { .arbitrary(by: $0) }) {
                if case .arbitrary(let spread) = $0 { spread } else { nil }
            },
        ])

    private static let crash = Record<Bool>(
        true,
        [.key("loses_state", \.self, .truth, "Whether what was not on stable storage is gone when it comes back.")])

    private static let omission = Record<(share: Ratio, direction: Direction?)>(
        (Ratio(1), nil),
        [
            .key("share", \.share, .ratio, "So many of its messages are lost.").like("50%"),
            .key("direction", \.direction, directions, "Those that come to it, or those that leave it."),
        ])

    private static let timing = Record<(by: TimeSpan, direction: Direction?)>(
        (.milliseconds(100), nil),
        [
            .key("by", \.by, .time(.zero...TimeSpan.seconds(3_600)), "How late its messages are."),
            .key("direction", \.direction, directions, "Those that come to it, or those that leave it."),
        ])

    private static let value = Record<(offset: TimeSpan, drift: Int64)>(
        (.seconds(1), 0),
        [
            .key(
                "offset", \.offset, .time(-TimeSpan.seconds(86_400)...TimeSpan.seconds(86_400)),
                "How wrong the time is that it tells; positive: fast."),
            .key(
                "drift", \.drift, .frequency(-100_000_000...100_000_000), "What that gains from then on."),
        ])

    private static let state = Record<Violation>(
        .notEchoed,
        [
            .key(
                "violation", \.self, .words(),
                "How its answers break the protocol: the origin timestamp is not echoed, a kiss-o'-death, not synchronized."
            )
        ])

    private static let arbitrary = Record<TimeSpan>(
        .seconds(1),
        [
            .key(
                "by", \.self, .time(.zero...TimeSpan.seconds(86_400)),
                "It tells each of the others a time of its own, wrong by up to this in either direction.")
        ])

    private static let directions = Kind<Direction?>.optional(.words(), nil: "both")
}

// MARK: - Building

extension ExperimentScenario.Fault {
    var mechanism: ClockSync.Fault {
        switch kind {
        case .crash(let losesState): ClockSync.Fault(at: at, length: length, .crash(losesState: losesState))
        case .omission(let share, let direction):
            ClockSync.Fault(
                at: at, length: length, .omission(share: share.probability), direction: direction?.mechanism)
        case .timing(let by, let direction):
            ClockSync.Fault(at: at, length: length, .timing(late: by), direction: direction?.mechanism)
        case .value(let offset, let drift):
            ClockSync.Fault(at: at, length: length, .value(offset: offset, drift: drift))
        case .state(let violation): ClockSync.Fault(at: at, length: length, .stateTransition(violation.mechanism))
        case .arbitrary(let by): ClockSync.Fault(at: at, length: length, .arbitrary(spread: by))
        }
    }
}

extension ExperimentScenario.Fault.Direction {
    fileprivate var mechanism: ClockSync.Fault.Direction { self == .incoming ? .incoming : .outgoing }
}

extension ExperimentScenario.Fault.Violation {
    fileprivate var mechanism: ClockSync.Fault.Violation {
        switch self {
        case .notEchoed: .notEchoed
        case .stratumZero: .stratumZero
        case .leapThree: .leapThree
        }
    }
}
