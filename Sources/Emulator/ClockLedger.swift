import Timebase

/// What a node's disciplined clock truly shows, beside what is claimed of it.
struct ClockLedger: Sendable {
    /// Less true time, sampled; from the first correction on, where there is one.
    private(set) var errors: Histogram
    /// What the claims allow, at the same samples.
    private(set) var bounds: Histogram
    /// Samples at which the error was larger than that.
    private(set) var violations: Int64 = 0
    private(set) var exchanges: Int64 = 0
    /// Those of them that the algorithm used.
    private(set) var exchangesUsed: Int64 = 0
    private(set) var firstCorrection: Instant?
    /// The latest claim, and when it was made.
    private var latest: (claim: ClockClaim, at: Instant)?
    private let unset: Histogram

    /// - Parameters:
    ///   - errorCuts: where errors are counted exactly.
    ///   - boundCuts: likewise for bounds.
    init(errorCuts: [Int64], boundCuts: [Int64]) {
        errors = Histogram(cuts: errorCuts)
        bounds = Histogram(cuts: boundCuts)
        unset = errors
    }

    /// The oscillator's frequency error as it is estimated, parts per billion.
    var estimatedFrequency: Int64? { latest?.claim.frequency.map { $0.scaled(by: 1, over: 1_000, .nearest) } }

    /// Whether its bound is against the mean of the group's clocks.
    var isOfGroup: Bool { latest?.claim.reference == .group }

    /// What the latest claim allows at an instant; nil: nothing is claimed.
    func bound(at now: Instant) -> TimeSpan? {
        guard let latest, let bound = latest.claim.bound else { return nil }
        let grown = (now - latest.at).nanoseconds.scaled(by: latest.claim.growth, over: 1_000_000_000, .up)
        return bound + .nanoseconds(grown)
    }

    mutating func note(_ exchange: ClockExchange) {
        exchanges += 1
        if exchange.isUsed { exchangesUsed += 1 }
    }

    mutating func note(_ claim: ClockClaim, at now: Instant) { latest = (claim, now) }

    /// Notes that the clock is adjusted.
    mutating func noteCorrection(at now: Instant) {
        guard firstCorrection == nil else { return }
        firstCorrection = now
        errors = unset
    }

    /// Samples the clock.
    ///
    /// - Parameter groupError: the mean error of the clocks whose claims are about their group.
    mutating func sample(error: TimeSpan, groupError: TimeSpan, at now: Instant) {
        errors.add(error.nanoseconds)
        guard let bound = bound(at: now) else { return }
        bounds.add(bound.nanoseconds)
        let against = isOfGroup ? error - groupError : error
        if against > bound || against < -bound { violations += 1 }
    }
}
