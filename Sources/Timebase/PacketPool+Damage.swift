/// Bits that are changed on the way.
///
/// A slot whose bytes were changed keeps, in its last two bytes, which no payload reaches, by how much the one's
/// complement sum of the payload's 16-bit words has grown since it was sent, modulo 65,535 (RFC 1624 §3). So whether the
/// sender's checksum still fits is known without adding anything up, and what it covered without keeping it. The two bytes
/// before say which byte was changed last.
extension PacketPool {
    /// Changes one bit of a packet's payload in a slot of its own, as others may hold the bytes. The hold on the slot that
    /// it had stays with the caller.
    ///
    /// A packet without bytes is only marked.
    ///
    /// - Parameter bit: from the payload's beginning, 8 a byte, the least significant first; less than 8 ·
    ///   ``Packet/payloadCount``.
    /// - Complexity: O(payload).
    public mutating func damage(_ packet: inout Packet, bit: Int) {
        let former = checksumDifference(of: packet)
        packet.marks.insert(.damaged)
        guard packet.slot != Packet.noSlot else { return }
        let slot = allocate()
        let bytes = mutableBytes(slot)
        bytes.copyMemory(from: self.bytes(packet.slot, count: packet.payloadCount))
        packet.slot = slot
        let mask: UInt8 = 1 << UInt8(bit & 7)
        bytes[bit >> 3] ^= mask
        // Network byte order: a byte at an even place is the more significant one of its word.
        let change = (bit >> 3) % 2 == 0 ? UInt32(mask) << 8 : UInt32(mask)
        let grown = bytes[bit >> 3] & mask != 0 ? change : Self.modulus - change
        let difference = (UInt32(former) + grown) % Self.modulus
        bytes.storeBytes(of: UInt16(difference), toByteOffset: slotCapacity - 2, as: UInt16.self)
        bytes.storeBytes(of: UInt16(bit >> 3), toByteOffset: slotCapacity - 4, as: UInt16.self)
    }

    /// The place in a packet's payload that was changed last; nil where none was.
    @inlinable
    public func changedByte(of packet: Packet) -> Int? {
        guard packet.marks.contains(.damaged), packet.slot != Packet.noSlot else { return nil }
        return Int(
            bytes(packet.slot, count: slotCapacity).loadUnaligned(fromByteOffset: slotCapacity - 4, as: UInt16.self))
    }

    /// By how much the sum of a packet's payload has grown since it was sent, 0...65,534; 0: a checksum of the sender's
    /// fits, as it also does when changes hide each other.
    @inlinable
    public func checksumDifference(of packet: Packet) -> UInt16 {
        guard packet.marks.contains(.damaged), packet.slot != Packet.noSlot else { return 0 }
        return bytes(packet.slot, count: slotCapacity).loadUnaligned(fromByteOffset: slotCapacity - 2, as: UInt16.self)
    }

    private static var modulus: UInt32 { 65_535 }
}
