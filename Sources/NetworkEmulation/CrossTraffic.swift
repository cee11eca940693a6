import Timebase

/// When the packets of other people's traffic come. Rates count IP packets, headers included.
public enum ArrivalPattern: Sendable {
    /// Independently of each other, `rate` being the mean.
    case poisson(rate: BitRate, length: UInt16)
    /// Evenly spaced.
    case constant(rate: BitRate, length: UInt16)
    /// Evenly spaced at `rate` while it is on; the lengths of on and off periods follow laws of their own. The mean rate
    /// is rate × on / (on + off).
    case onOff(rate: BitRate, length: UInt16, on: QuantileTable, off: QuantileTable)
    /// As recorded, again from the beginning after `period` if there is one: arrivals in order, not before 0.
    case recorded([(at: TimeSpan, length: UInt16)], period: TimeSpan?)
}

/// A source of other people's traffic. It enters one link and goes away at its far end: only its lengths and its place in
/// the queue matter, its packets bear no bytes.
///
/// Its arrivals are a function of its draws alone, whatever else is sent.
public struct CrossTraffic: Sendable {
    /// When its next packet comes; the distant future: none will.
    public private(set) var nextTimeout: Instant
    /// Packets handed out.
    private(set) var packetsSent: Int64 = 0

    private let pattern: ArrivalPattern
    private let flow: UInt16
    private let differentiatedServices: UInt8
    private let key: DrawKey
    private var length: UInt16 = 0
    /// Evenly spaced: packets so far and the time on. The n-th comes when it has been on for n spacings and a part.
    private let grid: PeriodicGrid
    private let phase: TimeSpan
    /// Of the on period under way: what had been on before it, when it began, and when it ends.
    private var period = (number: Int64(-1), before: TimeSpan.zero, begin: Instant.zero, end: Instant.zero)

    /// - Parameters:
    ///   - flow: the number its packets bear.
    ///   - key: of its draws.
    public init(_ pattern: ArrivalPattern, flow: UInt16, differentiatedServices: UInt8 = 0, key: DrawKey) {
        self.pattern = pattern
        self.flow = flow
        self.differentiatedServices = differentiatedServices
        self.key = key
        switch pattern {
        case .poisson(let rate, let length), .constant(let rate, let length), .onOff(let rate, let length, _, _):
            self.length = length
            // So many packets in as many seconds as a packet has bits.
            grid = PeriodicGrid(count: Int64(rate.bitsPerSecond), every: .seconds(Int64(length) * 8))
        case .recorded: grid = PeriodicGrid(count: 1, every: .seconds(1))
        }
        let spacing = UInt64(grid.time(1).nanoseconds)
        phase = .nanoseconds(Int64(spacing.multipliedFullWidth(by: key.named("phase").draw(0)).high))
        nextTimeout = .zero
        advance(from: .zero)
    }

    /// The packet that is due by `now`.
    public mutating func send(at now: Instant) -> Packet? {
        guard nextTimeout <= now else { return nil }
        let packet = Packet(
            time: now, sent: now, slot: Packet.noSlot, number: UInt32(truncatingIfNeeded: packetsSent), length: length,
            flow: flow, differentiatedServices: differentiatedServices)
        packetsSent += 1
        advance(from: nextTimeout)
        return packet
    }

    /// No further packet comes.
    public mutating func stop() { nextTimeout = .distantFuture }

    /// Places the packet with the number `packetsSent`.
    private mutating func advance(from latest: Instant) {
        switch pattern {
        case .poisson(let rate, _):
            let unit = Self.unitExponential.value(at: key.draw(packetsSent))
            let scale = Int64(length) * 8_000_000_000
            nextTimeout = latest + .nanoseconds(unit.scaled(by: scale, over: Int64(rate.bitsPerSecond) << 20))
        case .constant: nextTimeout = .zero + phase + grid.time(packetsSent)
        case .onOff(_, _, let on, let off): advance(on, off)
        case .recorded(let arrivals, let period):
            let (lap, index) = packetsSent.quotientAndRemainder(dividingBy: Int64(arrivals.count))
            guard lap == 0 || period != nil else { return stop() }
            length = arrivals[Int(index)].length
            nextTimeout = .zero + arrivals[Int(index)].at + (period ?? .zero) * lap
        }
    }

    private mutating func advance(_ on: QuantileTable, _ off: QuantileTable) {
        let position = phase + grid.time(packetsSent)
        while period.begin + (position - period.before) >= period.end {
            // Decades ahead: no run lasts so long, and sums would not fit.
            guard period.end.nanoseconds < 1 << 60 else { return stop() }
            period.before += period.end - period.begin
            period.number += 1
            // Off first: who begins on at time zero everywhere would make all sources come together.
            let pause = off.value(at: key.named("off").draw(period.number))
            period.begin = period.end + .nanoseconds(max(0, pause))
            period.end = period.begin + .nanoseconds(max(0, on.value(at: key.named("on").draw(period.number))))
        }
        nextTimeout = period.begin + (position - period.before)
    }

    /// With a mean of 2^20.
    private static let unitExponential = QuantileTable.exponential(mean: .nanoseconds(1 << 20))
}
