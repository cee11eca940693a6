import Timebase

/// What an NTP client keeps of one server: polling, reachability, samples (RFC 5905 §9, §13).
struct NTPAssociation: Sendable {
    private let polls: ClosedRange<Int8>
    private let hasInitialBurst: Bool
    private var wire = OnWireProtocol()
    private var filter = ClockFilter()
    private(set) var standing: ServerStanding?
    private(set) var nextPoll: LocalInstant
    /// A bit for each of the latest eight polls, set when it was answered.
    private var reach: UInt8 = 0
    private var unreachablePolls = 0
    private var burst = 0
    /// When, behind a burst, the poll is due that it has put off.
    private var afterBurst: LocalInstant?
    private var exponent: Int8
    private var least: Int8
    private var isStopped = false

    /// BCOUNT and BTIME
    private static let burstCount = 8
    private static let burstInterval = TimeSpan.seconds(2)
    /// UNREACH, as ntpd has it: from then on the interval grows.
    private static let unreachableLimit = 10

    init(_ configuration: NTPClient.Configuration, start: LocalInstant) {
        polls = configuration.polls
        hasInitialBurst = configuration.hasInitialBurst
        exponent = polls.lowerBound
        least = polls.lowerBound
        nextPoll = start
    }

    /// Whether more requests of a burst, or their answers, are to come: until then nothing is selected.
    var isInBurst: Bool { burst > 0 }

    /// The request that is due, and when the next is; nil where a burst is over, whose last answer may be lost.
    mutating func poll(system: Int8, at now: LocalInstant, _ clock: SteeredClock) -> [UInt8]? {
        if let afterBurst {
            nextPoll = afterBurst
            self.afterBurst = nil
            return nil
        }
        let wasInBurst = burst > 0
        if wasInBurst { burst -= 1 } else { shiftReach(system: system) }
        let interval = ClockDiscipline.interval(exponent)
        let short = min(interval, Self.burstInterval)
        nextPoll = isStopped ? .distantFuture : now + (burst > 0 ? short : interval)
        if wasInBurst, burst == 0, short < interval, !isStopped { (afterBurst, nextPoll) = (nextPoll, now + short) }
        return wire.request(poll: exponent, at: now, clock)
    }

    private mutating func shiftReach(system: Int8) {
        reach <<= 1
        if reach & 7 == 0 { filter.shift(in: nil) }
        if reach != 0 {
            unreachablePolls = 0
            exponent = max(system, least)
            return
        }
        if unreachablePolls == 0 {
            if hasInitialBurst { burst = Self.burstCount - 1 }
        } else if unreachablePolls > Self.unreachableLimit {
            exponent = min(exponent + 1, polls.upperBound)
        }
        unreachablePolls += 1
    }

    /// Takes a datagram on the server's flow.
    ///
    /// - Returns: the exchange that it ends; nil for what the sanity tests put aside.
    mutating func handle(
        _ payload: RawSpan, flow: Int, at now: LocalInstant, _ clock: SteeredClock
    ) -> ClockExchange? {
        switch wire.handle(payload, flow: flow, at: now, clock) {
        case .accepted(let reply):
            reach |= 1
            standing = reply.standing
            filter.shift(in: reply.sample)
            return reply.exchange
        case .kiss(let code): obey(code)
        case .rejected: break
        }
        return nil
    }

    /// §7.4: RATE asks for a longer interval, DENY and RSTR for silence.
    private mutating func obey(_ code: UInt32) {
        switch code {
        case 0x5241_5445: (least, burst) = (min(least + 1, polls.upperBound), 0)
        case 0x4445_4e59, 0x5253_5452: stop()
        default: break
        }
    }

    mutating func stop() {
        isStopped = true
        burst = 0
        afterBurst = nil
        nextPoll = .distantFuture
    }

    /// - Returns: whether the filter has something new.
    mutating func update(at now: ClockFilter.View, poll: Int8) -> Bool {
        filter.renew(at: now, poll: ClockDiscipline.interval(max(poll, exponent)))
    }

    /// What the filter says now; nil before the first answer.
    func estimate(at now: ClockFilter.View) -> ClockFilter.Estimate? {
        filter.estimate(at: now)
    }

    /// The clock was stepped.
    ///
    /// - Parameter isJump: because it or the servers had jumped, so that samples from before are worthless.
    mutating func move(by amount: TimeSpan, isJump: Bool) {
        if nextPoll != .distantFuture { nextPoll = nextPoll + amount }
        afterBurst = afterBurst.map { $0 + amount }
        if isJump { filter.clear() }
    }

    /// The server, if it may be believed (§11.2.1): it was heard of lately and its root distance is within the limit.
    func candidate(
        _ index: Int, at now: ClockFilter.View, maximumDistance: Double
    ) -> ClockSelection.Candidate? {
        guard reach != 0, let standing, let present = estimate(at: now) else { return nil }
        let distance =
            (standing.rootDelay.seconds + present.delay) / 2 + standing.rootDispersion.seconds + present.dispersion
            + present.jitter
        guard distance <= maximumDistance else { return nil }
        return ClockSelection.Candidate(
            server: index, offset: present.offset, rootDistance: distance, jitter: present.jitter,
            metric: Double(standing.stratum) * maximumDistance + distance)
    }
}
