import DequeModule
import Timebase
import Wire

/// Takes the program out of what was released: finds its units, rebuilds its clock, and presents each unit at its time
/// by that clock.
public struct ProgramReceiver: Sendable {
    /// What has come of the program's units.
    public enum Output: Sendable {
        /// A unit is on screen or heard from now on. `presentation` in 90 kHz ticks, unwrapped.
        case presented(lane: Int, presentation: Int64)
        /// All that will come of a unit has come.
        case closed(ReceivedUnit)
        /// A unit that had been closed will not be presented after all.
        case forgotten(lane: Int, presentation: Int64, UnitVerdict)
    }

    /// When the next unit is due, by the receiver's own clock.
    private(set) var nextTimeout = LocalInstant.distantFuture
    /// The lane of the unit that is due then.
    private var nextLane = 0
    private var demultiplexer = Demultiplexer()
    var presenters: [Presenter] = []
    private var units: [Unit?] = []
    private var latestNumber: Int64?
    /// Transport packets of the largest datagram taken.
    private var largestCount = 1
    var reference = WrapUnwrapper(bits: 33)
    /// Of a release and the clock reference released then: the clock that is rebuilt.
    var clock: (local: LocalInstant, ticks: Int64)?
    /// How much later releases are now than they were at first; the rebuilt clock goes with them.
    var shift = TimeSpan.zero
    private let keepsUnits: Bool
    private let mayCrash: Bool
    var playback = Playback()
    private var outputs = Deque<Output>()
    /// A place in the next datagram's payload at which it was changed on the way. The receiver knows nothing of it: it goes
    /// into ``UnitCoverage/isChanged`` and nowhere else.
    var changedByte: Int?

    /// A unit that has begun and is not closed.
    private struct Unit: Sendable {
        var presentation: Int64?
        var due: LocalInstant?
    }

    /// - Parameters:
    ///   - keepsUnits: see ``ReceiverConfiguration/keepsUnits``.
    ///   - mayCrash: see ``ReceiverConfiguration/mayCrash``.
    init(keepsUnits: Bool = false, mayCrash: Bool = false) {
        self.keepsUnits = keepsUnits
        self.mayCrash = mayCrash
    }

    /// Takes the transport packets of a datagram, from `start` of its payload on.
    ///
    /// - Parameters:
    ///   - number: its place in the stream; nil where places show no gap.
    ///   - release: when it was due to leave the playout buffer.
    ///   - shift: how much later that is than it would have been at first: what the anchor of releases has moved.
    mutating func handle(
        _ payload: RawSpan, from start: Int, number: Int64?, at release: LocalInstant, shift: TimeSpan = .zero
    ) {
        self.shift = shift
        let count = (payload.byteCount - start) / TransportPacket.length
        if let number {
            if let before = latestNumber, number > before + 1 {
                demultiplexer.noteGap(packets: Int(number - before - 1) * max(largestCount, count))
            }
            largestCount = max(largestCount, count)
            latestNumber = max(latestNumber ?? number, number)
        }
        demultiplexer.comparesRepetitions = number == nil
        if let place = changedByte, place >= start {
            handle(payload, count, from: start, changed: place, at: release)
        } else {
            demultiplexer.handle(payload, packets: count, from: start, released: release)
        }
        drainDemultiplexer(release: release)
    }

    /// Takes the packets of a datagram of which the byte at `changed` was changed.
    private mutating func handle(
        _ payload: RawSpan, _ count: Int, from start: Int, changed: Int, at release: LocalInstant
    ) {
        let before = min((changed - start) / TransportPacket.length, count)
        demultiplexer.handle(payload, packets: before, from: start, released: release)
        guard before < count else { return }
        let packet = start + before * TransportPacket.length
        demultiplexer.handleChanged(payload, from: packet, place: changed - packet, released: release)
        demultiplexer.handle(
            payload, packets: count - before - 1, from: packet + TransportPacket.length, released: release)
    }

    /// Presents the next unit that is due by `now`.
    mutating func handleTimeout(at now: LocalInstant) {
        guard nextTimeout <= now, let unit = presenters[nextLane].present(at: now - playback.lag) else { return }
        outputs.append(.presented(lane: nextLane, presentation: unit.presentation))
        rearm()
    }

    mutating func pollOutput() -> Output? { outputs.popFirst() }

    /// Forgets what waits for its presentation, and what has begun; the clock goes on.
    mutating func forget() {
        for lane in presenters.indices {
            units[lane] = nil
            for (presentation, verdict) in presenters[lane].forget() {
                outputs.append(.forgotten(lane: lane, presentation: presentation, verdict))
            }
        }
        rearm()
    }

    /// Closes what is open: nothing more will come.
    public mutating func finish() {
        demultiplexer.finish()
        drainDemultiplexer(release: LocalInstant(nanoseconds: 0))
    }

    mutating func rearm() {
        nextTimeout = .distantFuture
        for lane in presenters.indices where presenters[lane].nextDue < nextTimeout {
            nextTimeout = presenters[lane].nextDue
            nextLane = lane
        }
        nextTimeout = playback.presentation(of: nextTimeout)
    }

    private mutating func drainDemultiplexer(release: LocalInstant) {
        while let event = demultiplexer.pollOutput() {
            switch event {
            case .reference(let ticks):
                let base = reference.unwrap(UInt64(ticks / 300))
                if clock == nil { clock = (release - shift, base * 300 + ticks % 300) }
            case .began(let lane, let pts): begin(lane, pts: pts, at: release)
            case .closed(let lane, let closing): close(lane, closing)
            }
        }
    }

    private mutating func begin(_ lane: Int, pts: Int64?, at release: LocalInstant) {
        while presenters.count <= lane {
            presenters.append(Presenter(keepsUnits: keepsUnits))
            units.append(nil)
        }
        var unit = Unit(presentation: nil, due: nil)
        if let pts {
            let presentation = reference.nearest(UInt64(pts))
            unit.presentation = presentation
            if let clock {
                let due = self.due(presentation, clock)
                unit.due = due
                // What begins after its time is not shown any more, unless a viewer goes back to it.
                let isOver = playback.presentation(of: due) < release
                if !isOver || keepsUnits {
                    presenters[lane].add(.init(presentation: presentation, due: due), isOver: isOver)
                    rearm()
                }
            }
        }
        units[lane] = unit
    }

    /// - Parameter presentation: 90 kHz ticks, unwrapped.
    func due(_ presentation: Int64, _ clock: (local: LocalInstant, ticks: Int64)) -> LocalInstant {
        clock.local + shift + MediaClock.span(ticks: presentation * 300 - clock.ticks, rate: MediaClock.system)
    }

    private mutating func close(_ lane: Int, _ closing: Demultiplexer.Closing) {
        guard lane < units.count, let unit = units[lane] else { return }
        units[lane] = nil
        // Before the first clock reference nobody knows when a unit is due: it is never shown, and so is missing.
        if unit.presentation != nil, unit.due == nil { return }
        let due = unit.due.map { playback.presentation(of: $0) }
        let isLate = due.map { closing.lastByte > $0 } ?? false
        let verdict: UnitVerdict = closing.isDamaged ? .damaged : isLate ? .late : .onTime
        if mayCrash, let presentation = unit.presentation { presenters[lane].close(presentation, verdict) }
        outputs.append(
            .closed(
                ReceivedUnit(
                    lane: lane, presentation: unit.presentation, verdict: verdict, coverage: closing.coverage,
                    isLeadingLate: due.map { closing.lastLeadingByte > $0 } ?? false, isLate: isLate)))
    }
}
