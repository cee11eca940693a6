import Timebase

/// The mean rate of a flow while it was flowing.
///
/// Bits of all packets but those of the last instant, over the time from the first packet to the last: each packet's bits
/// fill the time until the next, so that a flow of constant rate measures exactly that rate, however short. (All bits
/// over the same time, the other usual reading, is high by one packet in n.)
@frozen
public struct RateMeter: Sendable, BitwiseCopyable {
    @usableFromInline var packetCount: Int64 = 0
    @usableFromInline var byteCount: Int64 = 0
    @usableFromInline var lastBytes: Int64 = 0
    @usableFromInline var first: Instant = .zero
    @usableFromInline var last: Instant = .zero
    /// Time between a beginning anew and what came before it, nanoseconds; negative where the clock went back.
    private var gaps: Int64 = 0
    /// Bytes whose time nobody knows: the last before each beginning.
    private var bytesAtGaps: Int64 = 0

    @inlinable public init() {}

    /// Packets taken.
    var packets: Int64 { packetCount }
    /// When the first packet was taken; zero before.
    var firstInstant: Instant { first }
    /// When the latest was; zero before.
    var lastInstant: Instant { last }
    /// Bytes of all packets taken.
    public var bytes: Int64 { byteCount }

    /// Takes a packet; instants do not decrease.
    @inlinable
    public mutating func add(bytes count: Int, at instant: Instant) {
        if packetCount == 0 { (first, last) = (instant, instant) }
        packetCount &+= 1
        byteCount &+= Int64(count)
        lastBytes = instant == last ? lastBytes &+ Int64(count) : Int64(count)
        last = instant
    }

    /// Lets instants go on from another one, as when a clock is set.
    mutating func begin(at instant: Instant) {
        // However often a hostile capture's clock goes back a century, sums stay within bounds.
        gaps = max(gaps + (instant - last).nanoseconds, -1 << 60)
        bytesAtGaps += lastBytes
        lastBytes = 0
        last = instant
    }

    /// From the first packet to the last, without gaps.
    var duration: TimeSpan { .nanoseconds((last - first).nanoseconds - gaps) }
    /// The latest instant, as a clock shows it that began as the arrivals' and was never set.
    var steadyLast: Instant { Instant(nanoseconds: last.nanoseconds - gaps) }

    /// Bit/s, rounded to the nearest, of whatever layer the bytes were counted at; nil with fewer than two packets or
    /// when all came at once.
    public var bitsPerSecond: Int64? {
        let span = duration.nanoseconds
        guard packets > 1, span > 0 else { return nil }
        let product = Int128(bytes - lastBytes - bytesAtGaps) * 8_000_000_000
        return Int64(clamping: (product + Int128(span / 2)) / Int128(span))
    }
}
