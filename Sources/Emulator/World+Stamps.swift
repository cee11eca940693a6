import ClockSync
import Timebase

/// Events of exchanges in logical time, where their packets have no room for stamps.
extension World {
    /// Whether agents' datagrams are events, and stamped here: where events are asked for and no group stamps its own.
    static func stamps(_ configuration: WorldConfiguration) -> CarriedStamps? {
        let isOfGroup = configuration.agents.contains {
            (($0.agent as? FaultyAgent)?.agent ?? $0.agent) is GroupAgent
        }
        guard configuration.taps.events, !isOfGroup, configuration.nodeCount <= CarriedStamps.mostNodes else {
            return nil
        }
        return CarriedStamps(nodes: configuration.nodeCount)
    }

    /// An agent's datagram leaves a node.
    mutating func note(sent packet: Packet, node: Int, at now: Instant) {
        let flow = flows[packet.flow]
        guard case .control = flow.kind else { return }
        let payload = pool.bytes(packet.slot, count: packet.payloadCount).bytes
        let event = stamps?.send(
            payload, from: node, to: flow.destinations, flow: packet.flow, number: packet.number)
        if let event { ledger.note(.found(.logical(event), node: node), at: now) }
    }

    /// An agent has taken a datagram.
    mutating func note(received packet: Packet, node: Int, at now: Instant) {
        guard case .control = flows[packet.flow].kind, let source = flows[packet.flow].source else { return }
        let payload = pool.bytes(packet.slot, count: packet.payloadCount).bytes
        let event = stamps?.receive(payload, at: node, from: source, flow: packet.flow, number: packet.number)
        if let event { ledger.note(.found(.logical(event), node: node), at: now) }
    }

    /// Datagrams that have come to an agent and that a fault of its node took.
    func missed(byAgent index: Int) -> Int64 { (agents.seats[index].agent as? FaultyAgent)?.missed ?? 0 }
}
