import DequeModule
import Timebase

/// A first-in first-out queue that refuses what no longer fits.
///
/// What is being sent is outside the queue and does not count against its limit.
public struct DropTailQueue: Sendable {
    /// How much may wait.
    public enum Limit: Sendable, Hashable {
        case packets(Int)
        /// IP bytes.
        case bytes(Int)
        /// The time that what waits takes to be sent at the link's rate.
        case time(TimeSpan)
    }

    /// Waiting packets, each with the instant of its arrival.
    var waiting = Deque<Packet>()
    /// IP bytes.
    var waitingBytes = 0
    /// Bytes as the limit counts them: with the link layer's, when it is one in time.
    private var countedBytes = 0
    let packetLimit: Int
    let byteLimit: Int
    private let counted: LinkLayer

    /// - Parameter rate: the rate of the link behind it, which turns a limit in time into one in bytes.
    public init(limit: Limit, rate: BitRate, linkLayer: LinkLayer = .none) {
        if case .time = limit { counted = linkLayer } else { counted = .none }
        switch limit {
        case .packets(let count): (packetLimit, byteLimit) = (count, .max)
        case .bytes(let count): (packetLimit, byteLimit) = (.max, count)
        case .time(let span):
            (packetLimit, byteLimit) = (.max, Int(clamping: rate.bits(in: span) / 8))
        }
    }

    /// Whether the packet would not pass the limit.
    func hasRoom(for packet: Packet) -> Bool {
        waiting.count < packetLimit && countedBytes + counted.bytes(length: packet.length) <= byteLimit
    }

    /// Takes the packet, or refuses it because it would pass the limit.
    mutating func enqueue(_ packet: Packet) -> Bool {
        let bytes = counted.bytes(length: packet.length)
        guard waiting.count < packetLimit, countedBytes + bytes <= byteLimit else { return false }
        waiting.append(packet)
        waitingBytes += Int(packet.length)
        countedBytes += bytes
        return true
    }

    mutating func dequeue() -> Packet? {
        guard let packet = waiting.popFirst() else { return nil }
        waitingBytes -= Int(packet.length)
        countedBytes -= counted.bytes(length: packet.length)
        return packet
    }
}
