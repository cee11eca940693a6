import Timebase
import Wire

/// A member's end of its group, shared by all that the member takes part in: whom it reaches on which flow, its logical
/// clocks, and what it wants done.
struct GroupEndpoint: Sendable {
    let id: UInt16
    /// The others, in the order of the flows to and from them.
    let peers: [UInt16]
    /// All members, ascending.
    let members: [UInt16]
    private(set) var lamport = LamportClock()
    private(set) var vector: VectorClock
    /// Datagrams that were not a peer's message.
    private(set) var refused = 0
    private var outputs: [AgentOutput] = []

    /// - Precondition: ids are distinct, and no more than ``GroupMessage/mostMembers``.
    init(id: UInt16, peers: [UInt16]) {
        self.id = id
        self.peers = peers
        members = (peers + [id]).sorted()
        precondition(Set(members).count == members.count && members.count <= GroupMessage.mostMembers)
        vector = VectorClock(count: members.count, process: members.firstIndex(of: id) ?? 0)
    }

    /// The stamp of the latest event.
    var stamp: LogicalStamp { LogicalStamp(lamport: lamport.value, node: id, vector: vector.counts) }

    /// On which flow a member is reached; nil: it is this one, or none.
    func flow(to member: UInt16) -> Int? { peers.firstIndex(of: member) }

    /// Sends one message to some peers, or to all: one event, however many they are.
    mutating func send(_ body: GroupMessage.Body, to flows: [Int]? = nil) {
        send((flows ?? Array(peers.indices)).map { ($0, body) })
    }

    /// Sends a message to each of some peers, each in its own words: one event.
    ///
    /// - Returns: the datagrams, in the same order.
    @discardableResult
    mutating func send(_ bodies: [(flow: Int, body: GroupMessage.Body)]) -> [[UInt8]] {
        guard !bodies.isEmpty else { return [] }
        lamport.tick()
        vector.tick()
        let datagrams = bodies.map { GroupMessage(stamp: stamp, body: $0.body).bytes }
        let texts = bodies.map(\.body.text)
        // Of each peer in the order of the peers, where they differ.
        let text = Set(texts).count == 1 ? texts[0] : texts.joined(separator: ", ")
        tell(.sent(to: bodies.map { peers[$0.flow] }), text)
        for (message, datagram) in zip(bodies, datagrams) { outputs.append(.send(datagram, flow: message.flow)) }
        return datagrams
    }

    /// Sends a datagram once more: no event, its stamp is what it was.
    mutating func resend(_ datagram: [UInt8], flow: Int) { outputs.append(.send(datagram, flow: flow)) }

    /// Takes a datagram; nil, and counted, unless it is a message of the peer at the other end of the flow.
    mutating func receive(_ payload: RawSpan, flow: Int) -> GroupMessage? {
        guard peers.indices.contains(flow), let message = try? GroupMessage(parsing: payload),
            message.stamp.node == peers[flow], message.stamp.vector.count == members.count
        else {
            refused += 1
            return nil
        }
        lamport.receive(message.stamp.lamport)
        vector.receive(message.stamp.vector)
        tell(.received(from: message.stamp.node), message.body.text)
        return message
    }

    /// Something that neither sends nor receives.
    mutating func note(_ text: String) {
        lamport.tick()
        vector.tick()
        tell(.internalEvent, text)
    }

    /// A message to the group is handed to the program: an event of its own.
    mutating func deliver(from member: UInt16, number: UInt32, payload: [UInt8]) {
        lamport.tick()
        vector.tick()
        let text = "deliver \(member).\(number)" + GroupMessage.Ordered.Content.text(of: payload)
        tell(.delivered(from: member, number: number, payload: payload), text)
    }

    /// The member has decided, in an agreement.
    mutating func decide(_ value: Int64) {
        lamport.tick()
        vector.tick()
        tell(.decided(value), "decide \(value)")
    }

    mutating func adjust(_ adjustment: ClockAdjustment) { outputs.append(.adjust(adjustment)) }

    mutating func claim(_ claim: ClockClaim) { outputs.append(.tell(.claim(claim))) }

    mutating func note(_ exchange: ClockExchange) { outputs.append(.tell(.exchange(exchange))) }

    mutating func pollOutput() -> AgentOutput? { outputs.isEmpty ? nil : outputs.removeFirst() }

    private mutating func tell(_ action: LogicalEvent.Action, _ text: String) {
        outputs.append(.tell(.logical(LogicalEvent(stamp: stamp, action: action, text: text))))
    }
}
