import Analysis
import Capture
import Foundation
import Metrics
import Testing
import Timebase
import Wire

@Suite("Two captures of one flow")
struct OneWayTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private static func packet(_ number: Int, ssrc: UInt32 = 7) -> [UInt8] {
        RTPHeader(
            payloadType: 0, sequenceNumber: UInt16(truncatingIfNeeded: number),
            timestamp: UInt32(truncatingIfNeeded: number * 160), ssrc: ssrc
        ).packet(payload: [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 160))
    }

    /// Writes a capture of payloads at nanoseconds after time zero, to a port of 10.0.0.`host`.
    private func write(_ name: String, host: UInt8, _ packets: [(payload: [UInt8], at: Int64)]) throws -> String {
        let path = folder.path + "/" + name
        let writer = try CaptureWriter(path: path)
        let frame = UDPFrame(
            source: Endpoint(address: IPv4Address(10, 0, 0, 1), port: 4000),
            destination: Endpoint(address: IPv4Address(10, 0, 0, host), port: 5004))
        for packet in packets {
            try packet.payload.withUnsafeBytes {
                try writer.write(frame, payload: $0, at: Instant(nanoseconds: packet.at))
            }
        }
        try writer.close()
        return path
    }

    @Test("Packets are found by content behind address translation; loss, reordering and copies are counted")
    func counts() throws {
        let sent = (0..<100).map { (Self.packet($0), Int64($0) * 20_000_000) }
        // 5 ms on the way, packet 30 takes 30 ms; 0, 10, 11 and 99 are lost, 50 comes twice; one comes from elsewhere.
        var arrived = (0..<100).filter { ![0, 10, 11, 99].contains($0) }.map { number in
            (Self.packet(number), Int64(number) * 20_000_000 + (number == 30 ? 30_000_000 : 5_000_000))
        }
        arrived.append((Self.packet(50), 1_050_000_000))
        arrived.append((Self.packet(2000), 1_060_000_000))
        arrived.sort { $0.1 < $1.1 }
        var fates: [OneWayPacket] = []
        let analysis = try CaptureAnalysis(
            sender: write("a.pcap", host: 2, sent), receiver: write("b.pcap", host: 9, arrived)
        ) { fates.append($0) }
        #expect(analysis.inputs.count == 2 && analysis.streams.count == 1)
        let way = try #require(analysis.oneWay.first)
        #expect(analysis.oneWay.count == 1)
        #expect(way.stream == "s1" && way.destination.address == IPAddress(IPv4Address(10, 0, 0, 2)))
        #expect(way.sent == 100 && way.matched == 96 && way.lost == 4 && way.lostAtEnds == 2)
        #expect(way.reordered == 1 && way.duplicates == 1)
        let delay = try #require(way.delay)
        #expect(delay.minimum == 5_000_000 && delay.maximum == 30_000_000 && delay.count == 96)
        #expect(delay.mean == 5_260_417)
        #expect(way.clockOffset == nil)
        #expect(fates.count == 100)
        #expect(fates.filter { $0.arrived == nil }.map(\.number) == [0, 10, 11, 99])
        #expect(fates.filter(\.isReordered).map(\.number) == [30])
        #expect(fates[30].delay == .milliseconds(30))
    }

    @Test("The clocks' offset and drift are removed on request", arguments: [-80, 0, 45])
    func clocks(partsPerMillion: Int64) throws {
        let key = DrawKey(seed: 9)
        // 40 seconds; the receiver's clock is an hour behind and drifts; every fiftieth packet takes the least time.
        let sent = (0..<2000).map { (Self.packet($0), 7_200_000_000_000 + Int64($0) * 20_000_000) }
        func queueing(_ number: Int) -> Int64 { number % 50 == 0 ? 0 : Int64(key.draw(Int64(number)) % 3_000_000) }
        let arrived = (0..<2000).map { number in
            let elapsed = Int64(number) * 20_000_000
            return (
                Self.packet(number),
                3_600_000_000_000 + elapsed + elapsed / 1_000_000 * partsPerMillion + 4_000_000 + queueing(number)
            )
        }
        let (there, here) = try (write("a.pcap", host: 2, sent), write("b.pcap", host: 2, arrived))
        let raw = try #require(try CaptureAnalysis(sender: there, receiver: here).oneWay.first)
        #expect(try #require(raw.delay).maximum < 0 && raw.clockOffset == nil)
        #expect(raw.notes.contains { $0.hasPrefix("negative delays") })
        let way = try #require(try CaptureAnalysis(sender: there, receiver: here, removesClocks: true).oneWay.first)
        #expect(way.clockOffset == .nanoseconds(-3_600_000_000_000 + 4_000_000))
        #expect(abs(try #require(way.clockDriftPartsPerMillion) - Double(partsPerMillion)) < 1e-6)
        let delay = try #require(way.delay)
        #expect(delay.minimum == 0)
        #expect(delay.maximum == (0..<2000).map(queueing).max())
        #expect(way.notes.contains { $0.hasPrefix("clock offset and drift removed") })
    }

    @Test("Of a short flow the offset alone is removed; drift is null with its reason")
    func short() throws {
        let sent = (0..<50).map { (Self.packet($0), Int64($0) * 20_000_000) }
        let arrived = sent.enumerated().map { ($1.0, $1.1 - 9_000_000 + Int64($0 % 4) * 100_000) }
        let way = try #require(
            try CaptureAnalysis(
                sender: write("a.pcap", host: 2, sent),
                receiver: write("b.pcap", host: 2, arrived.map { ($0.0, $0.1 + 100_000_000) }), removesClocks: true
            ).oneWay.first)
        #expect(way.clockDriftPartsPerMillion == nil && way.clockOffset == .milliseconds(91))
        #expect(way.delay?.minimum == 0 && way.delay?.maximum == 300_000)
        #expect(way.notes.contains { $0.hasPrefix("no clock drift: fewer than 10 seconds") })
    }

    @Test(
        "A transport stream that repeats itself is matched in its order; copies in the sender's capture are one packet")
    func repetition() throws {
        let null = [UInt8](([0x47, 0x1f, 0xff, 0x10] + [UInt8](repeating: 0xff, count: 184)))
        let sent = (0..<20).map { (null + null, Int64($0) * 10_000_000) }
        let arrived = sent.map { ($0.0, $0.1 + 3_000_000) }
        let plain = try #require(
            try CaptureAnalysis(
                sender: write("a.pcap", host: 2, sent), receiver: write("b.pcap", host: 2, arrived)
            ).oneWay.first)
        #expect(plain.sent == 20 && plain.matched == 20 && plain.duplicates == 0)
        #expect(plain.delay?.minimum == 3_000_000 && plain.delay?.maximum == 3_000_000)
        // One of the twenty is lost: nobody can tell which.
        let fewer = try #require(
            try CaptureAnalysis(
                sender: folder.path + "/a.pcap",
                receiver: write("e.pcap", host: 2, arrived.enumerated().filter { $0.0 != 7 }.map(\.1))
            ).oneWay.first)
        #expect(fewer.matched == 19 && fewer.lost == 1 && fewer.delay == nil && fewer.reordered == 0)
        #expect(fewer.notes.contains { $0.hasPrefix("19 packets have no delay") })
        let twice = (0..<40).map { (Self.packet($0 / 2), Int64($0 / 2) * 20_000_000 + Int64($0 % 2) * 1000) }
        let once = (0..<20).map { (Self.packet($0), Int64($0) * 20_000_000 + 3_000_000) }
        let numbered = try #require(
            try CaptureAnalysis(
                sender: write("c.pcap", host: 2, twice), receiver: write("d.pcap", host: 2, once)
            ).oneWay.first)
        #expect(numbered.sent == 20 && numbered.matched == 20 && numbered.delay?.maximum == 3_000_000)
    }

    @Test("What never arrived is said, and streams of one side only disturb nothing")
    func nothingInCommon() throws {
        let sent = (0..<50).map { (Self.packet($0), Int64($0) * 20_000_000) }
        let others = (0..<50).map { (Self.packet($0, ssrc: 8), Int64($0) * 20_000_000) }
        let analysis = try CaptureAnalysis(
            sender: write("a.pcap", host: 2, sent), receiver: write("b.pcap", host: 2, others), removesClocks: true)
        let way = try #require(analysis.oneWay.first)
        #expect(analysis.oneWay.count == 1 && way.stream == nil && way.matched == 0 && way.lost == 50)
        #expect(way.delay == nil && way.clockOffset == nil && way.clockDriftPartsPerMillion == nil)
        #expect(way.notes == ["nothing of it was found in the receiver's capture"])
    }

    @Test("Captures a century apart are no reason to stop")
    func extremes() throws {
        let sent = (0..<50).map { (Self.packet($0), Int64($0) * 20_000_000) }
        let arrived = (0..<50).map { (Self.packet($0), 2_700_000_000_000_000_000 + Int64($0) * 50_000_000_000_000) }
        for removes in [false, true] {
            let way = try #require(
                try CaptureAnalysis(
                    sender: write("a.pcap", host: 2, sent), receiver: write("b.pcap", host: 2, arrived),
                    removesClocks: removes
                ).oneWay.first)
            #expect(way.matched == 50)
            let back = try #require(
                try CaptureAnalysis(
                    sender: folder.path + "/b.pcap", receiver: folder.path + "/a.pcap", removesClocks: removes
                ).oneWay.first)
            #expect(back.matched == 50)
        }
    }
}
