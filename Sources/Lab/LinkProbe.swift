import Results
import NetworkEmulation
import Timebase

/// A link with nobody else on it, and what it is offered.
struct LinkProbe {
    var link: Link
    /// Of the packets, in bytes.
    let length: UInt16
    /// The number in its flow of the packet that is called 0 here.
    let first: Int

    init(_ configuration: LinkConfiguration, length: UInt16, first: Int = 0) {
        link = Link(configuration)
        self.length = length
        self.first = first
    }

    /// A packet of the program's flow, as the draws have it.
    func packet(_ number: Int, at now: Instant, flow: UInt16 = 0, codePoint: UInt8 = 0) -> Packet {
        Packet(
            time: now, sent: now, slot: CrossTraffic.noSlot, number: UInt32(truncatingIfNeeded: first + number),
            length: length,
            flow: flow, differentiatedServices: codePoint)
    }

    /// Takes what has arrived by `now`, and what was given up.
    mutating func advance(to now: Instant, _ take: (Packet) -> Void) {
        link.handleTimeout(at: now)
        while let packet = link.pollOutput(at: now) { take(packet) }
        while link.pollDrop() != nil {}
        while link.pollCopy() != nil {}
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
                guard link.handle(packet(offered, at: now), at: now) == .accepted else {
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
            _ = link.handle(packet(number, at: now), at: now)
            let arrival = link.nextTimeout
            advance(to: arrival) { _ in }
            let time = (arrival - now).nanoseconds
            now = arrival + .nanoseconds(1)
            return time
        }
    }
}
