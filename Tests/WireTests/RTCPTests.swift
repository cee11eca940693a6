import Testing
import Timebase
@testable import Wire

@Suite("RTCP (RFC 3550 §6)")
struct RTCPTests {
    /// Worked out from the figures of §6.4.1, §6.5 and §6.6: SR with one block, SDES with a CNAME, BYE with a reason.
    static let golden = hex(
        """
        81 c8 00 0c  00 00 00 01  e1 b9 97 80 80 00 00 00  00 01 5f 90  00 00 00 64  00 02 00 00
                     00 00 00 02  40 ff ff fd  00 01 00 05  00 00 00 7b  97 80 80 00  00 01 80 00
        81 ca 00 04  00 00 00 01  01 06 61 40 62 2e 63 64  00 00 00 00
        81 cb 00 03  00 00 00 01  04 64 6f 6e 65 00 00 00
        """)

    static let report = {
        var report = RTCPPacket.SenderReport(
            ssrc: 1, ntpTimestamp: NTPTimestamp(rawValue: 0xe1b9_9780_8000_0000), rtpTimestamp: 90_000,
            packetCount: 100, octetCount: 131_072)
        var block = ReceptionReport(
            ssrc: 2, fractionLost: 64, cumulativeLost: -3, extendedHighestSequenceNumber: 65_541,
            interarrivalJitter: 123)
        block.lastSenderReport = 0x9780_8000
        block.delaySinceLastSenderReport = 98_304
        report.reports = [block]
        return report
    }()

    static let compound = RTCPCompound([
        .senderReport(report),
        .sourceDescription([.init(ssrc: 1, cname: "a@b.cd")]),
        .goodbye(.init(sources: [1], reason: Array("done".utf8))),
    ])

    func parsed(_ bytes: [UInt8], allowsReducedSize: Bool = false) throws(ParseError) -> RTCPCompound {
        try RTCPCompound(parsing: bytes.span.bytes, allowsReducedSize: allowsReducedSize)
    }

    func packet(_ bytes: [UInt8]) throws(ParseError) -> RTCPPacket { try RTCPPacket(parsing: bytes.span.bytes) }

    @Test func aCompoundPacketIsReadAndWritten() throws {
        #expect(Self.compound.bytes == Self.golden)
        #expect(try parsed(Self.golden) == Self.compound)
        guard case .sourceDescription(let chunks) = try parsed(Self.golden).packets[1] else {
            Issue.record("not a source description")
            return
        }
        #expect(chunks.first?.cname == "a@b.cd")
    }

    @Test func aReceiverReportWithoutBlocksHasEightBytes() throws {
        let compound = RTCPCompound([.receiverReport(.init(ssrc: 0x1122_3344))])
        #expect(compound.bytes == hex("80 c9 00 01 11 22 33 44"))
        #expect(try parsed(compound.bytes) == compound)
    }

    @Test(
        arguments: [
            (0, 0), (0x7f_ffff, 0x7f_ffff), (0x80_0000, 0x7f_ffff), (-0x80_0000, -0x80_0000), (.min, -0x80_0000),
        ]
            as [(Int32, Int32)])
    func theCumulativeLossIsHeldTo24Bits(lost: Int32, sent: Int32) throws {
        var block = ReceptionReport(
            ssrc: 1, fractionLost: 255, cumulativeLost: lost, extendedHighestSequenceNumber: 2, interarrivalJitter: 3)
        block.lastSenderReport = 4
        block.delaySinceLastSenderReport = 5
        var expected = block
        expected.cumulativeLost = sent
        let bytes = RTCPCompound([.receiverReport(.init(ssrc: 9, reports: [block]))]).bytes
        #expect(try parsed(bytes).packets == [.receiverReport(.init(ssrc: 9, reports: [expected]))])
    }

