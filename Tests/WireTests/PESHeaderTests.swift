import Testing
@testable import Wire

@Suite("PES headers (ISO/IEC 13818-1 §2.4.3.6)")
struct PESHeaderTests {
    /// As FFmpeg's multiplexer wrote it: presentation 1.44 s, decoding 1.40 s.
    static let ffmpeg = hex("00 00 01 e0 00 00 80 c0 0a 31 00 07 f4 81 11 00 07 d8 61")

    func parsed(_ bytes: [UInt8]) throws(ParseError) -> PESHeader { try PESHeader(parsing: bytes.span.bytes) }

    @Test func aHeaderFromAnotherMultiplexerIsRead() throws {
        let header = try parsed(Self.ffmpeg)
        #expect(header.streamID == 0xe0 && header.packetLength == 0 && header.dataCount == nil)
        #expect(header.pts == 129_600 && header.dts == 126_000)
        #expect(header.headerLength == 19 && !header.dataAlignment)
    }

    @Test func aHeaderCutShortIsTruncatedAtEveryLength() {
        for count in 0..<19 {
            #expect(throws: ParseError.truncated) { try self.parsed(Array(Self.ffmpeg.prefix(count))) }
        }
    }

    @Test func whatAHeaderMayNotSayIsRefused() {
        for (at, value, error) in [
            (2, 2, .notRecognized), (6, 0x40, .forbiddenValue), (8, 9, .badLength), (5, 12, .badLength),
        ] as [(Int, UInt8, ParseError)] {
            var bytes = Self.ffmpeg
            bytes[at] = value
            #expect(throws: error) { try self.parsed(bytes) }
        }
    }

    @Test func streamsWithoutExtensionHaveSixBytes() throws {
        for id: UInt8 in [0xbc, 0xbe, 0xbf, 0xf0, 0xf1, 0xf2, 0xf8, 0xff] {
            let header = try parsed([0, 0, 1, id, 0, 10])
            #expect(header.headerLength == 6 && header.dataCount == 10 && header.pts == nil)
            let bytes = written(6) { #expect(PESHeader(streamID: id).write(to: $0, dataCount: 10) == 6) }
            #expect(bytes == [0, 0, 1, id, 0, 10])
        }
    }

    @Test func aTimestampWithAWrongMarkerBitIsAbsent() throws {
        for at in [9, 11, 13] {
            var bytes = Self.ffmpeg
            bytes[at] &= 0xfe
            let header = try parsed(bytes)
            #expect(header.pts == nil && header.dts == 126_000)
        }
    }

    @Test func theLargestTimestampIsAllOnes() throws {
        let header = PESHeader(streamID: 0xc0, pts: -1)
        let bytes = written(16) { #expect(header.write(to: $0, dataCount: 1000) == 14) }
        // The length counts what follows it: 8 bytes of header and the data.
        #expect(bytes == hex("00 00 01 c0 03 f0 84 80 05 2f ff ff ff ff aa aa"))
        let read = try parsed(bytes)
        #expect(read.pts == 0x1_ffff_ffff && read.dataCount == 1000 && read.dataAlignment)
    }

    @Test func aWrittenHeaderHasTheBytesOfTheStandard() {
        let header = PESHeader(streamID: 0xe0, pts: 129_600, dts: 126_000, dataAlignment: false)
        #expect(header.headerLength == 19)
        #expect(written(19) { header.write(to: $0, dataCount: nil) } == Self.ffmpeg)
        #expect(written(19) { header.write(to: $0, dataCount: 65_523) } == Self.ffmpeg)
        #expect(written(19) { header.write(to: $0, dataCount: 65_522) }[4...5] == [0xff, 0xff])
    }

    @Test func headersComeBackAsWritten() throws {
        var random = RandomBytes("pes")
        for round in 0..<2_000 {
            let pts = round % 5 == 0 ? nil : Int64(random.number(below: 1 << 33))
            let dts = round % 3 == 0 ? nil : Int64(random.number(below: 1 << 33))
            let header = PESHeader(streamID: 0xe0, pts: pts, dts: dts, dataAlignment: round % 2 == 0)
            let read = try parsed(written(19) { header.write(to: $0, dataCount: nil) })
            #expect(read == header)
            #expect(read.pts == pts && read.dts == (pts == nil ? nil : dts))
        }
    }

    @Test func timestampsMoveInPlaceModulo2To33() throws {
        var bytes = Self.ffmpeg + [1, 2, 3]
        #expect(bytes.withUnsafeMutableBytes { PESHeader.rewriteTimestamps(in: $0, by: (1 << 33) - 126_001) })
        var header = try parsed(bytes)
        #expect(header.pts == 3_599 && header.dts == (1 << 33) - 1)
        #expect(bytes.withUnsafeMutableBytes { PESHeader.rewriteTimestamps(in: $0, by: 126_001) })
        header = try parsed(bytes)
        #expect(bytes == Self.ffmpeg + [1, 2, 3])
        bytes[0] = 1
        let before = bytes
        #expect(!bytes.withUnsafeMutableBytes { PESHeader.rewriteTimestamps(in: $0, by: 5) })
        #expect(bytes == before)
    }

    @Test func randomBytesNeverTrap() {
        var random = RandomBytes("pes noise")
        var read = 0
        for _ in 0..<20_000 {
            var bytes = random.damaged(Self.ffmpeg)
            if let header = try? parsed(bytes) {
                read += 1
                #expect((6...bytes.count).contains(header.headerLength))
            }
            bytes.withUnsafeMutableBytes { _ = PESHeader.rewriteTimestamps(in: $0, by: -1) }
        }
        #expect(read > 5_000)
    }
}
