import Foundation
import Testing
import Timebase
import Wire

@testable import Capture

/// A folder that goes away with its last user.
final class TemporaryFolder {
    let path: String

    init() throws {
        let template = FileManager.default.temporaryDirectory.appendingPathComponent("capture-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: template, withIntermediateDirectories: true)
        path = template.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: path + "/" + name)))
    }
}

extension CaptureWriter {
    func write(_ header: UDPFrame, _ payload: [UInt8], at instant: Instant) throws {
        try payload.withUnsafeBytes { try write(header, payload: $0, at: instant) }
    }
}

let sender = Endpoint(address: IPv4Address(10, 0, 0, 1), port: 5004)
let receiver = Endpoint(address: IPv4Address(10, 0, 1, 1), port: 5004)

@Suite("Writing captures")
struct CaptureWriterTests {
    func little(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
        bytes[offset..<offset + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    @Test func theFileIsNanosecondPcapOfWholePackets() throws {
        let folder = try TemporaryFolder()
        let writer = try CaptureWriter(path: folder.path + "/a.pcap")
        let header = UDPFrame(source: sender, destination: receiver, differentiatedServices: 34, identification: 7)
        let instants: [Int64] = [0, 1, 1_999_999_999, -1, 3_600_000_000_000]
        for instant in instants { try writer.write(header, [1, 2, 3], at: Instant(nanoseconds: instant)) }
        #expect(writer.packetCount == 5)
        try writer.close()
        try writer.close()

        let bytes = try folder.bytes("a.pcap")
        // Magic of nanosecond pcap 2.4, no time zone, snapshot length 262,144, Ethernet.
        #expect(
            (0..<6).map { little(bytes, 4 * $0) } == [0xa1b2_3c4d, 4 << 16 | 2, 0, 0, 262_144, 1])
        try #require(bytes.count == 24 + 5 * (16 + 45))
        // `date -d 2020-01-01T00:00:00Z +%s`
        let expected: [(UInt32, UInt32)] = [
            (1_577_836_800, 0), (1_577_836_800, 1), (1_577_836_801, 999_999_999), (1_577_836_799, 999_999_999),
            (1_577_840_400, 0),
        ]
        for (index, time) in expected.enumerated() {
            let record = 24 + index * 61
            #expect(little(bytes, record) == time.0 && little(bytes, record + 4) == time.1)
            #expect(little(bytes, record + 8) == 45 && little(bytes, record + 12) == 45)
            let frame = Array(bytes[(record + 16)..<(record + 61)])
            let read = try UDPFrame(parsing: frame.span.bytes)
            #expect(read.source == sender && read.destination == receiver && read.identification == 7)
            #expect(read.differentiatedServices == 34 && Array(frame[read.payloadRange]) == [1, 2, 3])
        }
    }

    @Test func theSameWritesGiveTheSameBytes() throws {
        let folder = try TemporaryFolder()
        for name in ["a", "b"] {
            let writer = try CaptureWriter(path: folder.path + "/" + name)
            try writer.writeSessionAnnouncement(description)
            for index in 0..<100 {
                try writer.write(
                    UDPFrame(source: sender, destination: receiver), [UInt8](repeating: UInt8(index), count: 1_316),
                    at: Instant(nanoseconds: Int64(index)))
            }
            try writer.close()
        }
        #expect(try folder.bytes("a") == folder.bytes("b"))
    }

    @Test func aSessionOfManyStreamsTakesSeveralAnnouncements() throws {
        let folder = try TemporaryFolder()
        let writer = try CaptureWriter(path: folder.path + "/a.pcap")
        var many = description
        many.media = .init(repeating: description.media[0], count: 3_000)
        try writer.writeSessionAnnouncement(many)
        #expect(writer.packetCount == 4)
        try writer.close()
        many.media = [description.media[0]]
        many.media[0].attributes = [String(repeating: "x", count: 70_000)]
        let other = try CaptureWriter(path: folder.path + "/b.pcap")
        #expect(throws: SystemError(operation: "write", path: other.path, code: EMSGSIZE)) {
            try other.writeSessionAnnouncement(many)
        }
    }

    @Test func aPlaceThatCannotBeWrittenIsNamed() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/missing/a.pcap"
        let error = #expect(throws: SystemError.self) { try CaptureWriter(path: path) }
        #expect(error == SystemError(operation: "create", path: path, code: ENOENT))
        #expect(error?.description == "cannot create \(path): No such file or directory")
    }

    @Test func aFullDiskIsReportedByTheWriteThatMeetsItAndByClose() throws {
        // /dev/full takes nothing; what is written stays in the buffer of 256 kB for a while.
        let writer = try CaptureWriter(path: "/dev/full")
        let full = SystemError(operation: "write", path: "/dev/full", code: ENOSPC)
        let payload = [UInt8](repeating: 0, count: 1_316)
        let header = UDPFrame(source: sender, destination: receiver)
        var met: (any Error)?
        var written = 0
        while met == nil, written < 1_000 {
            do { try writer.write(header, payload, at: .zero) } catch { met = error }
            written += 1
        }
        #expect(met as? SystemError == full)
        #expect(written < 200)
        #expect(throws: full) { try writer.write(header, payload, at: .zero) }
        #expect(throws: full) { try writer.close() }
        #expect(throws: full) { try writer.close() }
    }

    @Test func aFullDiskIsReportedByCloseWhenOnlyTheBufferWasFilled() throws {
        let writer = try CaptureWriter(path: "/dev/full")
        try writer.write(UDPFrame(source: sender, destination: receiver), [1], at: .zero)
        #expect(throws: SystemError(operation: "write", path: "/dev/full", code: ENOSPC)) { try writer.close() }
    }

    @Test func nothingCanBeWrittenAfterClosing() throws {
        let folder = try TemporaryFolder()
        let writer = try CaptureWriter(path: folder.path + "/a.pcap")
        try writer.close()
        #expect(throws: SystemError(operation: "write", path: writer.path, code: EBADF)) {
            try writer.write(UDPFrame(source: sender, destination: receiver), [1], at: .zero)
        }
    }
}

let description = {
    var description = SessionDescription(
        origin: .init(sessionID: 1, address: sender.address), name: "test",
        media: [
            .init(
                kind: .video, port: receiver.port, transport: .rtpAVP,
                formats: [.init(payloadType: 33, encoding: "MP2T", clockRate: 90_000)])
        ])
    description.connection = .init(address: receiver.address)
    return description
}()
