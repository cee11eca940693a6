import Timebase

/// The sender's end: takes datagrams in the multiplex's order and hands them out in the wire's.
///
/// It starts streaming: the datagram of slot k goes out when the datagram k + lead has been written, not when its block
/// is full. A last block that stays partial is sent as far as it was written; the turns of what was not pass in silence,
/// so that everybody else keeps his. It holds at most 2 × lead + 1 descriptors, in memory taken once.
public struct BlockInterleaver: Sendable {
    let block: InterleavingBlock
    /// The descriptor of place n at n mod count.
    private var ring: [Packet]
    private var written: Int64 = 0
    private var slot: Int64 = 0

    /// An interleaver that nothing has been written to.
    public init(_ block: InterleavingBlock) {
        self.block = block
        let empty = Packet(time: .zero, sent: .zero, slot: 0, number: 0, length: 0, flow: 0)
        ring = Array(repeating: empty, count: 2 * block.lead + 1)
    }

    /// Takes the next datagram of the multiplex and hands out the one whose turn it is now; nil while the first
    /// ones gather.
    public mutating func write(_ packet: Packet) -> Packet? {
        ring[Int(written % Int64(ring.count))] = packet
        written += 1
        guard written > block.lead else { return nil }
        slot += 1
        return datagram(inSlot: slot - 1)
    }

    /// After the last datagram: the next one that is left, and how many turns after the last write it has its own.
    public mutating func drain() -> (packet: Packet, turns: Int)? {
        let rest = written % Int64(block.count)
        let end = written - rest + (rest == 0 ? 0 : Int64(block.count))
        while slot < end {
            slot += 1
            guard let packet = datagram(inSlot: slot - 1) else { continue }
            return (packet, Int(slot - written) + block.lead)
        }
        return nil
    }

    /// Nil where nothing was written.
    private func datagram(inSlot slot: Int64) -> Packet? {
        let place = block.place(ofSlot: slot)
        return place < written ? ring[Int(place % Int64(ring.count))] : nil
    }
}
