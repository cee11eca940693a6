import Timebase
import Wire

/// Sets its clock by regression over each server's samples, for sessions that last minutes: server i answers on flow i.
///
/// After three answers frequency and offset are known, and get better from poll to poll. A round of polls ends when all
/// have answered, or when the next begins; then the servers are selected as by NTP, and the clock is corrected.
///
/// The bound claimed is what the best server's samples allow: half a delay, dispersion, what the line through them leaves
/// over, the frequency's error times the age, and the server's own distance from its reference.
public struct RegressionClient: Agent {
    /// What the client goes by.
    public struct Configuration: Sendable, Hashable {
        /// How many servers there are.
        public var servers: Int
        /// From one request to the next.
        public var poll: TimeSpan
        /// So many polls come first, at a quarter of the interval.
        public var burst: Int
        /// Its slew rate is the most; what can wait is spread over a poll interval.
        public var correction: Correction
        /// How far an oscillator may be off of which nothing is known yet, parts per billion: few exceed 500 ppm.
        var maximumDrift: Int64 = 500_000
        /// The largest frequency correction, parts per 10^12.
        var maximumFrequency: Int64 = 100_000_000_000
        /// A server with a larger root distance is not believed.
        var maximumDistance: TimeSpan = .seconds(3)
        /// Whether it answers requests that come on other flows than its servers', a stratum above them.
        var isServer = false

        public init(
            servers: Int = 1, poll: TimeSpan = .seconds(1), burst: Int = 4, correction: Correction = Correction()
        ) {
            self.servers = servers
            self.poll = poll
            self.burst = burst
            self.correction = correction
        }
    }

    private struct Source {
        var wire = OnWireProtocol()
        var regression: SampleRegression
        var standing: ServerStanding?
        /// Polls since the latest answer.
        var silence = 0
        /// Whether it has answered in this round.
        var hasAnswered = false
        /// RSTR or DENY has come (RFC 5905 §7.4).
        var isSilenced = false
    }

    private let configuration: Configuration
    private var clock = SteeredClock()
    private var sources: [Source]
    private var nextPoll: LocalInstant
    private var rounds = 0
    private var isFirst = true
    private var server: NTPServer?
    /// What the latest selection among the servers came to.
    public private(set) var selection = ServerSelection.noServers

    /// A server that was silent for so many polls is not asked what it thinks.
    private static let silenceLimit = 8
    /// For so many rounds most servers are waited for: the first to answer may be a liar.
    private static let patience = 4

    /// - Parameter start: when the first requests go out.
    public init(_ configuration: Configuration, start: LocalInstant) {
        self.configuration = configuration
        let drift = Double(configuration.maximumDrift) * 1e-9
        sources = (0..<configuration.servers).map { _ in Source(regression: SampleRegression(maximumDrift: drift)) }
        nextPoll = start
    }

    public var nextTimeout: LocalInstant { min(nextPoll, clock.nextTimeout) }

    public mutating func handleTimeout(at now: LocalInstant) {
        clock.handleTimeout(at: now)
        guard nextPoll <= now else { return }
        // The round before has not ended by itself.
        var now = now
        if sources.contains(where: \.hasAnswered) { now = endRound(at: now) }
        let interval =
            rounds < configuration.burst ? configuration.poll.nanoseconds / 4 : configuration.poll.nanoseconds
        nextPoll = now + .nanoseconds(max(1, interval))
        rounds += 1
        for index in sources.indices where !sources[index].isSilenced {
            sources[index].silence += 1
            clock.send(sources[index].wire.request(poll: configuration.poll.exponent, at: now, clock), flow: index)
        }
    }

    public mutating func handle(_ payload: RawSpan, flow: Int, at now: LocalInstant) {
        guard sources.indices.contains(flow) else {
            if let reply = server?.reply(to: payload, at: now) { clock.send(reply, flow: flow) }
            return
        }
        switch sources[flow].wire.handle(payload, flow: flow, at: now, clock) {
        case .accepted(let reply):
            var exchange = reply.exchange
            exchange.isUsed = sources[flow].regression.add(reply.sample)
            clock.tell(exchange)
            sources[flow].standing = reply.standing
            sources[flow].silence = 0
            sources[flow].hasAnswered = true
            if sources.allSatisfy({ $0.hasAnswered || $0.isSilenced }) { endRound(at: now) }
        case .kiss(let code): if code == 0x4445_4e59 || code == 0x5253_5452 { sources[flow].isSilenced = true }
        case .rejected: break
        }
    }

    public mutating func pollOutput() -> AgentOutput? { clock.pollOutput() }

    public mutating func stop() {
        nextPoll = .distantFuture
        clock.stop()
    }

