import Testing
@testable import Wire

/// A unit that was cut into payloads, of which all but some came, and put together again.
private func assembled(
    _ format: RTPPayloadFormat, _ unit: [UInt8], limit: Int, without lost: Set<Int> = [], firstNumber: UInt16 = 65_534
) -> [UInt8] {
    var fragmenter = PayloadFragmenter(format.kind, limit: limit)
    var assembler = PayloadAssembler(format)
    var result: [UInt8] = []
    unit.withUnsafeBytes { bytes in
        fragmenter.cut(bytes)
        for (number, piece) in fragmenter.pieces.enumerated() where !lost.contains(number) {
            let payload = written(piece.byteCount) { fragmenter.write(piece, of: bytes, into: $0) }
            payload.withUnsafeBytes {
                assembler.add(
                    $0, sequenceNumber: firstNumber &+ UInt16(number), to: &result, isFirst: result.isEmpty)
            }
        }
    }
    return result
}

@Suite("Units out of payloads")
struct PayloadAssemblerTests {
    private static let h264 = hex(
        """
        00 00 00 01 09 10  00 00 00 01 67 42 c0 1e  00 00 00 01 68 ce 3c 80
        00 00 00 01 65 88 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10 11 12
        """)
    /// Delimiter, VPS and a slice (types 35, 32, 19).
    private static let h265 = hex(
        """
        00 00 00 01 46 01 50  00 00 00 01 40 01 0c 01
        00 00 00 01 26 01 af 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10 11 12 13 14 15
        """)

    @Test("What comes whole is what it was, however it was cut", arguments: [16, 17, 24, 30, 1_400])
    func whole(limit: Int) {
        #expect(assembled(RTPPayloadFormat(.h264), Self.h264, limit: limit) == Self.h264)
        #expect(assembled(RTPPayloadFormat(.h265), Self.h265, limit: limit) == Self.h265)
        for kind in [RTPPayloadFormat.Kind.mpegAudio, .units, .pcmu, .pcma] {
            let bytes = (0..<100).map { UInt8($0) }
            #expect(assembled(RTPPayloadFormat(kind), bytes, limit: limit) == bytes)
        }
    }

    @Test("Behind a lost fragment the rest of the NAL unit is left out, and the next one is there")
    func lostFragment() {
        // At a limit of 16: delimiter and parameter set together, the other alone, the slice in three (RFC 6184 §5.8).
        let long = Self.h264 + [UInt8](repeating: 0x55, count: 20) + hex("000000014188")
        let whole = assembled(RTPPayloadFormat(.h264), long, limit: 16)
        #expect(whole == long)
        let withoutSecond = assembled(RTPPayloadFormat(.h264), long, limit: 16, without: [3])
        #expect(withoutSecond == Array(Self.h264[..<(22 + 4 + 15)]) + hex("000000014188"))
        let withoutFirst = assembled(RTPPayloadFormat(.h264), long, limit: 16, without: [2])
        #expect(withoutFirst == Array(Self.h264[..<22]) + hex("000000014188"))
    }

    @Test("AAC gets the header that it had: 48 kHz, stereo, low complexity")
    func aac() throws {
        // A frame of ADTS whose header is MPEG-4's, without a CRC, of 32 bytes.
        let frame = hex("fff14c80041ffc") + (0..<25).map { UInt8($0) }
        let found = AudioFrameHeader(frame.span.bytes, at: 0)
        let header = try #require(found)
        let format = try #require(RTPPayloadFormat.aac(dynamicPayloadType: 97, from: header))
        #expect(assembled(format, Array(frame[7...]), limit: 1_400) == frame)
        // The header of a fragmented unit says the whole length.
        #expect(assembled(format, Array(frame[7...]), limit: 16, without: [1]).prefix(7) == frame.prefix(7))
    }

    @Test("Opus gets a control header with its size", arguments: [1, 254, 255, 256, 600])
    func opus(count: Int) throws {
        let packet = [UInt8](repeating: 0x78, count: count)
        let unit = assembled(RTPPayloadFormat(.opus), packet, limit: 1_400)
        let range = try OpusPacket.range(inTransportStreamUnit: unit.span.bytes, at: 0)
        #expect(Array(unit[range]) == packet && range.upperBound == unit.count)
    }

    @Test("What is no payload adds nothing", arguments: [RTPPayloadFormat.Kind.h264, .h265, .aac, .mpegAudio, .units])
    func nonsense(kind: RTPPayloadFormat.Kind) {
        var assembler = PayloadAssembler(RTPPayloadFormat(kind))
        var unit: [UInt8] = []
        for payload in [[], [0x7c], [0x78, 0x00, 0x09, 0x01]] as [[UInt8]] {
            payload.withUnsafeBytes { assembler.add($0, sequenceNumber: 1, to: &unit, isFirst: true) }
        }
        #expect(unit.isEmpty)
    }
}
