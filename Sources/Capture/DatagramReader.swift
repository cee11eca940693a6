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

    /// Told of every TCP segment with a payload, where that is not nil: of whom, to whom, and what the capture has of it.
    /// Segments are skipped all the same.
    public var eachSegment: ((SocketAddress, SocketAddress, RawSpan) -> Void)?

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
        case .closed(let kind):
            reader.input.note(kind, isClosed: true)
            return .insideEncapsulation
        case .ip(let offset):
            guard offset < bytes.byteCount else { return .truncatedPacket }
            return takeIP(Piece(at: offset, of: bytes.byteCount, originalCount: packet.originalCount - offset), bytes)
        }
    }

    /// Where something lies in the bytes that are read: of the captured packet, or of one that was put together.
    struct Piece {
        var offset: Int
        var end: Int
        /// Its bytes on the wire.
        var originalCount: Int
        /// Encapsulations around it.
        var depth = 0

        init(at offset: Int, of end: Int, originalCount: Int) {
            self.offset = offset
            self.end = end
            self.originalCount = originalCount
        }

        /// What lies so many bytes behind its beginning, in one more encapsulation.
        func inner(_ distance: Int) -> Piece {
            var piece = Piece(at: offset + distance, of: end, originalCount: originalCount - distance)
            piece.depth = depth + 1
            return piece
        }
    }

    private func takeIP(_ piece: Piece, _ bytes: RawSpan) -> SkipReason? {
        let span = bytes.extracting(piece.offset..<piece.end)
        let ip: IPPacket
        do throws(ParseError) {
            ip = try IPPacket(parsing: span, originalCount: piece.originalCount)
        } catch {
            switch error {
            case .truncated: return .truncatedPacket
            // Ethernet's filling, or something that only begins like IP.
            case .unsupportedVersion: return .notIP
            default: return .badIPHeader
            }
        }
        guard ip.payloadOffset <= span.byteCount else { return .truncatedPacket }
        let end = min(ip.length, span.byteCount)
        var content = piece
        content.offset += ip.payloadOffset
        content.end = piece.offset + end
        content.originalCount = ip.payloadCount
        guard let fragment = ip.fragment else { return takeTransport(content, ip, bytes) }
        return takeFragment(fragment, content, ip, bytes)
    }

    private func takeFragment(
        _ fragment: IPPacket.Fragment, _ piece: Piece, _ ip: IPPacket, _ bytes: RawSpan
    ) -> SkipReason? {
        // Fragments of what nobody would read are not kept.
        guard ip.payloadProtocol == IPPacket.udp || Encapsulation.mayCarry(number: ip.payloadProtocol) else {
            return .notUDP
        }
        var abandoned: Int64 = 0
        let whole = fragments.add(
            ip, fragment, bytes.extracting(piece.offset..<piece.end), at: reader.packet.instant, abandoned: &abandoned)
        if abandoned > 0 { reader.input.skip(.fragmentIncomplete, abandoned) }
        guard let whole else { return nil }
        assembled = whole
        var content = Piece(at: 0, of: whole.count, originalCount: whole.count)
        content.depth = piece.depth
        return whole.withUnsafeBytes { takeTransport(content, ip, $0.bytes) }
    }

    private func takeTransport(_ piece: Piece, _ ip: IPPacket, _ bytes: RawSpan) -> SkipReason? {
        if ip.payloadProtocol == IPPacket.udp { return takeUDP(piece, ip, bytes) }
        let span = bytes.extracting(piece.offset..<piece.end)
        if ip.payloadProtocol == IPPacket.tcp, let eachSegment {
            if let segment = TCPSegment(parsing: span) {
                eachSegment(
                    SocketAddress(address: ip.source, port: segment.sourcePort),
                    SocketAddress(address: ip.destination, port: segment.destinationPort),
                    span.extracting(segment.payloadOffset..<span.byteCount))
            }
            return .notUDP
        }
        guard let (kind, inside) = Encapsulation.inside(ipPayload: span, number: ip.payloadProtocol) else {
            return .notUDP
        }
        return takeInside(kind, inside, piece, ip, bytes)
    }

    private func takeUDP(_ piece: Piece, _ ip: IPPacket, _ bytes: RawSpan) -> SkipReason? {
        let span = bytes.extracting(piece.offset..<piece.end)
        let header: UDPHeader
        do throws(ParseError) {
            header = try UDPHeader(parsing: span, datagramCount: piece.originalCount)
        } catch {
            return error == .truncated && piece.originalCount >= UDPHeader.length ? .truncatedPacket : .badUDPLength
        }
        let count = min(header.payloadCount, span.byteCount - UDPHeader.length)
        guard count > 0 || header.payloadCount == 0 else { return .truncatedPacket }
        if checksChecksums, count == header.payloadCount,
            !header.checksumFits(span, source: ip.source, destination: ip.destination)
        {
            return .badUDPChecksum
        }
        datagram = Datagram(
            instant: reader.packet.instant, source: SocketAddress(address: ip.source, port: header.sourcePort),
            destination: SocketAddress(address: ip.destination, port: header.destinationPort),
            differentiatedServices: ip.differentiatedServices, payloadCount: header.payloadCount,
            ipCount: ip.payloadOffset + piece.originalCount)
        let start = piece.offset + UDPHeader.length
        payload = start..<start + count
        // Nothing that carries packets begins like RTP, but for some tunnels on their ports.
        if count > 0,
            bytes.unsafeLoad(fromByteOffset: start, as: UInt8.self) >> 6 != 2
                || Encapsulation.mayBeginLikeRTP(port: header.destinationPort)
        {
            var content = piece
            (content.offset, content.end, content.originalCount) = (start, start + count, header.payloadCount)
            return takePayload(content, ip, bytes)
        }
        return nil
    }

    /// Looks for packets inside a datagram that does not begin like RTP.
    @inline(never)
    private func takePayload(_ piece: Piece, _ ip: IPPacket, _ bytes: RawSpan) -> SkipReason? {
        let found = Encapsulation.inside(
            udpPayload: bytes.extracting(piece.offset..<piece.end), count: piece.originalCount,
            source: datagram.source.port, destination: datagram.destination.port)
        guard let (kind, inside) = found else { return nil }
        return takeInside(kind, inside, piece, ip, bytes)
    }

    private func takeInside(
        _ kind: Encapsulation, _ inside: Encapsulation.Inside, _ piece: Piece, _ ip: IPPacket, _ bytes: RawSpan
    ) -> SkipReason? {
        let outer = datagram.ipCount - datagram.payloadCount
        datagram.payloadCount = -1
        payload = 0..<0
        let isClosed = inside == .closed
        reader.input.note(kind, isClosed: isClosed)
        guard piece.depth < Encapsulation.mostNested else { return .nestedTooDeeply }
        switch inside {
        case .closed: return .insideEncapsulation
        case .other: return .notIP
        case .ip(let distance):
            let inner = piece.inner(distance)
            guard inner.offset < inner.end else { return .truncatedPacket }
            return takeIP(inner, bytes)
        case .transport(let number, let distance):
            var ip = ip
            (ip.payloadProtocol, ip.payloadOffset) = (number, ip.payloadOffset + distance)
            let inner = piece.inner(distance)
            guard inner.offset < inner.end else { return .truncatedPacket }
            return takeTransport(inner, ip, bytes)
        case .payload(let range):
            let start = piece.offset + range.lowerBound
            guard start < piece.end || range.isEmpty else { return .truncatedPacket }
            datagram.payloadCount = range.count
            datagram.ipCount = outer + range.count
            payload = start..<min(start + range.count, piece.end)
            return nil
        }
    }
}
