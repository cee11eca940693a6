/// A vector clock that counts **every** event of each process (Fidge 1988, Mattern 1989): its order is exactly
/// happened-before.
///
/// A ``DeliveryVector`` looks the same and counts only messages sent; the two are types of their own as neither can
/// stand for the other: delivery would wait for ever for events that send nothing.
struct VectorClock: Hashable, Sendable {
    /// Events of each process, by its place in the group.
    private(set) var counts: [UInt32]
    /// Whose clock it is.
    let process: Int

    /// - Precondition: `process` is one of `count`.
    init(count: Int, process: Int) {
        precondition((0..<count).contains(process))
        counts = Array(repeating: 0, count: count)
        self.process = process
    }

    /// An event of the process's own, or a message leaving.
    mutating func tick() { counts[process] += 1 }

    /// A message comes that left with these counts.
    ///
    /// The process's own count is not taken from others: none can know more of it, whatever one says.
    mutating func receive(_ others: [UInt32]) {
        for index in counts.indices where index != process && index < others.count {
            counts[index] = max(counts[index], others[index])
        }
        tick()
    }
}
