import Timebase

/// One direction of a link: a packet in, and the same packet out later, or lost with a reason.
///
/// Loss comes before the bottleneck, so a lost packet uses no capacity; copies are made behind it and use none either.
/// Jitter keeps the order, unless its model lets packets overtake: a packet never leaves before the one ahead of it.
///
/// A packet is sent on its way as soon as it is known when its last bit leaves, and not when it does: nothing is to be done
/// at that instant, then, but to turn to the next packet, which can wait until something is asked of the link, unless a
/// drop has to be told or a packet may overtake. So most packets need one timeout, that of their arrival.
public struct Link: Sendable {
    /// What became of the packets, copies on their way counted as made.
    public private(set) var counters = LinkCounters()
    /// When the link next has a packet to hand over or to give up, or to look whether it has; the distant future: never.
    public private(set) var nextTimeout = Instant.distantFuture
    /// Whether packets have been given up that ``pollDrop()`` has not told yet.
    public internal(set) var hasDrops = false

    private var schedule: LinkSchedule
    private var loss: LossStage
    private var damage: PacketChance?
    private var policer: TokenBucket?
    private let linkLayer: LinkLayer
    var bottleneck: Bottleneck
    private var duplication: PacketChance?
    private let duplicateMark: UInt8
    private var delay: DelayStage
    /// Whether what waits can be turned to late: no drop will have to be told meanwhile, and nobody overtakes.
    private var canServeLate = false

    /// - Parameter queueDelayCuts: numbers at which waiting times are counted exactly, nanoseconds.
    public init(_ configuration: LinkConfiguration, queueDelayCuts: [Int64] = []) {
        schedule = LinkSchedule(configuration)
        loss = LossStage(configuration.loss)
        damage = configuration.damage
        policer = configuration.policer.map { TokenBucket($0) }
        linkLayer = configuration.linkLayer
        bottleneck = Bottleneck(configuration, waitCuts: queueDelayCuts)
        duplication = configuration.duplication
        duplicateMark = configuration.duplicateMark
        delay = DelayStage(configuration.delay)
        noteWhatCanWait()
    }

    // MARK: The verbs

    /// Takes a packet at its near end.
    ///
    /// A packet that is damaged here gets a slot of its own. Of one that is not accepted the link keeps nothing; the caller
    /// frees it. Bytes are held in `pool` as often as there are copies of them.
    public mutating func handle(_ packet: Packet, _ pool: inout PacketPool, at now: Instant) -> LinkVerdict {
        serve(&pool, until: now)
        if now >= schedule.nextChange { change(until: now) }
        counters.packetsIn += 1
        let verdict = admit(packet, &pool, at: now)
        if case .accepted = verdict {} else { counters.count(verdict, flow: packet.flow) }
        rearm()
        return verdict
    }

    /// Does what is due by `now`; an early call tells nothing new, but brings ``waitingBytes`` up to date.
    public mutating func handleTimeout(_ pool: inout PacketPool, at now: Instant) {
        serve(&pool, until: now)
        rearm()
    }

    /// The next packet that has arrived at the far end by `now`, `time` being the instant of its arrival.
    @inlinable
    public mutating func pollOutput(at now: Instant) -> Packet? { nextTimeout <= now ? takeArrival(by: now) : nil }

    @usableFromInline
    mutating func takeArrival(by now: Instant) -> Packet? {
        guard delay.nextArrival <= now, let packet = delay.takeFirst() else { return nil }
        counters.packetsOut += 1
        rearm()
        return packet
    }

    /// The next packet given up after it had been accepted; the caller frees it. To be asked for, while ``hasDrops`` says
    /// so, after every call of ``handle(_:_:at:)``, ``handleTimeout(_:at:)`` and ``abandon(at:)``.
    public mutating func pollDrop() -> (packet: Packet, reason: LinkDrop)? {
        guard let drop = bottleneck.queue.takeDrop() else { return nil }
        hasDrops = bottleneck.queue.hasDrops
        counters.count(.dropped(drop.reason), flow: drop.packet.flow)
        return drop
    }

    /// Gives up what can never leave, because the rate stays 0: the next packet of it, counted as lost to a link that is
    /// down. The caller frees it.
    public mutating func abandon(at now: Instant) -> Packet? {
        let packet = bottleneck.abandon(at: now)
        hasDrops = bottleneck.queue.hasDrops
        if let packet { counters.count(.down, flow: packet.flow) }
        return packet
    }

    // MARK: What it is like

    /// Packets inside: waiting, being sent or travelling.
    public var occupancy: Int { bottleneck.count + delay.count }

    /// Bytes that wait, the packet being sent not counted; as of the latest call of a verb.
    public var waitingBytes: Int { bottleneck.queue.bytes }

