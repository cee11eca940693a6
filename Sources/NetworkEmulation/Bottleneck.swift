import Timebase

/// What a packet waits for on a link: a queue, and the capacity that serves it, one packet at a time.
///
/// A packet whose end is known when it begins can be taken as soon as that; others when they are through.
struct Bottleneck: Sendable {
    var queue: LinkQueue
    private var capacity: CapacityStage
    private let linkLayer: LinkLayer
    private var discipline: QueueDiscipline
    private var queueLimit: DropTailQueue.Limit

    /// When the packet being sent is through, or can perhaps go on; the distant future: never, or none is being sent.
    private(set) var serviceEnd = Instant.distantFuture
    /// The packet being sent; meaningful while `isServing`.
    private var inService = Packet(time: .zero, sent: .zero, slot: 0, number: 0, length: 0, flow: 0)
    private var isServing = false
    /// Whether the packet being sent has been taken already.
    private(set) var isTaken = false

    /// To one microsecond below a millisecond: of a link that is nearly idle the rest would be most of its memory.
    private var waits: Histogram
    /// Packets that came upon an idle link: they are most, and their waits of 0 are not worth binning one by one.
    private var unqueued: Int64 = 0
    /// How long the link has been sending, in all.
    private(set) var busyTime = TimeSpan.zero

    /// - Parameter waitCuts: numbers at which waiting times are counted exactly, nanoseconds.
    init(_ configuration: LinkConfiguration, waitCuts: [Int64]) {
        waits = Histogram(resolutionBits: 10, cuts: waitCuts)
        capacity = CapacityStage(configuration.capacity, rate: configuration.rate)
        linkLayer = configuration.linkLayer
        discipline = configuration.discipline
        queueLimit = configuration.queueLimit
        queue = LinkQueue(
            limit: configuration.queueLimit, discipline: configuration.discipline, rate: capacity.rate,
            linkLayer: configuration.linkLayer)
    }

    /// Whether nothing waits here: there is no serialization.
    var isUnlimited: Bool { capacity.mode == .unlimited }

    /// Whether the capacity comes at one rate.
    var hasSteadyRate: Bool { capacity.mode != .pieces && capacity.mode != .opportunities }

    /// Packets inside that have not been taken.
    var count: Int { queue.count + (isServing && !isTaken ? 1 : 0) }

    /// Time from arrival to the first bit, of packets that were sent.
    var queueDelay: Histogram {
        var delay = waits
        delay.add(0, times: unqueued)
        return delay
    }

    // MARK: Serving

    /// Takes a packet that comes at `now`, when all that was through by then has been completed.
    ///
    /// - Returns: nil, or why it is refused.
    mutating func enqueue(_ packet: Packet, at now: Instant, _ schedule: inout LinkSchedule) -> LinkDrop? {
        if capacity.mode == .tokens, !capacity.canHold(bits(packet)) { return .queueFull }
        var packet = packet
        packet.time = now
        if !isServing, capacity.mode != .opportunities {
            capacity.beginBusyPeriod(at: now)
            queue.pass(packet)
            begin(packet, at: now, &schedule)
            return nil
        }
        if let reason = queue.enqueue(packet) { return reason }
        if serviceEnd == .distantFuture, capacity.mode == .opportunities {
            capacity.opportunities?.skip(until: now)
            serviceEnd = capacity.opportunities?.next ?? .distantFuture
        }
        return nil
    }

    /// Takes the packet being sent as soon as it is known when it is through: at ``serviceEnd``.
    mutating func takeInAdvance() -> Packet? {
        guard isServing, !isTaken, capacity.isPredictable else { return nil }
        isTaken = true
        return inService
    }

    /// Completes what is due at ``serviceEnd``, and turns to the next packet.
    ///
    /// - Returns: the packet that is through, unless it was taken in advance; nil also where it goes on later.
    mutating func complete(_ schedule: inout LinkSchedule) -> Packet? {
        let now = serviceEnd
        switch capacity.mode {
        case .unlimited: return nil
        case .constant, .pieces: break
        case .tokens: guard takeTokens(at: now, &schedule) else { return nil }
        case .opportunities: return useOpportunity(at: now)
        }
        let packet = isTaken ? nil : inService
        if let next = queue.dequeue(at: now) {
            begin(next, at: now, &schedule)
        } else {
            (isServing, isTaken, serviceEnd) = (false, false, .distantFuture)
        }
        return packet
    }

