import BasicContainers
import ClockSync
import Receiver
import Sender
import Timebase
import Wire

/// The control plane: agents on their nodes.
extension World {
    /// An agent by its id, as it is now; nil where there is none.
    ///
    /// - Complexity: O(agents).
    func agent(_ id: String) -> (any Agent)? { agents.seats.first { $0.id == id }?.agent }

    /// What a node's disciplined clock shows now; nodes are counted as ``WorldConfiguration/nodeIDs`` lists them.
    public func reading(ofNode node: Int) -> LocalInstant { clocks[node].reading(at: now) }

    /// By how much a node's disciplined clock is off at an instant from now on, if nothing happens until then; positive: fast.
    public func clockError(ofNode node: Int, at instant: Instant) -> TimeSpan { clocks[node].error(at: instant) }

    /// The largest error that is then claimed of it; nil: nothing is.
    public func claimedBound(ofNode node: Int, at instant: Instant) -> TimeSpan? {
        ledger.clocks[node].bound(at: instant)
    }

    /// Serves an agent's timer.
    mutating func serveAgent(_ index: Int, at now: Instant) {
        let node = agents.seats[index].node
        if let status = mediaStatus(ofNode: node, session: agents.seats[index].session ?? 0, at: now) {
            agents.seats[index].agent.take(status)
        }
        agents.seats[index].agent.handleTimeout(at: time(ofAgent: index, at: now))
        drainAgent(index, at: now)
    }

    /// What the clock shows that an agent goes by: its node's disciplined one, or where it is a reporter the free-running one.
    private func time(ofAgent index: Int, at now: Instant) -> LocalInstant {
        let node = agents.seats[index].node
        return agents.seats[index].session == nil ? clocks[node].reading(at: now) : mediaTime(ofNode: node, at: now)
    }

    /// A packet that is not the program's has come to a node.
    ///
    /// - Parameter isReadable: whether its checksum is right, or nobody looks; else it is only noted.
    mutating func deliverControl(_ packet: Packet, to node: Int, isReadable: Bool, at now: Instant) {
        defer { release(slot: packet.slot) }
        ledger.note(.controlArrived(packet, node: node), at: now)
        guard isReadable, let taker = agents.taker(of: packet.flow, atNode: node, flows) else { return }
        let payload = pool.bytes(packet.slot, count: packet.payloadCount).bytes
        let missed = stamps == nil ? 0 : missed(byAgent: taker.seat)
        agents.seats[taker.seat].agent.handle(
            payload, flow: taker.number, at: time(ofAgent: taker.seat, at: now))
        if stamps != nil, self.missed(byAgent: taker.seat) == missed { note(received: packet, node: node, at: now) }
        drainAgent(taker.seat, at: now)
    }

    /// Does what an agent asks for, and sets its timer.
    private mutating func drainAgent(_ index: Int, at now: Instant) {
        while let output = agents.seats[index].agent.pollOutput() {
            switch output {
            case .send(let bytes, let flow): send(bytes, flow: flow, agent: index, at: now)
            case .adjust(let adjustment): adjust(agents.seats[index].node, adjustment, at: now)
            case .tell(let event): tell(event, agent: index, at: now)
            }
        }
        rearmAgent(index)
    }

    private mutating func send(_ bytes: [UInt8], flow: Int, agent index: Int, at now: Instant) {
        guard agents.seats[index].outgoing.indices.contains(flow), bytes.count <= pool.slotCapacity - 2 else { return }
        messages += 1
        let number = agents.seats[index].outgoing[flow]
        let slot = pool.allocate()
        pool.mutableBytes(slot).copyBytes(from: bytes)
        let packet = Packet(
            time: now, sent: now, slot: slot, number: agents.seats[index].takeNumber(flow),
            length: UInt16(bytes.count + Packet.networkHeaderLength), flow: number,
            differentiatedServices: flows[number].differentiatedServices)
        if stamps != nil { note(sent: packet, node: agents.seats[index].node, at: now) }
        capture(packet, CapturePoint(node: agents.seats[index].node, receivers: receivers.count), at: now)
        hand(packet, to: topology.entries[Int(number)], at: now)
    }