    /// Time from arrival to the first bit, of packets that were sent.
    public var queueDelay: Histogram { bottleneck.queueDelay }

    /// How long the link has been sending, in all.
    public var busyTime: TimeSpan { bottleneck.busyTime }

    /// Whether the rate is always the same.
    public var hasSteadyRate: Bool { bottleneck.hasSteadyRate && !schedule.hasOutages && !schedule.hasChanges }

    /// Whether packets take just their length, and none is added.
    public var carriesAsSent: Bool { linkLayer == .none && duplication == nil && !schedule.hasChanges }

    /// The longest that a packet can travel behind the queue, while nothing of the schedule is to come.
    public var longestDelay: TimeSpan { delay.longest }

    // MARK: A packet's way

    @inline(__always)
    private mutating func admit(_ packet: Packet, _ pool: inout PacketPool, at now: Instant) -> LinkVerdict {
        if schedule.outageEnd(at: now) != nil { return .down }
        if loss.isLost(packet, at: now) { return .lost }
        if policer?.conforms(bits: linkLayer.bits(length: packet.length), at: now) == false { return .policed }
        guard damage?.hits(packet) == true, packet.payloadCount > 0 else { return enter(packet, &pool, at: now) }
        return enterDamaged(packet, &pool, at: now)
    }

    private mutating func enterDamaged(
        _ packet: Packet, _ pool: inout PacketPool, at now: Instant
    ) -> LinkVerdict {
        var damaged = packet
        pool.damage(&damaged, bit: damage?.bit(of: packet) ?? 0)
        let verdict = enter(damaged, &pool, at: now)
        // The caller holds the bytes of what it handed over only where that is refused.
        let unused = verdict == .accepted ? packet.slot : damaged.slot
        if unused != Packet.noSlot { pool.release(unused) }
        return verdict
    }

    @inline(__always)
    private mutating func enter(_ packet: Packet, _ pool: inout PacketPool, at now: Instant) -> LinkVerdict {
        if bottleneck.isUnlimited {
            startTravelling(packet, &pool, at: now)
            return .accepted
        }
        if let reason = bottleneck.enqueue(packet, at: now, &schedule) { return .dropped(reason) }
        startInAdvance(&pool)
        return .accepted
    }

    @inline(__always)
    private mutating func serve(_ pool: inout PacketPool, until now: Instant) {
        while bottleneck.serviceEnd <= now {
            let end = bottleneck.serviceEnd
            if end >= schedule.nextChange { change(until: end) }
            if let packet = bottleneck.complete(&schedule) { startTravelling(packet, &pool, at: end) }
            startInAdvance(&pool)
        }
    }

    /// Not where a change comes before the packet is through: it may be one of the delay.
    private mutating func startInAdvance(_ pool: inout PacketPool) {
        guard bottleneck.serviceEnd < schedule.nextChange, let packet = bottleneck.takeInAdvance() else { return }
        startTravelling(packet, &pool, at: bottleneck.serviceEnd)
    }

    private mutating func startTravelling(_ packet: Packet, _ pool: inout PacketPool, at now: Instant) {
        delay.start(packet, at: now)
        if duplication?.hits(packet) == true { startCopy(of: packet, &pool, at: now) }
    }

    private mutating func startCopy(of packet: Packet, _ pool: inout PacketPool, at now: Instant) {
        var copy = packet
        copy.copy |= duplicateMark
        counters.countDuplicate(flow: packet.flow)
        if copy.slot != Packet.noSlot { pool.retain(copy.slot) }
        delay.start(copy, at: now)
    }

    @inline(__always)
    private mutating func rearm() {
        nextTimeout = delay.nextArrival
        if !bottleneck.isTaken || !canServeLate && !bottleneck.queue.isEmpty() {
            nextTimeout = min(nextTimeout, bottleneck.serviceEnd)
        }
        hasDrops = bottleneck.queue.hasDrops
    }

    private mutating func noteWhatCanWait() {
        canServeLate =
            delay.keepsOrder && !bottleneck.queue.dropsWhatWaits && schedule.nextChange == .distantFuture
    }

    // MARK: Schedule

    private mutating func change(until now: Instant) {
        while let next = schedule.takeChange(until: now) {
            let configuration = next.configuration
            loss = LossStage(configuration.loss)
            damage = configuration.damage
            duplication = configuration.duplication
            delay.change(to: configuration.delay)
            if let parameters = configuration.policer, policer != nil {
                policer?.change(to: parameters, at: next.at)
            } else {
                policer = configuration.policer.map { TokenBucket($0) }
            }
            bottleneck.change(to: configuration, at: next.at)
        }
        noteWhatCanWait()
    }
}
