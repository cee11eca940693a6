import Foundation
import Testing
import Timebase
import Wire

@testable import Capture

/// Another program's reading of the same file.
enum Tshark {
    static let path: String? = ["/usr/bin/tshark", "/usr/local/bin/tshark"].first { (name: String) in
        access(name, X_OK) == 0
    }

    static func run(_ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(path))
        process.arguments = arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return String(decoding: data, as: UTF8.self)
    }

    /// The lines between the rulers of `-z rtp,streams`, split at spaces.
    static func streams(_ path: String) throws -> [[String]] {
        try run(["-r", path, "-q", "-z", "rtp,streams"]).split(separator: "\n")
            .map { $0.split(separator: " ").map(String.init) }
            .filter { $0.first.map { Double($0) != nil } ?? false }
    }
}

/// A stream with three losses and a delay that changes with every packet, whose sequence numbers and timestamps wrap.
struct HandMadeStream {
    var payloadType: UInt8 = 33
    var lost: Set<Int> = [20, 50, 51]
    let count = 200
    private let ticks = 900
    private let interval: Int64 = 10_000_000

    private func arrival(_ index: Int) -> Int64 { Int64(index) * interval + Int64(index * 7_919 % 5_000) * 1_000 }

    func write(to writer: CaptureWriter) throws {
        for index in 0..<count where !lost.contains(index) {
            let header = RTPHeader(
                payloadType: payloadType, sequenceNumber: UInt16(truncatingIfNeeded: 65_500 + index),
                timestamp: 0xffff_f000 &+ UInt32(index * ticks), ssrc: 0x1234)
            var payload = [UInt8](repeating: 0, count: 12 + 7 * 188)
            payload.withUnsafeMutableBytes { bytes in
                header.write(to: bytes)
                for packet in 0..<7 { TransportPacket.writeNull(to: .init(rebasing: bytes[(12 + 188 * packet)...])) }
            }
            let frame = UDPFrame(source: sender, destination: receiver, identification: UInt16(index))
            try writer.write(frame, payload, at: Instant(nanoseconds: arrival(index)))
        }
    }

    /// RFC 3550 §6.4.1's recursion over what arrived, in milliseconds, after each packet but the first.
    var jitters: [Double] {
        let received = (0..<count).filter { !lost.contains($0) }
        var jitter = 0.0
        return zip(received, received.dropFirst()).map { earlier, later in
            let transit = Double(arrival(later) - arrival(earlier) - Int64(later - earlier) * interval) / 1e6
            jitter += (abs(transit) - jitter) / 16
            return jitter
        }
    }
}

@Suite(
    "tshark reads what is written, without flags",
    .enabled(if: Tshark.path != nil, "tshark is not installed: captures are not checked by another program"))
struct TsharkTests {
    let folder: TemporaryFolder
    var path: String { folder.path + "/a.pcap" }

    init() throws { folder = try TemporaryFolder() }

    func capture(_ description: SessionDescription, _ body: (CaptureWriter) throws -> Void) throws {
        let writer = try CaptureWriter(path: path)
        try writer.writeSessionAnnouncement(description)
        try body(writer)
        try writer.close()
    }

    @Test func aTransportStreamInRTPHasOurLossAndJitter() throws {
        let stream = HandMadeStream()
        try capture(description) { try stream.write(to: $0) }
        let lines = try Tshark.streams(path)
        try #require(lines.count == 1)
        // Start, end, source, port, destination, port, SSRC, "MPEG-II streams", packets, lost (share), deltas, jitters.
        let line = lines[0]
        try #require(line.count >= 18)
        #expect(Array(line[2...6]) == ["10.0.0.1", "5004", "10.0.1.1", "5004", "0x00001234"])
        #expect(line[9] == "197" && line[10] == "3")
        let jitters = stream.jitters
        for (printed, expected) in [
            (line[15], jitters.min()), (line[16], jitters.reduce(0, +) / Double(jitters.count)),
            (line[17], jitters.max()),
        ] {
            let expected = try #require(expected)
            let measured = try #require(Double(printed))
            #expect(abs(measured - expected) <= 0.000_51, "tshark \(printed), expected \(expected)")
        }
    }

    @Test func aDynamicPayloadTypeIsKnownFromTheAnnouncement() throws {
        var dynamic = description
        dynamic.media[0].formats = [.init(payloadType: 101, encoding: "MP2T", clockRate: 90_000)]
        try capture(dynamic) { try HandMadeStream(payloadType: 101, lost: []).write(to: $0) }
        let lines = try Tshark.streams(path)
        try #require(lines.count == 1)
        #expect(lines[0].contains("MP2T") && lines[0].contains("200"))
        let jitters = HandMadeStream(lost: []).jitters
        let expected = try #require(jitters.max())
        let measured = try #require(lines[0].compactMap { Double($0) }.last)
        #expect(abs(measured - expected) <= 0.000_51)
    }

