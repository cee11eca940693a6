/// A UDP datagram over IPv4 (RFC 768, RFC 791) in an Ethernet II frame without its check sequence: the headers' fields.
@frozen
public struct UDPFrame: Hashable, Sendable, BitwiseCopyable {
    /// Who sends it.
    public var source: Endpoint
    /// Who gets it, which may be a group.
    public var destination: Endpoint
    /// The differentiated services code point (RFC 2474), 0...63.
    public var differentiatedServices: UInt8
    /// Explicit congestion notification (RFC 3168), 0...3.
    var congestionNotification: UInt8
    /// IPv4's identification.
    public var identification: UInt16
    /// Hops that it may make, 1...255.
    public var timeToLive: UInt8 = 64
    /// Where the payload begins, bytes from the frame's start.
    public let payloadOffset: Int
    /// Bytes of UDP payload; 0 in a header to write.
    public let payloadCount: Int

    /// Bytes of the headers that ``write(to:payload:)`` writes: Ethernet 14, IPv4 20, UDP 8.
    @inlinable public static var headerLength: Int { 42 }
    /// The most bytes of UDP payload in an IPv4 packet.
    @inlinable public static var maximumPayloadCount: Int { 65_507 }

    /// A header to write.
    public init(
        source: Endpoint, destination: Endpoint, differentiatedServices: UInt8 = 0, congestionNotification: UInt8 = 0,
        identification: UInt16 = 0
    ) {
        self.source = source
        self.destination = destination
        self.differentiatedServices = differentiatedServices
        self.congestionNotification = congestionNotification
        self.identification = identification
        payloadOffset = Self.headerLength
        payloadCount = 0
    }

    /// Where the payload lies in the frame.
    public var payloadRange: Range<Int> { payloadOffset..<payloadOffset + payloadCount }

    /// Writes the frame: headers with their checksums, and the payload behind them. "Don't fragment" is set, and the
    /// Ethernet addresses are those of ``MACAddress/init(for:)``.
    ///
    /// - Parameters:
    ///   - frame: at least 42 bytes more than the payload; it may already hold the payload in its place.
    ///   - payload: at most 65,507 bytes.
    ///   - originalSum: of a payload that was changed on the way, the sum of what it was, so that the checksum written is
    ///     the sender's and no longer fits; see ``InternetChecksum/sum``.
    /// - Returns: the frame's length in bytes.
    @discardableResult
    public func write(
        to frame: UnsafeMutableRawBufferPointer, payload: UnsafeRawBufferPointer, originalSum: UInt16? = nil
    ) -> Int {
        let length = Self.headerLength + payload.count
        precondition(payload.count <= Self.maximumPayloadCount && frame.count >= length)
        writeEthernet(to: frame)
        writeIPv4(to: frame, payloadCount: payload.count)
        let udpLength = UInt16(8 + payload.count)
        frame.store(source.port, at: 34)
        frame.store(destination.port, at: 36)
        frame.store(udpLength, at: 38)
        var checksum = InternetChecksum()
        checksum.add(source.address.rawValue)
        checksum.add(destination.address.rawValue)
        checksum.add(17 as UInt16)
        checksum.add(udpLength)
        checksum.add(source.port)
        checksum.add(destination.port)
        checksum.add(udpLength)
        if let originalSum { checksum.add(originalSum) } else { checksum.add(payload) }
        // 0 would say that there is no checksum; all ones is the same sum (RFC 768).
        frame.store(checksum.checksum == 0 ? 0xffff : checksum.checksum, at: 40)
        UnsafeMutableRawBufferPointer(rebasing: frame[Self.headerLength..<length]).copyMemory(from: payload)
        return length
    }

    private func writeEthernet(to frame: UnsafeMutableRawBufferPointer) {
        let destination = MACAddress(for: destination.address).rawValue
        let source = MACAddress(for: source.address).rawValue
        frame.store(UInt32(destination >> 16), at: 0)
        frame.store(UInt16(truncatingIfNeeded: destination), at: 4)
        frame.store(UInt32(source >> 16), at: 6)
        frame.store(UInt16(truncatingIfNeeded: source), at: 10)
        frame.store(0x0800 as UInt16, at: 12)
    }

