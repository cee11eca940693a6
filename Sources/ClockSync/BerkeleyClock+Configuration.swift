import Timebase
import Wire

extension BerkeleyClock {
    /// What a member goes by, the same for all of a group.
    public struct Configuration: Sendable, Equatable {
        /// How the coordinator asks for clocks.
        public var polling: Polling
        /// How much clocks may differ that are averaged together, TEMPO's RANGE; not negative.
        public var range: TimeSpan
        /// Who is the coordinator, and who becomes it.
        public var succession: Succession
        /// What is known of messages and oscillators.
        public var bounds: Bounds
        /// In a group's first round all clocks are stepped.
        public var correction: Correction

        public init(
            polling: Polling, range: TimeSpan, succession: Succession, bounds: Bounds = Bounds(),
            correction: Correction = Correction()
        ) {
            self.polling = polling
            self.range = range
            self.succession = succession
            self.bounds = bounds
            self.correction = correction
        }

        /// What two clocks may drift apart in so much time.
        func growth(over span: TimeSpan) -> TimeSpan {
            max(.zero, span).scaled(partsPerBillion: 2 * bounds.drift)
        }

        /// How long slews take at most that a round has brought. In a group's first round all clocks are stepped.
        func slewDuration(_ round: GroupMessage.Correction) -> TimeSpan {
            guard round.round > 1 else { return .zero }
            // What would take longer than 136 years is cut, as it would overflow.
            let most = TimeSpan.nanoseconds(correction.slewRate << 32)
            let largest = min(round.largest, correction.stepLimit ?? round.largest, most)
            return .nanoseconds(largest.nanoseconds.scaled(by: 1_000_000_000, over: correction.slewRate, .up))
        }
    }

    /// How a coordinator asks.
    public struct Polling: Sendable, Equatable {
        /// From the start of a round to that of the next.
        public var interval: TimeSpan
        /// Polls of each member in a round, 1 or more; the best of each direction counts.
        public var trials: Int
        /// From one poll to the next.
        public var spacing: TimeSpan
        /// How long answers to the last one are waited for.
        public var timeout: TimeSpan
        /// After so many rounds without an answer a member is no longer counted on, and polled once a round.
        var dropAfter: Int

        /// - Precondition: a round is over before the next begins.
        public init(
            interval: TimeSpan, trials: Int = 10, spacing: TimeSpan, timeout: TimeSpan, dropAfter: Int = 3
        ) {
            precondition(trials >= 1 && spacing * Int64(trials - 1) + timeout <= interval)
            self.interval = interval
            self.trials = trials
            self.spacing = spacing
            self.timeout = timeout
            self.dropAfter = dropAfter
        }
    }

    /// Who is the coordinator, and who becomes it.
    public struct Succession: Sendable, Equatable {
        /// By which algorithm the next coordinator is found.
        public enum Election: Sendable, Equatable {
            /// - Parameter timeout: for an answer, there and back.
            case bully(timeout: TimeSpan)
            /// - Parameters:
            ///   - timeout: for an acknowledgment, there and back.
            ///   - attempts: how often a message is sent before its receiver is taken for dead, 1 or more.
            case ring(timeout: TimeSpan, attempts: Int)
        }

        /// How the next coordinator is found.
        public var election: Election
        /// How long a member hears no poll before it calls an election: more than the interval.
        public var timeout: TimeSpan
        /// The first coordinator; nil: the greatest id.
        public var first: UInt16?

        /// A succession that begins with the coordinator `first`.
        public init(_ election: Election, timeout: TimeSpan, first: UInt16? = nil) {
            self.election = election
            self.timeout = timeout
            self.first = first
        }
    }

    /// What is known beforehand; claims are only as true as this.
    public struct Bounds: Sendable, Equatable {
        /// What a message takes at least.
        var leastDelay: TimeSpan
        /// The most that a clock's frequency is wrong, parts per billion, 0...10^9.
        public var drift: Int64

        public init(leastDelay: TimeSpan = .zero, drift: Int64 = 100_000) {
            self.leastDelay = leastDelay
            self.drift = drift
        }
    }
}
