/// An IPv4 address (RFC 791).
@frozen
public struct IPv4Address: Hashable, Comparable, Sendable, BitwiseCopyable, CustomStringConvertible {
    /// The first of the four numbers is the most significant byte.
    public var rawValue: UInt32

    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The address a.b.c.d.
    @inlinable
    public init(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) {
        rawValue = UInt32(a) &<< 24 | UInt32(b) &<< 16 | UInt32(c) &<< 8 | UInt32(d)
    }

    /// Four decimal numbers with points between; nil for anything else.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        rawValue = 0
        for part in parts {
            guard part.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt8(part) else { return nil }
            rawValue = rawValue << 8 | UInt32(number)
        }
    }

    public var description: String {
        "\(rawValue >> 24).\(rawValue >> 16 & 255).\(rawValue >> 8 & 255).\(rawValue & 255)"
    }

    /// 224.0.0.0/4 (RFC 1112).
    @inlinable var isMulticast: Bool { rawValue &>> 28 == 14 }

    @inlinable public static func < (a: IPv4Address, b: IPv4Address) -> Bool { a.rawValue < b.rawValue }
}

/// An IPv4 address and a UDP port.
@frozen
public struct Endpoint: Hashable, Sendable, BitwiseCopyable, CustomStringConvertible {
    /// The host's address, or a group's.
    public var address: IPv4Address
    /// The UDP port.
    public var port: UInt16

    @inlinable
    public init(address: IPv4Address, port: UInt16) {
        self.address = address
        self.port = port
    }

    public var description: String { "\(address):\(port)" }
}

/// An Ethernet address: the low 48 bits, the first byte on the wire most significant.
struct MACAddress: Hashable, Sendable, BitwiseCopyable {
    var rawValue: UInt64

    /// Where frames for an address go: for a multicast group 01:00:5e and its low 23 bits (RFC 1112 §6.4). For a host
    /// the locally administered 02:00 and its address, so that an emulated network needs no ARP.
    init(for address: IPv4Address) {
        let bits = UInt64(address.rawValue)
        rawValue = address.isMulticast ? 0x0100_5e00_0000 | bits & 0x7f_ffff : 0x0200_0000_0000 | bits
    }
}
