import BasicContainers
import ClockSync
import Receiver
import Sender
import Timebase

/// What nodes do with the program's datagrams that go out, and with all packets that have come to them.
extension World {
    /// A datagram of the multiplex goes out.
    @inline(__always)
    mutating func send(_ packet: Packet, at now: Instant) {
        capture(packet, .sender, at: now)
        ledger.note(.sent(packet), at: now)
        hand(packet, to: topology.entries[Int(packet.flow)], at: now)
    }

    /// Tells the ledger which units the multiplex has begun: what will be looked for at the receivers.
    mutating func takeBegunUnits() {
        guard sender.hasBegun else { return }
        while let (lane, unit) = sender.pollBegun() { ledger.note(begunUnit: SentUnit(unit), lane: lane) }
    }

    /// A packet has arrived at a node: the program's goes to the receiver there, everything else to an agent.
    mutating func deliver(_ packet: Packet, to node: Int, at now: Instant) {
        capture(packet, CapturePoint(node: node, receivers: receivers.count), at: now)
        let isWrong = pool.checksumDifference(of: packet) != 0
        let receiver = node - 1
        guard receiver >= 0, receiver < receivers.count else {
            return deliverControl(packet, to: node, isReadable: !isWrong, at: now)
        }
        if isWrong, !configuration.receivers[receiver].takesDamaged {
            ledger.note(.refused(packet, receiver: ledger.row(receiver, flow: packet.flow)), at: now)
            pool.release(packet.slot)
        } else if packet.marks.contains(.media) {
            deliverMedia(packet, to: receiver, at: now)
        } else {
            deliverControl(packet, to: node, isReadable: true, at: now)
        }
    }

    @inline(__always)
    private mutating func deliverMedia(_ packet: Packet, to receiver: Int, at now: Instant) {
        guard isPlain else {
            if !hasFaults || takes(packet, receiver: receiver, at: now) { take(packet, receiver: receiver, at: now) }
            return
        }
        takeMultiplex(packet, to: receiver, at: now)
    }

    /// A receiver takes a datagram of the program.
    mutating func take(_ packet: Packet, receiver: Int, at now: Instant) {
        guard sessionReceivers.isEmpty else { return takeInSession(packet, receiver: receiver, at: now) }
        takeMultiplex(packet, to: receiver, at: now)
    }

    /// A receiver takes a datagram of the multiplex.
    @inline(__always)
    private mutating func takeMultiplex(_ packet: Packet, to receiver: Int, at now: Instant) {
        let measured = timestamp(ofNode: 1 + receiver, at: now) - timestamp(ofNode: 0, at: packet.sent)
        let payload = pool.bytes(packet.slot, count: packet.payloadCount).bytes
        ledger.note(.arrived(packet, receiver: receiver, measured: measured), payload, at: now)
        let local = mediaTime(ofNode: 1 + receiver, at: now)
        if receivers[receiver].followsSender {
            receivers[receiver].take(correction: timestamp(ofNode: 1 + receiver, at: now) - local)
        }
        receivers[receiver].handle(packet, &pool, at: local)
        drainReceiver(receiver, at: now)
        rearmReceiver(receiver)
    }

    /// Serves what a receiver has to do by `now`.
    mutating func serveReceiver(_ index: Int, at now: Instant) {
        if hasFaults { crashIfDue(index, at: now) }
        guard sessionReceivers.isEmpty else { return serveSessions(ofReceiver: index, at: now) }
        let local = mediaTime(ofNode: 1 + index, at: now)
        while receivers[index].nextTimeout <= local {
            receivers[index].handleTimeout(&pool, at: local)
            drainReceiver(index, at: now)
        }
        rearmReceiver(index)
    }

    /// Tells the ledger what a receiver did, and takes its datagrams back.
    mutating func drainReceiver(_ index: Int, at now: Instant) {
        while let output = receivers[index].pollOutput() {
            switch output {
            case .released(let packet, let arrival, let depth):
                takeReleased(packet, arrival, depth, receiver: index, at: now)
            case .discarded(let packet, let reason):
                ledger.note(.discarded(packet, receiver: index, reason), at: now)
                pool.release(packet.slot)
            case .presented(let lane, let ticks):
                let end = ledger.pictureLane.flatMap { sender.presentationEnd(lane: $0) } ?? .zero
                ledger.note(.presented(receiver: index, lane: lane, ticks: ticks, picturesEnd: end), at: now)
            case .closed(let unit): ledger.note(.closed(receiver: index, unit), at: now)
            case .forgotten(let lane, let ticks, let verdict):
                ledger.note(.forgotten(receiver: index, lane: lane, ticks: ticks, verdict), at: now)
            }
        }
    }

    @inline(__always)
    private mutating func takeReleased(
        _ packet: Packet, _ arrival: LocalInstant, _ depth: TimeSpan, receiver: Int, at now: Instant
    ) {
        let event = WorldEvent.released(
            packet, receiver: receiver, waited: mediaTime(ofNode: 1 + receiver, at: now) - arrival,
            arrived: ledger.recordsPackets ? instant(ofNode: 1 + receiver, showing: arrival) : now, depth: depth)
        ledger.note(event, pool.bytes(packet.slot, count: packet.payloadCount).bytes, at: now)
        if configuration.taps.media {
            ledger.emit(.releasedMedia(packet, receiver: receiver))
        } else {
            pool.release(packet.slot)
        }
    }
}
