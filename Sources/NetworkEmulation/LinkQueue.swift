import DequeModule
import Timebase

/// Which waiting packet a link sends next, and which ones a full or slow queue gives up.
public enum QueueDiscipline: Sendable, Hashable {
    /// First come, first served; given up are those that come when it is full.
    case dropTail
    /// First come, first served; given up are those that have waited longest, when it is full.
    case dropHead
    /// Besides those that come when it is full, some of those that have waited too long.
    case codel(CoDelParameters)
    /// Besides those that come when it is full, some of those that come while the waiting time is too long.
    case pie(PIEParameters)
    /// Flows in turn, each by CoDel.
    case fqCodel(FQCoDelParameters)
    /// The first class that has something waiting, each first come, first served; what is in no class comes last and has
    /// the link's limit.
    case priority([PriorityClass])
    /// Classes with guaranteed rates; what is in no class shares what is left and has the link's limit.
    case weightedFair(WeightedFairParameters)
}

/// Why a queue gives up a packet.
public enum LinkDrop: UInt8, Sendable {
    /// It did not fit, or made room for one behind it.
    case queueFull
    /// Active queue management.
    case activeManagement
}

/// What a queue has done to packets that it had accepted.
struct QueueOutcome: Sendable {
    /// Given up, and not yet taken by the link.
    private(set) var drops = Deque<(packet: Packet, reason: LinkDrop)>()
    /// By flow; flows that were never marked may be absent.
    private(set) var markedByFlow: [Int64] = []
    /// Whether there are drops.
    private(set) var hasDrops = false

    mutating func drop(_ packet: Packet, _ reason: LinkDrop) {
        drops.append((packet, reason))
        hasDrops = true
    }

    mutating func takeDrop() -> (packet: Packet, reason: LinkDrop)? {
        guard hasDrops else { return nil }
        hasDrops = drops.count > 1
        return drops.popFirst()
    }

    /// Marks a packet as having met congestion, if it is to be and can be.
    ///
    /// - Returns: whether it is marked now.
    mutating func mark(_ packet: inout Packet?, if isWanted: Bool) -> Bool {
        guard isWanted, let flow = packet?.flow, packet?.marks.contains(.ecnCapable) == true else { return false }
        packet?.marks.insert(.congestionExperienced)
        while markedByFlow.count <= Int(flow) { markedByFlow.append(0) }
        markedByFlow[Int(flow)] += 1
        return true
    }
}

/// A link's queue: one of the disciplines, each in a place of its own, so that using it copies nothing.
///
/// A packet that finds the link idle does not wait in it; the queue is only told of it.
struct LinkQueue: Sendable {
    private enum Kind: Sendable { case dropTail, dropHead, codel, pie, fqCodel, priority, weightedFair }

    private let kind: Kind
    /// Whether all that waits is in one queue.
    private var isFIFO: Bool { kind == .dropTail || kind == .dropHead || kind == .codel || kind == .pie }
    private var fifo: DropTailQueue
    private var codel: CoDel?
    private var pie: PIE?
    private var fqCodel: FQCoDel?
    private var priority: PriorityQueue?
    private var weightedFair: WeightedFairQueue?
    private var outcome = QueueOutcome()
    private let linkLayer: LinkLayer

    /// - Parameters:
    ///   - limit: of all that waits, or of what is in no class, where the discipline has classes.
    ///   - start: from when a discipline that works at intervals counts them.
    init(
        limit: DropTailQueue.Limit, discipline: QueueDiscipline, rate: BitRate, linkLayer: LinkLayer,
        start: Instant = .zero
    ) {
        self.linkLayer = linkLayer
        fifo = DropTailQueue(limit: limit, rate: rate, linkLayer: linkLayer)
        switch discipline {
        case .dropTail: kind = .dropTail
        case .dropHead: kind = .dropHead
        case .codel(let parameters): (kind, codel) = (.codel, CoDel(parameters))
        case .pie(let parameters): (kind, pie) = (.pie, PIE(parameters, start: start))
        case .fqCodel(let parameters):
            let backlog = Backlog(limit: limit, rate: rate, linkLayer: linkLayer)
            (kind, fqCodel) = (.fqCodel, FQCoDel(parameters, backlog: backlog))
        case .priority(let classes):
            (kind, priority) = (.priority, PriorityQueue(classes, rest: fifo, rate: rate, linkLayer: linkLayer))
        case .weightedFair(let parameters):
            kind = .weightedFair
            weightedFair = WeightedFairQueue(parameters, limit: limit, rate: rate, linkLayer: linkLayer)
        }
    }

    /// Packets that wait.
    ///
    /// - Complexity: O(classes), and so are ``isEmpty()`` and ``bytes``.
    var count: Int {
        switch kind {
        case .dropTail, .dropHead, .codel, .pie: fifo.waiting.count
        case .fqCodel: fqCodel?.backlog.packets ?? 0
        case .priority: priority?.count ?? 0
        case .weightedFair: weightedFair?.count ?? 0
        }
    }

    /// Whether nothing waits. Mutating, as what does not mutate gets a copy of the whole queue (measured).
    @inline(__always)
    mutating func isEmpty() -> Bool { isFIFO ? fifo.waiting.isEmpty : count == 0 }