    /// Adjusts a node's clock; deadlines given in its time are armed anew.
    private mutating func adjust(_ node: Int, _ adjustment: ClockAdjustment, at now: Instant) {
        clocks[node].adjust(adjustment, at: now)
        ledger.note(.adjusted(node: node), at: now)
        for index in agents.seats.indices where agents.seats[index].node == node { rearmAgent(index) }
    }

    private mutating func tell(_ event: AgentEvent, agent index: Int, at now: Instant) {
        let node = agents.seats[index].node
        switch event {
        case .roundTrip(let span, let flow):
            guard agents.seats[index].incoming.indices.contains(flow),
                let source = flows[agents.seats[index].incoming[flow]].source
            else { return }
            // Measured at the sender, of the way to a receiver and back.
            guard node == 0, (1...receivers.count).contains(source) else { return }
            ledger.note(roundTrip: span, receiver: source - 1, session: agents.seats[index].session ?? 0)
        case .report(let timestamp, let shown):
            guard (1...receivers.count).contains(node) else { return }
            guard sessionReceivers.isEmpty else {
                let session = agents.seats[index].session ?? 0
                return take(report: timestamp, shown: shown, session: session, receiver: node - 1, at: now)
            }
            receivers[node - 1].take(report: timestamp, shown: shown, at: mediaTime(ofNode: node, at: now))
        case .settings(let timestamp, let presented):
            guard (1...receivers.count).contains(node) else { return }
            playTogether(receiver: node - 1, timestamp: timestamp, presented: presented, at: now)
        case .exchange(let exchange):
            ledger.note(.found(event, node: node), at: now)
            record(exchange, agent: index, at: now)
        case .claim: ledger.note(.found(event, node: node), at: now)
        case .logical(let logical):
            ledger.note(.found(event, node: node), at: now)
            guard case .delivered(let sender, let number, let payload) = logical.action else { return }
            take(payload, CommandLedger.Name(sender: sender, number: number), node: node, at: now)
        }
    }

    private mutating func record(_ exchange: ClockExchange, agent index: Int, at now: Instant) {
        let seat = agents.seats[index]
        guard configuration.taps.exchanges, seat.incoming.indices.contains(exchange.flow),
            let server = flows[seat.incoming[exchange.flow]].source
        else { return }
        // A reading of several exchanges tells of them when it ends.
        let came = min(now, clocks[seat.node].instant(showing: exchange.replyReceived))
        let offset = clocks[server].error(at: came) - clocks[seat.node].error(at: came)
        ledger.emit(
            .exchange(
                ExchangeRecord(
                    node: seat.node, server: server, exchange: exchange, trueOffset: offset,
                    sent: clocks[seat.node].instant(showing: exchange.requestSent), at: came,
                    served: (
                        clocks[server].instant(showing: exchange.requestReceived),
                        clocks[server].instant(showing: exchange.replySent)
                    ))))
    }

    /// What the program's end at a node knows; nil where there is none, or no RTP.
    private func mediaStatus(ofNode node: Int, session: Int, at now: Instant) -> MediaStatus? {
        let hasSessions = !sessionSenders.isEmpty
        guard let rtp = hasSessions ? sessionSenders[session].rtp : sender.rtp else { return nil }
        if node == 0 {
            let elapsed =
                hasSessions
                ? captureClock(session).reading(at: now) - sessionSenders[session].zero
                : mediaTime(ofNode: 0, at: now) - sender.zero
            return .sending(
                MediaStatus.Sending(
                    ssrc: rtp.ssrc, time: clocks[0].reading(at: now), rtpTimestamp: rtp.timestamp(elapsed),
                    packetCount: UInt32(truncatingIfNeeded: rtp.packetCount),
                    octetCount: UInt32(truncatingIfNeeded: rtp.octetCount)))
        }
        guard node <= receivers.count else { return nil }
        let statistics =
            hasSessions
            ? sessionReceivers[node - 1].statistics(ofSession: session) : receivers[node - 1].statistics
        var status = MediaStatus.Receiving(source: rtp.ssrc)
        status.expected = statistics.expected
        status.received = statistics.received
        status.cumulativeLost = statistics.cumulativeLost
        status.extendedHighest = statistics.extendedHighest
        status.jitter = statistics.jitter
        if configuration.playsTogether {
            status.playout = playoutPoint(ofReceiver: node - 1, session: session, at: now)
        }
        return .receiving(status)
    }
}
