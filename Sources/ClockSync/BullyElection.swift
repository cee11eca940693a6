import Timebase
import Wire

/// The bully algorithm (Garcia-Molina 1982): who misses the coordinator asks all with greater ids; if none answers it has
/// won and says so to all with smaller ones, else it waits until one of the greater says the same.
struct BullyElection: CoordinatorElection {
    private enum State {
        case idle
        case asking(until: LocalInstant)
        case waiting(until: LocalInstant)
    }

    /// How long an answer may take, there and back.
    private let timeout: TimeSpan
    private var state = State.idle
    private var result: UInt16?

    init(timeout: TimeSpan) { self.timeout = timeout }

    var beginsAtRestart: Bool { true }

    var isUnderWay: Bool { nextTimeout != .distantFuture }

    var nextTimeout: LocalInstant {
        switch state {
        case .idle: .distantFuture
        case .asking(let end), .waiting(let end): end
        }
    }

    mutating func begin(at now: LocalInstant, _ endpoint: inout GroupEndpoint) {
        guard case .idle = state else { return }
        let greater = endpoint.peers.indices.filter { endpoint.peers[$0] > endpoint.id }
        guard !greater.isEmpty else { return win(&endpoint) }
        endpoint.send(.election, to: greater)
        state = .asking(until: now + timeout)
    }

    mutating func handle(
        _ message: GroupMessage, flow: Int, at now: LocalInstant, _ endpoint: inout GroupEndpoint
    ) {
        switch message.body {
        case .election where message.stamp.node < endpoint.id:
            endpoint.send(.alive, to: [flow])
            begin(at: now, &endpoint)
        case .alive:
            // It asks those above it in turn, and says so when none has answered.
            if case .asking = state { state = .waiting(until: now + timeout * 2) }
        case .coordinator where message.stamp.node > endpoint.id:
            state = .idle
            result = message.stamp.node
        case .coordinator: begin(at: now, &endpoint)
        default: break
        }
    }

    mutating func handleTimeout(at now: LocalInstant, _ endpoint: inout GroupEndpoint) {
        switch state {
        case .asking(let end) where end <= now: win(&endpoint)
        case .waiting(let end) where end <= now:
            state = .idle
            begin(at: now, &endpoint)
        default: break
        }
    }

    private mutating func win(_ endpoint: inout GroupEndpoint) {
        state = .idle
        result = endpoint.id
        endpoint.send(.coordinator, to: endpoint.peers.indices.filter { endpoint.peers[$0] < endpoint.id })
    }

    mutating func cancel() { state = .idle }

    mutating func takeResult() -> UInt16? {
        defer { result = nil }
        return result
    }
}
