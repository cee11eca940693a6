/// The earliest timeout of many components: a tree of minima over their next timeouts.
///
/// Components are numbered by rank; of equal instants the lowest number wins, so that the order of service is a
/// function of the components alone.
///
/// - Complexity: O(log n) for a change, less where it does not touch the earliest; O(log n) for the earliest.
public struct TimeoutTree: ~Copyable, Sendable {
    // An owned block and not an array: setting a timeout is the most frequent act of all, and an array's check that it
    // is not shared would cost half of it. `nodes[1]` is the least of all; a node's children are at twice its index
    // and one more; the leaves begin at `leafBase`.
    @usableFromInline nonisolated(unsafe) let nodes: UnsafeMutablePointer<Int64>
    @usableFromInline let leafBase: Int
    /// The number of components.
    public let count: Int

    /// A tree of `count` components, none of which has a timeout.
    public init(count: Int) {
        var leaves = 1
        while leaves < count { leaves *= 2 }
        leafBase = leaves
        self.count = count
        nodes = .allocate(capacity: 2 * leaves)
        nodes.initialize(repeating: Instant.distantFuture.nanoseconds, count: 2 * leaves)
    }

    deinit { nodes.deallocate() }

    /// The earliest timeout.
    @inlinable
    public var earliestInstant: Instant { Instant(nanoseconds: nodes[1]) }

    /// The component with the earliest timeout, and that timeout.
    @inlinable
    public var earliest: (component: Int, at: Instant) {
        let time = nodes[1]
        var node = 1
        while node < leafBase {
            node &*= 2
            if nodes[node] != time { node &+= 1 }
        }
        return (node &- leafBase, Instant(nanoseconds: time))
    }

    /// A component's next timeout.
    subscript(component: Int) -> Instant {
        precondition(component >= 0 && component < count)
        return Instant(nanoseconds: nodes[leafBase &+ component])
    }

    /// Sets a component's next timeout; `.distantFuture` for none.
    @inlinable
    public mutating func set(_ component: Int, to time: Instant) {
        precondition(component >= 0 && component < count)
        var node = leafBase &+ component
        nodes[node] = time.nanoseconds
        while node > 1 {
            let least = min(nodes[node], nodes[node ^ 1])
            node &>>= 1
            // The least of these two is what it was: nothing above has changed.
            if nodes[node] == least { return }
            nodes[node] = least
        }
    }
}
