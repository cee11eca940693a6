import Testing
@testable import Wire

/// The payloads of a unit, by a format and a limit.
private func payloads(_ kind: RTPPayloadFormat.Kind, _ unit: [UInt8], limit: Int) -> [[UInt8]] {
    var fragmenter = PayloadFragmenter(kind, limit: limit)
    return unit.withUnsafeBytes { bytes in
        fragmenter.cut(bytes)
        return fragmenter.pieces.map { piece in
            written(piece.byteCount) { fragmenter.write(piece, of: bytes, into: $0) }
        }
    }
}

private func part(
    _ kind: RTPPayloadFormat.Kind, _ payload: [UInt8], marker: Bool = false
) throws(ParseError) -> PayloadPart {
    try PayloadPart(payload.span.bytes, of: RTPPayloadFormat(kind), marker: marker)
}

@Suite("Payloads of H.264 (RFC 6184)")
struct H264PayloadTests {
    /// A delimiter, parameter sets and a slice of 20 bytes, start codes of three and four bytes, zeros behind.
    static let unit = hex(
        """
        00 00 00 01 09 10  00 00 00 01 67 42 c0 1e  00 00 01 68 ce 3c 80
        00 00 01 65 88 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10 11 12 00 00
        """)

    @Test func nalUnitsLieBetweenStartCodesWithoutTheZerosAround() {
        var ranges: [Range<Int>] = []
        Self.unit.withUnsafeBytes { NALUnits.find(in: $0, &ranges) }
        #expect(ranges == [4..<6, 10..<14, 17..<21, 24..<44])
        [UInt8]().withUnsafeBytes { NALUnits.find(in: $0, &ranges) }
        #expect(ranges.isEmpty)
    }

    /// Worked out from figures 7, 14 and 15: STAP-A with the highest nal_ref_idc (3), then FU-A with the slice's.
    @Test func smallUnitsShareAPacketAndLongOnesAreCut() {
        #expect(
            payloads(.h264, Self.unit, limit: 17) == [
                hex("78 0002 0910 0004 6742c01e 0004 68ce3c80"),
                hex("7c 85 88 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e"),
                hex("7c 45 0f 10 11 12"),
            ])
    }

    @Test func whatFitsAloneIsASingleNALUnitPacket() {
        #expect(
            payloads(.h264, Self.unit, limit: 24) == [
                hex("78 0002 0910 0004 6742c01e 0004 68ce3c80"),
                hex("65 88 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10 11 12"),
            ])
        #expect(payloads(.h264, hex("000001 4188"), limit: 24) == [hex("41 88")])
        #expect(payloads(.h264, Self.unit, limit: 1_400).count == 1)
    }

    @Test func aPayloadTellsWhetherItBeginsAPicture() throws {
        #expect(try part(.h264, hex("78 0002 0910 0004 6742c01e")).beginning == .certain)
        #expect(try part(.h264, hex("78 0004 6742c01e 0002 0910")).beginning == .possible)
        #expect(try part(.h264, hex("7c 85 88 01")).beginning == .possible)
        #expect(try part(.h264, hex("7c 45 88 01")).beginning == .untold)
        // first_mb_in_slice 1 is 010.
        #expect(try part(.h264, hex("41 5f")).beginning == .untold)
        #expect(try part(.h264, hex("41 9f")).beginning == .possible)
        #expect(try part(.h264, hex("01 9f")).isDisposable)
        #expect(try part(.h264, hex("1c 81 9f")).isDisposable)
        #expect(try !part(.h264, hex("21 9f")).isDisposable)
        #expect(try part(.h264, hex("41 9f"), marker: true).ends)
        #expect(throws: ParseError.notRecognized) { try part(.h264, hex("39 00 00")) }
        #expect(throws: ParseError.truncated) { try part(.h264, hex("78 00 02")) }
        #expect(throws: ParseError.truncated) { try part(.h264, []) }
    }

    @Test func theDescriptionHasTheParameterSets() {
        let format = Self.unit.withUnsafeBytes { RTPPayloadFormat.h264(dynamicPayloadType: 96, from: $0) }
        #expect(
            format.parameters
                == "packetization-mode=1; profile-level-id=42c01e; sprop-parameter-sets=Z0LAHg==,aM48gA==")
        #expect(format.payloadType == 96 && format.clockRate == 90_000)
    }
}

