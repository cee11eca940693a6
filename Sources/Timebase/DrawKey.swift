/// A probability as a 64-bit threshold: 0 and 1 are exact, and 1e-18 can be told from 0.
@frozen
public struct Probability: Hashable, Sendable, BitwiseCopyable {
    /// A draw below the threshold is a hit. Meaningless when `isCertain`.
    @usableFromInline let threshold: UInt64
    @usableFromInline let isCertain: Bool

    /// - Parameter value: 0...1; what lies outside is clamped, and what is not a number is 0.
    public init(_ value: Double) {
        isCertain = value >= 1
        threshold = value > 0 && value < 1 ? UInt64(value * 0x1p64) : 0
    }

    /// Exactly 0.
    @inlinable public static var never: Probability { Probability(0) }
    /// Exactly 1.
    @inlinable public static var always: Probability { Probability(1) }

    /// Whether a uniform 64-bit draw hits.
    @inlinable
    public func isHit(by draw: UInt64) -> Bool { draw < threshold || isCertain }

    /// Whether no draw can hit.
    @inlinable public var isNever: Bool { threshold == 0 && !isCertain }

    /// The probability as a number, 0...1.
    public var value: Double { isCertain ? 1 : Double(threshold) * 0x1p-64 }
}

/// The finalizer of SplitMix64 (Steele, Lea and Flood, 2014; Stafford's "Mix13"): a bijection of 64-bit words in which
/// every input bit flips every output bit with probability one half.
@inlinable
func mix64(_ word: UInt64) -> UInt64 {
    var z = word
    z = (z ^ (z &>> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z &>> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z &>> 31)
}

/// The name under which one random stage draws, already mixed with the root seed.
///
/// A draw is a pure function of (root seed, stage's name, flow, packet number, copy): there is no stream that could
/// fall out of step. A packet lost elsewhere, an impairment switched on, a retransmission added: none of them moves
/// anybody else's draws.
///
/// The function is three rounds of SplitMix64's finalizer, each after adding an odd multiple of what is to be mixed
/// in. It is part of the results' format: changing it changes every digest.
@frozen
public struct DrawKey: Hashable, Sendable, BitwiseCopyable {
    @usableFromInline let word: UInt64

    @inlinable init(word: UInt64) { self.word = word }

    /// The root of all draws of one run.
    public init(seed: UInt64) {
        word = mix64(seed &+ 0x9e37_79b9_7f4a_7c15)
    }

    /// The key of a part of what this key names: `key.named("forward.0").named("loss")`.
    public func named(_ name: String) -> DrawKey {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325  // FNV-1a, so that the name's bytes alone decide
        for byte in name.utf8 {
            hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
        }
        return DrawKey(word: mix64(word &+ mix64(hash) | 1))
    }

    /// 64 uniform bits for one packet of one flow.
    ///
    /// - Parameters:
    ///   - flow: the flow's number.
    ///   - number: the packet's number in the flow, from 0; negative numbers lie before the first packet.
    ///   - copy: 0 for the packet itself, 1... for duplicates of it.
    @inlinable
    public func draw(flow: UInt16, number: Int64, copy: UInt8 = 0) -> UInt64 {
        draw(lane(UInt64(flow) &<< 8 | UInt64(copy)), number)
    }

    @inlinable
    func lane(_ lane: UInt64) -> UInt64 { mix64(word &+ (lane &+ 1) &* 0x9e37_79b9_7f4a_7c15) }

    @inlinable
    func draw(_ lane: UInt64, _ number: Int64) -> UInt64 {
        mix64(mix64(lane &+ UInt64(bitPattern: number) &* 0xd1b5_4a32_d192_ed03) &+ word)
    }

    /// 64 uniform bits for the event with this index.
    @inlinable
    public func draw(_ index: Int64) -> UInt64 { draw(flow: 0, number: index) }
}

/// A key's draws for packet after packet: the part that flow and copy decide is kept for the next one, which mostly is of
/// the same flow.
@frozen
public struct PacketDraws: Sendable, BitwiseCopyable {
    /// What the draws come from.
    public let key: DrawKey
    /// Flow and copy of the latest packet, and their part; at first of none.
    @usableFromInline var latest = UInt64.max
    @usableFromInline var lane: UInt64 = 0

    /// The draws of a key, none of them made yet.
    @inlinable public init(_ key: DrawKey) { self.key = key }

    /// The same as ``DrawKey/draw(flow:number:copy:)``.
    @inlinable
    public mutating func draw(flow: UInt16, number: Int64, copy: UInt8 = 0) -> UInt64 {
        let next = UInt64(flow) &<< 8 | UInt64(copy)
        if next != latest { (latest, lane) = (next, key.lane(next)) }
        return key.draw(lane, number)
    }

    /// A packet's.
    @inlinable
    public mutating func draw(_ packet: Packet) -> UInt64 {
        draw(flow: packet.flow, number: Int64(packet.number), copy: packet.copy)
    }
}
