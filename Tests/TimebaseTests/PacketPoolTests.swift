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
