import Timebase
import Wire

/// Any agent with faults: what it does wrong is done to what comes to it and what leaves it.
public struct FaultyAgent: Agent {
    private enum Held {
        case incoming([UInt8], flow: Int)
        case outgoing([UInt8], flow: Int)
    }

    /// The agent as it is inside.
    public private(set) var agent: any Agent
    /// The same before it has done anything.
    private let pristine: any Agent
    private let plan: FaultPlan
    private let tamper: FaultTamper
    private let key: DrawKey
    /// What the clock would have shown at the start if the agent had never stepped it.
    private var zero: LocalInstant
    /// Messages that have come and left, for the draws.
    private var counts: (incoming: Int64, outgoing: Int64) = (0, 0)
    /// Messages that have come and that it has not taken.
    public private(set) var missed: Int64 = 0
    /// Messages that are late.
    private var held: [(at: LocalInstant, message: Held)] = []
    private var outputs: [AgentOutput] = []
    /// Crashes that it has yet to come back from, by place in `faults`.
    private var crashes: [Int]
    /// Until when it is silent; nil: it is not.
    private var isDownUntil: LocalInstant?
    private var isStopped = false

    /// - Parameters:
    ///   - faults: at which times, by the node's clock from `start`.
    ///   - tamper: the protocol of the agent's messages.
    ///   - key: what is lost and what lies are told is drawn under it.
    ///   - start: what the node's clock shows at its start.
    public init(_ agent: any Agent, _ faults: [Fault], _ tamper: FaultTamper, key: DrawKey, start: LocalInstant) {
        self.agent = agent
        pristine = agent
        plan = FaultPlan(faults, key: key)
        self.tamper = tamper
        self.key = key
        zero = start
        crashes = faults.indices.filter { faults[$0].end != nil && faults[$0].isCrash }
    }

    public var nextTimeout: LocalInstant {
        let faults = plan.faults
        let back = crashes.compactMap { faults[$0].end }.min().map { zero + $0 } ?? .distantFuture
        if let isDownUntil { return isDownUntil }
        return min(agent.nextTimeout, held.map(\.at).min() ?? .distantFuture, isStopped ? .distantFuture : back)
    }

    public mutating func handle(_ payload: RawSpan, flow: Int, at now: LocalInstant) {
        update(at: now)
        counts.incoming += 1
        guard isDownUntil == nil, !isOmitted(.incoming, flow, counts.incoming, at: now) else {
            missed += 1
            return
        }
        let late = lateness(.incoming, at: now)
        if late > .zero {
            held.append((now + late, .incoming(payload.copied, flow: flow)))
        } else {
            agent.handle(payload, flow: flow, at: now)
            collect(at: now)
        }
    }

    public mutating func take(_ status: MediaStatus) { agent.take(status) }

    public mutating func handleTimeout(at now: LocalInstant) {
        update(at: now)
        guard isDownUntil == nil else { return }
        let due = held.filter { $0.at <= now }.sorted { $0.at < $1.at }
        held.removeAll { $0.at <= now }
        for message in due {
            switch message.message {
            case .outgoing(let bytes, let flow): outputs.append(.send(bytes, flow: flow))
            case .incoming(let bytes, let flow):
                agent.handle(bytes.span.bytes, flow: flow, at: now)
                collect(at: now)
            }
        }
        if agent.nextTimeout <= now { agent.handleTimeout(at: now) }
        collect(at: now)
    }

    public mutating func pollOutput() -> AgentOutput? { outputs.isEmpty ? nil : outputs.removeFirst() }

    public mutating func stop() {
        isStopped = true
        agent.stop()
    }

    /// Crashes that begin or are over by `now`.
    private mutating func update(at now: LocalInstant) {
        let elapsed = now - zero
        let faults = plan.faults
        isDownUntil = plan.downUntil(elapsed).map { $0 == .nanoseconds(.max) ? .distantFuture : zero + $0 }
        // What was on its way in the node is gone.
        if isDownUntil != nil { held.removeAll() }
        for index in crashes {
            guard let end = faults[index].end, end <= elapsed else { continue }
            crashes.removeAll { $0 == index }
            if case .crash(losesState: true) = faults[index].kind { restart(at: now) }
        }
    }

    private mutating func restart(at now: LocalInstant) {
        held.removeAll()
        // What was set of the clock's rate is forgotten as well: an agent that begins anew takes it for free-running.
        outputs.append(.adjust(.frequency(0)))
        outputs.append(.adjust(.slew(.zero, rate: 1)))
        if var restarting = agent as? any RestartingAgent {
            restarting.restart(at: now)
            agent = restarting
        } else {
            agent = pristine
        }
        if isStopped { agent.stop() }
    }

    /// Takes what the agent wants done, with what is wrong with it.
    private mutating func collect(at now: LocalInstant) {
        while let output = agent.pollOutput() {
            switch output {
            case .send(let bytes, let flow): send(bytes, flow, at: now)
            case .adjust(let adjustment):
                if case .step(let amount) = adjustment { zero = zero + amount }
                outputs.append(output)
            case .tell: outputs.append(output)
            }
        }
    }

    private mutating func send(_ bytes: [UInt8], _ flow: Int, at now: LocalInstant) {
        counts.outgoing += 1
        guard !isOmitted(.outgoing, flow, counts.outgoing, at: now) else { return }
        var bytes = bytes
        for (index, fault) in plan.active(at: now - zero) {
            switch fault.kind {
            case .value(let offset, let drift):
                let elapsed = max(0, (now - zero - fault.at).nanoseconds)
                let gained = elapsed.scaled(by: Int64(clamping: drift.magnitude), over: 1_000_000_000)
                bytes = tamper.lying(bytes, by: offset + .nanoseconds(drift < 0 ? -gained : gained))
            case .stateTransition(let violation): bytes = tamper.violating(bytes, violation)
            case .arbitrary(let spread):
                let draw = key.named("lie.\(index)").draw(Int64(flow))
                let width = UInt64(clamping: spread.nanoseconds) * 2 + 1
                let lie = Int64(draw.multipliedFullWidth(by: width).high) - spread.nanoseconds
                bytes = tamper.lying(bytes, by: .nanoseconds(lie))
            case .crash, .omission, .timing: break
            }
        }
        let late = lateness(.outgoing, at: now)
        if late > .zero {
            held.append((now + late, .outgoing(bytes, flow: flow)))
        } else {
            outputs.append(.send(bytes, flow: flow))
        }
    }

    private func isOmitted(
        _ direction: Fault.Direction, _ flow: Int, _ number: Int64, at now: LocalInstant
    ) -> Bool {
        plan.isOmitted(direction, flow: UInt16(flow), number: number, at: now - zero)
    }

    private func lateness(_ direction: Fault.Direction, at now: LocalInstant) -> TimeSpan {
        plan.lateness(direction, at: now - zero)
    }
}
