import BasicContainers
import ClockSync
import Media
import Metrics
import Receiver
import Sender
import Timebase
import Wire

/// Playback commands: messages to the group that change what receivers present.
extension World {
    /// A message to the group is handed over at a node: a receiver does what it says, if it is a command.
    mutating func take(_ payload: [UInt8], _ name: CommandLedger.Name, node: Int, at now: Instant) {
        guard let command = try? PlaybackCommand(parsing: payload.span.bytes), node > 0, node <= receivers.count
        else { return }
        let action: PlaybackAction
        switch command {
        case .pause: action = .pause
        case .play: action = .play
        case .seek(let place): action = .seek(pts: timestamp(ofPlace: place))
        }
        if sessionReceivers.isEmpty {
            receivers[node - 1].apply(action, at: mediaTime(ofNode: node, at: now))
        } else {
            sessionReceivers[node - 1].apply(action, at: mediaTime(ofNode: node, at: now))
        }
        rearmReceiver(node - 1)
        ledger.note(.commanded(receiver: node - 1, command, name), at: now)
    }

    /// By what receivers know a place on the program's timeline: a PTS, or the first session's RTP timestamp.
    private func timestamp(ofPlace place: TimeSpan) -> UInt64 {
        guard sessionSenders.isEmpty else {
            let elapsed = captureClocks[0] == nil ? place : elapsed(inSession: 0, atPlace: place)
            return UInt64(sessionSenders[0].rtp.timestamp(elapsed))
        }
        let ticks = configuration.program.firstPresentation + MediaClock.ticks(place, rate: MediaClock.ninetyKilohertz)
        // A PTS has 33 bits.
        return UInt64(truncatingIfNeeded: ticks) & (1 << 33 - 1)
    }

    /// Where a receiver's playback stands now, on the program's timeline: what is due there, if it has come, is presented.
    /// Nil before it knows; never behind the end of what has been sent.
    func position(ofReceiver index: Int) -> TimeSpan? {
        let local = mediaTime(ofNode: 1 + index, at: now)
        guard sessionReceivers.isEmpty else { return position(inSessionsOf: index, at: local) }
        guard let place = receivers[index].position(at: local), !faults.isDown(1 + index, at: local) else { return nil }
        let zero = MediaClock.span(ticks: configuration.program.firstPresentation, rate: MediaClock.ninetyKilohertz)
        // The stream's clock is known modulo 2^33 ticks.
        let turn = MediaClock.span(ticks: 1 << 33, rate: MediaClock.ninetyKilohertz)
        let elapsed = now - Instant.zero
        var apart = (place - zero - elapsed).nanoseconds % turn.nanoseconds
        if apart > turn.nanoseconds / 2 { apart -= turn.nanoseconds }
        if apart < -turn.nanoseconds / 2 { apart += turn.nanoseconds }
        let lanes = configuration.program.substreams.indices
        let end = lanes.compactMap { sender.presentationEnd(lane: $0) }.max() ?? .zero
        return min(elapsed + .nanoseconds(apart), end)
    }

    /// Whether a viewer has stopped a receiver's presentation.
    func isPaused(receiver index: Int) -> Bool {
        sessionReceivers.isEmpty ? receivers[index].isPaused : sessionReceivers[index].isPaused
    }

    /// Where each receiver plays now.
    func positions() -> [TimeSpan?] { (0..<receivers.count).map { position(ofReceiver: $0) } }
}

// MARK: - Measurements

extension World {
    /// What commands did; nil without any.
    var commandMeasurements: CommandMeasurements? {
        guard let order = configuration.commandOrder, let seen = ledger.commands else { return nil }
        var result = CommandMeasurements(order: order, isOneOrder: seen.isOneOrder)
        result.sent = members.reduce(0) { $0 + ($1.agent.messagesSent ?? 0) }
        result.applicationSpread = seen.applicationSpread
        result.positionSpread = ledger.positions?.spread
        result.finalPositionSpreadNanoseconds = ledger.positions?.latestSpread?.nanoseconds
        return result
    }

    /// What came of the agreement; nil without one.
    var agreementMeasurements: AgreementMeasurements? {
        let ids = configuration.nodeIDs
        guard let configuration = members.lazy.compactMap(\.agent.agreement).first?.configuration else { return nil }
        var result = AgreementMeasurements(
            commander: ids[Int(configuration.commander)], value: configuration.value,
            traitors: Int64(configuration.traitors))
        for (node, isLoyal, agent) in members {
            guard let (_, decision, messages) = agent.agreement else { continue }
            result.messages += messages
            result.decisions.append(.init(node: ids[node], value: decision, isLoyal: isLoyal))
        }
        return result
    }

    /// The members of the group, with their nodes and whether nothing is wrong with these.
    private var members: [(node: Int, isLoyal: Bool, agent: GroupAgent)] {
        agents.seats.compactMap { seat in
            let faulty = seat.agent as? FaultyAgent
            return ((faulty?.agent ?? seat.agent) as? GroupAgent).map { (seat.node, faulty == nil, $0) }
        }
    }
}
