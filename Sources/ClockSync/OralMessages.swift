import Timebase
import Wire

/// Agreement on a commander's value by oral messages, OM(m) of Lamport, Shostak and Pease (1982): each member tells the
/// others what it was told, and what it was told that others were told, m + 1 rounds deep, and takes majorities.
///
/// With 3m + 1 members or more, of which m say what they like to whom they like: all loyal members decide the same, and
/// what the commander said if it is loyal. With fewer nothing can be promised.
public struct OralMessages: GroupParty {
    /// What a member goes by.
    public struct Configuration: Sendable, Equatable {
        /// The member whose order is to be agreed upon, by id.
        public var commander: UInt16
        /// What the commander has to say; nobody else looks at it.
        public var value: Int64
        /// How many members may be traitors: m.
        public var traitors: Int
        /// When the commander speaks, by each member's clock.
        public var start: LocalInstant
        /// From one round to the next: more than a message takes and clocks differ.
        var round: TimeSpan
        /// What is taken where nothing came or no value has a majority.
        var fallback: Int64

        /// An agreement on the commander's value, in `traitors` + 1 rounds from `start` on.
        public init(
            commander: UInt16, value: Int64, traitors: Int, start: LocalInstant, round: TimeSpan
        ) {
            self.commander = commander
            self.value = value
            self.traitors = traitors
            self.start = start
            self.round = round
            fallback = 0
        }
    }

    let configuration: Configuration
    private var isSent = false
    /// What was said, by whom it went through, the commander first.
    private var statements: [[UInt16]: Int64] = [:]
    /// What this member has decided; nil: nothing yet.
    private(set) var decision: Int64?
    /// Datagrams that it has sent.
    private(set) var sent: Int64 = 0
    private var isStopped = false

    init(_ configuration: Configuration) { self.configuration = configuration }

    private var end: LocalInstant { deadline(ofRound: configuration.traitors + 1) }

    private func deadline(ofRound round: Int) -> LocalInstant {
        configuration.start + configuration.round * Int64(round)
    }

    var nextTimeout: LocalInstant {
        guard decision == nil, !isStopped else { return .distantFuture }
        return isSent ? end : configuration.start
    }

    mutating func handle(
        _ message: GroupMessage, flow: Int, at now: LocalInstant, _ endpoint: inout GroupEndpoint
    ) {
        guard case .statement(let path, let value) = message.body, decision == nil,
            path.first == configuration.commander, path.last == message.stamp.node,
            path.count <= configuration.traitors + 1, now <= deadline(ofRound: path.count),
            Set(path).count == path.count, !path.contains(endpoint.id), statements[path] == nil,
            path.allSatisfy(endpoint.members.contains)
        else { return }
        statements[path] = value
        guard path.count <= configuration.traitors else { return }
        let others = endpoint.peers.indices.filter { !path.contains(endpoint.peers[$0]) }
        state(value, path + [endpoint.id], to: others, &endpoint)
    }

    mutating func handleTimeout(at now: LocalInstant, _ endpoint: inout GroupEndpoint) {
        guard decision == nil, !isStopped else { return }
        let isCommander = endpoint.id == configuration.commander
        if !isSent, configuration.start <= now {
            isSent = true
            if isCommander {
                state(configuration.value, [endpoint.id], to: Array(endpoint.peers.indices), &endpoint)
            }
        }
        guard end <= now else { return }
        let value = isCommander ? configuration.value : resolve([configuration.commander], endpoint)
        decision = value
        endpoint.decide(value)
    }

    private mutating func state(
        _ value: Int64, _ path: [UInt16], to flows: [Int], _ endpoint: inout GroupEndpoint
    ) {
        endpoint.send(.statement(path: path, value: value), to: flows)
        sent += Int64(flows.count)
    }

    /// What the last of a path is taken to have said.
    ///
    /// - Complexity: O(n^m).
    private func resolve(_ path: [UInt16], _ endpoint: GroupEndpoint) -> Int64 {
        let heard = statements[path] ?? configuration.fallback
        guard path.count <= configuration.traitors else { return heard }
        let opinions = endpoint.members.filter { !path.contains($0) }.map { member in
            member == endpoint.id ? heard : resolve(path + [member], endpoint)
        }
        return MajorityVote.value(of: opinions) ?? configuration.fallback
    }

    mutating func stop() { isStopped = true }

    mutating func restart(at now: LocalInstant) { statements.removeAll() }
}
