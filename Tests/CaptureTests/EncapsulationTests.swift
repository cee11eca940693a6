import Testing
import Timebase
@testable import Wire

@testable import Capture

/// Packets around packets, made here by the letter of each RFC.
enum Wrapped {
    static func hex(_ text: String) -> [UInt8] {
        let digits = text.compactMap { $0.hexDigitValue }
        return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    static func big<T: FixedWidthInteger>(_ value: T) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }

    static func ethernet(_ type: UInt16, _ payload: [UInt8]) -> [UInt8] {
        hex("020000000002 020000000001") + big(type) + payload
    }

    static func ipv4(_ number: UInt8, _ payload: [UInt8], id: UInt16 = 1, flags: UInt16 = 0x4000) -> [UInt8] {
        hex("4500") + big(UInt16(20 + payload.count)) + big(id) + big(flags) + [64, number, 0, 0]
            + hex("0a090001 0a090002") + payload
    }

    static func ipv6(_ number: UInt8, _ payload: [UInt8]) -> [UInt8] {
        hex("60000000") + big(UInt16(payload.count)) + [number, 64]
            + hex("20010db8000000000000000000000001 20010db8000000000000000000000002") + payload
    }

    static func udp(_ source: UInt16, _ destination: UInt16, _ payload: [UInt8]) -> [UInt8] {
        big(source) + big(destination) + big(UInt16(8 + payload.count)) + [0, 0] + payload
    }

    /// An IPv4 packet's protocol as Ethernet tells it.
    static func framed(_ packet: [UInt8]) -> [UInt8] { ethernet(packet[0] >> 4 == 4 ? 0x0800 : 0x86dd, packet) }

