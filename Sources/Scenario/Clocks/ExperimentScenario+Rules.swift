import Emulator
import Timebase

/// What nodes, their clocks and the carriage must agree on.
extension ExperimentScenario {
    static func checkNodes(_ scenario: ExperimentScenario, _ reader: ScenarioReader) {
        checkReceivers(scenario, reader)
        let nodes = scenario.expandedReceivers.map(\.id)
        let taken = Set(["sender"] + nodes + scenario.receivers.map(\.id))
        for (element, server) in zip(reader["clocks"]["servers"].elements ?? [], scenario.timeServers)
        where taken.contains(server.id) {
            element["id"].reportInvalid(expected: "another name than the sender's and the receivers'")
        }
        let known = taken.union(scenario.timeServers.map(\.id))
        for (element, fault) in zip(reader["faults"].elements ?? [], scenario.faults) where !known.contains(fault.node)
        {
            element["node"].report(
                "there is no node '\(fault.node)'",
                expected: "one of \(Self.listed(known.sorted()))")
        }
    }

    /// The first of many names, and how many more there are.
    private static func listed(_ names: [String]) -> String {
        let shown = names.count > 10 ? 8 : names.count
        let more = names.count > shown ? " and \(names.count - shown) more" : ""
        return names.prefix(shown).joined(separator: ", ") + more
    }

    private static func checkReceivers(_ scenario: ExperimentScenario, _ reader: ScenarioReader) {
        let receivers = reader["receivers"].elements ?? []
        for (element, receiver) in zip(receivers, scenario.receivers)
        where receiver.anchor == .senderClock && !scenario.sender.carriage.hasRTP {
            element["anchor"].report(
                "without RTP nobody knows the sender's clock", expected: "first-arrival",
                hint: "sender.carriage: ts-rtp has reports that tell it")
        }
        for (element, receiver) in zip(receivers, scenario.receivers) where receiver.anchor == .senderClock {
            checkWait(receiver, scenario, element["anchor"])
        }
        for (element, receiver) in zip(receivers, scenario.receivers) {
            if receiver.clockRecovery == .rtcp, !scenario.sender.carriage.hasRTP {
                element["clock_recovery"].report(
                    "without RTP there are no sender reports", expected: "none, pcr or window-min",
                    hint: "sender.carriage: ts-rtp has them")
            }
            if receiver.clockRecovery != .none, receiver.anchor == .senderClock {
                element["clock_recovery"].report(
                    "with 'anchor: sender-clock' the synchronized clock is followed", expected: "none",
                    hint: "anchor: first-arrival")
            }
        }
    }

    /// By a clock that nobody sets, playout waits for as long as it is behind the sender's.
    private static func checkWait(_ receiver: Receiver, _ scenario: ExperimentScenario, _ reader: ScenarioReader) {
        let wait = scenario.senderClock.offset - receiver.clock.offset
        var isSet = scenario.synchronization != .none
        if case .ntp(let ntp) = scenario.synchronization, let limit = ntp.panicLimit, wait > limit { isSet = false }
        guard !isSet, wait > longestWait else { return }
        reader.report(
            "'\(receiver.id)' would wait \(Quantity.text(wait)) for what the sender's clock says is due",
            expected: "clocks that are at most \(Quantity.text(longestWait)) apart at first, or are set",
            hint: "clocks.synchronization: cristian sets them")
    }

    private static let longestWait = TimeSpan.seconds(3_600)

    static func checkClocks(_ scenario: ExperimentScenario, _ reader: ScenarioReader) {
        let receivers = (reader["receivers"].elements ?? []).map { $0["clock"] }
        let clocks =
            [
                (reader["clocks"]["sender"], scenario.senderClock),
                (reader["clocks"]["receivers"], scenario.receiverClock),
            ]
            + zip(reader["clocks"]["servers"].elements ?? [], scenario.timeServers.map(\.clock))
            + zip(receivers, scenario.receivers.map(\.clock))
        for (element, clock) in clocks where element.has("trace") && clock.trace != nil && !clock.steps.isEmpty {
            element["trace"].report(
                "a clock follows its trace or its steps, not both", expected: "one of them",
                hint: "a step can be a row of the trace")
        }
    }

    static func checkSynchronization(_ scenario: ExperimentScenario, _ reader: ScenarioReader) {
        let count = scenario.expandedReceivers.count
        let synchronization = reader["clocks"]["synchronization"]
        let flows: Int
        if scenario.synchronization.isOfGroup {
            if !scenario.timeServers.isEmpty {
                reader["clocks"]["servers"].report(
                    "\(scenario.synchronization.name) asks no time server", expected: "none",
                    hint: "cristian, ntp and regression ask them")
            }
            flows = 0
        } else {
            flows = 2 * (1 + count) * max(1, scenario.timeServers.count)
        }
        if scenario.synchronization != .none, flows > mostControlFlows {
            synchronization.report(
                "\(count) receivers make \(flows) flows of it", expected: "at most \(mostControlFlows) flows",
                hint: "fewer receivers, or fewer servers")
        }
    }

    /// The sender and the receivers are a group to whatever is told from any of them to all.
    static func checkGroup(_ scenario: ExperimentScenario, _ reader: ScenarioReader) {
        let count = scenario.expandedReceivers.count
        guard count >= mostMembers else { return }
        let expected = "a group of at most \(mostMembers)"
        if scenario.synchronization.isOfGroup {
            reader["clocks"]["synchronization"].report(
                "\(count) receivers and the sender", expected: expected, hint: "cristian, ntp and regression take more")
        }
        for (key, isThere) in [("commands", scenario.commands != nil), ("agreement", scenario.agreement != nil)]
        where isThere {
            reader[key].report("\(count) receivers and the sender", expected: expected, hint: "fewer receivers")
        }
    }

    /// Flow numbers have sixteen bits, and the program's and its reports' need some.
    private static let mostControlFlows = 50_000
    /// Every message has a number for each member.
    private static let mostMembers = 128
}
