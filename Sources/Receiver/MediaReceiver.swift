import DequeModule
import Timebase
import Wire

/// The receiving end of a stream, all by the receiver's own clock: a session receiver, a playout buffer, and the
/// receiver of the program that comes out of it.
///
/// It knows only what a receiver can know: bytes and their arrival. Whatever may hand on datagrams that it has recovered
/// stands between session and playout and allocates their slots from the pool.
public struct MediaReceiver: Sendable {
    private let hasRTP: Bool
    private var session: SessionReceiver
    private var playout: PlayoutBuffer
    private var program: ProgramReceiver
    /// Follows the sender's clock where that is wanted.
    private var follower: ClockFollower?
    /// Where releases follow the sender's clock, its latest report: a time in the stream, and what that clock showed then.
    private var report: (sourceTime: TimeSpan, shown: LocalInstant)?
    /// Whether releases count from the sender's clock as the receiver's synchronized clock has it.
    public let followsSender: Bool
    /// How much later than by its own playout everything is presented, so that others can keep up.
    private var waited = TimeSpan.zero
    /// What the latest timeout has released.
    private var released: ReceiverOutput?
    private var discarded = Deque<ReceiverOutput>()

    /// When the receiver next has something to do, by its own clock.
    ///
    /// Stored, not computed: whoever keeps receivers in an array reads it without a copy of the receiver.
    public private(set) var nextTimeout = LocalInstant.distantFuture

    /// A receiver that no datagram has come to.
    public init(_ configuration: ReceiverConfiguration) {
        hasRTP = configuration.hasRTP
        session = SessionReceiver(configuration)
        playout = PlayoutBuffer(configuration)
        program = ProgramReceiver(keepsUnits: configuration.keepsUnits, mayCrash: configuration.mayCrash)
        followsSender = configuration.anchor == .senderClock
        follower = configuration.clockRecovery == .none ? nil : ClockFollower(configuration.clockRecovery)
    }

    /// What receiver reports say; nothing without RTP.
    public var statistics: ReceptionStatistics { session.statistics }
    /// See ``PlayoutBuffer/underruns``.
    public var underruns: Int64 { playout.underruns }
    /// See ``PlayoutBuffer/hasRunDry``.
    public var hasRunDry: Bool { playout.hasRunDry }
    /// Datagrams that found the playout buffer full.
    public var overflows: Int64 { playout.overflows }

    /// How long what waits for playout will last after `now`.
    public func bufferDepth(at now: LocalInstant) -> TimeSpan { playout.depth(at: now) }

    /// Takes what a sender's report says, at its arrival: at which reading of the sender's clock a timestamp was taken.
    public mutating func take(report timestamp: UInt32, shown: LocalInstant, at now: LocalInstant) {
        guard followsSender || follower != nil, let time = session.sourceTime(ofTimestamp: timestamp) else { return }
        report = (time, shown)
        follower?.add(report: time, arrival: now)
    }

    /// Takes note of what the receiver's synchronized clock now shows more than the one that its timers run on.
    public mutating func take(correction: TimeSpan) {
        guard let report else { return }
        playout.setAnchor(report.shown - report.sourceTime - correction)
    }

    /// When the latest datagram came and is due; nil before the first, and without RTP.
    public func playoutPoint(at now: LocalInstant) -> PlayoutPoint? {
        guard let timestamp = session.latestTimestamp, let time = session.sourceTime(ofTimestamp: timestamp),
            let arrival = statistics.arrival(ofTimestamp: timestamp, near: now),
            let release = playout.release(ofSourceTime: time)
        else { return nil }
        return PlayoutPoint(timestamp: timestamp, arrival: arrival, presentation: release)
    }

    /// Presents what has a timestamp at an instant, and everything else so much later or earlier as well: never earlier
    /// than by its own playout, and not at all where it is off by no more than a millisecond.
    public mutating func present(_ timestamp: UInt32, at wanted: LocalInstant, from now: LocalInstant) {
        guard let due = session.sourceTime(ofTimestamp: timestamp).flatMap({ playout.release(ofSourceTime: $0) }) else {
            return
        }
        let change = PlayoutPoint.change(from: due, to: wanted, waited: waited)
        guard change != .zero else { return }
        playout.shift(by: change, at: now)
        waited += change
        rearm()
    }

