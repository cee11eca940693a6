import DequeModule
import Timebase

/// A first-in first-out queue that refuses what no longer fits.
///
/// What is being sent is outside the queue and does not count against its limit.
public struct DropTailQueue: Sendable {
    /// How much may wait.
    public enum Limit: Sendable, Hashable {
        /// So many packets.
        case packets(Int)
        /// IP bytes.
        case bytes(Int)
        /// The time that what waits takes to be sent at the link's rate.
        case time(TimeSpan)
    }

    /// Waiting packets, each with the instant of its arrival.
    private(set) var waiting = Deque<Packet>()
    private var backlog: Backlog

    /// - Parameter rate: the rate of the link behind it, which turns a limit in time into one in bytes.
    init(limit: Limit, rate: BitRate, linkLayer: LinkLayer = .none) {
        backlog = Backlog(limit: limit, rate: rate, linkLayer: linkLayer)
    }

    /// IP bytes that wait.
    var waitingBytes: Int { backlog.bytes }

    /// Whether the packet would not pass the limit.
    func hasRoom(for packet: Packet) -> Bool { backlog.hasRoom(for: packet) }

    /// Takes the packet, or refuses it because it would pass the limit.
    mutating func enqueue(_ packet: Packet) -> Bool {
        guard backlog.hasRoom(for: packet) else { return false }
        append(packet)
        return true
    }

    /// Takes the packet whatever the limit.
    mutating func append(_ packet: Packet) {
        waiting.append(packet)
        backlog.add(packet)
    }

    mutating func dequeue() -> Packet? {
        guard let packet = waiting.popFirst() else { return nil }
        backlog.remove(packet)
        return packet
    }

    /// Another rate behind it: a limit in time is another one in bytes. What waits stays.
    mutating func setRate(_ rate: BitRate) { backlog.setRate(rate) }
}

/// What waits, counted against what may wait.
struct Backlog: Sendable {
    private(set) var packets = 0
    /// IP bytes.
    private(set) var bytes = 0
    /// Bytes as the limit counts them: with the link layer's, when it is one in time.
    private var countedBytes = 0
    private let packetLimit: Int
    private var byteLimit: Int
    private let timeLimit: TimeSpan?
    private let counted: LinkLayer

    init(limit: DropTailQueue.Limit, rate: BitRate, linkLayer: LinkLayer) {
        switch limit {
        case .packets(let count): (packetLimit, byteLimit, timeLimit, counted) = (count, .max, nil, .none)
        case .bytes(let count): (packetLimit, byteLimit, timeLimit, counted) = (.max, count, nil, .none)
        case .time(let span): (packetLimit, byteLimit, timeLimit, counted) = (.max, 0, span, linkLayer)
        }
        setRate(rate)
    }

    mutating func setRate(_ rate: BitRate) {
        if let timeLimit { byteLimit = Int(clamping: rate.bits(in: timeLimit) / 8) }
    }

    func hasRoom(for packet: Packet) -> Bool {
        packets < packetLimit && countedBytes + counted.bytes(length: packet.length) <= byteLimit
    }

    var isWithinLimit: Bool { packets <= packetLimit && countedBytes <= byteLimit }

    mutating func add(_ packet: Packet) {
        packets += 1
        bytes += Int(packet.length)
        countedBytes += counted.bytes(length: packet.length)
    }

    mutating func remove(_ packet: Packet) {
        packets -= 1
        bytes -= Int(packet.length)
        countedBytes -= counted.bytes(length: packet.length)
    }
}
