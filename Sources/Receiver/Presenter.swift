import DequeModule
import Timebase

/// The units of one substream that wait for their presentation, in its order; and, where one can go back, those before.
struct Presenter: Sendable {
    struct Pending: Sendable, BitwiseCopyable {
        /// 90 kHz ticks, unwrapped.
        var presentation: Int64
        var due: LocalInstant
        /// Of one that is closed, where it is asked for.
        var verdict: UnitVerdict?
    }

    /// Units kept at most; beyond it the oldest is given up.
    static let capacity = 4_096
    /// The same where one can go back: half an hour of a television programme.
    static let backwardCapacity = 1 << 16

    /// Whether those that have been presented are kept.
    private let keepsUnits: Bool
    private var units = Deque<Pending>()
    /// The place of the next one to be presented: 0 unless those before are kept.
    private var next = 0
    private(set) var nextDue = LocalInstant.distantFuture

    init(keepsUnits: Bool = false) { self.keepsUnits = keepsUnits }

    /// When the earliest unit kept was due.
    var firstDue: LocalInstant? { units.first?.due }

    /// - Parameter isOver: that its time is over: it is kept for those who go back to it.
    mutating func add(_ unit: Pending, isOver: Bool = false) {
        if units.count == (keepsUnits ? Self.backwardCapacity : Self.capacity) {
            units.removeFirst()
            next = max(0, next - 1)
        }
        var index = units.count
        while index > 0, units[index - 1].due > unit.due { index -= 1 }
        units.insert(unit, at: index)
        if index < next || isOver && index == next { next += 1 }
        rearm()
    }

    /// Notes how a unit came through that was among the last added.
    mutating func close(_ presentation: Int64, _ verdict: UnitVerdict) {
        guard let index = units.lastIndex(where: { $0.presentation == presentation }) else { return }
        units[index].verdict = verdict
    }

    /// Forgets all units.
    ///
    /// - Returns: those that are not presented, as far as they are closed.
    mutating func forget() -> [(presentation: Int64, verdict: UnitVerdict)] {
        defer {
            units.removeAll()
            next = 0
            rearm()
        }
        return units[next...].compactMap { unit in unit.verdict.map { (unit.presentation, $0) } }
    }

    /// Goes to the first unit kept that is due at `due` or later.
    mutating func seek(_ due: LocalInstant) {
        next = units.firstIndex { $0.due >= due } ?? units.count
        rearm()
    }

    private mutating func rearm() { nextDue = next < units.count ? units[next].due : .distantFuture }

    /// The next unit to be shown by `now`.
    ///
    /// A unit that has begun by then is shown, whole or not: so do decoders, and what is missing may never come.
    mutating func present(at now: LocalInstant) -> Pending? {
        guard next < units.count, units[next].due <= now else { return nil }
        let head = units[next]
        if keepsUnits { next += 1 } else { units.removeFirst() }
        rearm()
        return head
    }
}
