import Timebase

/// Cristian's probabilistic clock reading (Distributed Computing 3, 1989): every interval it probes the server on flow 0
/// and sets its clock by the probe of the least round trip.
///
/// One probe is the textbook's form, T + (T1 − T0) / 2. Of several the best is taken with the paper's midpoint and bound,
/// T + D(1 + 2ρ) − min·ρ and e = D(1 + 2ρ) − min, where 2D is its round trip. A probe goes out when the one before has been
/// answered or given up. A bound that is asked for makes attempts fail whose round trip exceeds 2U, U = (1 − 2ρ)(ε + min).
public struct CristianClient: Agent {
    /// What the client goes by.
    public struct Configuration: Sendable, Hashable {
        /// From the beginning of one reading to that of the next.
        public var interval: TimeSpan
        /// How many answers a reading takes, 1...
        public var probes: Int
        /// min: what one way takes at least.
        public var minimumDelay: TimeSpan
        /// ρ: how fast the node's oscillator may drift, parts per billion. The bound holds for oscillators that keep to
        /// it; 100 ppm is the worst that media devices are said to have.
        public var drift: Int64
        /// ε: a reading with a larger error is refused; nil: any is taken.
        public var errorLimit: TimeSpan?
        /// Attempts that may fail in a reading; with one more, contact is lost until the next.
        var retries: Int
        /// How long an answer is waited for.
        public var timeout: TimeSpan
        /// What is stepped, what is slewed, and how fast.
        public var correction: Correction

        public init(
            interval: TimeSpan, probes: Int = 1, minimumDelay: TimeSpan = .zero, drift: Int64 = 100_000,
            errorLimit: TimeSpan? = nil, retries: Int = 8, timeout: TimeSpan = .seconds(1),
            correction: Correction = Correction()
        ) {
            self.interval = interval
            self.probes = max(1, probes)
            self.minimumDelay = minimumDelay
            self.drift = drift
            self.errorLimit = errorLimit
            self.retries = retries
            self.timeout = timeout
            self.correction = correction
        }

        /// e: the largest error of a reading with this round trip.
        func error(roundTrip: TimeSpan) -> TimeSpan {
            let half = TimeSpan.nanoseconds((roundTrip.nanoseconds + 1) / 2)
            return max(.zero, half + roundTrip.scaled(partsPerBillion: drift) - minimumDelay)
        }

        /// 2U: the longest round trip of a reading that keeps within the limit.
        var longestRoundTrip: TimeSpan? {
            errorLimit.map {
                let sum = ($0 + minimumDelay) * 2
                return sum - sum.scaled(partsPerBillion: 2 * drift)
            }
        }
    }

    private let configuration: Configuration
    private var clock = SteeredClock()
    private var wire = OnWireProtocol()
    /// When the next probe or the end of waiting for one is due.
    private var deadline: LocalInstant
    /// When the next reading begins.
    private var nextReading: LocalInstant
    private var answers: [OnWireProtocol.Reply] = []
    private var failures = 0
    private var isWaiting = false
    private var isReading = false
    private var isStopped = false
    private var isFirst = true
    /// Whether the latest reading succeeded.
    private(set) var hasContact = false
    /// The least round trip that two ways of the least delay cannot have taken; nil: none was.
    private var tooShort: TimeSpan?

    /// - Parameter start: when the first probe goes out.
    public init(_ configuration: Configuration, start: LocalInstant) {
        self.configuration = configuration
        deadline = start
        nextReading = start
    }

    /// A round trip that shows the least delay to be less than it is configured; what is claimed does not hold then.
    public var contradiction: (roundTrip: TimeSpan, minimumDelay: TimeSpan)? {
        tooShort.map { ($0, configuration.minimumDelay) }
    }

    public var nextTimeout: LocalInstant { min(deadline, clock.nextTimeout) }

    public mutating func handleTimeout(at now: LocalInstant) {
        clock.handleTimeout(at: now)
        guard deadline <= now else { return }
        if isWaiting {
            isWaiting = false
            failures += 1
            goOn(at: now)
        } else if !isStopped {
            isReading = true
            nextReading = max(nextReading + configuration.interval, now)
            probe(at: now)
        }
    }

