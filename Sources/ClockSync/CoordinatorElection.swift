import Timebase
import Wire

/// How a group finds itself a coordinator.
protocol CoordinatorElection: Sendable {
    var nextTimeout: LocalInstant { get }
    /// Whether it has begun one that is not decided.
    var isUnderWay: Bool { get }
    /// Whether who comes back after a crash calls an election at once, to take over if it has the greatest id.
    var beginsAtRestart: Bool { get }

    /// Calls an election, unless one is under way.
    mutating func begin(at now: LocalInstant, _ endpoint: inout GroupEndpoint)

    mutating func handle(_ message: GroupMessage, flow: Int, at now: LocalInstant, _ endpoint: inout GroupEndpoint)

    mutating func handleTimeout(at now: LocalInstant, _ endpoint: inout GroupEndpoint)

    /// There is a coordinator: what is under way is of no use any more.
    mutating func cancel()

    /// Who has been elected since the last call; nil: nobody.
    mutating func takeResult() -> UInt16?
}
