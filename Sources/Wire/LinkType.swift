/// What the packets of a capture begin with, by its number in capture files ("LINKTYPE_").
@frozen
public struct LinkType: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
    public var rawValue: UInt16

    @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }

    static var null: LinkType { LinkType(rawValue: 0) }
    /// Ethernet II and IEEE 802.3: LINKTYPE_ETHERNET.
    @inlinable public static var ethernet: LinkType { LinkType(rawValue: 1) }
    /// IPv4 or IPv6 without a link header: LINKTYPE_RAW.
    @inlinable public static var raw: LinkType { LinkType(rawValue: 101) }
    static var loop: LinkType { LinkType(rawValue: 108) }
    static var linuxSLL: LinkType { LinkType(rawValue: 113) }
    static var ipv4: LinkType { LinkType(rawValue: 228) }
    static var ipv6: LinkType { LinkType(rawValue: 229) }
    static var linuxSLL2: LinkType { LinkType(rawValue: 276) }

    /// Where a packet's IP header may be found.
    public enum Network: Hashable, Sendable {
        /// Bytes before it; whether it is IP of that version is still to be seen.
        case ip(offset: Int)
        /// ARP, LLDP, 802.3 length fields, ...
        case other
        /// The packet ends before its link header does.
        case truncated
        /// The link type is not one that this package reads.
        case unsupported
    }

    /// "ethernet", "linux-sll"; the number for what has no name here.
    public var name: String {
        switch rawValue {
        case 0: "null"
        case 1: "ethernet"
        case 12, 14, 101: "raw"
        case 108: "loop"
        case 113: "linux-sll"
        case 228: "ipv4"
        case 229: "ipv6"
        case 276: "linux-sll2"
        default: rawValue.description
        }
    }

    /// Finds the IP packet in a captured one.
    public func network(in bytes: RawSpan) -> Network {
        do throws(ParseError) {
            switch rawValue {
            case 0, 108: return try Self.loopback(bytes)
            case 1: return try Self.etherType(bytes, at: 12)
            // 12 and 14 are what some systems wrote for raw IP.
            case 12, 14, 101, 228, 229: return .ip(offset: 0)
            case 113: return try Self.etherType(bytes, at: 14)
            case 276:
                guard bytes.byteCount >= 20 else { return .truncated }
                return try Self.etherType(bytes, at: 0, next: 20)
            default: return .unsupported
            }
        } catch {
            return .truncated
        }
    }

    /// Follows VLAN tags (802.1Q, 802.1ad), MPLS labels (RFC 3032) and a PPPoE session header (RFC 2516) from the type at `offset` on.
    private static func etherType(_ bytes: RawSpan, at offset: Int, next: Int? = nil) throws(ParseError) -> Network {
        var type: UInt16 = try bytes.bigEndian(at: offset)
        var next = next ?? offset + 2
        for _ in 0..<8 {
            switch type {
            case 0x0800, 0x86dd: return .ip(offset: next)
            case 0x8100, 0x88a8, 0x9100, 0x9200:
                type = try bytes.bigEndian(at: next + 2)
                next += 4
            case 0x8847, 0x8848:
                // To the bottom of the stack; what follows says itself whether it is IP.
                let label: UInt32 = try bytes.bigEndian(at: next)
                next += 4
                if label & 0x100 != 0 { return .ip(offset: next) }
            case 0x8864:
                let inner: UInt16 = try bytes.bigEndian(at: next + 6)
                return inner == 0x0021 || inner == 0x0057 ? .ip(offset: next + 8) : .other
            default: return .other
            }
        }
        return .other
    }

    /// The address family in four bytes, in the byte order of the machine that captured (NULL) or the network's (LOOP).
    private static func loopback(_ bytes: RawSpan) throws(ParseError) -> Network {
        let family: UInt32 = try bytes.bigEndian(at: 0)
        switch family < 0x10000 ? family : family.byteSwapped {
        // AF_INET; AF_INET6 of NetBSD, FreeBSD, Darwin and Linux.
        case 2, 24, 28, 30, 10: return .ip(offset: 4)
        default: return .other
        }
    }
}