    /// IP bytes that wait.
    var bytes: Int {
        switch kind {
        case .dropTail, .dropHead, .codel, .pie: fifo.waitingBytes
        case .fqCodel: fqCodel?.backlog.bytes ?? 0
        case .priority: priority?.bytes ?? 0
        case .weightedFair: weightedFair?.bytes ?? 0
        }
    }

    /// Takes a packet, whose `time` is now.
    ///
    /// - Returns: nil when it waits, else why it is refused.
    mutating func enqueue(_ packet: Packet) -> LinkDrop? {
        guard kind == .pie else { return append(packet) ? nil : .queueFull }
        pie?.advance(to: packet.time, head: fifo.waiting.first)
        guard fifo.hasRoom(for: packet) else {
            pie?.noteTailDrop()
            return .queueFull
        }
        var admitted: Packet? = packet
        if pie?.isCongested(for: packet, waitingBytes: fifo.waitingBytes) == true,
            !outcome.mark(&admitted, if: pie?.mayMark == true)
        {
            return .activeManagement
        }
        fifo.append(admitted ?? packet)
        return nil
    }

    /// A packet is sent at once: the link is idle and nothing waits.
    @inline(__always)
    mutating func pass(_ packet: Packet) {
        if kind == .fqCodel || kind == .weightedFair { tellClasses(packet) }
    }

    private mutating func tellClasses(_ packet: Packet) {
        switch kind {
        case .fqCodel: fqCodel?.pass(packet)
        case .weightedFair: weightedFair?.pass(packet)
        default: break
        }
    }

    /// The next packet to send.
    @inline(__always)
    mutating func dequeue(at now: Instant) -> Packet? {
        kind == .dropTail ? fifo.dequeue() : choose(at: now)
    }

    private mutating func choose(at now: Instant) -> Packet? {
        switch kind {
        case .codel: return codel?.dequeue(from: &fifo, at: now, &outcome)
        case .fqCodel: return fqCodel?.dequeue(at: now, &outcome)
        case .pie: pie?.advance(to: now, head: fifo.waiting.first)
        default: break
        }
        return takeUnmanaged()
    }

    /// Whether the queue may give up what has waited when its turn comes, and not only when a packet comes.
    var dropsWhatWaits: Bool { kind == .codel || kind == .fqCodel }

    /// Whether packets have been given up that nobody has taken yet.
    var hasDrops: Bool { outcome.hasDrops }

    /// The next packet that was given up after it had been accepted.
    mutating func takeDrop() -> (packet: Packet, reason: LinkDrop)? { outcome.takeDrop() }

    /// Packets marked as having met congestion.
    var marked: Int64 { outcome.markedByFlow.reduce(0, +) }
    func marked(flow: UInt16) -> Int64 {
        Int(flow) < outcome.markedByFlow.count ? outcome.markedByFlow[Int(flow)] : 0
    }

    // MARK: Changes

    /// Another rate of the link: of limits in time and of what best effort is left. What waits stays.
    mutating func setRate(_ rate: BitRate) {
        fifo.setRate(rate)
        fqCodel?.setRate(rate)
        priority?.setRate(rate)
        weightedFair?.setRate(rate)
    }

    /// Another discipline or limit. It takes what waits in the order in which it would have left; what does not fit any
    /// longer is dropped. Marks stay counted, and reservations stay where the new discipline knows them and has room.
    mutating func change(to discipline: QueueDiscipline, limit: DropTailQueue.Limit, rate: BitRate, at now: Instant) {
        var next = LinkQueue(limit: limit, discipline: discipline, rate: rate, linkLayer: linkLayer, start: now)
        next.outcome = outcome
        for (flow, rate) in weightedFair?.reservations ?? [] { _ = next.reserve(flow: flow, rate: rate) }
        while let packet = takeUnmanaged() {
            if !next.append(packet) { next.outcome.drop(packet, .queueFull) }
        }
        self = next
    }

    // MARK: Reservations

    /// Guarantees a flow a rate of its own, in place of any that it has.
    ///
    /// - Returns: false, and nothing has changed, when the discipline knows no guarantees, the rate is zero, or it is more
    ///   than is free.
    mutating func reserve(flow: UInt16, rate: BitRate) -> Bool {
        weightedFair?.reserve(flow: flow, rate: rate, &outcome) ?? false
    }

    /// Takes a flow's guarantee back.
    mutating func release(flow: UInt16) { weightedFair?.release(flow: flow, &outcome) }

    /// What can still be guaranteed; nil: the discipline knows no guarantees.
    var unreservedRate: BitRate? { weightedFair?.free }

    // MARK: Without active management

    private mutating func append(_ packet: Packet) -> Bool {
        switch kind {
        case .dropTail, .codel, .pie: return fifo.enqueue(packet)
        case .dropHead:
            while !fifo.hasRoom(for: packet), let head = fifo.dequeue() { outcome.drop(head, .queueFull) }
            return fifo.enqueue(packet)
        case .fqCodel:
            fqCodel?.enqueue(packet, &outcome)
            return true
        case .priority: return priority?.enqueue(packet) ?? false
        case .weightedFair: return weightedFair?.enqueue(packet) ?? false
        }
    }

    private mutating func takeUnmanaged() -> Packet? {
        switch kind {
        case .dropTail, .dropHead, .codel, .pie: fifo.dequeue()
        case .fqCodel: fqCodel?.dequeue(at: nil, &outcome)
        case .priority: priority?.dequeue()
        case .weightedFair: weightedFair?.dequeue()
        }
    }
}
