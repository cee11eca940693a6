import Testing
@testable import Wire

@Suite("Program specific information (ISO/IEC 13818-1 §2.4.4)")
struct PSITests {
    // As FFmpeg's multiplexer wrote them for MPEG-2 video and layer II audio.
    static let pat = hex("00 b0 0d 00 01 c1 00 00 00 01 f0 00 2a b1 04 b2")
    static let pmt = hex("02 b0 17 00 01 c1 00 00 e1 00 f0 00 02 e1 00 f0 00 03 e1 01 f0 00 f6 4a 03 55")
    static let sdt = hex(
        """
        42 f0 25 00 01 c1 00 00 ff 01 ff 00 01 fc 80 14 48 12 01 06 46 46 6d 70 65 67 09 53 65 72 76 69 63 65 30 31
        77 7c 43 ca
        """)

    func crc(_ bytes: [UInt8]) -> UInt32 { CRC32.mpeg2(bytes.span.bytes) }
    func parsedSection(_ bytes: [UInt8]) throws(ParseError) -> PSISection { try PSISection(parsing: bytes.span.bytes) }
    func parsedMap(_ bytes: [UInt8]) throws(ParseError) -> ProgramMap { try ProgramMap(parsing: bytes.span.bytes) }
    func parsedAssociation(_ bytes: [UInt8]) throws(ParseError) -> ProgramAssociation {
        try ProgramAssociation(parsing: bytes.span.bytes)
    }

    @Test func theCRCHasItsCheckValue() {
        #expect(crc(Array("123456789".utf8)) == 0x0376_e6e7)
        #expect(crc([]) == 0xffff_ffff)
    }

    @Test func anAssociationTableFromAnotherMultiplexerIsRead() throws {
        let table = try parsedAssociation(Self.pat)
        #expect(table.transportStreamID == 1 && table.version == 0 && table.isCurrent)
        #expect(table.programs == [.init(programNumber: 1, pid: 0x1000)])
        #expect(table.section == Self.pat)
    }

    @Test func aProgramMapFromAnotherMultiplexerIsRead() throws {
        let map = try parsedMap(Self.pmt)
        #expect(map.programNumber == 1 && map.pcrPID == 0x100 && map.descriptors.isEmpty)
        #expect(map.streams.map(\.pid) == [0x100, 0x101])
        #expect(map.streams.map { map.type(of: $0) } == [.mpeg2Video, .mpeg1Audio])
        #expect(map.section == Self.pmt)
    }

    @Test func aSectionOfAnotherTableComesBackAsItWas() throws {
        let section = try parsedSection(Self.sdt + [0xff, 0xff])
        #expect(section.tableID == 0x42 && section.isPrivate && section.tableIDExtension == 1)
        #expect(section.body.count == 28)
        #expect(section.bytes == Self.sdt)
        #expect(throws: ParseError.notRecognized) { try parsedMap(Self.sdt) }
        #expect(throws: ParseError.notRecognized) { try parsedAssociation(Self.pmt) }
    }

    @Test func tablesComeBackAsWritten() throws {
        var association = ProgramAssociation(
            transportStreamID: 0xbeef, version: 31,
            programs: [.init(programNumber: 0, pid: 16), .init(programNumber: 65_535, pid: 0x1ffe)])
        association.isCurrent = false
        association.sectionNumber = 1
        association.lastSectionNumber = 2
        let section = try #require(association.section)
        #expect(try parsedAssociation(section) == association)
        #expect(association.programs.map(\.programNumber) == [65_535])

        var map = ProgramMap(
            programNumber: 7, version: 5, pcrPID: 0x1fff, descriptors: hex("05 04 48 44 4d 56"),
            streams: [
                .init(streamTypeCode: 0x06, pid: 0x101, descriptors: hex("0a 04 64 65 75 00 6a 01 00")),
                .init(streamTypeCode: 0x83, pid: 0x102),
            ])
        map.isCurrent = false
        let bytes = try #require(map.section)
        #expect(try parsedMap(bytes) == map)
        #expect(map.streams.map { map.type(of: $0) } == [.ac3, .trueHD])
    }

