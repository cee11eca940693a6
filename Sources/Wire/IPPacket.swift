/// Where a packet's parts lie, as its IP headers tell: IPv4 (RFC 791) and IPv6 with extension headers (RFC 8200).
///
/// For packets that others captured: checksums are not judged, because senders often leave them to the hardware behind
/// the capture point, and a packet may be cut by the capture's snapshot length.
@frozen
public struct IPPacket: Hashable, Sendable, BitwiseCopyable {
    /// What a fragment says of itself (RFC 791 §3.1, RFC 8200 §4.5).
    @frozen
    public struct Fragment: Hashable, Sendable, BitwiseCopyable {
        /// What the fragments of one packet share; 16 bits in IPv4, 32 in IPv6.
        public var identification: UInt32
        /// Where its payload lies in the whole, bytes; a multiple of 8.
        public var offset: Int
        /// Whether fragments follow behind this one.
        public var moreFollow: Bool
    }

    /// Whose address it comes from.
    public var source: IPAddress
    /// Whose address it goes to.
    public var destination: IPAddress
    /// The protocol of the payload: UDP is 17.
    public var payloadProtocol: UInt8
    /// The differentiated services code point, 0...63.
    public var differentiatedServices: UInt8
    /// Nil for a packet in one piece.
    public var fragment: Fragment?
    /// Bytes of the whole packet, headers included, as its header says.
    public var length: Int
    /// Where the payload begins, bytes from the packet's start.
    public var payloadOffset: Int

    /// Bytes of payload as the header says; more than are there when the capture cut the packet.
    public var payloadCount: Int { length - payloadOffset }

    /// The number of UDP.
    @inlinable public static var udp: UInt8 { 17 }
    /// The number of TCP.
    @inlinable public static var tcp: UInt8 { 6 }

    /// Reads the headers of the packet with which `bytes` begin.
    ///
    /// - Parameter originalCount: the packet's bytes on the wire, with whatever filling follows: of packets whose header
    ///   says length 0, because the network card was to cut them (segmentation offload), it is the length.
    /// - Throws: `truncated` when the headers do not end within the bytes, `unsupportedVersion`, `badLength`.
    public init(parsing bytes: RawSpan, originalCount: Int) throws(ParseError) {
        let first: UInt8 = try bytes.bigEndian(at: 0)
        switch first >> 4 {
        case 4: try self.init(v4: bytes, first, originalCount)
        case 6: try self.init(v6: bytes, originalCount)
        default: throw .unsupportedVersion
        }
    }

    private init(v4 bytes: RawSpan, _ first: UInt8, _ originalCount: Int) throws(ParseError) {
        let header = 4 * Int(first & 15)
        guard header >= 20 else { throw .badLength }
        guard bytes.byteCount >= header else { throw .truncated }
        let total = Int(bytes.loaded(UInt16.self, at: 2))
        length = total == 0 ? originalCount : total
        guard length >= header else { throw .badLength }
        payloadOffset = header
        differentiatedServices = bytes.loaded(UInt8.self, at: 1) >> 2
        let flags: UInt16 = bytes.loaded(at: 6)
        let offset = Int(flags & 0x1fff) * 8
        fragment =
            offset == 0 && flags & 0x2000 == 0
            ? nil
            : Fragment(
                identification: UInt32(bytes.loaded(UInt16.self, at: 4)), offset: offset,
                moreFollow: flags & 0x2000 != 0)
        payloadProtocol = bytes.loaded(at: 9)
        source = IPAddress(IPv4Address(rawValue: bytes.loaded(at: 12)))
        destination = IPAddress(IPv4Address(rawValue: bytes.loaded(at: 16)))
    }

