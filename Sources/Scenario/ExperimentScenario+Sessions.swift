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
        guard scenario.sender.carriage == .rtpSeparate else { return checkMultiplexed(scenario, reader) }
        if reader["qos"].has("bitrate") {
            reader["qos"]["bitrate"].report(
                "with rtp-separate each substream has a rate of its own",
                hint: "leave it out: --check 'flows[tv.video].bitrate_bps.used >= 4 Mbit/s' asks for one")
        }
        if scenario.commands != nil {
            reader["commands"].report(
                "with rtp-separate receivers take no commands", hint: "leave it out, or write carriage: ts-rtp")
        }
        for (element, receiver) in zip(reader["receivers"].elements ?? [], scenario.receivers) {
            if receiver.clockRecovery != .none {
                element["clock_recovery"].report(
                    "with rtp-separate receivers play at their own rates", expected: "none",
                    hint: "lip_sync: { correction: rtcp } follows what each substream's clock has gained")
            }
            if receiver.anchor == .senderClock {
                element["anchor"].report(
                    "sessions of their own count from their first datagrams", expected: "first-arrival",
                    hint: "lip_sync: { correction: rtcp } goes by the sender's reports")
            }
            if receiver.deliversCorrupted {
                element["deliver_corrupted"].report(
                    "with rtp-separate damaged datagrams are not taken", expected: "false")
            }
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