    /// Each is a way to carry an IP packet inside an IP packet.
    static let tunnels: [(name: String, kind: Encapsulation, wrap: @Sendable ([UInt8]) -> [UInt8])] = [
        ("gre", .gre, { ipv4(47, hex("0000") + type($0) + $0) }),
        ("gre over ipv6", .gre, { ipv6(47, hex("0000") + type($0) + $0) }),
        (
            "gre with checksum, key and number", .gre,
            { ipv4(47, hex("b000") + type($0) + hex("1234000000000009") + hex("00000001") + $0) }
        ),
        (
            "gre with a route", .gre,
            { ipv4(47, hex("4000") + type($0) + hex("00000000 08000404 0a000001 00000000") + $0) }
        ),
        ("gre with ethernet", .gre, { ipv4(47, hex("2000 6558 00000007") + framed($0)) }),
        ("gre with vlan", .gre, { ipv4(47, hex("0000 8100 0007") + type($0) + $0) }),
        (
            "pptp", .gre,
            {
                ipv4(
                    47, hex("3081 880b") + big(UInt16($0.count + 4)) + hex("0001 00000005 00000004 ff03") + ppp($0) + $0
                )
            }
        ),
        ("wccp", .gre, { ipv4(47, hex("0000 883e 00000000") + $0) }),
        ("erspan I", .erspan, { ipv4(47, hex("0000 88be") + framed($0)) }),
        ("erspan II", .erspan, { ipv4(47, hex("1000 88be 00000001 1001000100000000") + framed($0)) }),
        ("erspan III", .erspan, { ipv4(47, hex("1000 22eb 00000001 20010001 00000000 00000000") + framed($0)) }),
        (
            "erspan III with a platform's bytes", .erspan,
            { ipv4(47, hex("1000 22eb 00000001 20010001 00000000 00000001 1122334455667788") + framed($0)) }
        ),
        ("erspan III with ip", .erspan, { ipv4(47, hex("1000 22eb 00000001 20010001 00000000 00000800") + $0) }),
        ("ip in ip", .ipInIP, { ipv4($0[0] >> 4 == 4 ? 4 : 41, $0) }),
        ("ip in ipv6", .ipInIP, { ipv6($0[0] >> 4 == 4 ? 4 : 41, $0) }),
        (
            "ah, tunnel", .authentication,
            {
                ipv4(
                    51, [$0[0] >> 4 == 4 ? 4 : 41, 4, 0, 0] + hex("00000001 00000001 aaaaaaaa aaaaaaaa aaaaaaaa") + $0)
            }
        ),
        ("etherip", .etherIP, { ipv4(97, hex("3000") + framed($0)) }),
        ("mpls in ip", .mpls, { ipv4(137, hex("00010040 00011140") + $0) }),
        ("mpls in udp", .mpls, { ipv4(17, udp(49_999, 6635, hex("00011140") + $0)) }),
        ("gre in udp", .gre, { ipv4(17, udp(49_999, 4754, hex("0000") + type($0) + $0)) }),
        ("vxlan", .vxlan, { ipv4(17, udp(49_999, 4789, hex("0800000000002a00") + framed($0))) }),
        (
            "vxlan, linux' port, with a group", .vxlan,
            { ipv6(17, udp(49_999, 8472, hex("8800000500002a00") + framed($0))) }
        ),
        (
            "vxlan-gpe", .vxlan,
            { ipv4(17, udp(49_999, 4790, hex("0c0000") + [$0[0] >> 4 == 4 ? 1 : 2] + hex("00002a00") + $0)) }
        ),
        ("geneve", .geneve, { ipv4(17, udp(49_999, 6081, hex("0000 6558 00002a00") + framed($0))) }),
        (
            "geneve with options and ip", .geneve,
            { ipv4(17, udp(49_999, 6081, hex("0200") + type($0) + hex("00002a00 0102030400000000") + $0)) }
        ),
        ("gtp-u", .gtpU, { ipv4(17, udp(2152, 2152, hex("30ff") + big(UInt16($0.count)) + hex("00000063") + $0)) }),
        (
            "gtp-u with extensions", .gtpU,
            {
                ipv4(
                    17,
                    udp(
                        2152, 2152,
                        hex("36ff") + big(UInt16($0.count + 16)) + hex("00000063 0001 00 85")
                            + hex("02 0000 00000000 c0") + hex("01 0000 00") + $0))
            }
        ),
        (
            "l2tp", .l2tp,
            {
                ipv4(
                    17, udp(1701, 1701, hex("4002") + big(UInt16($0.count + 12)) + hex("00010002 ff03") + ppp($0) + $0))
            }
        ),
        (
            "l2tp with numbers and an offset", .l2tp,
            { ipv4(17, udp(1701, 1701, hex("0a02 00010002 00010002 0003 aaaaaa") + ppp($0) + $0)) }
        ),
        (
            "l2tp 3 with a cookie", .l2tp,
            { ipv4(115, hex("00000007 1122334455667788") + framed($0)) }
        ),
        (
            "l2tp 3 in udp with a sublayer", .l2tp,
            { ipv4(17, udp(1701, 1701, hex("00030000 00000007 40000001") + framed($0))) }
        ),
        ("amt", .amt, { ipv4(17, udp(2268, 49_999, hex("0600") + $0)) }),
        (
            "vxlan on another port", .vxlan,
            { ipv6(17, udp(49_999, 12_345, hex("0800000000002a00") + ethernet(0x8100, hex("0007") + type($0) + $0))) }
        ),
        ("vxlan's other way", .vxlan, { ipv4(17, udp(4789, 49_999, hex("0800000000002a00") + framed($0))) }),
        (
            "geneve on another port", .geneve,
            { ipv4(17, udp(49_999, 6082, hex("0140 6558 00002a00 01020380") + framed($0))) }
        ),
        ("geneve's other way", .geneve, { ipv4(17, udp(6081, 49_999, hex("0000") + type($0) + hex("00002a00") + $0)) }),
        (
            "gtp-u's other way", .gtpU,
            { ipv4(17, udp(2152, 49_999, hex("30ff") + big(UInt16($0.count)) + hex("00000063") + $0)) }
        ),
        (
            "gtp-u with a session container and ethernet", .gtpU,
            {
                ipv4(
                    17,
                    udp(
                        2152, 2152,
                        hex("34ff") + big(UInt16($0.count + 22)) + hex("00000063 0000 00 85 01001000") + framed($0)))
            }
        ),
        ("tzsp", .tzsp, { ipv4(17, udp(49_999, 37_008, hex("01000001 0a01ff 00 01") + framed($0))) }),
    ]

    private static func type(_ packet: [UInt8]) -> [UInt8] { packet[0] >> 4 == 4 ? [0x08, 0] : [0x86, 0xdd] }
    private static func ppp(_ packet: [UInt8]) -> [UInt8] { packet[0] >> 4 == 4 ? [0, 0x21] : [0, 0x57] }

