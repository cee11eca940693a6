import DequeModule
import Timebase

/// How a unit came through.
public enum UnitVerdict: UInt8, Sendable {
    /// Whole, and released by its presentation.
    case onTime
    /// Whole, but only after its presentation.
    case late
    /// Parts of it are missing.
    case damaged
}

/// The units of one substream that wait for their presentation, in its order.
struct Presenter: Sendable {
    struct Pending: Sendable, BitwiseCopyable {
        /// 90 kHz ticks, unwrapped.
        var presentation: Int64
        var due: LocalInstant
    }

    /// Units kept at most; beyond it the oldest is given up.
    static let capacity = 4_096

    private var pending = Deque<Pending>()
    private(set) var nextDue = LocalInstant.distantFuture

    mutating func add(_ unit: Pending) {
        if pending.count == Self.capacity { pending.removeFirst() }
        var index = pending.count
        while index > 0, pending[index - 1].due > unit.due { index -= 1 }
        pending.insert(unit, at: index)
        nextDue = pending.first?.due ?? .distantFuture
    }

    /// The next unit to be shown by `now`.
    ///
    /// A unit that has begun by then is shown, whole or not: so do decoders, and what is missing may never come.
    mutating func present(at now: LocalInstant) -> Pending? {
        guard let head = pending.first, head.due <= now else { return nil }
        pending.removeFirst()
        nextDue = pending.first?.due ?? .distantFuture
        return head
    }
}
