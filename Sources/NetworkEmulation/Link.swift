import DequeModule
import Timebase

/// One direction of a link: a packet in, and the same packet out later, or lost with a reason.
///
/// Loss comes before the bottleneck, so a lost packet uses no capacity; copies are made behind it and use none either.
/// Jitter keeps the order, unless its model lets packets overtake: a packet never leaves before the one ahead of it.
/// Serialization is exact: within a busy period the n-th packet is through at the period's start plus the time of all
/// bits since, rounded up once.
public struct Link: Sendable {
    public private(set) var counters = LinkCounters()
    /// Time from arrival to the first bit, of packets that were sent.
    public private(set) var queueDelay = Histogram()
    /// How long the link has been sending, in all.
    public private(set) var busyTime = TimeSpan.zero

    private var loss: LossStage
    private var damage: PacketChance?
    private var policer: TokenBucket?
    private var duplication: PacketChance?
    private let duplicateMark: UInt8
    private var delay: DelayModel
    private var correlation: DrawCorrelation?
    private var rate: BitRate?
    private let linkLayer: LinkLayer
    var queue: LinkQueue
    private var discipline: QueueDiscipline
    private var queueLimit: DropTailQueue.Limit

    /// To come, the latest first.
    private var changes: [(at: Instant, configuration: LinkConfiguration)]
    private var nextChange: Instant
    /// Not over yet, the latest first.
    private var outages: [Range<Instant>]
    private var nextOutage: Instant

    private let capacity: Capacity
    /// The packet being sent and when its last bit leaves; meaningful while `isServing`.
    private var inService = Packet(time: .zero, sent: .zero, slot: 0, number: 0, length: 0, flow: 0)
    private var isServing = false
    /// With opportunities: the next one that is of use. The distant future also where a changing rate stays 0.
    @usableFromInline var serviceEnd = Instant.distantFuture
    private var busyStart = Instant.zero
    private var busyBits: UInt64 = 0
    /// With a changing rate, see ``RateTrace/end(of:from:credit:)``.
    private var credit: UInt128 = 0
    /// With opportunities: the one to come, and bytes of `inService` that are still to be sent.
    private var opportunities: OpportunityCursor?
    private var remaining = 0
    private var bucket: TokenBucket?

    /// Resolved when the link is made.
    private enum Capacity: Sendable {
        case constant
        case pieces(RateTrace)
        case opportunities(bytes: Int)
        case tokens
    }

    /// On their way, each with the instant it arrives at the other end; in that order.
    @usableFromInline var travelling = Deque<Packet>()
    private var latestArrival = Instant(nanoseconds: .min)
    /// Made and not told yet.
    private var copies = Deque<Packet>()

