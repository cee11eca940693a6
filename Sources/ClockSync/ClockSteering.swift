import Timebase

/// How a clock of a group is brought to where it should be.
public struct ClockSteering: Sendable, Equatable {
    /// How fast it is slewed, parts per billion, 1...500,000,000.
    public var rate: Int64
    /// A correction of more than this is a step, which may go back; nil: none is.
    public var stepLimit: TimeSpan?
    /// Whether the first correction is a step however small it is.
    public var stepsAtFirst: Bool

    public init(rate: Int64 = 500_000, stepLimit: TimeSpan? = nil, stepsAtFirst: Bool = false) {
        self.rate = rate
        self.stepLimit = stepLimit
        self.stepsAtFirst = stepsAtFirst
    }

    /// The adjustment that makes a clock gain `amount`.
    func adjustment(_ amount: TimeSpan, isFirst: Bool) -> ClockAdjustment {
        let isStep = isFirst && stepsAtFirst || stepLimit.map { amount > $0 || amount < -$0 } ?? false
        return isStep ? .step(amount) : .slew(amount, rate: rate)
    }

    /// How long it takes to slew so much, rounded up.
    func duration(_ amount: TimeSpan) -> TimeSpan {
        .nanoseconds(
            min(Int64(clamping: amount.nanoseconds.magnitude), Int64.max >> 31).scaled(
                by: 1_000_000_000, over: rate, .up))
    }
}
