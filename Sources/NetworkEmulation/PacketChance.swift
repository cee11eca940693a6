import Timebase

/// Something that happens to some packets, each independently with one probability.
public struct PacketChance: Sendable {
    let probability: Probability
    let key: DrawKey

    public init(_ probability: Probability, key: DrawKey) {
        self.probability = probability
        self.key = key
    }

    func hits(_ packet: Packet) -> Bool {
        probability.isHit(by: key.draw(flow: packet.flow, number: Int64(packet.number), copy: packet.copy))
    }
}
