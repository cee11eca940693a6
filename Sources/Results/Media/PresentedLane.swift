import DequeModule
import Timebase
import Wire

/// One substream of what a receiver presents: its units in decoding order, from when they begin to come until it is known
/// when they were presented, if at all, and when they are to be decoded for that.
struct PresentedLane {
    /// A unit, of which parts may be missing.
    struct Unit {
        /// A PES packet.
        var bytes: [UInt8]
        /// By which it is known when it is presented: its PTS, or in a session of its own the datagrams' timestamp.
        var timestamp: Int64?
        /// By how much it is decoded before it is presented, as it was made; ticks of 90 kHz.
        var decodeLead: Int64 = 0
        var isRandomAccess = false
        /// All has come that will.
        var isClosed = false
        var fate = Fate.waiting
    }

    enum Fate: Equatable {
        /// It may still be presented.
        case waiting
        /// From then on; ticks of 90 kHz.
        case presented(Int64)
        /// Never, and of no use to others.
        case leftOut
    }

    /// A unit that can be written.
    struct Ready {
        var unit: Unit
        /// Ticks of 90 kHz; nil of one that goes on with the one before.
        var presentation: Int64?
        var decode: Int64
    }

    /// Whether units that came too late to be shown are decoded all the same, because others refer to them.
    private let isReferredTo: Bool
    /// Bits of a timestamp on the wire.
    private let timestampBits: Int64
    private var units = Deque<Unit>()
    /// Bytes of them all.
    private(set) var byteCount = 0
    /// Presentations get later by a tick at least.
    private var latestPresentation = Int64.min
    /// Of the latest unit that was handed out.
    private(set) var latestDecode = Int64.min
    /// Whether a unit without a time of its own has anything to go on with.
    private var goesOn = false

    init(isReferredTo: Bool, timestampBits: Int) {
        self.isReferredTo = isReferredTo
        self.timestampBits = Int64(timestampBits)
    }

    // MARK: What comes

    mutating func begin(_ unit: Unit) {
        close()
        byteCount += unit.bytes.count
        units.append(unit)
    }

    /// More comes of the unit that is open, if any is.
    mutating func changeOpen(_ body: (inout Unit) -> Void) {
        guard let last = units.indices.last, !units[last].isClosed else { return }
        byteCount -= units[last].bytes.count
        body(&units[last])
        byteCount += units[last].bytes.count
    }

    /// Of the unit that is open.
    var openTimestamp: Int64? { units.last.flatMap { $0.isClosed ? nil : $0.timestamp } }

    /// All has come of the unit that is open.
    mutating func close() {
        guard let last = units.indices.last else { return }
        units[last].isClosed = true
    }

    // MARK: What becomes of it

    /// A unit is presented from `instant` on, ticks of 90 kHz; or would be, if it could be decoded.
    mutating func present(_ timestamp: Int64, at instant: Int64, isShown: Bool) {
        let index = units.firstIndex { $0.fate == .waiting && distance($0.timestamp, timestamp) == 0 }
        guard let index else { return }
        guard isShown else {
            units[index].fate = .leftOut
            return
        }
        // What was due before it has been passed over. Before the first one shown nobody knew when it was due, or it is
        // of no use without what was lost.
        let isOfUse = isReferredTo && latestPresentation > .min
        let overdue = units.indices.filter {
            units[$0].fate == .waiting && distance(units[$0].timestamp, timestamp).map { $0 < 0 } == true
        }.sorted { distance(units[$0].timestamp, units[$1].timestamp ?? 0) ?? 0 < 0 }
        for (place, index) in overdue.enumerated() {
            // A tick is nothing that anybody sees, and a decoder has what it needs.
            units[index].fate = isOfUse ? presented(instant - Int64(overdue.count - place)) : .leftOut
        }
        units[index].fate = presented(instant)
    }

    private mutating func presented(_ instant: Int64) -> Fate {
        latestPresentation = max(instant, latestPresentation + 1)
        return .presented(latestPresentation)
    }

    /// Gives up the unit before which nothing can be written.
    mutating func giveUpFirst() {
        guard !units.isEmpty else { return }
        units[0].fate = .leftOut
        units[0].isClosed = true
    }

    /// Nothing is presented any more.
    mutating func finish() {
        close()
        for index in units.indices where units[index].fate == .waiting && units[index].timestamp != nil {
            units[index].fate = .leftOut
        }
    }

    /// Whether a unit that waits holds up one behind it that is decoded before other substreams go on.
    var isHeldUp: Bool {
        guard let first = units.first, first.fate == .waiting || !first.isClosed else { return false }
        return units.dropFirst().contains { if case .presented = $0.fate { true } else { false } }
    }

    /// The next unit in decoding order, when everything is known of it.
    mutating func next() -> Ready? {
        while let unit = units.first, unit.isClosed {
            switch unit.fate {
            case .waiting:
                guard unit.timestamp == nil else { return nil }
                removeFirst()
                if goesOn { return Ready(unit: unit, presentation: nil, decode: latestDecode) }
            case .leftOut:
                goesOn = false
                removeFirst()
            case .presented(let presentation):
                goesOn = true
                removeFirst()
                return times(of: unit, presentation)
            }
        }
        return nil
    }

    private mutating func removeFirst() { byteCount -= units.removeFirst().bytes.count }

    /// It is decoded as long before its presentation as it was made to be, but not behind what is presented before and
    /// decoded after it; and behind the one before it.
    private mutating func times(of unit: Unit, _ presentation: Int64) -> Ready {
        var decode = presentation - unit.decodeLead
        for (place, other) in units.enumerated() {
            if case .presented(let instant) = other.fate { decode = min(decode, instant - Int64(place) - 1) }
        }
        decode = max(decode, latestDecode + 1)
        latestDecode = decode
        return Ready(unit: unit, presentation: max(presentation, decode), decode: decode)
    }

    /// From `b` to `a`, as far as the wire tells.
    private func distance(_ a: Int64?, _ b: Int64) -> Int64? {
        guard let a else { return nil }
        let shift = 64 - timestampBits
        return ((a &- b) << shift) >> shift
    }
}
