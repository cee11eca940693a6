import DequeModule
import Timebase

/// What a link does with a packet handed to it.
public enum LinkVerdict: Sendable {
    /// It will come out of the other end.
    case accepted
    /// Lost by the loss model.
    case lost
    /// The queue was full.
    case queueFull
}

/// A link's stages, in the order a packet meets them: loss, queue, rate, delay and jitter.
public struct LinkConfiguration: Sendable {
    public var loss: LossModel
    /// IP bits per second; nil: no serialization, and so no queue.
    public var rate: BitRate?
    public var queueLimit: DropTailQueue.Limit
    public var delay: DelayModel

    public init(loss: LossModel, rate: BitRate?, queueLimit: DropTailQueue.Limit, delay: DelayModel) {
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

    private var loss: LossModel
    private var delay: DelayModel
    private let rate: BitRate?
    private var queue: DropTailQueue
    /// The packet being sent and when its last bit leaves; meaningful while `serviceEnd` is not the distant future.
    private var inService: Packet
    @usableFromInline var serviceEnd = Instant.distantFuture
    private var busyStart = Instant.zero
    private var busyBits: UInt64 = 0
    /// On their way, each with the instant it arrives at the other end; in that order.
    @usableFromInline var travelling = Deque<Packet>()
    private var latestArrival = Instant(nanoseconds: .min)

    public init(_ configuration: LinkConfiguration) {
        loss = configuration.loss
        delay = configuration.delay
        rate = configuration.rate
        queue = DropTailQueue(limit: configuration.queueLimit, rate: rate ?? BitRate(bitsPerSecond: 1))
        inService = Packet(time: .zero, sent: .zero, slot: 0, number: 0, length: 0, flow: 0)
    }

    /// Takes a packet at its near end.
    ///
    /// Of a packet that is not accepted the link keeps nothing; the caller frees it.
    public mutating func handle(_ packet: Packet, at now: Instant) -> LinkVerdict {
        completeService(until: now)
        counters.packetsIn += 1
        if loss.isLost(packet, at: now) {
            counters.count(.lost, flow: packet.flow)
            return .lost
        }
        guard let rate else {
            startTravelling(packet, at: now)
            return .accepted
        }
        var packet = packet
        packet.time = now
        if serviceEnd == .distantFuture {
            busyStart = now
            busyBits = 0
            startService(packet, at: now, rate: rate)
            return .accepted
        }
        guard queue.enqueue(packet) else {
            counters.count(.queueFull, flow: packet.flow)
            return .queueFull
        }
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

    /// Packets inside: waiting, being sent or travelling.
    public var occupancy: Int {
        queue.waiting.count + (serviceEnd == .distantFuture ? 0 : 1) + travelling.count
    }

    /// Bytes that wait, the packet being sent not counted.
    public var waitingBytes: Int { queue.waitingBytes }

    private mutating func completeService(until now: Instant) {
        while serviceEnd <= now, let rate {
            let end = serviceEnd
            startTravelling(inService, at: end)
            guard let next = queue.dequeue() else {
                serviceEnd = .distantFuture
                return
            }
            startService(next, at: end, rate: rate)
        }
    }

    private mutating func startService(_ packet: Packet, at now: Instant, rate: BitRate) {
        queueDelay.add((now - packet.time).nanoseconds)
        busyBits += UInt64(packet.length) * 8
        inService = packet
        serviceEnd = busyStart + rate.transmissionTime(bits: busyBits)
        busyTime += serviceEnd - now
    }

    private mutating func startTravelling(_ packet: Packet, at now: Instant) {
        var packet = packet
        guard !delay.isEarly(packet) else {
            packet.time = now
            return insertTravelling(packet)
        }
        let arrival = now + delay.travellingTime(of: packet)
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
