import BasicContainers
import ClockSync
import Receiver
import Sender
import Timebase

/// Faults of the program's ends: the sender's datagrams that do not leave, or late; the receivers' that are not taken.
extension World {
    /// A datagram is to go out from a sender that something may be wrong with.
    mutating func sendFaulty(_ packet: Packet, at now: Instant) {
        switch faults.verdict(packet, .outgoing, node: 0, at: mediaTime(ofNode: 0, at: now)) {
        case .passes: pass(packet, at: now)
        case .lost: withhold(packet, at: now)
        case .late(let late): hold(packet, node: 0, until: now + late)
        }
    }

    private mutating func pass(_ packet: Packet, at now: Instant) {
        if sessionSenders.isEmpty { send(packet, at: now) } else { sendInSession(packet, at: now) }
    }

    /// A datagram counts as sent, and is lost before it goes out.
    private mutating func withhold(_ packet: Packet, at now: Instant) {
        if sessionSenders.isEmpty {
            ledger.note(.sent(packet), at: now)
        } else {
            ledger.note(sent: packet, session: Int(packet.flow), at: now)
        }
        lose(packet, node: 0, at: now)
    }

    /// Whether a receiver that something may be wrong with takes a datagram now; else the datagram has been seen to.
    mutating func takes(_ packet: Packet, receiver: Int, at now: Instant) -> Bool {
        crashIfDue(receiver, at: now)
        switch faults.verdict(packet, .incoming, node: 1 + receiver, at: mediaTime(ofNode: 1 + receiver, at: now)) {
        case .passes: return true
        case .lost: lose(packet, node: 1 + receiver, at: now)
        case .late(let late): hold(packet, node: 1 + receiver, until: now + late)
        }
        return false
    }

    private mutating func lose(_ packet: Packet, node: Int, at now: Instant) {
        ledger.note(.lostAtNode(packet, node: node), at: now)
        release(slot: packet.slot)
    }

    private mutating func hold(_ packet: Packet, node: Int, until instant: Instant) {
        faults.hold(packet, node: node, until: instant)
        rearmHeld()
    }

    private mutating func rearmHeld() { timeouts.set(heldRank, to: faults.nextHeld) }

    /// Serves the next datagram that was late.
    mutating func serveHeld(at now: Instant) {
        guard let held = faults.takeHeld(at: now) else { return }
        rearmHeld()
        var packet = held.packet
        if held.node == 0 { packet.sent = now } else { crashIfDue(held.node - 1, at: now) }
        // What was on its way in a node that has crashed is gone.
        switch (held.node, faults.isDown(held.node, at: mediaTime(ofNode: held.node, at: now))) {
        case (0, false): pass(packet, at: now)
        case (0, true): withhold(packet, at: now)
        case (let node, false): take(packet, receiver: node - 1, at: now)
        case (let node, true): lose(packet, node: node, at: now)
        }
    }

    /// When a receiver has something to do, or would lose by a crash what it has.
    func nextTimeout(ofReceiver index: Int) -> LocalInstant {
        let next = sessionReceivers.isEmpty ? receivers[index].nextTimeout : sessionReceivers[index].nextTimeout
        return faults.nextTimeout(ofNode: 1 + index, next, at: mediaTime(ofNode: 1 + index, at: now))
    }

    /// A receiver goes down if it is time; what it has is gone then.
    mutating func crashIfDue(_ receiver: Int, at now: Instant) {
        let local = mediaTime(ofNode: 1 + receiver, at: now)
        guard let crash = faults.takeCrash(ofNode: 1 + receiver, at: local) else { return }
        guard sessionReceivers.isEmpty else {
            sessionReceivers[receiver].crash()
            drainSessions(ofReceiver: receiver, at: now)
            if crash.losesState { sessionReceivers[receiver].restart() }
            return
        }
        receivers[receiver].crash()
        drainReceiver(receiver, at: now)
        if crash.losesState { receivers[receiver].restart(configuration.media(of: receiver)) }
    }
}
