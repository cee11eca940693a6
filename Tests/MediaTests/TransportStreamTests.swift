@testable import Media
import Testing
import Timebase

private func units(_ program: Program, _ index: Int = 0, limit: Int = .max) -> [MediaUnit] {
    var source = program.source(index)
    var units: [MediaUnit] = []
    while units.count < limit, let unit = source.next() { units.append(unit) }
    return units
}

private func contents(_ program: Program, _ index: Int = 0, limit: Int = .max) -> [[UInt8]] {
    units(program, index, limit: limit).map { TestMuxer.packet($0, of: program.source(index)) }
}

@Suite("Programs from transport streams")
struct TransportStreamTests {
    @Test func madeProgramComesBackFromItsFile() throws {
        let gop = try GroupOfPictures("IBBPBBPBB").orThrow()
        let rate = try UnitRate(count: 30_000, every: .seconds(1_001)).orThrow()
        let made = try Program(
            synthetic: [
                SubstreamRequest(
                    id: "v", kind: .video,
                    content: .h264(
                        SyntheticVideo(
                            frameRate: rate, groupOfPictures: gop, bitRate: BitRate(bitsPerSecond: 1_000_000),
                            sizeVariation: 0.3))),
                SubstreamRequest(
                    id: "a", kind: .audio, content: .mp2(SyntheticAudio(bitRate: BitRate(bitsPerSecond: 128_000)))),
                SubstreamRequest(
                    id: "d", kind: .data,
                    content: .opaque(SyntheticOpaque(unitRate: rate, volume: .unitSize(66_000), sizeVariation: 0.1))),
            ], duration: .seconds(3), key: DrawKey(seed: 3))
        let read = try Program(transportStream: TestMuxer.mux(made))
        #expect(read.warnings == [] && read.damage == ProgramDamage())
        #expect(read.substreams.map(\.id) == ["video", "audio", "data"])
        #expect(read.substreams.map(\.pid) == made.substreams.map(\.pid))
        #expect(read.substreams.map(\.streamType) == [0x1b, 3, 6])
        #expect(read.substreams.map(\.streamID) == [0xe0, 0xc0, 0xbd])
        #expect(read.substreams.map(\.codecName) == ["h264", "mpeg1-audio", "private-pes"])
        #expect(read.substreams.map(\.usualDuration) == [3_003, 2_160, 3_003])
        #expect(read.pcrPID == 0x100 && read.programNumber == 1 && read.transportStreamID == 1)
        #expect(read.firstPresentation == Program.syntheticOrigin)
        // 90 pictures of 3,003 ticks end at 3.003 s, 125 frames of 24 ms at 3 s.
        #expect(read.duration == .milliseconds(3_003))
        for index in 0..<3 {
            let (before, after) = (units(made, index), units(read, index))
            #expect(before.map(\.presentation) == after.map(\.presentation))
            #expect(before.map(\.decode) == after.map(\.decode))
            #expect(before.map(\.frameType) == after.map(\.frameType))
            #expect(before.map(\.isRandomAccess) == after.map(\.isRandomAccess))
            #expect(before.map(\.duration) == after.map(\.duration))
            #expect(contents(made, index) == contents(read, index))
        }
    }

