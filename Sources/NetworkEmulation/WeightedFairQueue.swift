import DequeModule
import Timebase

/// A class of weighted fair queueing.
public struct GuaranteedClass: Sendable, Hashable {
    var codePoints: CodePoints
    /// What the class gets at least when it has something to send, counted as the link's rate is; more than zero.
    var rate: BitRate
    /// One in time is at the class's guaranteed rate.
    var limit: DropTailQueue.Limit

    public init(codePoints: CodePoints, rate: BitRate, limit: DropTailQueue.Limit) {
        self.codePoints = codePoints
        self.rate = rate
        self.limit = limit
    }
}

/// Weighted fair queueing with guaranteed rates (WF2Q+; Bennett and Zhang, "Hierarchical Packet Fair Queueing
/// Algorithms", 1996).
///
/// What is in no class and has no reservation is best effort: its weight is what the guarantees leave of the link's rate.
/// What a class does not use is shared by the others in the ratio of their weights.
public struct WeightedFairParameters: Sendable, Hashable {
    /// Whose sets should not overlap: the first class that has a packet's code point takes it.
    var classes: [GuaranteedClass]
    /// What best effort keeps of the link's rate: its weight is never less, nor less than 1 bit/s. Guarantees that
    /// together with it exceed the link's rate all shrink in proportion.
    var bestEffortMinimum: BitRate

    public init(classes: [GuaranteedClass], bestEffortMinimum: BitRate) {
        self.classes = classes
        self.bestEffortMinimum = bestEffortMinimum
    }

    /// The latency of a class: T = L / R + Lmax / C, rounded up.
    ///
    /// The queue and its link are a latency-rate server (Stiliadis and Varma, 1998): while the class always has something
    /// to send, it has been served at least R · (t − T) after t. So a flow alone in its class that never sends more than
    /// b + R · t in any t is through a path of such links within b / R + the sum of T, plus the delays of the links; the
    /// delay counts to the last bit.
    ///
    /// - Parameters:
    ///   - rate: the class's guarantee, R.
    ///   - packet: the largest packet of the class on the wire, bytes, L.
    ///   - linkRate: C.
    ///   - largestPacket: the largest packet of all on the wire, bytes, Lmax.
    public static func latency(rate: BitRate, packet: Int, linkRate: BitRate, largestPacket: Int) -> TimeSpan {
        rate.transmissionTime(bits: UInt64(packet) * 8) + linkRate.transmissionTime(bits: UInt64(largestPacket) * 8)
    }
}

/// The classes, each with the virtual times at which its head would begin and end if the class had its rate alone.
///
/// Virtual time is work: it advances by the bytes sent, and to the least start when nobody's has come. So shares stay
/// right when the link's rate changes, and no clock is read. It advances when a packet has been sent, not while it is: a
/// class that wakes up meanwhile starts with that packet's beginning, and never later than by a clock that is exact,
/// which the latency needs.
struct WeightedFairQueue: Sendable {
    private struct Class: Sendable {
        /// A reservation's.
        var flow: UInt16?
        var codePoints: CodePoints
        var rate: UInt64
        var fifo: DropTailQueue
        /// Virtual time that one byte takes at the class's rate, rounded up.
        var cost: UInt128 = 0
        var start: UInt128 = 0
        var finish: UInt128 = 0
    }

    private let bestEffortMinimum: UInt64
    private let limit: DropTailQueue.Limit
    private let linkLayer: LinkLayer
    private var linkRate: UInt64
    /// Best effort, then those of the configuration, then the reservations.
    private var classes: [Class]
    private let configured: Int
    private var virtualTime: UInt128 = 0
    /// Bytes of the packet sent last, which virtual time has not got yet.
    private var sending: UInt128 = 0
    private(set) var count = 0
    private(set) var bytes = 0
    /// Virtual time counts 2^-32 bytes.
    private static let fraction: UInt128 = 32

    /// - Parameter limit: of best effort and of each reservation; one in time is at the class's rate.
    init(_ parameters: WeightedFairParameters, limit: DropTailQueue.Limit, rate: BitRate, linkLayer: LinkLayer) {
        bestEffortMinimum = max(1, parameters.bestEffortMinimum.bitsPerSecond)
        self.limit = limit
        self.linkLayer = linkLayer
        linkRate = rate.bitsPerSecond
        configured = parameters.classes.count
        let rest = Class(codePoints: [], rate: 1, fifo: DropTailQueue(limit: limit, rate: rate, linkLayer: linkLayer))
        classes =
            [rest]
            + parameters.classes.map {
                Class(
                    codePoints: $0.codePoints, rate: max(1, $0.rate.bitsPerSecond),
                    fifo: DropTailQueue(limit: $0.limit, rate: $0.rate, linkLayer: linkLayer))
            }
        weigh()
    }

    // MARK: Packets

    /// - Complexity: O(classes), and so is ``dequeue()``.
    mutating func enqueue(_ packet: Packet) -> Bool {
        let index = classify(packet)
        let wasEmpty = classes[index].fifo.waiting.isEmpty
        guard classes[index].fifo.enqueue(packet) else { return false }
        count += 1
        bytes += Int(packet.length)
        if wasEmpty {
            classes[index].start = max(classes[index].finish, virtualTime)
            stampHead(index)
        }
        return true
    }

    /// A packet is sent without waiting, the first of a busy period: its class has had it, and it holds up the others.
    mutating func pass(_ packet: Packet) {
        forgetBusyPeriod()
        let index = classify(packet)
        sending = UInt128(linkLayer.bytes(length: packet.length))
        classes[index].finish = sending * classes[index].cost
    }

