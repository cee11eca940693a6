import Timebase
import Wire

/// Decentralized averaging: at the start of each interval every member tells all others its clock, collects theirs during
/// a window, and goes to their mean (Tanenbaum, *Distributed Systems*).
///
/// Readings are taken as they come, by a way of unknown length, so that each looks slow by its one-way delay: the
/// group agrees with itself and falls behind true time by the mean one-way delay at every round. Disagreement shrinks at
/// a round by the second eigenvalue of the weights: 1/(n − 1) for the mean of the others, 0 for the mean of all.
public struct ClockAveraging: GroupParty {
    /// Which mean.
    public enum Mean: Sendable, Equatable {
        /// Of the others' clocks.
        case others
        /// Of the others' and the own.
        case all
        /// Of these without the so many highest and the so many lowest; with too few left the clock stays as it is.
        case trimmed(Int)
    }

    /// What a member goes by, the same for all of a group.
    public struct Configuration: Sendable, Equatable {
        /// From one round to the next, by the own clock.
        public var interval: TimeSpan
        /// How long after a round's start readings are collected, less than the interval.
        public var window: TimeSpan
        /// Which clocks the mean is of.
        public var mean: Mean
        /// What is stepped, what is slewed, and how fast.
        public var correction: Correction

        /// - Precondition: 0 < `window` < `interval`.
        public init(interval: TimeSpan, window: TimeSpan, mean: Mean, correction: Correction = Correction()) {
            precondition(window > .zero && window < interval)
            self.interval = interval
            self.window = window
            self.mean = mean
            self.correction = correction
        }
    }

    private enum Phase {
        /// Until the next round's start.
        case waiting(LocalInstant)
        case collecting(until: LocalInstant)
        case stopped
    }

    private let configuration: Configuration
    private var phase: Phase
    /// Of each peer, by flow: its latest reading since the latest window's end, minus the own clock when it came.
    private var differences: [Int: TimeSpan] = [:]
    private var isFirst = true

    /// - Parameter start: the own clock now.
    init(_ configuration: Configuration, start: LocalInstant) {
        self.configuration = configuration
        phase = .waiting(start)
        begin(at: start)
    }

    var nextTimeout: LocalInstant {
        switch phase {
        case .waiting(let start): start
        case .collecting(let end): end
        case .stopped: .distantFuture
        }
    }

    mutating func handle(
        _ message: GroupMessage, flow: Int, at now: LocalInstant, _ endpoint: inout GroupEndpoint
    ) {
        // Members do not begin at quite the same time: what came before the own start belongs to the round as well.
        if case .clock(let reading) = message.body { differences[flow] = reading - now }
    }

    mutating func handleTimeout(at now: LocalInstant, _ endpoint: inout GroupEndpoint) {
        switch phase {
        case .waiting(let start) where start <= now:
            endpoint.send(.clock(now))
            phase = .collecting(until: start + configuration.window)
        case .collecting(let end) where end <= now:
            let adjustment = lack.map { configuration.correction.adjustment(by: $0, isFirst: isFirst) }
            differences.removeAll()
            var then = now
            if let adjustment {
                isFirst = false
                endpoint.adjust(adjustment)
                // No longest delay is known, and so no bound.
                endpoint.claim(ClockClaim(reference: .group, bound: nil))
                if case .step(let amount) = adjustment { then = now + amount }
            }
            waitForStart(after: then)
        default: break
        }
    }

    /// What the clock lacks; nil: nothing to go by.
    private var lack: TimeSpan? {
        switch configuration.mean {
        case .others: Self.mean(Array(differences.values))
        case .all: differences.isEmpty ? nil : Self.mean(differences.values + [.zero])
        case .trimmed(let count):
            Self.mean((differences.values + [.zero]).sorted().dropFirst(count).dropLast(count))
        }
    }

    /// Rounded toward zero; nil of nothing.
    private static func mean(_ spans: some Collection<TimeSpan>) -> TimeSpan? {
        guard !spans.isEmpty else { return nil }
        return .nanoseconds(Int64(spans.reduce(0 as Int128) { $0 + Int128($1.nanoseconds) } / Int128(spans.count)))
    }

    /// The first round is half an interval away at least, so that members whose clocks differ a little begin with the
    /// same one.
    private mutating func begin(at now: LocalInstant) {
        waitForStart(after: now + .nanoseconds(configuration.interval.nanoseconds / 2))
    }

    /// Rounds begin at multiples of the interval.
    private mutating func waitForStart(after now: LocalInstant) {
        let interval = configuration.interval.nanoseconds
        let index = now.nanoseconds.scaled(by: 1, over: interval) + 1
        phase = .waiting(LocalInstant(nanoseconds: index * interval))
    }

    mutating func stop() { phase = .stopped }

    mutating func restart(at now: LocalInstant) {
        if case .stopped = phase { return }
        differences.removeAll()
        isFirst = true
        begin(at: now)
    }
}
