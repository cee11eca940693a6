import Foundation
@testable import Media
import Testing
import Timebase

/// A folder of transport streams, from anywhere, to try the reader on.
private let corpus: [URL] = {
    guard let path = ProcessInfo.processInfo.environment["RUBATO_CORPUS"] else { return [] }
    let files = FileManager.default.enumerator(at: URL(fileURLWithPath: path), includingPropertiesForKeys: nil)
    return (files?.compactMap { $0 as? URL } ?? []).filter { ["ts", "mts", "m2ts"].contains($0.pathExtension) }
        .sorted { $0.path < $1.path }
}()

@Suite(
    "Transport streams of the corpus",
    .enabled(if: !corpus.isEmpty && Peers.areInstalled, "RUBATO_CORPUS names no folder of .ts files, or no ffmpeg"))
struct CorpusTests {
    /// What FFmpeg makes of a stream: the checksum of every decoded picture and audio frame, and its complaints.
    private func decode(_ stream: [UInt8]) throws -> (frames: [String], complaints: String) {
        let result = try Peers.run(
            Peers.ffmpeg,
            [
                "-nostdin", "-v", "warning", "-copyts", "-i", "INPUT", "-map", "0:v?", "-map", "0:a?", "-f", "framemd5",
                "-",
            ], on: stream)
        return (
            result.output.split(separator: "\n").filter { !$0.hasPrefix("#") }.map(String.init).sorted(), result.errors
        )
    }

    @Test(arguments: corpus)
    func decodesAsBefore(file: URL) throws {
        let bytes = Array(try Data(contentsOf: file))
        let program: Program
        do {
            program = try Program(transportStream: bytes)
        } catch {
            print(file.lastPathComponent, error)
            return
        }
        print(file.lastPathComponent, program.substreams.map { "\($0.id) \($0.codecName) \($0.usualDuration)" })
        print("   ", program.firstPresentation, program.duration as Any, program.warnings)
        for index in program.substreams.indices {
            var source = program.source(index)
            var counts: [FrameType: Int] = [:]
            var random = 0
            while let unit = source.next() {
                counts[unit.frameType, default: 0] += 1
                if unit.isRandomAccess { random += 1 }
            }
            print("   ", program.substreams[index].id, counts.sorted { $0.key.rawValue < $1.key.rawValue }, random)
        }
        let before = try decode(bytes)
        let after = try decode(TestMuxer.mux(program))
        print(
            "    ffmpeg frames \(before.frames.count) -> \(after.frames.count), complaints before:",
            before.complaints.prefix(300))
        if before.complaints.isEmpty && program.damage == ProgramDamage() {
            #expect(after.complaints == "")
            #expect(before.frames == after.frames)
        } else {
            print("    complaints after:", after.complaints.prefix(300))
        }
    }
}
