extension LinkType {
    /// Finds the IP packet in a captured one.
    public func network(in bytes: RawSpan) -> Network {
        do throws(ParseError) {
            if self == .ethernet { return try Self.etherType(bytes, at: 12) }
            return try otherNetwork(bytes)
        } catch {
            return .truncated
        }
    }

    private func otherNetwork(_ bytes: RawSpan) throws(ParseError) -> Network {
        switch rawValue {
        case 0, 108: return try Self.loopback(bytes)
        case 9, 50: return try Self.pointToPoint(bytes, at: 0)
        // Behind a byte that tells the direction.
        case 204: return try Self.pointToPoint(bytes, at: 1)
        // pppd's has the direction in place of the address, so that its control byte follows.
        case 166: return try Self.pointToPoint(bytes, at: try bytes.bigEndian(UInt8.self, at: 1) == 0x03 ? 2 : 1)
        // 12 and 14 are what some systems wrote for raw IP.
        case 12, 14, 101, 228, 229: return .ip(offset: 0)
        case 51: return try Self.pointToPoint(bytes, at: 6)
        case 104: return try Self.etherType(bytes, at: 2)
        case 113: return try Self.etherType(bytes, at: 14)
        case 219: return try Self.labelled(bytes, 0)
        case 276:
            guard bytes.byteCount >= 20 else { return .truncated }
            return try Self.etherType(bytes, at: 0, next: 20)
        default: return .unsupported
        }
    }

    /// What follows a type field at `offset`, the header behind which ends at `next`.
    static func etherType(_ bytes: RawSpan, at offset: Int, next: Int? = nil) throws(ParseError) -> Network {
        let type: UInt16 = try bytes.bigEndian(at: offset)
        let next = next ?? offset + 2
        if type == 0x0800 || type == 0x86dd { return .ip(offset: next) }
        return try tagged(bytes, type, next)
    }

    /// Headers that stand in one frame at most, one behind the other.
    private static let mostTags = 8
    /// Frames that lie in pseudowires one in the other at most.
    private static let mostFrames = 4

    /// Follows VLAN tags (802.1Q, 802.1ad), provider backbone and port extension tags, MPLS labels (RFC 3032), a PPPoE
    /// session header (RFC 2516) and LLC with SNAP (RFC 1042).
    ///
    /// - Parameter depth: frames around it.
    @inline(never)
    private static func tagged(
        _ bytes: RawSpan, _ first: UInt16, _ start: Int, depth: Int = 0
    ) throws(ParseError) -> Network {
        var type = first
        var next = start
        for _ in 0..<mostTags {
            switch type {
            case 0x0800, 0x86dd: return .ip(offset: next)
            // 802.1Q and 802.1ad, and Cisco's VN-tag, which is as long in all.
            case 0x8100, 0x88a8, 0x9100, 0x9200:
                type = try bytes.bigEndian(at: next + 2)
                next += 4
            case 0x8926:
                type = try bytes.bigEndian(at: next + 4)
                next += 6
            // 802.1ah: a service identifier of four bytes, and the customer's whole frame.
            case 0x88e7:
                type = try bytes.bigEndian(at: next + 16)
                next += 18
            case 0x8847, 0x8848: return try labelled(bytes, next, depth: depth)
            case 0x8864: return try pointToPoint(bytes, at: next + 6)
            case 0x88e5: return .closed(.macsec)
            // A length, or the type that stands for one of a jumbo frame: LLC follows (IEEE 802.3 §3.2.6).
            case 0...1500, 0x8870:
                let service: UInt16 = try bytes.bigEndian(at: next)
                if service == 0x0606 { return .ip(offset: next + 3) }
                let organization = try bytes.bigEndian24(at: next + 3)
                guard service == 0xaaaa, organization == 0 || organization == 0xf8 else { return .other }
                type = try bytes.bigEndian(at: next + 6)
                next += 8
            default: return .other
            }
        }
        return .other
    }

    /// Behind a stack of MPLS labels: what follows says itself whether it is IP, if its header holds. Else it is the
    /// Ethernet frame of a pseudowire, behind a control word, which begins with zero bits, or without one (RFC 4448).
    static func labelled(_ bytes: RawSpan, _ start: Int, depth: Int = 0) throws(ParseError) -> Network {
        var next = start
        for _ in 0..<16 {
            let label: UInt32 = try bytes.bigEndian(at: next)
            next += 4
            guard label & 0x100 != 0 else { continue }
            let first: UInt8 = try bytes.bigEndian(at: next)
            if first >> 4 == 4 || first >> 4 == 6 {
                let isAddress = Encapsulation.holdsFrame(bytes, at: next, count: .max)
                return isAddress && !Encapsulation.holdsPacket(bytes, at: next, count: bytes.byteCount)
                    ? try innerFrame(bytes, at: next, depth) : .ip(offset: next)
            }
            if first >> 4 == 0, let inner = try? innerFrame(bytes, at: next + 4, depth), inner != .other {
                return inner
            }
            return try innerFrame(bytes, at: next, depth)
        }
        return .other
    }

    /// The network packet of an Ethernet frame inside another packet.
    private static func innerFrame(_ bytes: RawSpan, at frame: Int, _ depth: Int) throws(ParseError) -> Network {
        guard depth < mostFrames else { return .other }
        return try tagged(bytes, try bytes.bigEndian(at: frame + 12), frame + 14, depth: depth + 1)
    }

    /// A PPP frame (RFC 1661): address and control may be left out, and of the protocol its first byte.
    static func pointToPoint(_ bytes: RawSpan, at start: Int) throws(ParseError) -> Network {
        var next = start
        if try bytes.bigEndian(UInt16.self, at: next) == 0xff03 { next += 2 }
        var number = UInt16(try bytes.bigEndian(UInt8.self, at: next))
        next += 1
        if number & 1 == 0 {
            number = number << 8 | UInt16(try bytes.bigEndian(UInt8.self, at: next))
            next += 1
        }
        switch number {
        case 0x0021, 0x0057: return .ip(offset: next)
        case 0x0281, 0x0283: return try labelled(bytes, next)
        // Van Jacobson's and robust header compression, multilink, encryption, compression.
        case 0x002d, 0x002f, 0x0003, 0x0005, 0x003d, 0x0053, 0x0055, 0x00fb, 0x00fd: return .closed(.ppp)
        default: return .other
        }
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