    @Test func aTableTooLargeForItsSectionIsRefused() {
        let program = ProgramAssociation.Program(programNumber: 1, pid: 32)
        #expect(
            ProgramAssociation(transportStreamID: 1, programs: .init(repeating: program, count: 253)).section != nil)
        #expect(
            ProgramAssociation(transportStreamID: 1, programs: .init(repeating: program, count: 254)).section == nil)
        for (count, fits) in [(1_003, true), (1_004, false), (5_000, false)] {
            let stream = ProgramMap.Stream(
                streamTypeCode: 6, pid: 32, descriptors: .init(repeating: 0, count: count))
            #expect((ProgramMap(programNumber: 1, pcrPID: 32, streams: [stream]).section != nil) == fits)
        }
    }

    @Test(arguments: [pat, pmt, sdt])
    func aSectionCutShortOrDamagedIsRefused(section: [UInt8]) {
        for count in 0..<section.count {
            #expect(throws: ParseError.truncated) { try parsedSection(Array(section.prefix(count))) }
        }
        for index in 3..<section.count {
            for bit in 0..<8 {
                var bytes = section
                bytes[index] ^= 1 << bit
                #expect(throws: ParseError.badChecksum) { try parsedSection(bytes) }
            }
        }
    }

    @Test func loopsThatContradictTheSectionAreRefused() throws {
        for body in ["e1 00", "e1 00 f0 01", "e1 00 f0 00 02 e1 00 f0", "e1 00 f0 00 02 e1 00 f0 01"] {
            let section = PSISection(tableID: 2, tableIDExtension: 1, version: 0, body: hex(body))
            let bytes = try #require(section.bytes)
            #expect(throws: ParseError.badLength) { try parsedMap(bytes) }
        }
        let section = PSISection(tableID: 0, tableIDExtension: 1, version: 0, body: [0, 1, 0xe1])
        let bytes = try #require(section.bytes)
        #expect(throws: ParseError.badLength) { try parsedAssociation(bytes) }
        #expect(throws: ParseError.badLength) {
            try parsedSection(hex("00 b0 08 00 01 c1 00 00 00 00 00"))
        }
        #expect(throws: ParseError.notRecognized) { try parsedSection(hex("70 70 05 e4 99 12 00 00")) }
    }

    @Test func randomLoopsNeverTrap() throws {
        var random = RandomBytes("psi")
        var read = 0
        for _ in 0..<10_000 {
            let body = random.damaged(Array(Self.pmt[8..<22]))
            let section = PSISection(tableID: 2, tableIDExtension: 1, version: 0, body: body)
            let bytes = try #require(section.bytes)
            if let map = try? parsedMap(bytes) {
                read += 1
                for stream in map.streams { _ = map.type(of: stream) }
            }
            _ = try? parsedSection(random.bytes(40))
        }
        #expect(read > 1_000)
    }

    @Test func descriptorsEndWhereTheyRunOutOfTheLoop() {
        let descriptors = Array(DescriptorLoop(hex("0a 02 64 65 52 00 7f 03 80 01")))
        #expect(descriptors.map(\.tag) == [0x0a, 0x52])
        #expect(descriptors.map(\.content.count) == [2, 0])
    }
}

@Suite("Stream types (ISO/IEC 13818-1 table 2-34)")
struct StreamTypeTests {
    @Test(
        arguments: [
            (0x01, "", .mpeg1Video), (0x02, "", .mpeg2Video), (0x1b, "", .h264), (0x24, "", .h265), (0x33, "", .h266),
            (0x03, "", .mpeg1Audio), (0x04, "", .mpeg2Audio), (0x0f, "", .aacADTS), (0x11, "", .aacLATM),
            (0x81, "", .ac3), (0x87, "", .eac3), (0x06, "", .privatePES), (0x05, "", .privateSections),
            (0x86, "", .scte35), (0x06, "6a 01 00", .ac3), (0x06, "05 04 41 43 2d 33", .ac3),
            (0x06, "05 04 4f 70 75 73 7f 02 80 02", .opus), (0x06, "59 08 65 6e 67 10 00 01 00 01", .subtitles),
            (0x06, "7f 01 15", .ac4), (0x06, "05 04 4b 4c 56 41", .klv), (0x06, "05 02 41 43", .privatePES),
            (0x81, "05 04 48 45 56 43", .h265), (0x1b, "6a 01 00", .h264), (0x00, "", .unknown), (0x9f, "", .unknown),
        ] as [(UInt8, String, StreamType)])
    func codeAndDescriptorsTellTheType(code: UInt8, descriptors: String, type: StreamType) {
        #expect(StreamType(code: code, descriptors: hex(descriptors)) == type)
    }

    @Test func codesOfDiscsNeedTheirRegistration() {
        let disc = hex("05 04 48 44 4d 56")
        for (code, type) in [(0x80, .lpcm), (0x82, .dts), (0x83, .trueHD), (0x84, .eac3), (0x86, .dts)]
            as [(UInt8, StreamType)]
        {
            #expect(StreamType(code: code, programDescriptors: disc) == type)
            #expect(StreamType(code: code) != type)
        }
    }

    @Test func aTypeWithACodeIsReadBackFromIt() {
        let coded = StreamType.allCases.filter { type in type.code.map { StreamType(code: $0) == type } ?? false }
        #expect(coded.count == StreamType.allCases.count { $0.code != nil })
        #expect(StreamType.h264.code == 0x1b && StreamType.h265.code == 0x24 && StreamType.mpeg1Audio.code == 0x03)
        #expect(StreamType.privatePES.code == 0x06 && StreamType.ac3.code == 0x81)
        #expect(StreamType.opus.code == nil && StreamType.unknown.code == nil)
    }

    @Test func kindsFollowTheType() {
        #expect(StreamType.h265.kind == .video && StreamType.opus.kind == .audio && StreamType.scte35.kind == .data)
        #expect(StreamType.scte35.carriesSections && !StreamType.subtitles.carriesSections)
    }
}
