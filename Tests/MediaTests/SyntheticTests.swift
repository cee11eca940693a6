import Foundation
@testable import Media
import Testing
import Timebase

private let key = DrawKey(seed: 1)
private let pal = UnitRate(count: 25, every: .seconds(1))!

private func video(
    _ pattern: String = "IBBPBBPBBPBB", rate: UnitRate = pal, megabits: Double = 4, variation: Double = 0.2
) throws -> SubstreamRequest.Content {
    .h264(
        SyntheticVideo(
            frameRate: rate, groupOfPictures: try GroupOfPictures(pattern).orThrow(),
            bitRate: BitRate(bitsPerSecond: UInt64((megabits * 1e6).rounded())), sizeVariation: variation))
}

private func mp2(_ kilobits: UInt64 = 192, frame: TimeSpan = .milliseconds(24)) -> SubstreamRequest.Content {
    .mp2(SyntheticAudio(bitRate: BitRate(bitsPerSecond: kilobits * 1_000), frameDuration: frame))
}

private func single(
    _ content: SubstreamRequest.Content, duration: TimeSpan? = .seconds(10), key: DrawKey = key
) throws -> Program {
    let request = SubstreamRequest(id: "one", kind: .video, content: content)
    return try Program(synthetic: [request], duration: duration, key: key)
}

private func units(_ program: Program, _ index: Int = 0, limit: Int = .max) -> [MediaUnit] {
    var source = program.source(index)
    var units: [MediaUnit] = []
    while units.count < limit, let unit = source.next() { units.append(unit) }
    return units
}

@Suite("Synthetic video")
struct SyntheticVideoTests {
    @Test(arguments: [
        ("IBBPBBPBBPBB", "IBBPBBPBBPBBIBBPBBPBBPBBI"), ("IPP", "IPPIPPIPPIPPIPPIPPIPPIPPI"),
        ("I", "IIIIIIIIIIIIIIIIIIIIIIIII"), ("ibp", "IBPIBPIBPIBPIBPIBPIBPIBPI"), ("IBB", "IBBIBBIBBIBBIBBIBBIBBIBBI"),
    ])
    func presentationOrderIsThePattern(pattern: String, expected: String) throws {
        let program = try single(video(pattern), duration: .seconds(1))
        let shown = units(program).sorted { $0.presentation < $1.presentation }
        let letters: [FrameType: String] = [.intra: "I", .predicted: "P", .bidirectional: "B"]
        #expect(shown.map { letters[$0.frameType] ?? "?" }.joined() == expected)
        #expect(shown.map(\.presentation) == (0..<25).map { Program.syntheticOrigin + 3_600 * $0 })
        #expect(shown.allSatisfy { $0.duration == 3_600 && $0.hasTimestamp })
    }

    @Test func decodingOrderPutsReferencesFirst() throws {
        let first = units(try single(video("IBBPBB")), limit: 8)
        #expect(first.map { ($0.presentation - 900_000) / 3_600 } == [0, 3, 1, 2, 6, 4, 5, 9])
        #expect(first.map { ($0.decode - 900_000) / 3_600 } == [-1, 0, 1, 2, 3, 4, 5, 6])
        #expect(first.map(\.index) == Array(0..<8))
    }

    @Test func ntscTimesComeFromTheOrigin() throws {
        let rate = try UnitRate(count: 30_000, every: .seconds(1_001)).orThrow()
        let program = try single(video("IPPP", rate: rate), duration: .seconds(1_001))
        let all = units(program)
        #expect(all.count == 30_000)
        #expect(all.allSatisfy { $0.presentation - 900_000 == $0.index * 3_003 })
    }

    @Test(arguments: [0, 0.2, 1.0])
    func rateIsExactOverWholeWindows(variation: Double) throws {
        let program = try single(video(variation: variation), duration: nil)
        // 60 pictures are five whole groups: 2.4 s at 4 Mbit/s are 1,200,000 bytes.
        let all = units(program, limit: 600)
        for window in stride(from: 0, to: 600, by: 60) {
            let payload = all[window..<window + 60].reduce(0) {
                $0 + $1.byteCount - ($1.presentation == $1.decode ? 14 : 19)
            }
            // Bytes are given out by rounding the share so far, which may leave the last one's fraction.
            #expect(payload == 1_200_000)
        }
    }

    @Test func sizesAreAsFiveToThreeToOne() throws {
        let all = units(try single(video(megabits: 40, variation: 0)), limit: 240).dropFirst(60)
        func mean(_ type: FrameType) -> Double {
            let sizes = all.filter { $0.frameType == type }.map { Double($0.byteCount) }
            return sizes.reduce(0, +) / Double(sizes.count)
        }
        #expect(abs(mean(.intra) / mean(.bidirectional) - 5) < 0.05)
        #expect(abs(mean(.predicted) / mean(.bidirectional) - 3) < 0.05)
    }

