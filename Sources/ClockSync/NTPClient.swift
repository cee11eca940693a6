import Timebase
import Wire

/// An NTP client of one or several servers (RFC 5905): server i answers on flow i.
///
/// On-wire protocol with its tests, clock filter, selection, clustering, combining, clock discipline and poll adaptation
/// are the RFC's; what differs is said where it does. The bound that is claimed is the root distance.
public struct NTPClient: Agent {
    /// What the client goes by; the names of its parameters are the RFC's where it has some.
    public struct Configuration: Sendable, Hashable {
        /// How many servers there are.
        public var servers: Int
        /// MINPOLL and MAXPOLL: log2 of the poll interval in seconds, -6...17. By default 16 to 64 s, which are the best for
        /// Allan intercepts of 500 and 2000 s.
        public var polls: ClosedRange<Int8>
        /// Whether a server that is not heard of gets eight requests 2 s (or a shorter poll interval) apart at once.
        public var hasInitialBurst: Bool
        /// WATCH: how long the frequency is measured at first, and how long an offset over the step limit must last; ntpd's.
        var stepout: TimeSpan = .seconds(300)
        /// PANICT: a larger offset makes the client give up; nil: none does.
        public var panicLimit: TimeSpan?
        /// STEPT is its step limit. Slewed at its rate is what has gathered while the frequency was measured; all other
        /// offsets are made up for with a time constant of 16 poll intervals.
        public var correction: Correction
        /// The largest frequency correction, parts per 10^12.
        var maximumFrequency: Int64 = 500_000_000
        /// MAXDIST: a server with a larger root distance is not believed.
        var maximumDistance: TimeSpan = .milliseconds(1_500)
        /// MINDISP: what a claimed bound holds at least; ntpd's.
        var minimumDispersion: TimeSpan = .milliseconds(1)
        /// Whether it answers requests that come on other flows than its servers', a stratum above them.
        var isServer = false

        public init(
            servers: Int = 1, polls: ClosedRange<Int8> = 4...6, hasInitialBurst: Bool = true,
            panicLimit: TimeSpan? = .seconds(1_000), correction: Correction = Correction(stepLimit: .milliseconds(128))
        ) {
            self.servers = servers
            self.polls = polls
            self.hasInitialBurst = hasInitialBurst
            self.panicLimit = panicLimit
            self.correction = correction
        }
    }

    let configuration: Configuration
    var clock = SteeredClock()
    var associations: [NTPAssociation]
    var discipline: ClockDiscipline
    /// When the system peer's sample was taken that was last used.
    private var latest: FreeInstant?
    private var isFirst = true
    /// Whether a slew is under way that policy asked for: amortizing waits for its end.
    private var isCorrecting = false
    private var nextTick = LocalInstant.distantFuture
    private var isStopped = false
    private var server: NTPServer?
    /// What the latest selection among the servers came to.
    public private(set) var selection = ServerSelection.noServers
    /// Whether an offset over the panic limit has made it give up.
    public private(set) var hasGivenUp = false

    /// - Parameter start: when the first requests go out.
    public init(_ configuration: Configuration, start: LocalInstant) {
        self.configuration = configuration
        associations = (0..<configuration.servers).map { _ in NTPAssociation(configuration, start: start) }
        discipline = ClockDiscipline(
            limits: (
                configuration.correction.stepLimit?.seconds, configuration.stepout, configuration.panicLimit?.seconds
            ), polls: configuration.polls, maximumFrequency: Double(configuration.maximumFrequency) * 1e-12)
    }

    public var nextTimeout: LocalInstant {
        associations.reduce(min(nextTick, clock.nextTimeout)) { min($0, $1.nextPoll) }
    }

    /// log2 of the present poll interval in seconds.
    public var poll: Int8 { discipline.poll }

    public mutating func handleTimeout(at now: LocalInstant) {
        clock.handleTimeout(at: now)
        if nextTick <= now { amortize(at: now) }
        var isBurstOver = false
        for index in associations.indices where associations[index].nextPoll <= now {
            if let request = associations[index].poll(system: discipline.poll, at: now, clock) {
                clock.send(request, flow: index)
            } else {
                isBurstOver = true
            }
        }
        // The answer to a burst's last request would have had it selected.
        if isBurstOver { select(at: now) }
    }

    public mutating func handle(_ payload: RawSpan, flow: Int, at now: LocalInstant) {
        guard associations.indices.contains(flow) else {
            if let reply = server?.reply(to: payload, at: now) { clock.send(reply, flow: flow) }
            return
        }
        guard !hasGivenUp, var exchange = associations[flow].handle(payload, flow: flow, at: now, clock) else { return }
        exchange.isUsed = associations[flow].update(at: view(at: now), poll: discipline.poll)
        clock.tell(exchange)
        if !associations[flow].isInBurst { select(at: now) }
    }

    public mutating func pollOutput() -> AgentOutput? { clock.pollOutput() }

    public mutating func stop() {
        isStopped = true
        nextTick = .distantFuture
        clock.stop()
        for index in associations.indices { associations[index].stop() }
    }

    private func view(at now: LocalInstant) -> ClockFilter.View {
        let free = clock.free(at: now)
        return ClockFilter.View(instant: free, gain: clock.gain(at: free), frequency: discipline.frequency)
    }

