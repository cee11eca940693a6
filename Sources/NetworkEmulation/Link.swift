import DequeModule
import Timebase

/// What a link does with a packet handed to it.
public enum LinkVerdict: Sendable, Equatable {
    /// It will come out of the other end.
    case accepted
    /// Lost by the loss model.
    case lost
    /// Refused by the queue.
    case dropped(LinkDrop)
}

/// A link's stages, in the order a packet meets them: loss, queue, rate, delay and jitter.
public struct LinkConfiguration: Sendable {
    public var loss: LossModel
    /// Bits per second, of IP packets with what the link layer adds; nil: no serialization, and so no queue.
    public var rate: BitRate?
    public var queueLimit: DropTailQueue.Limit
    public var discipline: QueueDiscipline
    public var delay: DelayModel
    public var linkLayer: LinkLayer
    /// Ignored without a rate.
    public var capacity: CapacitySource

    public init(
        loss: LossModel, rate: BitRate?, queueLimit: DropTailQueue.Limit, delay: DelayModel,
        linkLayer: LinkLayer = .none, capacity: CapacitySource = .constant, discipline: QueueDiscipline = .dropTail
    ) {
        self.discipline = discipline
        self.linkLayer = linkLayer
        self.capacity = capacity
        self.loss = loss
        self.rate = rate
        self.queueLimit = queueLimit
        self.delay = delay
    }
}

/// One direction of a link: a packet in, and the same packet out later, or lost with a reason.
///
/// Loss comes before the bottleneck, so a lost packet uses no capacity. Jitter keeps the order: a packet never leaves
/// before the one ahead of it. Serialization is exact: within a busy period the n-th packet is through at the period's
/// start plus the time of all bits since, rounded up once.
public struct Link: Sendable {
    public private(set) var counters = LinkCounters()
    /// Time from arrival to the first bit, of packets that were sent.
    public private(set) var queueDelay = Histogram()
    /// How long the link has been sending, in all.
    public private(set) var busyTime = TimeSpan.zero

    private var loss: LossStage
    private let delay: DelayModel
    private var correlation: DrawCorrelation?
    private let rate: BitRate?
    var queue: LinkQueue
    /// The packet being sent and when its last bit leaves; meaningful while `isServing`.
    private var inService: Packet
    private var isServing = false
    /// With opportunities: the next one that is of use. The distant future also where a changing rate stays 0.
    @usableFromInline var serviceEnd = Instant.distantFuture
    private var busyStart = Instant.zero
    private var busyBits: UInt64 = 0
    private let linkLayer: LinkLayer
    private let capacity: Capacity
    /// With a changing rate, see ``RateTrace/end(of:from:credit:)``.
    private var credit: UInt128 = 0
    /// With opportunities: the one to come, and bytes of `inService` that are still to be sent.
    private var opportunities: OpportunityCursor?
    private var remaining = 0

    /// Resolved when the link is made.
    private enum Capacity: Sendable {
        case constant
        case pieces(RateTrace)
        case opportunities(bytes: Int)
    }
    /// On their way, each with the instant it arrives at the other end; in that order.
    @usableFromInline var travelling = Deque<Packet>()
    private var latestArrival = Instant(nanoseconds: .min)

    public init(_ configuration: LinkConfiguration) {
        loss = LossStage(configuration.loss)
        delay = configuration.delay
        correlation = delay.correlation
        rate = configuration.rate
        linkLayer = configuration.linkLayer
        switch configuration.capacity {
        case .constant: capacity = .constant
        case .pieces(let trace): capacity = .pieces(trace)
        case .opportunities(let trace, let bytes):
            capacity = .opportunities(bytes: max(1, bytes))
            opportunities = OpportunityCursor(trace)
        }
        queue = LinkQueue(
            limit: configuration.queueLimit, discipline: configuration.discipline,
            rate: rate ?? BitRate(bitsPerSecond: 1), linkLayer: linkLayer)
        inService = Packet(time: .zero, sent: .zero, slot: 0, number: 0, length: 0, flow: 0)
    }

    /// Takes a packet at its near end.
    ///
    /// Of a packet that is not accepted the link keeps nothing; the caller frees it.
    public mutating func handle(_ packet: Packet, at now: Instant) -> LinkVerdict {
        completeService(until: now)
        counters.packetsIn += 1
        if loss.isLost(packet, at: now) {
            counters.countLost(flow: packet.flow)
            return .lost
        }
        guard let rate else {
            startTravelling(packet, at: now)
            return .accepted
        }
        var packet = packet
        packet.time = now
        if !isServing, opportunities == nil {
            isServing = true
            busyStart = now
            busyBits = 0
            credit = 0
            queue.pass(packet)
            startService(packet, at: now, rate: rate)
            return .accepted
        }
        if let reason = queue.enqueue(packet) {
            counters.count(reason, flow: packet.flow)
            return .dropped(reason)
        }
        if opportunities != nil { awaitOpportunity(behind: now) }
        return .accepted
    }