    private func writeIPv4(to frame: UnsafeMutableRawBufferPointer, payloadCount: Int) {
        frame.store(0x45 as UInt8, at: 14)
        frame.store((differentiatedServices & 63) << 2 | congestionNotification & 3, at: 15)
        frame.store(UInt16(28 + payloadCount), at: 16)
        frame.store(identification, at: 18)
        frame.store(0x4000 as UInt16, at: 20)
        frame.store(timeToLive, at: 22)
        frame.store(17 as UInt8, at: 23)
        frame.store(0 as UInt16, at: 24)
        frame.store(source.address.rawValue, at: 26)
        frame.store(destination.address.rawValue, at: 30)
        var checksum = InternetChecksum()
        checksum.add(UnsafeRawBufferPointer(rebasing: frame[14..<34]))
        frame.store(checksum.checksum, at: 24)
    }

    /// Reads a frame and checks its lengths and checksums. What follows the IPv4 packet is Ethernet's filling.
    ///
    /// - Throws: `truncated` when the packet does not end within the bytes; `notRecognized` when it is not Ethernet II,
    ///   IPv4, UDP, or is a fragment; `unsupportedVersion` when the packet says another version of IP; `badLength` when
    ///   lengths contradict each other; `badChecksum`. A UDP checksum of 0 is none.
    public init(parsing bytes: RawSpan) throws(ParseError) {
        guard try bytes.bigEndian(UInt16.self, at: 12) == 0x0800 else { throw .notRecognized }
        let first: UInt8 = try bytes.bigEndian(at: 14)
        guard first >> 4 == 4 else { throw .unsupportedVersion }
        let headerLength = 4 * Int(first & 15)
        let length = Int(try bytes.bigEndian(UInt16.self, at: 16))
        guard headerLength >= 20, length >= headerLength else { throw .badLength }
        guard length <= bytes.byteCount - 14 else { throw .truncated }
        let packet = bytes.extracting(14..<14 + length)
        guard Self.checksum(packet.extracting(0..<headerLength)) == 0 else { throw .badChecksum }
        guard packet.loaded(UInt8.self, at: 9) == 17, packet.loaded(UInt16.self, at: 6) & 0x3fff == 0 else {
            throw .notRecognized
        }
        guard length >= headerLength + 8 else { throw .badLength }
        let udpLength = Int(packet.loaded(UInt16.self, at: headerLength + 4))
        guard udpLength >= 8, udpLength <= length - headerLength else { throw .badLength }
        let services: UInt8 = packet.loaded(at: 1)
        source = Endpoint(
            address: IPv4Address(rawValue: packet.loaded(at: 12)), port: packet.loaded(at: headerLength))
        destination = Endpoint(
            address: IPv4Address(rawValue: packet.loaded(at: 16)), port: packet.loaded(at: headerLength + 2))
        differentiatedServices = services >> 2
        congestionNotification = services & 3
        identification = packet.loaded(at: 4)
        timeToLive = packet.loaded(at: 8)
        payloadOffset = 14 + headerLength + 8
        payloadCount = udpLength - 8
        let datagram = packet.extracting(headerLength..<headerLength + udpLength)
        guard datagram.loaded(UInt16.self, at: 6) == 0 || checksum(ofDatagram: datagram) == 0 else {
            throw .badChecksum
        }
    }

    private static func checksum(_ bytes: RawSpan) -> UInt16 {
        var checksum = InternetChecksum()
        bytes.withUnsafeBytes { checksum.add($0) }
        return checksum.checksum
    }

    /// Over the pseudo header, too; 0 when the datagram's own checksum is right.
    private func checksum(ofDatagram datagram: RawSpan) -> UInt16 {
        var checksum = InternetChecksum()
        checksum.add(source.address.rawValue)
        checksum.add(destination.address.rawValue)
        checksum.add(17 as UInt16)
        checksum.add(UInt16(truncatingIfNeeded: datagram.byteCount))
        datagram.withUnsafeBytes { checksum.add($0) }
        return checksum.checksum
    }
}
