import ClockSync
import DequeModule
import Timebase

/// What is wrong with the program's ends: crashes, omissions and lateness of their nodes, by their free-running clocks.
struct MediaFaults: Sendable {
    /// What becomes of a datagram at a node.
    enum Verdict { case passes, lost, late(TimeSpan) }

    /// A datagram that a node handles late.
    struct Held: Sendable {
        var at: Instant
        var packet: Packet
        var node: Int
    }

    struct Crash { var losesState: Bool }

    private struct End: Sendable {
        let plan: FaultPlan
        /// What the clock shows when the node starts.
        let start: LocalInstant
        /// Crashes that have been seen to.
        var crashCount = 0
    }

    /// Of each node that has faults.
    private var ends: [Int: End] = [:]
    /// By rising time.
    private var held = Deque<Held>()

    init(_ configuration: WorldConfiguration) {
        let key = DrawKey(seed: configuration.seed).named("faults")
        for (node, id) in configuration.nodeIDs.prefix(1 + configuration.receivers.count).enumerated() {
            guard let faults = configuration.mediaFaults[id], !faults.isEmpty else { continue }
            ends[node] = End(
                plan: FaultPlan(faults, key: key.named(id).named("media")),
                start: configuration.clocks[node].reading(at: .zero))
        }
    }

    /// Whether no node has any, and nothing of this is asked for.
    var isEmpty: Bool { ends.isEmpty }

    /// - Parameter local: what the node's free-running clock shows.
    func verdict(_ packet: Packet, _ direction: Fault.Direction, node: Int, at local: LocalInstant) -> Verdict {
        guard let end = ends[node] else { return .passes }
        let elapsed = local - end.start
        let number = Int64(packet.number) << 8 | Int64(packet.copy)
        if end.plan.downUntil(elapsed) != nil
            || end.plan.isOmitted(direction, flow: packet.flow, number: number, at: elapsed)
        {
            return .lost
        }
        let late = end.plan.lateness(direction, at: elapsed)
        return late > .zero ? .late(late) : .passes
    }

    /// A crash of a node has begun since it was last asked, and takes what was not on stable storage or not; nil: none has.
    ///
    /// - Parameter local: what the node's free-running clock shows.
    mutating func takeCrash(ofNode node: Int, at local: LocalInstant) -> Crash? {
        guard let end = ends[node] else { return nil }
        let begun = end.plan.crashes(begunBy: local - end.start)
        guard begun.count > end.crashCount else { return nil }
        ends[node]?.crashCount = begun.count
        return Crash(losesState: begun.dropFirst(end.crashCount).contains(true))
    }

    func isDown(_ node: Int, at local: LocalInstant) -> Bool {
        ends[node].map { $0.plan.downUntil(local - $0.start) != nil } ?? false
    }

    /// When a node has to be asked at the latest that has something to do at `next`.
    func nextTimeout(ofNode node: Int, _ next: LocalInstant, at local: LocalInstant) -> LocalInstant {
        // What has nothing to do loses nothing.
        guard next != .distantFuture, let end = ends[node],
            let crash = end.plan.nextCrash(after: local - end.start)
        else { return next }
        return min(next, end.start + crash)
    }

    // MARK: Late datagrams

    var nextHeld: Instant { held.first?.at ?? .distantFuture }

    mutating func hold(_ packet: Packet, node: Int, until instant: Instant) {
        var index = held.count
        while index > 0, held[index - 1].at > instant { index -= 1 }
        held.insert(Held(at: instant, packet: packet, node: node), at: index)
    }

    mutating func takeHeld(at now: Instant) -> Held? {
        guard let first = held.first, first.at <= now else { return nil }
        return held.removeFirst()
    }
}
