import Testing
import Timebase
@testable import Wire

@Suite("NTP packets and timestamps (RFC 5905 §6, §7.3)")
struct NTPPacketTests {
    /// Worked out from figure 8: leap 0, version 4, mode 4, stratum 2, poll 6, precision -20, root delay 1/256 s, root
    /// dispersion 1/128 s, 192.168.0.1, and times around 2017-06-19T14:12:09Z.
    static let golden = hex(
        """
        24 02 06 ec 00000100 00000200 c0a80001 dcf0ba79 00000000
        dcf0ba78 00000000 dcf0ba79 80000000 dcf0ba79 80000001
        """)

    private func parsed(_ bytes: [UInt8]) throws(ParseError) -> NTPPacket { try NTPPacket(parsing: bytes.span.bytes) }

    @Test("a reply is written as it was read, byte for byte")
    func written() throws {
        var packet = NTPPacket(
            mode: 4, stratum: 2, poll: 6, precision: -20,
            transmitTimestamp: NTPTimestamp(rawValue: 0xdcf0_ba79_8000_0001))
        packet.rootDelay = NTPShort.units(.nanoseconds(3_906_250))
        packet.rootDispersion = NTPShort.units(.nanoseconds(7_812_500))
        packet.referenceID = 0xc0a8_0001
        packet.referenceTimestamp = NTPTimestamp(rawValue: 0xdcf0_ba79 << 32)
        packet.originTimestamp = NTPTimestamp(rawValue: 0xdcf0_ba78 << 32)
        packet.receiveTimestamp = NTPTimestamp(rawValue: 0xdcf0_ba79_8000_0000)
        #expect(packet.bytes == Self.golden)
        #expect(try parsed(Self.golden) == packet)
    }

    @Test("a request is its first byte and its transmit timestamp")
    func request() {
        let packet = NTPPacket(mode: 3, transmitTimestamp: NTPTimestamp(rawValue: 0x0102_0304_0506_0708))
        #expect(packet.bytes == [0x23] + [UInt8](repeating: 0, count: 39) + [1, 2, 3, 4, 5, 6, 7, 8])
    }

    @Test("whatever can be read is written the same")
    func roundTrip() throws {
        var random = RandomBytes("ntp")
        for _ in 0..<5_000 {
            let bytes = random.bytes(48)
            guard let packet = try? parsed(bytes) else { continue }
            #expect(packet.bytes == bytes)
        }
    }

    @Test(
        "emulated time zero, 2036's change of era and a time before 1900 are written as the RFC has them",
        arguments: [
            // 2020-01-01T00:00:00Z is 3,786,825,600 s after 1900.
            (0, 3_786_825_600 << 32), (500_000_000, 3_786_825_600 << 32 | 0x8000_0000),
            // Era 1 begins 2036-02-07T06:28:16Z, 508,141,696 s later.
            (508_141_696_000_000_000, 0), (508_141_695_000_000_000, 0xffff_ffff << 32),
            (-3_786_825_601_000_000_000, 0xffff_ffff << 32), (-1, 3_786_825_599 << 32 | 0xffff_fffb),
        ] as [(Int64, UInt64)])
    func eras(local: Int64, raw: UInt64) {
        let instant = LocalInstant(nanoseconds: local)
        #expect(NTPTimestamp(instant).rawValue == raw)
        #expect(NTPTimestamp(rawValue: raw).local(near: instant) == instant)
    }

    @Test("a stamp comes back to the nanosecond through any pivot within 68 years")
    func stamps() {
        let key = DrawKey(seed: 3).named("stamps")
        for index in 0..<20_000 as Range<Int64> {
            // ±145 years, and a pivot up to 68 years (2^31 s less a second) from it.
            let local = Int64(bitPattern: key.draw(2 * index)) >> 1
            let apart = Int64(key.draw(2 * index + 1) % 4_294_967_294) - 2_147_483_646
            let stamp = NTPTimestamp(LocalInstant(nanoseconds: local))
            #expect(stamp.local(near: LocalInstant(nanoseconds: local + apart * 1_000_000_000)).nanoseconds == local)
        }
        // Beyond what a local instant can be it is held.
        let far = NTPTimestamp(LocalInstant(nanoseconds: .max)).rawValue &+ 1 << 32
        #expect(NTPTimestamp(rawValue: far).local(near: LocalInstant(nanoseconds: .max)).nanoseconds == .max)
    }

    @Test("the short format rounds up, so that bounds stay bounds")
    func short() {
        #expect(NTPShort.units(.nanoseconds(1)) == 1 && NTPShort.units(.nanoseconds(15_258)) == 1)
        #expect(NTPShort.units(.nanoseconds(15_259)) == 2 && NTPShort.units(.seconds(-1)) == 0)
        #expect(NTPShort.units(.seconds(1)) == 65_536 && NTPShort.units(.seconds(100_000)) == .max)
        #expect(NTPShort.span(1) == .nanoseconds(15_259) && NTPShort.span(65_536) == .seconds(1))
    }
}
