import Timebase

/// Netem's four-state loss: packets received in a gap (1), received within a burst (2), lost in a burst (3), and lost
/// alone (4). A packet meets the state that its own draw leads to.
///
/// The chain steps once per packet number of a flow. At every multiple of 4,096 its state is drawn anew from the
/// stationary law, so that a packet's fate is a function of its number and not of which packets came by; what is left
/// out of the longest bursts by that is their part beyond 4,096 packets.
public struct MarkovLoss: Sendable {
    private static let block: Int64 = 4_096
    private let p14: Probability
    private let p14Or13: Probability
    private let p23: Probability
    private let p32: Probability
    private let p32Or31: Probability
    /// P(state ≤ 1), P(state ≤ 2), P(state ≤ 3) of the stationary law.
    private let starts: (Probability, Probability, Probability)
    private let key: DrawKey
    private var memory = ChainMemory<UInt8>(empty: 1)

    /// The share of packets lost in the long run: π3 + π4.
    let lossRate: Double
    /// The share of losses among the packets of bursts: π3 / (π2 + π3).
    let burstDensity: Double

    /// - Parameters: the probabilities of the changes of state, 0...1 each, with p13 + p14 ≤ 1 and p31 + p32 ≤ 1.
    /// - Returns: nil for others, and for p31 or p23 of 0, from which no burst returns.
    public init?(p13: Double, p31: Double, p32: Double = 0, p23: Double = 1, p14: Double = 0, key: DrawKey) {
        guard [p13, p31, p32, p23, p14].allSatisfy({ 0...1 ~= $0 }), p13 + p14 <= 1, p31 + p32 <= 1 + 1e-12,
            p31 > 0, p23 > 0
        else { return nil }
        self.key = key
        self.p14 = Probability(p14)
        p14Or13 = Probability(p14 + p13)
        self.p23 = Probability(p23)
        self.p32 = Probability(p32)
        p32Or31 = Probability(p32 + p31)
        let burst = p13 / p31
        let pause = burst * p32 / p23
        let first = 1 / (1 + pause + burst + p14)
        starts = (
            Probability(first), Probability(first * (1 + pause)), Probability(first * (1 + pause + burst))
        )
        lossRate = first * (burst + p14)
        burstDensity = burst > 0 ? burst / (pause + burst) : 1
    }

    /// The chain by what is seen of it (the "general and intuitive" inputs of Salsano and others).
    ///
    /// - Parameters:
    ///   - loss: share of all packets lost.
    ///   - meanBurst: mean length of a burst, the packets received within it counted.
    ///   - burstDensity: share of a burst's packets that are lost.
    ///   - isolatedLoss: share of packets lost alone.
    ///   - meanGoodRun: mean length of a run of packets received within a burst.
    /// - Returns: nil where they contradict each other.
    public init?(
        loss: Double, meanBurst: Double, burstDensity: Double = 1, isolatedLoss: Double = 0, meanGoodRun: Double = 1,
        key: DrawKey
    ) {
        guard isolatedLoss < 1, burstDensity > loss, meanBurst >= 1, meanGoodRun >= 1, loss >= isolatedLoss else {
            return nil
        }
        self.init(
            p13: (loss - isolatedLoss) / (meanBurst * (1 - isolatedLoss) * (burstDensity - loss)),
            p31: 1 / (meanBurst * burstDensity), p32: (1 - burstDensity) / (burstDensity * meanGoodRun),
            p23: 1 / meanGoodRun, p14: isolatedLoss / (1 - isolatedLoss), key: key)
    }

    mutating func isLost(_ packet: Packet) -> Bool {
        let number = Int64(packet.number)
        let first = number & ~(Self.block - 1)
        var (at, state) = memory.nearest(to: number, from: first, flow: packet.flow) ?? (first - 1, 1)
        while at < number {
            at += 1
            let draw = key.draw(flow: packet.flow, number: at)
            state = at == first ? start(draw) : next(state, draw)
            memory.note(state, at: at, flow: packet.flow)
        }
        return state >= 3
    }

    private func start(_ draw: UInt64) -> UInt8 {
        if starts.0.isHit(by: draw) { return 1 }
        if starts.1.isHit(by: draw) { return 2 }
        return starts.2.isHit(by: draw) ? 3 : 4
    }

    private func next(_ state: UInt8, _ draw: UInt64) -> UInt8 {
        switch state {
        case 1: p14.isHit(by: draw) ? 4 : p14Or13.isHit(by: draw) ? 3 : 1
        case 2: p23.isHit(by: draw) ? 3 : 2
        case 3: p32.isHit(by: draw) ? 2 : p32Or31.isHit(by: draw) ? 1 : 3
        default: 1
        }
    }
}