    @Test func variationIsUniformAndSeeded() throws {
        let all = units(try single(video("I", variation: 0.2), duration: nil), limit: 5_000)
        let deviations = all.map { Double($0.byteCount) / 20_014 - 1 }
        // 20 % either way, but for the windows' means, whose own deviation is 1.6 %.
        #expect(deviations.allSatisfy { abs($0) < 0.27 })
        let variance = deviations.reduce(0) { $0 + $1 * $1 } / 5_000
        // 0.04 / 3 less one part in fifty; the fourth moment gives five sigma of 6 %.
        #expect(abs(variance / (0.04 / 3 * 0.98) - 1) < 0.07)
        let other = units(try single(video("I"), key: DrawKey(seed: 2)), limit: 50)
        #expect(other.map(\.byteCount) != all.prefix(50).map(\.byteCount))
    }

    @Test func tooLowARateIsRefused() throws {
        #expect(throws: SyntheticProgramError.bitRateOutOfRange(id: "one")) { try single(video(megabits: 0.01)) }
        #expect(throws: Never.self) { try single(video(megabits: 0.05)) }
    }

    @Test(arguments: ["", "B", "PI", "IXB", "I B", String(repeating: "I", count: 601)])
    func otherPatternsAreRefused(pattern: String) {
        #expect(GroupOfPictures(pattern) == nil)
    }

    @Test func copyGoesOnFromWhereTheOriginalStands() throws {
        var source = try single(video()).source(0)
        for _ in 0..<17 { _ = source.next() }
        var copy = source
        for _ in 0..<50 {
            let (a, b) = (try source.next().orThrow(), try copy.next().orThrow())
            #expect(a.index == b.index && a.byteCount == b.byteCount && a.presentation == b.presentation)
        }
    }
}

@Suite("Synthetic units' bytes")
struct SyntheticBytesTests {
    @Test(arguments: [1, 2, 7, 19, 183, 184, 1_000, 199_000])
    func piecesEqualTheWhole(length: Int) throws {
        let trace = UnitTrace.self
        let contents: [SubstreamRequest.Content] = [
            try video(megabits: 0.3), try video("I", megabits: 80), try video("IP", megabits: 0.1), mp2(),
            .opaque(SyntheticOpaque(unitRate: pal, volume: .unitSize(70_000), sizeVariation: 0.5)),
            .trace(try trace.init(csv: Array("time,size\n0,1\n1ms,65528\n".utf8))),
        ]
        for content in contents {
            let program = try single(content)
            let source = program.source(0)
            for unit in units(program, limit: 3) {
                let whole = TestMuxer.packet(unit, of: source)
                var pieces: [UInt8] = []
                while pieces.count < whole.count {
                    var piece = [UInt8](repeating: 0xaa, count: min(length, whole.count - pieces.count))
                    piece.withUnsafeMutableBytes { source.writer.write(unit, from: pieces.count, into: $0) }
                    pieces += piece
                }
                #expect(pieces == whole)
            }
        }
    }

    /// Filler is between 1 and 254, so every picture's bytes beyond its syntax can be told.
    @Test func everyLengthOfUserDataParses() throws {
        // As many sizes as one size byte counts, and a few: one of them cannot be reached.
        for size in 500..<760 {
            let content = try video("I", megabits: Double(size) * 200 / 1e6, variation: 0)
            let program = try single(content, duration: nil)
            let unit = try units(program, limit: 1).first.orThrow()
            let bytes = TestMuxer.packet(unit, of: program.source(0))
            #expect(bytes.count == size + 19 || bytes.count == size + 14)
            let start = try bytes.firstRange(of: [0, 0, 1, 6, 5]).orThrow().upperBound
            var (position, length) = (start, 0)
            while bytes[position] == 0xff {
                length += 255
                position += 1
            }
            length += Int(bytes[position])
            // Behind the message: the RBSP's stop bit, then the slice's start code with at most one zero more.
            let end = position + 1 + length
            #expect(bytes[end] == 0x80)
            let rest = bytes[(end + 1)...]
            #expect(rest.starts(with: [0, 0, 1, 0x65]) || rest.starts(with: [0, 0, 0, 1, 0x65]))
        }
    }