    @Test("a last unit of fewer audio frames lasts as long as its frames", arguments: 1...7)
    func lastAudioUnit(frames: Int) throws {
        // 96 kbit/s of layer II at 48 kHz: 24 ms in 288 bytes.
        let layerII: [UInt8] = [0xff, 0xfd, 0x64, 0xc0] + [UInt8](repeating: 0, count: 284)
        // ADTS, AAC LC at 48 kHz: 1,024 samples in 200 bytes.
        let aac: [UInt8] = [0xff, 0xf1, 0x4c, 0x40, 0x19, 0x1f, 0xfc] + [UInt8](repeating: 0, count: 193)
        for (type, frame, ticks) in [(3, layerII, 2_160), (0x0f, aac, 1_920)] as [(UInt8, [UInt8], Int64)] {
            var file = FileBuilder()
            file.putTables([(type, 0x101)])
            for index in 0..<5 as Range<Int64> {
                let count = index < 4 ? 7 : frames
                let pts = 100_000 + 7 * ticks * index
                let header = FileBuilder.pes(0xc0, pts: pts, count: 0, lengthError: frame.count * count)
                file.put(pes: header + [[UInt8]](repeating: frame, count: count).joined(), pid: 0x101, pcr: pts - 9_000)
            }
            let program = try Program(transportStream: file.bytes)
            #expect(units(program).map(\.duration) == [7, 7, 7, 7, Int64(frames)].map { $0 * ticks })
            #expect(program.duration == MediaClock.span(ticks: (28 + Int64(frames)) * ticks, rate: 90_000))
            #expect(units(program).allSatisfy { $0.elementaryByteCount % frame.count == 0 && $0.headerByteCount == 14 })
        }
    }

    @Test(arguments: [192, 204])
    func otherPacketSizesAreTheSame(size: Int) throws {
        let file = FileBuilder.audio(units: 5)
        let padding = [UInt8](repeating: 0x11, count: size - 188)
        let bytes = file.packets.flatMap { size == 192 ? padding + $0 : $0 + padding }
        let program = try Program(transportStream: bytes)
        #expect(program.damage == ProgramDamage())
        #expect(try contents(program) == contents(Program(transportStream: file.bytes)))
        #expect(contents(program).count == 5)
    }

    @Test func unitsOfOneProgramOnlyAreSent() throws {
        var file = FileBuilder()
        // Programs 9 without streams that occur, 1 with one that does and four that are not sent, 5 with the first's PID.
        let body: [UInt8] = [0, 0, 0xe0, 0x10, 0, 9, 0xe2, 0, 0, 1, 0xe1, 0, 0, 5, 0xe3, 0]
        file.put(section: TestMuxer.section(table: 0, identifier: 7, body: body), pid: 0)
        file.putMap([(0x1b, 0x201)], pcrPID: 0x201, program: 9, pid: 0x200)
        file.putMap(
            [(3, 0x101), (0x86, 0x102), (0x1b, 0x103), (4, 0x104), (4, 0x105)], program: 1, pid: 0x100)
        file.putMap([(3, 0x101)], program: 5, pid: 0x300)
        file.put(section: TestMuxer.section(table: 0x42, identifier: 7, body: [0, 1, 0xff]), pid: 0x11)
        file.put(section: [0xfc, 0x30, 0x11], pid: 0x102)
        for index in Int64(0)..<3 {
            file.put(pes: FileBuilder.pes(0xc0, pts: 2_160 * index, count: 100), pid: 0x101, pcr: 2_160 * index)
            file.put([1, 2, 3], pid: 0x104, start: true, scrambled: true)
            file.put([1, 2, 3], pid: 0x105, start: true)
        }
        let program = try Program(transportStream: file.bytes)
        #expect(program.programNumber == 1 && program.pmtPID == 0x100 && program.transportStreamID == 7)
        #expect(program.substreams.map(\.pid) == [0x101])
        #expect(program.damage.droppedPrograms == 2 && program.damage.droppedSubstreams == 4)
        let section = try program.serviceDescriptionSection.orThrow()
        #expect(section == TestMuxer.section(table: 0x42, identifier: 7, body: [0, 1, 0xff]))
        for part in [
            "other programs are not: 9, 5", "0x102 (scte35) is not sent: it carries sections",
            "0x103 (h264) is not sent: the program map names it, but it never occurs",
            "0x104 (mpeg2-audio) is not sent: it is scrambled", "0x105 (mpeg2-audio) is not sent: no PES packet",
            "has no video",
        ] {
            #expect(program.warnings.contains { $0.contains(part) }, "\(part) in \(program.warnings)")
        }
    }

