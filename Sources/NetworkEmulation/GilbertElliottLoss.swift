import Timebase

/// Bursty losses: the two-state chain of Gilbert and Elliott, a packet lost with the probability of the state it meets.
///
/// The chain steps once per packet number of a flow, whether or not that packet comes by, or once per span of time for
/// all flows together; it starts in its stationary law. Its state at step n is a function of the draws up to n alone:
/// one draw u moves both states at once (good to bad where u < p; bad stays bad where u < 1 − r), so the state is known
/// as soon as a draw is met that sends both the same way, looking back from n. Consecutive packets need one step each.
/// So that the way back is bounded, the state at step 0 and at every multiple of 2^20 is drawn anew from the stationary
/// law, which ends bursts and gaps of a million steps.
public struct GilbertElliottLoss: Sendable {
    /// A draw below this takes the good state to the bad one.
    let goodToBad: Probability
    /// A draw below this keeps the bad state bad: 1 − r.
    let badStaysBad: Probability
    /// A draw below this begins bad.
    let startsBad: Probability
    /// What is lost in each state.
    private let lossBad: Probability
    private let lossGood: Probability
    /// Losses in a row after which one packet of a bad run gets through.
    let longestBurst: Int?
    /// The chain's step in time; nil: it steps with packets.
    let step: TimeSpan?
    let key: DrawKey
    let lossKey: DrawKey
    /// Whether the state alone does not tell what is lost.
    private let drawsLosses: Bool
    /// Per flow: the latest step asked for and the chain there.
    private var latest: [Position] = []

    private struct Position: Sendable, BitwiseCopyable {
        /// -1: nothing is known.
        var number: Int64 = -1
        var isBad = false
        /// Bad steps right before this one, when it is bad and runs are limited.
        var run = 0
    }

    /// The chain with a given share of lost packets and mean length of a run of losses.
    ///
    /// r = 1 / meanBurst and p = r × loss / (1 − loss), from the stationary law π(bad) = p / (p + r).
    ///
    /// - Parameters:
    ///   - longestBurst: at most so many losses in a row, at least 1: of a longer run every (longestBurst + 1)-th packet
    ///     gets through, which lowers the share lost by the factor 1 − q^m (1 − q) / (1 − q^(m + 1)) with
    ///     q = 1 − 1 / meanBurst and m = longestBurst.
    ///   - step: the chain's step in time; `meanBurst` counts steps then, and copies and flows share their fate.
    /// - Precondition: 0 ≤ loss < 1, meanBurst ≥ 1, and p ≤ 1, that is meanBurst ≥ loss / (1 − loss).
    public init(loss: Double, meanBurst: Double, longestBurst: Int? = nil, step: TimeSpan? = nil, key: DrawKey) {
        let badToGood = 1 / meanBurst
        goodToBad = Probability(badToGood * loss / (1 - loss))
        badStaysBad = Probability(1 - badToGood)
        startsBad = Probability(loss)
        lossBad = .always
        lossGood = .never
        drawsLosses = false
        self.longestBurst = longestBurst
        self.step = step
        self.key = key
        lossKey = key.named("state")
    }

    /// The chain by its transitions, with a share lost of (r · lossGood + p · lossBad) / (p + r).
    ///
    /// - Parameters:
    ///   - goodToBad: p, 0...1.
    ///   - badToGood: r, 0...1, not 0 together with p.
    ///   - lossBad: the share lost in the bad state: 1 − h of netem's `gemodel`.
    ///   - lossGood: the share lost in the good one: its 1 − k.
    public init(
        goodToBad p: Double, badToGood r: Double, lossBad: Double = 1, lossGood: Double = 0, step: TimeSpan? = nil,
        key: DrawKey
    ) {
        goodToBad = Probability(p)
        badStaysBad = Probability(1 - r)
        startsBad = Probability(p + r > 0 ? p / (p + r) : 0)
        self.lossBad = Probability(lossBad)
        self.lossGood = Probability(lossGood)
        drawsLosses = lossBad < 1 || lossGood > 0
        longestBurst = nil
        self.step = step
        self.key = key
        lossKey = key.named("state")
    }

    mutating func isLost(_ packet: Packet, at now: Instant) -> Bool {
        let flow = step == nil ? packet.flow : 0
        let number = step.map { max(0, now.nanoseconds) / max(1, $0.nanoseconds) } ?? Int64(packet.number)
        while latest.count <= Int(flow) { latest.append(Position()) }
        let known = latest[Int(flow)]
        let isBad = state(at: number, flow: flow, known)
        let run = isBad && longestBurst != nil ? run(before: number, flow: flow, known) : 0
        latest[Int(flow)] = Position(number: number, isBad: isBad, run: run)
        if let longestBurst, isBad { return run % (longestBurst + 1) != longestBurst }
        guard drawsLosses else { return isBad }
        return (isBad ? lossBad : lossGood).isHit(
            by: lossKey.draw(flow: packet.flow, number: Int64(packet.number), copy: packet.copy))
    }

    /// Bad steps right before `number`, back to the nearest multiple of 2^20.
    private func run(before number: Int64, flow: UInt16, _ known: Position) -> Int {
        if known.number == number { return known.run }
        var count = 0
        var at = number
        while at & (1 << 20 - 1) != 0 {
            at -= 1
            if known.number == at { return known.isBad ? count + known.run + 1 : count }
            guard state(at: at, flow: flow, Position()) else { break }
            count += 1
        }
        return count
    }

    /// The state at `number`: by its draw alone, or from what is known of the step before it; mostly one does.
    @inline(__always)
    private func state(at number: Int64, flow: UInt16, _ known: Position) -> Bool {
        if known.number == number { return known.isBad }
        let draw = key.draw(flow: flow, number: number)
        if number & (1 << 20 - 1) == 0 { return startsBad.isHit(by: draw) }
        let (fromGood, fromBad) = (goodToBad.isHit(by: draw), badStaysBad.isHit(by: draw))
        if fromGood == fromBad { return fromGood }
        let wasBad = known.number == number - 1 ? known.isBad : distantState(at: number - 1, flow: flow, known)
        return wasBad ? fromBad : fromGood
    }

    /// Back to a draw that decides the state alone (or to what is known), then forward again.
    @inline(never)
    private func distantState(at number: Int64, flow: UInt16, _ known: Position) -> Bool {
        var start = number
        var isBad = false
        // Draws between the two thresholds leave the state as it was (or, where p > 1 − r, flip it).
        while true {
            if known.number == start {
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
            isBad = isBad ? badStaysBad.isHit(by: draw) : goodToBad.isHit(by: draw)
        }
        return isBad
    }
}
