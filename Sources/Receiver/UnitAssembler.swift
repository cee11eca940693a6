import DequeModule
import Timebase
import Wire

/// Finds the units in the packets of one substream's session, as they leave the playout buffer in their order.
///
/// Packets of one timestamp are one unit. It is whole when its first and its last packet are there and no number between
/// them is missing. The first one is known by the payload, or by a unit's end just before it; the last one by the
/// marker, by the payload, or by the next unit's begin just behind it.
struct UnitAssembler: Sendable {
    enum Event: Sendable, Equatable {
        /// A unit has begun, whole or not; its unwrapped timestamp.
        case began(Int64)
        /// A unit is over.
        case closed(Int64, Closing)
    }

    /// What a unit was when it was over.
    struct Closing: Sendable, Equatable, BitwiseCopyable {
        /// When its last byte was released.
        var lastByte: LocalInstant
        var isDamaged: Bool
        var coverage = UnitCoverage()
    }

    /// What came with a packet.
    struct Arrival {
        /// What its payload is of its unit; nil for one that cannot be read.
        var part: PayloadPart?
        var byteCount = 0
        /// That its payload was changed on the way, of which a receiver knows nothing.
        var isChanged = false
    }

    private struct Unit: Sendable {
        let ticks: Int64
        var closing: Closing

        mutating func add(_ arrival: Arrival, released now: LocalInstant) {
            closing.lastByte = now
            if arrival.part == nil || arrival.isChanged { closing.coverage.isChanged = true }
            if arrival.part == nil { closing.isDamaged = true }
            closing.coverage.datagramCount += 1
            closing.coverage.byteCount &+= UInt32(truncatingIfNeeded: arrival.byteCount)
            if !closing.isDamaged {
                closing.coverage.leadingByteCount &+= UInt32(truncatingIfNeeded: arrival.byteCount)
            }
        }
    }

    private var open: Unit?
    /// The unit that was closed last.
    private var latest: Int64?
    /// The number behind the latest packet's.
    private var next: Int64?
    /// Whether units of this session begin with delimiters: then nothing else begins one.
    private var hasDelimiters = false
    private var events = Deque<Event>()

    /// Takes a packet.
    mutating func take(_ arrival: Arrival, ticks: Int64, number: Int64, released now: LocalInstant) {
        let part = arrival.part
        let follows = number == next
        next = number + 1
        if part?.beginning == .certain { hasDelimiters = true }
        if open?.ticks != ticks {
            // More of a unit that is over already, as after a marker in the wrong place.
            guard latest != ticks else { return }
            let begins = part?.beginning == .certain || part?.beginning == .possible && !hasDelimiters
            // Without a gap the one before had its end, though nothing said so, and this one has its begin.
            close(isCutOff: !follows)
            open = Unit(ticks: ticks, closing: Closing(lastByte: now, isDamaged: !begins && !follows))
            events.append(.began(ticks))
        } else if !follows {
            open?.closing.isDamaged = true
        }
        open?.add(arrival, released: now)
        if part?.ends == true { close(isCutOff: false) }
    }

    /// What has been found, in order.
    mutating func pollOutput() -> Event? { events.popFirst() }

    /// Forgets what is open; the rest of it is of no use.
    mutating func forget() {
        latest = open?.ticks ?? latest
        open = nil
    }

    /// Closes what is open: nothing more will come.
    mutating func finish() { close(isCutOff: true) }

    private mutating func close(isCutOff: Bool) {
        guard var unit = open else { return }
        open = nil
        latest = unit.ticks
        if isCutOff { unit.closing.isDamaged = true }
        unit.closing.coverage.hasGap = unit.closing.isDamaged
        events.append(.closed(unit.ticks, unit.closing))
    }
}
