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
    /// log2 of the poll interval in seconds.
    public var poll: Int8
    /// log2 of the clock's resolution in seconds.
    public var precision: Int8
    /// Units of 2^-16 s.
    public var rootDelay: UInt32
    /// Units of 2^-16 s.
    public var rootDispersion: UInt32
    /// Four letters at stratum 0 and 1, else the address of the server's own server.
    public var referenceID: UInt32
    /// When the server's clock was last set.
    public var referenceTimestamp: NTPTimestamp
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

    /// A packet to write; fields that are not given are zero.
    ///
    /// - Parameters:
    ///   - version: 1...4.
    ///   - mode: 1...5.
    public init(
        version: UInt8 = 4, mode: UInt8, leapIndicator: UInt8 = 0, stratum: UInt8 = 0, poll: Int8 = 0,
        precision: Int8 = 0, transmitTimestamp: NTPTimestamp
    ) {
        self.leapIndicator = leapIndicator
        self.version = version
        self.mode = mode
        self.stratum = stratum
        self.poll = poll
        self.precision = precision
        rootDelay = 0
        rootDispersion = 0
        referenceID = 0
        referenceTimestamp = NTPTimestamp(rawValue: 0)
        originTimestamp = NTPTimestamp(rawValue: 0)
        receiveTimestamp = NTPTimestamp(rawValue: 0)
        self.transmitTimestamp = transmitTimestamp
    }

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

    /// Writes the header; of leap indicator, version and mode the low two, three and three bits.
    ///
    /// - Parameter bytes: at least 48 bytes.
    /// - Returns: 48.
    @discardableResult
    public func write(to bytes: UnsafeMutableRawBufferPointer) -> Int {
        precondition(bytes.count >= Self.length)
        bytes.store(leapIndicator << 6 | (version & 7) << 3 | mode & 7, at: 0)
        bytes.store(stratum, at: 1)
        bytes.store(poll, at: 2)
        bytes.store(precision, at: 3)
        bytes.store(rootDelay, at: 4)
        bytes.store(rootDispersion, at: 8)
        bytes.store(referenceID, at: 12)
        bytes.store(referenceTimestamp.rawValue, at: 16)
        bytes.store(originTimestamp.rawValue, at: 24)
        bytes.store(receiveTimestamp.rawValue, at: 32)
        bytes.store(transmitTimestamp.rawValue, at: 40)
        return Self.length
    }

    /// The 48 bytes of the header.
    ///
    /// - Complexity: an allocation.
    public var bytes: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Self.length) { buffer, count in
            count = write(to: UnsafeMutableRawBufferPointer(buffer))
        }
    }
}

/// A length of time in NTP's short format: 16.16 bits of seconds (RFC 5905 §6), as root delay and dispersion have it.
public enum NTPShort {
    /// Rounded up to 2^-16 s (15.26 us), so that a bound stays one; 0 for negative spans, at most 65,536 s.
    public static func units(_ span: TimeSpan) -> UInt32 {
        let units = (Int128(max(0, span.nanoseconds)) << 16 + 999_999_999) / 1_000_000_000
        return UInt32(min(units, Int128(UInt32.max)))
    }

    /// The span of so many units, rounded up to a nanosecond.
    public static func span(_ units: UInt32) -> TimeSpan {
        .nanoseconds((Int64(units) * 1_000_000_000 + 0xffff) >> 16)
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

    /// What a clock showed that wrote this, in the era that puts it nearest to `near`, rounded to the nearest nanosecond;
    /// held to the range of local instants.
    ///
    /// A clock's own stamp comes back to the nanosecond. Two clocks must agree to 68 years.
    public func local(near: LocalInstant) -> LocalInstant {
        let billion: Int64 = 1_000_000_000
        let nearSeconds = near.nanoseconds / billion - (near.nanoseconds % billion < 0 ? 1 : 0)
        let sinceEra = nearSeconds + emulatedEpochUnixSeconds + Self.unixSeconds
        let difference = Int32(truncatingIfNeeded: Int64(rawValue >> 32) &- sinceEra)
        let fraction = Int128(((rawValue & 0xffff_ffff) * UInt64(billion) + 0x8000_0000) >> 32)
        let nanoseconds = Int128(nearSeconds + Int64(difference)) * Int128(billion) + fraction
        return LocalInstant(nanoseconds: Int64(clamping: nanoseconds))
    }
}