    /// When the link next has something to do.
    @inlinable
    public var nextTimeout: Instant {
        guard let head = travelling.first else { return serviceEnd }
        return min(serviceEnd, head.time)
    }

    public mutating func handleTimeout(at now: Instant) {
        completeService(until: now)
    }

    /// The next packet that has arrived at the far end by `now`, `time` being the instant of its arrival.
    public mutating func pollOutput(at now: Instant) -> Packet? {
        guard let head = travelling.first, head.time <= now else { return nil }
        travelling.removeFirst()
        counters.packetsOut += 1
        return head
    }

    /// The next packet given up after it had been accepted; the caller frees it. To be asked for after every call of
    /// ``handle(_:at:)`` and ``handleTimeout(at:)``.
    public mutating func pollDrop() -> (packet: Packet, reason: LinkDrop)? {
        guard let drop = queue.takeDrop() else { return nil }
        counters.count(drop.reason, flow: drop.packet.flow)
        return drop
    }

    /// Packets inside: waiting, being sent or travelling.
    public var occupancy: Int {
        queue.count + (isServing ? 1 : 0) + travelling.count
    }

    /// Bytes that wait, the packet being sent not counted.
    public var waitingBytes: Int { queue.bytes }

    private mutating func completeService(until now: Instant) {
        guard serviceEnd <= now, let rate else { return }
        if case .opportunities(let bytes) = capacity { return useOpportunities(until: now, bytes: bytes, rate: rate) }
        while serviceEnd <= now {
            let end = serviceEnd
            startTravelling(inService, at: end)
            guard let next = queue.dequeue(at: end) else {
                isServing = false
                serviceEnd = .distantFuture
                return
            }
            startService(next, at: end, rate: rate)
        }
    }

    private mutating func startService(_ packet: Packet, at now: Instant, rate: BitRate) {
        queueDelay.add((now - packet.time).nanoseconds)
        inService = packet
        let bits = linkLayer.bits(length: packet.length)
        if case .pieces(let trace) = capacity {
            serviceEnd = trace.end(of: bits, from: now, credit: &credit)
        } else {
            busyBits += bits
            serviceEnd = busyStart + rate.transmissionTime(bits: busyBits)
        }
        if serviceEnd != .distantFuture { busyTime += serviceEnd - now }
    }

    /// Leaves the opportunities up to now, at which nothing waited, unused.
    private mutating func awaitOpportunity(behind now: Instant) {
        guard serviceEnd == .distantFuture else { return }
        opportunities?.skip(until: now)
        serviceEnd = opportunities?.next ?? .distantFuture
    }

    private mutating func useOpportunities(until now: Instant, bytes: Int, rate: BitRate) {
        while serviceEnd <= now {
            let at = serviceEnd
            opportunities?.take()
            var rest = bytes
            while rest > 0 {
                if !isServing {
                    guard let next = queue.dequeue(at: at) else { break }
                    queueDelay.add((at - next.time).nanoseconds)
                    inService = next
                    isServing = true
                    remaining = linkLayer.bytes(length: next.length)
                    busyTime += rate.transmissionTime(bits: linkLayer.bits(length: next.length))
                }
                let used = min(rest, remaining)
                rest -= used
                remaining -= used
                guard remaining == 0 else { continue }
                isServing = false
                startTravelling(inService, at: at)
            }
            let isIdle = !isServing && queue.isEmpty
            serviceEnd = isIdle ? .distantFuture : opportunities?.next ?? .distantFuture
        }
    }

    private mutating func startTravelling(_ packet: Packet, at now: Instant) {
        var packet = packet
        guard !delay.isEarly(packet) else {
            packet.time = now
            return insertTravelling(packet)
        }
        let draw = delay.isCorrelated ? correlation?.draw(packet) ?? 0 : delay.draw(packet)
        let arrival = now + delay.travellingTime(of: packet, draw: draw)
        if delay.mayReorder {
            packet.time = arrival
            return insertTravelling(packet)
        }
        latestArrival = max(latestArrival, arrival)
        packet.time = latestArrival
        travelling.append(packet)
    }

    /// Puts a packet among those on their way by its arrival, behind those of the same instant.
    ///
    /// From the back: a packet overtakes few. A heap was rejected: it keeps no order among equals.
    private mutating func insertTravelling(_ packet: Packet) {
        var index = travelling.count
        while index > 0, travelling[index - 1].time > packet.time { index -= 1 }
        travelling.insert(packet, at: index)
    }
}
