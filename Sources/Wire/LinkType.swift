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
        /// ARP, LLDP, spanning trees, ...
        case other
        /// Something that cannot be looked into: encrypted or compressed.
        case closed(Encapsulation)
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
        case 9, 50, 166, 204: "ppp"
        case 12, 14, 101: "raw"
        case 51: "pppoe"
        case 104: "c-hdlc"
        case 108: "loop"
        case 113: "linux-sll"
        case 228: "ipv4"
        case 229: "ipv6"
        case 276: "linux-sll2"
        default: rawValue.description
        }
    }
}
