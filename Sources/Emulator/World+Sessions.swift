import BasicContainers
import ClockSync
import Receiver
import Sender
import Timebase

/// A program whose substreams have RTP sessions of their own: its senders and receivers in the World.
extension World {
    static func sessionSenders(_ senders: [SubstreamSender]) -> RigidArray<SubstreamSender> {
        var array = RigidArray<SubstreamSender>(capacity: senders.count)
        for sender in senders { array.append(sender) }
        return array
    }

    static func sessionReceivers(_ configuration: WorldConfiguration) -> RigidArray<SessionsReceiver> {
        guard let sessions = configuration.sessions else { return RigidArray(capacity: 0) }
        var receivers = RigidArray<SessionsReceiver>(capacity: configuration.receivers.count)
        for receiver in configuration.receivers {
            receivers.append(SessionsReceiver(sessions.descriptions, receiver.media, control: receiver.lipSync))
        }
        return receivers
    }

    mutating func startSessions() {
        for session in 0..<sessionSenders.count {
            sessionSenders[session].start(at: captureClock(session).reading(at: .zero))
        }
    }

    /// Whether the program has been sent, or is not sent at all.
    var hasSentAll: Bool {
        guard !sessionSenders.isEmpty else { return sender.isFinished }
        for session in 0..<sessionSenders.count where !sessionSenders[session].isFinished { return false }
        return true
    }

    /// The clock on which a session's substream is captured.
    func captureClock(_ session: Int) -> Oscillator { captureClocks[session] ?? clocks[0].raw }

    /// What has been sent of each substream.
    var sentCounters: [Multiplexer.SubstreamCounters] {
        sessionSenders.isEmpty
            ? sender.multiplexer.counters : (0..<sessionSenders.count).map { sessionSenders[$0].counters }
    }

    mutating func stopSessions(at now: Instant) {
        for session in 0..<sessionSenders.count {
            sessionSenders[session].stop(at: captureClock(session).reading(at: now))
            rearmSession(session)
        }
        if !sessionSenders.isEmpty, configuration.sendsProgram, hasSentAll { stopOthers() }
    }

    /// Serves what a session's sender has to do by `now`.
    mutating func serveSession(_ session: Int, at now: Instant) {
        sessionSenders[session].handleTimeout(&pool, at: captureClock(session).reading(at: now))
        if let unit = sessionSenders[session].pollBegun() {
            ledger.note(begunUnit: SentUnit(unit), lane: session)
            if configuration.taps.media {
                ledger.emit(.begun(BegunUnit(lane: session, timestamp: Int64(unit.timestamp), media: unit.unit)))
            }
        }
        while var packet = sessionSenders[session].pollOutput() {
            packet.sent = now
            if configuration.taps.media {
                pool.retain(packet.slot)
                ledger.emit(.sentMedia(packet))
            }
            if hasFaults { sendFaulty(packet, at: now) } else { sendInSession(packet, at: now) }
        }
        rearmSession(session)
        if sessionSenders[session].isFinished, hasSentAll { stopOthers() }
    }

    /// A datagram of a session goes out.
    mutating func sendInSession(_ packet: Packet, at now: Instant) {
        capture(packet, .sender, at: now)
        ledger.note(sent: packet, session: Int(packet.flow), at: now)
        hand(packet, to: topology.entries[Int(packet.flow)], at: now)
    }

    /// A receiver takes a datagram of a session.
    mutating func takeInSession(_ packet: Packet, receiver: Int, at now: Instant) {
        let measured = clocks[1 + receiver].reading(at: now) - clocks[0].reading(at: packet.sent)
        var packet = packet
        packet.time = now
        let payload = pool.bytes(packet.slot, count: packet.payloadCount).bytes
        let row = ledger.row(receiver, flow: packet.flow)
        ledger.note(.arrived(packet, receiver: row, measured: measured), payload, at: now)
        let local = clocks[1 + receiver].raw.reading(at: now)
        if sessionReceivers[receiver].followsSender {
            sessionReceivers[receiver].take(
                correction: clocks[1 + receiver].reading(at: now) - local, session: Int(packet.flow))
        }
        sessionReceivers[receiver].handle(packet, session: Int(packet.flow), pool, at: local)
        drainSessions(ofReceiver: receiver, at: now)
        rearmReceiver(receiver)
    }

