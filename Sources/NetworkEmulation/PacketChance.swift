import Timebase

/// Something that happens to some packets, each independently with one probability.
public struct PacketChance: Sendable {
    private let probability: Probability
    private var draws: PacketDraws

    /// It happens with this probability, by the draws of this key.
    public init(_ probability: Probability, key: DrawKey) {
        self.probability = probability
        draws = PacketDraws(key)
    }

    var isNever: Bool { probability.isNever }

    @inline(__always)
    mutating func hits(_ packet: Packet) -> Bool { probability.isHit(by: draws.draw(packet)) }

    /// Which bit of its payload is changed in a packet that is hit and has one.
    func bit(of packet: Packet) -> Int {
        let draw = draws.key.named("bit").draw(flow: packet.flow, number: Int64(packet.number), copy: packet.copy)
        return Int(draw.multipliedFullWidth(by: UInt64(packet.payloadCount * 8)).high)
    }
}
