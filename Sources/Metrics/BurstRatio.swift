/// How much losses come in bursts: BurstR of ITU-T G.107 §7.5, the mean length of the runs of lost packets over that of
/// losses by chance, which is 1 / (1 − Ppl).
public struct BurstRatio: Equatable, Sendable {
    /// Packets counted.
    public private(set) var count: Int64 = 0
    /// Of them, those lost.
    public private(set) var lost: Int64 = 0
    /// Runs of lost packets.
    private var runs: Int64 = 0
    private var isInRun = false

    public init() {}

    /// Takes the next packet in the order sent.
    public mutating func add(isLost: Bool) {
        count += 1
        if isLost {
            lost += 1
            if !isInRun { runs += 1 }
        }
        isInRun = isLost
    }

    /// The share of packets lost, 0...1; nil without packets.
    public var loss: Double? { count > 0 ? Double(lost) / Double(count) : nil }

    /// 1 of losses by chance, more where they come together; nil without a loss, and where nothing else came.
    public var value: Double? {
        guard lost > 0, lost < count, let loss else { return nil }
        return Double(lost) / Double(runs) * (1 - loss)
    }
}
