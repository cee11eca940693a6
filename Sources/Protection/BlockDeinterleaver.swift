import Timebase

/// The receiver's end: says how long the sender held a datagram.
///
/// More is not needed: the playout buffer restores the order by sequence number. All it takes is that every release is
/// put off by ``span``, and that the arrival of the datagram by which the clock of releases is set is taken back by its
/// own ``hold(sequenceNumber:)``. Blocks are counted from the session's first sequence number, which the description of
/// the session tells, as RTP-Info does (RFC 7826 §18.45): datagrams lost at the beginning move no block.
public struct BlockDeinterleaver: Sendable, Hashable {
    /// The block and the latency, as the sender has them.
    public var configuration: InterleavingConfiguration
    /// The sequence number of place 0.
    public let firstSequenceNumber: UInt16

    /// For a session whose datagram at place 0 has the given sequence number.
    public init(_ configuration: InterleavingConfiguration, firstSequenceNumber: UInt16) {
        self.configuration = configuration
        self.firstSequenceNumber = firstSequenceNumber
    }

    /// By how much the release of every datagram is put off.
    public var span: TimeSpan { configuration.longestSpan }

    /// How many sequence numbers a datagram may be behind the latest one, by the interleaver alone.
    public var reach: Int { 2 * configuration.block.lead }

    /// How long the sender held a datagram: exact at constant rate, else the least that it can have been, so that no
    /// release comes too early by it.
    ///
    /// - Parameter number: of one of the first 65,536 datagrams; of a later one the block is not known, as sequence
    ///   numbers have wrapped.
    public func hold(sequenceNumber number: UInt16) -> TimeSpan {
        configuration.leastTime(datagrams: configuration.block.hold(ofPlace: Int64(number &- firstSequenceNumber)))
    }
}
