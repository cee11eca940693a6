/// A count of a media clock that wraps, read as a longer one that does not.
///
/// Each value is taken as the one nearest to the value before it, so steps of up to half the range in either direction
/// are followed.
@frozen
public struct WrapUnwrapper: Sendable, BitwiseCopyable {
    /// The number of bits of the wrapping count: 32 for RTP, 33 for PTS and the PCR's base, 16 for sequence numbers.
    let bits: UInt8
    /// The latest value, unwrapped; nil before the first.
    public private(set) var latest: Int64?

    public init(bits: UInt8) { self.bits = bits }

    /// What `wrapped` stands for, nearest to the latest value; does not change the latest value.
    public func nearest(_ wrapped: UInt64) -> Int64 {
        guard let latest else { return Int64(wrapped) }
        let shift = UInt64(64 - bits)
        // The difference in the count's own width, sign-extended.
        let difference = Int64(bitPattern: (wrapped &- UInt64(bitPattern: latest)) << shift) >> Int64(shift)
        return latest + difference
    }

    /// What `wrapped` stands for; it becomes the latest value.
    public mutating func unwrap(_ wrapped: UInt64) -> Int64 {
        let value = nearest(wrapped)
        latest = value
        return value
    }
}

/// Conversions between nanoseconds and the ticks of the clocks that media and NTP use.
public enum MediaClock {
    /// PTS, DTS, the PCR's base and RTP's clock for video and transport streams (ISO/IEC 13818-1 §2.4.3.5, RFC 2250).
    public static let ninetyKilohertz: Int64 = 90_000
    /// The system clock of a transport stream, which the PCR counts (ISO/IEC 13818-1 §2.4.2.1).
    public static let system: Int64 = 27_000_000

    /// Whole ticks of a clock of `rate` Hz in `span`.
    @inlinable
    public static func ticks(_ span: TimeSpan, rate: Int64, _ rounding: Rounding = .down) -> Int64 {
        span.nanoseconds.scaled(by: rate, over: 1_000_000_000, rounding)
    }

    /// The length of `ticks` of a clock of `rate` Hz.
    @inlinable
    public static func span(ticks: Int64, rate: Int64, _ rounding: Rounding = .nearest) -> TimeSpan {
        .nanoseconds(ticks.scaled(by: 1_000_000_000, over: rate, rounding))
    }
}

/// An NTP timestamp (RFC 5905 §6): seconds since 1900 in 32.32 bits, wrapping every 136 years.
@frozen
public struct NTPTimestamp: Hashable, Sendable, BitwiseCopyable {
    /// Units of 2^-32 s, wrapping at 2^64.
    public var rawValue: UInt64

    @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// What a node whose clock shows `local` writes, rounded down to 2^-32 s.
    public init(_ local: LocalInstant) {
        let billion: Int64 = 1_000_000_000
        let seconds = local.nanoseconds / billion - (local.nanoseconds % billion < 0 ? 1 : 0)
        let remainder = UInt64(local.nanoseconds - seconds * billion)
        let sinceEra = seconds + emulatedEpochUnixSeconds + 2_208_988_800
        rawValue = UInt64(truncatingIfNeeded: sinceEra) << 32 | (remainder << 32) / UInt64(billion)
    }

    /// The middle 32 bits, in units of 1/65536 s, as RTCP's LSR carries them (RFC 3550 §6.4.1).
    @inlinable public var middle: UInt32 { UInt32(truncatingIfNeeded: rawValue &>> 16) }
}