@Suite("Payloads of H.265 (RFC 7798)")
struct H265PayloadTests {
    /// A parameter set of temporal layer 0 (TID 1), a slice of 18 bytes in layer 0 with TID 2.
    static let unit = hex(
        "00000001 4001 aabb  00000001 4201 cc  000001 0202 80 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f")

    /// Worked out from figures 3, 6 and 9: type 48 with the lowest TID, then type 49.
    @Test func smallUnitsShareAPacketAndLongOnesAreCut() {
        #expect(
            payloads(.h265, Self.unit, limit: 16) == [
                hex("6001 0004 4001aabb 0003 4201cc"),
                hex("6202 81 80 01 02 03 04 05 06 07 08 09 0a 0b 0c"), hex("6202 41 0d 0e 0f"),
            ])
    }

    @Test func aPayloadTellsWhetherItBeginsAPicture() throws {
        #expect(try part(.h265, hex("4601 50")).beginning == .certain)
        #expect(try part(.h265, hex("6001 0004 4001aabb")).beginning == .possible)
        #expect(try part(.h265, hex("6202 81 80")).beginning == .possible)
        #expect(try part(.h265, hex("6202 41 80")).beginning == .untold)
        #expect(try part(.h265, hex("0202 40")).beginning == .untold)
        #expect(try part(.h265, hex("0002 80")).isDisposable)
        #expect(try !part(.h265, hex("0202 80")).isDisposable)
        // IDR_W_RADL is 19, CRA_NUT 21: references all.
        #expect(try !part(.h265, hex("2801 80")).isDisposable)
        #expect(throws: ParseError.truncated) { try part(.h265, hex("02")) }
        #expect(throws: ParseError.notRecognized) { try part(.h265, hex("6401 00")) }
    }

    @Test func theDescriptionHasTheParameterSets() {
        let format = Self.unit.withUnsafeBytes { RTPPayloadFormat.h265(dynamicPayloadType: 97, from: $0) }
        #expect(format.parameters == "sprop-vps=QAGquw==; sprop-sps=QgHM")
    }
}

@Suite("Payloads of audio (RFC 3640, RFC 2250, RFC 7587, RFC 3551)")
struct AudioPayloadTests {
    /// AAC LC (2), 48 kHz (3), two channels, 26 bytes in all, no CRC.
    static let adts = hex("fff14c800353fc")