    public init(_ configuration: LinkConfiguration) {
        loss = LossStage(configuration.loss)
        damage = configuration.damage
        policer = configuration.policer.map { TokenBucket($0) }
        duplication = configuration.duplication
        duplicateMark = configuration.duplicateMark
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
        case .tokens(let parameters):
            capacity = .tokens
            bucket = TokenBucket(parameters)
        }
        discipline = configuration.discipline
        queueLimit = configuration.queueLimit
        queue = LinkQueue(
            limit: configuration.queueLimit, discipline: configuration.discipline,
            rate: rate ?? BitRate(bitsPerSecond: 1), linkLayer: linkLayer)
        changes = configuration.changes.reversed()
        nextChange = changes.last?.at ?? .distantFuture
        outages = configuration.outages.reversed()
        nextOutage = outages.last?.lowerBound ?? .distantFuture
    }

    // MARK: The verbs

    /// Takes a packet at its near end.
    ///
    /// Of a packet that is not accepted the link keeps nothing; the caller frees it.
    public mutating func handle(_ packet: Packet, at now: Instant) -> LinkVerdict {
        completeService(until: now)
        if now >= nextChange { change(until: now) }
        counters.packetsIn += 1
        if now >= nextOutage, isDown(at: now) {
            counters.count(flow: packet.flow) { $0.down += 1 }
            return .down
        }
        if loss.isLost(packet, at: now) {
            counters.count(flow: packet.flow) { $0.lost += 1 }
            return .lost
        }
        if policer?.conforms(bits: linkLayer.bits(length: packet.length), at: now) == false {
            counters.count(flow: packet.flow) { $0.policed += 1 }
            return .policed
        }
        guard let rate else {
            startTravelling(packet, at: now)
            return .accepted
        }
        if bucket?.holds(bits: linkLayer.bits(length: packet.length)) == false {
            counters.count(.queueFull, flow: packet.flow)
            return .dropped(.queueFull)
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

    /// The next copy that the link has made of a packet, which shares its bytes: they have one holder more. To be asked
    /// for as ``pollDrop()`` is.
    public mutating func pollCopy() -> Packet? { copies.popFirst() }

    /// Whether any packet can be damaged here, now or later.
    public var canDamage: Bool { damage != nil || changes.contains { $0.configuration.damage != nil } }

    /// Which of `count` bits of a packet that is about to be handed over this link changes; nil: none.
    public mutating func damagedBit(of packet: Packet, among count: Int, at now: Instant) -> Int? {
        if now >= nextChange {
            completeService(until: now)
            change(until: now)
        }
        guard let damage, count > 0, damage.hits(packet) else { return nil }
        let draw = damage.key.named("bit").draw(flow: packet.flow, number: Int64(packet.number), copy: packet.copy)
        return Int(draw.multipliedFullWidth(by: UInt64(count)).high)
    }

    /// Packets inside: waiting, being sent or travelling.
    public var occupancy: Int {
        queue.count + (isServing ? 1 : 0) + travelling.count
    }

    /// Bytes that wait, the packet being sent not counted.
    public var waitingBytes: Int { queue.bytes }

    /// Whether the rate is always the same.
    public var hasSteadyRate: Bool {
        switch capacity {
        case .constant, .tokens: outages.isEmpty && changes.isEmpty
        case .pieces, .opportunities: false
        }
    }

    /// Whether packets take just their length, and none is added.
    public var carriesAsSent: Bool { linkLayer == .none && duplication == nil && changes.isEmpty }

    /// The longest that a packet can travel behind the queue, while nothing of the schedule is to come.
    public var longestDelay: TimeSpan { delay.longest }

    // MARK: Schedule

    private mutating func change(until now: Instant) {
        while let next = changes.last, next.at <= now {
            changes.removeLast()
            apply(next.configuration, at: next.at)
        }
        nextChange = changes.last?.at ?? .distantFuture
    }

    private mutating func apply(_ configuration: LinkConfiguration, at now: Instant) {
        loss = LossStage(configuration.loss)
        damage = configuration.damage
        duplication = configuration.duplication
        delay = configuration.delay
        correlation = delay.correlation
        if let parameters = configuration.policer, policer != nil {
            policer?.change(to: parameters, at: now)
        } else {
            policer = configuration.policer.map { TokenBucket($0) }
        }
        if case .tokens(let parameters) = configuration.capacity { bucket?.change(to: parameters, at: now) }
        changeQueue(configuration, at: now)
    }

    private mutating func changeQueue(_ configuration: LinkConfiguration, at now: Instant) {
        guard let old = rate, let rate = configuration.rate else { return }
        if configuration.discipline != discipline || configuration.queueLimit != queueLimit {
            (discipline, queueLimit) = (configuration.discipline, configuration.queueLimit)
            queue.change(to: discipline, limit: queueLimit, rate: rate, at: now)
        } else if rate != old {
            queue.setRate(rate)
        }
        self.rate = rate
    }

    private mutating func isDown(at now: Instant) -> Bool {
        while let outage = outages.last, outage.upperBound <= now { outages.removeLast() }
        nextOutage = outages.last?.lowerBound ?? .distantFuture
        return now >= nextOutage
    }

    // MARK: Serving

    private mutating func completeService(until now: Instant) {
        guard serviceEnd <= now, let rate else { return }
        if case .opportunities(let bytes) = capacity { return useOpportunities(until: now, bytes: bytes, rate: rate) }
        while serviceEnd <= now {
            let end = serviceEnd
            if end >= nextChange { change(until: end) }
            if bucket != nil, !takeTokens(at: end, rate: rate) { continue }
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
        let bits = linkLayer.bits(length: packet.length)
        inService = packet
        switch capacity {
        case .constant:
            busyBits += bits
            serviceEnd = busyStart + rate.transmissionTime(bits: busyBits)
        case .pieces(let trace): serviceEnd = trace.end(of: bits, from: now, credit: &credit)
        case .tokens: return awaitTokens(from: now)
        case .opportunities: return
        }
        queueDelay.add((now - packet.time).nanoseconds)
        if serviceEnd != .distantFuture { busyTime += serviceEnd - now }
    }

    /// Until the bucket holds the packet's bits, or its numbers change.
    private mutating func awaitTokens(from now: Instant) {
        let bits = linkLayer.bits(length: inService.length)
        serviceEnd = bucket?.time(of: bits, from: now) ?? now
        if nextChange > now { serviceEnd = min(serviceEnd, nextChange) }
    }

    /// Takes the packet's bits from the bucket; false when it has to wait on. It is queued still, though it is ahead of the
    /// queue.
    private mutating func takeTokens(at now: Instant, rate: BitRate) -> Bool {
        if now >= nextOutage, isDown(at: now), let outage = outages.last {
            serviceEnd = outage.upperBound
            return false
        }
        let bits = linkLayer.bits(length: inService.length)
        guard bucket?.take(bits: bits, at: now) == true else {
            awaitTokens(from: now)
            return false
        }
        queueDelay.add((now - inService.time).nanoseconds)
        busyTime += rate.transmissionTime(bits: bits)
        return true
    }

    /// Gives up what can never leave, because the rate stays 0: the next packet of it, counted as lost to a link that is
    /// down. The caller frees it.
    public mutating func abandon(at now: Instant) -> Packet? {
        var packet: Packet?
        if isServing {
            (isServing, packet) = (false, inService)
        } else {
            packet = queue.dequeue(at: now)
        }
        guard let packet else { return nil }
        counters.count(flow: packet.flow) { $0.down += 1 }
        return packet
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
            if at >= nextChange { change(until: at) }
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

    // MARK: Travelling

    private mutating func startTravelling(_ packet: Packet, at now: Instant) {
        travel(packet, from: now)
        guard let duplication, duplication.hits(packet) else { return }
        var copy = packet
        copy.copy |= duplicateMark
        counters.count(flow: packet.flow) { $0.duplicated += 1 }
        copies.append(copy)
        travel(copy, from: now)
    }

    private mutating func travel(_ packet: Packet, from now: Instant) {
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
    /// A heap was rejected: it keeps no order among equals.
    private mutating func insertTravelling(_ packet: Packet) {
        var (index, end) = (0, travelling.count)
        // Mostly it is the last.
        if let last = travelling.last, last.time <= packet.time { index = end }
        while index < end {
            let middle = (index + end) / 2
            if travelling[middle].time <= packet.time { index = middle + 1 } else { end = middle }
        }
        travelling.insert(packet, at: index)
    }
}
