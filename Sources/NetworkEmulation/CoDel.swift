import Timebase

/// Controlled delay (RFC 8289): drops from the head when packets have waited longer than a target for an interval, the
/// more often the longer that lasts.
///
/// Its law is made for sources that answer to drops. Where they need about one drop an interval it settles at the target;
/// where they need many, above it. Under an excess of e packets a second that does not answer, drops reach that rate only
/// when (e · interval)² packets wait, and the waiting time swings far above the target: there only the queue's limit bounds
/// it.
public struct CoDelParameters: Sendable, Hashable {
    /// The waiting time that is let be; RFC 8289 §4.4: 5 ms.
    var target: TimeSpan
    /// How long it may be exceeded; RFC 8289 §4.3: 100 ms.
    var interval: TimeSpan
    /// Waiting IP bytes up to which nothing is dropped: one packet's.
    var largestPacket: Int
    /// Packets that can be marked are marked in place of being dropped (RFC 3168 §5).
    var ecn: Bool

    public init(
        target: TimeSpan = .milliseconds(5), interval: TimeSpan = .milliseconds(100), largestPacket: Int = 1_500,
        ecn: Bool = false
    ) {
        self.target = target
        self.interval = interval
        self.largestPacket = largestPacket
        self.ecn = ecn
    }
}

/// The state of RFC 8289 §5's pseudocode.
struct CoDel: Sendable {
    private let parameters: CoDelParameters
    /// When the target will have been exceeded for an interval; nil: it is not.
    private var firstAbove: Instant?
    private var dropNext = Instant.zero
    private(set) var count: Int64 = 0
    private var lastCount: Int64 = 0
    private(set) var isDropping = false

    init(_ parameters: CoDelParameters) { self.parameters = parameters }

    /// The next packet to send; what is dropped before it goes to `outcome`.
    ///
    /// A mark takes a drop's place and ends the call, as in Linux: RFC 8289 has none.
    mutating func dequeue(from queue: inout DropTailQueue, at now: Instant, _ outcome: inout QueueOutcome) -> Packet? {
        if queue.waiting.isEmpty {
            (firstAbove, isDropping) = (nil, false)
            return nil
        }
        var (head, mayDrop) = take(from: &queue, at: now)
        if isDropping {
            if !mayDrop { isDropping = false }
            while isDropping, now >= dropNext, let victim = head {
                count += 1
                if outcome.mark(&head, if: parameters.ecn) {
                    dropNext = next(after: dropNext)
                    return head
                }
                outcome.drop(victim, .activeManagement)
                (head, mayDrop) = take(from: &queue, at: now)
                if mayDrop { dropNext = next(after: dropNext) } else { isDropping = false }
            }
        } else if mayDrop, let victim = head {
            if !outcome.mark(&head, if: parameters.ecn) {
                outcome.drop(victim, .activeManagement)
                (head, _) = take(from: &queue, at: now)
            }
            isDropping = true
            // Soon after the last time it goes on at the rate that it had found.
            let delta = count - lastCount
            count = delta > 1 && now - dropNext < parameters.interval * 16 ? delta : 1
            dropNext = next(after: now)
            lastCount = count
        }
        return head
    }

    /// The control law: the interval over the square root of the drops so far.
    private func next(after instant: Instant) -> Instant {
        let span = Double(parameters.interval.nanoseconds) / Double(count).squareRoot()
        return instant + .nanoseconds(Int64(span.rounded(.toNearestOrAwayFromZero)))
    }

    private mutating func take(from queue: inout DropTailQueue, at now: Instant) -> (Packet?, mayDrop: Bool) {
        guard let packet = queue.dequeue() else {
            firstAbove = nil
            return (nil, false)
        }
        guard now - packet.time >= parameters.target, queue.waitingBytes > parameters.largestPacket else {
            firstAbove = nil
            return (packet, false)
        }
        guard let firstAbove else {
            self.firstAbove = now + parameters.interval
            return (packet, false)
        }
        return (packet, now >= firstAbove)
    }
}
