import Timebase
import Wire

/// One member's end of the way to another, over which messages come in the order in which they were sent, each once,
/// whatever is lost, doubled or overtaken: sequence numbers, acknowledgments of all before a number, time-outs.
struct ReliableLink: Sendable {
    private struct Unacknowledged {
        var sequenceNumber: UInt32
        var datagram: [UInt8]
        var deadline: LocalInstant
    }

    /// How far ahead of the next expected one a sequence number is kept; others are dropped, and sent again.
    private static var window: UInt32 { 1_024 }

    /// Of the next message sent.
    private(set) var nextSequenceNumber: UInt32 = 0
    private var unacknowledged: [Unacknowledged] = []
    /// All before it have come.
    private(set) var expected: UInt32 = 0
    /// What came, until it is taken.
    private var early: [UInt32: (stamp: LogicalStamp, content: GroupMessage.Ordered.Content)] = [:]
    /// The next to be taken.
    private var taken: UInt32 = 0

    // MARK: Sending

    /// Whether as many messages wait for an acknowledgment as the other end keeps.
    var isFull: Bool { unacknowledged.count >= Int(Self.window) }

    /// When something is next to be sent again.
    private(set) var nextTimeout = LocalInstant.distantFuture

    /// A message with the next sequence number leaves.
    mutating func send(_ datagram: [UInt8], deadline: LocalInstant) {
        unacknowledged.append(
            Unacknowledged(sequenceNumber: nextSequenceNumber, datagram: datagram, deadline: deadline))
        nextSequenceNumber += 1
        nextTimeout = min(nextTimeout, deadline)
    }

    /// The other end has all before this number.
    mutating func acknowledge(before number: UInt32) {
        guard let first = unacknowledged.first, first.sequenceNumber < number else { return }
        unacknowledged.removeAll { $0.sequenceNumber < number }
        rearm()
    }

    /// What is to be sent again by `now`.
    mutating func due(at now: LocalInstant, timeout: TimeSpan) -> [[UInt8]] {
        var datagrams: [[UInt8]] = []
        for index in unacknowledged.indices where unacknowledged[index].deadline <= now {
            unacknowledged[index].deadline = now + timeout
            datagrams.append(unacknowledged[index].datagram)
        }
        rearm()
        return datagrams
    }

    private mutating func rearm() {
        nextTimeout = unacknowledged.lazy.map(\.deadline).min() ?? .distantFuture
    }

    /// The other end does not answer: what waits for it is given up.
    mutating func giveUp() {
        unacknowledged.removeAll()
        rearm()
    }

    // MARK: Receiving

    mutating func receive(_ message: GroupMessage.Ordered, _ stamp: LogicalStamp) {
        let number = message.sequenceNumber
        guard number >= expected, number - expected < Self.window else { return }
        early[number] = (stamp, message.content)
        while early[expected] != nil { expected += 1 }
    }

    /// The next message in order; nil: it has not come.
    mutating func next() -> (stamp: LogicalStamp, content: GroupMessage.Ordered.Content)? {
        guard taken < expected, let message = early.removeValue(forKey: taken) else { return nil }
        taken += 1
        return message
    }
}
