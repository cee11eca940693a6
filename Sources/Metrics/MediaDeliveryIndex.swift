import Timebase

/// The delay factor of the Media Delivery Index (RFC 4445 §3.1) over intervals of one second.
///
/// A virtual buffer fills by each packet's media bytes when it arrives and drains at the media's nominal rate. Its
/// levels just before and just after each arrival enter, and those at the interval's ends, so that no silence falls
/// between two intervals (the RFC's begin with an arrival); the delay factor is the spread of the levels in an interval,
/// as time at the nominal rate. Intervals follow each other from the first arrival; one without any has a second. It is
/// never below one packet's own time: a perfect flow of 1316-byte packets at 2.5 Mbit/s has 4.2 ms. Copies of packets are
/// for its owner to leave out: they fill no decoder's buffer.
@frozen
public struct MediaDeliveryIndex: Sendable {
    /// The delay factors of the intervals that are over, nanoseconds.
    private(set) var delayFactors = Histogram()
    /// The media's nominal rate.
    @usableFromInline let rate: Int64
    @usableFromInline var first: Instant = .zero
    @usableFromInline var packets: Int64 = 0
    /// When the interval under way ends, after the first arrival.
    @usableFromInline var end: Int64 = 0
    /// Media bits since the interval began, times 10⁹, so that all levels are whole numbers of bit·ns/s.
    @usableFromInline var filled: Int128 = 0
    @usableFromInline var highest: Int128 = 0
    @usableFromInline var lowest: Int128 = 0

    /// - Parameter mediaRate: the nominal rate of what `add` counts (transport packets, for a transport stream); not 0.
    init(mediaRate: BitRate) {
        precondition(mediaRate.bitsPerSecond > 0)
        rate = Int64(clamping: mediaRate.bitsPerSecond)
    }

    /// Takes an arrival.
    ///
    /// - Parameter mediaBytes: the packet's media bytes, without its IP, UDP and RTP headers.
    @inlinable
    public mutating func add(mediaBytes: Int, at instant: Instant) {
        var time = instant.nanoseconds &- first.nanoseconds
        if packets == 0 || time >= end { time = open(at: instant) }
        packets &+= 1
        let drained = Int128(rate) &* Int128(time &- (end &- 1_000_000_000))
        let before = filled &- drained
        filled &+= Int128(mediaBytes) &* 8_000_000_000
        let after = filled &- drained
        if before < lowest { lowest = before }
        if after > highest { highest = after }
    }

    /// Closes the interval under way, so that its delay factor counts among ``delayFactors``; nothing follows.
    public mutating func finish() {
        guard packets > 0 else { return }
        delayFactors.add(delayFactor)
        packets = 0
    }

    /// The media loss rate (RFC 4445 §3.2) over a whole run: lost media packets a second; nil when no time has passed.
    ///
    /// - Parameters:
    ///   - lostMediaPackets: transport packets, seven for each datagram of seven.
    ///   - span: how long the flow was sending.
    public static func mediaLossRate(lostMediaPackets: Int64, over span: TimeSpan) -> Double? {
        guard span > .zero else { return nil }
        return Double(lostMediaPackets) * 1_000_000_000 / Double(span.nanoseconds)
    }

    /// The delay factor of the interval under way, rounded to the nearest.
    private var delayFactor: Int64 { Int64(clamping: (highest - lowest + Int128(rate / 2)) / Int128(rate)) }

    /// Closes the interval under way, if any, and opens the one that `instant` lies in; the time after the first arrival.
    @usableFromInline
    @inline(never)
    mutating func open(at instant: Instant) -> Int64 {
        let second: Int64 = 1_000_000_000
        if packets == 0 { first = instant }
        let time = (instant - first).nanoseconds
        let next = (time / second + 1) * second
        if packets > 0 {
            lowest = min(lowest, filled - Int128(rate) * Int128(second))
            delayFactors.add(delayFactor)
            delayFactors.add(second, times: (next - end) / second - 1)
        }
        end = next
        // Levels count from where the interval begins.
        (filled, lowest, highest) = (0, 0, 0)
        return time
    }
}
