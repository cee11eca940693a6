import ClockSync
import Timebase
import Wire

extension ExperimentScenario {
    /// What viewers tell all receivers to do with what they present.
    struct Commands: Equatable, Sendable {
        /// In which order receivers do what several viewers ask for.
        var order: OrderedGroup.Order
        var list: [Command]

        /// One command, of one viewer to all.
        struct Command: Equatable, Sendable {
            /// From the node's start, by its own clock.
            var at: TimeSpan
            /// "sender", or a receiver's id.
            var node: String
            var action: PlaybackCommand
        }

        /// Whether receivers must keep what they have presented.
        var goBack: Bool { list.contains { if case .seek = $0.action { true } else { false } } }
    }
}

// MARK: - Declaration

extension ExperimentScenario.Commands {
    static let record = Record<Self>(
        Self(order: .total, list: []),
        [
            .key(
                "order", \.order, .words(),
                "In which order all receivers do them: each sender's own (fifo); causes before effects (causal); the same everywhere, by Lamport's clocks (total) or as the sender's node says (sequencer)."
            ).like("causal"),
            .key("at", \.list, Command.list, "The commands; each goes from its node to all receivers.").like(
                "[ { at: 20s, node: sender, do: pause }, { at: 25s, node: sender, do: play } ]"),
        ])
}

extension ExperimentScenario.Commands.Command {
    static let list = Record<Self>(
        Self(at: .zero, node: "", action: .pause),
        [
            .key(
                "at", \.at, .time(.zero...ExperimentScenario.durations.upperBound),
                "When it is given, from the node's start by its own clock."
            ).required(like: "20s"),
            .key("node", \.node, .scenarioName, "Who gives it: the sender, or a receiver.").required(
                "a node, such as sender", like: "sender"),
            .oneOf(\.action, actions),
        ]
    ).kind().list(
        most: (10_000, "commands"), empty: Missing(statement: "there is no command", expected: "at least one"))

    private static let actions = Choice<PlaybackCommand>(
        by: Shape.Field(
            name: "do", shape: Shape(),
            meaning:
                "What it is: pause (nothing is presented any more), play (it goes on where it stood, later than before: what came meanwhile is kept), or seek."
        ),
        [
            Alternative(word: "pause", Record<PlaybackCommand>(.pause, []), embed: { $0 }) { $0 == .pause ? $0 : nil },
            Alternative(word: "play", Record<PlaybackCommand>(.play, []), embed: { $0 }) { $0 == .play ? $0 : nil },
            Alternative(word: "seek", seek, embed: { .seek(to: $0) }) {
                if case .seek(let place) = $0 { place } else { nil }
            },
        ])

    private static let seek = Record<TimeSpan>(
        .zero,
        [
            .key(
                "to", \.self, .time(.zero...ExperimentScenario.durations.upperBound),
                "The place on the program's timeline to go to; what has not been due yet is presented when it is, and before what a receiver has it begins with that."
            ).like("10s")
        ])
}

// MARK: - What must agree

extension ExperimentScenario {
    static func checkCommands(_ scenario: ExperimentScenario, _ reader: ScenarioReader) {
        guard let commands = scenario.commands else { return }
        let elements = reader["commands"]["at"].elements ?? []
        for (element, command) in zip(elements, commands.list) {
            checkMember(command.node, element["node"], scenario)
            guard let duration = scenario.duration else { continue }
            for problem in command.problems(duration: duration) {
                element[problem.key].report(problem.statement, expected: problem.expected)
            }
        }
    }

    /// Only the sender and the receivers that run take part in a group.
    static func checkMember(_ node: String, _ reader: ScenarioReader, _ scenario: ExperimentScenario) {
        let members = ["sender"] + scenario.expandedReceivers.map(\.id)
        guard !members.contains(node) else { return }
        if let many = scenario.receivers.first(where: { $0.id == node && $0.count > 1 }) {
            reader.report(
                "'\(node)' stands for \(many.count) receivers", expected: "one of \(node).1 to \(node).\(many.count)")
        } else {
            reader.report(
                "there is no sender or receiver '\(node)'",
                expected: "one of \(members.prefix(8).joined(separator: ", "))")
        }
    }
}

extension ExperimentScenario.Commands.Command {
    /// What is wrong with it in a program of a given length.
    func problems(duration: TimeSpan) -> [(key: String, statement: String, expected: String)] {
        var problems: [(String, String, String)] = []
        let length = Quantity.text(duration)
        if at >= duration {
            problems.append(
                ("at", "the sources stop at \(length), and nobody commands any more", "less than \(length)"))
        }
        if case .seek(let place) = action, place >= duration {
            problems.append(("to", "the program ends at \(length)", "less than \(length)"))
        }
        return problems
    }
}
