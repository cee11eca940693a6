/// What a multiplexer says before a packet's payload.
@frozen
public struct TransportPacketFields: Hashable, Sendable, BitwiseCopyable {
    /// 0...0x1fff.
    @usableFromInline var pid: UInt16
    /// Its low four bits are written.
    @usableFromInline var continuityCounter: UInt8
    @usableFromInline var payloadUnitStart: Bool
    /// Whether decoding can begin with the PES packet that starts here (random_access_indicator).
    public var randomAccess: Bool
    /// Whether the clock or the continuity counter may jump here (discontinuity_indicator).
    public var discontinuity = false
    /// Ticks of 27 MHz, taken modulo 2^33·300; nil for no PCR.
    public var pcr: Int64?

    @inlinable
    public init(
        pid: UInt16, continuityCounter: UInt8, payloadUnitStart: Bool = false, pcr: Int64? = nil,
        randomAccess: Bool = false
    ) {
        self.pid = pid
        self.continuityCounter = continuityCounter
        self.payloadUnitStart = payloadUnitStart
        self.randomAccess = randomAccess
        self.pcr = pcr
    }

    /// Bytes of adaptation field that these fields need: 8 with a PCR, 2 with a flag, else 0.
    @inlinable
    var adaptationFieldCount: Int { pcr != nil ? 8 : randomAccess || discontinuity ? 2 : 0 }

    /// The most payload bytes that fit beside these fields: 176, 182 or 184.
    @inlinable
    var payloadCapacity: Int { TransportPacket.length &- TransportPacket.headerLength &- adaptationFieldCount }
}

/// Writes a packet's header and adaptation field, stuffed so that the payload ends with the packet.
///
/// With `payloadCount` 0 the packet has an adaptation field only: so a PCR is sent when no payload is due. The
/// continuity counter of such a packet is that of the PID's packet before it.
///
/// - Parameters:
///   - payloadCount: how many payload bytes wait, 0 or more; what does not fit stays for the next packet.
///   - packet: at least 188 bytes, the first 188 of which are the packet.
/// - Returns: where in the packet the payload belongs; the caller fills all of it.
@inlinable
public func writeTransportPacket(
    _ fields: TransportPacketFields, payloadCount: Int, to packet: UnsafeMutableRawBufferPointer
) -> Range<Int> {
    precondition(packet.count >= TransportPacket.length && payloadCount >= 0)
    let count = min(payloadCount, fields.payloadCapacity)
    let payloadOffset = TransportPacket.length &- count
    let adaptationCount = payloadOffset &- TransportPacket.headerLength
    var word = UInt32(TransportPacket.syncByte) &<< 24
    word |= UInt32(fields.pid & 0x1fff) &<< 8 | UInt32(fields.continuityCounter & 15)
    if fields.payloadUnitStart { word |= 0x40_0000 }
    if adaptationCount > 0 { word |= 0x20 }
    if count > 0 { word |= 0x10 }
    packet.store(word, at: 0)
    if adaptationCount > 0 {
        writeAdaptationField(fields, count: adaptationCount, to: packet)
    }
    return payloadOffset..<TransportPacket.length
}

/// Writes an adaptation field of `count` bytes, its length byte counted, behind the header.
@inlinable
func writeAdaptationField(_ fields: TransportPacketFields, count: Int, to packet: UnsafeMutableRawBufferPointer) {
    packet.store(UInt8(truncatingIfNeeded: count &- 1), at: 4)
    guard count > 1 else { return }
    var flags: UInt8 = 0
    if fields.discontinuity { flags |= 0x80 }
    if fields.randomAccess { flags |= 0x40 }
    var used = 2
    if let pcr = fields.pcr {
        flags |= 0x10
        used = 8
        var ticks = pcr % TransportPacket.pcrPeriod
        if ticks < 0 { ticks &+= TransportPacket.pcrPeriod }
        let (base, tail) = UInt64(ticks).quotientAndRemainder(dividingBy: 300)
        packet.store(UInt32(truncatingIfNeeded: base &>> 1), at: 6)
        packet.store(UInt16(truncatingIfNeeded: base & 1) &<< 15 | 0x7e00 | UInt16(tail), at: 10)
    }
    packet.store(flags, at: 5)
    let stuffing = UnsafeMutableRawBufferPointer(rebasing: packet[(4 &+ used)..<(4 &+ count)])
    stuffing.initializeMemory(as: UInt8.self, repeating: 0xff)
}

extension TransportPacket {
    /// Writes a packet that only fills the rate: PID 0x1fff, counter 0, payload of 0xff.
    ///
    /// - Parameter packet: at least 188 bytes.
    @inlinable
    public static func writeNull(to packet: UnsafeMutableRawBufferPointer) {
        precondition(packet.count >= length)
        packet.store(0x471f_ff10 as UInt32, at: 0)
        UnsafeMutableRawBufferPointer(rebasing: packet[4..<length]).initializeMemory(as: UInt8.self, repeating: 0xff)
    }
}
