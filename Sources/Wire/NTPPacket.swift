import Timebase

/// An NTP packet's header (RFC 5905 §7.3), version 1 to 4; what follows, extension fields and a MAC, is left out.
@frozen
public struct NTPPacket: Hashable, Sendable, BitwiseCopyable {
    /// 3: unsynchronized, or a kiss-o'-death.
    public var leapIndicator: UInt8
    /// VN, 1...7; 4 is RFC 5905's.
    public var version: UInt8
    /// 1 and 2 symmetric, 3 client, 4 server, 5 broadcast, 6 control.
    public var mode: UInt8
    /// 0: unspecified, or a kiss-o'-death; 16: unsynchronized.
    public var stratum: UInt8
    var poll: Int8
    var precision: Int8
    /// Units of 2^-16 s.
    var rootDelay: UInt32
    /// Units of 2^-16 s.
    var rootDispersion: UInt32
    var referenceID: UInt32
    var referenceTimestamp: NTPTimestamp
    /// T1: the request's transmit timestamp, echoed in the reply.
    public var originTimestamp: NTPTimestamp
    /// T2: when the request arrived, by the server's clock.
    public var receiveTimestamp: NTPTimestamp
    /// T3 in a reply, T1 in a request.
    public var transmitTimestamp: NTPTimestamp

    /// Bytes of the header, without extension fields.
    @inlinable public static var length: Int { 48 }
    /// The UDP port of servers.
    @inlinable public static var port: UInt16 { 123 }

    /// Reads the packet with which `bytes` begin.
    ///
    /// - Throws: `truncated`, `unsupportedVersion` unless the version is 1...4, `forbiddenValue` for mode 0 and for
    ///   modes 6 and 7, whose packets have another form.
    public init(parsing bytes: RawSpan) throws(ParseError) {
        guard bytes.byteCount >= Self.length else { throw .truncated }
        let first: UInt8 = bytes.loaded(at: 0)
        leapIndicator = first >> 6
        version = first >> 3 & 7
        mode = first & 7
        guard (1...4).contains(version) else { throw .unsupportedVersion }
        guard (1...5).contains(mode) else { throw .forbiddenValue }
        stratum = bytes.loaded(at: 1)
        poll = bytes.loaded(at: 2)
        precision = bytes.loaded(at: 3)
        rootDelay = bytes.loaded(at: 4)
        rootDispersion = bytes.loaded(at: 8)
        referenceID = bytes.loaded(at: 12)
        referenceTimestamp = NTPTimestamp(rawValue: bytes.loaded(at: 16))
        originTimestamp = NTPTimestamp(rawValue: bytes.loaded(at: 24))
        receiveTimestamp = NTPTimestamp(rawValue: bytes.loaded(at: 32))
        transmitTimestamp = NTPTimestamp(rawValue: bytes.loaded(at: 40))
    }
}

extension NTPTimestamp {
    /// Seconds from 1900, where NTP's era 0 begins, to 1970.
    private static var unixSeconds: Int64 { 2_208_988_800 }

    /// Nanoseconds since 1970 in the era nearest to `near`, rounded to the nearest; `near` also counts from 1970.
    public func unixNanoseconds(near: Int64) -> Int64 {
        let fraction = Int64(((rawValue & 0xffff_ffff) * 1_000_000_000 + 0x8000_0000) >> 32)
        let nearSeconds = near / 1_000_000_000 + Self.unixSeconds
        // The difference in seconds, as a signed number of 32 bits, is at most half an era.
        let difference = Int32(truncatingIfNeeded: Int64(rawValue >> 32) &- nearSeconds)
        return (nearSeconds - Self.unixSeconds + Int64(difference)) * 1_000_000_000 + fraction
    }
}