    @Test func newVersionOfTheMapAddsItsStreams() throws {
        var file = FileBuilder.audio(units: 2)
        file.putMap([(3, 0x101), (6, 0x120)], version: 1)
        file.put(pes: FileBuilder.pes(0xbd, pts: 105_000, count: 10), pid: 0x120)
        let program = try Program(transportStream: file.bytes)
        #expect(program.substreams.map(\.id) == ["audio", "data"])
        #expect(program.warnings.contains { $0.contains("changes once") && $0.contains("0x120") })
    }

    @Test func unitsWithoutTimestampsStandBetweenTheirNeighbours() throws {
        var file = FileBuilder()
        file.putTables([(3, 0x101)])
        for pts: Int64? in [nil, 1_000, nil, nil, 4_000, 5_000, nil] {
            file.put(pes: FileBuilder.pes(0xc0, pts: pts, count: 50), pid: 0x101, pcr: pts.map { $0 - 500 })
        }
        let all = units(try Program(transportStream: file.bytes))
        #expect(all.map(\.presentation) == [1_000, 1_000, 2_000, 3_000, 4_000, 5_000, 6_000 + 2_000])
        #expect(all.map(\.hasTimestamp) == [false, true, false, false, true, true, false])
    }

    @Test func wrapOfTheTimestampsIsFollowed() throws {
        let start: Int64 = 1 << 33 - 3 * 2_160
        let program = try Program(transportStream: FileBuilder.audio(units: 10, from: start).bytes)
        #expect(program.damage == ProgramDamage())
        #expect(units(program).map(\.presentation) == (0..<10).map { start + 2_160 * $0 })
        #expect(program.duration == .milliseconds(240))
    }

