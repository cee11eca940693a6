import Timebase

/// How an algorithm corrects its node's clock: what it steps, what it slews, and how fast.
///
/// As a rule it steps the first time, when nobody has relied on the clock yet, and slews from then on, so that the clock
/// never goes back.
public struct Correction: Sendable, Hashable {
    /// A later error of more than this is stepped too; nil: none is.
    public var stepLimit: TimeSpan?
    /// How fast an error is slewed away, parts per billion, 1...500,000,000.
    public var slewRate: Int64

    public init(stepLimit: TimeSpan? = nil, slewRate: Int64 = 500_000) {
        self.stepLimit = stepLimit
        self.slewRate = slewRate
    }

    /// What makes up for `offset`.
    ///
    /// - Parameter offset: what the clock lacks; positive: it is slow.
    func adjustment(by offset: TimeSpan, isFirst: Bool) -> ClockAdjustment {
        let isLarge = stepLimit.map { offset.nanoseconds.magnitude > $0.nanoseconds.magnitude } ?? false
        return isFirst || isLarge ? .step(offset) : .slew(offset, rate: slewRate)
    }
}