    /// Does with what is presented what a viewer asks for.
    public mutating func apply(_ action: PlaybackAction, at now: LocalInstant) {
        program.apply(action, at: now)
        rearm()
    }

    /// Where playback stands, on the scale of the stream's clock references; nil before the first of these.
    public func position(at now: LocalInstant) -> TimeSpan? { program.position(at: now) }

    /// Whether a viewer has stopped the presentation.
    public var isPaused: Bool { program.isPaused }

    /// Takes a datagram of the stream; its slot is whoever's who takes it out again.
    public mutating func handle(_ packet: Packet, _ pool: inout PacketPool, at now: LocalInstant) {
        let payload = pool.bytes(packet.slot, count: Int(packet.length) - Packet.networkHeaderLength).bytes
        if let output = session.handle(packet, payload: payload, at: now) {
            take(output)
        } else {
            while let output = session.pollOutput() { take(output) }
        }
        rearm()
    }

    /// Releases a datagram or presents a unit: what is due first, if that is by `now`.
    public mutating func handleTimeout(_ pool: inout PacketPool, at now: LocalInstant) {
        guard nextTimeout <= now else { return }
        if playout.nextTimeout <= program.nextTimeout {
            release(pool, at: now)
        } else {
            program.handleTimeout(at: now)
        }
        rearm()
    }

    /// What the receiver did; to be polled until nil before the next timeout is handled.
    public mutating func pollOutput() -> ReceiverOutput? {
        if let output = released {
            released = nil
            return output
        }
        switch program.pollOutput() {
        case .presented(let lane, let presentation): return .presented(lane: lane, presentation: presentation)
        case .closed(let unit): return .closed(unit)
        case .forgotten(let lane, let presentation, let verdict):
            return .forgotten(lane: lane, presentation: presentation, verdict)
        case nil: return discarded.popFirst()
        }
    }

    /// The receiver crashes: what is in it is gone, the rest of the outputs says what.
    public mutating func crash() {
        session.finish()
        while let output = session.pollOutput() {
            switch output {
            case .media(let datagram): discarded.append(.discarded(datagram.packet, .forgotten))
            case .discarded(let packet, let reason): discarded.append(.discarded(packet, reason))
            }
        }
        for packet in playout.forget() { discarded.append(.discarded(packet, .forgotten)) }
        program.forget()
        rearm()
    }

    /// It is back, and has nothing but what it counts: to be called behind ``crash()``, when its outputs have been polled.
    public mutating func restart(_ configuration: ReceiverConfiguration) {
        session = SessionReceiver(configuration)
        playout.restart()
        program = ProgramReceiver(keepsUnits: configuration.keepsUnits, mayCrash: configuration.mayCrash)
        follower = configuration.clockRecovery == .none ? nil : ClockFollower(configuration.clockRecovery)
        report = nil
        waited = .zero
        rearm()
    }

    /// Closes what is open: no datagram is under way any more.
    public mutating func finish() {
        session.finish()
        while let output = session.pollOutput() { take(output) }
        program.finish()
    }

    private mutating func rearm() { nextTimeout = min(playout.nextTimeout, program.nextTimeout) }

    private mutating func take(_ output: SessionReceiver.Output) {
        switch output {
        case .media(let datagram):
            if let zero = follower?.add(sourceTime: datagram.sourceTime, arrival: datagram.arrival - datagram.hold) {
                playout.setAnchor(zero + waited)
            }
            switch playout.handle(datagram) {
            case .buffered: break
            case .late: discarded.append(.discarded(datagram.packet, .late))
            case .overflow: discarded.append(.discarded(datagram.packet, .overflow))
            }
        case .discarded(let packet, let reason): discarded.append(.discarded(packet, reason))
        }
    }

    private mutating func release(_ pool: borrowing PacketPool, at now: LocalInstant) {
        guard let entry = playout.pollOutput(at: now) else { return }
        precondition(released == nil)
        released = .released(entry.packet, arrival: entry.arrival, depth: playout.depth(at: now))
        program.changedByte = pool.changedByte(of: entry.packet)
        let length = Int(entry.packet.length) - Packet.networkHeaderLength
        program.handle(
            pool.bytes(entry.packet.slot, count: length).bytes, from: entry.start,
            number: hasRTP ? entry.number : nil, at: entry.release, shift: entry.shift)
    }
}
