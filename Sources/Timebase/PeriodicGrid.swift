/// Which way a quotient that is not whole goes.
@frozen
public enum Rounding: Sendable {
    /// Toward negative infinity.
    case down
    /// Toward positive infinity.
    case up
    /// To the nearest, halves away from zero.
    case nearest
}

extension UInt64 {
    /// `self * numerator / denominator`, and what remains. In 64 bits where the product fits, as it mostly does: a
    /// division of 128 bits is a call that costs several times as much.
    @inlinable
    func scaled(by numerator: UInt64, over denominator: UInt64) -> (quotient: UInt64, remainder: UInt64) {
        let (short, overflow) = multipliedReportingOverflow(by: numerator)
        if !overflow { return short.quotientAndRemainder(dividingBy: denominator) }
        return denominator.dividingFullWidth(multipliedFullWidth(by: numerator))
    }
}

extension Int64 {
    /// `self * numerator / denominator` through 128 bits, so that the product cannot overflow.
    ///
    /// - Precondition: `numerator` ≥ 0, `denominator` > 0, and the result fits in `Int64`.
    @inlinable
    public func scaled(by numerator: Int64, over denominator: Int64, _ rounding: Rounding = .down) -> Int64 {
        let (quotient, remainder) = self.magnitude.scaled(by: UInt64(numerator), over: UInt64(denominator))
        let away: Bool
        switch rounding {
        case .down: away = remainder != 0 && self < 0
        case .up: away = remainder != 0 && self > 0
        case .nearest: away = remainder >= UInt64(denominator) - remainder
        }
        let magnitude = Int64(quotient) + (away ? 1 : 0)
        return self < 0 ? -magnitude : magnitude
    }
}

/// Events that come at a fixed rational rate, each placed from the origin: event n is at `n * numerator / denominator`
/// seconds, rounded down to a nanosecond, so that no rounding error ever accumulates.
@frozen
public struct PeriodicGrid: Sendable, BitwiseCopyable {
    /// Nanoseconds in `denominator` periods.
    @usableFromInline let nanosecondsPerCycle: Int64
    @usableFromInline let periodsPerCycle: Int64

    /// A grid of `count` periods in every `span`.
    @inlinable
    public init(count: Int64, every span: TimeSpan) {
        nanosecondsPerCycle = span.nanoseconds
        periodsPerCycle = count
    }

    /// The time of event `index` after the origin; negative indexes lie before it.
    @inlinable
    public func time(_ index: Int64) -> TimeSpan {
        .nanoseconds(index.scaled(by: nanosecondsPerCycle, over: periodsPerCycle))
    }

    /// How many events lie at or before `span` after the origin, the one at the origin not counted.
    @inlinable
    public func index(atOrBefore span: TimeSpan) -> Int64 {
        var index = span.nanoseconds.scaled(by: periodsPerCycle, over: nanosecondsPerCycle)
        while time(index + 1) <= span { index += 1 }
        return index
    }

    /// A walk along the grid, one event after the other, without a division for each.
    @frozen
    public struct Cursor: Sendable, BitwiseCopyable {
        @usableFromInline var position: Int64
        @usableFromInline var placed: TimeSpan
        @usableFromInline let grid: PeriodicGrid
        @usableFromInline let step: Int64
        @usableFromInline let stepRemainder: Int64
        /// What rounding has cut off the time, in 1/`periodsPerCycle` ns.
        @usableFromInline var remainder: Int64

        /// At an event of a grid, index 0 or more.
        @inlinable
        public init(_ grid: PeriodicGrid, at index: Int64 = 0) {
            self.grid = grid
            position = index
            (step, stepRemainder) = grid.nanosecondsPerCycle.quotientAndRemainder(dividingBy: grid.periodsPerCycle)
            placed = grid.time(index)
            // index × cycle − time × periods lies in 0..<periods, so that 64 bits hold it whatever the products do.
            remainder = index &* grid.nanosecondsPerCycle &- placed.nanoseconds &* grid.periodsPerCycle
        }

        /// The event it stands at.
        @inlinable public var index: Int64 { position }
        /// The time of that event after the origin.
        @inlinable public var time: TimeSpan { placed }

        /// The time of the next event.
        @inlinable
        public var nextTime: TimeSpan {
            .nanoseconds(placed.nanoseconds + step + (remainder + stepRemainder >= grid.periodsPerCycle ? 1 : 0))
        }

        /// On to the next event.
        @inlinable
        public mutating func advance() {
            let next = nextTime
            remainder += stepRemainder
            if remainder >= grid.periodsPerCycle { remainder -= grid.periodsPerCycle }
            placed = next
            position += 1
        }
    }
}