    @Test func layerTwoFrameFillsItsUnit() throws {
        let program = try single(mp2(192), duration: .seconds(1))
        let all = units(program)
        #expect(all.count == 42)  // the 42nd begins at 984 ms
        #expect(all.allSatisfy { $0.byteCount == 14 + 576 && $0.duration == 2_160 })
        let bytes = TestMuxer.packet(all[1], of: program.source(0))
        // PTS 902,160 = 0xdc410: 3 bits 0, 15 bits 27, 15 bits 17,424.
        #expect(
            Array(bytes[..<18]) == [
                0, 0, 1, 0xc0, 0x02, 0x48, 0x84, 0x80, 5, 0x21, 0x00, 0x37, 0x88, 0x21, 0xff, 0xfd, 0xa4, 0x04,
            ])
    }

    @Test(arguments: [(191, 24), (192, 20), (400, 24)] as [(UInt64, Int64)])
    func otherAudioIsRefused(kilobits: UInt64, milliseconds: Int64) {
        #expect(throws: SyntheticProgramError.notLayerII(id: "one")) {
            try single(mp2(kilobits, frame: .milliseconds(milliseconds)))
        }
    }

    @Test func opaqueRateIsExact() throws {
        let opaque = SyntheticOpaque(
            unitRate: pal, volume: .bitRate(BitRate(bitsPerSecond: 1_000_000)), sizeVariation: 0.9)
        let all = units(try single(.opaque(opaque), duration: nil), limit: 500)
        #expect(all.reduce(0) { $0 + $1.byteCount - 14 } == 2_500_000)
        #expect(Set(all.map(\.byteCount)).count > 100)
    }

    @Test func substreamsAreNumberedAsFFmpegDoes() throws {
        let requests = [
            SubstreamRequest(id: "a", kind: .video, content: try video()),
            SubstreamRequest(id: "b", kind: .audio, content: mp2()),
            SubstreamRequest(id: "c", kind: .audio, content: mp2()),
        ]
        let program = try Program(synthetic: requests, duration: nil, key: key)
        #expect(program.substreams.map(\.pid) == [0x100, 0x101, 0x102])
        #expect(program.substreams.map(\.streamID) == [0xe0, 0xc0, 0xc1])
        #expect(program.substreams.map(\.streamType) == [0x1b, 3, 3])
        #expect(program.substreams.map(\.usualDuration) == [3_600, 2_160, 2_160])
        #expect(program.pcrPID == 0x100 && program.pmtPID == 0x1000)
        #expect(throws: SyntheticProgramError.duplicateID("a")) {
            try Program(synthetic: [requests[0], requests[0]], duration: nil, key: key)
        }
    }
}

@Suite(
    "Synthetic programs as FFmpeg reads them",
    .enabled(if: Peers.areInstalled, "ffmpeg and ffprobe are not installed"))
struct SyntheticPeerTests {
    @Test(arguments: [
        ("IBBPBBPBBPBB", 4.0), ("IPPP", 1.0), ("I", 0.3), ("IB", 2.0), ("IBBBPBBB", 20.0), ("IBPI", 0.1),
        ("IPPPP", 0.1),
    ])
    func everyPictureDecodesAsAsked(pattern: String, megabits: Double) throws {
        let rate = try UnitRate(count: 30_000, every: .seconds(1_001)).orThrow()
        let requests = [
            SubstreamRequest(id: "v", kind: .video, content: try video(pattern, rate: rate, megabits: megabits)),
            SubstreamRequest(id: "a", kind: .audio, content: mp2()),
        ]
        let program = try Program(synthetic: requests, duration: .seconds(12), key: key)
        let stream = TestMuxer.mux(program)
        let decoded = try Peers.run(
            Peers.ffmpeg, ["-nostdin", "-v", "warning", "-i", "INPUT", "-f", "null", "-"], on: stream)
        #expect(decoded.errors == "")
        let shown = units(program).sorted { $0.presentation < $1.presentation }
        let letters: [FrameType: String] = [.intra: "I", .predicted: "P", .bidirectional: "B"]
        let probed = try Peers.run(
            Peers.ffprobe,
            [
                "-v", "warning", "-select_streams", "v", "-show_entries", "frame=pts,pict_type,key_frame", "-of",
                "compact=p=0", "INPUT",
            ], on: stream)
        #expect(probed.errors == "")
        let frames = probed.output.split(separator: "\n").filter { $0.hasPrefix("key_frame") }
            .map { $0.split(separator: "|").prefix(3).joined(separator: "|") }
        let expected = shown.map {
            "key_frame=\($0.frameType == .intra ? 1 : 0)|pts=\($0.presentation)|pict_type=\(letters[$0.frameType] ?? "?")"
        }
        #expect(frames == expected)
    }

