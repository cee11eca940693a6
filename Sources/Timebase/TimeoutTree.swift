/// The earliest timeout of many components: a tournament over their next timeouts.
///
/// Components are numbered by rank; of equal instants the lowest number wins, so that the order of service is a
/// function of the components alone.
///
/// - Complexity: O(log n) for a change, O(1) for the winner.
public struct TimeoutTree: Sendable {
    @usableFromInline var times: [Instant]
    /// `winners[1]` is the overall winner; a node's children are at twice its index and one more.
    @usableFromInline var winners: [UInt32]
    @usableFromInline let leafBase: Int

    /// A tree of `count` components, none of which has a timeout.
    public init(count: Int) {
        var leaves = 2
        while leaves < count { leaves *= 2 }
        leafBase = leaves
        times = Array(repeating: .distantFuture, count: leaves)
        winners = Array(repeating: 0, count: 2 * leaves)
        for leaf in 0..<leaves { winners[leaves + leaf] = UInt32(leaf) }
        for node in stride(from: leaves - 1, to: 0, by: -1) { winners[node] = winners[2 * node] }
    }

    /// The component with the earliest timeout, and that timeout.
    @inlinable
    public var earliest: (component: Int, at: Instant) {
        let component = Int(winners[1])
        return (component, times[component])
    }

    @inlinable
    public subscript(component: Int) -> Instant { times[component] }

    /// Sets a component's next timeout; `.distantFuture` for none.
    @inlinable
    public mutating func set(_ component: Int, to time: Instant) {
        guard times[component] != time else { return }
        times[component] = time
        var node = (leafBase &+ component) &>> 1
        while node > 0 {
            let left = winners[2 &* node]
            let right = winners[2 &* node &+ 1]
            let winner = times[Int(right)] < times[Int(left)] ? right : left
            // Where another component won before and still does, nothing above has changed.
            if winner == winners[node], Int(winner) != component { return }
            winners[node] = winner
            node &>>= 1
        }
    }
}
