import Timebase

/// Which packets a link loses at random.
///
/// Every model is a pure function of the stage's draws and the packet's number in its flow, so what happens to packet n
/// does not depend on which other packets came this way.
public enum LossModel: Sendable {
    case none
    case bernoulli(BernoulliLoss)
    case gilbertElliott(GilbertElliottLoss)

    /// Whether the link loses this packet.
    mutating func isLost(_ packet: Packet) -> Bool {
        switch self {
        case .none: return false
        case .bernoulli(let model): return model.isLost(packet)
        case .gilbertElliott(var model):
            // Moved out and back in, so that the cache inside has one owner while it changes.
            self = .none
            let isLost = model.isLost(packet)
            self = .gilbertElliott(model)
            return isLost
        }
    }
}

/// Independent losses with one probability.
public struct BernoulliLoss: Sendable {
    let probability: Probability
    let key: DrawKey

    public init(_ probability: Probability, key: DrawKey) {
        self.probability = probability
        self.key = key
    }

    func isLost(_ packet: Packet) -> Bool {
        probability.isHit(by: key.draw(flow: packet.flow, number: Int64(packet.number), copy: packet.copy))
    }
}

/// Bursty losses: Gilbert's two-state chain, a packet lost whenever the chain is in its bad state.
///
/// The chain steps once per packet number of a flow, whether or not that packet comes by, and starts in its stationary
/// law. Its state at packet n is a function of the draws up to n alone: one draw u moves both states at once (good to
/// bad where u < p; bad stays bad where u < 1 − r), so the state is known as soon as a draw is met that sends both the
/// same way, looking back from n. Consecutive packets need one step each. So that the way back is bounded, the state at
/// packet 0 and at every multiple of 2^20 is drawn anew from the stationary law, which ends bursts and gaps of a
/// million packets.
public struct GilbertElliottLoss: Sendable {
    /// A draw below this takes the good state to the bad one.
    let goodToBad: Probability
    /// A draw below this keeps the bad state bad: 1 − r.
    let badStaysBad: Probability
    /// A draw below this begins bad.
    let startsBad: Probability
    let key: DrawKey
    /// Per flow: the latest packet number asked for and whether the chain was bad there.
    var latest: [(number: Int64, isBad: Bool)?] = []

    /// The chain with a given share of lost packets and mean length of a run of losses.
    ///
    /// r = 1 / meanBurst and p = r × loss / (1 − loss), from the stationary law π(bad) = p / (p + r).
    ///
    /// - Precondition: 0 ≤ loss < 1, meanBurst ≥ 1, and p ≤ 1, that is meanBurst ≥ loss / (1 − loss).
    public init(loss: Double, meanBurst: Double, key: DrawKey) {
        let badToGood = 1 / meanBurst
        goodToBad = Probability(badToGood * loss / (1 - loss))
        badStaysBad = Probability(1 - badToGood)
        startsBad = Probability(loss)
        self.key = key
    }

    mutating func isLost(_ packet: Packet) -> Bool {
        let flow = Int(packet.flow)
        while latest.count <= flow { latest.append(nil) }
        let number = Int64(packet.number)
        let isBad = state(at: number, flow: packet.flow, known: latest[flow])
        latest[flow] = (number, isBad)
        return isBad
    }

    /// The state at `number`: back to a draw that decides it alone (or to what is known), then forward again.
    func state(at number: Int64, flow: UInt16, known: (number: Int64, isBad: Bool)?) -> Bool {
        guard !goodToBad.isNever else { return false }
        var start = number
        var isBad = false
        // Draws between the two thresholds leave the state as it was (or, where p > 1 − r, flip it).
        while true {
            if let known, known.number == start {
                isBad = known.isBad
                break
            }
            let draw = key.draw(flow: flow, number: start)
            if start & (1 << 20 - 1) == 0 {
                isBad = startsBad.isHit(by: draw)
                break
            }
            let fromGood = goodToBad.isHit(by: draw)
            if fromGood == badStaysBad.isHit(by: draw) {
                isBad = fromGood
                break
            }
            start -= 1
        }
        while start < number {
            start += 1
            let draw = key.draw(flow: flow, number: start)
            let threshold = start & (1 << 20 - 1) == 0 ? startsBad : isBad ? badStaysBad : goodToBad
            isBad = threshold.isHit(by: draw)
        }
        return isBad
    }
}
