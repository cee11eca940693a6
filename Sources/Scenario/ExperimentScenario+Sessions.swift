import Emulator
import Timebase

extension ExperimentScenario {
    /// A substream's own links from the sender.
    struct FlowLinks: Equatable, Sendable {
        /// The substream's id.
        var id: String
        /// In order; at least one.
        var forward: [Link]
    }

    /// What sessions of their own must agree on with everything else.
    static func settleSessions(_ scenario: inout ExperimentScenario, _ reader: ScenarioReader) {
        for (element, receiver) in zip(reader["receivers"].elements ?? [], scenario.receivers)
        where receiver.lipSync.reports == .arrival && receiver.lipSync.correction == .none {
            element["lip_sync"]["reports"].report(
                "nothing is corrected by reports", expected: "stamp", hint: "write correction: rtcp beside it")
        }
        guard scenario.sender.carriage == .rtpSeparate else { return checkMultiplexed(scenario, reader) }
        for index in scenario.qos.checks.indices where scenario.qos.checks[index].name == .bitRate {
            scenario.qos.checks[index].countsSessions = true
        }
        for (element, receiver) in zip(reader["receivers"].elements ?? [], scenario.receivers) {
            if receiver.lipSync.reports == .arrival, receiver.anchor == .senderClock {
                element["lip_sync"]["reports"].report(
                    "with 'anchor: sender-clock' it is their stamps that tell the sender's clock", expected: "stamp")
            }
            if receiver.clockRecovery == .pcr {
                element["clock_recovery"].report(
                    "sessions of their own have no clock references", expected: "none, window-min or rtcp")
            }
        }
    }

    /// What receivers that play together need.
    static func checkDestinations(_ scenario: ExperimentScenario, _ reader: ScenarioReader) {
        guard scenario.idms else { return }
        if !scenario.sender.carriage.hasRTP {
            reader["idms"].report(
                "without RTP nobody reports when what is presented", expected: "false",
                hint: "sender.carriage: ts-rtp has reports")
        }
        if scenario.expandedReceivers.count < 2 {
            reader["idms"].report(
                "one receiver plays with nobody", expected: "false", hint: "receivers: [ { id: tv, count: 2 } ]")
        }
        for (element, receiver) in zip(reader["receivers"].elements ?? [], scenario.receivers)
        where receiver.anchor == .senderClock {
            element["anchor"].report(
                "receivers that present by the sender's clock are together without idms", expected: "first-arrival",
                hint: "leave idms out")
        }
    }

    private static func checkMultiplexed(_ scenario: ExperimentScenario, _ reader: ScenarioReader) {
        let hint = "write sender.carriage: rtp-separate, or leave it out"
        if !scenario.flowLinks.isEmpty {
            reader["network"]["flows"].report("the substreams of a multiplex take the same links", hint: hint)
        }
        for (element, receiver) in zip(reader["receivers"].elements ?? [], scenario.receivers)
        where receiver.lipSync.correction != .none {
            element["lip_sync"]["correction"].report(
                "the substreams of a multiplex are together by construction", expected: "none", hint: hint)
        }
        guard case .substreams(let substreams) = scenario.program else { return }
        for (element, substream) in zip(reader["program"]["substreams"].elements ?? [], substreams) {
            if substream.clock != nil {
                element["clock"].report("the substreams of a multiplex have one clock", hint: hint)
            }
            if case .g711 = substream.source {
                element["synthetic"]["codec"].report(
                    "transport streams have no way to carry G.711",
                    hint: "write sender.carriage: rtp-separate, or codec: opus")
            }
        }
    }
}

// MARK: - Declaration

extension ExperimentScenario.FlowLinks {
    private static let links = Record<Self>(
        Self(id: "", forward: []),
        [
            .key(
                "forward", \.forward,
                ExperimentScenario.Link.record.kind(isBlock: true).list(
                    most: (100, "links"),
                    empty: Missing(statement: "there is no link", expected: "at least one, such as [{}]"),
                    isBlock: true), "The links from the sender to the receivers, in order, in place of the shared ones."
            ).required("at least one link", like: "[ { delay: 80ms } ]")
        ]
    ).kind()

    static let field = Field<ExperimentScenario>.key(
        "flows", links.keyed(like: "audio"),
        "Of rtp-separate, links of a substream's own, by its id; what reports on it to the receivers takes them too."
    ) { scenario in
        scenario.flowLinks.isEmpty ? nil : scenario.flowLinks.map { ($0.id, $0) }
    } set: { scenario, entries in
        scenario.flowLinks = entries.map { Self(id: $0.key, forward: $0.value.forward) }
    }.like("{ audio: { forward: [ { delay: 80ms } ] } }").needs("sender", "{ carriage: rtp-separate }", levels: 1)
}
