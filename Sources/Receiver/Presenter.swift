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
        /// Whether the unit is known to lack bytes that can still come.
        var isIncomplete: Bool
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

    /// All bytes of a unit of known length have come.
    mutating func complete(presentation: Int64) {
        var index = pending.count - 1
        while index >= 0 {
            if pending[index].presentation == presentation {
                pending[index].isIncomplete = false
                return
            }
            index -= 1
        }
    }

    /// The next unit to be shown by `now`.
    ///
    /// A unit of known length that is not all there is passed over. One of unknown length is shown as it is: its end is
    /// known only when the next begins.
    mutating func present(at now: LocalInstant) -> Pending? {
        while let head = pending.first, head.due <= now {
            pending.removeFirst()
            nextDue = pending.first?.due ?? .distantFuture
            if !head.isIncomplete { return head }
        }
        return nil
    }
}