    mutating func serveSessions(ofReceiver index: Int, at now: Instant) {
        let local = clocks[1 + index].raw.reading(at: now)
        while sessionReceivers[index].nextTimeout <= local {
            sessionReceivers[index].handleTimeout(pool, at: local)
            drainSessions(ofReceiver: index, at: now)
        }
        rearmReceiver(index)
    }

    /// A sender's report has come to a receiver's agent.
    mutating func take(report timestamp: UInt32, shown: LocalInstant, session: Int, receiver: Int, at now: Instant) {
        sessionReceivers[receiver].take(
            report: timestamp, shown: shown, session: session, at: clocks[1 + receiver].raw.reading(at: now))
        rearmReceiver(receiver)
    }

    /// Tells the ledger what a receiver did, and takes its datagrams back.
    mutating func drainSessions(ofReceiver index: Int, at now: Instant) {
        while let output = sessionReceivers[index].pollOutput() {
            switch output {
            case .released(let packet, _, let depth):
                let row = ledger.row(index, flow: packet.flow)
                ledger.note(releaseInSession: .released(packet, receiver: row, depth: depth), at: now)
                if configuration.taps.media {
                    ledger.emit(.releasedMedia(packet, receiver: index))
                } else {
                    pool.release(packet.slot)
                }
            case .discarded(let packet, let reason):
                let row = ledger.row(index, flow: packet.flow)
                ledger.note(.discarded(packet, receiver: row, reason), at: now)
                pool.release(packet.slot)
            case .presented(let lane, let ticks): present(lane, ticks: ticks, receiver: index, at: now)
            case .closed(let unit): ledger.note(.closed(receiver: ledger.row(index, flow: 0), unit), at: now)
            case .forgotten(let lane, let ticks, let verdict):
                ledger.note(
                    .forgotten(receiver: ledger.row(index, flow: 0), lane: lane, ticks: ticks, verdict), at: now)
            }
        }
    }

    /// Where the first session's playback stands at a receiver, as ``position(ofReceiver:)`` has it.
    func position(inSessionsOf index: Int, at local: LocalInstant) -> TimeSpan? {
        guard let time = sessionReceivers[index].position(at: local), !faults.isDown(1 + index, at: local),
            let rate = configuration.clockRate(0)
        else { return nil }
        // Timestamps are known modulo 2^32 ticks.
        let ticks = MediaClock.ticks(time, rate: Int64(rate))
        let rest = time - MediaClock.span(ticks: ticks, rate: Int64(rate))
        let clock = captureClock(0)
        let zero = sessionSenders[0].zero
        let elapsed =
            sessionSenders[0].rtp.elapsed(
                ofTimestamp: UInt32(truncatingIfNeeded: ticks), near: clock.reading(at: now) - zero) + rest
        let place =
            captureClocks[0] == nil
            ? elapsed : clocks[0].raw.reading(at: clock.instant(showing: zero + elapsed)) - sender.zero
        return min(place, sentCounters.compactMap(\.lastPresentationEnd).max() ?? .zero)
    }

    /// How long after a session's zero, by the clock of its own, a place on the program's timeline is captured.
    func elapsed(inSession session: Int, atPlace place: TimeSpan) -> TimeSpan {
        captureClock(session).reading(at: clocks[0].raw.instant(showing: sender.zero + place))
            - sessionSenders[session].zero
    }

    private mutating func present(_ lane: Int, ticks: Int64, receiver: Int, at now: Instant) {
        let zero = sessionSenders[lane].zero
        let clock = captureClock(lane)
        let media = sessionSenders[lane].rtp.elapsed(
            ofTimestamp: UInt32(truncatingIfNeeded: ticks), near: clock.reading(at: now) - zero)
        let captured = clock.instant(showing: zero + media)
        // On the program's timeline, by the node's own clock: what all substreams are compared on.
        let place = captureClocks[lane] == nil ? media : clocks[0].raw.reading(at: captured) - sender.zero
        let end = ledger.pictureLane.flatMap { sessionSenders[$0].counters.lastPresentationEnd } ?? .zero
        ledger.note(
            RunLedger.Presentation(lane: lane, media: place, captured: captured), ticks: ticks,
            row: ledger.row(receiver, flow: 0), at: now, picturesEnd: end)
    }

    /// Nothing is under way any more: closes what is open.
    mutating func finishSessions() {
        let spans = sentCounters.map(\.span)
        for index in 0..<sessionReceivers.count {
            sessionReceivers[index].finish()
            drainSessions(ofReceiver: index, at: now)
            ledger.finish(sessionsOf: index, spans: spans)
        }
    }
}
