/// An IPv4 or IPv6 address (RFC 791, RFC 4291).
@frozen
public struct IPAddress: Hashable, Sendable, BitwiseCopyable, CustomStringConvertible {
    /// The first eight bytes of an IPv6 address; 0 for IPv4.
    @usableFromInline var high: UInt64
    /// The last eight bytes, or the four of IPv4.
    @usableFromInline var low: UInt64
    @usableFromInline var isIPv6: Bool

    /// An IPv4 address as one of either version.
    @inlinable
    public init(_ address: IPv4Address) {
        high = 0
        low = UInt64(address.rawValue)
        isIPv6 = false
    }

    /// An IPv6 address.
    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
        isIPv6 = true
    }

    /// The address as IPv4; nil for IPv6.
    var ipv4: IPv4Address? { isIPv6 ? nil : IPv4Address(rawValue: UInt32(truncatingIfNeeded: low)) }

    /// 224.0.0.0/4 and ff00::/8.
    public var isMulticast: Bool { isIPv6 ? high >> 56 == 0xff : low >> 28 == 14 }

    /// The usual text: four decimal numbers, or RFC 5952's form of IPv6.
    public var description: String {
        guard isIPv6 else { return IPv4Address(rawValue: UInt32(truncatingIfNeeded: low)).description }
        let groups = (0..<8).map { index in
            UInt16(truncatingIfNeeded: (index < 4 ? high : low) >> UInt64(48 - 16 * (index % 4)))
        }
        let gap = Self.longestZeros(groups)
        func text(_ part: ArraySlice<UInt16>) -> String { part.map { String($0, radix: 16) }.joined(separator: ":") }
        guard gap.count > 1 else { return text(groups[...]) }
        return text(groups[..<gap.lowerBound]) + "::" + text(groups[gap.upperBound...])
    }

    /// The first of the longest runs of zero groups.
    private static func longestZeros(_ groups: [UInt16]) -> Range<Int> {
        var best = 0..<0
        var start = 0
        for (index, group) in groups.enumerated() {
            if group != 0 { start = index + 1 }
            if index + 1 - start > best.count { best = start..<index + 1 }
        }
        return best
    }
}

/// An IP address of either version and a UDP port.
@frozen
public struct SocketAddress: Hashable, Sendable, BitwiseCopyable, CustomStringConvertible {
    /// The host's address, or a group's.
    public var address: IPAddress
    /// The UDP port; 0: none.
    public var port: UInt16

    @inlinable
    public init(address: IPAddress, port: UInt16) {
        self.address = address
        self.port = port
    }

    /// An IPv4 address and port as one of either version.
    @inlinable
    public init(_ endpoint: Endpoint) { self.init(address: IPAddress(endpoint.address), port: endpoint.port) }

    /// "10.0.0.1:5004", "[2001:db8::1]:5004".
    public var description: String { address.isIPv6 ? "[\(address)]:\(port)" : "\(address):\(port)" }
}
