import Timebase

/// The faults of one node or agent, and the draws by which they take its messages.
public struct FaultPlan: Sendable {
    /// In the order of the scenario.
    let faults: [Fault]
    private let key: DrawKey

    /// - Parameter key: what is lost is drawn under it.
    public init(_ faults: [Fault], key: DrawKey) {
        self.faults = faults
        self.key = key
    }

    /// Until when after its start the node is down; nil: it is not, `.nanoseconds(.max)`: for good.
    public func downUntil(_ elapsed: TimeSpan) -> TimeSpan? {
        faults.lazy.filter { $0.isCrash && $0.isActive(at: elapsed) }
            .map { $0.end ?? .nanoseconds(.max) }.max()
    }

    /// Of each crash that has begun, in order of time, whether it takes what was not on stable storage.
    public func crashes(begunBy elapsed: TimeSpan) -> [Bool] {
        faults.filter { $0.isCrash && $0.at <= elapsed }.sorted { $0.at < $1.at }
            .map { $0.kind == .crash(losesState: true) }
    }

    /// When the next crash begins after `elapsed`; nil: none does.
    public func nextCrash(after elapsed: TimeSpan) -> TimeSpan? {
        faults.lazy.filter { $0.isCrash && $0.at > elapsed }.map(\.at).min()
    }

    /// Whether a message is lost.
    ///
    /// - Parameters:
    ///   - flow: on which it comes or leaves.
    ///   - number: which message it is.
    public func isOmitted(_ direction: Fault.Direction, flow: UInt16, number: Int64, at elapsed: TimeSpan) -> Bool {
        active(at: elapsed).contains { index, fault in
            guard case .omission(let share) = fault.kind, fault.concerns(direction) else { return false }
            let name = direction == .incoming ? "incoming" : "outgoing"
            return share.isHit(by: key.named("omission.\(index).\(name)").draw(flow: flow, number: number))
        }
    }

    /// How late a message is.
    public func lateness(_ direction: Fault.Direction, at elapsed: TimeSpan) -> TimeSpan {
        active(at: elapsed).reduce(.zero) { sum, fault in
            guard case .timing(let late) = fault.element.kind, fault.element.concerns(direction) else { return sum }
            return sum + late
        }
    }

    func active(at elapsed: TimeSpan) -> [(offset: Int, element: Fault)] {
        faults.enumerated().filter { $0.element.isActive(at: elapsed) }
    }
}
