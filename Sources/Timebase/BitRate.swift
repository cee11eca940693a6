/// A rate in bit/s (k = 1000). Who holds it says of which layer: link (IP packets unless a link layer is named), UDP
/// payload, or transport stream.
@frozen
public struct BitRate: Hashable, Comparable, Sendable, BitwiseCopyable {
    /// Bits per second, at the layer that its holder says.
    public var bitsPerSecond: UInt64

    @inlinable public init(bitsPerSecond: UInt64) { self.bitsPerSecond = bitsPerSecond }

    @inlinable public static func < (a: BitRate, b: BitRate) -> Bool { a.bitsPerSecond < b.bitsPerSecond }

    /// How long `bits` take at this rate, rounded up to a nanosecond.
    ///
    /// Rounding up means a packet has never left before its last bit has. For a train of packets ask once for the sum
    /// of the bits from the train's start, so that roundings do not add up.
    ///
    /// - Precondition: the rate is not zero and the result fits in 63 bits of nanoseconds.
    @inlinable
    public func transmissionTime(bits: UInt64) -> TimeSpan {
        let (quotient, remainder) = bits.scaled(by: 1_000_000_000, over: bitsPerSecond)
        return .nanoseconds(Int64(quotient) + (remainder == 0 ? 0 : 1))
    }

    /// The bits that fit whole into `span` at this rate.
    ///
    /// - Precondition: `span` is not negative.
    @inlinable
    public func bits(in span: TimeSpan) -> UInt64 {
        UInt64(span.nanoseconds).scaled(by: bitsPerSecond, over: 1_000_000_000).quotient
    }
}
