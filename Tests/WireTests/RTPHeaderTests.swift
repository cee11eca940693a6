import Testing
@testable import Wire

@Suite("RTP headers (RFC 3550 §5.1)")
struct RTPHeaderTests {
    /// Worked out from the figure: two contributing sources, an extension of one word, five bytes of payload and three
    /// of padding.
    static let golden = hex(
        """
        b2 a1 ff fe  01 02 03 04  de ad be ef  00 00 00 01  00 00 00 02
        be de 00 01  11 22 33 44  68 65 6c 6c 6f 00 00 03
        """)

    func parsed(_ bytes: [UInt8]) throws(ParseError) -> RTPHeader { try RTPHeader(parsing: bytes.span.bytes) }

    @Test func everyFieldIsRead() throws {
        let header = try parsed(Self.golden)
        #expect(header.marker && header.payloadType == 33 && header.sequenceNumber == 65_534)
        #expect(header.timestamp == 0x0102_0304 && header.ssrc == 0xdead_beef)
        #expect(header.csrcCount == 2)
        #expect(try header.contributingSources(in: Self.golden.span.bytes) == [1, 2])
        #expect(header.extensionProfile == 0xbede && header.extensionRange == 24..<28)
        #expect(header.payloadRange == 28..<33 && header.paddingCount == 3)
    }

    @Test func everyFieldIsWritten() {
        let header = RTPHeader(
            payloadType: 33, sequenceNumber: 65_534, timestamp: 0x0102_0304, ssrc: 0xdead_beef, marker: true)
        let packet = header.packet(
            payload: Array("hello".utf8), contributingSources: [1, 2],
            headerExtension: (0xbede, [0x11, 0x22, 0x33, 0x44]), paddedTo: 4)
        #expect(packet == Self.golden)
        let bytes = written(13) { #expect(header.write(to: $0) == 12) }
        #expect(bytes == hex("80 a1 ff fe 01 02 03 04 de ad be ef aa"))
        #expect(Array(bytes.prefix(12)) == header.packet(payload: []))
    }

    @Test func theFixedHeaderComesBackAsWritten() throws {
        var random = RandomBytes("rtp")
        for _ in 0..<1_000 {
            let header = RTPHeader(
                payloadType: UInt8(random.number(below: 128)), sequenceNumber: UInt16(random.number(below: 65_536)),
                timestamp: UInt32(random.number(below: 1 << 32)), ssrc: UInt32(random.number(below: 1 << 32)),
                marker: random.number(below: 2) == 1)
            #expect(try parsed(written(12) { header.write(to: $0) }) == header)
        }
    }

    @Test func aPacketCutShortIsRefusedAtEveryLength() {
        for count in 0..<28 {
            #expect(throws: ParseError.truncated) { try self.parsed(Array(Self.golden.prefix(count))) }
        }
        // From here the last byte is taken for the padding's count, and "h" is 104.
        for count in 29...32 {
            #expect(throws: ParseError.badLength) { try self.parsed(Array(Self.golden.prefix(count))) }
        }
    }

    @Test func paddingOutsideThePacketIsRefused() throws {
        var bytes = Self.golden
        for count: UInt8 in 1...8 {
            bytes[35] = count
            #expect(try parsed(bytes).payloadCount == 8 - Int(count))
        }
        for count: UInt8 in [0, 9, 255] {
            bytes[35] = count
            #expect(throws: ParseError.badLength) { try self.parsed(bytes) }
        }
    }

    @Test(arguments: [0x00, 0x40, 0xc0] as [UInt8])
    func anotherVersionIsRefused(bits: UInt8) {
        var bytes = Self.golden
        bytes[0] = bytes[0] & 0x3f | bits
        #expect(throws: ParseError.unsupportedVersion) { try self.parsed(bytes) }
    }

    @Test func randomBytesNeverTrap() {
        var random = RandomBytes("rtp noise")
        var read = 0
        for _ in 0..<20_000 {
            let bytes = random.damaged(Self.golden)
            guard let header = try? parsed(bytes) else { continue }
            read += 1
            #expect(header.payloadOffset + header.payloadCount + Int(header.paddingCount) == bytes.count)
            #expect((try? header.contributingSources(in: bytes.span.bytes).count) == Int(header.csrcCount))
        }
        #expect(read > 5_000)
    }
}
