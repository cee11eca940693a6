import Timebase
import Wire

/// The logical clocks of nodes whose messages have no room for stamps: these travel beside the datagrams, whose bytes stay
/// those of their protocol.
public struct CarriedStamps: Sendable {
    private struct Carried: Sendable {
        let number: UInt32
        let stamp: LogicalStamp
    }

    private var lamport: [LamportClock]
    private var vectors: [VectorClock]
    /// Of each flow the messages that left last, the oldest first.
    private var carried: [UInt16: [Carried]] = [:]

    /// Nodes at most: stamps of all have as many counts each.
    public static var mostNodes: Int { GroupMessage.mostMembers }
    /// Messages of one flow that are remembered: exchanges have few under way at once.
    private static let remembered = 16

    /// Nodes that nothing has happened at.
    public init(nodes: Int) {
        lamport = Array(repeating: LamportClock(), count: nodes)
        vectors = (0..<nodes).map { VectorClock(count: nodes, process: $0) }
    }

    /// A message leaves a node.
    ///
    /// - Parameters:
    ///   - number: its number on the flow.
    ///   - payload: by which it is called in the log.
    public mutating func send(
        _ payload: RawSpan, from node: Int, to peers: Range<Int>, flow: UInt16, number: UInt32
    ) -> LogicalEvent {
        lamport[node].tick()
        vectors[node].tick()
        let stamp = stamp(of: node)
        var queue = carried[flow] ?? []
        if queue.count == Self.remembered { queue.removeFirst() }
        queue.append(Carried(number: number, stamp: stamp))
        carried[flow] = queue
        return LogicalEvent(stamp: stamp, action: .sent(to: peers.map { UInt16($0) }), text: Self.text(of: payload))
    }

    /// A message comes to a node; nil: nobody knows of it any more.
    public mutating func receive(
        _ payload: RawSpan, at node: Int, from peer: Int, flow: UInt16, number: UInt32
    ) -> LogicalEvent? {
        guard let message = carried[flow]?.first(where: { $0.number == number }) else { return nil }
        lamport[node].receive(message.stamp.lamport)
        vectors[node].receive(message.stamp.vector)
        return LogicalEvent(
            stamp: stamp(of: node), action: .received(from: UInt16(peer)), text: Self.text(of: payload))
    }

    private func stamp(of node: Int) -> LogicalStamp {
        LogicalStamp(lamport: lamport[node].value, node: UInt16(node), vector: vectors[node].counts)
    }

    /// Clients' and servers' packets (RFC 5905 §7.3: modes 3 and 4).
    private static func text(of payload: RawSpan) -> String {
        switch (try? NTPPacket(parsing: payload))?.mode {
        case 3: "request"
        case 4: "reply"
        default: "message"
        }
    }
}
