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
        case closed(lane: Int, presentation: Int64?, UnitVerdict)
    }

    /// When the next unit is due, by the receiver's own clock.
    private(set) var nextTimeout = LocalInstant.distantFuture
    /// The lane of the unit that is due then.
    private var nextLane = 0
    private var demultiplexer = Demultiplexer()
    private var presenters: [Presenter] = []
    private var units: [Unit?] = []
    private var latestNumber: Int64?
    /// Transport packets of the largest datagram taken.
    private var largestCount = 1
    private var reference = WrapUnwrapper(bits: 33)
    /// Of a release and the clock reference released then: the clock that is rebuilt.
    private var clock: (local: LocalInstant, ticks: Int64)?
    /// How much later releases are now than they were at first; the rebuilt clock goes with them.
    private var shift = TimeSpan.zero
    private var outputs = Deque<Output>()

    /// A unit that has begun and is not closed.
    private struct Unit: Sendable {
        var presentation: Int64?
        var due: LocalInstant?
    }

    init() {}

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
        demultiplexer.handle(payload, packets: count, from: start, released: release)
        drainDemultiplexer(release: release)
    }

    /// Presents the next unit that is due by `now`.
    mutating func handleTimeout(at now: LocalInstant) {
        guard nextTimeout <= now, let unit = presenters[nextLane].present(at: now) else { return }
        outputs.append(.presented(lane: nextLane, presentation: unit.presentation))
        rearm()
    }

    mutating func pollOutput() -> Output? { outputs.popFirst() }

    /// Closes what is open: nothing more will come.
    public mutating func finish() {
        demultiplexer.finish()
        drainDemultiplexer(release: LocalInstant(nanoseconds: 0))
    }

    private mutating func rearm() {
        nextTimeout = .distantFuture
        for lane in presenters.indices where presenters[lane].nextDue < nextTimeout {
            nextTimeout = presenters[lane].nextDue
            nextLane = lane
        }
    }

    private mutating func drainDemultiplexer(release: LocalInstant) {
        while let event = demultiplexer.pollOutput() {
            switch event {
            case .reference(let ticks):
                let base = reference.unwrap(UInt64(ticks / 300))
                if clock == nil { clock = (release - shift, base * 300 + ticks % 300) }
            case .began(let lane, let pts): begin(lane, pts: pts, at: release)
            case .closed(let lane, let lastByte, let isDamaged):
                close(lane, lastByte: lastByte, isDamaged: isDamaged)
            }
        }
    }

    private mutating func begin(_ lane: Int, pts: Int64?, at release: LocalInstant) {
        while presenters.count <= lane {
            presenters.append(Presenter())
            units.append(nil)
        }
        var unit = Unit(presentation: nil, due: nil)
        if let pts {
            let presentation = reference.nearest(UInt64(pts))
            unit.presentation = presentation
            if let clock {
                let ticks = presentation * 300 - clock.ticks
                let due = clock.local + shift + MediaClock.span(ticks: ticks, rate: MediaClock.system)
                unit.due = due
                // What begins after its time is not shown any more.
                if due >= release {
                    presenters[lane].add(.init(presentation: presentation, due: due))
                    rearm()
                }
            }
        }
        units[lane] = unit
    }

    private mutating func close(_ lane: Int, lastByte: LocalInstant, isDamaged: Bool) {
        guard lane < units.count, let unit = units[lane] else { return }
        units[lane] = nil
        // Before the first clock reference nobody knows when a unit is due: it is never shown, and so is missing.
        if unit.presentation != nil, unit.due == nil { return }
        let isLate = unit.due.map { lastByte > $0 } ?? false
        outputs.append(
            .closed(
                lane: lane, presentation: unit.presentation,
                isDamaged ? .damaged : isLate ? .late : .onTime))
    }
}
