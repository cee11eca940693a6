import DequeModule
import Timebase

/// Which packets a full or slow queue gives up.
public enum QueueDiscipline: Sendable, Hashable {
    /// Those that come when it is full.
    case dropTail
    /// Those that have waited longest, when it is full.
    case dropHead
    /// Besides those that come when it is full, some of those that have waited too long.
    case codel(CoDelParameters)
}

/// Why a queue gives up a packet.
public enum LinkDrop: UInt8, Sendable {
    /// It did not fit, or made room for one behind it.
    case queueFull
    /// Active queue management.
    case activeManagement
}

/// A link's queue: one of the disciplines, each in a place of its own, so that using it copies nothing.
struct LinkQueue: Sendable {
    private enum Kind: Sendable { case dropTail, dropHead, codel }

    private let kind: Kind
    private var fifo: DropTailQueue
    private var codel: CoDel?
    /// Given up after they had been accepted.
    private var drops = Deque<(packet: Packet, reason: LinkDrop)>()

    init(limit: DropTailQueue.Limit, discipline: QueueDiscipline, rate: BitRate, linkLayer: LinkLayer) {
        fifo = DropTailQueue(limit: limit, rate: rate, linkLayer: linkLayer)
        switch discipline {
        case .dropTail: kind = .dropTail
        case .dropHead: kind = .dropHead
        case .codel(let parameters): (kind, codel) = (.codel, CoDel(parameters))
        }
    }

    /// Packets that wait.
    var count: Int { fifo.waiting.count }
    var isEmpty: Bool { fifo.waiting.isEmpty }
    /// IP bytes that wait.
    var bytes: Int { fifo.waitingBytes }

    /// Takes a packet, whose `time` is now.
    ///
    /// - Returns: nil when it waits, else why it is refused.
    mutating func enqueue(_ packet: Packet) -> LinkDrop? {
        if kind == .dropHead {
            while !fifo.hasRoom(for: packet), let head = fifo.dequeue() { drops.append((head, .queueFull)) }
        }
        return fifo.enqueue(packet) ? nil : .queueFull
    }

    /// The next packet to send.
    mutating func dequeue(at now: Instant) -> Packet? {
        guard kind == .codel else { return fifo.dequeue() }
        return codel?.dequeue(from: &fifo, at: now) { drops.append(($0, .activeManagement)) }
    }

    /// Another limit and discipline from now on; what waits moves over, as far as it fits.
    mutating func change(limit: DropTailQueue.Limit, discipline: QueueDiscipline) {
    }

    /// The next packet that was given up after it had been accepted.
    mutating func takeDrop() -> (packet: Packet, reason: LinkDrop)? { drops.popFirst() }
}
