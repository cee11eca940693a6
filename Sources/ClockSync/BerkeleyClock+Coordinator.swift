import Timebase
import Wire

/// The coordinator's part.
extension BerkeleyClock {
    /// Does what is due.
    mutating func coordinate(_ stage: Stage, at now: LocalInstant, _ endpoint: inout GroupEndpoint) {
        switch stage {
        case .resting(let end) where end <= now:
            round += 1
            uncorrected.removeAll()
            poll(BerkeleyRound(number: round, began: now), left: configuration.polling.trials, at: now, &endpoint)
        case .polling(let round, let next, let left) where next <= now:
            poll(round, left: left, at: now, &endpoint)
        case .waiting(let round, let end) where end <= now: finish(round, at: now, &endpoint)
        default: break
        }
    }

    private mutating func poll(
        _ round: BerkeleyRound, left: Int, at now: LocalInstant, _ endpoint: inout GroupEndpoint
    ) {
        let polling = configuration.polling
        var round = round
        round.poll(at: now)
        let isFirst = left == polling.trials
        // Who does not answer for long costs one message a round, until it does.
        let flows = endpoint.peers.indices.filter { isFirst || silences[$0, default: 0] < polling.dropAfter }
        endpoint.send(.poll(round: round.number, sent: now), to: flows)
        role = .coordinator(
            left > 1
                ? .polling(round, next: now + polling.spacing, left: left - 1)
                : .waiting(round, until: now + polling.timeout))
    }

    mutating func take(
        _ answer: GroupMessage.Answer, flow: Int, at now: LocalInstant, _ endpoint: inout GroupEndpoint
    ) {
        guard case .coordinator(var stage) = role else { return }
        let isUsed: Bool?
        switch stage {
        case .resting: return
        case .polling(var round, let next, let left):
            isUsed = round.take(answer, flow: flow, at: now)
            stage = .polling(round, next: next, left: left)
        case .waiting(var round, let end):
            isUsed = round.take(answer, flow: flow, at: now)
            stage = .waiting(round, until: end)
        }
        guard let isUsed else { return }
        role = .coordinator(stage)
        var exchange = ClockExchange(
            flow: flow, requestSent: answer.sent, requestReceived: answer.received, replySent: answer.answered,
            replyReceived: now)
        exchange.isUsed = isUsed
        endpoint.note(exchange)
    }

    private mutating func finish(_ round: BerkeleyRound, at now: LocalInstant, _ endpoint: inout GroupEndpoint) {
        for flow in endpoint.peers.indices {
            let silence = round.least[flow] == nil ? silences[flow, default: 0] + 1 : 0
            silences[flow] = silence
            if silence == configuration.polling.dropAfter { endpoint.note("drops \(endpoint.peers[flow])") }
        }
        let slewing = round.began < settled ? 2 * configuration.correction.slewRate : 0
        let corrections = round.corrections(
            range: configuration.range,
            .init(
                leastDelay: configuration.bounds.leastDelay, growth: 2 * configuration.bounds.drift + slewing),
            at: now)
        var next = round.began + configuration.polling.interval
        if !corrections.members.isEmpty {
            let members = corrections.members.sorted { $0.key < $1.key }
            let datagrams = endpoint.send(members.map { ($0.key, .correction($0.value)) })
            for (member, datagram) in zip(members, datagrams) {
                uncorrected[member.key] = Uncorrected(
                    datagram: datagram, attempts: Self.resends, deadline: now + configuration.polling.timeout)
            }
            // A step moves the next round with the clock.
            next = next + correct(corrections.own, age: now - round.began, at: now, &endpoint)
        }
        role = .coordinator(.resting(until: next))
    }

    /// Corrections that nobody has acknowledged may be lost; a member corrects its clock once however often they come.
    mutating func resend(at now: LocalInstant, _ endpoint: inout GroupEndpoint) {
        for flow in endpoint.peers.indices {
            guard var correction = uncorrected[flow], correction.deadline <= now else { continue }
            endpoint.resend(correction.datagram, flow: flow)
            correction.attempts -= 1
            correction.deadline = now + configuration.polling.timeout
            uncorrected[flow] = correction.attempts > 0 ? correction : nil
        }
    }
}
