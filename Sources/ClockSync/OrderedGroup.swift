import Timebase
import Wire

/// Messages from any member to all, delivered at all in one of the orders of the textbook, over links that lose, double and
/// delay.
///
/// A message is sent to each member until it is acknowledged. With `total` and `sequencer` no member delivers while
/// another, or the sequencer, is dead: they wait until it is back.
public struct OrderedGroup: GroupParty {
    /// In which order messages are delivered.
    public enum Order: String, Sendable, CaseIterable {
        /// Each sender's messages in the order in which it sent them.
        case fifo
        /// And each after all that its sender had been delivered.
        case causal
        /// The same for all: by Lamport's clocks, ties by id, once all have acknowledged.
        case total
        /// The same for all: as the member with the least id says.
        case sequencer
    }

    /// What a member goes by.
    public struct Configuration: Sendable, Equatable {
        /// In which order messages are delivered; the same for all of a group.
        var order: Order
        /// After how long without an acknowledgment a message is sent again: more than a round trip.
        var retransmission: TimeSpan
        /// What this member sends, ascending by the own clock; payloads of 255 bytes at most.
        var submissions: [Submission]

        /// Without submissions it sends nothing of its own.
        public init(order: Order, retransmission: TimeSpan, submissions: [Submission] = []) {
            self.order = order
            self.retransmission = retransmission
            self.submissions = submissions
        }
    }

    /// A message to be sent.
    public struct Submission: Sendable, Equatable {
        /// When it is sent, by the own clock.
        var at: LocalInstant
        /// 255 bytes at most.
        var payload: [UInt8]

        /// A message of at most 255 bytes.
        public init(at: LocalInstant, payload: [UInt8]) {
            self.at = at
            self.payload = payload
        }
    }

    private let configuration: Configuration
    /// By flow.
    private var links: [ReliableLink]
    private var queue: any DeliveryQueue
    /// What has been delivered here, and sent from here.
    private var delivered: DeliveryVector
    private var submitted = 0
    private(set) var sent: UInt32 = 0
    /// The sequencer's: the next place in its order.
    private var nextPlace: UInt32 = 0
    /// How often what is not acknowledged may still be sent again; nil: for ever.
    private var rounds: Int?

    init(_ configuration: Configuration, _ endpoint: GroupEndpoint) {
        let count = endpoint.members.count
        self.configuration = configuration
        links = endpoint.peers.map { _ in ReliableLink() }
        delivered = DeliveryVector(count: count)
        switch configuration.order {
        case .fifo: queue = FIFOQueue()
        case .causal: queue = CausalQueue(members: count)
        case .total: queue = TotalQueue(members: count, place: endpoint.vector.process)
        case .sequencer: queue = SequencedQueue()
        }
    }

    var nextTimeout: LocalInstant {
        let submission = configuration.submissions.dropFirst(submitted).first?.at ?? .distantFuture
        return min(submission, links.lazy.map(\.nextTimeout).min() ?? .distantFuture)
    }

    /// Sends a message to all, this member included.
    ///
    /// - Returns: whether there was room for it; not so when a member has left 1,024 messages unacknowledged.
    mutating func submit(_ payload: [UInt8], at now: LocalInstant, _ endpoint: inout GroupEndpoint) -> Bool {
        guard payload.count <= 255, !links.contains(where: \.isFull) else { return false }
        let place = endpoint.vector.process
        var vector = delivered
        // Own messages count when they are sent: the vector is of sends.
        vector = vector.counting(sent + 1, of: place)
        multicast(.data(number: sent, delivery: vector.counts, payload: payload), at: now, &endpoint)
        let message = HeldMessage(
            sender: place, number: sent, stamp: endpoint.stamp, delivery: vector, payload: payload)
        sent += 1
        take(message, at: now, &endpoint)
        deliver(&endpoint)
        return true
    }

    mutating func handle(
        _ message: GroupMessage, flow: Int, at now: LocalInstant, _ endpoint: inout GroupEndpoint
    ) {
        switch message.body {
        case .ordered(let ordered):
            links[flow].receive(ordered, message.stamp)
            endpoint.send(.received(before: links[flow].expected), to: [flow])
            while let next = links[flow].next() { take(next.content, next.stamp, at: now, &endpoint) }
            deliver(&endpoint)
        case .received(let number): links[flow].acknowledge(before: number)
        default: break
        }
    }

    /// Takes what has come by a link, in its order.
    private mutating func take(
        _ content: GroupMessage.Ordered.Content, _ stamp: LogicalStamp, at now: LocalInstant,
        _ endpoint: inout GroupEndpoint
    ) {
        guard let sender = endpoint.members.firstIndex(of: stamp.node) else { return }
        queue.heard(sender, lamport: stamp.lamport)
        switch content {
        case .data(let number, let delivery, let payload):
            guard delivery.count == endpoint.members.count else { return }
            if configuration.order == .total {
                multicast(.acknowledgment(from: stamp.node, number: number), at: now, &endpoint)
            }
            let message = HeldMessage(
                sender: sender, number: number, stamp: stamp, delivery: DeliveryVector(delivery), payload: payload)
            take(message, at: now, &endpoint)
        case .acknowledgment: break
        case .place(let place, let node, let number):
            guard sender == 0, let of = endpoint.members.firstIndex(of: node) else { return }
            queue.take(place: place, of: of, number: number)
        }
    }

    private mutating func take(_ message: HeldMessage, at now: LocalInstant, _ endpoint: inout GroupEndpoint) {
        queue.take(message)
        guard configuration.order == .sequencer, endpoint.vector.process == 0 else { return }
        multicast(
            .place(nextPlace, from: message.stamp.node, number: message.number), at: now, &endpoint)
        queue.take(place: nextPlace, of: message.sender, number: message.number)
        nextPlace += 1
    }

    private mutating func deliver(_ endpoint: inout GroupEndpoint) {
        while let message = queue.next() {
            delivered.count(messageOf: message.sender)
            endpoint.deliver(from: message.stamp.node, number: message.number, payload: message.payload)
        }
    }

    /// To all others, each by its link.
    private mutating func multicast(
        _ content: GroupMessage.Ordered.Content, at now: LocalInstant, _ endpoint: inout GroupEndpoint
    ) {
        let datagrams = endpoint.send(
            links.indices.map { flow in
                (flow, .ordered(.init(sequenceNumber: links[flow].nextSequenceNumber, content: content)))
            })
        for (flow, datagram) in datagrams.enumerated() {
            links[flow].send(datagram, deadline: now + configuration.retransmission)
        }
    }

    mutating func handleTimeout(at now: LocalInstant, _ endpoint: inout GroupEndpoint) {
        while let submission = configuration.submissions.dropFirst(submitted).first, submission.at <= now {
            submitted += 1
            if !submit(submission.payload, at: now, &endpoint) { endpoint.note("no room for a message") }
        }
        var isResending = false
        for flow in links.indices {
            for datagram in links[flow].due(at: now, timeout: configuration.retransmission) {
                endpoint.resend(datagram, flow: flow)
                isResending = true
            }
        }
        guard isResending, let left = rounds else { return }
        rounds = left - 1
        if left <= 1 { for flow in links.indices { links[flow].giveUp() } }
    }

    /// What has been sent is sent again for a while, and then given up: who is dead for good would be waited for for ever.
    mutating func stop() {
        submitted = configuration.submissions.count
        rounds = 20
    }

    /// Numbers and what is held are on stable storage: what others had acknowledged nobody would send again.
    mutating func restart(at now: LocalInstant) {}
}
