/// A report block of an RTCP sender or receiver report: how one source was received (RFC 3550 §6.4.1).
@frozen
public struct ReceptionReport: Hashable, Sendable, BitwiseCopyable {
    /// The source that the block is about.
    public var ssrc: UInt32
    /// Lost since the report before, in 1/256 of what was expected.
    public var fractionLost: UInt8
    /// Packets lost since reception began: expected less received, negative when duplicates outnumber losses. Sent in
    /// 24 bits: beyond -0x80_0000...0x7f_ffff the nearer end is written.
    public var cumulativeLost: Int32
    /// The highest sequence number received, with the count of its cycles above it.
    var extendedHighestSequenceNumber: UInt32
    /// In ticks of the source's RTP clock.
    public var interarrivalJitter: UInt32
    /// LSR: the middle 32 bits of the NTP timestamp in the last sender report; 0 before the first.
    public var lastSenderReport: UInt32 = 0
    /// DLSR: from then to this report, in 1/65536 s; 0 before the first.
    public var delaySinceLastSenderReport: UInt32 = 0

    /// Bytes of a report block.
    public static let length = 24

    /// A report of a source that has not reported itself.
    public init(
        ssrc: UInt32, fractionLost: UInt8, cumulativeLost: Int32, extendedHighestSequenceNumber: UInt32,
        interarrivalJitter: UInt32
    ) {
        self.ssrc = ssrc
        self.fractionLost = fractionLost
        self.cumulativeLost = cumulativeLost
        self.extendedHighestSequenceNumber = extendedHighestSequenceNumber
        self.interarrivalJitter = interarrivalJitter
    }

    /// Reads the 24 bytes at `offset`.
    ///
    /// - Throws: `truncated`.
    init(_ bytes: RawSpan, at offset: Int) throws(ParseError) {
        ssrc = try bytes.bigEndian(at: offset)
        let lost: UInt32 = try bytes.bigEndian(at: offset + 4)
        fractionLost = UInt8(lost >> 24)
        cumulativeLost = Int32(bitPattern: lost << 8) >> 8
        extendedHighestSequenceNumber = try bytes.bigEndian(at: offset + 8)
        interarrivalJitter = try bytes.bigEndian(at: offset + 12)
        lastSenderReport = try bytes.bigEndian(at: offset + 16)
        delaySinceLastSenderReport = try bytes.bigEndian(at: offset + 20)
    }

    func append(to bytes: inout [UInt8]) {
        let lost = min(max(cumulativeLost, -0x80_0000), 0x7f_ffff)
        bytes.appendBigEndian(ssrc)
        bytes.appendBigEndian(UInt32(fractionLost) << 24 | UInt32(bitPattern: lost) & 0xff_ffff)
        bytes.appendBigEndian(extendedHighestSequenceNumber)
        bytes.appendBigEndian(interarrivalJitter)
        bytes.appendBigEndian(lastSenderReport)
        bytes.appendBigEndian(delaySinceLastSenderReport)
    }
}