    /// Ways to carry an IPv6 packet only.
    static let teredo: [@Sendable ([UInt8]) -> [UInt8]] = [
        { ipv4(17, udp(3544, 40_000, $0)) },
        { ipv4(17, udp(40_000, 3544, hex("0000 1234 0a000001") + $0)) },
        { ipv4(17, udp(3544, 40_000, hex("0001 0002 aaaa 0102030405060708 00 0000 1234 0a000001") + $0)) },
    ]

    /// Link layers.
    static let links: [(link: UInt16, wrap: @Sendable ([UInt8]) -> [UInt8])] = [
        (1, { framed($0) }),
        (1, { ethernet(UInt16($0.count + 8), hex("aaaa03 000000") + type($0) + $0) }),
        (1, { ethernet(0x8100, hex("0007") + big(UInt16($0.count + 8)) + hex("aaaa03 0000f8") + type($0) + $0) }),
        (1, { ethernet(0x88a8, hex("0007 8100 0008 9100 0009") + type($0) + $0) }),
        (1, { ethernet(0x8926, hex("00000000") + type($0) + $0) }),
        (1, { ethernet(0x88e7, hex("00000007") + framed($0)) }),
        (1, { ethernet(0x8847, hex("00010040 00011140 00000000") + framed($0)) }),
        (1, { ethernet(0x8847, hex("00011140") + ethernet(0x8100, hex("0007") + type($0) + $0)) }),
        (1, { ethernet(0x8847, hex("00011140") + framed($0)) }),
        (1, { ethernet(0x8847, hex("00011140 4c0000000002 4c0000000001") + type($0) + $0) }),
        (1, { ethernet(0x8847, hex("00011140 6c0000000002 6c0000000001 8100 0007") + type($0) + $0) }),
        (
            1,
            {
                ethernet(
                    0x8847,
                    hex("00011140 00000000") + ethernet(UInt16($0.count + 8), hex("aaaa03 000000") + type($0) + $0))
            }
        ),
        (
            1,
            {
                ethernet(
                    0x8847,
                    hex("00011140 00000000")
                        + ethernet(0x8864, hex("1100 0001") + big(UInt16($0.count + 2)) + ppp($0) + $0))
            }
        ),
        (1, { ethernet(0x8870, hex("aaaa03 000000") + type($0) + $0) }), (219, { hex("00010040 00011140") + $0 }),
        (1, { ethernet(0x8864, hex("1100 0001") + big(UInt16($0.count + 2)) + ppp($0) + $0) }),
        (9, { hex("ff03") + ppp($0) + $0 }), (9, { ppp($0).suffix(1) + $0 }), (50, { hex("ff03") + ppp($0) + $0 }),
        (204, { hex("00 ff03") + ppp($0) + $0 }), (166, { hex("0003") + ppp($0) + $0 }),
        (51, { hex("1100 0001") + big(UInt16($0.count + 2)) + ppp($0) + $0 }), (104, { hex("0f00") + type($0) + $0 }),
    ]
}

@Suite("Packets inside packets")
struct EncapsulationTests {
    private let folder: TemporaryFolder
    private let payload = Wrapped.hex("80000001000000a000000007") + [UInt8](repeating: 0xd5, count: 20)

    init() throws { folder = try TemporaryFolder() }

    private var inner4: [UInt8] { Wrapped.ipv4(17, Wrapped.udp(5000, 6000, payload)) }
    private var inner6: [UInt8] { Wrapped.ipv6(17, Wrapped.udp(5000, 6000, payload)) }

    private func read(_ frames: [[UInt8]], link: UInt16 = 1) throws -> ReadCapture {
        try ReadCapture(
            CaptureBytes.pcap(link: link, frames.enumerated().map { (UInt32($0.offset), 0, $0.element) }), in: folder)
    }

    @Test("Each tunnel leads to the datagram inside, of either version of IP", arguments: Wrapped.tunnels.indices)
    func tunnels(index: Int) throws {
        let (name, kind, wrap) = Wrapped.tunnels[index]
        for inner in [inner4, inner6] where name != "wccp" || inner == inner4 {
            let capture = try read([Wrapped.framed(wrap(inner))])
            #expect(capture.datagrams.map(\.payload) == [payload], "\(name)")
            // An authentication header has the tunnel behind it counted, too.
            #expect(capture.input.encapsulations.contains { $0.kind == kind && $0.opened == 1 && $0.closed == 0 })
            #expect(capture.skipped.isEmpty)
        }
    }