    @Test func aChunkAlwaysEndsWithAZeroByte() throws {
        for count in 0...9 {
            let name = String(repeating: "x", count: count)
            let compound = RTCPCompound([
                .receiverReport(.init(ssrc: 1)),
                .sourceDescription([.init(ssrc: 1, cname: name), .init(ssrc: 2, items: [])]),
            ])
            // SSRC, item header, text, then one to four zeros; the second chunk is SSRC and one word of zeros.
            #expect(compound.bytes.count == 8 + 4 + (4 + 2 + count) / 4 * 4 + 4 + 8)
            #expect(try parsed(compound.bytes) == compound)
        }
    }

    @Test func otherPacketsAreKept() throws {
        let bytes = hex("80 c9 00 01 11 22 33 44 81 ce 00 02 00 00 00 01 00 00 00 02")
        let compound = try parsed(bytes)
        #expect(compound.packets.last == .other(type: 206, count: 1, body: [0, 0, 0, 1, 0, 0, 0, 2]))
        #expect(compound.bytes == bytes)
    }

    @Test func aDatagramMustBeginWithAReport() throws {
        let bye = hex("81 cb 00 01 00 00 00 01")
        #expect(throws: ParseError.notRecognized) { try parsed(bye) }
        #expect(try parsed(bye, allowsReducedSize: true).packets == [.goodbye(.init(sources: [1]))])
        #expect(try packet(bye) == .goodbye(.init(sources: [1])))
        #expect(throws: ParseError.badLength) { try packet(bye + bye) }
    }

    @Test func paddingIsAllowedInTheLastPacketOnly() throws {
        let report = hex("80 c9 00 01 00 00 00 01")
        let padded = hex("a1 cb 00 02 00 00 00 01 00 00 00 04")
        #expect(try parsed(report + padded).packets.last == .goodbye(.init(sources: [1])))
        #expect(throws: ParseError.badLength) { try parsed(report + padded + padded) }
        #expect(throws: ParseError.badLength) { try parsed(hex("a0 c9 00 02 00 00 00 01 00 00 00 04")) }
        for count: UInt8 in [0, 1, 2, 3, 5, 12, 255] {
            var bytes = padded
            bytes[11] = count
            #expect(throws: ParseError.badLength) { try parsed(report + bytes) }
        }
    }

    @Test func aCompoundPacketCutShortIsRefusedAtEveryLength() throws {
        // At these lengths it is a shorter compound packet.
        let whole = [52: 1, 72: 2]
        for count in 0..<Self.golden.count {
            let bytes = Array(Self.golden.prefix(count))
            if let packets = whole[count] {
                #expect(try parsed(bytes).packets.count == packets)
            } else {
                #expect(throws: ParseError.truncated) { try parsed(bytes) }
            }
        }
    }

    @Test func countsThatRunOutOfThePacketAreRefused() {
        let report = hex("80 c9 00 01 00 00 00 01")
        #expect(throws: ParseError.truncated) { try parsed(hex("81 c9 00 01 00 00 00 01")) }
        #expect(throws: ParseError.truncated) {
            try parsed(hex("80 c8 00 05 00000001 00000000 00000000 00000000 00000000"))
        }
        #expect(throws: ParseError.truncated) { try parsed(report + hex("82 cb 00 01 00 00 00 01")) }
        #expect(throws: ParseError.truncated) { try parsed(report + hex("81 cb 00 02 00 00 00 01 05 64 6f 6e")) }
        #expect(throws: ParseError.forbiddenValue) { try parsed(report + hex("81 ca 00 02 00 00 00 01 01 03 64 6f")) }
        // The chunk's items are not ended.
        #expect(throws: ParseError.truncated) { try parsed(report + hex("81 ca 00 02 00 00 00 01 01 02 64 6f")) }
        #expect(throws: ParseError.unsupportedVersion) { try parsed(report + hex("41 cb 00 01 00 00 00 01")) }
    }

    @Test func randomBytesNeverTrap() {
        var random = RandomBytes("rtcp")
        var read = 0
        for _ in 0..<20_000 {
            if (try? parsed(random.damaged(Self.golden), allowsReducedSize: true)) != nil { read += 1 }
        }
        #expect(read > 2_000)
    }
}
