/// What a synchronization algorithm says of its node's disciplined clock, from the instant at which it says so.
public struct ClockClaim: Sendable, Equatable {
    /// What the bound is against.
    public enum Reference: Sendable, Equatable {
        /// True time, as far as the algorithm can know it.
        case trueTime
        /// The mean of the group's clocks: an algorithm without an outside source can promise no more.
        case group
    }

    /// Against what the bound holds.
    public var reference: Reference
    /// The largest error that the clock is claimed to have, not negative; nil: it promises nothing.
    public var bound: TimeSpan?
    /// How fast the bound grows until the next claim, parts per billion, not negative.
    public var growth: Int64
    /// The oscillator's estimated frequency error, parts per 10^12, positive: gains; nil where it is not estimated.
    public var frequency: Int64?

    public init(
        reference: Reference = .trueTime, bound: TimeSpan?, growth: Int64 = 0, frequency: Int64? = nil
    ) {
        self.reference = reference
        self.bound = bound
        self.growth = growth
        self.frequency = frequency
    }
}
