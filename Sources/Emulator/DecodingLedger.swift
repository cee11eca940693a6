import DequeModule
import Media
import Metrics
import Receiver
import Sender
import Timebase

/// What truly came of the units of one substream at one receiver: which are whole, and what a decoder makes of them.
///
/// The receiver tells what it has of each unit, in decoding order; what was sent tells the rest: how long a unit really is,
/// which ones never came, and what refers to what.
struct DecodingLedger: Sendable {
    private(set) var tally = UnitTally()
    private(set) var impairedTime = ImpairedTime()
    /// The number of the first unit sent of which nothing has been told.
    private(set) var next: Int64 = 0
    private var chain = ReferenceChain()
    /// Units told of that none was sent like: their timestamps were changed on the way.
    private var strangers = 0
    /// Undecodable units, by number: the latest ones, as viewers may go back to them.
    private var hidden = Deque<Int64>()
    private static let hiddenCapacity = 4_096
    /// The same of impaired ones, where these are not shown either.
    private var frozen: Deque<Int64>?
    /// What has become of units, where that is asked for, or may change.
    private var fates: [UnitFate]?
    /// Whether the receiver may forget units that it has closed: what has become of them is known at the end only.
    private let mayForget: Bool

    /// What belongs to a substream whoever receives it.
    struct Sent {
        let units: SentUnits
        let program: Program
        let lane: Int
    }

    /// - Parameter freezes: whether only intact units are shown.
    init(recordsUnits: Bool, freezes: Bool = false, mayForget: Bool) {
        frozen = freezes ? [] : nil
        fates = recordsUnits || mayForget ? [] : nil
        self.mayForget = mayForget
    }

    /// Units closed, of which a receiver that forgets may still forget the latest: more than it has not presented yet.
    private static let forgettable = 4_096

    /// What has become of units since it was last asked for, as far as that does not change any more.
    mutating func takeFates(isOver: Bool) -> [UnitFate] {
        guard let all = fates, !all.isEmpty else { return [] }
        // Half of those kept go at once, so that they are seldom moved.
        let kept = isOver || !mayForget ? 0 : Self.forgettable
        guard all.count >= 2 * kept else { return [] }
        fates = Array(all.suffix(kept))
        return Array(all.dropLast(kept))
    }

    /// The receiver has closed a unit.
    mutating func close(_ received: ReceivedUnit, _ sent: Sent) {
        if next < sent.units.first { forget(before: sent.units.first) }
        guard let number = sent.units.find(received.presentation, from: next) else {
            strangers += 1
            return
        }
        while next < number { miss(sent) }
        next += 1
        let unit = sent.units[number]
        let before = tally
        defer { if let last = fates?.indices.last { fates?[last].tally = tally - before } }
        if unit.media.frameCount > 1, !Self.isWhole(unit, received.coverage) {
            closeFrames(unit, received, sent)
        } else {
            closeWhole(unit, received, sent)
        }
    }

    /// A unit that was closed is not presented after all: it is missing. What refers to it had it, and stays what it is.
    mutating func forget(_ ticks: Int64, _ sent: Sent) {
        guard let number = sent.units.find(ticks, near: next), number < next else { return }
        let unit = sent.units[number]
        let place = fates?.lastIndex { $0.unit.media.index == unit.media.index && $0.outcome != .missing }
        guard let place, let counted = fates?[place].tally else { return }
        tally = tally - counted
        fates?[place] = UnitFate(unit: unit, outcome: .missing, state: nil, intactFrames: 0)
    }

    /// Nothing more comes.
    mutating func finish(_ sent: Sent) {
        if next < sent.units.first { forget(before: sent.units.first) }
        while next < sent.units.end { miss(sent) }
    }

    /// Whether a unit that is due now can be shown: whatever can be decoded, wrong or not.
    ///
    /// - Parameter number: its number among those sent.
    func shows(_ unit: MediaUnit, number: Int64) -> Bool {
        // Of one that is not closed yet its references tell.
        guard number < next else {
            guard frozen != nil else { return chain.hasBegun || unit.references.canBegin }
            // Whether the rest of it comes is not known: it is taken to.
            var chain = chain
            return chain.next(unit.references, .whole, at: unit.presentation) == .intact
        }
        if let frozen, frozen.last(where: { $0 <= number }) == number { return false }
        return hidden.isEmpty || hidden.last(where: { $0 <= number }) != number
    }

    /// Units of which nobody remembers what they were.
    private mutating func forget(before number: Int64) {
        next = number
        chain.noteUnknownLoss()
    }

    /// The next unit never came, or is one that came with another timestamp.
    private mutating func miss(_ sent: Sent) {
        let unit = sent.units[next]
        next += 1
        guard strangers > 0 else {
            _ = chain.next(unit.media.references, .nothing, at: unit.media.presentation)
            fates?.append(UnitFate(unit: unit, outcome: .missing, state: nil, intactFrames: 0))
            return
        }
        strangers -= 1
        note(unit, .damaged, decode(unit, .partial), sent)
    }

    // MARK: What has come of a unit

