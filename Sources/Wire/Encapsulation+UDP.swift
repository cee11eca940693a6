extension Encapsulation {
    /// Looks into a UDP payload that may carry packets; nil when it does not.
    ///
    /// - Parameter count: its bytes on the wire; more than there are when the capture cut it.
    public static func inside(
        udpPayload bytes: RawSpan, count: Int, source: UInt16, destination: UInt16
    ) -> (Encapsulation, Inside)? {
        guard let first = try? bytes.bigEndian(UInt8.self, at: 0) else { return nil }
        if let found = tunnelled(bytes, first, count, destination) { return found }
        // IPv6 behind Teredo's own indications.
        if destination == 3544 || source == 3544, let offset = try? behindTeredo(bytes) {
            return (.teredo, .ip(offset: offset))
        }
        if let range = channelData(bytes, first, count, isServer: isTURN(source) || isTURN(destination)) {
            return (.turn, .payload(range))
        }
        if let range = try? indication(bytes, first, count) { return (.turn, .payload(range)) }
        // WireGuard: a type of 1 to 4 and three zero bytes (its paper, §5.4).
        if source == 51_820 || destination == 51_820, (1...4).contains(first),
            (try? bytes.bigEndian24(at: 1)) == 0
        {
            return (.wireGuard, .closed)
        }
        return onAnyPort(bytes, first, count)
    }

    /// Whether a datagram to this port may carry packets although it begins like RTP.
    @inlinable
    public static func mayBeginLikeRTP(port: UInt16) -> Bool { port == 4789 || port == 8472 || port == 4790 }

    /// Tunnels that have a port of their own, to which their packets go in either direction.
    private static func tunnelled(
        _ bytes: RawSpan, _ first: UInt8, _ count: Int, _ port: UInt16
    ) -> (Encapsulation, Inside)? {
        switch port {
        case 4789, 8472, 4790:
            // The flag that says that there is an identifier, and nothing in the reserved byte behind it.
            guard first & 0x08 != 0, bytes.byteCount >= 8, first & 0x73 == 0 || port == 4790 else { return nil }
            return (.vxlan, inspected { () throws(ParseError) in try behindVXLAN(bytes, isGeneric: port == 4790) })
        case 6081:
            guard first >> 6 == 0, bytes.byteCount >= 8 else { return nil }
            return (.geneve, inspected { () throws(ParseError) in try behindGeneve(bytes, first) })
        case 2152:
            guard first & 0xf0 == 0x30, let type = try? bytes.bigEndian(UInt8.self, at: 1), type == 255 else {
                return nil
            }
            return (.gtpU, inspected { () throws(ParseError) in try behindGTP(bytes, first) })
        case 1701:
            guard let flags = try? bytes.bigEndian(UInt16.self, at: 0), flags & 0x8000 == 0 else { return nil }
            guard flags & 15 == 2 else {
                return flags & 15 == 3 ? (.l2tp, behindSession(bytes, at: 4, count: count)) : nil
            }
            return (.l2tp, inspected { () throws(ParseError) in try behindL2TP(bytes, flags) })
        case 4754: return greInside(bytes)
        case 6635: return (.mpls, inspected { () throws(ParseError) in of(try LinkType.labelled(bytes, 0)) })
        case 37_008:
            guard first == 1 else { return nil }
            return (.tzsp, inspected { () throws(ParseError) in try behindTZSP(bytes) })
        case 4500:
            // A keep-alive is one byte, and zeros mark key exchange (RFC 3948).
            guard count > 4, let marker = try? bytes.bigEndian(UInt32.self, at: 0), marker != 0, first >> 6 != 2,
                first > 3
            else { return nil }
            return (.esp, .closed)
        default: return nil
        }
    }

    private static func behindVXLAN(_ bytes: RawSpan, isGeneric: Bool) throws(ParseError) -> Inside {
        guard isGeneric else { return try frame(bytes, at: 8) }
        switch try bytes.bigEndian(UInt8.self, at: 3) {
        case 1, 2: return .ip(offset: 8)
        case 0, 3: return try frame(bytes, at: 8)
        case 5: return of(try LinkType.labelled(bytes, 8))
        default: return .closed
        }
    }

    private static func behindGeneve(_ bytes: RawSpan, _ first: UInt8) throws(ParseError) -> Inside {
        let next = 8 + 4 * Int(first & 63)
        switch try bytes.bigEndian(UInt16.self, at: 2) {
        case 0x6558: return try frame(bytes, at: next)
        case 0x0800, 0x86dd: return .ip(offset: next)
        case 0x8847: return of(try LinkType.labelled(bytes, next))
        default: return .closed
        }
    }

    /// Extension headers are in units of four bytes, the type of the next one last.
    static func behindGTP(_ bytes: RawSpan, _ first: UInt8) throws(ParseError) -> Inside {
        var next = 8
        if first & 7 != 0 {
            next = 12
            var type: UInt8 = first & 4 != 0 ? try bytes.bigEndian(at: 11) : 0
            while type != 0 {
                let units: UInt8 = try bytes.bigEndian(at: next)
                guard units > 0 else { return .closed }
                next += 4 * Int(units)
                type = try bytes.bigEndian(at: next - 1)
            }
        }
        let version = try bytes.bigEndian(UInt8.self, at: next) >> 4
        if version == 4 || version == 6 { return .ip(offset: next) }
        // A session of Ethernet's (3GPP TS 23.501 §5.6.10.2).
        return holdsFrame(bytes, at: next, count: .max) ? try frame(bytes, at: next) : .closed
    }

    private static func behindL2TP(_ bytes: RawSpan, _ flags: UInt16) throws(ParseError) -> Inside {
        var next = 6
        if flags & 0x4000 != 0 { next += 2 }
        if flags & 0x0800 != 0 { next += 4 }
        if flags & 0x0200 != 0 { next += 2 + Int(try bytes.bigEndian(UInt16.self, at: next)) }
        return of(try LinkType.pointToPoint(bytes, at: next))
    }

    private static func behindTZSP(_ bytes: RawSpan) throws(ParseError) -> Inside {
        guard try bytes.bigEndian(UInt16.self, at: 2) == 1 else { return .closed }
        var next = 4
        while true {
            let tag: UInt8 = try bytes.bigEndian(at: next)
            next += 1
            if tag == 1 { return try frame(bytes, at: next) }
            if tag != 0 { next += 1 + Int(try bytes.bigEndian(UInt8.self, at: next)) }
        }
    }

    /// Where the IPv6 packet begins behind Teredo's authentication and origin (RFC 4380 §5.1.1).
    private static func behindTeredo(_ bytes: RawSpan) throws(ParseError) -> Int {
        var next = 0
        if try bytes.bigEndian(UInt16.self, at: 0) == 1 {
            let client: UInt8 = try bytes.bigEndian(at: 2)
            let value: UInt8 = try bytes.bigEndian(at: 3)
            next = 13 + Int(client) + Int(value)
        }
        if try bytes.bigEndian(UInt16.self, at: next) == 0 { next += 8 }
        guard try bytes.bigEndian(UInt8.self, at: next) >> 4 == 6 else { throw .notRecognized }
        return next
    }
}

