import Timebase

/// Which packets a link loses at random.
///
/// Every model is a pure function of the stage's draws and the packet's number in its flow (or of time), so what
/// happens to packet n does not depend on which other packets came this way.
public enum LossModel: Sendable {
    /// Nothing is lost.
    case none
    /// Independent losses with one probability.
    case bernoulli(PacketChance)
    /// Losses with one probability, whose normal scores are correlated from packet to packet.
    case correlated(CorrelatedLoss)
    /// A chain of two states (Gilbert, Elliott).
    case gilbertElliott(GilbertElliottLoss)
    /// A chain of four states (Salsano, Ludovici, Ordine, Giannuzzi: netem's `loss state`).
    case markov(MarkovLoss)
    /// Losses by a list: a pattern or a trace.
    case listed(ListedLoss)
    /// Every bit may be wrong, and a packet with a wrong bit is lost.
    case bitErrors(BitErrorLoss)
}

/// A loss model as a link holds it: each kind in a place of its own, so that asking it copies nothing.
struct LossStage: Sendable {
    private enum Kind: Sendable { case none, bernoulli, correlated, gilbertElliott, markov, listed, bitErrors }

    private var kind = Kind.none
    private var bernoulli = PacketChance(.never, key: DrawKey(seed: 0))
    private var correlated: CorrelatedLoss?
    private var gilbertElliott: GilbertElliottLoss?
    private var markov: MarkovLoss?
    private var listed: ListedLoss?
    private var bitErrors: BitErrorLoss?

    init(_ model: LossModel) {
        switch model {
        case .none: break
        case .bernoulli(let model): (kind, bernoulli) = (.bernoulli, model)
        case .correlated(let model): (kind, correlated) = (.correlated, model)
        case .gilbertElliott(let model): (kind, gilbertElliott) = (.gilbertElliott, model)
        case .markov(let model): (kind, markov) = (.markov, model)
        case .listed(let model): (kind, listed) = (.listed, model)
        case .bitErrors(let model): (kind, bitErrors) = (.bitErrors, model)
        }
    }

    /// Whether the link loses this packet, which is handed to it at `now`.
    @inline(__always)
    mutating func isLost(_ packet: Packet, at now: Instant) -> Bool {
        switch kind {
        case .none: false
        case .bernoulli: bernoulli.hits(packet)
        case .correlated: correlated?.isLost(packet) ?? false
        case .gilbertElliott: gilbertElliott?.isLost(packet, at: now) ?? false
        case .markov: markov?.isLost(packet) ?? false
        case .listed: listed?.isLost(packet) ?? false
        case .bitErrors: bitErrors?.isLost(packet) ?? false
        }
    }
}

/// Losses with one probability, each correlated with the next: a packet is lost when its draw, correlated as that of a
/// jitter (``DrawCorrelation``), lies below the probability, that is, its normal score below the probability's quantile.
///
/// So the share lost is the probability whatever the correlation, and two packets k apart are both lost with Φ2(z, z; ρ^k),
/// z being the quantile (netem's own correlated losses miss their rate). The normal law comes from tables, which put the share
/// off by less than a 10,000th of itself down to 10^-5, and by a 6,000th at 10^-6.
public struct CorrelatedLoss: Sendable {
    private let probability: Probability
    private var draws: DrawCorrelation

    /// - Parameters:
    ///   - probability: of each packet; 0 and 1 are exact.
    ///   - correlation: of neighbours' normal scores, ρ; -1...1, both ends excluded. That of the losses is less.
    public init(_ probability: Probability, correlation: Double, key: DrawKey) {
        self.probability = probability
        draws = DrawCorrelation(correlation, key: key)
    }

    mutating func isLost(_ packet: Packet) -> Bool {
        // In two steps, as within DrawCorrelation.
        let draw = draws.draw(packet)
        return probability.isHit(by: draw)
    }
}

/// A packet is lost when any of its bits is wrong, each with the same probability.
public struct BitErrorLoss: Sendable {
    /// By IP length in bytes, 0...65535.
    private let byLength: [Probability]
    private var key: DrawKey

