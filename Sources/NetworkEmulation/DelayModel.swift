import Timebase

/// How long a packet travels after its last bit has been sent: a constant, or a constant and a random part.
public struct DelayModel: Sendable {
    /// The law of the random part.
    public enum Jitter: Sendable {
        /// The delay is constant.
        case none
        /// Values drawn from a law, given by its quantiles.
        case quantiles(QuantileTable)
        /// Values drawn from a table, each as likely as any other.
        case values(ValueTable)
        /// Values drawn from a law, given by points of its cumulative function.
        case empirical(EmpiricalTable)
        /// The n-th packet of a flow takes the n-th value, from the first again behind the last.
        case trace(ValueTable)
    }

    let delay: TimeSpan
    let jitter: Jitter
    let key: DrawKey
    /// Of neighbouring packets of a flow; 0: none.
    let correlation: Double
    /// Whether a packet may overtake those before it.
    let mayReorder: Bool
    /// Packets that skip the delay altogether, and so overtake.
    let early: EarlyPackets

    /// - Parameters:
    ///   - delay: the constant part, not negative.
    ///   - jitter: the law of what is added, which may be negative; the sum is cut at zero.
    ///   - correlation: of neighbouring packets of a flow, see ``DrawCorrelation``; -1...1, both ends excluded.
    ///   - mayReorder: false: a packet never arrives before the one ahead of it.
    ///   - early: which packets travel in no time, overtaking all that are on their way.
    public init(
        delay: TimeSpan, jitter: Jitter, correlation: Double = 0, mayReorder: Bool = false, early: EarlyPackets = .none,
        key: DrawKey
    ) {
        self.delay = delay
        self.jitter = jitter
        self.key = key
        self.correlation = correlation
        self.mayReorder = mayReorder
        self.early = early.drawing(with: key.named("early"))
    }

    /// Order-preserving and uncorrelated.
    public init(delay: TimeSpan, jitter: QuantileTable? = nil, key: DrawKey) {
        self.init(delay: delay, jitter: jitter.map { .quantiles($0) } ?? .none, key: key)
    }

    /// The longest travelling time.
    var longest: TimeSpan {
        switch jitter {
        case .none: delay
        case .quantiles(let table): cut(table.value(at: .max))
        case .empirical(let table): cut(table.value(at: .max))
        case .values(let table), .trace(let table): cut(table.values.max() ?? 0)
        }
    }

    private func cut(_ jitter: Int64) -> TimeSpan { .nanoseconds(max(0, delay.nanoseconds + jitter)) }
}
