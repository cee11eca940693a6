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
    private var draws: PacketDraws
    private var lossDraws: PacketDraws
    /// Whether the state alone does not tell what is lost.
    private let drawsLosses: Bool
    private var flows: [Memory] = []

    /// What is known of the chain near the latest step of a flow.
    private struct Memory: Sendable, BitwiseCopyable {
        var latest: Int64 = -1
        /// Of the 64 steps up to the latest, by number mod 64: whether the state is known, and whether it is bad.
        private var known: UInt64 = 0
        private var bad: UInt64 = 0
        /// Where runs are limited: a step asked for, and how many bad ones come right before it, if it is bad.
        var run: (number: Int64, length: Int) = (-1, 0)

        @inline(__always)
        func isBad(at number: Int64) -> Bool? {
            let bit: UInt64 = 1 &<< UInt64(truncatingIfNeeded: number)
            guard number <= latest, number > latest - 64, known & bit != 0 else { return nil }
            return bad & bit != 0
        }

        @inline(__always)
        mutating func note(_ isBad: Bool, at number: Int64) {
            guard number > latest - 64 else { return }
            if number > latest {
                let steps = number - latest
                // Those that were 64 steps before the new ones.
                let gone: UInt64 = steps < 64 ? 1 &<< UInt64(steps) &- 1 : .max
                let shift = UInt64(truncatingIfNeeded: latest &+ 1)
                known &= ~(gone &<< shift | gone &>> (64 &- shift & 63))
                latest = number
            }
            let bit: UInt64 = 1 &<< UInt64(truncatingIfNeeded: number)
            known |= bit
            bad = isBad ? bad | bit : bad & ~bit
        }
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
        draws = PacketDraws(key)
        lossDraws = PacketDraws(key.named("state"))
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
        draws = PacketDraws(key)
        lossDraws = PacketDraws(key.named("state"))
    }

    mutating func isLost(_ packet: Packet, at now: Instant) -> Bool {
        let flow = step == nil ? packet.flow : 0
        let number = step.map { max(0, now.nanoseconds) / max(1, $0.nanoseconds) } ?? Int64(packet.number)
        while flows.count <= Int(flow) { flows.append(Memory()) }
        let isBad = state(at: number, flow: flow)
        if let longestBurst, isBad {
            return run(before: number, flow: flow) % (longestBurst + 1) != longestBurst
        }
        guard drawsLosses else { return isBad }
        return (isBad ? lossBad : lossGood).isHit(by: lossDraws.draw(packet))
    }

    /// Bad steps right before a bad one, back to the nearest multiple of 2^20.
    private mutating func run(before number: Int64, flow: UInt16) -> Int {
        let known = flows[Int(flow)].run
        var (count, at) = (0, number)
        while at != known.number, at & (1 << 20 - 1) != 0, state(at: at - 1, flow: flow) {
            at -= 1
            count += 1
        }
        if at == known.number { count += known.length }
        flows[Int(flow)].run = (number, count)
        return count
    }

    /// The state at `number`: by its draw alone, or from the step before it; mostly one does.
    @inline(__always)
    private mutating func state(at number: Int64, flow: UInt16) -> Bool {
        if let known = flows[Int(flow)].isBad(at: number) { return known }
        let draw = draws.draw(flow: flow, number: number)
        let isBad: Bool
        if number & (1 << 20 - 1) == 0 {
            isBad = startsBad.isHit(by: draw)
        } else {
            let (fromGood, fromBad) = (goodToBad.isHit(by: draw), badStaysBad.isHit(by: draw))
            if fromGood == fromBad {
                isBad = fromGood
            } else {
                let wasBad = flows[Int(flow)].isBad(at: number - 1) ?? distantState(number - 1, flow: flow)
                isBad = wasBad ? fromBad : fromGood
            }
        }
        flows[Int(flow)].note(isBad, at: number)
        return isBad
    }

    /// The state at a step of which nothing is known: back to a draw that decides it alone, or to what is known, then
    /// forward again.
    @inline(never)
    private mutating func distantState(_ number: Int64, flow: UInt16) -> Bool {
        var start = number
        var isBad = false
        // Draws between the two thresholds leave the state as it was (or, where p > 1 − r, flip it).
        while true {
            if let known = flows[Int(flow)].isBad(at: start) {
                isBad = known
                break
            }
            let draw = draws.draw(flow: flow, number: start)
            let isStart = start & (1 << 20 - 1) == 0
            isBad = (isStart ? startsBad : goodToBad).isHit(by: draw)
            if isStart || isBad == badStaysBad.isHit(by: draw) { break }
            start -= 1
        }
        while start < number {
            start += 1
            let draw = draws.draw(flow: flow, number: start)
            isBad = isBad ? badStaysBad.isHit(by: draw) : goodToBad.isHit(by: draw)
            flows[Int(flow)].note(isBad, at: start)
        }
        return isBad
    }
}
