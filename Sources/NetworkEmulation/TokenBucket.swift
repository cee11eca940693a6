import Timebase

/// A token bucket's numbers: bytes come at `rate` and at most `burst` of them are kept.
public struct TokenBucketParameters: Sendable, Hashable {
    /// Of IP packets with what the link layer adds; not 0.
    public var rate: BitRate
    /// Bytes, 1...1,000,000,000.
    public var burst: Int

    public init(rate: BitRate, burst: Int) {
        self.rate = rate
        self.burst = burst
    }
}

/// A token bucket, full at first (RFC 2697's meter with one bucket; tc-tbf without a peak rate).
///
/// Exact: the level is kept in bits × 10^9, of which each nanosecond brings as many as the rate has bit/s.
struct TokenBucket: Sendable {
    private(set) var parameters: TokenBucketParameters
    private var level: UInt64
    private var latest = Instant.zero

    init(_ parameters: TokenBucketParameters) {
        self.parameters = parameters
        level = UInt64(parameters.burst) * 8_000_000_000
    }

    /// Other numbers from `now` on; what the bucket holds stays, as far as it fits.
    mutating func change(to parameters: TokenBucketParameters, at now: Instant) {
        fill(until: now)
        self.parameters = parameters
        level = min(level, capacity)
    }

    private var capacity: UInt64 { UInt64(parameters.burst) * 8_000_000_000 }

    private mutating func fill(until now: Instant) {
        guard now > latest else { return }
        let gained = UInt64((now - latest).nanoseconds).multipliedReportingOverflow(by: parameters.rate.bitsPerSecond)
        let (sum, overflow) = level.addingReportingOverflow(gained.partialValue)
        level = gained.overflow || overflow ? capacity : min(capacity, sum)
        latest = now
    }

    /// Whether so many bits can ever be there at once.
    func holds(bits: UInt64) -> Bool { bits * 1_000_000_000 <= capacity }

    /// Takes `bits` if they are there, as a policer does: what is larger than the bucket never conforms.
    mutating func conforms(bits: UInt64, at now: Instant) -> Bool { holds(bits: bits) && take(bits: bits, at: now) }

    /// Takes `bits` if they are there, or a full bucket for more than it holds.
    mutating func take(bits: UInt64, at now: Instant) -> Bool {
        fill(until: now)
        let needed = min(bits * 1_000_000_000, capacity)
        guard level >= needed else { return false }
        level -= needed
        return true
    }

    /// When `bits` will be there, not before `now`; for more than the bucket holds, when it is full.
    mutating func time(of bits: UInt64, from now: Instant) -> Instant {
        fill(until: now)
        let needed = min(bits * 1_000_000_000, capacity)
        guard needed > level else { return now }
        let rate = parameters.rate.bitsPerSecond
        return now + .nanoseconds(Int64(clamping: (needed - level + rate - 1) / rate))
    }
}
