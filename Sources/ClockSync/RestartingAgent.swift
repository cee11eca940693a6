import Timebase

/// An agent that knows what it still has after a crash.
///
/// A member of a group keeps its logical clocks and the numbers of its messages on stable storage: were they to begin
/// anew, old and new messages could not be told apart.
protocol RestartingAgent: Agent {
    /// The node has crashed and is back: what was not on stable storage is gone.
    mutating func restart(at now: LocalInstant)
}
