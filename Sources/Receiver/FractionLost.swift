/// The share of packets lost from one report to the next (RFC 3550 §6.4.1, §A.3), for whoever sends the reports.
public struct FractionLost: Sendable, BitwiseCopyable {
    private var expectedBefore: Int64 = 0
    private var receivedBefore: Int64 = 0

    public init() {}

    /// The share in 1/256, cut, 0 where more came than was expected; begins a new interval.
    ///
    /// - Parameters:
    ///   - expected: packets expected since the first, as ``ReceptionStatistics/expected``.
    ///   - received: packets received since the first, as ``ReceptionStatistics/received``.
    public mutating func take(expected: Int64, received: Int64) -> UInt8 {
        let expectedInterval = expected - expectedBefore
        let lostInterval = expectedInterval - (received - receivedBefore)
        expectedBefore = expected
        receivedBefore = received
        guard expectedInterval > 0, lostInterval > 0 else { return 0 }
        return UInt8(min(255, (lostInterval << 8) / expectedInterval))
    }
}