    @inline(__always)
    private mutating func begin(_ packet: Packet, at now: Instant, _ schedule: inout LinkSchedule) {
        (inService, isServing, isTaken) = (packet, true, false)
        guard capacity.isPredictable else { return awaitTokens(from: now, schedule.nextChange) }
        serviceEnd = capacity.end(of: bits(packet), from: now)
        noteWait(of: packet, until: now)
        if serviceEnd != .distantFuture { busyTime += serviceEnd - now }
    }

    @inline(__always)
    private mutating func noteWait(of packet: Packet, until now: Instant) {
        if packet.time == now { unqueued += 1 } else { waits.add((now - packet.time).nanoseconds) }
    }

    @inline(__always)
    private func bits(_ packet: Packet) -> UInt64 { linkLayer.bits(length: packet.length) }

    /// Gives up what can never leave, because the rate stays 0: the next packet of it.
    mutating func abandon(at now: Instant) -> Packet? {
        guard isServing else { return queue.dequeue(at: now) }
        isServing = false
        return inService
    }

    // MARK: Tokens

    /// Until the bucket holds the packet's bits, or its numbers change.
    private mutating func awaitTokens(from now: Instant, _ change: Instant) {
        let bits = bits(inService)
        serviceEnd = capacity.shaper?.time(of: bits, from: now) ?? now
        if change > now { serviceEnd = min(serviceEnd, change) }
    }

    /// Takes the packet's bits from the bucket; false when it has to wait on. It is queued still, though it is ahead of the
    /// queue.
    private mutating func takeTokens(at now: Instant, _ schedule: inout LinkSchedule) -> Bool {
        if let end = schedule.outageEnd(at: now) {
            serviceEnd = end
            return false
        }
        let bits = bits(inService)
        guard capacity.shaper?.take(bits: bits, at: now) == true else {
            awaitTokens(from: now, schedule.nextChange)
            return false
        }
        noteWait(of: inService, until: now)
        busyTime += capacity.rate.transmissionTime(bits: bits)
        return true
    }

    // MARK: Opportunities

    /// Sends up to the end of a packet, or of the opportunity.
    private mutating func useOpportunity(at now: Instant) -> Packet? {
        capacity.opportunities?.resume()
        var through: Packet?
        if isServing || beginOpportunity(at: now) {
            if capacity.opportunities?.send() == true {
                isServing = false
                through = inService
            }
        } else {
            capacity.opportunities?.waste()
        }
        if capacity.opportunities?.isUsedUp == true {
            let isIdle = !isServing && queue.isEmpty()
            serviceEnd = isIdle ? .distantFuture : capacity.opportunities?.next ?? .distantFuture
        }
        return through
    }

    private mutating func beginOpportunity(at now: Instant) -> Bool {
        guard let next = queue.dequeue(at: now) else { return false }
        (inService, isServing) = (next, true)
        noteWait(of: next, until: now)
        capacity.opportunities?.begin(bytes: linkLayer.bytes(length: next.length))
        busyTime += capacity.rate.transmissionTime(bits: bits(next))
        return true
    }

    // MARK: Changes

    /// Another rate, queue or shaper. What the rate does to the capacity, ``CapacitySource`` knows already.
    mutating func change(to configuration: LinkConfiguration, at now: Instant) {
        if case .tokens(let parameters) = configuration.capacity { capacity.shaper?.change(to: parameters, at: now) }
        guard !isUnlimited, let rate = configuration.rate else { return }
        if configuration.discipline != discipline || configuration.queueLimit != queueLimit {
            (discipline, queueLimit) = (configuration.discipline, configuration.queueLimit)
            queue.change(to: discipline, limit: queueLimit, rate: rate, at: now)
        } else if rate != capacity.rate {
            queue.setRate(rate)
        }
        capacity.rate = rate
    }
}
