/// When an event happened, by its process's logical clocks.
public struct LogicalStamp: Hashable, Sendable {
    /// Lamport's clock: of two events of which one happened before the other it has the greater stamp.
    public var lamport: UInt64
    /// The process, which decides where Lamport's clocks are equal.
    public var node: UInt16
    /// The vector clock: of each process, in ascending order of ids, how many of its events had happened before this one
    /// or are this one.
    public var vector: [UInt32]

    public init(lamport: UInt64, node: UInt16, vector: [UInt32]) {
        self.lamport = lamport
        self.node = node
        self.vector = vector
    }

    /// Whether this event comes before another in Lamport's total order: by clock, then by node.
    public func precedes(_ other: LogicalStamp) -> Bool { (lamport, node) < (other.lamport, other.node) }

    /// Whether this event happened before another, so that it may have been its cause.
    ///
    /// - Complexity: O(processes).
    public func happenedBefore(_ other: LogicalStamp) -> Bool {
        vector != other.vector && vector.count == other.vector.count && zip(vector, other.vector).allSatisfy(<=)
    }
}
