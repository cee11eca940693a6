import DequeModule
import Timebase
import Wire

/// The receiving end of one substream's RTP session, all by the receiver's own clock: reception, a playout buffer, and
/// the presentation of the units that come out of it.
///
/// A unit is presented when its datagrams are due: the playout delay after they would have come had the network held
/// them as long as the first, by the timestamps. The clock rebuilt is the receiver's own, or follows the sender's; with
/// ``LipSyncControl`` it is moved by what the sender's reports say.
struct SubstreamReceiver: Sendable {
    /// What was done.
    enum Output: Sendable {
        case released(Packet, arrival: LocalInstant, depth: TimeSpan)
        case discarded(Packet, ReceiverOutput.Discard)
        /// `ticks` of the session's clock, unwrapped.
        case presented(ticks: Int64)
        /// Of lane 0.
        case closed(ReceivedUnit)
        /// A unit that had been closed will not be presented after all.
        case forgotten(ticks: Int64, UnitVerdict)
    }

    private var reception: SubstreamReception
    private(set) var playout: PlayoutBuffer
    private var assembler = UnitAssembler()
    private var presenter: Presenter
    private var playback = Playback()
    private let keepsUnits: Bool
    private let session: SubstreamSession
    private let mayCrash: Bool
    private let doubtsHeaders: Bool
    private var format: RTPPayloadFormat { session.format }
    /// A tick of the session's clock: timestamps are no finer.
    private let tolerance: TimeSpan
    private let recovery: ClockRecovery
    /// Follows the sender's clock where that is wanted.
    private var follower: ClockFollower?
    /// How much later everything is presented than by the anchor.
    private var shifted = TimeSpan.zero
    /// How much later than by the first anchor the latest datagram was released, and the one before: a unit's last one is
    /// either.
    private var shifts = (latest: TimeSpan.zero, before: TimeSpan.zero)
    private var outputs = Deque<Output>()
    /// The sender's latest report: a time in the stream, and what the sender's clock showed then.
    private var report: (sourceTime: TimeSpan, shown: LocalInstant)?
    private(set) var nextTimeout = LocalInstant.distantFuture

    init(_ session: SubstreamSession, _ configuration: ReceiverConfiguration) {
        self.session = session
        mayCrash = configuration.mayCrash
        recovery = configuration.clockRecovery
        keepsUnits = configuration.keepsUnits
        presenter = Presenter(keepsUnits: keepsUnits)
        follower = recovery == .none ? nil : ClockFollower(sessionBy: recovery)
        tolerance = MediaClock.span(ticks: 1, rate: session.format.clockRate, .up)
        doubtsHeaders = configuration.doubtsHeaders
        reception = SubstreamReception(
            session, doubtsHeaders: doubtsHeaders, followsClock: configuration.clockRecovery != .none)
        playout = PlayoutBuffer(
            delay: configuration.playoutDelay, latePolicy: configuration.latePolicy, tolerance: tolerance)
    }

    var statistics: ReceptionStatistics { reception.statistics }

    /// Takes a datagram; its slot is whoever's who takes it out again.
    mutating func handle(_ packet: Packet, _ pool: borrowing PacketPool, at now: LocalInstant) {
        let payload = pool.bytes(packet.slot, count: packet.payloadCount).bytes
        switch reception.receive(packet, payload, at: now) {
        case .discarded(let packet, let reason): outputs.append(.discarded(packet, reason))
        case .media(let datagram):
            if let zero = follower?.add(sourceTime: datagram.sourceTime, arrival: datagram.arrival - datagram.hold) {
                playout.setAnchor(zero + shifted)
            }
            switch playout.handle(datagram) {
            // A unit's packets are due with those that follow them and are due earlier: others refer to it.
            case .buffered: playout.bringForward(before: datagram.number)
            case .late: outputs.append(.discarded(packet, .late))
            case .overflow: outputs.append(.discarded(packet, .overflow))
            }
        }
        rearm()
    }

    /// Releases a datagram or presents a unit: what is due first, if that is by `now`.
    mutating func handleTimeout(_ pool: borrowing PacketPool, at now: LocalInstant) {
        guard nextTimeout <= now else { return }
        if playout.nextTimeout <= playback.presentation(of: presenter.nextDue) {
            release(pool, at: now)
        } else if let unit = presenter.present(at: now - playback.lag) {
            outputs.append(.presented(ticks: unit.presentation))
        }
        rearm()
    }

    /// What was done; to be polled until nil before the next timeout is handled.
    mutating func pollOutput() -> Output? { outputs.popFirst() }

    /// Closes what is open: no datagram is under way any more.
    mutating func finish() {
        assembler.finish()
        drain(at: LocalInstant(nanoseconds: 0))
    }

    /// It crashes: what is in it is gone, the rest of the outputs says what.
    mutating func crash() {
        for packet in playout.forget() { outputs.append(.discarded(packet, .forgotten)) }
        assembler.forget()
        for (ticks, verdict) in presenter.forget() { outputs.append(.forgotten(ticks: ticks, verdict)) }
        rearm()
    }

    /// It is back, and has nothing but what it counts: to be called behind ``crash()``, when its outputs have been polled.
    mutating func restart() {
        reception = SubstreamReception(session, doubtsHeaders: doubtsHeaders, followsClock: recovery != .none)
        follower = recovery == .none ? nil : ClockFollower(sessionBy: recovery)
        shifted = .zero
        playout.restart()
        shifts = (.zero, .zero)
        assembler = UnitAssembler()
        presenter = Presenter(keepsUnits: keepsUnits)
        playback = Playback()
        report = nil
        rearm()
    }