    @Test func anAACFrameTellsItsConfiguration() throws {
        guard let header = AudioFrameHeader(Self.adts.span.bytes, at: 0) else {
            Issue.record("no header")
            return
        }
        #expect(header.byteCount == 26 && header.wrapperCount == 7 && header.samples == 1_024)
        // 00010 0011 0010 000
        #expect(header.sampleRate == 48_000 && header.specificConfiguration == 0x1190)
        let described = RTPPayloadFormat.aac(dynamicPayloadType: 97, from: header)
        let format = try #require(described)
        #expect(format.clockRate == 48_000 && format.channels == 2)
        #expect(
            format.parameters
                == "streamtype=5; profile-level-id=1; mode=AAC-hbr; sizelength=13; indexlength=3; indexdeltalength=3; "
                + "config=1190")
    }

    /// AU-headers-length 16 bits; AU-size 19 or 5 in the upper 13, index 0.
    @Test func aRawDataBlockFollowsItsSize() throws {
        #expect(payloads(.aac, [1, 2, 3, 4, 5], limit: 1_000) == [hex("0010 0028 0102030405")])
        let unit = (0..<19).map { UInt8($0) }
        let cut = payloads(.aac, unit, limit: 16)
        #expect(cut == [hex("0010 0098") + unit[..<12], hex("0010 0098") + unit[12...]])
        #expect(try part(.aac, cut[0]) == PayloadPart(beginning: .untold, ends: false))
        #expect(try part(.aac, cut[1], marker: true).ends)
        #expect(try part(.aac, hex("0010 0028 0102030405")) == PayloadPart(beginning: .certain, ends: true))
        #expect(throws: ParseError.badLength) { try part(.aac, hex("0010 0008 0102")) }
        #expect(throws: ParseError.notRecognized) { try part(.aac, hex("0020 0028 0028 0102")) }
    }

    /// MPEG-1 layer II, 32 kbit/s at 48 kHz: 96 bytes (ISO/IEC 11172-3 §2.4.3.1).
    @Test func aFrameOfMPEGAudioFollowsItsPlace() throws {
        let frame = hex("fffd1404") + [UInt8](repeating: 7, count: 92)
        #expect(payloads(.mpegAudio, frame, limit: 1_000) == [hex("00000000") + frame])
        let cut = payloads(.mpegAudio, frame, limit: 64)
        #expect(cut == [hex("00000000") + frame[..<60], hex("0000003c") + frame[60...]])
        #expect(try part(.mpegAudio, hex("00000000") + frame) == PayloadPart(beginning: .certain, ends: true))
        #expect(try part(.mpegAudio, cut[0]) == PayloadPart(beginning: .certain, ends: false))
        #expect(try part(.mpegAudio, cut[1]) == PayloadPart())
        #expect(RTPPayloadFormat(.mpegAudio).payloadType == 14 && RTPPayloadFormat(.mpegAudio).clockRate == 90_000)
    }

    @Test(
        arguments: [
            (.pcmu, 0, 8_000), (.pcma, 8, 8_000), (.g722, 9, 8_000), (.opus, 111, 48_000),
        ] as [(RTPPayloadFormat.Kind, UInt8, Int64)])
    func framesOfCallsAreCarriedBare(_ kind: RTPPayloadFormat.Kind, _ type: UInt8, _ rate: Int64) throws {
        let format = RTPPayloadFormat(kind, dynamicPayloadType: 111)
        #expect(format.payloadType == type && format.clockRate == rate)
        #expect(payloads(kind, [9, 8, 7], limit: 100) == [[9, 8, 7]])
        #expect(try part(kind, [9, 8, 7]) == PayloadPart(beginning: .certain, ends: true))
        #expect(throws: ParseError.truncated) { try part(kind, []) }
    }

    /// RFC 6716 §3.1, table 2: configuration, code, and for code 3 the count of frames.
    @Test(arguments: [("00", 480), ("18", 2_880), ("61", 960), ("69", 1_920), ("80", 120), ("fb 03", 2_880)])
    func anOpusPacketTellsItsDuration(_ bytes: String, _ samples: Int) throws {
        #expect(try OpusPacket(parsing: hex(bytes).span.bytes).samples == samples)
    }

    @Test func anOpusPacketOfATransportStreamLiesBehindItsHeader() throws {
        #expect(try OpusPacket.range(inTransportStreamUnit: hex("7fe0 03 aabbcc").span.bytes, at: 0) == 3..<6)
        let long = hex("7ff0 ff01 0038") + [UInt8](repeating: 1, count: 256)
        #expect(try OpusPacket.range(inTransportStreamUnit: long.span.bytes, at: 0) == 6..<262)
        #expect(throws: ParseError.truncated) {
            try OpusPacket.range(inTransportStreamUnit: hex("7fe0 04 aabbcc").span.bytes, at: 0)
        }
        #expect(throws: ParseError.notRecognized) {
            try OpusPacket.range(inTransportStreamUnit: hex("0fe0 03 aabbcc").span.bytes, at: 0)
        }
    }

    @Test func otherUnitsAreCutBehindTheirPlace() throws {
        let unit = (0..<20).map { UInt8($0) }
        let cut = payloads(.units, unit, limit: 16)
        #expect(cut == [hex("00000000") + unit[..<12], hex("0000000c") + unit[12...]])
        #expect(try part(.units, cut[0]).beginning == .certain)
        #expect(try part(.units, cut[1], marker: true) == PayloadPart(beginning: .untold, ends: true))
    }

    /// RFC 4648 §10.
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy"),
    ])
    func base64(_ text: String, _ encoded: String) { #expect(Base64.text(Array(text.utf8)) == encoded) }

    /// Whatever comes, a payload is read or refused.
    @Test func randomBytesNeverTrap() {
        var random = RandomBytes("payload")
        for kind in RTPPayloadFormat.Kind.allCases {
            for _ in 0..<2_000 { _ = try? part(kind, random.bytes(random.number(below: 12))) }
        }
    }
}
