/// A 128-bit digest of a set of events, the same in whatever order they are added.
///
/// Each event is hashed on its own and the hashes are summed, so that two drivers that serve simultaneous events of
/// independent parts in another order still agree, while a changed, missing or doubled event shows. Not cryptographic.
@frozen
public struct EventDigest: Hashable, Sendable, BitwiseCopyable {
    @usableFromInline var low: UInt64 = 0
    @usableFromInline var high: UInt64 = 0

    @inlinable public init() {}

    /// Adds an event of a kind, told by four numbers.
    @inlinable
    public mutating func add(_ kind: UInt8, _ a: Int64, _ b: Int64, _ c: Int64, _ d: Int64) {
        let left = mix64(UInt64(bitPattern: a) ^ UInt64(kind) &* 0x9e37_79b9_7f4a_7c15)
        let right = mix64(UInt64(bitPattern: b) &+ left)
        let first = (left ^ UInt64(bitPattern: c) ^ 0xa076_1d64_78bd_642f)
            .multipliedFullWidth(by: right ^ UInt64(bitPattern: d) ^ 0xe703_7ed1_a0b4_28db)
        low &+= mix64(first.low ^ right)
        high &+= mix64(first.high &+ first.low ^ left)
    }

    /// 32 hexadecimal digits.
    public var hexadecimal: String {
        [high, low].map { word in
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}
