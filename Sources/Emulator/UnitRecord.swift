import Media
import Metrics
import Timebase

/// What of a unit was there by the time of its presentation.
public enum UnitOutcome: UInt8, Sendable {
    /// All of it.
    case onTime
    /// All of it, but only after its presentation.
    case late
    /// Not all of it, or not as it was sent.
    case damaged
    /// Nothing, or too little to know when it was due.
    case missing

    /// As units.csv names it.
    public var name: StaticString {
        switch self {
        case .onTime: "on_time"
        case .late: "late"
        case .damaged: "damaged"
        case .missing: "missing"
        }
    }
}

/// What became of one unit at one receiver: a row of units.csv.
public struct UnitRecord: Sendable {
    /// The receiver's index.
    public var receiver: Int
    /// The substream's index.
    public var lane: Int
    /// From 0, in decoding order.
    public var number: Int64
    /// "I", "P", "B", or empty.
    public var pictureType: StaticString
    /// 90 kHz, 33 bits, as in its bytes.
    public var pts: Int64
    /// On the program's timeline.
    public var presentation: TimeSpan
    /// How long it is presented.
    public var duration: TimeSpan
    /// Of the whole PES packet; in a session of its own, without one.
    public var byteCount: Int
    /// Frames of sound in it; 1 for all else.
    public var frameCount: Int
    /// What of it came in time.
    public var outcome: UnitOutcome
    /// "intact", "impaired", "undecodable"; empty for what never came.
    public var decodable: StaticString
    /// Of its frames, as many as are what they were.
    public var intactFrameCount: Int

    init(_ fate: UnitFate, of program: Program, receiver: Int, lane: Int) {
        let unit = fate.unit.media
        self.receiver = receiver
        self.lane = lane
        number = unit.index
        pictureType = unit.pictureType
        pts = unit.presentation & 0x1_ffff_ffff
        let rate = MediaClock.ninetyKilohertz
        presentation = MediaClock.span(ticks: unit.presentation - program.firstPresentation, rate: rate, .down)
        duration = MediaClock.span(ticks: unit.duration, rate: rate)
        byteCount = fate.unit.byteCount
        frameCount = Int(unit.frameCount)
        outcome = fate.outcome
        decodable = fate.state?.name ?? ""
        intactFrameCount = fate.intactFrames
    }
}

/// What became of one unit, as a ledger notes it.
struct UnitFate: Sendable {
    /// As it was sent.
    let unit: SentUnit
    let outcome: UnitOutcome
    /// What a decoder makes of it; nil of nothing.
    let state: DecoderState?
    let intactFrames: Int
    /// What it has added to the counts.
    var tally = UnitTally()
}

extension ConcealmentMeter {
    /// Takes a unit; where frames of sound are missing from one, the others are taken to come first.
    mutating func add(_ fate: UnitFate) {
        let media = fate.unit.media
        let frames = Int64(media.frameCount)
        let good = fate.outcome == .late ? 0 : fate.state == .intact ? frames : Int64(fate.intactFrames)
        add(good: good)
        let duration = MediaClock.span(ticks: media.duration, rate: MediaClock.ninetyKilohertz)
        add(missing: frames - good, lasting: .nanoseconds(duration.nanoseconds / frames))
    }
}

/// Units, frames of sound each by itself, by what has become of them.
struct UnitTally: Sendable, BitwiseCopyable {
    var onTime: Int64 = 0
    var late: Int64 = 0
    var damaged: Int64 = 0
    var intact: Int64 = 0
    var impaired: Int64 = 0
    var undecodable: Int64 = 0

    static func - (a: UnitTally, b: UnitTally) -> UnitTally {
        UnitTally(
            onTime: a.onTime - b.onTime, late: a.late - b.late, damaged: a.damaged - b.damaged,
            intact: a.intact - b.intact, impaired: a.impaired - b.impaired, undecodable: a.undecodable - b.undecodable)
    }
}