    /// Whom to believe now, and what comes of it.
    private mutating func select(at now: LocalInstant) {
        let view = view(at: now)
        let limit =
            configuration.maximumDistance.seconds
            + ClockFilter.tolerance * ClockDiscipline.interval(discipline.poll).seconds
        let candidates = associations.indices.compactMap { index in
            associations[index].candidate(index, at: view, maximumDistance: limit)
        }
        let truechimers = ClockSelection.truechimers(among: candidates)
        guard !truechimers.isEmpty else {
            let before = selection
            selection = candidates.isEmpty ? .noServers : .noMajority
            if selection == .noMajority, before != selection { clock.claim(ClockClaim(bound: nil), at: now) }
            return
        }
        let (survivors, jitter) = ClockSelection.clustered(truechimers)
        selection = .survivors(survivors.map(\.server))
        guard let peer = associations[survivors[0].server].estimate(at: view) else { return }
        guard latest.map({ $0 < peer.middle }) ?? true else { return }
        latest = peer.middle
        update(survivors, peer, selectionJitter: jitter, at: now, view.instant)
    }

    /// The system peer has something new.
    private mutating func update(
        _ survivors: [ClockSelection.Candidate], _ peer: ClockFilter.Estimate, selectionJitter: Double,
        at now: LocalInstant, _ free: FreeInstant
    ) {
        let offset = ClockSelection.combined(survivors)
        let left = isCorrecting ? clock.slewLeft(at: now).seconds : 0
        let frequency = discipline.frequency
        var after = now
        switch discipline.update(offset: offset - left, servers: peer.server, at: peer.middle) {
        case .ignore: break
        case .panic: return giveUp(at: now)
        case .correct:
            // A better frequency also tells better what the offset has come to since the sample.
            let change = frequency.flatMap { before in discipline.frequency.map { $0 - before } } ?? 0
            after = correct(TimeSpan(seconds: offset + change * (free - peer.middle).seconds), at: now)
        case .amortize:
            setFrequency(at: now)
            amortize(at: now)
        }
        claim(survivors[0], selectionJitter: selectionJitter, at: after)
    }

    private mutating func setFrequency(at now: LocalInstant) {
        guard let gain = discipline.frequency else { return }
        let frequency = Int64((gain * 1e12).rounded(.toNearestOrAwayFromZero))
        if frequency != clock.frequency { clock.adjust(.frequency(frequency), at: now) }
    }

    /// Makes up for an offset as policy says; what the filters hold stays true but where the clock or the servers jumped.
    private mutating func correct(_ offset: TimeSpan, at now: LocalInstant) -> LocalInstant {
        setFrequency(at: now)
        let adjustment = configuration.correction.adjustment(by: offset, isFirst: isFirst)
        let after = clock.adjust(adjustment, at: now)
        if after != now {
            for index in associations.indices { associations[index].move(by: after - now, isJump: !isFirst) }
        }
        (isFirst, isCorrecting, nextTick) = (false, after == now, .distantFuture)
        return after
    }

    private mutating func giveUp(at now: LocalInstant) {
        hasGivenUp = true
        stop()
        clock.claim(ClockClaim(bound: nil), at: now)
    }

    /// Makes up for the next part of the residual until the next tick.
    private mutating func amortize(at now: LocalInstant) {
        let tick = discipline.tick
        nextTick = isStopped ? .distantFuture : now + tick
        if isCorrecting, clock.slewLeft(at: now) != .zero { return }
        isCorrecting = false
        let amount = discipline.amortize()
        guard amount != .zero else { return nextTick = .distantFuture }
        let rate = Int64(amount.nanoseconds.magnitude).scaled(by: 1_000_000_000, over: tick.nanoseconds, .up)
        clock.adjust(.slew(amount, rate: min(max(1, rate), configuration.correction.slewRate)), at: now)
    }

    /// Claims the root distance of the system peer (§11.1) with what is left to be amortized.
    private mutating func claim(_ peer: ClockSelection.Candidate, selectionJitter: Double, at now: LocalInstant) {
        let association = associations[peer.server]
        guard let estimate = association.estimate(at: view(at: now)), let standing = association.standing else {
            return
        }
        let rest = estimate.dispersion + abs(discipline.residual)
        let jitter = (estimate.jitter * estimate.jitter + selectionJitter * selectionJitter).squareRoot()
        let rootDelay = standing.rootDelay + TimeSpan(seconds: estimate.delay)
        let dispersion =
            standing.rootDispersion
            + TimeSpan(seconds: jitter + max(rest, configuration.minimumDispersion.seconds))
        let bound = TimeSpan.nanoseconds(rootDelay.nanoseconds / 2) + dispersion
        clock.claim(
            ClockClaim(
                bound: bound, growth: OnWireProtocol.tolerance, frequency: oscillatorFrequency), at: now)
        guard configuration.isServer, standing.stratum < 15 else { return }
        server = NTPServer(
            .init(
                stratum: standing.stratum + 1, precision: OnWireProtocol.precision, rootDelay: rootDelay,
                rootDispersion: dispersion, referenceID: UInt32(peer.server + 1), lastSet: now))
    }

    /// The oscillator's frequency error when the disciplined clock has none, parts per 10^12; nil while not measured.
    private var oscillatorFrequency: Int64? {
        guard let gain = discipline.frequency else { return nil }
        return Int64((-gain / (1 + gain) * 1e12).rounded(.toNearestOrAwayFromZero))
    }
}
