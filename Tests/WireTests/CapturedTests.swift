import Testing
import Timebase
@testable import Wire

@Suite("Packets that others captured")
struct CapturedTests {
    @Test(
        "IPv6 addresses are written as RFC 5952 wants them",
        arguments: [
            (UInt64(0x2001_0db8_0000_0000), UInt64(1), "2001:db8::1"), (0, 0, "::"), (0, 1, "::1"),
            (0x2001_0db8_0000_0001, 0x0001_0001_0001_0001, "2001:db8:0:1:1:1:1:1"),
            (0x2001_0000_0000_0001, 0x0000_0000_0000_0001, "2001:0:0:1::1"),
            (0x2001_0db8_0000_0000, 0x0001_0000_0000_0001, "2001:db8::1:0:0:1"),
            (0xff02_0000_0000_0000, 0, "ff02::"),
            (
                0xfdb2_2c26_f4e4_0001, 0x3cd8_e1f5_6bbc_b27c,
                "fdb2:2c26:f4e4:1:3cd8:e1f5:6bbc:b27c"
            ),
        ])
    func ipv6Text(high: UInt64, low: UInt64, text: String) {
        let address = IPAddress(high: high, low: low)
        #expect(address.description == text)
        #expect(IPAddress(ipv6: text) == address)
        #expect(SocketAddress(address: address, port: 5004).description == "[\(text)]:5004")
    }

