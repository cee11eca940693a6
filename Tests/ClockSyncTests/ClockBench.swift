@testable import ClockSync
import Timebase

/// Nodes with clocks and one agent each, joined by ways whose delays a test gives: a small World of its own, so that
/// agents are judged by nothing that a run uses.
struct ClockBench {
    struct Node {
        var agent: any Agent
        var clock: LocalClock
        /// Where each outgoing flow leads: a node, and the number of the incoming flow there.
        var ways: [(node: Int, flow: Int)]
        var events: [AgentEvent] = []
        /// The latest claim, and what the clock showed when it was made.
        var claim: (claim: ClockClaim, since: LocalInstant)?
        /// The largest step back or forth.
        var steps: [TimeSpan] = []

        init(_ agent: any Agent, _ clock: Oscillator, ways: [(node: Int, flow: Int)]) {
            self.agent = agent
            self.clock = LocalClock(clock)
            self.ways = ways
        }

        /// What the node claims at a true instant; nil: nothing.
        func bound(at now: Instant) -> TimeSpan? {
            guard let claim, let bound = claim.claim.bound else { return nil }
            let growth = Int128((clock.reading(at: now) - claim.since).nanoseconds) * Int128(claim.claim.growth)
            return bound + .nanoseconds(Int64(growth / 1_000_000_000) + 1)
        }

        var exchanges: [ClockExchange] {
            events.compactMap { if case .exchange(let exchange) = $0 { exchange } else { nil } }
        }
    }

    /// How long a datagram takes; nil: it is lost.
    typealias Delay = (_ from: Int, _ to: Int, _ number: Int64, _ at: Instant) -> TimeSpan?

    private struct Datagram {
        var arrival: Instant
        var node: Int
        var flow: Int
        var bytes: [UInt8]
    }

    var nodes: [Node]
    let delay: Delay
    private(set) var now = Instant.zero
    private(set) var sent: Int64 = 0
    /// In order of arrival.
    private var underWay: [Datagram] = []
    private var timeouts: [Instant]

    init(_ nodes: [Node], delay: @escaping Delay) {
        self.nodes = nodes
        self.delay = delay
        timeouts = nodes.map { $0.clock.instant(showing: $0.agent.nextTimeout) }
    }

    /// A client with so many servers, node 0 and those behind it; the client's flow i is server i's.
    init(
        _ client: any Agent, _ clock: Oscillator, servers: [(agent: any Agent, clock: Oscillator)],
        delay: @escaping Delay
    ) {
        let ways = servers.indices.map { (node: $0 + 1, flow: 0) }
        let others = servers.indices.map { index in
            Node(servers[index].agent, servers[index].clock, ways: [(node: 0, flow: index)])
        }
        self.init([Node(client, clock, ways: ways)] + others, delay: delay)
    }

    /// Runs to `end`, and calls `look` there and at every multiple of `period`.
    mutating func run(until end: Instant, every period: TimeSpan, _ look: (inout ClockBench) -> Void) {
        var next = now + period
        while true {
            let timeout = timeouts.indices.min { timeouts[$0] < timeouts[$1] } ?? 0
            let arrival = underWay.first?.arrival ?? .distantFuture
            let first = min(arrival, max(timeouts[timeout], now))
            if next < first {
                now = next
                look(&self)
                guard next < end else { return }
                next = min(next + period, end)
            } else if arrival <= timeouts[timeout] {
                now = arrival
                deliver(underWay.removeFirst())
            } else {
                now = first
                nodes[timeout].agent.handleTimeout(at: nodes[timeout].clock.reading(at: now))
                drain(timeout)
            }
        }
    }

    /// Adjusts a node's clock behind its agent's back.
    mutating func disturb(_ node: Int, _ adjustment: ClockAdjustment) {
        nodes[node].clock.adjust(adjustment, at: now)
        timeouts[node] = nodes[node].clock.instant(showing: nodes[node].agent.nextTimeout)
    }

    private mutating func deliver(_ datagram: Datagram) {
        let local = nodes[datagram.node].clock.reading(at: now)
        nodes[datagram.node].agent.handle(datagram.bytes.span.bytes, flow: datagram.flow, at: local)
        drain(datagram.node)
    }

    private mutating func drain(_ node: Int) {
        while let output = nodes[node].agent.pollOutput() {
            switch output {
            case .send(let bytes, let flow): send(bytes, from: node, nodes[node].ways[flow])
            case .adjust(let adjustment):
                if case .step(let amount) = adjustment { nodes[node].steps.append(amount) }
                nodes[node].clock.adjust(adjustment, at: now)
            case .tell(let event):
                nodes[node].events.append(event)
                if case .claim(let claim) = event { nodes[node].claim = (claim, nodes[node].clock.reading(at: now)) }
            }
        }
        timeouts[node] = nodes[node].clock.instant(showing: nodes[node].agent.nextTimeout)
    }

    private mutating func send(_ bytes: [UInt8], from node: Int, _ way: (node: Int, flow: Int)) {
        defer { sent += 1 }
        guard let delay = delay(node, way.node, sent, now) else { return }
        let datagram = Datagram(arrival: now + delay, node: way.node, flow: way.flow, bytes: bytes)
        let place = underWay.lastIndex { $0.arrival <= datagram.arrival }.map { $0 + 1 } ?? 0
        underWay.insert(datagram, at: place)
    }
}

/// Draws of the tests' own.
struct Chance {
    let key: DrawKey

    init(_ name: String, seed: UInt64) { key = DrawKey(seed: seed).named(name) }

    /// 0...1, never 0.
    func uniform(_ index: Int64) -> Double { (Double(key.draw(index) >> 11) + 0.5) * 0x1p-53 }

    /// Exponential with a mean.
    func exponential(_ index: Int64, mean: TimeSpan) -> TimeSpan {
        .nanoseconds(Int64(-naturalLogarithm(uniform(index)) * Double(mean.nanoseconds)))
    }
}
