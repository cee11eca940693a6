import Timebase
import Wire

/// The Berkeley algorithm as TEMPO has it (Gusella and Zatti 1989): a coordinator, which any member can be, asks all for
/// their clocks, takes a fault-tolerant average with its own, and sends each its correction.
///
/// It brings clocks to the group's mean and knows nothing of true time: the mean's own drift stays. Members that miss the
/// coordinator elect another.
public struct BerkeleyClock: GroupParty {
    enum Role {
        case member
        case coordinator(Stage)
    }

    enum Stage {
        case resting(until: LocalInstant)
        /// The next poll of the round, and how many more after it.
        case polling(BerkeleyRound, next: LocalInstant, left: Int)
        /// For the last answers.
        case waiting(BerkeleyRound, until: LocalInstant)
    }

    struct Uncorrected {
        var datagram: [UInt8]
        var attempts: Int
        var deadline: LocalInstant
    }

    /// How often a correction is sent again before the next round.
    static var resends: Int { 3 }

    let configuration: Configuration
    var role: Role
    /// Nil: not known, since a crash.
    var coordinator: UInt16?
    var election: any CoordinatorElection
    /// When it is missed, unless it is heard.
    var missed: LocalInstant
    /// The latest round that was heard of.
    var round: UInt32 = 0
    /// The coordinator's: in how many rounds in a row each member has not answered, by flow.
    var silences: [Int: Int] = [:]
    /// The coordinator's: corrections that are not acknowledged, by flow.
    var uncorrected: [Int: Uncorrected] = [:]
    /// A member's: the round that it was last asked in and when first.
    var asked: (round: UInt32, at: LocalInstant)?
    var correctedRound: UInt32?
    /// Until when slews may be under way anywhere in the group.
    var settled: LocalInstant
    /// To be claimed once they are not.
    var nextClaim: (at: LocalInstant, claim: ClockClaim)?
    var isStopped = false

    init(_ configuration: Configuration, _ endpoint: GroupEndpoint, start: LocalInstant) {
        self.configuration = configuration
        let first = configuration.succession.first ?? endpoint.members.last
        coordinator = first
        role = first == endpoint.id ? .coordinator(.resting(until: start)) : .member
        switch configuration.succession.election {
        case .bully(let timeout): election = BullyElection(timeout: timeout)
        case .ring(let timeout, let attempts): election = RingElection(timeout: timeout, attempts: attempts)
        }
        missed = start + configuration.succession.timeout
        settled = start
    }

    var nextTimeout: LocalInstant {
        guard !isStopped else { return .distantFuture }
        var next = min(election.nextTimeout, nextClaim?.at ?? .distantFuture)
        switch role {
        case .member: next = min(next, missed)
        case .coordinator(.resting(let time)), .coordinator(.polling(_, let time, _)),
            .coordinator(.waiting(_, let time)):
            next = min(next, time, uncorrected.values.map(\.deadline).min() ?? .distantFuture)
        }
        return next
    }

    mutating func handle(
        _ message: GroupMessage, flow: Int, at now: LocalInstant, _ endpoint: inout GroupEndpoint
    ) {
        switch message.body {
        case .poll(let round, let sent):
            guard accept(message.stamp.node, flow: flow, at: now, &endpoint) else { return }
            if asked?.round != round { asked = (round, now) }
            self.round = max(self.round, round)
            endpoint.send(.answer(.init(round: round, sent: sent, received: now, answered: now)), to: [flow])
        case .corrected(let round): if round == self.round { uncorrected[flow] = nil }
        case .answer(let answer): take(answer, flow: flow, at: now, &endpoint)
        case .correction(let correction):
            guard message.stamp.node == coordinator else { return }
            endpoint.send(.corrected(round: correction.round), to: [flow])
            guard correctedRound.map({ correction.round > $0 }) ?? true else { return }
            let age = asked.flatMap { $0.round == correction.round ? now - $0.at : nil }
            correct(correction, age: age, at: now, &endpoint)
        default:
            election.handle(message, flow: flow, at: now, &endpoint)
            takeResult(at: now, &endpoint)
        }
    }