    /// The head with the least finish of those whose start has come, the first class of equals.
    mutating func dequeue() -> Packet? {
        guard count > 0 else {
            forgetBusyPeriod()
            return nil
        }
        virtualTime += sending << Self.fraction
        var least = UInt128.max
        for index in classes.indices where !classes[index].fifo.waiting.isEmpty {
            least = min(least, classes[index].start)
        }
        virtualTime = max(virtualTime, least)
        var best = 0
        least = .max
        for index in classes.indices where !classes[index].fifo.waiting.isEmpty {
            guard classes[index].start <= virtualTime, classes[index].finish < least else { continue }
            (best, least) = (index, classes[index].finish)
        }
        guard let packet = classes[best].fifo.dequeue() else { return nil }
        count -= 1
        bytes -= Int(packet.length)
        sending = UInt128(linkLayer.bytes(length: packet.length))
        if !classes[best].fifo.waiting.isEmpty {
            classes[best].start = classes[best].finish
            stampHead(best)
        }
        return packet
    }

    private mutating func stampHead(_ index: Int) {
        guard let head = classes[index].fifo.waiting.first else { return }
        let length = UInt128(linkLayer.bytes(length: head.length))
        classes[index].finish = classes[index].start + length * classes[index].cost
    }

    /// The link has nothing more to send: nobody owes anything.
    private mutating func forgetBusyPeriod() {
        guard virtualTime > 0 || sending > 0 else { return }
        (virtualTime, sending) = (0, 0)
        for index in classes.indices { (classes[index].start, classes[index].finish) = (0, 0) }
    }

    private func classify(_ packet: Packet) -> Int {
        var index = configured + 1
        while index < classes.count {
            if classes[index].flow == packet.flow { return index }
            index += 1
        }
        index = 1
        while index <= configured {
            if classes[index].codePoints.contains(packet.differentiatedServices) { return index }
            index += 1
        }
        return 0
    }

    // MARK: Rates

    /// What may still be guaranteed, bit/s.
    var free: BitRate {
        let taken = classes.dropFirst().reduce(UInt128(bestEffortMinimum)) { $0 + UInt128($1.rate) }
        return BitRate(bitsPerSecond: UInt128(linkRate) > taken ? UInt64(UInt128(linkRate) - taken) : 0)
    }

    var reservations: [(flow: UInt16, rate: BitRate)] {
        classes.compactMap { entry in entry.flow.map { ($0, BitRate(bitsPerSecond: entry.rate)) } }
    }

    mutating func setRate(_ rate: BitRate) {
        linkRate = rate.bitsPerSecond
        weigh()
    }

    /// A class for a flow; what waits of it moves there, so that nothing of it is overtaken.
    ///
    /// - Returns: false, and nothing has changed, when the rate is zero or more than is free.
    mutating func reserve(flow: UInt16, rate: BitRate, _ outcome: inout QueueOutcome) -> Bool {
        let held = reservations.first { $0.flow == flow }?.rate.bitsPerSecond ?? 0
        guard rate.bitsPerSecond > 0, rate.bitsPerSecond <= free.bitsPerSecond + held else { return false }
        release(flow: flow, &outcome)
        var moved = Deque<Packet>()
        for index in classes.indices { take(flow: flow, from: index, into: &moved) }
        let fifo = DropTailQueue(limit: limit, rate: rate, linkLayer: linkLayer)
        classes.append(Class(flow: flow, codePoints: [], rate: rate.bitsPerSecond, fifo: fifo))
        weigh()
        enqueueAgain(moved, &outcome)
        return true
    }

    /// Takes a flow's class away; what waits in it goes to the end of the class that the flow is in without it.
    mutating func release(flow: UInt16, _ outcome: inout QueueOutcome) {
        guard let index = classes.firstIndex(where: { $0.flow == flow }) else { return }
        let waiting = classes.remove(at: index).fifo.waiting
        for packet in waiting {
            count -= 1
            bytes -= Int(packet.length)
        }
        weigh()
        enqueueAgain(waiting, &outcome)
    }

    private mutating func take(flow: UInt16, from index: Int, into moved: inout Deque<Packet>) {
        guard classes[index].fifo.waiting.contains(where: { $0.flow == flow }) else { return }
        for _ in 0..<classes[index].fifo.waiting.count {
            guard let packet = classes[index].fifo.dequeue() else { break }
            if packet.flow == flow {
                moved.append(packet)
                count -= 1
                bytes -= Int(packet.length)
            } else {
                classes[index].fifo.append(packet)
            }
        }
        if classes[index].fifo.waiting.isEmpty { classes[index].finish = classes[index].start }
    }

    private mutating func enqueueAgain(_ packets: Deque<Packet>, _ outcome: inout QueueOutcome) {
        for packet in packets where !enqueue(packet) { outcome.drop(packet, .queueFull) }
    }

    /// Sets best effort's rate to what is left, and with it everybody's weight; heads keep their start.
    private mutating func weigh() {
        classes[0].rate = bestEffortMinimum + free.bitsPerSecond
        let sum = classes.reduce(UInt128(0)) { $0 + UInt128($1.rate) }
        for index in classes.indices {
            let rate = UInt128(classes[index].rate)
            classes[index].cost = (sum << Self.fraction + rate - 1) / rate
            stampHead(index)
        }
        classes[0].fifo.setRate(BitRate(bitsPerSecond: classes[0].rate))
    }
}
