/// A way in which packets carry packets of others.
public enum Encapsulation: String, CaseIterable, Hashable, Sendable {
    /// Generic routing encapsulation (RFC 2784, RFC 2890), PPTP's too (RFC 2637), and over UDP (RFC 8086).
    case gre
    /// Mirrored frames, types I to III (draft-foschiano-erspan).
    case erspan
    /// IPv4 or IPv6 in either (RFC 2003, RFC 4213, RFC 2473), and IPv4 straight in UDP.
    case ipInIP = "ip-in-ip"
    /// An IP authentication header (RFC 4302).
    case authentication = "ah"
    /// MPLS straight in IP (RFC 4023) or in UDP (RFC 7510).
    case mpls = "mpls-in-ip"
    /// Ethernet in IP (RFC 3378).
    case etherIP = "etherip"
    /// RFC 7348, with the extensions for groups and for other protocols.
    case vxlan
    /// RFC 8926.
    case geneve
    /// User data of GTP version 1 (3GPP TS 29.281).
    case gtpU = "gtp-u"
    /// IPv6 in UDP (RFC 4380).
    case teredo
    /// Multicast packets to those whose network has none (RFC 7450).
    case amt
    /// Channel data, and indications with data, of a TURN server (RFC 8656).
    case turn
    /// Version 2 with PPP inside (RFC 2661); version 3 with Ethernet, where its header's length can be told (RFC 3931).
    case l2tp
    /// Frames sent to an analyzer (TaZmen Sniffer Protocol).
    case tzsp
    /// PPP with compression or encryption.
    case ppp
    /// A compressed payload of IP (RFC 3173).
    case ipComp = "ipcomp"
    /// Encrypted: an encapsulating security payload (RFC 4303), a frame of IEEE 802.1AE, WireGuard.
    case esp, macsec, wireGuard = "wireguard"

    /// Encapsulations one inside the other that are looked into.
    public static let mostNested = 8

    /// What is inside a packet.
    public enum Inside: Hashable, Sendable {
        /// An IP packet, from here on.
        case ip(offset: Int)
        /// The payload of IP of this protocol number.
        case transport(number: UInt8, offset: Int)
        /// What UDP carries, without the header around it.
        case payload(Range<Int>)
        /// A frame without anything of IP.
        case other
        /// It cannot be seen.
        case closed
    }

    /// Looks into the payload of an IP packet that is not UDP; nil when that carries no packets.
    public static func inside(ipPayload bytes: RawSpan, number: UInt8) -> (Encapsulation, Inside)? {
        switch number {
        case 4, 41: (.ipInIP, .ip(offset: 0))
        case 47: greInside(bytes)
        case 50: (.esp, .closed)
        case 51: (.authentication, inspected { () throws(ParseError) in try authenticated(bytes) })
        case 97: (.etherIP, inspected { () throws(ParseError) in try frame(bytes, at: 2) })
        case 108: (.ipComp, .closed)
        case 115: (.l2tp, behindSession(bytes, at: 0, count: .max))
        case 137: (.mpls, inspected { () throws(ParseError) in of(try LinkType.labelled(bytes, 0)) })
        default: nil
        }
    }

    /// Whether payloads of this protocol number may carry packets that can be seen.
    public static func mayCarry(number: UInt8) -> Bool { [4, 41, 47, 51, 97, 115, 137].contains(number) }

    /// Something that ends before its headers do cannot be seen into either.
    static func inspected(_ look: () throws(ParseError) -> Inside) -> Inside {
        do throws(ParseError) {
            return try look()
        } catch {
            return .closed
        }
    }

    static func of(_ network: LinkType.Network) -> Inside {
        switch network {
        case .ip(let offset): .ip(offset: offset)
        case .other: .other
        case .closed, .truncated, .unsupported: .closed
        }
    }

    /// An Ethernet frame from `offset` on.
    static func frame(_ bytes: RawSpan, at offset: Int) throws(ParseError) -> Inside {
        of(try LinkType.etherType(bytes, at: offset + 12))
    }

    private static func authenticated(_ bytes: RawSpan) throws(ParseError) -> Inside {
        let words: UInt8 = try bytes.bigEndian(at: 1)
        return .transport(number: try bytes.bigEndian(at: 0), offset: 8 + 4 * Int(words))
    }
}

// MARK: - GRE

extension Encapsulation {
    /// Looks behind a GRE header, wherever it stands.
    static func greInside(_ bytes: RawSpan) -> (Encapsulation, Inside) {
        guard let flags = try? bytes.bigEndian(UInt16.self, at: 0), let type = try? bytes.bigEndian(UInt16.self, at: 2)
        else { return (.gre, .closed) }
        let kind: Encapsulation = type == 0x88be || type == 0x22eb ? .erspan : .gre
        return (kind, inspected { () throws(ParseError) in try behindGRE(bytes, flags, type) })
    }

    private static func behindGRE(_ bytes: RawSpan, _ flags: UInt16, _ type: UInt16) throws(ParseError) -> Inside {
        let version = flags & 7
        var next = 4
        // Checksum or routing, key, sequence number, and PPTP's acknowledgement.
        if flags & 0xc000 != 0 { next += 4 }
        if flags & 0x2000 != 0 { next += 4 }
        if flags & 0x1000 != 0 { next += 4 }
        if version == 1, flags & 0x0080 != 0 { next += 4 }
        guard version <= 1 else { return .closed }
        if flags & 0x4000 != 0 { next = try behindRoutes(bytes, next) }
        switch type {
        case 0x6558: return try frame(bytes, at: next)
        // Type II has a header, and with it a sequence number in GRE's; type I has neither.
        case 0x88be: return try frame(bytes, at: flags & 0x1000 != 0 ? next + 8 : next)
        case 0x22eb:
            // O: a platform's own eight bytes follow. The frame's type is Ethernet or IP.
            let last: UInt16 = try bytes.bigEndian(at: next + 10)
            next += last & 1 != 0 ? 20 : 12
            return last >> 10 & 31 == 2 ? .ip(offset: next) : try frame(bytes, at: next)
        case 0x880b: return of(try LinkType.pointToPoint(bytes, at: next))
        // WCCP: its second version has four bytes before the packet.
        case 0x883e:
            let first: UInt8 = try bytes.bigEndian(at: next)
            return .ip(offset: first >> 4 == 4 ? next : next + 4)
        case 0x0800, 0x86dd, 0x8100, 0x88a8, 0x8847, 0x8848, 0x8864, 0x88e7:
            return of(try LinkType.etherType(bytes, at: 2, next: next))
        default: return .closed
        }
    }

    /// Source routes of RFC 1701: entries of address family, offset and length, the last of length 0.
    private static func behindRoutes(_ bytes: RawSpan, _ start: Int) throws(ParseError) -> Int {
        var next = start
        while true {
            let length: UInt8 = try bytes.bigEndian(at: next + 3)
            next += 4 + Int(length)
            if length == 0 { return next }
        }
    }
}
