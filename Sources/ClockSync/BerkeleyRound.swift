import Timebase
import Wire

/// One round of a Berkeley coordinator: what it has measured of each member's clock, and the corrections.
struct BerkeleyRound: Sendable {
    /// How well members' clocks are known.
    struct Uncertainty {
        /// What a message takes at least.
        var leastDelay: TimeSpan
        /// How fast two clocks may drift apart while they are measured, parts per billion.
        var growth: Int64
    }

    let number: UInt32
    let began: LocalInstant
    /// When polls were sent: an answer to none of them is not one.
    private var polls: [LocalInstant] = []
    /// Of each member, by flow: the least (its reading - ours) on the way out and (ours - its reading) on the way back.
    ///
    /// Each direction's minimum is taken separately, as the best packet of one need not be that of the other.
    private(set) var least: [Int: (out: TimeSpan, back: TimeSpan)] = [:]

    init(number: UInt32, began: LocalInstant) {
        self.number = number
        self.began = began
    }

    /// A poll is sent.
    mutating func poll(at now: LocalInstant) { polls.append(now) }

    /// Takes an answer.
    ///
    /// - Returns: whether it was the best yet in one of the directions; nil: it is none to a poll of this round.
    mutating func take(_ answer: GroupMessage.Answer, flow: Int, at now: LocalInstant) -> Bool? {
        guard answer.round == number, polls.contains(answer.sent) else { return nil }
        let out = answer.received - answer.sent
        let back = now - answer.answered
        guard let former = least[flow] else {
            least[flow] = (out, back)
            return true
        }
        least[flow] = (min(out, former.out), min(back, former.back))
        return out < former.out || back < former.back
    }

    /// A member's clock minus the coordinator's, by flow.
    var differences: [Int: TimeSpan] {
        least.mapValues { .nanoseconds(($0.out - $0.back).nanoseconds / 2) }
    }

    /// How far a member's difference may be from the truth.
    private func error(_ least: (out: TimeSpan, back: TimeSpan), _ uncertainty: Uncertainty, _ age: TimeSpan)
        -> TimeSpan
    {
        let span = max(.zero, .nanoseconds((least.out + least.back).nanoseconds / 2 + 1) - uncertainty.leastDelay)
        return span + age.scaled(partsPerBillion: uncertainty.growth)
    }

    /// The corrections, of the members by flow and of the coordinator itself, and their bounds against the mean of those
    /// that are corrected.
    func corrections(
        range: TimeSpan, _ uncertainty: Uncertainty, at now: LocalInstant
    ) -> (members: [Int: GroupMessage.Correction], own: GroupMessage.Correction) {
        let differences = differences
        let mean = FaultTolerantAverage(Array(differences.values), range: range).mean
        let errors = least.mapValues { error($0, uncertainty, max(.zero, now - began)) }
        // A member ends at the mean less the error of its difference, the group less the mean error of all.
        let sum = errors.values.reduce(0 as Int128) { $0 + Int128($1.nanoseconds) }
        let group = TimeSpan.nanoseconds(Int64(sum / Int128(errors.count + 1)) + 1)
        let amounts = differences.mapValues { mean - $0 }
        let largest = (amounts.values + [mean]).map { max($0, -$0) }.max() ?? .zero
        func correction(_ amount: TimeSpan, _ error: TimeSpan) -> GroupMessage.Correction {
            .init(round: number, amount: amount, bound: error + group, largest: largest)
        }
        let members = amounts.map { flow, amount in (flow, correction(amount, errors[flow] ?? .zero)) }
        return (Dictionary(uniqueKeysWithValues: members), correction(mean, .zero))
    }
}
