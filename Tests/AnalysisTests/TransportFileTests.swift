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

    @Test("What holds no packets is passed over, and takes no time", arguments: [0, 0x47, nil] as [UInt8?])
    func garbage(filling: UInt8?) throws {
        let key = DrawKey(seed: 4)
        let noise = (0..<1_000_000 as Range<Int64>).map { filling ?? UInt8(truncatingIfNeeded: key.draw($0)) }
        let sent = packets(4000, rate: 3_000_000).flatMap { $0 }
        let clean = try analyze(sent)
        let stream = try analyze(Array(sent[..<(2000 * 188)]) + noise + Array(sent[(2000 * 188)...]))
        guard filling != 0x47 else {
            // All of it could be packets.
            #expect(stream.quality.received >= 4000)
            return
        }
        let transport = try #require(stream.transportStream)
        // Chance has sync bytes in step here and there.
        #expect((3990...4100).contains(transport.packets))
        #expect(abs((stream.quality.duration - clean.quality.duration).nanoseconds) < 60_000_000)
        #expect(stream.notes.contains { $0.contains(" bytes are of no packet") })
    }

    @Test("Where packets become longer or shorter they are found", arguments: [188, 192, 204], [188, 192, 204])
    func otherLength(first: Int, second: Int) throws {
        func padded(_ packets: ArraySlice<[UInt8]>, _ length: Int) -> [UInt8] {
            packets.flatMap {
                [UInt8](repeating: 0, count: length == 192 ? 4 : 0) + $0
                    + [UInt8](repeating: 0xaa, count: length == 204 ? 16 : 0)
            }
        }
        let sent = packets(4000, rate: 3_000_000)
        let stream = try analyze(padded(sent[..<2000], first) + padded(sent[2000...], second))
        #expect((3995...4003).contains(stream.transportStream?.packets ?? 0))
        #expect(abs(stream.quality.duration.nanoseconds - 3999 * 1_504_000_000 / 3000) < 3_000_000)
        #expect(stream.notes.contains { $0.contains("out of step") } == (first != second))
    }

    @Test("A copy of a packet with a clock reference tells no time", arguments: [1, 7, 100])
    func copies(every: Int) throws {
        let sent = packets(4000, rate: 3_000_000)
        var (bytes, clocks) = ([UInt8](), 0)
        for packet in sent {
            bytes += packet
            guard packet[3] & 0x20 != 0 else { continue }
            if clocks % every == 0 { bytes += packet }
            clocks += 1
        }
        let stream = try analyze(bytes)
        #expect(stream.notes.allSatisfy { !$0.contains("began anew") })
        #expect(abs(stream.quality.duration.nanoseconds - 3999 * 1_504_000_000 / 3000) < 20_000_000)
    }

    @Test("What is behind the last clock reference takes no known time", arguments: [0, 50, 500])
    func tail(packets more: Int) throws {
        // Packets with a reference each 20 ms, and then as many without as would last so long.
        let sent = packets(4000, rate: 3_000_000) + packets(more, every: 1 << 20, rate: 1)
        let transport = try #require(try analyze(sent.flatMap { $0 }).transportStream)
        for name in ["PCR_repetition_error", "PCR_error", "PID_error"] {
            #expect(transport.measurements.tr101290.first { $0.name == name }?.count == 0, "\(name)")
        }
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
