/// The bytes of every datagram under way, each written once and shared by all who hold it.
///
/// A slot holds one UDP payload of up to ``slotCapacity`` bytes. Copies of a packet (several receivers, duplicates,
/// captures) share one slot by counting. The pool grows to the largest number of datagrams ever under way at once and
/// gives nothing back before it goes.
public struct PacketPool: ~Copyable {
    /// Bytes in a slot.
    public let slotCapacity: Int
    @usableFromInline var chunks: [UnsafeMutableRawPointer] = []
    @usableFromInline var holders: [UInt32] = []
    @usableFromInline var free: [UInt32] = []
    /// log2 of the slots in a chunk.
    @usableFromInline static var chunkBits: Int { 8 }

    /// - Parameter slotCapacity: the largest UDP payload, in bytes.
    public init(slotCapacity: Int) {
        self.slotCapacity = slotCapacity
    }

    deinit {
        for chunk in chunks { chunk.deallocate() }
    }

    /// Slots held by somebody.
    public var slotsInUse: Int { holders.count - free.count }

    /// A slot with one holder; its bytes are whatever they were.
    @inlinable
    public mutating func allocate() -> UInt32 {
        if free.isEmpty { grow() }
        let slot = free.removeLast()
        holders[Int(slot)] = 1
        return slot
    }

    /// One more holder.
    @inlinable
    public mutating func retain(_ slot: UInt32) { holders[Int(slot)] += 1 }

    /// One holder less; the last one frees the slot.
    @inlinable
    public mutating func release(_ slot: UInt32) {
        holders[Int(slot)] -= 1
        if holders[Int(slot)] == 0 { free.append(slot) }
    }

    /// The slot's bytes, `count` of them.
    ///
    /// The buffer stays valid until the last holder releases the slot. Unsafe because the pool's memory never moves and
    /// a closure per access costs more than the access (measured); bounds are those of the buffer.
    @inlinable
    public func bytes(_ slot: UInt32, count: Int) -> UnsafeRawBufferPointer {
        precondition(count <= slotCapacity && holders[Int(slot)] > 0)
        return UnsafeRawBufferPointer(start: address(slot), count: count)
    }

    /// The slot's bytes for writing, all of them.
    @inlinable
    public mutating func mutableBytes(_ slot: UInt32) -> UnsafeMutableRawBufferPointer {
        precondition(holders[Int(slot)] > 0)
        return UnsafeMutableRawBufferPointer(start: address(slot), count: slotCapacity)
    }

    @inlinable
    func address(_ slot: UInt32) -> UnsafeMutableRawPointer {
        let index = Int(slot)
        return chunks[index &>> Self.chunkBits] + (index & (1 &<< Self.chunkBits - 1)) &* slotCapacity
    }

    @usableFromInline
    mutating func grow() {
        let count = 1 << Self.chunkBits
        chunks.append(.allocate(byteCount: count * slotCapacity, alignment: 64))
        let first = holders.count
        holders.append(contentsOf: repeatElement(0, count: count))
        free.append(contentsOf: (first..<first + count).reversed().map { UInt32($0) })
    }
}
