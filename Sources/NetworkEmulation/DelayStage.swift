import DequeModule
import Timebase

/// A delay model as a link holds it, each law in a place of its own, so that drawing copies nothing; and the packets on
/// their way.
struct DelayStage: Sendable {
    private enum Law: Sendable { case none, quantiles, values, empirical, trace }

    /// When the first of the packets under way arrives; the distant future: none is.
    private(set) var nextArrival = Instant.distantFuture
    /// On their way, each with the instant it arrives at the other end; in that order.
    private var travelling = Deque<Packet>()
    private var latestArrival = Instant(nanoseconds: .min)

    private var law = Law.none
    private var quantiles: QuantileTable?
    private var empirical: EmpiricalTable?
    /// Of a table, or of a trace.
    private var values: ValueTable?
    private var delay = TimeSpan.zero
    private var draws: PacketDraws
    private var correlation: DrawCorrelation?
    private var early: EarlyPackets
    private var mayReorder = false
    /// The longest that a packet can travel.
    private(set) var longest = TimeSpan.zero
    /// Whether every packet arrives behind the one ahead of it.
    private(set) var keepsOrder = true

    init(_ model: DelayModel) {
        (draws, early) = (PacketDraws(model.key), model.early)
        change(to: model)
    }

    /// Packets on their way.
    var count: Int { travelling.count }

    /// Another model for the packets to come; those on their way arrive as they would have. The draws' memory begins anew.
    mutating func change(to model: DelayModel) {
        (delay, early, mayReorder) = (model.delay, model.early, model.mayReorder)
        draws = PacketDraws(model.key)
        longest = model.longest
        keepsOrder = !model.mayReorder && model.early.isNever
        correlation = model.correlation == 0 ? nil : DrawCorrelation(model.correlation, key: model.key)
        switch model.jitter {
        case .none: law = .none
        case .quantiles(let table): (law, quantiles) = (.quantiles, table)
        case .empirical(let table): (law, empirical) = (.empirical, table)
        case .values(let table): (law, values) = (.values, table)
        case .trace(let table): (law, values) = (.trace, table)
        }
    }

    /// Sends a packet on its way.
    mutating func start(_ packet: Packet, at now: Instant) {
        var packet = packet
        if !early.isNever, early.hits(packet) {
            packet.time = now
            return insert(packet)
        }
        packet.time = now + (law == .none ? delay : travellingTime(of: packet))
        if mayReorder { return insert(packet) }
        latestArrival = max(latestArrival, packet.time)
        packet.time = latestArrival
        append(packet)
    }

    /// Takes the packet that arrives first.
    mutating func takeFirst() -> Packet? {
        let packet = travelling.popFirst()
        nextArrival = travelling.first?.time ?? .distantFuture
        return packet
    }

    /// This packet's travelling time, not negative.
    @inline(__always)
    mutating func travellingTime(of packet: Packet) -> TimeSpan {
        let jitter: Int64
        switch law {
        case .none: return delay
        case .quantiles: jitter = quantiles?.value(at: draw(packet)) ?? 0
        case .empirical: jitter = empirical?.value(at: draw(packet)) ?? 0
        case .values: jitter = values?.value(at: draw(packet)) ?? 0
        case .trace: jitter = values?[Int(packet.number)] ?? 0
        }
        return .nanoseconds(max(0, delay.nanoseconds + jitter))
    }

    private mutating func draw(_ packet: Packet) -> UInt64 {
        correlation?.draw(packet) ?? draws.draw(packet)
    }

    private mutating func append(_ packet: Packet) {
        if packet.time < nextArrival { nextArrival = packet.time }
        travelling.append(packet)
    }

    /// Puts a packet among those on their way by its arrival, behind those of the same instant.
    ///
    /// A heap was rejected: it keeps no order among equals.
    private mutating func insert(_ packet: Packet) {
        // Mostly it is the last.
        guard let last = travelling.last, packet.time < last.time else { return append(packet) }
        var (index, end) = (0, travelling.count - 1)
        while index < end {
            let middle = (index + end) / 2
            if travelling[middle].time <= packet.time { index = middle + 1 } else { end = middle }
        }
        if packet.time < nextArrival { nextArrival = packet.time }
        travelling.insert(packet, at: index)
    }
}
