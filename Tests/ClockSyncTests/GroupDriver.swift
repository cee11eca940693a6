@testable import ClockSync
import NetworkEmulation
import Timebase

/// Drives a group in true time: a clock for each member, a delay of its own for each message, losses. Deterministic.
struct GroupDriver {
    /// The way from one member to another.
    struct Way {
        var least = TimeSpan.milliseconds(10)
        /// The mean of what exponential queueing adds.
        var queueing = TimeSpan.zero
        var loss = Probability.never
    }

    private enum Event {
        case arrival([UInt8], from: Int, to: Int)
        /// Something that a test does.
        case action(Int)
    }

    let ids: [UInt16]
    var agents: [any Agent] = []
    var clocks: [LocalClock]
    var way: (_ from: Int, _ to: Int) -> Way = { _, _ in Way() }
    private(set) var now = Instant.zero
    /// Everything told, with the member and the true instant.
    private(set) var told: [(member: Int, event: AgentEvent, at: Instant)] = []
    /// Every adjustment, likewise.
    private(set) var adjustments: [(member: Int, adjustment: ClockAdjustment, at: Instant)] = []
    /// Messages handed to the network.
    private(set) var sent: [(from: Int, to: Int, bytes: [UInt8])] = []
    /// Messages that came: how much had been told before, and their bytes.
    private(set) var arrivals: [(told: Int, bytes: [UInt8])] = []
    /// Members that neither get nor send anything.
    var silent: Set<Int> = []
    /// Called after every event told, so that a program may answer.
    var onTell: ((inout GroupDriver, Int, AgentEvent) -> Void)?

    private let key: DrawKey
    private static let table = QuantileTable.exponential(mean: .nanoseconds(1 << 30))
    /// When each member's agent next has something to do.
    private var deadlines: [Instant] = []
    private var pending: [(at: Instant, order: Int, event: Event)] = []
    private var order = 0
    private var actions: [(inout GroupDriver) -> Void] = []

    init(ids: [UInt16], oscillators: [Oscillator]? = nil, seed: UInt64 = 1) {
        self.ids = ids
        clocks = (oscillators ?? ids.map { _ in Oscillator() }).map { LocalClock($0) }
        key = DrawKey(seed: seed).named("group driver")
    }

    /// The members' agents by a function of place and the others' ids in the order of flows.
    mutating func seat(_ make: (_ place: Int, _ peers: [UInt16], _ start: LocalInstant) -> any Agent) {
        agents = ids.indices.map { place in
            make(place, ids.indices.filter { $0 != place }.map { ids[$0] }, clocks[place].reading(at: now))
        }
        deadlines = ids.indices.map { clocks[$0].instant(showing: agents[$0].nextTimeout) }
    }

    /// The clocks' errors now, in nanoseconds.
    var errors: [Int64] { clocks.map { $0.error(at: now).nanoseconds } }

    /// Does something at a true instant.
    mutating func at(_ instant: Instant, _ action: @escaping (inout GroupDriver) -> Void) {
        actions.append(action)
        push(.action(actions.count - 1), at: instant)
    }

    /// Runs until a true instant, all that happens at it included.
    mutating func run(until end: Instant) {
        while true {
            let timeout = max(now, deadlines.min() ?? .distantFuture)
            let next = pending.first?.at ?? .distantFuture
            guard min(timeout, next) <= end else { break }
            if next <= timeout {
                now = next
                serve(pending.removeFirst().event)
            } else {
                now = timeout
                for place in agents.indices where deadlines[place] <= timeout {
                    agents[place].handleTimeout(at: clocks[place].reading(at: now))
                    drain(place)
                }
            }
        }
        now = end
    }

    private mutating func serve(_ event: Event) {
        switch event {
        case .action(let index): actions[index](&self)
        case .arrival(let bytes, let from, let to):
            guard !silent.contains(to) else { return }
            arrivals.append((told.count, bytes))
            agents[to].handle(bytes.span.bytes, flow: flow(from, at: to), at: clocks[to].reading(at: now))
            drain(to)
        }
    }

    /// Does what an agent asks for; to be called after a verb of its own.
    mutating func drain(_ place: Int) {
        while let output = agents[place].pollOutput() {
            switch output {
            case .send(let bytes, let flow): send(bytes, from: place, to: flow < place ? flow : flow + 1)
            case .adjust(let adjustment):
                clocks[place].adjust(adjustment, at: now)
                adjustments.append((place, adjustment, now))
            case .tell(let event):
                told.append((place, event, now))
                onTell?(&self, place, event)
            }
        }
        deadlines[place] = clocks[place].instant(showing: agents[place].nextTimeout)
    }

    private func flow(_ from: Int, at to: Int) -> Int { from < to ? from : from - 1 }

    private mutating func send(_ bytes: [UInt8], from: Int, to: Int) {
        guard !silent.contains(from) else { return }
        sent.append((from, to, bytes))
        let way = way(from, to)
        let draw = Int64(sent.count) * 2
        guard !way.loss.isHit(by: key.draw(draw)) else { return }
        let queueing = Self.table.value(at: key.draw(draw + 1)).scaled(by: way.queueing.nanoseconds, over: 1 << 30)
        push(.arrival(bytes, from: from, to: to), at: now + way.least + .nanoseconds(queueing))
    }

    private mutating func push(_ event: Event, at instant: Instant) {
        order += 1
        let place = pending.firstIndex { $0.at > instant } ?? pending.count
        pending.insert((instant, order, event), at: place)
    }
}