    @Test("Link layers do, too", arguments: Wrapped.links.indices)
    func links(index: Int) throws {
        let (link, wrap) = Wrapped.links[index]
        for inner in [inner4, inner6] {
            let capture = try read([wrap(inner)], link: link)
            #expect(capture.datagrams.map(\.payload) == [payload], "\(index)")
            #expect(capture.skipped.isEmpty)
        }
    }

    @Test("Teredo with its indications", arguments: Wrapped.teredo.indices)
    func teredo(index: Int) throws {
        let capture = try read([Wrapped.framed(Wrapped.teredo[index](inner6))])
        #expect(capture.datagrams.map(\.payload) == [payload])
        #expect(capture.input.encapsulations.map(\.kind) == [.teredo])
    }

    @Test("TURN's channels on any port and its indications", arguments: [3478, 5349, 50_001] as [UInt16])
    func turn(port: UInt16) throws {
        let length = Wrapped.big(UInt16(payload.count))
        let channel = Wrapped.hex("4abc") + length + payload
        // FINGERPRINT-like attribute of five bytes with its filling before the data.
        let attributes = Wrapped.hex("80280005 1122334455000000 0013") + length + payload
        let indication =
            Wrapped.hex("0017") + Wrapped.big(UInt16(attributes.count)) + Wrapped.hex("2112a442")
            + [UInt8](repeating: 9, count: 12) + attributes
        let capture = try read(
            [channel, channel + [0, 0], indication].map {
                Wrapped.framed(Wrapped.ipv4(17, Wrapped.udp(port, 6000, $0)))
            })
        #expect(capture.datagrams.map(\.payload) == [payload, payload, payload])
        #expect(capture.input.encapsulations.map(\.opened) == [3])
    }

    @Test("What begins like a tunnel and is none stays what it is")
    func notTunnels() throws {
        let transport = (0..<7).flatMap { _ in Wrapped.hex("47052010") + [UInt8](repeating: 0xff, count: 184) }
        let rtp = [payload, [0x80, 8] + payload.dropFirst(2)]
        for (port, bytes) in [(1234, transport), (4789, rtp[0]), (8472, rtp[1]), (2152, rtp[0]), (6081, rtp[0])] {
            let capture = try read([Wrapped.framed(Wrapped.ipv4(17, Wrapped.udp(5000, UInt16(port), bytes)))])
            #expect(capture.datagrams.map(\.payload) == [bytes], "\(port)")
            #expect(capture.input.encapsulations.isEmpty)
        }
    }

    @Test("IP straight in UDP, where its header says that it fills the datagram")
    func bare() throws {
        var packet = inner4
        var sum = InternetChecksum()
        packet[..<20].withUnsafeBytes { sum.add($0) }
        packet.replaceSubrange(10..<12, with: Wrapped.big(~sum.sum))
        let versions: [([UInt8], Encapsulation)] = [(packet, .ipInIP), (inner6, .teredo)]
        for (inner, kind) in versions {
            let datagrams = [inner, inner + [0], Array(inner.dropLast())].map {
                Wrapped.framed(Wrapped.ipv4(17, Wrapped.udp(40_001, 40_000, $0)))
            }
            let capture = try read(datagrams)
            #expect(capture.datagrams.map(\.payload.count) == [payload.count, inner.count + 1, inner.count - 1])
            #expect(capture.input.encapsulations.map(\.kind) == [kind])
        }
    }

    @Test("Frames in pseudowires in frames come to an end")
    func manyFrames() throws {
        var frame = Wrapped.framed(inner4)
        for _ in 0..<3000 { frame = Wrapped.ethernet(0x8847, Wrapped.hex("00011140 00000000") + frame) }
        let capture = try read([frame])
        #expect(capture.datagrams.isEmpty && capture.skipped == [.notIP: 1])
    }