    public mutating func handle(_ payload: RawSpan, flow: Int, at now: LocalInstant) {
        guard isReading, flow == 0 else { return }
        switch wire.handle(payload, flow: flow, at: now, clock) {
        case .accepted(let reply):
            isWaiting = false
            check(roundTrip: reply.sample.delay)
            if let longest = configuration.longestRoundTrip, reply.sample.delay > longest {
                failures += 1
                tell(reply, isUsed: false)
            } else {
                answers.append(reply)
            }
            goOn(at: now)
        case .kiss, .rejected: break
        }
    }

    public mutating func pollOutput() -> AgentOutput? { clock.pollOutput() }

    public mutating func stop() {
        isStopped = true
        clock.stop()
        if !isWaiting { deadline = .distantFuture }
    }

    private mutating func probe(at now: LocalInstant) {
        isWaiting = true
        deadline = now + configuration.timeout
        clock.send(wire.request(poll: configuration.interval.exponent, at: now, clock), flow: 0)
    }

    /// The next probe of the reading, or its end.
    private mutating func goOn(at now: LocalInstant) {
        if answers.count < configuration.probes, failures <= configuration.retries, !isStopped { return probe(at: now) }
        isReading = false
        hasContact = answers.count >= min(configuration.probes, 1)
        deadline = isStopped ? .distantFuture : max(nextReading, now)
        if let best = answers.indices.min(by: { answers[$0].sample.delay < answers[$1].sample.delay }) {
            for index in answers.indices { tell(answers[index], isUsed: index == best) }
            set(by: answers[best].sample, at: now)
        }
        answers.removeAll(keepingCapacity: true)
        failures = 0
    }

    private mutating func check(roundTrip: TimeSpan) {
        // As long as it may be by a clock that drifts.
        let longest = roundTrip + roundTrip.scaled(partsPerBillion: configuration.drift) + OnWireProtocol.resolution
        if longest < configuration.minimumDelay * 2 { tooShort = min(tooShort ?? roundTrip, roundTrip) }
    }

    private mutating func tell(_ reply: OnWireProtocol.Reply, isUsed: Bool) {
        var exchange = reply.exchange
        exchange.isUsed = isUsed
        clock.tell(exchange)
    }

    private mutating func set(by sample: TimeSample, at now: LocalInstant) {
        let free = clock.free(at: now)
        // How far the paper's midpoint lies after the textbook's.
        let shift =
            sample.delay.scaled(partsPerBillion: configuration.drift)
            - configuration.minimumDelay.scaled(partsPerBillion: configuration.drift)
        let isTextbook = configuration.probes == 1
        let offset = sample.offset(gain: clock.gain(at: free)) + (isTextbook ? .zero : shift)
        let adjustment = configuration.correction.adjustment(by: offset, isFirst: isFirst)
        isFirst = false
        let after = clock.adjust(adjustment, at: now)
        moveDeadlines(by: after - now)
        var bound = configuration.error(roundTrip: sample.delay)
        if isTextbook { bound += .nanoseconds(abs(shift.nanoseconds)) }
        bound += (free - sample.middle).scaled(partsPerBillion: configuration.drift) + OnWireProtocol.resolution
        clock.claim(ClockClaim(bound: bound, growth: configuration.drift), at: after)
    }

    /// Deadlines are in disciplined time, which a step moves.
    private mutating func moveDeadlines(by amount: TimeSpan) {
        nextReading = nextReading + amount
        if deadline != .distantFuture { deadline = deadline + amount }
    }
}

extension TimeSpan {
    /// log2 of the seconds, rounded down, -6...17; for the poll field of NTP packets.
    var exponent: Int8 {
        var (exponent, span) = (Int8(-6), TimeSpan.nanoseconds(31_250_000))
        while span <= self, exponent < 17 { (exponent, span) = (exponent + 1, span * 2) }
        return exponent
    }
}
