import Timebase

/// What a link has before it: changes of its stages, and outages.
struct LinkSchedule: Sendable {
    /// To come, the latest first.
    private var changes: [(at: Instant, configuration: LinkConfiguration)]
    /// When the next change is; the distant future: never.
    private(set) var nextChange: Instant
    /// Not over yet, the latest first.
    private var outages: [Range<Instant>]
    /// When the next outage begins, or the one that lasts has begun; the distant future: there is none.
    private(set) var nextOutage: Instant

    init(_ configuration: LinkConfiguration) {
        changes = configuration.changes.reversed()
        nextChange = changes.last?.at ?? .distantFuture
        outages = configuration.outages.reversed()
        nextOutage = outages.last?.lowerBound ?? .distantFuture
    }

    var hasChanges: Bool { !changes.isEmpty }
    var hasOutages: Bool { !outages.isEmpty }

    /// The first change not taken that is due by `now`.
    mutating func takeChange(until now: Instant) -> (at: Instant, configuration: LinkConfiguration)? {
        guard nextChange <= now else { return nil }
        let change = changes.removeLast()
        nextChange = changes.last?.at ?? .distantFuture
        return change
    }

    /// When the outage ends that lasts at `now`; nil: none does.
    @inline(__always)
    mutating func outageEnd(at now: Instant) -> Instant? {
        now < nextOutage ? nil : findOutageEnd(at: now)
    }

    private mutating func findOutageEnd(at now: Instant) -> Instant? {
        while let outage = outages.last, outage.upperBound <= now { outages.removeLast() }
        nextOutage = outages.last?.lowerBound ?? .distantFuture
        return now < nextOutage ? nil : outages.last?.upperBound
    }
}
