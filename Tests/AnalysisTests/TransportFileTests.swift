import Analysis
import Capture
import Foundation
import Metrics
import Testing
import Timebase
import Wire

@Suite("Transport streams on disk")
struct TransportFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Packets of one PID with a PCR every so many, of constant rate; its clock begins where it is told to.
    private func packets(_ count: Int, every: Int = 40, rate: Int, from start: UInt64 = 1_000_000) -> [[UInt8]] {
        (0..<count).map { number in
            var packet = [UInt8](repeating: 0xff, count: 188)
            packet.replaceSubrange(0..<4, with: [0x47, 0x01, 0x00, 0x10 | UInt8(number & 15)])
            guard number % every == every / 2 else { return packet }
            let pcr = (start + UInt64(number) * 188 * 8 * 27_000_000 / UInt64(rate)) % (300 << 33)
            addReference(pcr, to: &packet)
            return packet
        }
    }

    private func analyze(_ bytes: [UInt8]) throws -> StreamMeasurements {
        let path = folder.path + "/a.ts"
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        let analysis = try CaptureAnalysis(reading: [path])
        #expect(analysis.inputs.map(\.format) == ["mpeg-ts"] && analysis.streams.map(\.id) == ["s1"])
        return try #require(analysis.streams.first)
    }

    @Test(
        "Packets of 188, 192 and 204 bytes from any place on", arguments: [188, 192, 204], [0, 1, 100, 5000])
    func lengths(length: Int, before: Int) throws {
        // A sync byte now and then before the first packet.
        let noise = (0..<before).map { $0 % 97 == 5 ? 0x47 : UInt8(truncatingIfNeeded: $0 * 7) & 0x3f }
        let stream = try analyze(
            noise
                + packets(4000, rate: 3_000_000).flatMap {
                    [UInt8](repeating: 0, count: length == 192 ? 4 : 0) + $0
                        + [UInt8](repeating: 0xaa, count: length == 204 ? 16 : 0)
                })
        let transport = try #require(stream.transportStream)
        #expect(stream.kind == .transportStreamFile && transport.packetLength == length)
        #expect(transport.packets == 4000 && transport.pids.map(\.packets) == [4000])
        #expect(transport.pcrBitsPerSecond == 3_000_000)
        // A packet lasts 501 µs; what is before the first PCR has the pace behind it.
        #expect(abs(stream.quality.duration.nanoseconds - 3999 * 1_504_000_000 / 3000) < 4000)
        #expect(transport.measurements.tr101290.first { $0.name == "Continuity_count_error" }?.count == 0)
        #expect(transport.measurements.pcrIntervalMaximum.map { abs($0.nanoseconds - 20_053_333) < 1000 } == true)
    }

    @Test("Lost packets and bytes are told, and what follows is found again", arguments: [1, 60, 187, 188 * 3, 1000])
    func damage(bytes lost: Int) throws {
        var bytes = packets(6000, rate: 2_000_000).flatMap { $0 }
        bytes.removeSubrange(200_000..<200_000 + lost)
        let stream = try analyze(bytes)
        let transport = try #require(stream.transportStream)
        let whole = Int64(6000 - (lost + 187) / 188)
        #expect(transport.packets >= whole - 3 && transport.packets <= whole + 3)
        // Out of step nothing but that is judged.
        let name = lost % 188 == 0 ? "Continuity_count_error" : "TS_sync_loss"
        #expect(transport.measurements.tr101290.first { $0.name == name }?.count == 1)
        #expect(stream.notes.contains { $0.contains("out of step 1 times") } == (lost % 188 != 0))
    }

    @Test(
        "A clock that begins anew or wraps takes the file's length",
        arguments: [0, 7_000_000_000, (300 << 33) - 27_000_000] as [UInt64])
    func clocks(second: UInt64) throws {
        let bytes =
            packets(3000, rate: 1_000_000).flatMap { $0 } + packets(3000, rate: 1_000_000, from: second).flatMap { $0 }
        let stream = try analyze(bytes)
        #expect(abs(stream.quality.duration.nanoseconds - 5999 * 1_504_000) < 100_000)
        #expect(stream.notes.contains { $0.contains("began anew 1 times") })
        let wrapped = try analyze(packets(3000, rate: 1_000_000, from: second).flatMap { $0 })
        #expect(abs(wrapped.quality.duration.nanoseconds - 2999 * 1_504_000) < 4000)
        #expect(wrapped.notes.allSatisfy { !$0.contains("began anew") })
    }

    @Test("Without a clock it has counts and no times; few packets and other files are none")
    func without() throws {
        var plain = packets(50_000, every: 1 << 20, rate: 1)
        for index in plain.indices { plain[index][3] = 0x10 | UInt8(index & 15) }
        let stream = try analyze(plain.flatMap { $0 })
        #expect(stream.transportStream?.packets == 50_000 && stream.quality.duration == .zero)
        #expect(stream.notes.contains { $0.hasPrefix("no clock") })
        for bytes in [plain[0] + plain[1] + plain[2], (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 3) }] {
            let path = folder.path + "/none.ts"
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            #expect(throws: NotACapture.self) { try CaptureAnalysis(reading: [path]) }
        }
    }

    @Test("Damaged files are read to their end", arguments: 0..<20 as Range<UInt64>)
    func hostile(seed: UInt64) throws {
        let key = DrawKey(seed: seed)
        var bytes = packets(2000, rate: 5_000_000).flatMap { $0 }
        for draw in 0..<400 as Range<Int64> {
            let place = Int(key.draw(draw) % UInt64(bytes.count))
            switch draw % 8 {
            case 0: bytes.remove(at: place)
            case 1: bytes.insert(0x47, at: place)
            default: bytes[place] = UInt8(truncatingIfNeeded: key.draw(1000 + draw))
            }
        }
        let stream = try analyze(bytes)
        #expect(stream.quality.received > 1500)
    }
}