    /// - Parameter rate: of a bit, 0...1. P(lost) = 1 − (1 − rate)^(8 · length).
    public init(rate: Double, key: DrawKey) {
        // Loss by loss and not survival by survival, which would cut the digits of small rates off.
        var byte = 0.0
        for _ in 0..<8 { byte += (1 - byte) * rate }
        var lost = 0.0
        byLength = (0...Int(UInt16.max)).map { length in
            if length > 0 { lost += (1 - lost) * byte }
            return Probability(lost)
        }
        self.key = key
    }

    /// The same model with draws of its own; the table is shared.
    public func drawing(with key: DrawKey) -> BitErrorLoss {
        var model = self
        model.key = key
        return model
    }

    func isLost(_ packet: Packet) -> Bool {
        let draw = key.draw(flow: packet.flow, number: Int64(packet.number), copy: packet.copy)
        return byLength[Int(packet.length)].isHit(by: draw)
    }
}

/// Exactly the packets of a list, or of a trace: nothing is drawn. Copies share their packet's fate.
public struct ListedLoss: Sendable {
    /// One bit a packet of the period, or up to the last one listed.
    private let bits: [UInt64]
    private let count: Int
    private let repeats: Bool
    /// Whether only the program's packets are listed, and all others let through.
    private let mediaOnly: Bool

    /// - Parameters:
    ///   - numbers: of packets in their flow, the first of which is 0; less than `period` if there is one.
    ///   - period: after so many packets the list begins again, 1...2^24; nil: never.
    ///   - mediaOnly: whether the program's packets alone are concerned; false: every flow's.
    /// - Returns: nil for numbers or a period out of range (numbers up to 2^24).
    public init?(_ numbers: [Int], repeatingEvery period: Int? = nil, mediaOnly: Bool = false) {
        let count = period ?? (numbers.max() ?? 0) + 1
        guard 1...(1 << 24) ~= count, numbers.allSatisfy({ 0..<count ~= $0 }) else { return nil }
        var bits = [UInt64](repeating: 0, count: (count + 63) / 64)
        for number in numbers { bits[number >> 6] |= 1 << UInt64(number & 63) }
        self.bits = bits
        self.count = count
        repeats = period != nil
        self.mediaOnly = mediaOnly
    }

    /// Reads what became of packet after packet: 0 where it came through, 1 where it was lost; one a line, or several with
    /// or without blanks or commas between them. `#` begins a comment.
    ///
    /// - Parameters:
    ///   - repeats: behind the last packet the trace begins again; false: nothing more is lost.
    ///   - mediaOnly: whether the program's packets alone are concerned; false: every flow's.
    public init(trace bytes: [UInt8], repeats: Bool = true, mediaOnly: Bool = false) throws(TraceProblem) {
        var numbers: [Int] = []
        var count = 0
        for (line, text) in TraceLines(bytes) {
            for (index, byte) in zip(text.indices, text.withoutComment) where ![0x20, 0x09, 0x2c].contains(byte) {
                guard byte == 0x30 || byte == 0x31 else {
                    throw TraceProblem(line: line, text[index...], expected: "0 or 1 for every packet")
                }
                guard count < 1 << 24 else {
                    throw TraceProblem(line: line, text, expected: "at most 16777216 packets")
                }
                if byte == 0x31 { numbers.append(count) }
                count += 1
            }
        }
        guard count > 0,
            let list = ListedLoss(numbers, repeatingEvery: repeats ? count : nil, mediaOnly: mediaOnly)
        else {
            throw TraceProblem(line: nil, expected: "at least one packet: 0 or 1")
        }
        self = list
    }

    func isLost(_ packet: Packet) -> Bool {
        guard !mediaOnly || packet.marks.contains(.media) else { return false }
        let index = repeats ? Int(packet.number) % count : Int(packet.number)
        return index < count && bits[index >> 6] >> UInt64(index & 63) & 1 == 1
    }
}
