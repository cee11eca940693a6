import Metrics

/// What the sender and the receivers did as a group.
extension Catalog {
    static let commands: CatalogMember<RunRecord> = CatalogMember<CommandMeasurements?>.group(
        "commands", "What playback commands did; all null without any.",
        [
            .text("order", "In which order they were to be delivered, as the scenario's commands.order names it.") {
                $0?.order
            },
            .count("sent", label: "commands", "Commands that left their nodes.") { $0?.sent },
            .truth("one_order", label: "one order", "Whether all receivers did the same commands in the same order.") {
                $0?.isOneOrder
            },
            .distribution(
                "application_spread_ns", worse: .up, label: "done within",
                "From the first receiver that does a command to the last, of commands that all did."
            ) { $0?.applicationSpread },
            .distribution(
                "position_spread_ns", worse: .up, label: "apart",
                "The largest less the smallest position of the receivers, every 10 ms while the program is sent: where the playback of each stands on the program's timeline."
            ) { $0?.positionSpread },
            .nanoseconds(
                "final_position_spread_ns", worse: .up, label: "apart in the end", "The same when the sources stopped."
            ) { $0?.finalPositionSpreadNanoseconds },
        ]
    ).lifted { $0.measurements.commands }

    static let destinations: CatalogMember<RunRecord> = CatalogMember<DestinationMeasurements?>.group(
        "idms", "How receivers played together by what they report (RFC 7272); all null without idms.",
        [
            .count("settings", "Settings that came to receivers: when what is to be presented.") { $0?.settings },
            .distribution(
                "position_spread_ns", worse: .up, label: "apart",
                "The largest less the smallest position of the receivers, every 10 ms while the program is sent: where the playback of each stands on the program's timeline. series.csv has its course."
            ) { $0?.positionSpread },
            .nanoseconds(
                "final_position_spread_ns", worse: .up, label: "apart in the end", "The same when the sources stopped."
            ) { $0?.finalPositionSpreadNanoseconds },
        ]
    ).lifted { $0.measurements.destinations }

    static let agreement: CatalogMember<RunRecord> = CatalogMember<AgreementMeasurements?>.group(
        "agreement", "What came of the agreement by oral messages; null and empty without one.",
        [
            .text("commander", "The node whose value is agreed on.") { $0?.commander },
            .value("value", MetricKind(unit: .plain), "What the commander has to say.") { JSONValue($0?.value) },
            .count("traitors", "For how many traitors there are rounds enough.") { $0?.traitors },
            .count("messages", label: "messages", "Datagrams that the members sent for it.") { $0?.messages },
            .truth("agreed", label: "agreed", "Whether all loyal nodes, those without faults, decided the same.") {
                $0?.isAgreed
            },
            .truth("valid", label: "valid", "Whether that is what the commander said; null where it is not loyal.") {
                $0?.isValid
            },
            .list(decisions) { $0?.decisions ?? [] },
        ]
    ).lifted { $0.measurements.agreement }

    static let decisions = CatalogList<AgreementMeasurements.Decision>(
        "decisions", "What each node decided.", selectors: ["node"], labels: [["node"]],
        [
            .text("node", "'sender', or a receiver's id.") { $0.node },
            .value("value", MetricKind(unit: .plain), "The value; null where it decided nothing.") {
                JSONValue($0.value)
            },
            .truth("loyal", "Whether nothing is wrong with the node.") { $0.isLoyal },
        ])
}