    @Test(arguments: [5_000, 100_000, 1 << 33 - 5_000, 40_000_000] as [Int64])
    func jumpOfTheClockIsClosedUp(second: Int64) throws {
        var file = FileBuilder.audio(units: 10)
        let other = FileBuilder.audio(units: 10, from: second)
        // A recording that goes on with counters that fit: three packets a unit make 30, so the second counts from 14.
        file.packets += other.packets.dropFirst(2).map { packet in
            var packet = packet
            packet[3] = packet[3] & 0xf0 | (packet[3] &+ 14) & 15
            return packet
        }
        let program = try Program(transportStream: file.bytes)
        #expect(program.damage.clockDiscontinuities == 1 && program.damage.damagedUnits == 0)
        let all = units(program)
        #expect(all.map(\.presentation) == (0..<20).map { 100_000 + 2_160 * $0 })
        // On the wire as on the timeline: bytes 9...13 of the unit hold its PTS.
        let whole = contents(program)
        for (unit, bytes) in zip(all, whole) { #expect(timestamp(bytes) == unit.presentation) }
        #expect(whole[10][14...] == contents(program)[0][14...].map { $0 }[...])
    }

    private func timestamp(_ bytes: [UInt8]) -> Int64 {
        let b = bytes.map { Int64($0) }
        return (b[9] >> 1 & 7) << 30 | b[10] << 22 | (b[11] >> 1) << 15 | b[12] << 7 | b[13] >> 1
    }

    @Test func repetitionsFollowWithShiftedTimestamps() throws {
        let once = try Program(transportStream: FileBuilder.audio(units: 10).bytes)
        let program = try Program(
            transportStream: FileBuilder.audio(units: 10).bytes, loop: true, duration: .seconds(1))
        #expect(program.duration == .seconds(1))
        let all = units(program)
        #expect(all.map(\.index) == Array(0..<42))
        #expect(all.map(\.presentation) == (0..<42).map { 100_000 + 2_160 * $0 })
        let (first, whole) = (contents(once), contents(program))
        for (index, bytes) in whole.enumerated() {
            #expect(timestamp(bytes) == 100_000 + 2_160 * Int64(index))
            #expect(bytes[..<9] == first[index % 10][..<9] && bytes[14...] == first[index % 10][14...])
        }
        // In pieces that cut through the timestamp as well.
        let source = program.source(0)
        for length in 1...20 {
            var pieces: [UInt8] = []
            while pieces.count < whole[30].count {
                var piece = [UInt8](repeating: 0xaa, count: min(length, whole[30].count - pieces.count))
                piece.withUnsafeMutableBytes { source.writer.write(all[30], from: pieces.count, into: $0) }
                pieces += piece
            }
            #expect(pieces == whole[30])
        }
        let endless = try Program(transportStream: FileBuilder.audio(units: 10).bytes, loop: true)
        #expect(endless.duration == nil)
        #expect(try units(endless, limit: 1_000).last.orThrow().presentation == 100_000 + 2_160 * 999)
    }

    @Test func durationCutsBeforeTheFirstUnitThatIsTooLate() throws {
        var file = FileBuilder()
        file.putTables([(0x1b, 0x101)])
        // I0 P3 B1 B2 I6 B4 B5 by presentation.
        for (dts, pts) in [(-1, 0), (0, 3), (1, 1), (2, 2), (3, 6), (4, 4), (5, 5)] as [(Int64, Int64)] {
            let pes = FileBuilder.pes(0xe0, pts: 90_000 + pts * 3_600, dts: 90_000 + dts * 3_600, count: 40)
            file.put(pes: pes, pid: 0x101, pcr: 80_000 + dts * 3_600)
        }
        func shown(_ milliseconds: Int64) throws -> [Int64] {
            units(try Program(transportStream: file.bytes, duration: .milliseconds(milliseconds)))
                .map { ($0.presentation - 90_000) / 3_600 }
        }
        #expect(try shown(1_000) == [0, 3, 1, 2, 6, 4, 5])
        #expect(try shown(240) == [0, 3, 1, 2])
        #expect(try shown(241) == [0, 3, 1, 2, 6, 4, 5])
        #expect(try shown(1) == [0])
        let program = try Program(transportStream: file.bytes, duration: .seconds(1))
        #expect(program.duration == .milliseconds(280))
        #expect(units(program).allSatisfy { $0.duration == 3_600 })
    }
}

@Suite("Damaged transport streams")
struct DamagedTransportStreamTests {
    /// What is read of ten audio units of three packets after a change to the packets; packets 0 and 1 are tables.
    private func read(_ change: (inout FileBuilder) -> Void) throws -> (program: Program, units: [UInt8]) {
        var file = FileBuilder.audio(units: 10)
        change(&file)
        let program = try Program(transportStream: file.bytes)
        return (program, contents(program).compactMap { $0.count == 400 ? $0[399] : nil })
    }

    @Test(arguments: [2, 3, 4])
    func unitWithAMissingPacketIsLeftOut(packet: Int) throws {
        let (program, left) = try read { $0.packets.remove(at: 9 + packet) }
        #expect(left == [0, 1, 2, 4, 5, 6, 7, 8, 9])
        #expect(program.damage.continuityErrors == 1)
        // A unit whose first packet is lost is not known to have been.
        #expect(program.damage.damagedUnits == (packet == 2 ? 0 : 1))
        #expect(program.warnings.contains { $0.contains("1 errors of the continuity counter") })
    }

    @Test func oneRepetitionIsLegalAndTwoAreNot() throws {
        let (once, first) = try read { $0.packets.insert($0.packets[6], at: 7) }
        #expect(first == Array(0..<10))
        #expect(once.damage.duplicatePackets == 1 && once.damage.continuityErrors == 0)
        let (twice, second) = try read { $0.packets.insert(contentsOf: [$0.packets[6], $0.packets[6]], at: 7) }
        #expect(second == Array(0..<10))
        #expect(twice.damage.duplicatePackets == 1 && twice.damage.continuityErrors == 1)
    }

    @Test func packetsMarkedAsErroneousAreIgnored() throws {
        let (program, left) = try read { $0.packets[6][1] |= 0x80 }
        #expect(left == [0, 2, 3, 4, 5, 6, 7, 8, 9])
        #expect(program.damage.transportErrors == 1 && program.damage.damagedUnits == 1)
    }

