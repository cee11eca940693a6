import Testing
import Timebase

@testable import NetworkEmulation

/// A packet that came out of a link, and what the link said of those that did not.
struct Passage {
    var departures: [Packet] = []
    var verdicts: [LinkVerdict] = []
}

extension Packet {
    /// One without bytes.
    init(
        number: UInt32, at time: Instant = .zero, length: UInt16 = 1_000, flow: UInt16 = 0, copy: UInt8 = 0,
        marks: Packet.Marks = []
    ) {
        self.init(
            time: time, sent: time, slot: Packet.noSlot, number: number, length: length, flow: flow, copy: copy,
            marks: marks)
    }
}

/// A pool for packets without bytes.
private func emptyPool() -> PacketPool { PacketPool(slotCapacity: 0) }

extension Link {
    /// Takes a packet without bytes.
    mutating func handle(_ packet: Packet, at now: Instant) -> LinkVerdict {
        var pool = emptyPool()
        return handle(packet, &pool, at: now)
    }

    /// Serves packets without bytes.
    mutating func handleTimeout(at now: Instant) {
        var pool = emptyPool()
        handleTimeout(&pool, at: now)
    }

    /// Serves everything due by `now`, in order, and hands on what comes out.
    mutating func serve(until now: Instant, _ take: (Packet) -> Void) {
        while nextTimeout <= now {
            let next = nextTimeout
            handleTimeout(at: next)
            while let packet = pollOutput(at: next) { take(packet) }
        }
    }

    /// Offers packets at their `time` and lets the link drain.
    mutating func pass(_ packets: some Sequence<Packet>) -> Passage {
        var passage = Passage()
        for packet in packets {
            serve(until: packet.time) { passage.departures.append($0) }
            passage.verdicts.append(handle(packet, at: packet.time))
        }
        while nextTimeout != .distantFuture { serve(until: nextTimeout) { passage.departures.append($0) } }
        return passage
    }

    init(
        loss: LossModel = .none, rate: UInt64? = nil, queue: DropTailQueue.Limit = .packets(1_000_000),
        delay: TimeSpan = .zero, jitter: QuantileTable? = nil, seed: UInt64 = 1
    ) {
        self.init(
            LinkConfiguration(
                loss: loss, rate: rate.map { BitRate(bitsPerSecond: $0) }, queueLimit: queue,
                delay: DelayModel(delay: delay, jitter: jitter, key: DrawKey(seed: seed).named("jitter"))))
    }
}

/// Uniform numbers for tests, from draws that no stage uses.
struct TestRandom {
    private let key: DrawKey
    private var index: Int64 = 0

    init(_ seed: UInt64) { key = DrawKey(seed: seed).named("test") }

    mutating func word() -> UInt64 {
        index += 1
        return key.draw(index)
    }

    /// 0..<bound.
    mutating func below(_ bound: Int64) -> Int64 { Int64(word().multipliedFullWidth(by: UInt64(bound)).high) }

    /// In (0, 1].
    mutating func unit() -> Double { Double(word() >> 11 &+ 1) * 0x1p-53 }

    mutating func exponential(mean: Double) -> Double { -mean * naturalLogarithm(unit()) }
}

/// ⌈bits · 10⁹ / rate⌉ by wide division, apart from the code under test.
func ceiling(bits: Int64, rate: Int64) -> Int64 {
    let product = Int128(bits) * 1_000_000_000
    let (quotient, remainder) = product.quotientAndRemainder(dividingBy: Int128(rate))
    return Int64(quotient) + (remainder > 0 ? 1 : 0)
}
