import Timebase
import Wire

/// A packet as it lies in a capture.
public struct CapturedPacket: Sendable {
    /// Nanoseconds since 1970 by the clock that captured, 1970 to 2116.
    public var instant: Instant
    var linkType: LinkType
    /// Bytes on the wire; the capture may have fewer.
    public var originalCount: Int
    /// Where its bytes lie in the buffer.
    var range: Range<Int>
}

/// Reads a capture packet by packet in constant memory: pcap (microseconds, nanoseconds, the modified format of 1999)
/// and pcapng, in either byte order, packed with gzip or not, from a file or a pipe.
///
/// libpcap was not taken for it, because it refuses pcapng files whose interfaces have different link types. Whatever
/// cannot be used is counted in ``input`` by its reason; after a length that cannot be true nothing more is read.
public final class CaptureReader {
    /// What was read so far. The reader of the packets adds what it skips.
    public var input: CaptureInput
    /// The packet read last.
    public private(set) var packet = CapturedPacket(
        instant: .zero, linkType: .ethernet, originalCount: 0, range: 0..<0)

    private let source: ByteSource
    private var format: any CaptureFormat
    private var pending = 0
    private var hasEnded = false

    /// Opens a capture; "-" is standard input.
    ///
    /// - Throws: ``SystemError``, ``NotACapture``.
    convenience init(path: String) throws {
        try self.init(try ByteSource(path: path), path: path)
    }

    /// - Parameter source: nothing is taken from it where it is no capture.
    init(_ source: ByteSource, path: String) throws(NotACapture) {
        self.source = source
        input = CaptureInput(path: path)
        guard source.available.count >= 4 else {
            throw NotACapture(
                path: source.path, reason: source.available.isEmpty ? "it is empty" : "it ends within four bytes")
        }
        let magic = source.available.loadUnaligned(as: UInt32.self)
        if UInt32(bigEndian: magic) == 0x0a0d_0d0a {
            format = PcapngFormat()
            input.format = "pcapng"
        } else if let classic = PcapFormat(magic: UInt32(bigEndian: magic)) {
            format = classic
            input.format = "pcap"
        } else {
            throw NotACapture(path: source.path, reason: "it begins neither like pcap nor like pcapng")
        }
    }

    /// Reads the next packet; false at the end.
    ///
    /// - Throws: ``SystemError``.
    public func next() throws(SystemError) -> Bool {
        guard !hasEnded else { return false }
        source.consume(pending)
        pending = 0
        guard let next = try format.next(source, &input) else {
            hasEnded = true
            if source.isDamaged { input.skip(.damagedCompression) }
            return false
        }
        packet = next.packet
        pending = next.recordCount
        input.note(packet.linkType, at: packet.instant, bytes: packet.originalCount)
        return true
    }

    /// Lends the bytes of the packet read last, from its link header on.
    func withBytes<Result>(_ body: (RawSpan) -> Result) -> Result {
        body(UnsafeRawBufferPointer(rebasing: source.available[packet.range]).bytes)
    }
}

/// A file format: finds the next packet in the bytes.
protocol CaptureFormat {
    /// The next packet, and how many bytes of the buffer it takes up; nil at the end. Its range counts from the first
    /// byte available.
    mutating func next(
        _ source: ByteSource, _ input: inout CaptureInput
    ) throws(SystemError) -> (packet: CapturedPacket, recordCount: Int)?
}

/// The most bytes that a packet can have in a file; libpcap's own bound is a quarter of it.
let maximumPacketCount = ByteSource.capacity - 256

/// Classic pcap (draft-ietf-opsawg-pcap).
struct PcapFormat: CaptureFormat {
    private let order: FileOrder
    private let unit: Int128
    private let recordHeader: Int
    private var linkType: LinkType?

    /// - Parameter magic: the file's first four bytes as a big-endian number; nil when it is no pcap.
    init?(magic: UInt32) {
        switch magic {
        case 0xa1b2_c3d4, 0xd4c3_b2a1: (unit, recordHeader) = (1000, 16)
        case 0xa1b2_3c4d, 0x4d3c_b2a1: (unit, recordHeader) = (1, 16)
        // Kuznetzov's format of 1999: eight more bytes a packet.
        case 0xa1b2_cd34, 0x34cd_b2a1: (unit, recordHeader) = (1000, 24)
        default: return nil
        }
        order = FileOrder(isBigEndian: magic >> 24 == 0xa1)
    }

    mutating func next(
        _ source: ByteSource, _ input: inout CaptureInput
    ) throws(SystemError) -> (packet: CapturedPacket, recordCount: Int)? {
        if linkType == nil {
            guard try source.fill(24) else {
                input.skip(.truncatedFile)
                return nil
            }
            // The upper bits tell of a frame check sequence; IP's own length leaves it out.
            linkType = LinkType(rawValue: order.load(source.available, order.isBigEndian ? 22 : 20))
            source.consume(24)
        }
        guard let linkType, try source.fill(recordHeader) else {
            if !source.available.isEmpty { input.skip(.truncatedFile) }
            return nil
        }
        let bytes = source.available
        let seconds: UInt32 = order.load(bytes, 0)
        let fraction: UInt32 = order.load(bytes, 4)
        let count = Int(order.load(bytes, 8, as: UInt32.self))
        let originalCount = Int(order.load(bytes, 12, as: UInt32.self))
        guard count <= maximumPacketCount else {
            input.skip(.badLength)
            return nil
        }
        guard try source.fill(recordHeader + count) else {
            input.skip(.truncatedFile)
            return nil
        }
        let nanoseconds = Int128(fraction) * unit
        let (instant, isExact) = boundedInstant(Int128(seconds) * 1_000_000_000 + nanoseconds)
        if !isExact || nanoseconds >= 1_000_000_000 { input.skip(.badTimestamp) }
        let packet = CapturedPacket(
            instant: instant, linkType: linkType, originalCount: max(originalCount, count),
            range: recordHeader..<recordHeader + count)
        return (packet, recordHeader + count)
    }
}