    @Test func announcedJumpOfTheCounterIsNoError() throws {
        let (program, left) = try read { file in
            for index in 8..<file.packets.count {
                let byte = file.packets[index][3]
                file.packets[index][3] = byte & 0xf0 | (byte &+ 5) & 15
            }
            file.packets[8][5] |= 0x80
        }
        #expect(left == Array(0..<10))
        #expect(program.damage == ProgramDamage())
    }

    @Test func readingGoesOnBehindABadSyncByte() throws {
        let (program, left) = try read { $0.packets[6][0] = 0x46 }
        #expect(left == [0, 2, 3, 4, 5, 6, 7, 8, 9])
        #expect(program.damage.syncLosses == 1 && program.damage.skippedBytes == 188)
    }

    @Test(arguments: [1, 100, 187, 5_000])
    func readingGoesOnBehindInsertedBytes(count: Int) throws {
        let (program, left) = try read { $0.packets.insert([UInt8](repeating: 1, count: count), at: 8) }
        #expect(left == Array(0..<10))
        #expect(program.damage.syncLosses == 1 && program.damage.skippedBytes == Int64(count))
    }

    @Test func endInTheMiddleOfAUnitIsTold() throws {
        let (program, left) = try read { $0.packets.removeLast() }
        #expect(left == Array(0..<9))
        #expect(program.damage.truncatedUnits == 1)
        let (cut, rest) = try read { $0.packets[$0.packets.count - 1].removeLast() }
        #expect(rest == Array(0..<9))
        #expect(cut.damage.truncatedUnits == 1)
        #expect(cut.warnings.contains { $0.contains("ends in the middle of a packet (187 bytes)") })
    }

    @Test func lengthThatIsTooSmallIsCorrected() throws {
        var file = FileBuilder()
        file.putTables([(0x1b, 0x101)])
        for index in 0..<4 {
            file.put(
                pes: FileBuilder.pes(0xe0, pts: 3_600 * Int64(index), count: 500, lengthError: -1), pid: 0x101, pcr: 0)
        }
        let program = try Program(transportStream: file.bytes)
        #expect(program.damage.repairedLengths == 4 && program.damage.damagedUnits == 0)
        let whole = contents(program)
        #expect(whole.map(\.count) == [514, 514, 514, 514])
        #expect(whole.allSatisfy { Int($0[4]) << 8 | Int($0[5]) == 508 })
    }

    @Test func strayTimestampIsLeftOut() throws {
        let (program, left) = try read { file in
            // Bit 32 of unit 4's PTS.
            file.packets[2 + 12][21] ^= 0x08
        }
        #expect(left == [0, 1, 2, 3, 5, 6, 7, 8, 9])
        #expect(program.damage.damagedUnits == 1)
        #expect(program.duration == .milliseconds(240))
    }

    @Test func onePCRThatIsWrongIsNoJump() throws {
        let (program, left) = try read { $0.packets[2 + 12][6] ^= 0x40 }
        #expect(left == Array(0..<10))
        #expect(program.damage.clockDiscontinuities == 0)
        #expect(units(program).map(\.presentation) == (0..<10).map { 100_000 + 2_160 * $0 })
    }

