import Testing
import Timebase

@testable import Wire

@Suite("UDP checksums (RFC 768, RFC 8200 §8.1)")
struct UDPChecksumTests {
    /// Ports 5004 and 6000, eleven bytes of payload; the checksums were computed by another program.
    private func datagram(_ checksum: UInt16) -> [UInt8] {
        [0x13, 0x8c, 0x17, 0x70, 0, 19, UInt8(checksum >> 8), UInt8(truncatingIfNeeded: checksum)]
            + Array("hello, sum".utf8) + [0x81]
    }

    private static let ipv4 = (IPAddress(IPv4Address(10, 0, 0, 1)), IPAddress(IPv4Address(10, 0, 1, 1)))
    private static let ipv6 = (
        IPAddress(high: 0x2001_0db8_0000_0000, low: 1), IPAddress(high: 0xff05_0000_0000_0000, low: 0x2_1003)
    )

    private func fits(_ bytes: [UInt8], _ addresses: (IPAddress, IPAddress)) throws -> Bool {
        let header = try UDPHeader(parsing: bytes.span.bytes, datagramCount: bytes.count)
        return header.checksumFits(bytes.span.bytes, source: addresses.0, destination: addresses.1)
    }

    @Test("right ones fit, over IPv4 and IPv6, and none fits always")
    func right() throws {
        #expect(try fits(datagram(0x64eb), Self.ipv4))
        #expect(try fits(datagram(0x3d28), Self.ipv6))
        #expect(try fits(datagram(0), Self.ipv4))
        #expect(try !fits(datagram(0x64eb), Self.ipv6))
    }

    @Test("any changed bit is found")
    func wrong() throws {
        for index in 0..<19 * 8 where !(32..<48).contains(index) {
            var bytes = datagram(0x64eb)
            bytes[index / 8] ^= 1 << UInt8(index % 8)
            #expect(try !fits(bytes, Self.ipv4), "bit \(index)")
        }
    }

    @Test("a frame of a changed payload bears the checksum of what it was")
    func original() throws {
        let header = UDPFrame(
            source: Endpoint(address: IPv4Address(10, 0, 0, 1), port: 5_004),
            destination: Endpoint(address: IPv4Address(10, 0, 1, 1), port: 6_000), congestionNotification: 3)
        var frame = [UInt8](repeating: 0, count: 100)
        var payload = Array("hello, sum".utf8) + [0x81]
        var sum = InternetChecksum()
        payload.withUnsafeBytes { sum.add($0) }
        payload[3] ^= 16
        let count = frame.withUnsafeMutableBytes { frame in
            payload.withUnsafeBytes { header.write(to: frame, payload: $0, originalSum: sum.sum) }
        }
        #expect(count == 42 + 11 && frame[40] == 0x64 && frame[41] == 0xeb && frame[15] & 3 == 3)
        let written = Array(frame[..<count])
        #expect(throws: ParseError.badChecksum) { try UDPFrame(parsing: written.span.bytes) }
    }
}
