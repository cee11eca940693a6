/// Lamport's logical clock (Communications of the ACM 21(7), 1978): if one event happened before another, its stamp is
/// the smaller one. The reverse does not hold; that takes a ``VectorClock``.
struct LamportClock: Hashable, Sendable {
    /// The stamp of the latest event; 0: none yet.
    private(set) var value: UInt64

    /// A clock that has counted so far.
    init(_ value: UInt64 = 0) { self.value = value }

    /// An event of the process's own, or a message leaving.
    ///
    /// - Parameter ticks: by how much the clock goes on; more than 1 where it also counts something else, such as a
    ///   crystal's beats.
    /// - Returns: the event's stamp.
    @discardableResult
    mutating func tick(_ ticks: UInt64 = 1) -> UInt64 {
        value += ticks
        return value
    }

    /// A message comes that left with `stamp`: the event is later than both.
    @discardableResult
    mutating func receive(_ stamp: UInt64, ticks: UInt64 = 1) -> UInt64 {
        value = max(value + ticks, stamp + 1)
        return value
    }
}
