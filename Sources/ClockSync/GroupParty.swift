import Timebase
import Wire

/// One thing that a member of a group takes part in, such as the synchronization of its clock: the four verbs, its
/// effects through the member's ``GroupEndpoint``.
protocol GroupParty: Sendable {
    /// When it next has something to do, in the time of the disciplined clock; `.distantFuture` for never.
    var nextTimeout: LocalInstant { get }

    /// Takes a message; those of other parties are none of its business.
    mutating func handle(
        _ message: GroupMessage, flow: Int, at now: LocalInstant, _ endpoint: inout GroupEndpoint)

    /// Does what is due by `now`.
    mutating func handleTimeout(at now: LocalInstant, _ endpoint: inout GroupEndpoint)

    /// Nothing new begins any more.
    mutating func stop()

    /// The member has crashed and is back: what was not on stable storage is gone.
    mutating func restart(at now: LocalInstant)
}