    /// Whether all bytes came as they were sent.
    private static func isWhole(_ unit: SentUnit, _ coverage: UnitCoverage) -> Bool {
        guard !coverage.isChanged else { return false }
        if unit.datagramCount > 0 { return Int(coverage.datagramCount) == unit.datagramCount }
        return Int(coverage.leadingByteCount) >= unit.byteCount
            || Int(coverage.byteCount) == unit.byteCount && !coverage.hasGap
    }

    private mutating func closeWhole(_ unit: SentUnit, _ received: ReceivedUnit, _ sent: Sent) {
        guard Self.isWhole(unit, received.coverage) else {
            let (references, arrival) = part(unit, received.coverage, sent)
            return note(
                unit, .damaged, chain.next(references, arrival, at: unit.media.presentation) ?? .undecodable, sent)
        }
        // What followed a unit's last byte and was taken for it is none of its own.
        let isLate = Int(received.coverage.byteCount) > unit.byteCount ? received.isLeadingLate : received.isLate
        note(unit, isLate ? .late : .onTime, decode(unit, .whole), sent)
    }

    private mutating func decode(_ unit: SentUnit, _ arrival: ReferenceChain.Arrival) -> DecoderState {
        chain.next(unit.media.references, arrival, at: unit.media.presentation) ?? .undecodable
    }

    /// What a decoder gets of a unit of which bytes are missing or wrong.
    private func part(
        _ unit: SentUnit, _ coverage: UnitCoverage, _ sent: Sent
    ) -> (UnitReferences, ReferenceChain.Arrival) {
        let references = unit.media.references
        if Int(coverage.leadingByteCount) >= unit.beginningByteCount { return (references, .partial) }
        // A later slice can be decoded without the first, but not without the parameter sets before it.
        guard coverage.byteCount > coverage.leadingByteCount,
            sent.program.source(sent.lane).parts(of: unit.media).count > 1
        else { return (references, .nothing) }
        return (references.withoutParameters, .partial)
    }

    private mutating func note(_ unit: SentUnit, _ outcome: UnitOutcome, _ state: DecoderState, _ sent: Sent) {
        let frames = Int64(unit.media.frameCount)
        switch outcome {
        case .onTime: tally.onTime += frames
        case .late: tally.late += frames
        case .damaged: tally.damaged += frames
        case .missing: break
        }
        switch state {
        case .intact: tally.intact += frames
        case .impaired:
            tally.impaired += frames
            if frozen?.count == Self.hiddenCapacity { frozen?.removeFirst() }
            frozen?.append(next - 1)
            let media = unit.media
            noteImpaired(media, media.presentation..<media.presentation + media.duration, sent)
        case .undecodable:
            tally.undecodable += frames
            if hidden.count == Self.hiddenCapacity { hidden.removeFirst() }
            hidden.append(next - 1)
        }
        fates?.append(
            UnitFate(unit: unit, outcome: outcome, state: state, intactFrames: state == .intact ? Int(frames) : 0))
    }

    private mutating func noteImpaired(_ unit: MediaUnit, _ ticks: Range<Int64>, _ sent: Sent) {
        impairedTime.add(
            sent.program.timeline(ticks.lowerBound)...sent.program.timeline(ticks.upperBound),
            decode: sent.program.timeline(unit.decode))
    }

    // MARK: Frames of sound

    /// A unit with several frames of which bytes are missing or wrong: each frame is one by itself.
    private mutating func closeFrames(_ unit: SentUnit, _ received: ReceivedUnit, _ sent: Sent) {
        var outcome = UnitOutcome.missing
        var intactFrames = 0
        let parts = sent.program.source(sent.lane).parts(of: unit.media)
        for (place, part) in parts.enumerated() {
            let came = received.coverage.packets(of: part)
            if came.all {
                if received.isLate { tally.late += 1 } else { tally.onTime += 1 }
                tally.intact += 1
                intactFrames += 1
            } else if came.some || received.coverage.isChanged {
                tally.damaged += 1
                tally.impaired += 1
                noteImpaired(unit.media, Self.stretch(of: place, in: unit.media), sent)
            }
            if came.some || received.coverage.isChanged { outcome = .damaged }
        }
        fates?.append(
            UnitFate(
                unit: unit, outcome: outcome, state: outcome == .damaged ? .impaired : nil, intactFrames: intactFrames))
    }

    /// Ticks of a frame of sound in its unit.
    private static func stretch(of place: Int, in unit: MediaUnit) -> Range<Int64> {
        let count = Int64(unit.frameCount)
        let start = unit.presentation + unit.duration * Int64(place) / count
        return start..<unit.presentation + unit.duration * Int64(place + 1) / count
    }
}

extension UnitCoverage {
    /// Whether all, and whether some, of the transport packets came that bytes of the unit lie in. All but the first hold
    /// 184 bytes of it; what lies beyond the 64th is not known to have come.
    fileprivate func packets(of bytes: Range<Int>) -> (all: Bool, some: Bool) {
        let first = Int(firstPacketByteCount)
        func place(_ byte: Int) -> Int { byte < first ? 0 : 1 + (byte - first) / 184 }
        let places = place(bytes.lowerBound)...place(max(bytes.lowerBound, bytes.upperBound - 1))
        var count = 0
        for place in places where place < 64 && packets >> UInt64(place) & 1 == 1 { count += 1 }
        return (count == places.count, count > 0)
    }
}
