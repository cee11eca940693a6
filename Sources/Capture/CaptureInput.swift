import Timebase
import Wire

/// Why something of a capture was not used.
public enum SkipReason: String, CaseIterable, Hashable, Sendable {
    /// The file ends inside a packet or block.
    case truncatedFile = "truncated_file"
    /// A compressed file is cut or damaged.
    case damagedCompression = "damaged_compression"
    /// A length that no packet or block can have: what follows cannot be found.
    case badLength = "bad_length"
    /// A pcapng block that contradicts itself, or a packet of an interface that was not described.
    case badBlock = "bad_block"
    /// A packet without a time (pcapng's simple packets).
    case noTimestamp = "no_timestamp"
    /// A time outside 1970 to 2116, or below the second's end.
    case badTimestamp = "bad_timestamp"
    /// A packet of a link layer that is not read.
    case unsupportedLinkType = "unsupported_link_type"
    /// Neither IPv4 nor IPv6: ARP, for one.
    case notIP = "not_ip"
    /// IP with another protocol than UDP.
    case notUDP = "not_udp"
    /// Encrypted, compressed, or of a form that is not read: see ``CaptureInput/encapsulations``.
    case insideEncapsulation = "inside_encapsulation"
    /// Encapsulations one inside the other beyond ``Encapsulation/mostNested``.
    case nestedTooDeeply = "nested_too_deeply"
    /// The capture's snapshot length cut the packet before its UDP payload.
    case truncatedPacket = "truncated_packet"
    /// An IP header that contradicts itself or the packet.
    case badIPHeader = "bad_ip_header"
    /// A UDP length that is less than the header's or more than the packet holds.
    case badUDPLength = "bad_udp_length"
    /// Only where checksums are checked.
    case badUDPChecksum = "bad_udp_checksum"
    /// A fragment that contradicts its fellows, or whose fellows never came.
    case fragmentIncomplete = "fragment_incomplete"
}

/// What one capture held.
public struct CaptureInput: Sendable {
    /// The file, as it was given.
    public var path: String
    /// "pcap" or "pcapng".
    public var format = ""
    /// All link types that packets came with, in the order of their coming.
    public var linkTypes: [LinkType] = []
    /// Packets of all kinds, those skipped too.
    public var packets: Int64 = 0
    /// Bytes of all packets as they were on the wire.
    public var bytes: Int64 = 0
    /// Nanoseconds since 1970 by the clock that captured.
    public var first: Instant?
    /// The latest time of a packet, as ``first``.
    public var last: Instant?
    /// Packets that whoever captured had no room for, by the file's own statistics; nil where it has none.
    public var dropped: Int64?
    private var counts: [Int64]
    private var opened: [Int64]
    private var closed: [Int64]

    init(path: String) {
        self.path = path
        counts = Array(repeating: 0, count: SkipReason.allCases.count)
        opened = Array(repeating: 0, count: Encapsulation.allCases.count)
        closed = opened
    }

    /// Of each encapsulation that occurred, how many were looked into, and how many could not be.
    public var encapsulations: [(kind: Encapsulation, opened: Int64, closed: Int64)] {
        Encapsulation.allCases.indices.filter { opened[$0] + closed[$0] > 0 }
            .map { (Encapsulation.allCases[$0], opened[$0], closed[$0]) }
    }

    /// How much was skipped, by reason, those that occurred only.
    public var skipped: [(reason: SkipReason, count: Int64)] {
        zip(SkipReason.allCases, counts).filter { $0.1 > 0 }.map { ($0.0, $0.1) }
    }

    mutating func skip(_ reason: SkipReason, _ count: Int64 = 1) {
        for (index, other) in SkipReason.allCases.enumerated() where other == reason { counts[index] += count }
    }

    mutating func note(_ encapsulation: Encapsulation, isClosed: Bool) {
        guard let index = Encapsulation.allCases.firstIndex(of: encapsulation) else { return }
        if isClosed { closed[index] += 1 } else { opened[index] += 1 }
    }

    mutating func note(_ linkType: LinkType, at instant: Instant, bytes count: Int) {
        packets += 1
        bytes &+= Int64(count)
        first = first.map { min($0, instant) } ?? instant
        last = last.map { max($0, instant) } ?? instant
        if linkTypes.last != linkType, !linkTypes.contains(linkType) { linkTypes.append(linkType) }
    }
}

/// A file that is no capture.
public struct NotACapture: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file, as it was given.
    public var path: String
    /// What it is instead, or why it cannot be read.
    public var reason: String

    public var description: String { "\(path) is not a capture: \(reason)" }
}

/// Numbers of a file written in one of the two byte orders.
struct FileOrder {
    var isBigEndian: Bool

    /// - Precondition: the number lies inside the bytes.
    func load<T: FixedWidthInteger & BitwiseCopyable>(
        _ bytes: UnsafeRawBufferPointer, _ offset: Int, as type: T.Type = T.self
    ) -> T {
        let value = bytes.loadUnaligned(fromByteOffset: offset, as: type)
        return isBigEndian ? T(bigEndian: value) : T(littleEndian: value)
    }
}

/// Nanoseconds since 1970 held to what differences of two can be taken of without overflow: 1970 to 2116.
func boundedInstant(_ nanoseconds: Int128) -> (Instant, isExact: Bool) {
    let highest: Int128 = 1 << 62
    return (Instant(nanoseconds: Int64(min(max(nanoseconds, 0), highest))), nanoseconds >= 0 && nanoseconds <= highest)
}
