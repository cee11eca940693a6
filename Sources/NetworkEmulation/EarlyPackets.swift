import Timebase

/// Which packets travel in no time, overtaking all that are on their way: each by itself, or, with a gap as netem's, each
/// that at least `gap` − 1 others lie before since the latest early one.
///
/// With a gap the packets of a flow are a renewal process: gap − 1 are delayed, the next goes early with the share asked
/// for, or else the one behind it, and so on; then it begins again, as it does at packet 0. So gap − 1 + 1 / share packets
/// lie between early ones in the mean, and with a share of 1 just every gap-th is early. A packet's fate is a function of
/// its number: it is found by looking back in the draws to gap − 1 misses in a row, behind which any packet may go. Where
/// there are none, the way back is bounded: every 4,096 gaps' packets the process begins anew, which takes less than
/// 1/4096 of the early ones.
public struct EarlyPackets: Sendable {
    /// No packet is early.
    public static let none = EarlyPackets(share: .never)

    private let share: Probability
    private let gap: Int64
    private var draws = PacketDraws(DrawKey(seed: 0))
    /// At a packet, the latest early one up to it.
    private var memory = ChainMemory<Int64>(empty: 0)

    /// - Parameters:
    ///   - share: of the packets that may go early.
    ///   - gap: how many packets lie at least from one early packet to the next, at least 1; 1: each is by itself.
    public init(share: Probability, gap: Int = 1) {
        self.share = share
        self.gap = Int64(max(1, gap))
    }

    /// The same with draws of its own.
    func drawing(with key: DrawKey) -> EarlyPackets {
        var packets = self
        packets.draws = PacketDraws(key)
        return packets
    }

    var isNever: Bool { share.isNever }

    @inline(__always)
    mutating func hits(_ packet: Packet) -> Bool {
        gap == 1 ? share.isHit(by: draws.draw(packet)) : hitsBehindGap(packet)
    }

    @inline(never)
    private mutating func hitsBehindGap(_ packet: Packet) -> Bool {
        let number = Int64(packet.number)
        let first = number - number % (4_096 * gap)
        guard packet.copy > 0 else { return latest(upTo: number, from: first, packet.flow) == number }
        // A copy does not count as a packet; it may go where its packet might.
        return number - latest(upTo: number - 1, from: first, packet.flow) >= gap
            && share.isHit(by: draws.draw(packet))
    }

    /// The latest early packet up to one; of those too far behind to matter, any.
    ///
    /// - Parameter first: the packet that the process begins anew with.
    /// - Complexity: O(1) for packets in order.
    private mutating func latest(upTo number: Int64, from first: Int64, _ flow: UInt16) -> Int64 {
        guard number >= first else { return first - 1 }
        // Where all hit, no way back would end before the first.
        if share.isHit(by: .max) { return number - (number + 1) % gap }
        var (at, latest) = memory.nearest(to: number, from: first, flow: flow) ?? decided(number, from: first, flow)
        while at < number {
            at += 1
            if at - latest >= gap, isHit(at, flow) { latest = at }
            memory.note(latest, at: at, flow: flow)
        }
        return latest
    }

    /// The end of the nearest gap − 1 misses in a row, behind which no early packet matters any more; or before the first.
    private mutating func decided(_ number: Int64, from first: Int64, _ flow: UInt16) -> (Int64, Int64) {
        var (at, misses) = (number + 1, 0 as Int64)
        while at > first {
            at -= 1
            misses = isHit(at, flow) ? 0 : misses + 1
            if misses == gap - 1 { return (at + gap - 2, at - 1) }
        }
        return (first - 1, first - 1)
    }

    @inline(__always)
    private mutating func isHit(_ number: Int64, _ flow: UInt16) -> Bool {
        let draw = draws.draw(flow: flow, number: number)
        return share.isHit(by: draw)
    }
}
