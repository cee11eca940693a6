import Timebase

/// The receiving end of a program whose substreams come in RTP sessions of their own: a receiver for each, and what keeps
/// them together.
public struct SessionsReceiver: Sendable {
    private var sessions: [SubstreamReceiver]
    /// How much later than by its own playout each session is presented.
    private var waits: [TimeSpan]
    /// How much later than by their own playout all are presented, so that other receivers can keep up.
    private var waited = TimeSpan.zero
    private let control: LipSyncControl?
    /// Whether releases count from the sender's clock as the receiver's synchronized clock has it.
    public let followsSender: Bool
    /// Moves of sessions so far.
    private(set) var corrections: Int64 = 0
    /// When the receiver next has something to do, by its own clock.
    public private(set) var nextTimeout = LocalInstant.distantFuture
    /// The session that has it.
    private var nextSession = 0
    /// Sessions that may have an output to be polled.
    private var polled = 0

    /// - Parameters:
    ///   - sessions: as the description lists them; lanes and flows count them.
    ///   - control: nil: nothing is done about skew.
    public init(_ sessions: [SubstreamSession], _ configuration: ReceiverConfiguration, control: LipSyncControl?) {
        self.sessions = sessions.map { SubstreamReceiver($0, configuration) }
        self.control = control
        followsSender = configuration.anchor == .senderClock
        waits = sessions.map { _ in .zero }
    }

    /// What receiver reports say of a session.
    public func statistics(ofSession session: Int) -> ReceptionStatistics { sessions[session].statistics }
    /// See ``PlayoutBuffer/underruns``.
    public func underruns(ofSession session: Int) -> Int64 { sessions[session].playout.underruns }
    /// See ``PlayoutBuffer/hasRunDry``.
    public func hasRunDry(_ session: Int) -> Bool { sessions[session].playout.hasRunDry }
    /// Datagrams that found the session's playout buffer full.
    public func overflows(ofSession session: Int) -> Int64 { sessions[session].playout.overflows }

    /// How long what waits in a session's buffer will last after `now`.
    public func bufferDepth(ofSession session: Int, at now: LocalInstant) -> TimeSpan {
        sessions[session].playout.depth(at: now)
    }

    /// Takes a datagram of a session; its slot is whoever's who takes it out again.
    public mutating func handle(
        _ packet: Packet, session: Int, _ pool: borrowing PacketPool, at now: LocalInstant
    ) {
        sessions[session].handle(packet, pool, at: now)
        polled = 0
        rearm()
    }

    /// Does what is due first, if that is by `now`.
    public mutating func handleTimeout(_ pool: borrowing PacketPool, at now: LocalInstant) {
        guard nextTimeout <= now else { return }
        sessions[nextSession].handleTimeout(pool, at: now)
        polled = 0
        rearm()
    }

    /// What was done, with lanes counted as the sessions; to be polled until nil after every other verb. Presentations are
    /// ticks of the session's clock.
    public mutating func pollOutput() -> ReceiverOutput? {
        while polled < sessions.count {
            switch sessions[polled].pollOutput() {
            case .released(let packet, let arrival, let depth):
                return .released(packet, arrival: arrival, depth: depth)
            case .discarded(let packet, let reason): return .discarded(packet, reason)
            case .presented(let ticks): return .presented(lane: polled, presentation: ticks)
            case .closed(var unit):
                unit.lane = polled
                return .closed(unit)
            case .forgotten(let ticks, let verdict):
                return .forgotten(lane: polled, presentation: ticks, verdict)
            case nil: polled += 1
            }
        }
        return nil
    }

    /// Takes note of what the receiver's synchronized clock now shows more than the one that its timers run on.
    public mutating func take(correction: TimeSpan, session: Int) { sessions[session].take(correction: correction) }

    /// Takes what a sender's report says of a session, and moves all sessions by it where they are kept together.
    public mutating func take(report timestamp: UInt32, shown: LocalInstant, session: Int, at now: LocalInstant) {
        sessions[session].take(report: timestamp, shown: control?.takesArrivals == true ? now : shown, at: now)
        guard let control else { return }
        let delays = sessions.map(\.delaySinceCapture)
        let latest = zip(delays, waits).compactMap { delay, wait in delay.map { $0 - wait } }.max()
        guard let latest else { return }
        for index in sessions.indices {
            guard let delay = delays[index] else { continue }
            let change = control.change(waiting: waits[index], delay: delay, latest: latest)
            guard change != .zero else { continue }
            sessions[index].shift(by: change, at: now)
            waits[index] += change
            corrections += 1
        }
        rearm()
    }

    /// When the latest datagram of a session came and is due; nil before the first.
    public func playoutPoint(ofSession session: Int, at now: LocalInstant) -> PlayoutPoint? {
        sessions[session].playoutPoint(at: now)
    }

    /// Presents what has a timestamp in the first session at an instant, and everything else so much later or earlier as
    /// well: see ``MediaReceiver/present(_:at:from:)``.
    public mutating func present(_ timestamp: UInt32, at wanted: LocalInstant, from now: LocalInstant) {
        guard let due = sessions.first?.due(ofTimestamp: timestamp) else { return }
        let change = PlayoutPoint.change(from: due, to: wanted, waited: waited)
        guard change != .zero else { return }
        for index in sessions.indices { sessions[index].shift(by: change, at: now) }
        waited += change
        rearm()
    }

    /// Does with what is presented what a viewer asks for: see ``ProgramReceiver``'s playback.
    public mutating func apply(_ action: PlaybackAction, at now: LocalInstant) {
        switch action {
        case .pause, .play: for index in sessions.indices { sessions[index].pause(action == .pause, at: now) }
        case .seek(let timestamp):
            guard let wanted = sessions.first?.due(ofTimestamp: UInt32(truncatingIfNeeded: timestamp)) else { return }
            let place = max(wanted, sessions.compactMap(\.firstDue).min() ?? wanted)
            for index in sessions.indices { sessions[index].seek(place, at: now) }
        }
        rearm()
    }

    /// Whether a viewer has stopped the presentation.
    public var isPaused: Bool { sessions.first?.isPaused == true }

    /// Which time in the first session's stream is presented; nil before its first datagram.
    public func position(at now: LocalInstant) -> TimeSpan? { sessions.first?.position(at: now) }

    /// The receiver crashes: what is in it is gone, the rest of the outputs says what.
    public mutating func crash() {
        for index in sessions.indices { sessions[index].crash() }
        polled = 0
        rearm()
    }

    /// It is back, and has nothing but what it counts: to be called behind ``crash()``, when its outputs have been polled.
    public mutating func restart() {
        for index in sessions.indices {
            sessions[index].restart()
            waits[index] = .zero
        }
        waited = .zero
        rearm()
    }

    /// Closes what is open: no datagram is under way any more.
    public mutating func finish() {
        for index in sessions.indices { sessions[index].finish() }
        polled = 0
    }

    private mutating func rearm() {
        nextTimeout = .distantFuture
        for index in sessions.indices where sessions[index].nextTimeout < nextTimeout {
            nextTimeout = sessions[index].nextTimeout
            nextSession = index
        }
    }
}
