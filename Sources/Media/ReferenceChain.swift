/// Follows a substream's references in decoding order: which of its units a decoder can make what they were meant to be,
/// given what came of them.
///
/// A loss is passed on from reference to reference until a refresh ends it. Nothing is concealed here: a picture that
/// refers to what is missing is decoded, and wrong.
public struct ReferenceChain: Sendable, BitwiseCopyable {
    /// What came of a unit.
    public enum Arrival: Sendable {
        /// All of its bytes.
        case whole
        /// Some of them, the first slice's beginning or another one's among them.
        case partial
        /// Nothing that decoding could begin with, if anything.
        case nothing
    }

    /// Whether references have come that pictures can be decoded from.
    public private(set) var hasBegun = false
    private var hasParameters = false
    /// Whether a reference since the latest refresh, or that itself, is not as it was.
    private var isRecentWrong = false
    /// The same of what leading pictures refer to across the latest refresh.
    private var isEarlierWrong = false
    /// Whether what they refer to never came at all.
    private var isEarlierAbsent = false
    /// Where the order of presentation is counted from.
    private var orderZero: Int64 = 0
    /// Where that picture never came, the latest place of those decoded before it.
    private var orderLimit = Int64.min
    /// The latest place in that order of a picture that was decoded.
    private var latestOrder = Int64.min
    /// Of a recovery point that no loss has spoilt yet: references still to come.
    private var recovery: UInt16?

    public init() {}

    /// Takes the next unit of the substream in decoding order; what it then is to a decoder, nil where nothing came of it.
    ///
    /// - Parameter presentation: when it is presented, ticks of any clock.
    public mutating func next(_ unit: UnitReferences, _ arrival: Arrival, at presentation: Int64) -> DecoderState? {
        // From that reference on in presentation order: what comes before it in decoding order is presented before it too.
        if recovery == 0, unit.isReferred { recover() }
        if unit.restartsOrder { restartOrder(at: presentation, isLost: arrival == .nothing) }
        var state: DecoderState = unit.refresh == .none ? follow(unit, arrival) : refresh(unit, arrival)
        if state != .undecodable, !takePlace(of: presentation) { state = .undecodable }
        if unit.isReferred { noteReference(unit, isWhole: arrival == .whole, state) }
        return arrival == .nothing ? nil : state
    }

    /// Units are missing of which nothing is known.
    public mutating func noteUnknownLoss() { (isRecentWrong, recovery) = (true, nil) }

    private mutating func restartOrder(at presentation: Int64, isLost: Bool) {
        orderZero = presentation
        if !isLost { latestOrder = .min }
        orderLimit = latestOrder
    }

    /// Whether a picture has a place behind those that were decoded. Without the IDR picture that it is counted from it seems
    /// to come before them, and decoders give it up, until the count has passed them (ITU-T H.264 §C.4.5.3).
    private mutating func takePlace(of presentation: Int64) -> Bool {
        let order = presentation - orderZero
        if order <= orderLimit { return false }
        latestOrder = max(latestOrder, order)
        return true
    }

    private mutating func recover() {
        recovery = nil
        hasBegun = true
        isRecentWrong = false
        isEarlierWrong = false
    }

    private mutating func refresh(_ unit: UnitReferences, _ arrival: Arrival) -> DecoderState {
        guard arrival != .nothing, hasParameters || unit.bringsParameters else { return .undecodable }
        hasParameters = true
        isEarlierAbsent = !hasBegun && unit.refresh == .open || unit.refresh == .broken
        isEarlierWrong = unit.refresh != .instantaneous && isRecentWrong
        isRecentWrong = false
        hasBegun = true
        recovery = nil
        return arrival == .whole ? .intact : .impaired
    }

    private func follow(_ unit: UnitReferences, _ arrival: Arrival) -> DecoderState {
        guard arrival != .nothing else { return .undecodable }
        let own: DecoderState = arrival == .whole ? .intact : .impaired
        switch unit.needs {
        // What is neither referred to nor refers is sound or data, and has no beginning.
        case .nothing: return unit.isReferred && !hasBegun ? .undecodable : own
        case .recent where hasBegun: return isRecentWrong ? .impaired : own
        case .across where hasBegun && !isEarlierAbsent: return isRecentWrong || isEarlierWrong ? .impaired : own
        case .recent, .across: return .undecodable
        }
    }

    /// What a reference leaves to those behind it.
    private mutating func noteReference(_ unit: UnitReferences, isWhole: Bool, _ state: DecoderState) {
        // Only other leading pictures refer to a leading one (ITU-T H.265 §3.111).
        if unit.needs == .across {
            if state != .intact { isEarlierWrong = true }
            return
        }
        if state != .intact { isRecentWrong = true }
        guard isWhole else {
            recovery = nil
            return
        }
        if let left = recovery {
            recovery = left - 1
        } else if unit.recoveryCount > 0 {
            recovery = unit.recoveryCount - 1
        }
    }
}

/// What a unit that came is to a decoder.
public enum DecoderState: UInt8, Sendable {
    /// As it was sent: nothing of it nor of what it refers to is missing or changed.
    case intact
    /// Decoded, but a part of it or of what it refers to is missing or changed.
    case impaired
    /// There is nothing to start from: no refresh has come before it, or no slice of it.
    case undecodable

    /// As units.csv names it.
    public var name: StaticString {
        switch self {
        case .intact: "intact"
        case .impaired: "impaired"
        case .undecodable: "undecodable"
        }
    }
}
