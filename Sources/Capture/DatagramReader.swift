import Timebase
import Wire

/// A UDP datagram of a capture: everything but its payload.
public struct Datagram: Sendable {
    /// Nanoseconds since 1970 by the clock that captured.
    public var instant: Instant
    /// Whose IP address and UDP port it came from.
    public var source: SocketAddress
    /// Whose IP address and UDP port it goes to.
    public var destination: SocketAddress
    /// 0...63.
    public var differentiatedServices: UInt8
    /// Bytes of payload on the wire; the capture may have fewer.
    public var payloadCount: Int
    /// Bytes of its IP packet, headers included; of a fragmented one as if it had come in one piece.
    public var ipCount: Int

    public init(
        instant: Instant, source: SocketAddress, destination: SocketAddress, differentiatedServices: UInt8,
        payloadCount: Int, ipCount: Int
    ) {
        self.instant = instant
        self.source = source
        self.destination = destination
        self.differentiatedServices = differentiatedServices
        self.payloadCount = payloadCount
        self.ipCount = ipCount
    }
}

/// Reads the UDP datagrams of a capture: link headers, IPv4 and IPv6, fragments put together.
///
/// What is no UDP is counted in the reader's ``CaptureReader/input`` by its reason.
public final class DatagramReader {
    /// The capture's packets; whoever reads datagrams does not read these beside.
    public let reader: CaptureReader
    /// The datagram read last.
    public private(set) var datagram = Datagram(
        instant: .zero, source: SocketAddress(address: IPAddress(IPv4Address(rawValue: 0)), port: 0),
        destination: SocketAddress(address: IPAddress(IPv4Address(rawValue: 0)), port: 0),
        differentiatedServices: 0, payloadCount: 0, ipCount: 0)

    private let filter: CaptureFilter?
    private let checksChecksums: Bool
    private var fragments = FragmentBuffer()
    /// Where the payload lies in the captured packet, or in `assembled` when that is not nil.
    private var payload = 0..<0
    private var assembled: [UInt8]?

    /// - Parameters:
    ///   - filter: what packets must pass to be looked at; nil for all.
    ///   - checksChecksums: whether datagrams with a wrong UDP checksum are passed over, as a receiver's network stack
    ///     does. Those that a sender captured on its own way out may have one that its network card was to fill in.
    public init(_ reader: CaptureReader, filter: CaptureFilter? = nil, checksChecksums: Bool = false) {
        self.reader = reader
        self.filter = filter
        self.checksChecksums = checksChecksums
    }

    /// Reads on to the next datagram; false at the end.
    ///
    /// - Throws: ``SystemError``.
    public func next() throws(SystemError) -> Bool {
        while try reader.next() {
            assembled = nil
            if let filter, !reader.withBytes({ filter.matches(reader.packet, $0) }) { continue }
            if let reason = reader.withBytes({ take($0) }) {
                reader.input.skip(reason)
            } else if !payload.isEmpty || datagram.payloadCount == 0 {
                return true
            }
        }
        var abandoned: Int64 = 0
        fragments.finish(&abandoned)
        if abandoned > 0 { reader.input.skip(.fragmentIncomplete, abandoned) }
        return false
    }

    /// Lends what the capture has of the payload.
    public func withPayload<Result>(_ body: (RawSpan) -> Result) -> Result {
        if let assembled {
            return assembled.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[payload]).bytes) }
        }
        return reader.withBytes { body($0.extracting(payload)) }
    }

    /// Reads a captured packet into `datagram` and `payload`, empty when it is not complete; why it is skipped.
    private func take(_ bytes: RawSpan) -> SkipReason? {
        let packet = reader.packet
        payload = 0..<0
        datagram.payloadCount = -1
        switch packet.linkType.network(in: bytes) {
        case .other: return .notIP
        case .truncated: return .truncatedPacket
        case .unsupported: return .unsupportedLinkType
        case .ip(let offset):
            guard offset < bytes.byteCount else { return .truncatedPacket }
            return takeIP(bytes, at: offset, originalCount: packet.originalCount - offset)
        }
    }

    private func takeIP(_ bytes: RawSpan, at offset: Int, originalCount: Int) -> SkipReason? {
        let span = bytes.extracting(offset..<bytes.byteCount)
        let ip: IPPacket
        do throws(ParseError) {
            ip = try IPPacket(parsing: span, originalCount: originalCount)
        } catch {
            switch error {
            case .truncated: return .truncatedPacket
            // Ethernet's filling, or something that only begins like IP.
            case .unsupportedVersion: return .notIP
            default: return .badIPHeader
            }
        }
        guard ip.payloadProtocol == IPPacket.udp else { return .notUDP }
        guard ip.payloadOffset <= span.byteCount else { return .truncatedPacket }
        let end = min(ip.length, span.byteCount)
        guard let fragment = ip.fragment else {
            return takeUDP(
                span.extracting(ip.payloadOffset..<end), ip, datagramCount: ip.payloadCount,
                at: offset + ip.payloadOffset)
        }
        var abandoned: Int64 = 0
        let whole = fragments.add(
            ip, fragment, span.extracting(ip.payloadOffset..<end), at: reader.packet.instant, abandoned: &abandoned)
        if abandoned > 0 { reader.input.skip(.fragmentIncomplete, abandoned) }
        guard let whole else { return nil }
        assembled = whole
        return whole.withUnsafeBytes { takeUDP($0.bytes, ip, datagramCount: whole.count, at: 0) }
    }

    private func takeUDP(_ bytes: RawSpan, _ ip: IPPacket, datagramCount: Int, at offset: Int) -> SkipReason? {
        let header: UDPHeader
        do throws(ParseError) {
            header = try UDPHeader(parsing: bytes, datagramCount: datagramCount)
        } catch {
            return error == .truncated && datagramCount >= UDPHeader.length ? .truncatedPacket : .badUDPLength
        }
        let count = min(header.payloadCount, bytes.byteCount - UDPHeader.length)
        guard count > 0 || header.payloadCount == 0 else { return .truncatedPacket }
        if checksChecksums, count == header.payloadCount,
            !header.checksumFits(bytes, source: ip.source, destination: ip.destination)
        {
            return .badUDPChecksum
        }
        datagram = Datagram(
            instant: reader.packet.instant, source: SocketAddress(address: ip.source, port: header.sourcePort),
            destination: SocketAddress(address: ip.destination, port: header.destinationPort),
            differentiatedServices: ip.differentiatedServices, payloadCount: header.payloadCount,
            ipCount: ip.payloadOffset + datagramCount)
        payload = offset + UDPHeader.length..<offset + UDPHeader.length + count
        return nil
    }
}

/// The datagrams of several captures in the order of their times; of equal times in the order of the captures.
public final class DatagramMerger {
    let readers: [DatagramReader]
    /// The captures that have a datagram ready.
    private var ready: [Int] = []
    private var current: Int?

    /// - Throws: ``SystemError``.
    public init(_ readers: [DatagramReader]) throws(SystemError) {
        self.readers = readers
        for index in readers.indices where try readers[index].next() { ready.append(index) }
    }

    /// The next datagram's reader; nil at the end. It is good until the next call.
    ///
    /// - Throws: ``SystemError``.
    public func next() throws(SystemError) -> DatagramReader? {
        if let last = current, try !readers[last].next() { ready.removeAll { $0 == last } }
        guard var earliest = ready.first else {
            current = nil
            return nil
        }
        for index in ready.dropFirst() where readers[index].datagram.instant < readers[earliest].datagram.instant {
            earliest = index
        }
        current = earliest
        return readers[earliest]
    }
}