    /// Takes what a sender's report says: at which reading of the sender's clock a timestamp was taken.
    mutating func take(report timestamp: UInt32, shown: LocalInstant, at now: LocalInstant) {
        // Before the first datagram nobody knows in which round of the timestamps it is.
        guard !reception.statistics.isEmpty else { return }
        let time = reception.span(reception.ticks(ofTimestamp: timestamp))
        report = (time, shown)
        follower?.add(report: time, arrival: now)
    }

    /// Takes note of what the receiver's synchronized clock now shows more than the one that its timers run on: releases
    /// count from when what the timestamps give as zero was sent by the sender's latest report.
    mutating func take(correction: TimeSpan) {
        guard let report else { return }
        playout.setAnchor(report.shown - report.sourceTime + session.sendingDelay - correction + shifted)
    }

    /// How much later than their capture by the sender's reports units are presented, from a zero that all sessions of one
    /// sender share; nil before the first report and before the first datagram.
    var delaySinceCapture: TimeSpan? {
        guard let report, let due = playout.release(ofSourceTime: report.sourceTime) else { return nil }
        return .nanoseconds(due.nanoseconds - report.shown.nanoseconds)
    }

    /// Presents everything so much later from now on; negative: earlier.
    mutating func shift(by span: TimeSpan, at now: LocalInstant) {
        shifted += span
        playout.shift(by: span, at: now)
        rearm()
    }

    /// When the latest datagram came and is due; nil before the first.
    func playoutPoint(at now: LocalInstant) -> PlayoutPoint? {
        guard let timestamp = reception.latestTimestamp,
            let arrival = statistics.arrival(ofTimestamp: timestamp, near: now), let due = due(ofTimestamp: timestamp)
        else { return nil }
        return PlayoutPoint(timestamp: timestamp, arrival: arrival, presentation: due)
    }

    /// When what has a timestamp is due, whatever viewers do; nil before the first datagram.
    func due(ofTimestamp timestamp: UInt32) -> LocalInstant? {
        playout.release(ofSourceTime: reception.span(reception.ticks(ofTimestamp: timestamp)))
    }

    /// Whether a viewer has stopped the presentation.
    var isPaused: Bool { playback.isPaused }

    /// When the earliest unit kept was due.
    var firstDue: LocalInstant? { presenter.firstDue }

    /// What time in the stream, unwrapped, is presented at an instant; nil before the first datagram.
    func position(at now: LocalInstant) -> TimeSpan? { playout.sourceTime(ofRelease: playback.due(at: now)) }

    /// Stops the presentation, or lets it go on where it stands.
    mutating func pause(_ stops: Bool, at now: LocalInstant) {
        if stops { playback.pause(at: now) } else { playback.play(at: now) }
        rearm()
    }

    /// Goes to what was due at `place`.
    mutating func seek(_ place: LocalInstant, at now: LocalInstant) {
        playback.go(to: place, at: now)
        presenter.seek(now - playback.lag)
        rearm()
    }

    private mutating func rearm() {
        nextTimeout = min(playout.nextTimeout, playback.presentation(of: presenter.nextDue))
    }

    private mutating func release(_ pool: borrowing PacketPool, at now: LocalInstant) {
        guard let entry = playout.pollOutput(at: now) else { return }
        shifts = (entry.shift, shifts.latest)
        outputs.append(.released(entry.packet, arrival: entry.arrival, depth: playout.depth(at: now)))
        let bytes = pool.bytes(entry.packet.slot, count: entry.packet.payloadCount).bytes
        guard let header = try? RTPHeader(parsing: bytes) else { return }
        let payload = bytes.extracting(header.payloadOffset..<header.payloadOffset + header.payloadCount)
        let changed = pool.changedByte(of: entry.packet)
        assembler.take(
            UnitAssembler.Arrival(
                part: try? PayloadPart(payload, of: format, marker: header.marker), byteCount: payload.byteCount,
                isChanged: changed.map { $0 >= header.payloadOffset } ?? false),
            ticks: reception.ticks(ofTimestamp: header.timestamp), number: entry.number, released: entry.release)
        drain(at: entry.release)
    }

    private mutating func drain(at release: LocalInstant) {
        while let event = assembler.pollOutput() {
            switch event {
            case .began(let ticks):
                guard let due = playout.release(ofSourceTime: reception.span(ticks), with: shifts.latest) else {
                    continue
                }
                // What begins after its time is not shown any more, unless a viewer goes back to it.
                let shown = playback.presentation(of: due)
                let isOver = shown < release - tolerance
                guard !isOver || keepsUnits else { continue }
                presenter.add(
                    .init(presentation: ticks, due: isOver ? due : max(due, release - playback.lag)), isOver: isOver)
            case .closed(let ticks, let closing):
                let due = playout.release(
                    ofSourceTime: reception.span(ticks), with: max(shifts.latest, shifts.before))
                let shown = due.map { playback.presentation(of: $0) }
                let isLate = shown.map { closing.lastByte - tolerance > $0 } ?? false
                let verdict: UnitVerdict = closing.isDamaged ? .damaged : isLate ? .late : .onTime
                if mayCrash { presenter.close(ticks, verdict) }
                outputs.append(
                    .closed(
                        ReceivedUnit(
                            lane: 0, presentation: ticks, verdict: verdict, coverage: closing.coverage,
                            isLeadingLate: isLate, isLate: isLate)))
            }
        }
    }
}
