import DequeModule
import Timebase

/// Flow queueing with controlled delay (RFC 8290): flows hashed into buckets that are served in turn, each by CoDel.
///
/// A queue over its limit drops the head of the bucket with most bytes, one packet at a time (RFC 8290 §4.1); Linux
/// drops up to 64 at once to save the search for it.
public struct FQCoDelParameters: Sendable, Hashable {
    /// Of each bucket.
    ///
    /// The bytes up to which nothing is dropped are the bucket's own, each bucket having a CoDel of its own (RFC 8290
    /// §4.2); Linux counts those of all buckets.
    var codel: CoDelParameters
    /// Number of buckets, 1...65,535; RFC 8290 §5.2.5: 1,024.
    let buckets: Int
    /// IP bytes that a bucket may send in a turn, at least 1; RFC 8290 §5.2.4: 1,514, a frame of Ethernet.
    let quantum: Int
    /// Of the hash.
    var key: DrawKey

    public init(codel: CoDelParameters = CoDelParameters(), buckets: Int = 1_024, quantum: Int = 1_514, key: DrawKey) {
        self.codel = codel
        self.buckets = min(max(1, buckets), Int(UInt16.max))
        self.quantum = max(1, quantum)
        self.key = key
    }
}

/// The buckets and the two lists of those that have something to send (RFC 8290 §4.2).
struct FQCoDel: Sendable {
    private struct Bucket: Sendable {
        var fifo: DropTailQueue
        var codel: CoDel
        var deficit = 0
        var isListed = false

        mutating func dequeue(at now: Instant?, _ outcome: inout QueueOutcome) -> Packet? {
            guard let now else { return fifo.dequeue() }
            return codel.dequeue(from: &fifo, at: now, &outcome)
        }
    }

    private let parameters: FQCoDelParameters
    private(set) var backlog: Backlog
    /// Made when a flow first comes: a link that few flows cross stays small.
    private var buckets: [Bucket] = []
    /// Places in `buckets` by hash, `none` for those not made; empty before the first packet.
    private var places: [UInt16] = []
    private static let none = UInt16.max
    private var newBuckets = Deque<UInt16>()
    private var oldBuckets = Deque<UInt16>()

    init(_ parameters: FQCoDelParameters, backlog: Backlog) {
        self.parameters = parameters
        self.backlog = backlog
    }

    /// The hash of a flow, 0..<buckets.
    func hash(flow: UInt16) -> Int {
        let draw = parameters.key.draw(flow: flow, number: 0)
        return Int(draw.multipliedFullWidth(by: UInt64(parameters.buckets)).high)
    }

    /// Takes every packet; over the limit drops from the head of the fattest bucket.
    ///
    /// - Complexity: O(1), over the limit O(buckets in use).
    mutating func enqueue(_ packet: Packet, _ outcome: inout QueueOutcome) {
        let index = bucket(flow: packet.flow)
        buckets[index].fifo.append(packet)
        backlog.add(packet)
        list(index)
        while !backlog.isWithinLimit, let victim = buckets[fattest()].fifo.dequeue() {
            backlog.remove(victim)
            outcome.drop(victim, .queueFull)
        }
    }

    /// A packet is sent without waiting: its bucket is new, has used of its quantum, and is empty.
    mutating func pass(_ packet: Packet) {
        let index = bucket(flow: packet.flow)
        list(index)
        buckets[index].deficit -= Int(packet.length)
    }

    /// - Parameter now: nil: as if CoDel were not there.
    /// - Complexity: O(1) for a quantum of the largest packet, and for each packet dropped.
    mutating func dequeue(at now: Instant?, _ outcome: inout QueueOutcome) -> Packet? {
        while true {
            let isNew = !newBuckets.isEmpty
            guard let place = isNew ? newBuckets.first : oldBuckets.first else { return nil }
            let index = Int(place)
            if buckets[index].deficit <= 0 {
                buckets[index].deficit += parameters.quantum
                takeFirst(isNew: isNew)
                oldBuckets.append(place)
                continue
            }
            let dropsBefore = outcome.drops.count
            let packet = buckets[index].dequeue(at: now, &outcome)
            for drop in dropsBefore..<outcome.drops.count { backlog.remove(outcome.drops[drop].packet) }
            if let packet {
                backlog.remove(packet)
                buckets[index].deficit -= Int(packet.length)
                return packet
            }
            // A new bucket that is empty waits a turn, or its flow could be new again at once, ahead of all old ones.
            takeFirst(isNew: isNew)
            if isNew { oldBuckets.append(place) } else { buckets[index].isListed = false }
        }
    }

    mutating func setRate(_ rate: BitRate) { backlog.setRate(rate) }

    /// A bucket that is in no list is new.
    private mutating func list(_ index: Int) {
        guard !buckets[index].isListed else { return }
        buckets[index].isListed = true
        buckets[index].deficit = parameters.quantum
        newBuckets.append(UInt16(index))
    }

    private mutating func takeFirst(isNew: Bool) {
        if isNew { newBuckets.removeFirst() } else { oldBuckets.removeFirst() }
    }

    private mutating func bucket(flow: UInt16) -> Int {
        if places.isEmpty { places = [UInt16](repeating: Self.none, count: parameters.buckets) }
        let hash = hash(flow: flow)
        if places[hash] == Self.none {
            places[hash] = UInt16(buckets.count)
            let unlimited = DropTailQueue(limit: .packets(.max), rate: BitRate(bitsPerSecond: 1))
            buckets.append(Bucket(fifo: unlimited, codel: CoDel(parameters.codel)))
        }
        return Int(places[hash])
    }

    /// The bucket with most bytes, the one made first of equals.
    private func fattest() -> Int {
        var (best, most) = (0, -1)
        for index in buckets.indices where buckets[index].fifo.waitingBytes > most {
            (best, most) = (index, buckets[index].fifo.waitingBytes)
        }
        return best
    }
}