    /// Whether who polls is the coordinator. The greatest id is where several take themselves for it.
    private mutating func accept(
        _ node: UInt16, flow: Int, at now: LocalInstant, _ endpoint: inout GroupEndpoint
    ) -> Bool {
        if case .coordinator = role, node < endpoint.id {
            endpoint.send(.coordinator, to: [flow])
            return false
        }
        guard coordinator.map({ node >= $0 }) ?? true else { return false }
        if node != coordinator { follow(node, &endpoint) }
        missed = now + configuration.succession.timeout
        election.cancel()
        return true
    }

    mutating func handleTimeout(at now: LocalInstant, _ endpoint: inout GroupEndpoint) {
        guard !isStopped else { return }
        if let claim = nextClaim, claim.at <= now {
            nextClaim = nil
            endpoint.claim(claim.claim)
        }
        election.handleTimeout(at: now, &endpoint)
        takeResult(at: now, &endpoint)
        switch role {
        case .member where missed <= now:
            missed = now + configuration.succession.timeout
            endpoint.note("the coordinator is missed")
            election.begin(at: now, &endpoint)
            takeResult(at: now, &endpoint)
        case .member: break
        case .coordinator(let stage):
            resend(at: now, &endpoint)
            coordinate(stage, at: now, &endpoint)
        }
    }

    private mutating func takeResult(at now: LocalInstant, _ endpoint: inout GroupEndpoint) {
        guard let elected = election.takeResult() else { return }
        missed = now + configuration.succession.timeout
        if elected != endpoint.id {
            follow(elected, &endpoint)
        } else if case .member = role {
            coordinator = elected
            role = .coordinator(.resting(until: now))
            silences.removeAll()
            endpoint.note("is the coordinator")
        }
    }

    private mutating func follow(_ node: UInt16, _ endpoint: inout GroupEndpoint) {
        guard coordinator != node else { return }
        coordinator = node
        role = .member
        // Another coordinator counts rounds of its own.
        (asked, correctedRound) = (nil, nil)
        endpoint.note("follows \(node)")
    }

    /// Adjusts the own clock and claims what comes of it.
    ///
    /// - Parameter age: how long ago the clock was measured, at most; nil: not known.
    /// - Returns: by what the clock has been stepped.
    @discardableResult
    mutating func correct(
        _ correction: GroupMessage.Correction, age: TimeSpan?, at now: LocalInstant,
        _ endpoint: inout GroupEndpoint
    ) -> TimeSpan {
        let adjustment = configuration.correction.adjustment(by: correction.amount, isFirst: correction.round == 1)
        correctedRound = correction.round
        endpoint.adjust(adjustment)
        var shift = TimeSpan.zero
        if case .step(let amount) = adjustment { shift = amount }
        missed = missed + shift
        // The others' corrections come a little sooner or later, and later still if they are lost on the way.
        settled =
            now + shift + configuration.slewDuration(correction)
            + configuration.polling.timeout * Int64(Self.resends + 1)
        let bound = age.flatMap { age in correction.bound.map { $0 + configuration.growth(over: age) } }
        var claim = ClockClaim(reference: .group, bound: bound, growth: 2 * configuration.bounds.drift)
        nextClaim = nil
        if let bound {
            nextClaim = (settled, claim.after(settled - now - shift))
            // All are still where they were, or on their way.
            claim.bound = bound + max(correction.amount, -correction.amount) + correction.largest
        }
        endpoint.claim(claim)
        return shift
    }

    mutating func stop() { isStopped = true }

    mutating func restart(at now: LocalInstant) {
        role = .member
        coordinator = nil
        silences.removeAll()
        uncorrected.removeAll()
        asked = nil
        correctedRound = nil
        nextClaim = nil
        election.cancel()
        missed = election.beginsAtRestart ? now : now + configuration.succession.timeout
        settled = now
    }
}

extension ClockClaim {
    /// The same claim so much later.
    fileprivate func after(_ span: TimeSpan) -> ClockClaim {
        var claim = self
        claim.bound = bound.map {
            $0 + max(.zero, span).scaled(partsPerBillion: growth)
        }
        return claim
    }
}
