import Timebase

/// A set of differentiated services code points, 0...63 (RFC 2474).
public struct CodePoints: Sendable, Hashable, ExpressibleByArrayLiteral {
    private var bits: UInt64 = 0

    /// - Parameter values: what is over 63 is left out.
    init(_ values: some Sequence<UInt8>) {
        for value in values where value < 64 { bits |= 1 << UInt64(value) }
    }

    public init(arrayLiteral values: UInt8...) { self.init(values) }

    func contains(_ value: UInt8) -> Bool { value < 64 && bits >> UInt64(value) & 1 == 1 }
}

/// A class of a queue with strict priorities.
public struct PriorityClass: Sendable, Hashable {
    var codePoints: CodePoints
    /// One in time is at the link's whole rate.
    var limit: DropTailQueue.Limit

    public init(codePoints: CodePoints, limit: DropTailQueue.Limit) {
        self.codePoints = codePoints
        self.limit = limit
    }
}

/// Queues of which the first that is not empty is served.
struct PriorityQueue: Sendable {
    private let codePoints: [CodePoints]
    /// One more than there are sets: the last one takes what is in none.
    private var queues: [DropTailQueue]

    /// - Parameter rest: for what is in no class.
    init(_ classes: [PriorityClass], rest: DropTailQueue, rate: BitRate, linkLayer: LinkLayer) {
        codePoints = classes.map(\.codePoints)
        queues = classes.map { DropTailQueue(limit: $0.limit, rate: rate, linkLayer: linkLayer) } + [rest]
    }

    var count: Int { queues.reduce(0) { $0 + $1.waiting.count } }
    var bytes: Int { queues.reduce(0) { $0 + $1.waitingBytes } }

    /// - Complexity: O(classes), and so is ``dequeue()``.
    mutating func enqueue(_ packet: Packet) -> Bool {
        var index = 0
        while index < codePoints.count, !codePoints[index].contains(packet.differentiatedServices) { index += 1 }
        return queues[index].enqueue(packet)
    }

    mutating func dequeue() -> Packet? {
        for index in queues.indices where !queues[index].waiting.isEmpty { return queues[index].dequeue() }
        return nil
    }

    mutating func setRate(_ rate: BitRate) {
        for index in queues.indices { queues[index].setRate(rate) }
    }
}
