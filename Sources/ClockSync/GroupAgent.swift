import Timebase
import Wire

/// A member of a group: one agent with a flow to and from each other member, on which everything goes that it takes part
/// in, so that one pair of logical clocks stamps it all.
public struct GroupAgent: Agent, RestartingAgent {
    /// What a member may take part in.
    public enum Part: Sendable {
        /// The averaging of clocks, each member for itself.
        case averaging(ClockAveraging.Configuration)
        /// Berkeley's algorithm, with elections of the coordinator.
        case berkeley(BerkeleyClock.Configuration)
        /// Messages to all, delivered in an order.
        case ordered(OrderedGroup.Configuration)
        /// Agreement by oral messages, with traitors.
        case agreement(OralMessages.Configuration)
    }

    private var endpoint: GroupEndpoint
    private var parties: [any GroupParty]

    /// - Parameters:
    ///   - id: the member's own; greater ids win elections.
    ///   - peers: the others' ids, in the order of its flows to and from them.
    ///   - parts: of each kind one at most.
    ///   - start: the own clock when it begins.
    /// - Precondition: ids are distinct, 128 at most.
    public init(id: UInt16, peers: [UInt16], parts: [Part], start: LocalInstant) {
        let endpoint = GroupEndpoint(id: id, peers: peers)
        self.endpoint = endpoint
        parties = parts.map { part -> any GroupParty in
            switch part {
            case .averaging(let configuration): ClockAveraging(configuration, start: start)
            case .berkeley(let configuration): BerkeleyClock(configuration, endpoint, start: start)
            case .ordered(let configuration): OrderedGroup(configuration, endpoint)
            case .agreement(let configuration): OralMessages(configuration)
            }
        }
    }

    /// Datagrams that were not a peer's message.
    public var refused: Int { endpoint.refused }

    /// Messages to the group that this member has sent; nil where it takes no part in their delivery.
    public var messagesSent: Int64? {
        parties.lazy.compactMap { $0 as? OrderedGroup }.first.map { Int64($0.sent) }
    }

    /// The agreement that it takes part in, what it has decided (nil: nothing yet) and the datagrams that it sent for it.
    public var agreement: (configuration: OralMessages.Configuration, decision: Int64?, messages: Int64)? {
        parties.lazy.compactMap { $0 as? OralMessages }.first.map { ($0.configuration, $0.decision, $0.sent) }
    }

    public var nextTimeout: LocalInstant { parties.map(\.nextTimeout).min() ?? .distantFuture }

    public mutating func handle(_ payload: RawSpan, flow: Int, at now: LocalInstant) {
        guard let message = endpoint.receive(payload, flow: flow) else { return }
        for index in parties.indices { parties[index].handle(message, flow: flow, at: now, &endpoint) }
    }

    public mutating func handleTimeout(at now: LocalInstant) {
        for index in parties.indices where parties[index].nextTimeout <= now {
            parties[index].handleTimeout(at: now, &endpoint)
        }
    }

    /// Sends a message to all members, this one included, in the order of the part that does so.
    ///
    /// - Parameter payload: 255 bytes at most.
    /// - Returns: whether there was room for it, and such a part.
    mutating func submit(_ payload: [UInt8], at now: LocalInstant) -> Bool {
        for index in parties.indices {
            guard var group = parties[index] as? OrderedGroup else { continue }
            defer { parties[index] = group }
            return group.submit(payload, at: now, &endpoint)
        }
        return false
    }

    public mutating func pollOutput() -> AgentOutput? { endpoint.pollOutput() }

    public mutating func stop() {
        for index in parties.indices { parties[index].stop() }
    }

    /// Begins again after a crash in which what was not on stable storage is lost.
    mutating func restart(at now: LocalInstant) {
        for index in parties.indices { parties[index].restart(at: now) }
    }
}
