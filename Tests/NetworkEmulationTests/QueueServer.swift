import Timebase

@testable import NetworkEmulation

/// A queue and what sends from it at a constant rate: a link reduced to what a discipline can see.
struct QueueServer {
    var queue: LinkQueue
    /// bit/s.
    var rate: Int64
    /// What is being sent and when its last bit leaves.
    private(set) var sending: Packet?
    private(set) var end = Int64.max

    init(
        _ discipline: QueueDiscipline, limit: DropTailQueue.Limit = .packets(10_000), rate: Int64,
        linkLayer: LinkLayer = .none
    ) {
        let bitRate = BitRate(bitsPerSecond: UInt64(rate))
        queue = LinkQueue(limit: limit, discipline: discipline, rate: bitRate, linkLayer: linkLayer)
        self.rate = rate
    }

    /// Sends up to and with `now`; each packet that is through, `time` being when its last bit left.
    mutating func serve(until now: Int64, _ take: (Packet) -> Void) {
        while end <= now, var packet = sending {
            packet.time = Instant(nanoseconds: end)
            take(packet)
            if let next = queue.dequeue(at: packet.time) {
                start(next, at: end)
            } else {
                (sending, end) = (nil, .max)
            }
        }
    }

    /// A packet comes at its `time`, up to which all has been served.
    mutating func offer(_ packet: Packet) -> LinkDrop? {
        if sending != nil { return queue.enqueue(packet) }
        queue.pass(packet)
        start(packet, at: packet.time.nanoseconds)
        return nil
    }

    private mutating func start(_ packet: Packet, at now: Int64) {
        sending = packet
        end = now + ceiling(bits: Int64(packet.length) * 8, rate: rate)
    }
}

/// Packets of 1,000 bytes at equal distances, more than a link of 8 Mbit/s can send, for a minute; waiting times from the
/// twentieth second on.
struct OverloadRun {
    var server: QueueServer
    var marks: Packet.Marks = []
    var seconds: Int64 = 60
    private(set) var waits = Histogram()
    private(set) var longestWait: Int64 = 0
    private(set) var offered = 0
    private(set) var sent = 0
    private(set) var markedOut: Int64 = 0
    private(set) var refused: [LinkDrop: Int] = [:]
    private(set) var dropped: [LinkDrop: Int] = [:]
    private let distance: Int64

    init(_ discipline: QueueDiscipline, percent: Int64, limit: DropTailQueue.Limit = .packets(10_000)) {
        server = QueueServer(discipline, limit: limit, rate: 8_000_000)
        distance = 100_000_000 / percent
    }

    mutating func run() {
        for number in 0..<(seconds * 1_000_000_000 / distance) {
            let now = number * distance
            server.serve(until: now) { packet in
                sent += 1
                if packet.marks.contains(.congestionExperienced) { markedOut += 1 }
                let wait = packet.time.nanoseconds - packet.sent.nanoseconds - 1_000_000
                longestWait = max(longestWait, wait)
                if packet.sent.nanoseconds >= 20_000_000_000 { waits.add(wait) }
            }
            var packet = Packet(number: UInt32(number), at: Instant(nanoseconds: now))
            packet.marks = marks
            offered += 1
            if let reason = server.offer(packet) { refused[reason, default: 0] += 1 }
            while let drop = server.queue.takeDrop() { dropped[drop.reason, default: 0] += 1 }
        }
        // Marked, but not yet out.
        server.serve(until: .max - 1) { packet in
            sent += 1
            if packet.marks.contains(.congestionExperienced) { markedOut += 1 }
        }
        while let drop = server.queue.takeDrop() { dropped[drop.reason, default: 0] += 1 }
    }
}
