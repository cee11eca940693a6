/// What a link layer adds to an IP packet: bytes on every packet, and cells.
public struct LinkLayer: Sendable, Hashable, BitwiseCopyable {
    let overhead: Int
    let cellPayload: Int
    let cellLength: Int

    /// - Parameters:
    ///   - overhead: bytes added to every packet; may be negative, a packet never counts less than nothing.
    ///   - cell: payload and header bytes of the cells that a packet is cut into, the last one filled up.
    init(overhead: Int, cell: (payload: Int, header: Int)? = nil) {
        self.overhead = overhead
        cellPayload = max(0, cell?.payload ?? 0)
        cellLength = cellPayload + (cell?.header ?? 0)
    }

    /// The rate counts IP packets.
    public static let none = LinkLayer(overhead: 0)
    /// Preamble 8, header 14, check sequence 4, gap 12 (IEEE 802.3).
    public static let ethernet = LinkLayer(overhead: 38)
    /// Cells of 48 bytes with headers of 5 (ITU-T I.361); what an adaptation layer adds is not counted, as netem does.
    public static let atm = LinkLayer(overhead: 0, cell: (48, 5))

    /// The four bytes that a packet has more in a tunnel device, as Mahimahi counts it.
    public static let tunnel = LinkLayer(overhead: 4)

    /// Bits that an IP packet of `length` bytes takes on the wire.
    @inlinable
    func bits(length: UInt16) -> UInt64 { UInt64(bytes(length: length)) &* 8 }

    @usableFromInline
    func bytes(length: UInt16) -> Int {
        let bytes = max(0, Int(length) + overhead)
        guard cellPayload > 0 else { return bytes }
        return (bytes + cellPayload - 1) / cellPayload * cellLength
    }
}
