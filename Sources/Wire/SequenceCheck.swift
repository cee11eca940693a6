/// Whether an RTP packet's number can be believed (RFC 3550 §A.1): one that jumps far can, once the packet behind it goes
/// on from there.
public struct SequenceCheck: Sendable, BitwiseCopyable {
    /// MAX_DROPOUT: a step of more numbers than these is a jump.
    public static let maximumDropout: Int64 = 3_000
    /// MAX_MISORDER: a step back by more numbers than these is one.
    public static let maximumMisorder: Int64 = 100

    /// What a packet is by its number.
    public enum Verdict: Sendable {
        /// It stands about where the stream is.
        case goesOn
        /// It stands far from there, and nothing confirms it yet.
        case jumps
        /// It goes on from the packet before, which had jumped: both are to be believed.
        case confirms
    }

    /// bad_seq: the number that would confirm the jump of the packet before.
    private var confirmation: UInt16?

    public init() {}

    /// Takes the next packet's number.
    ///
    /// - Parameter isFar: whether it lies far from the numbers that are believed.
    public mutating func take(_ sequenceNumber: UInt16, isFar: Bool) -> Verdict {
        let isConfirmation = sequenceNumber == confirmation
        confirmation = isFar && !isConfirmation ? sequenceNumber &+ 1 : nil
        if isConfirmation { return .confirms }
        return isFar ? .jumps : .goesOn
    }
}
