import ClockSync
import Timebase

extension ExperimentScenario {
    /// An agreement of the sender and all receivers on a value, by oral messages.
    struct Agreement: Equatable, Sendable {
        /// Whose value: "sender", or a receiver's id.
        var commander: String
        var value: Int64
        /// For how many traitors there are rounds enough.
        var traitors: Int
        /// When it begins, by each node's clock.
        var at: TimeSpan
        /// From one round to the next.
        var round: TimeSpan

        /// When it has ended, from the nodes' start.
        var end: TimeSpan { at + round * Int64(traitors + 1) }
    }
}

// MARK: - Declaration

extension ExperimentScenario.Agreement {
    private static let mostValue = 1_000_000_000_000_000

    static let record = Record<Self>(
        Self(commander: "sender", value: 1, traitors: 1, at: .seconds(10), round: .seconds(1)),
        [
            .key("commander", \.commander, .scenarioName, "Whose value is agreed on: the sender's, or a receiver's.")
                .like("sender"),
            .key(
                "value", .integer(-mostValue...mostValue),
                "What the commander has to say; a liar (faults: value, arbitrary) says so many nanoseconds more.",
                get: { Int($0.value) }, set: { $0.value = Int64($1) }
            ).like("7"),
            .key(
                "traitors", \.traitors, .integer(0...4),
                "How many nodes may lie: one round more than that. With m of them it takes 3m + 1 nodes (Lamport, Shostak and Pease 1982)."
            ).like("2"),
            .key(
                "at", \.at, .time(.zero...ExperimentScenario.durations.upperBound),
                "When it begins, by each node's clock."),
            .key(
                "round", \.round, .time(.milliseconds(1)...ExperimentScenario.delays.upperBound),
                "From one round to the next: more than a message takes and the nodes' clocks differ."
            ).like("500ms"),
        ])
}

// MARK: - What must agree

extension ExperimentScenario {
    static func checkAgreement(_ scenario: ExperimentScenario, _ reader: ScenarioReader) {
        guard let agreement = scenario.agreement else { return }
        let reader = reader["agreement"]
        checkMember(agreement.commander, reader["commander"], scenario)
        let others = scenario.expandedReceivers.count
        // Each round tells what was told in the one before to all through whom it has not gone.
        let messages = (0...agreement.traitors).reduce((1, 0)) { round, depth in
            let more = round.0 * max(0, others - depth)
            return (more, round.1 + more)
        }.1
        if messages > mostMessages {
            reader["traitors"].report(
                "\(others) receivers and the sender say \(messages) messages", expected: "at most \(mostMessages)",
                hint: "fewer traitors, or fewer receivers")
        }
        if let duration = scenario.duration, agreement.end >= duration {
            reader["at"].report(
                "the last round ends at \(Quantity.text(agreement.end)), and the sources stop at \(Quantity.text(duration))",
                expected: "an end before that", hint: "an earlier at, or a shorter round")
        }
    }

    private static let mostMessages = 110_000
}

// MARK: - Building

extension ExperimentScenario.Agreement {
    /// - Parameter start: what the member's clock shows at its start.
    func mechanism(commander: UInt16, start: LocalInstant) -> OralMessages.Configuration {
        OralMessages.Configuration(
            commander: commander, value: value, traitors: traitors, start: start + at, round: round)
    }
}
