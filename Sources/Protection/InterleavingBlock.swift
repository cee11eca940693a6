/// The block of an interleaver: datagrams are written into its rows and sent by its columns.
///
/// A place is a datagram's number in the multiplex, from 0; a slot is its turn on the wire, from 0. Both run on from
/// block to block. Of any b slots in a row at most ⌈b / rows⌉ belong to the same row of a block, so a burst of losses on
/// the wire leaves no more than that among the `columns` datagrams of a row, and those are neighbours in the multiplex.
public struct InterleavingBlock: Sendable, Hashable {
    /// Datagrams in a column, 2...100.
    public let rows: Int
    /// Datagrams in a row, 2...100.
    public let columns: Int

    /// What ``rows`` and ``columns`` may be. One row or one column changes nothing; 100 of each still have two times
    /// their lead, 19,602, within half of the 65,536 RTP sequence numbers, so that a receiver knows old from new.
    public static let sizes = 2...100

    /// - Precondition: both within ``sizes``.
    public init(rows: Int, columns: Int) {
        precondition(Self.sizes.contains(rows) && Self.sizes.contains(columns))
        self.rows = rows
        self.columns = columns
    }

    /// Datagrams in a block.
    var count: Int { rows * columns }

    /// The most that a place is ahead of its slot, and a slot of its place: (rows − 1) × (columns − 1).
    ///
    /// With slot k served when place k + lead is multiplexed, no datagram is missing on its turn, and none leaves the
    /// sender more than two times the lead after it was multiplexed: that is the whole latency, in datagrams.
    public var lead: Int { (rows - 1) * (columns - 1) }

    /// The place of the datagram whose turn a slot is.
    public func place(ofSlot slot: Int64) -> Int64 {
        let (block, turn) = slot.quotientAndRemainder(dividingBy: Int64(count))
        let (column, row) = turn.quotientAndRemainder(dividingBy: Int64(rows))
        return block * Int64(count) + row * Int64(columns) + column
    }

    /// The slot of a place: the inverse of ``place(ofSlot:)``.
    func slot(ofPlace place: Int64) -> Int64 {
        let (block, index) = place.quotientAndRemainder(dividingBy: Int64(count))
        let (row, column) = index.quotientAndRemainder(dividingBy: Int64(columns))
        return block * Int64(count) + column * Int64(rows) + row
    }

    /// How many datagrams are multiplexed between a place and its sending: 0 ... 2 × ``lead``.
    func hold(ofPlace place: Int64) -> Int { Int(slot(ofPlace: place) - place) + lead }
}
