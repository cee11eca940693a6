import Timebase
import Wire

/// The ring algorithm of the textbook (Tanenbaum; after Le Lann, and Chang and Roberts 1979): a list goes round, each
/// member puts itself on it, and who began finds the greatest id on it when it is back; a second round says who that is.
///
/// The ring is of all members by ascending id. A message is acknowledged by the next member; if it is not, the next but
/// one gets it. Elections of several initiators do no harm, as all find the same.
struct RingElection: CoordinatorElection {
    /// A message that is not yet acknowledged.
    private struct Outstanding {
        var ring: GroupMessage.Ring
        /// Its place in the ring.
        var target: Int
        var attempts: Int
        var deadline: LocalInstant
    }

    private let timeout: TimeSpan
    private let attempts: Int
    private var outstanding: [Outstanding] = []
    /// What has come lately: the same once more means that an acknowledgment was lost.
    private var seen: [(ring: GroupMessage.Ring, at: LocalInstant)] = []
    private var result: UInt16?

    /// - Parameters:
    ///   - timeout: for an acknowledgment.
    ///   - attempts: how often a message is sent before its receiver is taken for dead, 1 or more.
    init(timeout: TimeSpan, attempts: Int) {
        self.timeout = timeout
        self.attempts = attempts
    }

    var beginsAtRestart: Bool { false }

    var isUnderWay: Bool { !outstanding.isEmpty }

    var nextTimeout: LocalInstant { outstanding.map(\.deadline).min() ?? .distantFuture }

    mutating func begin(at now: LocalInstant, _ endpoint: inout GroupEndpoint) {
        guard !isUnderWay else { return }
        let ring = GroupMessage.Ring(initiator: endpoint.id, elected: nil, members: [endpoint.id])
        forward(ring, to: next(after: endpoint.vector.process, endpoint), at: now, &endpoint)
    }

    mutating func handle(
        _ message: GroupMessage, flow: Int, at now: LocalInstant, _ endpoint: inout GroupEndpoint
    ) {
        switch message.body {
        case .ring(let ring):
            endpoint.send(
                .ringAcknowledgment(initiator: ring.initiator, isElected: ring.elected != nil), to: [flow])
            seen.removeAll { $0.at + timeout * Int64(attempts + 1) < now }
            guard !seen.contains(where: { $0.ring == ring }) else { return }
            seen.append((ring, now))
            take(ring, at: now, &endpoint)
        case .ringAcknowledgment(let initiator, let isElected):
            outstanding.removeAll {
                $0.ring.initiator == initiator && ($0.ring.elected != nil) == isElected
                    && endpoint.members[$0.target] == message.stamp.node
            }
        default: break
        }
    }

    private mutating func take(_ ring: GroupMessage.Ring, at now: LocalInstant, _ endpoint: inout GroupEndpoint) {
        if let elected = ring.elected { result = elected }
        var onward = ring
        if ring.initiator == endpoint.id {
            guard ring.elected == nil else { return }
            result = ring.members.max()
            onward = .init(initiator: endpoint.id, elected: result, members: [endpoint.id])
        } else {
            // Once round and its initiator is gone: it would go on for ever.
            guard !ring.members.contains(endpoint.id), ring.members.count < GroupMessage.mostMembers else { return }
            onward.members.append(endpoint.id)
        }
        forward(onward, to: next(after: endpoint.vector.process, endpoint), at: now, &endpoint)
    }

    private func next(after place: Int, _ endpoint: GroupEndpoint) -> Int { (place + 1) % endpoint.members.count }

    private mutating func forward(
        _ ring: GroupMessage.Ring, to target: Int, at now: LocalInstant, _ endpoint: inout GroupEndpoint
    ) {
        guard let flow = endpoint.flow(to: endpoint.members[target]) else {
            // Nobody else is there: who began is alone.
            if ring.initiator == endpoint.id { result = endpoint.id }
            return
        }
        endpoint.send(.ring(ring), to: [flow])
        outstanding.append(Outstanding(ring: ring, target: target, attempts: attempts - 1, deadline: now + timeout))
    }

    mutating func handleTimeout(at now: LocalInstant, _ endpoint: inout GroupEndpoint) {
        let due = outstanding.filter { $0.deadline <= now }
        outstanding.removeAll { $0.deadline <= now }
        for message in due {
            if message.attempts > 0, let flow = endpoint.flow(to: endpoint.members[message.target]) {
                endpoint.send(.ring(message.ring), to: [flow])
                outstanding.append(
                    Outstanding(
                        ring: message.ring, target: message.target, attempts: message.attempts - 1,
                        deadline: now + timeout))
            } else {
                forward(message.ring, to: next(after: message.target, endpoint), at: now, &endpoint)
            }
        }
    }

    // Others count on what goes round, and it elects the same.
    mutating func cancel() {}

    mutating func takeResult() -> UInt16? {
        defer { result = nil }
        return result
    }
}