    @Test(
        "What is no IPv6 address is none",
        arguments: [
            "", ":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::", "g::", "1:2:3:4:5:6:7::8:9",
        ])
    func notIPv6(text: String) { #expect(IPAddress(ipv6: text) == nil) }

    /// 10.0.0.1:1000 to 10.0.0.2:2000, "hi", with a VLAN tag inside a service tag.
    private let tagged = hex(
        """
        020000000002 020000000001 88a8 0064 8100 007b 0800
        45b8001e 00010000 40110000 0a000001 0a000002 03e807d0 000a0000 6869
        """)

    private func udp(_ frame: [UInt8], _ link: LinkType = .ethernet) -> (IPPacket, UDPHeader)? {
        let bytes = frame.span.bytes
        guard case .ip(let offset) = link.network(in: bytes), offset <= bytes.byteCount else { return nil }
        let packet = bytes.extracting(offset..<bytes.byteCount)
        guard let ip = try? IPPacket(parsing: packet, originalCount: packet.byteCount),
            ip.payloadProtocol == IPPacket.udp, ip.payloadOffset <= packet.byteCount
        else { return nil }
        let rest = packet.extracting(ip.payloadOffset..<packet.byteCount)
        guard let header = try? UDPHeader(parsing: rest, datagramCount: ip.payloadCount) else { return nil }
        return (ip, header)
    }

    @Test func doublyTaggedFramesAreRead() throws {
        let (ip, header) = try #require(udp(tagged))
        #expect(ip.source.description == "10.0.0.1")
        #expect(ip.destination.description == "10.0.0.2")
        #expect(ip.differentiatedServices == 46)
        #expect(ip.fragment == nil)
        #expect(header.sourcePort == 1000 && header.destinationPort == 2000)
        #expect(header.payloadCount == 2)
    }

    @Test("Each link type leads to the same packet")
    func linkTypes() throws {
        let packet = Array(tagged[22...])
        let prefixes: [(LinkType, String)] = [
            (.raw, ""), (.ipv4, ""), (.null, "02000000"), (.null, "00000002"), (.loop, "00000002"),
            (.linuxSLL, "0000 0001 0006 020000000001 0000 0800"),
            (.linuxSLL2, "0800 0000 00000002 0001 00 06 0200000000010000"),
            (.ethernet, "020000000002 020000000001 8864 1100 0001 0020 0021"),
            // MPLS: labels 16 and 17, the second at the bottom of the stack; below a VLAN tag, too.
            (.ethernet, "020000000002 020000000001 8847 00010040 00011140"),
            (.ethernet, "020000000002 020000000001 8100 007b 8848 00011140"),
        ]
        for (link, prefix) in prefixes {
            #expect(udp(hex(prefix) + packet, link)?.1.destinationPort == 2000, "\(link.name)")
        }
        let unknown = LinkType(rawValue: 147).network(in: packet.span.bytes)
        #expect(unknown == .unsupported)
        let arp = hex("020000000002 020000000001 0806 0001")
        let found = LinkType.ethernet.network(in: arp.span.bytes)
        #expect(found == .other)
    }

    @Test("IPv6's extension headers are stepped over, and fragments told")
    func ipv6Extensions() throws {
        let addresses = "20010db8000000000000000000000001 20010db8000000000000000000000002"
        // Hop-by-hop of 8 bytes, destination options of 16, then UDP.
        let frame = hex(
            "60000000 0022 00 40 \(addresses) 3c00010400000000 11010104000000000000000000000000 03e807d0 000a0000 6869")
        let (ip, header) = try #require(udp(frame, .ipv6))
        #expect(ip.payloadOffset == 64)
        #expect(header.payloadCount == 2)
        #expect(ip.source.description == "2001:db8::1")
        let fragment = hex("60000000 0010 2c 40 \(addresses) 1100 0009 00000007 0011223344556677")
        let piece = try IPPacket(parsing: fragment.span.bytes, originalCount: fragment.count)
        #expect(piece.fragment?.offset == 8)
        #expect(piece.fragment?.moreFollow == true)
        #expect(piece.fragment?.identification == 7)
        #expect(piece.payloadCount == 8)
    }

    @Test("Cut and random bytes never trap")
    func hostileBytes() {
        var random = RandomBytes("captured")
        for count in 0..<tagged.count { #expect(udp(Array(tagged.prefix(count)))?.1.payloadCount != 3) }
        for round in 0..<20_000 {
            let bytes = round % 2 == 0 ? random.damaged(tagged) : random.bytes(random.number(below: 100))
            let link = LinkType(rawValue: [0, 1, 101, 108, 113, 228, 229, 276, 9][random.number(below: 9)])
            if let (ip, header) = udp(bytes, link) { #expect(header.payloadCount <= ip.payloadCount) }
            _ = try? NTPPacket(parsing: bytes.span.bytes)
            _ = DatagramSignature(bytes.span.bytes, payloadCount: bytes.count)
            _ = MediaDescription.all(in: String(decoding: bytes, as: UTF8.self))
        }
    }

    @Test("NTP: an exchange's reply, and its times in nanoseconds")
    func ntp() throws {
        // 2017-06-19T14:12:09.5Z is 1497881529.5 s since 1970; NTP adds 2,208,988,800.
        let reply = hex(
            """
            24 02 06 ec 00000100 00000200 c0a80001 dcf0ba79 00000000
            dcf0ba78 00000000 dcf0ba79 80000000 dcf0ba79 80000001
            """)
        let packet = try NTPPacket(parsing: reply.span.bytes)
        #expect(packet.version == 4 && packet.mode == 4 && packet.stratum == 2 && packet.leapIndicator == 0)
        #expect(packet.precision == -20)
        let near: Int64 = 1_600_000_000_000_000_000
        let seconds = Int64(0xdcf0_ba79) - 2_208_988_800
        #expect(packet.receiveTimestamp.unixNanoseconds(near: near) == seconds * 1_000_000_000 + 500_000_000)
        #expect(packet.originTimestamp.unixNanoseconds(near: near) == (seconds - 1) * 1_000_000_000)
        // Era 1 begins on 2036-02-07T06:28:16Z, 2,085,978,496 s after 1970.
        #expect(
            NTPTimestamp(rawValue: 1 << 32).unixNanoseconds(near: 2_085_978_496_000_000_000)
                == 2_085_978_497_000_000_000)
        for count in 0..<48 {
            let cut = Array(reply[..<count])
            #expect(throws: ParseError.truncated) { try NTPPacket(parsing: cut.span.bytes) }
        }
    }

    @Test("Round trip: the package's own descriptions are read as they were meant")
    func ownDescription() throws {
        var audio = SessionDescription.Media(
            kind: .audio, port: 5006, transport: .rtpAVP,
            formats: [.init(payloadType: 97, encoding: "mpeg4-generic", clockRate: 48_000, channels: 2)])
        audio.connection = .init(address: IPv4Address(10, 0, 1, 1))
        audio.attributes = ["rtcp-mux"]
        var description = SessionDescription(
            origin: .init(sessionID: 1, address: IPv4Address(10, 0, 0, 1)), name: "x",
            media: [
                .init(
                    kind: .video, port: 5004, transport: .rtpAVP,
                    formats: [.init(payloadType: 96, encoding: "H264", clockRate: 90_000, parameters: "a=1")]),
                audio, .init(kind: .video, port: 5010, transport: .udp, formats: [.init(subtype: "MP2T")]),
            ])
        description.connection = .init(address: IPv4Address(239, 1, 1, 1))
        let media = MediaDescription.all(in: description.text)
        try #require(media.count == 3)
        #expect(media[0].encodings == [96: RTPEncoding(name: "H264", clockRate: 90_000, kind: .video)])
        #expect(media[0].parameters == [96: "a=1"])
        #expect(media[0].destination?.description == "239.1.1.1")
        #expect(media[0].rtcpPort == 5005)
        #expect(media[1].encodings[97]?.clockRate == 48_000)
        #expect(media[1].destination?.description == "10.0.1.1")
        #expect(media[1].rtcpPort == 5006)
        #expect(media[2].isPlainTransportStream && !media[2].isRTP)
        #expect(MediaDescription.all(in: "m=video 1 RTP/AVP 33\r\n").isEmpty)
    }

    @Test("Signatures: STUN, DTLS and SRT, and nothing for what only might be")
    func signatures() {
        func signature(_ text: String) -> DatagramSignature? {
            let bytes = hex(text)
            return DatagramSignature(bytes.span.bytes, payloadCount: bytes.count)
        }
        #expect(signature("0001 0000 2112a442 000102030405060708090a0b") == .stun)
        #expect(signature("0001 0004 2112a442 000102030405060708090a0b") == nil)
        #expect(signature("16 fefd 0000 000000000000 0001 00") == .dtlsHandshake)
        #expect(signature("16 fefd 0000 000000000000 0002 00") == nil)
        let zeros = String(repeating: "00", count: 28)
        #expect(
            signature(
                "80000000 00000000 00000000 00000000 00000004 \(String(repeating: "00", count: 16)) 00000001 " + zeros)
                == .srtHandshake)
        #expect(
            signature(
                "80000000 00000000 00000000 00000000 00000006 \(String(repeating: "00", count: 16)) 00000001 " + zeros)
                == nil)
    }
}
