import Timebase

/// Which packets travel in no time, overtaking all that are on their way.
public struct EarlyPackets: Sendable {
    /// No packet is early.
    public static let none = EarlyPackets(share: .never)

    private let share: Probability
    private var draws = PacketDraws(DrawKey(seed: 0))

    /// - Parameter share: of the packets, each by itself.
    public init(share: Probability) { self.share = share }

    /// The same with draws of its own.
    func drawing(with key: DrawKey) -> EarlyPackets {
        var packets = self
        packets.draws = PacketDraws(key)
        return packets
    }

    var isNever: Bool { share.isNever }

    @inline(__always)
    mutating func hits(_ packet: Packet) -> Bool { share.isHit(by: draws.draw(packet)) }
}
