import Results
import NetworkEmulation
import Timebase

/// A link with nobody else on it, and what it is offered.
struct LinkProbe: ~Copyable {
    var link: Link
    /// Only packets that may be damaged have bytes.
    private var pool = PacketPool(slotCapacity: 1 << 16)
    private var zeros = Packet.noSlot
    /// Of the packets, in bytes.
    let length: UInt16
    /// The number in its flow of the packet that is called 0 here.
    let first: Int

    init(_ configuration: LinkConfiguration, length: UInt16, first: Int = 0) {
        link = Link(configuration)
        self.length = length
        self.first = first
    }

    /// A packet of the program's, as the draws have it.
    func packet(_ number: Int, at now: Instant, flow: UInt16 = 0, codePoint: UInt8 = 0) -> Packet {
        Packet(
            time: now, sent: now, slot: Packet.noSlot, number: UInt32(truncatingIfNeeded: first + number),
            length: length,
            flow: flow, differentiatedServices: codePoint, marks: .media)
    }

    mutating func handle(_ packet: Packet, at now: Instant) -> LinkVerdict { link.handle(packet, &pool, at: now) }
    mutating func handleTimeout(at now: Instant) { link.handleTimeout(&pool, at: now) }

    /// Takes what has arrived by `now`, and what was given up.
    mutating func advance(to now: Instant, _ take: (Packet) -> Void) {
        handleTimeout(at: now)
        while let packet = link.pollOutput(at: now) { take(packet) }
        while link.pollDrop() != nil {}
    }

    /// Which bit of the payload of a packet of zeros comes out changed, on a link that holds nothing up; nil: none.
    mutating func changedBit(_ number: Int, at now: Instant) -> Int? {
        if zeros == Packet.noSlot {
            zeros = pool.allocate()
            pool.mutableBytes(zeros).initializeMemory(as: UInt8.self, repeating: 0)
        }
        var packet = packet(number, at: now)
        packet.slot = zeros
        pool.retain(zeros)
        _ = handle(packet, at: now)
        advance(to: now) { packet = $0 }
        defer { pool.release(packet.slot) }
        guard packet.slot != zeros else { return nil }
        let bytes = pool.bytes(packet.slot, count: packet.payloadCount)
        return bytes.firstIndex { $0 != 0 }.map { $0 * 8 + bytes[$0].trailingZeroBitCount }
    }

    /// Runs until all that is inside has come out.
    mutating func finish(_ take: (Packet) -> Void) {
        while link.nextTimeout != .distantFuture { advance(to: link.nextTimeout, take) }
    }

    /// Offers packets to a link so that one always waits, and tells when each is through.
    ///
    /// - Parameters:
    ///   - take: by its number; returns whether it has had enough.
    mutating func saturate(from start: Instant, packets: Int, _ take: (Int, Instant) -> Bool) {
        var (offered, isDone) = (0, false)
        let first = first
        var now = start
        while !isDone {
            while offered < packets, link.occupancy < 4 {
                guard handle(packet(offered, at: now), at: now) == .accepted else {
                    // A short queue is full before four are there.
                    if link.occupancy > 0 { break }
                    return
                }
                offered += 1
            }
            guard link.nextTimeout != .distantFuture else { return }
            now = max(now, link.nextTimeout)
            advance(to: now) { isDone = take(Int($0.number) - first, $0.time) || isDone }
        }
    }

    /// When each of `count` packets that are alone on the link arrives after it was offered, in nanoseconds.
    mutating func travellingTimes(from start: Instant, count: Int) -> [Int64] {
        var now = start
        return (0..<count).map { number in
            _ = handle(packet(number, at: now), at: now)
            let arrival = link.nextTimeout
            advance(to: arrival) { _ in }
            let time = (arrival - now).nanoseconds
            now = arrival + .nanoseconds(1)
            return time
        }
    }
}
