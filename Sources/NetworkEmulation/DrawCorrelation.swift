import Timebase

/// Draws that are uniform each and correlated from packet to packet: the Gaussian copula of an autoregressive process of
/// the first order, so that any law looked up with them keeps its shape.
///
/// z(n) = ρ z(n − 1) + √(1 − ρ²) e(n) with e standard normal, and the draw is Φ(z). A normal law then has
/// autocorrelation ρ^k at lag k, a uniform one 6/π · asin(ρ^k / 2); others lie near. Every 4,096 packets z begins anew from
/// its stationary law, so that a packet's draw is a function of its number and not of which packets came by; this
/// takes 1/4096 of the correlation at lag one.
struct DrawCorrelation: Sendable {
    private static let block: Int64 = 4_096
    /// z's unit is 2^-24.
    private static let unitBits = 24
    private var draws: PacketDraws
    /// ρ and √(1 − ρ²) in 2^-32.
    private let keep: Int64
    private let renew: Int64
    private let normal = Self.standardNormal
    private let tails = Self.upperTails

    /// With a deviation of z's unit.
    private static let standardNormal = QuantileTable.normal(deviation: .nanoseconds(1 << unitBits))
    /// 2^64 times the normal law's upper tail at multiples of 2^-7, from 0; 2^63 first.
    private static let upperTails: [UInt64] = (0..<(8 << 7)).map { index in
        UInt64(min(NormalDistribution.upperTail(Double(index) / 128) * 0x1p64, 0x1p63))
    }
    /// z at the latest packets themselves; copies have a z of their own.
    private var memory = ChainMemory<Int64>(empty: 0)

    /// - Parameter correlation: ρ; -1...1, both ends excluded.
    init(_ correlation: Double, key: DrawKey) {
        precondition(correlation > -1 && correlation < 1)
        draws = PacketDraws(key)
        keep = Int64((correlation * 0x1p32).rounded())
        renew = Int64(((1 - correlation * correlation).squareRoot() * 0x1p32).rounded())
    }

    mutating func draw(_ packet: Packet) -> UInt64 {
        let number = Int64(packet.number)
        let first = number & ~(Self.block - 1)
        if packet.copy == 0 {
            if let known = memory.state(at: number, flow: packet.flow) { return uniform(known) }
            if number > first, let before = memory.state(at: number - 1, flow: packet.flow) {
                let z = step(before, fresh(packet.flow, number, copy: 0))
                memory.note(z, at: number, flow: packet.flow)
                return uniform(z)
            }
        }
        // In two steps: within one, what does not mutate would get a copy of all (measured).
        let z = score(packet, from: first)
        return uniform(z)
    }

    /// z(n) of any packet, in 2^-24.
    ///
    /// - Parameter first: the packet that the process begins anew with.
    private mutating func score(_ packet: Packet, from first: Int64) -> Int64 {
        let flow = packet.flow
        let number = Int64(packet.number)
        var (at, z) =
            memory.nearest(to: packet.copy == 0 ? number : number - 1, from: first, flow: flow) ?? (first - 1, 0)
        while at < number {
            at += 1
            let copy = at == number ? packet.copy : 0
            let fresh = fresh(flow, at, copy: copy)
            z = at == first ? fresh : step(z, fresh)
            if copy == 0 { memory.note(z, at: at, flow: flow) }
        }
        return z
    }

    /// e(n).
    @inline(__always)
    private mutating func fresh(_ flow: UInt16, _ number: Int64, copy: UInt8) -> Int64 {
        let draw = draws.draw(flow: flow, number: number, copy: copy)
        return normal.value(at: draw)
    }

    @inline(__always)
    private func step(_ z: Int64, _ fresh: Int64) -> Int64 { (keep * z + renew * fresh) >> 32 }

    /// 2^64 · Φ(z).
    private func uniform(_ z: Int64) -> UInt64 {
        let magnitude = min(z.magnitude, (8 << UInt64(Self.unitBits)) - (2 << UInt64(Self.unitBits - 7)))
        let index = Int(magnitude >> UInt64(Self.unitBits - 7))
        let within = magnitude & (1 << UInt64(Self.unitBits - 7) - 1)
        let step = tails[index] - tails[index + 1]
        let tail = tails[index] - step.multipliedFullWidth(by: within << UInt64(64 - (Self.unitBits - 7))).high
        return z < 0 ? tail : 0 &- tail
    }
}
