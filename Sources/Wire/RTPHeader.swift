/// The header of an RTP packet (RFC 3550 §5.1).
@frozen
public struct RTPHeader: Hashable, Sendable, BitwiseCopyable {
    /// What it means is the payload format's.
    public var marker: Bool
    /// 0...127.
    public var payloadType: UInt8
    /// One more in each packet, modulo 2^16.
    public var sequenceNumber: UInt16
    /// Ticks of the payload type's clock, modulo 2^32.
    public var timestamp: UInt32
    @usableFromInline var ssrc: UInt32
    /// How many contributing sources follow the fixed header, 0...15.
    @usableFromInline let csrcCount: UInt8
    /// What the header extension's first 16 bits say; nil without an extension (RFC 3550 §5.3.1).
    @usableFromInline let extensionProfile: UInt16?
    /// Bytes of header extension behind its own four, a multiple of 4.
    @usableFromInline let extensionCount: Int
    /// Where the payload begins, bytes from the packet's start.
    public let payloadOffset: Int
    /// Bytes of payload, padding not counted.
    public let payloadCount: Int
    /// Bytes of padding behind the payload, its own count in the last byte included; 0 without the padding bit.
    public let paddingCount: UInt8

    /// Bytes of the header without contributing sources and extension.
    @inlinable public static var fixedLength: Int { 12 }

    /// A header to write, with neither contributing sources nor extension nor padding.
    @inlinable
    public init(payloadType: UInt8, sequenceNumber: UInt16, timestamp: UInt32, ssrc: UInt32, marker: Bool = false) {
        self.marker = marker
        self.payloadType = payloadType
        self.sequenceNumber = sequenceNumber
        self.timestamp = timestamp
        self.ssrc = ssrc
        csrcCount = 0
        extensionProfile = nil
        extensionCount = 0
        payloadOffset = Self.fixedLength
        payloadCount = 0
        paddingCount = 0
    }

    /// Reads the header of a whole packet, with the checks of RFC 3550 §A.1 that need no knowledge of the session.
    ///
    /// - Throws: `truncated` when the header does not end within the bytes, `unsupportedVersion` unless the version
    ///   is 2, `badLength` when the padding is 0 or more than what follows the header.
    @inlinable
    public init(parsing bytes: RawSpan) throws(ParseError) {
        guard bytes.byteCount >= Self.fixedLength else { throw .truncated }
        let first: UInt16 = bytes.loaded(at: 0)
        guard first &>> 14 == 2 else { throw .unsupportedVersion }
        marker = first & 0x80 != 0
        payloadType = UInt8(first & 0x7f)
        sequenceNumber = bytes.loaded(at: 2)
        timestamp = bytes.loaded(at: 4)
        ssrc = bytes.loaded(at: 8)
        csrcCount = UInt8(first &>> 8 & 15)
        var offset = Self.fixedLength &+ 4 &* Int(csrcCount)
        if first & 0x1000 != 0 {
            extensionProfile = try bytes.bigEndian(UInt16.self, at: offset)
            extensionCount = 4 &* Int(try bytes.bigEndian(UInt16.self, at: offset &+ 2))
            offset &+= 4 &+ extensionCount
        } else {
            extensionProfile = nil
            extensionCount = 0
        }
        guard offset <= bytes.byteCount else { throw .truncated }
        if first & 0x2000 != 0 {
            paddingCount = bytes.loaded(at: bytes.byteCount &- 1)
            guard paddingCount > 0, Int(paddingCount) <= bytes.byteCount &- offset else { throw .badLength }
        } else {
            paddingCount = 0
        }
        payloadOffset = offset
        payloadCount = bytes.byteCount &- offset &- Int(paddingCount)
    }

    /// Where the payload lies in the packet.
    var payloadRange: Range<Int> { payloadOffset..<payloadOffset &+ payloadCount }

    /// Where the header extension's data lie in the packet, its own four bytes not counted; nil without an extension.
    var extensionRange: Range<Int>? {
        extensionProfile == nil ? nil : payloadOffset &- extensionCount..<payloadOffset
    }

    /// The contributing sources, in the packet from which this header was read.
    ///
    /// - Throws: `truncated` when the bytes are fewer than that packet's.
    /// - Complexity: O(n) in their number, and an allocation.
    func contributingSources(in bytes: RawSpan) throws(ParseError) -> [UInt32] {
        var sources: [UInt32] = []
        for index in 0..<Int(csrcCount) { sources.append(try bytes.bigEndian(at: Self.fixedLength + 4 * index)) }
        return sources
    }

    /// Writes the fixed header: version 2, no padding, no extension, no contributing sources.
    ///
    /// - Parameter bytes: at least 12 bytes.
    /// - Returns: 12.
    @inlinable
    @discardableResult
    public func write(to bytes: UnsafeMutableRawBufferPointer) -> Int {
        precondition(bytes.count >= Self.fixedLength)
        bytes.store(0x8000 | (marker ? 0x80 : 0) | UInt16(payloadType & 0x7f), at: 0)
        bytes.store(sequenceNumber, at: 2)
        bytes.store(timestamp, at: 4)
        bytes.store(ssrc, at: 8)
        return Self.fixedLength
    }

    /// A whole packet with this header's fixed fields and everything that a header can carry besides.
    ///
    /// - Parameters:
    ///   - contributingSources: at most 15.
    ///   - headerExtension: its profile word and its data, at most 65,535 words; filled up to whole words with zeros.
    ///   - paddedTo: pads the payload to a multiple of so many bytes, 1...255; 1 is no padding.
    /// - Complexity: O(n) in the packet's bytes, and allocations.
    public func packet(
        payload: [UInt8], contributingSources: [UInt32] = [],
        headerExtension: (profile: UInt16, data: [UInt8])? = nil, paddedTo multiple: Int = 1
    ) -> [UInt8] {
        precondition(contributingSources.count <= 15 && (1...255).contains(multiple))
        let padding = (multiple - payload.count % multiple) % multiple
        var first: UInt16 = 0x8000 | UInt16(contributingSources.count) << 8 | UInt16(payloadType & 0x7f)
        if marker { first |= 0x80 }
        if headerExtension != nil { first |= 0x1000 }
        if padding > 0 { first |= 0x2000 }
        var bytes: [UInt8] = []
        bytes.appendBigEndian(first)
        bytes.appendBigEndian(sequenceNumber)
        bytes.appendBigEndian(timestamp)
        bytes.appendBigEndian(ssrc)
        for source in contributingSources { bytes.appendBigEndian(source) }
        if let headerExtension {
            let words = (headerExtension.data.count + 3) / 4
            precondition(words <= 65_535)
            bytes.appendBigEndian(headerExtension.profile)
            bytes.appendBigEndian(UInt16(words))
            bytes += headerExtension.data
            bytes += [UInt8](repeating: 0, count: 4 * words - headerExtension.data.count)
        }
        bytes += payload
        if padding > 0 {
            bytes += [UInt8](repeating: 0, count: padding - 1)
            bytes.append(UInt8(padding))
        }
        return bytes
    }
}
