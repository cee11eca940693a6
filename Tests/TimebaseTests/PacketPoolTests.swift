import Testing

@testable import Timebase

@Suite("Packets and their pool")
struct PacketPoolTests {
    @Test("a descriptor is 32 bytes")
    func descriptor() {
        #expect(MemoryLayout<Packet>.stride == 32)
    }

    @Test("slots are apart, keep their bytes, and are aligned to cache lines")
    func bytes() {
        var pool = PacketPool(slotCapacity: 1472)
        let slots = (0..<600).map { _ in pool.allocate() }
        #expect(Set(slots).count == 600 && pool.slotsInUse == 600)
        for (index, slot) in slots.enumerated() {
            pool.mutableBytes(slot).initializeMemory(as: UInt8.self, repeating: UInt8(truncatingIfNeeded: index * 7))
        }
        for (index, slot) in slots.enumerated() {
            #expect(pool.bytes(slot, count: 1472).allSatisfy { $0 == UInt8(truncatingIfNeeded: index * 7) })
        }
        #expect(pool.mutableBytes(slots[0]).count == 1472 && pool.bytes(slots[0], count: 12).count == 12)
    }

    @Test("a slot is free again when its last holder releases it, not before")
    func holders() {
        var pool = PacketPool(slotCapacity: 64)
        let slot = pool.allocate()
        pool.retain(slot)
        pool.retain(slot)
        pool.release(slot)
        pool.release(slot)
        #expect(pool.slotsInUse == 1)
        #expect(pool.allocate() != slot)
        pool.release(slot)
        #expect(pool.slotsInUse == 1)
        #expect(pool.allocate() == slot)
    }

    private func packet(_ slot: UInt32, payload: Int) -> Packet {
        Packet(time: .zero, sent: .zero, slot: slot, number: 0, length: UInt16(28 + payload), flow: 0)
    }

    /// Of a payload of FF 00 01 three bytes long: words FF00 and 0100, which sum to 0x10000, 1 by end-around carry.
    @Test("damage changes one bit in a slot of the packet's own and keeps the difference of the sums (RFC 1624)")
    func damage() {
        var pool = PacketPool(slotCapacity: 64)
        let slot = pool.allocate()
        pool.mutableBytes(slot).copyBytes(from: [0xff, 0x00, 0x01])
        var packet = packet(slot, payload: 3)
        #expect(pool.checksumDifference(of: packet) == 0)
        // The third byte's lowest bit, the high byte of a word that a zero fills: 1 to 0 is -0x100.
        pool.damage(&packet, bit: 16)
        #expect(packet.slot != slot && packet.marks == .damaged && pool.slotsInUse == 2)
        #expect(Array(pool.bytes(packet.slot, count: 3)) == [0xff, 0x00, 0x00])
        #expect(Array(pool.bytes(slot, count: 3)) == [0xff, 0x00, 0x01])
        #expect(pool.checksumDifference(of: packet) == 65_535 - 0x100)
        // The second byte's bit 3, 0 to 1, adds 8.
        pool.damage(&packet, bit: 11)
        #expect(pool.checksumDifference(of: packet) == 65_535 - 0x100 + 8)
        // Back it goes, and then the first byte's lowest bit, 1 to 0: -0x200 in all.
        pool.damage(&packet, bit: 11)
        pool.damage(&packet, bit: 0)
        #expect(pool.checksumDifference(of: packet) == 65_535 - 0x200)
        // The third byte's bit 1, 0 to 1, hides both: FE00 and 0200 sum to what FF00 and 0100 do.
        pool.damage(&packet, bit: 17)
        #expect(pool.checksumDifference(of: packet) == 0)
        var bare = self.packet(Packet.noSlot, payload: 3)
        pool.damage(&bare, bit: 5)
        #expect(bare.marks == .damaged && bare.slot == Packet.noSlot && pool.checksumDifference(of: bare) == 0)
    }

    @Test("the difference is that of the sums whatever bits are changed", arguments: [1, 2, 1_471, 1_472])
    func differences(payload: Int) {
        func sum(_ bytes: UnsafeRawBufferPointer) -> Int {
            bytes.enumerated().reduce(0) { $0 + ($1.offset % 2 == 0 ? Int($1.element) << 8 : Int($1.element)) }
        }
        var pool = PacketPool(slotCapacity: 1_536)
        let key = DrawKey(seed: 3).named("test")
        let slot = pool.allocate()
        for index in 0..<payload {
            pool.mutableBytes(slot)[index] = UInt8(truncatingIfNeeded: key.draw(Int64(index)))
        }
        let original = sum(pool.bytes(slot, count: payload))
        var packet = packet(slot, payload: payload)
        for round in 0..<40 as Range<Int64> {
            let bit = Int(key.draw(flow: 1, number: round).multipliedFullWidth(by: UInt64(payload * 8)).high)
            let former = packet.slot
            pool.damage(&packet, bit: bit)
            pool.release(former)
            let grown = (sum(pool.bytes(packet.slot, count: payload)) - original) % 65_535
            #expect(Int(pool.checksumDifference(of: packet)) == (grown + 65_535) % 65_535)
        }
        #expect(pool.slotsInUse == 1)
    }

    @Test("the pool does not grow while slots come back")
    func reuse() {
        var pool = PacketPool(slotCapacity: 64)
        var held: [UInt32] = []
        var largest: UInt32 = 0
        for round in 0..<10_000 {
            held.append(pool.allocate())
            largest = max(largest, held.last ?? 0)
            if held.count == 200 { for _ in 0..<(round % 200 + 1) { pool.release(held.removeFirst()) } }
        }
        #expect(largest < 256)
        for slot in held { pool.release(slot) }
        #expect(pool.slotsInUse == 0)
    }
}