    /// Whom to believe now, and what comes of it.
    ///
    /// - Returns: what the clock shows then.
    @discardableResult
    private mutating func endRound(at now: LocalInstant) -> LocalInstant {
        for index in sources.indices { sources[index].hasAnswered = false }
        let free = clock.free(at: now)
        let candidates = sources.indices.compactMap { candidate($0, at: free) }
        if isFirst, rounds < Self.patience, 2 * candidates.count <= sources.count { return now }
        let truechimers = ClockSelection.truechimers(among: candidates)
        guard !truechimers.isEmpty else {
            let before = selection
            selection = candidates.isEmpty ? .noServers : .noMajority
            if selection == .noMajority, before != selection { clock.claim(ClockClaim(bound: nil), at: now) }
            return now
        }
        let (survivors, _) = ClockSelection.clustered(truechimers)
        selection = .survivors(survivors.map(\.server))
        return correct(survivors, at: now)
    }

    private func candidate(_ index: Int, at free: FreeInstant) -> ClockSelection.Candidate? {
        let source = sources[index]
        guard let standing = source.standing, source.silence < Self.silenceLimit else { return nil }
        let distance =
            standing.rootDelay.seconds / 2 + standing.rootDispersion.seconds + source.regression.error(at: free)
        guard distance <= configuration.maximumDistance.seconds else { return nil }
        return ClockSelection.Candidate(
            server: index, offset: (source.regression.offset(at: free) - clock.gain(at: free)).seconds,
            rootDistance: distance, jitter: source.regression.jitter,
            metric: Double(standing.stratum) * configuration.maximumDistance.seconds + distance)
    }

    private mutating func correct(_ survivors: [ClockSelection.Candidate], at now: LocalInstant) -> LocalInstant {
        let offset = ClockSelection.combined(survivors)
        setFrequency(survivors, at: now)
        var adjustment = configuration.correction.adjustment(by: TimeSpan(seconds: offset), isFirst: isFirst)
        if case .slew(let amount, let most) = adjustment {
            let needed =
                Int128(amount.nanoseconds.magnitude) * 1_000_000_000 / Int128(max(1, configuration.poll.nanoseconds))
            adjustment = .slew(amount, rate: Int64(max(1, min(needed + 1, Int128(most)))))
        }
        let after = clock.adjust(adjustment, at: now)
        if after != now, nextPoll != .distantFuture { nextPoll = nextPoll + (after - now) }
        isFirst = false
        claim(survivors, offset: offset, at: after)
        return after
    }

    /// The survivors' frequencies, each weighing one over its variance, drawn toward none at all as far as they are not
    /// surer than that the oscillator is within its maximum.
    private mutating func setFrequency(_ survivors: [ClockSelection.Candidate], at now: LocalInstant) {
        var (sum, weights) = (0.0, 0.0)
        for survivor in survivors {
            guard let frequency = sources[survivor.server].regression.frequency else { continue }
            let weight = 1 / (frequency.deviation * frequency.deviation)
            (sum, weights) = (sum + frequency.value * weight, weights + weight)
        }
        guard weights > 0 else { return }
        let prior = 1e18 / (Double(configuration.maximumDrift) * Double(configuration.maximumDrift))
        let most = Double(configuration.maximumFrequency)
        let frequency = min(max(sum / (weights + prior) * 1e12, -most), most)
        clock.adjust(.frequency(Int64(frequency.rounded(.toNearestOrAwayFromZero))), at: now)
    }

    private mutating func claim(_ survivors: [ClockSelection.Candidate], offset: Double, at now: LocalInstant) {
        let best = survivors[0]
        let source = sources[best.server]
        guard let standing = source.standing else { return }
        let bound = best.rootDistance + abs(best.offset - offset)
        // Parts per billion, rounded up.
        let growth = Int64(source.regression.skew * 1e9) + 1
        let gain = Double(clock.frequency) * 1e-12
        let frequency = source.regression.frequency.map { _ in
            Int64((-gain / (1 + gain) * 1e12).rounded(.toNearestOrAwayFromZero))
        }
        clock.claim(ClockClaim(bound: TimeSpan(seconds: bound), growth: growth, frequency: frequency), at: now)
        guard configuration.isServer, standing.stratum < 15 else { return }
        server = NTPServer(
            .init(
                stratum: standing.stratum + 1, precision: OnWireProtocol.precision, rootDelay: standing.rootDelay,
                rootDispersion: TimeSpan(seconds: bound) - .nanoseconds(standing.rootDelay.nanoseconds / 2),
                referenceID: UInt32(best.server + 1), lastSet: now))
    }
}