    @Test(arguments: [(32, 24), (64, 24), (192, 24), (384, 24), (192, 36), (80, 36)] as [(UInt64, Int64)])
    func everyAudioFrameDecodes(kilobits: UInt64, milliseconds: Int64) throws {
        let audio = SubstreamRequest(id: "a", kind: .audio, content: mp2(kilobits, frame: .milliseconds(milliseconds)))
        let program = try Program(synthetic: [audio], duration: .seconds(10), key: key)
        let stream = TestMuxer.mux(program)
        let decoded = try Peers.run(
            Peers.ffmpeg, ["-nostdin", "-v", "warning", "-i", "INPUT", "-f", "null", "-"], on: stream)
        #expect(decoded.errors == "")
        let probed = try Peers.run(
            Peers.ffprobe,
            [
                "-v", "warning", "-show_entries", "frame=pts:stream=codec_name,sample_rate,bit_rate", "-of", "csv",
                "INPUT",
            ],
            on: stream)
        #expect(probed.errors == "")
        let lines = probed.output.split(separator: "\n").map(String.init)
        #expect(lines.filter { $0.hasPrefix("frame") } == units(program).map { "frame,\($0.presentation)" })
        #expect(lines.last == "stream,mp2,\(milliseconds == 24 ? 48_000 : 32_000),\(kilobits * 1_000)")
    }

    @Test func opaqueUnitsArePackets() throws {
        let opaque = SyntheticOpaque(unitRate: pal, volume: .unitSize(100_000), sizeVariation: 0.9)
        let requests = [
            SubstreamRequest(id: "v", kind: .video, content: try video(megabits: 0.5)),
            SubstreamRequest(id: "d", kind: .data, content: .opaque(opaque)),
        ]
        let program = try Program(synthetic: requests, duration: .seconds(4), key: key)
        let probed = try Peers.run(
            Peers.ffprobe,
            ["-v", "warning", "-select_streams", "d", "-show_entries", "packet=pts,size", "-of", "csv=p=0", "INPUT"],
            on: TestMuxer.mux(program))
        // There is no decoder for private data, which is all that may be said of it.
        #expect(probed.errors.split(separator: "\n").allSatisfy { $0.contains("Unsupported codec") })
        let expected = units(program, 1).map { "\($0.presentation),\($0.byteCount - 14)" }
        #expect(
            probed.output.split(separator: "\n").map { $0.split(separator: ",").joined(separator: ",") } == expected)
    }
}

@Suite("Unit traces")
struct UnitTraceTests {
    @Test func rowsBecomeUnits() throws {
        let text = "\u{feff}time, size ,type\r\n0,100,I\r\n# a comment\r\n\r\n40ms,50,b\r\n\"0.1\",70,slide\n1.5 s,1,P"
        let program = try single(.trace(UnitTrace(csv: Array(text.utf8))), duration: .milliseconds(1_500))
        let all = units(program)
        #expect(all.map { $0.presentation - Program.syntheticOrigin } == [0, 3_600, 9_000])
        #expect(all.map(\.byteCount) == [114, 64, 84])
        #expect(all.map(\.frameType) == [.intra, .bidirectional, .unknown])
        #expect(all.map(\.duration) == [3_600, 5_400, 126_000])
    }

    @Test func columnsMayStandInAnyOrder() throws {
        let program = try single(.trace(UnitTrace(csv: Array("n,SIZE,Time\n1,5,250us\n2,6,999999999ns".utf8))))
        #expect(units(program).map { $0.presentation - Program.syntheticOrigin } == [22, 89_999])
    }

    @Test(arguments: [
        ("", UnitTrace.Problem.empty), ("time,size\n", .empty), ("size,type\n1,I", .missingColumn("time")),
        ("time,bytes\n1,2", .missingColumn("size")), ("time,size\n\n1", .missingField(line: 3)),
        ("time,size\n0,1\n1h,2", .badTime(line: 3, text: "1h")), ("time,size\n-1,2", .badTime(line: 2, text: "-1")),
        ("time,size\n.,2", .badTime(line: 2, text: ".")), ("time,size\n1.2.3,2", .badTime(line: 2, text: "1.2.3")),
        ("time,size\n99999999999,2", .badTime(line: 2, text: "99999999999")),
        ("time,size\n1,0", .badSize(line: 2, text: "0")), ("time,size\n1,2.5", .badSize(line: 2, text: "2.5")),
        ("time,size\n1,16777217", .badSize(line: 2, text: "16777217")),
        ("time,size\n2,1\n1,1", .timeGoesBack(line: 3, text: "1")),
    ])
    func errorsNameTheLine(text: String, problem: UnitTrace.Problem) {
        #expect(throws: problem) { try UnitTrace(csv: Array(text.utf8)) }
    }

    @Test func randomBytesNeverTrap() {
        let alphabet = Array("time,size\n0123456789.msIPB#\"\r \u{e9}".utf8) + [0xff, 0]
        for round in 0..<2_000 {
            let draws = DrawKey(seed: UInt64(round))
            let tail = (0..<40).map { alphabet[Int(draws.draw($0) % UInt64(alphabet.count))] }
            _ = try? UnitTrace(csv: Array("time,size\n".utf8) + tail)
        }
    }
}
