/// The packet of an MPEG transport stream (ISO/IEC 13818-1 §2.4.3.2).
public enum TransportPacket {
    /// Bytes in a packet.
    @inlinable public static var length: Int { 188 }
    /// The first byte of every packet.
    @inlinable public static var syncByte: UInt8 { 0x47 }
    /// The PID of packets that only fill the rate. Their continuity counter means nothing.
    @inlinable public static var nullPID: UInt16 { 0x1fff }
    /// Bytes before the adaptation field or the payload.
    @inlinable public static var headerLength: Int { 4 }
    /// Ticks of the 27 MHz clock after which the PCR begins again at 0: 2^33 · 300.
    @inlinable public static var pcrPeriod: Int64 { 300 &<< 33 }
}

/// What a transport packet says before its payload: header and adaptation field (ISO/IEC 13818-1 §2.4.3.2, §2.4.3.4).
///
/// Eight bytes that refer to the packet for the rest; made for reading every packet of a stream.
@frozen
public struct TransportPacketHeader: Hashable, Sendable, BitwiseCopyable {
    /// The packet's first four bytes.
    @usableFromInline let word: UInt32
    /// The adaptation field's flags; 0 without them. A PCR flag without room for a PCR is cleared.
    @usableFromInline let flags: UInt8
    @usableFromInline let payloadStart: UInt8

    /// Reads the packet of 188 bytes at `offset`.
    ///
    /// - Returns: nil where there are no 188 bytes, the sync byte is wrong, or the adaptation field does not fit in the
    ///   packet. An adaptation field that is alone yet shorter than the 183 bytes it should have is let pass.
    @inlinable
    public init?(_ bytes: RawSpan, at offset: Int) {
        guard offset >= 0, offset <= bytes.byteCount &- TransportPacket.length else { return nil }
        let word: UInt32 = bytes.loaded(at: offset)
        guard word &>> 24 == UInt32(TransportPacket.syncByte) else { return nil }
        var flags: UInt8 = 0
        var payloadStart: UInt8 = 4
        if word & 0x20 != 0 {
            let length: UInt8 = bytes.loaded(at: offset &+ 4)
            guard length <= 183 else { return nil }
            payloadStart = 5 &+ length
            if length > 0 { flags = bytes.loaded(at: offset &+ 5) }
            if length < 7 { flags &= ~0x10 }
        }
        self.word = word
        self.flags = flags
        self.payloadStart = word & 0x10 != 0 ? payloadStart : UInt8(TransportPacket.length)
    }

    /// 0...0x1fff.
    @inlinable public var pid: UInt16 { UInt16(truncatingIfNeeded: word &>> 8) & 0x1fff }
    var isNull: Bool { pid == TransportPacket.nullPID }
    /// Somebody on the way found an error that could not be repaired.
    @inlinable public var transportError: Bool { word & 0x80_0000 != 0 }
    /// A PES packet begins with the payload, or the payload begins with a pointer to a section.
    @inlinable public var payloadUnitStart: Bool { word & 0x40_0000 != 0 }
    var transportPriority: Bool { word & 0x20_0000 != 0 }
    /// transport_scrambling_control: 0 is not scrambled.
    @inlinable public var scrambling: UInt8 { UInt8(truncatingIfNeeded: word &>> 6) & 3 }
    /// 0...15, one more in each packet of a PID that has a payload.
    @inlinable public var continuityCounter: UInt8 { UInt8(truncatingIfNeeded: word) & 15 }
    var hasAdaptationField: Bool { word & 0x20 != 0 }
    /// Whether payload follows the header and the adaptation field.
    @inlinable public var hasPayload: Bool { word & 0x10 != 0 }
    /// Where the payload begins, bytes from the packet's start; 188 without a payload.
    @inlinable public var payloadOffset: Int { Int(payloadStart) }
    /// Bytes of payload, 0...184.
    @inlinable public var payloadCount: Int { TransportPacket.length &- Int(payloadStart) }

    /// The clock or the continuity counter may jump here.
    @inlinable public var discontinuityIndicator: Bool { flags & 0x80 != 0 }
    /// Decoding can begin with the PES packet that starts here.
    @inlinable public var randomAccess: Bool { flags & 0x40 != 0 }
    var elementaryStreamPriority: Bool { flags & 0x20 != 0 }
    /// Whether the adaptation field has a clock reference.
    @inlinable public var hasPCR: Bool { flags & 0x10 != 0 }

    /// The program clock reference in ticks of 27 MHz, 0..<2^33·300; nil when the packet has none.
    ///
    /// It is the time at which the byte with the base's last bit, the packet's eleventh, enters the decoder
    /// (ISO/IEC 13818-1 §2.4.3.5). An extension above 299, which is forbidden, is added as it stands.
    ///
    /// - Parameters: those with which the header was read.
    @inlinable
    public func pcr(_ bytes: RawSpan, at offset: Int) -> Int64? {
        guard hasPCR, offset >= 0, offset <= bytes.byteCount &- TransportPacket.length else { return nil }
        let high: UInt32 = bytes.loaded(at: offset &+ 6)
        let low: UInt16 = bytes.loaded(at: offset &+ 10)
        let base = Int64(high) &<< 1 | Int64(low &>> 15)
        return base &* 300 &+ Int64(low & 0x1ff)
    }
}