// MARK: - TURN

extension Encapsulation {
    private static func isTURN(_ port: UInt16) -> Bool { port == 3478 || port == 5349 }

    /// A channel's number and a length that fits (RFC 8656 §12.4). Servers have other ports, too: there what is inside
    /// must begin like STUN, DTLS or RTP (RFC 7983). A transport packet also begins so, but its length never fits for long.
    private static func channelData(_ bytes: RawSpan, _ first: UInt8, _ count: Int, isServer: Bool) -> Range<Int>? {
        guard (0x40...(isServer ? 0x7f : 0x4f)).contains(first),
            let length = try? bytes.bigEndian(UInt16.self, at: 2), length > 0
        else { return nil }
        // Filling up to four bytes is optional over UDP.
        let rest = count - 4 - Int(length)
        guard (0...3).contains(rest) else { return nil }
        let second = try? bytes.bigEndian(UInt8.self, at: TransportPacket.length)
        guard first != TransportPacket.syncByte || second != TransportPacket.syncByte else { return nil }
        guard let inner = try? bytes.bigEndian(UInt8.self, at: 4) else { return nil }
        guard isServer || inner < 4 || (20..<64).contains(inner) || inner >> 6 == 2 else { return nil }
        return 4..<4 + Int(length)
    }

    /// The DATA attribute of a Send or Data indication (RFC 8656 §18.4).
    private static func indication(_ bytes: RawSpan, _ first: UInt8, _ count: Int) throws(ParseError) -> Range<Int> {
        let type: UInt16 = try bytes.bigEndian(at: 0)
        let length = Int(try bytes.bigEndian(UInt16.self, at: 2))
        guard type == 0x0016 || type == 0x0017, try bytes.bigEndian(UInt32.self, at: 4) == 0x2112_a442,
            length + 20 == count
        else { throw .notRecognized }
        var next = 20
        while next < count {
            let attribute: UInt16 = try bytes.bigEndian(at: next)
            let size = Int(try bytes.bigEndian(UInt16.self, at: next + 2))
            if attribute == 0x0013 {
                guard next + 4 + size <= count else { throw .badLength }
                return next + 4..<next + 4 + size
            }
            next += 4 + (size + 3) & ~3
        }
        throw .notRecognized
    }
}
