/// Tunnels on other ports than their own: nothing but a tunnel fits in every field, down to the packet inside.
extension Encapsulation {
    static func onAnyPort(_ bytes: RawSpan, _ first: UInt8, _ count: Int) -> (Encapsulation, Inside)? {
        switch first {
        case 0x06: holdsPacket(bytes, at: 2, count: count) ? (.amt, .ip(offset: 2)) : nil
        case 0x08 where holdsVXLAN(bytes, count):
            (.vxlan, inspected { () throws(ParseError) in try frame(bytes, at: 8) })
        case 0x30...0x37 where holdsGTP(bytes, count):
            (.gtpU, inspected { () throws(ParseError) in try behindGTP(bytes, first) })
        case 0x00...0x3f: anyGeneve(bytes, first, count)
        case 0x45...0x4f where fills(bytes, count): (.ipInIP, .ip(offset: 0))
        case 0x60...0x6f where fills(bytes, count): (.teredo, .ip(offset: 0))
        default: nil
        }
    }

    private static func holdsVXLAN(_ bytes: RawSpan, _ count: Int) -> Bool {
        (try? bytes.bigEndian24(at: 1)) == 0 && (try? bytes.bigEndian(UInt8.self, at: 7)) == 0
            && holdsFrame(bytes, at: 8, count: count)
    }

    private static func holdsGTP(_ bytes: RawSpan, _ count: Int) -> Bool {
        guard (try? bytes.bigEndian(UInt8.self, at: 1)) == 255,
            let length = try? bytes.bigEndian(UInt16.self, at: 2), Int(length) + 8 == count,
            let first = try? bytes.bigEndian(UInt8.self, at: 0), let inside = try? behindGTP(bytes, first)
        else { return false }
        guard case .ip(let offset) = inside else { return false }
        return holdsPacket(bytes, at: offset, count: count)
    }

    private static func anyGeneve(_ bytes: RawSpan, _ first: UInt8, _ count: Int) -> (Encapsulation, Inside)? {
        let next = 8 + 4 * Int(first & 63)
        guard let second = try? bytes.bigEndian(UInt8.self, at: 1), second & 0x3f == 0,
            (try? bytes.bigEndian(UInt8.self, at: 7)) == 0, let type = try? bytes.bigEndian(UInt16.self, at: 2)
        else { return nil }
        switch type {
        case 0x6558 where holdsFrame(bytes, at: next, count: count):
            return (.geneve, inspected { () throws(ParseError) in try frame(bytes, at: next) })
        case 0x0800, 0x86dd:
            return holdsPacket(bytes, at: next, count: count) ? (.geneve, .ip(offset: next)) : nil
        default: return nil
        }
    }

    /// Behind the session's number of L2TP's version 3 may be a cookie of four or eight bytes and a sublayer of four,
    /// of which only the ends know: what holds a frame is it (RFC 3931 §4.1).
    static func behindSession(_ bytes: RawSpan, at start: Int, count: Int) -> Inside {
        for next in stride(from: start + 4, through: start + 16, by: 4) where holdsFrame(bytes, at: next, count: count)
        {
            return inspected { () throws(ParseError) in try frame(bytes, at: next) }
        }
        return .closed
    }

    /// Whether an Ethernet frame with an IP packet begins there.
    static func holdsFrame(_ bytes: RawSpan, at offset: Int, count: Int) -> Bool {
        var place = offset + 12
        for _ in 0..<3 {
            switch try? bytes.bigEndian(UInt16.self, at: place) {
            case 0x0800, 0x86dd: return holdsPacket(bytes, at: place + 2, count: count)
            case 0x8100, 0x88a8: place += 4
            default: return false
            }
        }
        return false
    }

    /// Whether an IP packet begins there that ends within so many bytes of the whole; its checksum is right, or left to
    /// hardware.
    static func holdsPacket(_ bytes: RawSpan, at offset: Int, count: Int) -> Bool {
        guard offset < bytes.byteCount,
            let packet = try? IPPacket(parsing: bytes.extracting(offset...), originalCount: 0),
            packet.length <= count - offset
        else { return false }
        return checksum(bytes, at: offset).map { $0.isRight || $0.isAbsent } ?? mayFollow(bytes, at: offset)
    }

    /// Whether it is an IP packet and nothing else.
    private static func fills(_ bytes: RawSpan, _ count: Int) -> Bool {
        guard let packet = try? IPPacket(parsing: bytes, originalCount: 0), packet.length == count else { return false }
        return checksum(bytes, at: 0).map(\.isRight) ?? mayFollow(bytes, at: 0)
    }

    /// What an IPv4 header's checksum says; nil for IPv6, which has none.
    private static func checksum(_ bytes: RawSpan, at offset: Int) -> (isRight: Bool, isAbsent: Bool)? {
        guard let first = try? bytes.bigEndian(UInt8.self, at: offset), first >> 4 == 4,
            offset + 4 * Int(first & 15) <= bytes.byteCount
        else { return nil }
        var sum = InternetChecksum()
        bytes.extracting(offset..<offset + 4 * Int(first & 15)).withUnsafeBytes { sum.add($0) }
        return (sum.checksum == 0, (try? bytes.bigEndian(UInt16.self, at: offset + 10)) == 0)
    }

    /// Whether IPv6's next header is one that packets have: extensions, TCP, UDP, ICMPv6, tunnels.
    private static func mayFollow(_ bytes: RawSpan, at offset: Int) -> Bool {
        guard let next = try? bytes.bigEndian(UInt8.self, at: offset + 6) else { return false }
        return [0, 4, 6, 17, 41, 43, 44, 47, 50, 51, 58, 59, 60].contains(next)
    }
}