    @Test func addressesTimesAndChecksumsAreRight() throws {
        try capture(description) { writer in
            for count in [0, 1, 2, 7, 8, 9, 1_316, 65_507] {
                let payload = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 37) }
                let frame = UDPFrame(
                    source: Endpoint(address: sender.address, port: 40_000),
                    destination: Endpoint(address: IPv4Address(239, 200, 1, 2), port: 40_002),
                    differentiatedServices: 46, identification: UInt16(count))
                try writer.write(frame, payload, at: Instant(nanoseconds: 123_456_789_012))
            }
        }
        let fields = [
            "frame.time_epoch", "eth.dst", "ip.dsfield.dscp", "ip.ttl", "ip.id", "ip.checksum.status",
            "udp.checksum.status", "udp.length",
        ]
        let lines = try Tshark.run(
            ["-r", path, "-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE", "-T", "fields"]
                + fields.flatMap { ["-e", $0] }
        ).split(separator: "\n").map { $0.split(separator: "\t").map(String.init) }
        try #require(lines.count == 9)
        #expect(lines[0].prefix(4) == ["1577836800.000000000", "01:00:5e:02:7f:fe", "0", "255"])
        #expect(lines[0][5...6] == ["1", "1"])
        for (line, count) in zip(lines.dropFirst(), [0, 1, 2, 7, 8, 9, 1_316, 65_507]) {
            let identification = "0x" + String(65_536 + count, radix: 16).dropFirst()
            // Status 1 is "good".
            #expect(
                line == [
                    "1577836923.456789012", "01:00:5e:48:01:02", "46", "64", identification, "1", "1", "\(count + 8)",
                ])
        }
    }

    @Test func reportsBesideTheStreamAreReadAsRTCP() throws {
        var block = ReceptionReport(
            ssrc: 0x1234, fractionLost: 51, cumulativeLost: -7, extendedHighestSequenceNumber: 65_700,
            interarrivalJitter: 200)
        block.lastSenderReport = 0x1234_5678
        block.delaySinceLastSenderReport = 65_536
        let compound = RTCPCompound([
            .receiverReport(.init(ssrc: 0xabcd, reports: [block])),
            .sourceDescription([.init(ssrc: 0xabcd, cname: "tv@10.0.1.1")]),
            .goodbye(.init(sources: [0xabcd], reason: Array("end".utf8))),
        ])
        let report = RTCPCompound([
            .senderReport(
                .init(
                    ssrc: 0x1234, ntpTimestamp: NTPTimestamp(LocalInstant(nanoseconds: 500_000_000)),
                    rtpTimestamp: 45_000, packetCount: 10, octetCount: 13_160)),
            .sourceDescription([.init(ssrc: 0x1234, cname: "sender")]),
        ])
        try capture(description) { writer in
            let from = Endpoint(address: sender.address, port: 5005)
            let to = Endpoint(address: receiver.address, port: 5005)
            try writer.write(UDPFrame(source: from, destination: to), report.bytes, at: .zero)
            try writer.write(UDPFrame(source: to, destination: from), compound.bytes, at: .zero)
        }
        let fields = [
            "rtcp.pt", "rtcp.timestamp.ntp.msw", "rtcp.timestamp.ntp.lsw", "rtcp.timestamp.rtp",
            "rtcp.sender.packetcount", "rtcp.sender.octetcount", "rtcp.ssrc.fraction", "rtcp.ssrc.cum_nr",
            "rtcp.ssrc.jitter", "rtcp.ssrc.dlsr", "rtcp.sdes.text", "rtcp.length_check",
        ]
        let lines = try Tshark.run(["-r", path, "-Y", "rtcp", "-T", "fields"] + fields.flatMap { ["-e", $0] })
            .split(separator: "\n").map { $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init) }
        try #require(lines.count == 2)
        // 2020-01-01 and a half second, in seconds since 1900.
        let sent = ["200,202", "3786825600", "2147483648", "45000", "10", "13160", "", "", "", "", "sender"]
        let returned = ["201,202,203", "", "", "", "", "", "51", "-7", "200", "65536", "tv@10.0.1.1,end"]
        #expect(lines[0].dropLast() == sent[...] && lines[1].dropLast() == returned[...])
        // Versions of tshark differ in how they print a truth.
        #expect(lines.allSatisfy { $0.last == "1" || $0.last == "True" })
    }

    @Test func aTransportStreamStraightInUDPIsRecognized() throws {
        var bare = description
        bare.media[0].transport = .udp
        bare.media[0].formats = [.init(subtype: "MP2T")]
        try capture(bare) { writer in
            var payload = [UInt8](repeating: 0, count: 7 * 188)
            payload.withUnsafeMutableBytes { bytes in
                for packet in 0..<7 { TransportPacket.writeNull(to: .init(rebasing: bytes[(188 * packet)...])) }
            }
            for index in 0..<3 {
                let frame = UDPFrame(source: sender, destination: receiver)
                try writer.write(frame, payload, at: Instant(nanoseconds: Int64(index)))
            }
        }
        let output = try Tshark.run(["-r", path, "-Y", "mp2t", "-T", "fields", "-e", "mp2t.pid"])
        #expect(output.split(separator: "\n").count == 3)
    }
}