    @Test("What cannot be seen is counted by its name")
    func closed() throws {
        let secret = [UInt8](repeating: 0x55, count: 40)
        let packets: [(Encapsulation, [UInt8])] = [
            (.esp, Wrapped.framed(Wrapped.ipv4(50, secret))), (.l2tp, Wrapped.framed(Wrapped.ipv4(115, secret))),
            (.esp, Wrapped.framed(Wrapped.ipv4(17, Wrapped.udp(4500, 4500, secret)))),
            (.wireGuard, Wrapped.framed(Wrapped.ipv4(17, Wrapped.udp(51_820, 9999, [4, 0, 0, 0] + secret)))),
            (.ipComp, Wrapped.framed(Wrapped.ipv4(108, secret))),
            (.gre, Wrapped.framed(Wrapped.ipv4(47, Wrapped.hex("0000 b7ea") + secret))),
            (.ppp, Wrapped.ethernet(0x8864, Wrapped.hex("11000001 002a 00fd") + secret)),
            (.macsec, Wrapped.ethernet(0x88e5, secret)),
        ]
        for (kind, packet) in packets {
            let capture = try read([packet, packet])
            #expect(capture.datagrams.isEmpty)
            #expect(capture.skipped == [.insideEncapsulation: 2], "\(kind)")
            #expect(capture.input.encapsulations.map(\.kind) == [kind])
            #expect(capture.input.encapsulations.map(\.closed) == [2])
        }
    }

    @Test("Tunnels in tunnels, to a bound")
    func nested() throws {
        let tunnels = Wrapped.tunnels.filter { $0.name != "wccp" }
        for first in tunnels {
            for second in tunnels {
                let capture = try read([Wrapped.framed(first.wrap(second.wrap(inner4)))])
                #expect(capture.datagrams.map(\.payload) == [payload], "\(first.name), \(second.name)")
            }
        }
        var deep = inner4
        for _ in 0..<Encapsulation.mostNested { deep = Wrapped.ipv4(4, deep) }
        #expect(try read([Wrapped.framed(deep)]).datagrams.count == 1)
        let capture = try read([Wrapped.framed(Wrapped.ipv4(4, deep))])
        #expect(capture.datagrams.isEmpty && capture.skipped == [.nestedTooDeeply: 1])
    }

    @Test("Fragments outside, inside and both are put together")
    func fragments() throws {
        let long = payload + [UInt8](repeating: 0x11, count: 700)
        func pieces(_ number: UInt8, _ content: [UInt8], id: UInt16) -> [[UInt8]] {
            stride(from: 0, to: content.count, by: 240).map { start in
                let end = min(start + 240, content.count)
                let flags = UInt16(start / 8) | (end < content.count ? 0x2000 : 0)
                return Wrapped.ipv4(number, Array(content[start..<end]), id: id, flags: flags)
            }
        }
        func gre(_ packet: [UInt8]) -> [UInt8] { Wrapped.hex("00000800") + packet }
        let datagram = Wrapped.udp(5000, 6000, long)
        let outside = pieces(47, gre(Wrapped.ipv4(17, datagram)), id: 5)
        let inside = pieces(17, datagram, id: 6).map { Wrapped.ipv4(47, gre($0)) }
        let both = pieces(17, datagram, id: 7).enumerated().flatMap {
            pieces(47, gre($0.element), id: UInt16(8 + $0.offset))
        }
        for frames in [outside, inside, both] {
            #expect(frames.count > 1)
            let capture = try read(frames.map(Wrapped.framed))
            #expect(capture.datagrams.map(\.payload) == [long])
        }
    }

    @Test("Cut, damaged and random packets never trap, and end")
    func hostile() throws {
        let key = DrawKey(seed: 5)
        var frames: [[UInt8]] = []
        var draw: Int64 = 0
        func number(_ limit: Int) -> Int {
            draw += 1
            return Int(key.draw(draw) % UInt64(limit))
        }
        for (_, _, wrap) in Wrapped.tunnels {
            let golden = Wrapped.framed(wrap(inner4))
            for count in stride(from: 14, through: golden.count, by: 3) { frames.append(Array(golden.prefix(count))) }
            for _ in 0..<200 {
                var bytes = golden
                for _ in 0...number(3) { bytes[14 + number(bytes.count - 14)] = UInt8(number(256)) }
                frames.append(bytes)
            }
        }
        let capture = try read(frames)
        // What was not read was counted.
        let skipped = capture.input.skipped.reduce(0) { $0 + $1.count }
        #expect(capture.input.packets == Int64(frames.count))
        #expect(Int64(capture.datagrams.count) + skipped <= Int64(frames.count))
        #expect(capture.datagrams.count > 1000)
    }
}