    @Test func whatIsNoTransportStreamIsNamed() {
        let jpeg: [UInt8] = [0xff, 0xd8, 0xff, 0xe0] + (0..<2_000).map { UInt8(truncatingIfNeeded: $0 * 7) }
        let cases: [([UInt8], TransportStreamError)] = [
            ([], .empty), (jpeg, .notTransportStream(looksLike: "JPEG image")),
            (Array("time,size\n0,1\n".utf8), .notTransportStream(looksLike: "text file")),
            (Array("GIF89a".utf8) + [0, 1, 2], .notTransportStream(looksLike: "GIF image")),
            ([0, 0, 0, 0x20] + Array("ftypisom".utf8), .notTransportStream(looksLike: "MP4 or QuickTime file")),
            ([UInt8](repeating: 0, count: 4_000), .notTransportStream(looksLike: nil)),
        ]
        for (bytes, error) in cases { #expect(throws: error) { try Program(transportStream: bytes) } }
    }

    @Test func streamsWithNothingToSendSayWhy() throws {
        let tables = FileBuilder.audio(units: 0)
        #expect(
            throws: TransportStreamError.noElementaryStreams(warnings: [
                "PID 0x101 (mpeg1-audio) is not sent: the program map names it, but it never occurs"
            ])
        ) { try Program(transportStream: tables.bytes) }
        var alone = FileBuilder.audio(units: 3)
        alone.packets.removeFirst(2)
        #expect(throws: TransportStreamError.noProgram(packets: 9)) { try Program(transportStream: alone.bytes) }
        var untimed = tables
        untimed.put(pes: FileBuilder.pes(0xc0, pts: nil, count: 10), pid: 0x101, pcr: 0)
        #expect(throws: TransportStreamError.noTimestamps) { try Program(transportStream: untimed.bytes) }
        var data = FileBuilder()
        data.putTables([(6, 0x101)])
        data.put(pes: FileBuilder.pes(0xbd, pts: 1, count: 10), pid: 0x101, pcr: 0)
        let program = try Program(transportStream: data.bytes)
        #expect(program.warnings.contains { $0.contains("neither video nor audio") })
        #expect(units(program).map(\.duration) == [3_600])
    }

    /// Reads and writes whatever comes of the bytes.
    ///
    /// - Returns: whether a program did.
    private func exercise(_ bytes: [UInt8]) -> Bool {
        guard let program = try? Program(transportStream: bytes, loop: true, duration: .seconds(2)) else {
            return false
        }
        for index in program.substreams.indices { _ = contents(program, index, limit: 100) }
        return true
    }

    private var sample: [UInt8] {
        get throws {
            let gop = try GroupOfPictures("IBP").orThrow()
            let rate = try UnitRate(count: 25, every: .seconds(1)).orThrow()
            let video = SyntheticVideo(frameRate: rate, groupOfPictures: gop, bitRate: BitRate(bitsPerSecond: 60_000))
            let audio = SyntheticAudio(bitRate: BitRate(bitsPerSecond: 64_000))
            let program = try Program(
                synthetic: [
                    SubstreamRequest(id: "v", kind: .video, content: .h264(video)),
                    SubstreamRequest(id: "a", kind: .audio, content: .mp2(audio)),
                ], duration: .milliseconds(200), key: DrawKey(seed: 1))
            return TestMuxer.mux(program)
        }
    }

    @Test func truncationAtEveryLengthIsBorne() throws {
        let bytes = try sample
        let readable = (0..<bytes.count).filter { exercise(Array(bytes[..<$0])) }
        // From the third packet on, with which the first unit begins and may end, there is something to send.
        #expect(Set(0..<bytes.count).subtracting(readable).allSatisfy { $0 < 188 * 8 })
    }

    @Test func corruptionIsBorne() throws {
        let bytes = try sample
        var readable = 0
        for round in 0..<1_500 {
            let key = DrawKey(seed: UInt64(round))
            var copy = bytes
            for index in 0..<Int64(1 + round % 40) {
                let draw = key.draw(index)
                // Half of the hits in headers and tables, where they hurt.
                let place = Int(draw >> 16) % copy.count
                copy[draw & 1 == 0 ? place : place / 188 * 188 + place % 24] = UInt8(truncatingIfNeeded: draw >> 1)
            }
            if round % 5 == 0 { copy.removeSubrange(0..<Int(key.draw(-1) % UInt64(copy.count))) }
            if exercise(copy) { readable += 1 }
        }
        // Most of what is damaged still is a program, or nothing but the refusal would have been tried.
        #expect(readable > 500)
    }
}