    private init(v6 bytes: RawSpan, _ originalCount: Int) throws(ParseError) {
        guard bytes.byteCount >= 40 else { throw .truncated }
        let word: UInt32 = bytes.loaded(at: 0)
        differentiatedServices = UInt8(truncatingIfNeeded: word >> 22) & 63
        let count = Int(bytes.loaded(UInt16.self, at: 4))
        source = IPAddress(high: bytes.loaded(at: 8), low: bytes.loaded(at: 16))
        destination = IPAddress(high: bytes.loaded(at: 24), low: bytes.loaded(at: 32))
        payloadProtocol = bytes.loaded(at: 6)
        payloadOffset = 40
        // 0 is a jumbogram (RFC 2675) or an offloaded packet.
        length = count == 0 ? originalCount : 40 + count
        fragment = nil
        while try takeExtension(bytes) {}
        guard length >= payloadOffset else { throw .badLength }
    }

    /// Steps over an extension header; false when what follows is the payload.
    private mutating func takeExtension(_ bytes: RawSpan) throws(ParseError) -> Bool {
        let kind = payloadProtocol
        switch kind {
        // Hop-by-hop, routing, destination options, mobility, HIP, Shim6: length in words of 8, the first not counted.
        case 0, 43, 60, 135, 139, 140:
            payloadProtocol = try bytes.bigEndian(at: payloadOffset)
            payloadOffset += 8 + 8 * Int(try bytes.bigEndian(UInt8.self, at: payloadOffset + 1))
        // Authentication (RFC 4302): in words of 4, the first two not counted.
        case 51:
            payloadProtocol = try bytes.bigEndian(at: payloadOffset)
            payloadOffset += 8 + 4 * Int(try bytes.bigEndian(UInt8.self, at: payloadOffset + 1))
        case 44:
            guard fragment == nil else { throw .badLength }
            let flags: UInt16 = try bytes.bigEndian(at: payloadOffset + 2)
            let found = Fragment(
                identification: try bytes.bigEndian(at: payloadOffset + 4), offset: Int(flags & 0xfff8),
                moreFollow: flags & 1 != 0)
            payloadProtocol = try bytes.bigEndian(at: payloadOffset)
            payloadOffset += 8
            // An atomic fragment is a packet in one piece (RFC 6946).
            if found.offset > 0 || found.moreFollow { fragment = found }
            // What follows the fragment header belongs to the whole, not to this piece.
            return fragment == nil
        default: return false
        }
        return true
    }
}

/// The header of a UDP datagram (RFC 768).
@frozen
public struct UDPHeader: Hashable, Sendable, BitwiseCopyable {
    /// The sender's port; 0: none.
    public var sourcePort: UInt16
    /// The receiver's port.
    public var destinationPort: UInt16
    /// Bytes of payload as the header says.
    public var payloadCount: Int
    /// 0: there is none.
    @usableFromInline var checksum: UInt16

    /// Bytes.
    @inlinable public static var length: Int { 8 }

    /// Reads the datagram with which `bytes` begin.
    ///
    /// - Parameter datagramCount: the bytes that the IP packet has for it; the length when the header says 0.
    /// - Throws: `truncated`, `badLength` when the header says more than the packet holds.
    @inlinable
    public init(parsing bytes: RawSpan, datagramCount: Int) throws(ParseError) {
        guard bytes.byteCount >= Self.length else { throw .truncated }
        sourcePort = bytes.loaded(at: 0)
        destinationPort = bytes.loaded(at: 2)
        let count = Int(bytes.loaded(UInt16.self, at: 4))
        let length = count == 0 ? datagramCount : count
        guard length >= Self.length, length <= datagramCount else { throw .badLength }
        payloadCount = length &- Self.length
        checksum = bytes.loaded(at: 6)
    }

    /// Whether the checksum, if there is one, is right for a datagram that is all there (RFC 768, RFC 8200 §8.1).
    public func checksumFits(_ datagram: RawSpan, source: IPAddress, destination: IPAddress) -> Bool {
        guard checksum != 0 else { return true }
        var sum = InternetChecksum()
        for word in [source.high, source.low, destination.high, destination.low] {
            sum.add(UInt32(truncatingIfNeeded: word >> 32))
            sum.add(UInt32(truncatingIfNeeded: word))
        }
        sum.add(17 as UInt16)
        sum.add(UInt32(Self.length + payloadCount))
        datagram.extracting(0..<Self.length + payloadCount).withUnsafeBytes { sum.add($0) }
        return sum.checksum == 0
    }
}
