@testable import Analysis
import Capture
import Metrics
import Testing
import Timebase
import Wire

/// A transport stream of constant rate, with a PCR every 40 packets and null packets among its own.
private func transportStream(_ count: Int, length: Int = 188, packetsPerSecond: Int = 1000) -> [UInt8] {
    var bytes: [UInt8] = []
    var counter: UInt8 = 0
    for number in 0..<count {
        var packet = (0..<188).map { UInt8(truncatingIfNeeded: number &* 31 &+ $0 &* $0 &* 7) }
        if number % 5 == 4 {
            packet.replaceSubrange(0..<4, with: [0x47, 0x1f, 0xff, 0x10])
        } else {
            packet.replaceSubrange(0..<4, with: [0x47, 0x01, 0x00, 0x10 | counter])
            if number % 40 == 0 {
                let pcr = UInt64(number) * 27_000_000 / UInt64(packetsPerSecond)
                addReference(pcr, to: &packet)
            }
            counter = (counter + 1) & 15
        }
        bytes += packet + [UInt8](repeating: 0xaa, count: length - 188)
    }
    return bytes
}

@Suite("Transport streams in datagrams of any size")
struct TransportPieceTests {
    private func send(
        _ bytes: [UInt8], _ size: Int, from start: Int = 0, without missing: Set<Int> = []
    ) throws -> StreamMeasurements {
        let traffic = Traffic()
        for (index, begin) in stride(from: start, to: bytes.count, by: size).enumerated() where !missing.contains(index)
        {
            // 188,000 bytes a second.
            traffic.send(Array(bytes[begin..<min(begin + size, bytes.count)]), at: Double(begin) / 188)
        }
        let streams = traffic.analyzer.finish().streams
        #expect(streams.count == 1)
        return try #require(streams.first)
    }

    @Test(
        "Packets that begin in one datagram and end in the next",
        arguments: [1472, 1400, 1316, 1000, 500, 333, 189, 100],
        [0, 1, 77, 187])
    func pieces(size: Int, start: Int) throws {
        let bytes = transportStream(6000)
        let stream = try send(bytes, size, from: start)
        let transport = try #require(stream.transportStream)
        #expect(stream.kind == .transportStream)
        #expect(stream.quality.received == Int64((bytes.count - start + size - 1) / size))
        #expect(transport.packets == (start == 0 ? 6000 : 5999))
        #expect(transport.measurements.tr101290.allSatisfy { $0.name.hasPrefix("P") || ($0.count ?? 0) == 0 })
        #expect(transport.pcrBitsPerSecond == 1_504_000)
        #expect(stream.quality.delayFactor != nil)
    }

    @Test("With Reed-Solomon bytes, too", arguments: [1472, 700])
    func longPackets(size: Int) throws {
        let stream = try send(transportStream(4000, length: 204), size, from: 99)
        #expect(stream.transportStream?.packetLength == 204 && stream.transportStream?.packets == 3999)
    }

    @Test("A lost datagram costs its packets and no more", arguments: [1472, 1316, 500])
    func lost(size: Int) throws {
        let bytes = transportStream(6000)
        let whole = Int64(6000)
        let stream = try send(bytes, size, without: [50, 51, 200])
        let transport = try #require(stream.transportStream)
        #expect(
            whole - transport.packets <= Int64(3 * size / 188 + 4) && whole - transport.packets >= Int64(3 * size / 188)
        )
        #expect(transport.measurements.tr101290.first { $0.name == "Sync_byte_error" }?.count == 0)
        let errors = transport.measurements.tr101290.first { $0.name == "Continuity_count_error" }?.count ?? 0
        #expect((1...2).contains(errors))
        // The rate shows in the intervals in which nothing is missing, and with it the delay factor.
        #expect(transport.pcrBitsPerSecond == 1_504_000)
        #expect(stream.quality.delayFactor != nil)
    }

    @Test(
        "What is missing without numbers shows by the stream's clock, in datagrams of any size",
        arguments: [1316, 1472, 188, 900], [[300], [300, 301, 302, 700], [900]])
    func missing(size: Int, lost: [Int]) throws {
        // At about the same places, whatever the size.
        let gone = Set(lost.map { $0 * 1316 / size })
        let stream = try send(transportStream(14_000), size, without: gone)
        let transport = try #require(stream.transportStream)
        let rate = try #require(stream.quality.mediaLossRatePerSecond)
        let missing = (rate * Double(stream.quality.duration.nanoseconds) / 1e9).rounded()
        #expect(missing == Double(14_000 - transport.packets) && missing >= Double(size / 188 * gone.count))
        #expect(stream.notes.contains { $0.hasPrefix("\(Int(missing)) transport packets are missing") })
    }

    @Test("An outage of seconds is counted by the clock, too", arguments: [0.5, 3, 20])
    func outage(seconds: Double) throws {
        let lost = Set(800..<800 + Int(seconds * 1000 / 7))
        let stream = try send(transportStream(40_000), 1316, without: lost)
        let missing =
            (stream.quality.mediaLossRatePerSecond ?? 0) * Double(stream.quality.duration.nanoseconds) / 1e9
        #expect(missing.rounded() == Double(7 * lost.count))
    }

    @Test("Losses in RTP leave rate and MDI", arguments: [1, 3, 30])
    func lostInRTP(count: Int) throws {
        let bytes = transportStream(14_000)
        let traffic = Traffic()
        for number in 0..<2000 where number % (1990 / count) != 9 {
            let header = RTPHeader(
                payloadType: 33, sequenceNumber: UInt16(number), timestamp: UInt32(number) * 630, ssrc: 5)
            traffic.send(
                header.packet(payload: Array(bytes[number * 1316..<number * 1316 + 1316])), at: Double(number) * 7)
        }
        let stream = try #require(traffic.analyzer.finish().streams.first)
        #expect((stream.quality.lost ?? 0) >= Int64(count))
        #expect(stream.transportStream?.pcrBitsPerSecond == 1_504_000)
        // 1,316 bytes at 1.504 Mbit/s last 7 ms, and a lost one leaves a hole of as much.
        if count < 30 { #expect(stream.quality.delayFactor?.minimum == 7_000_000) }
        let expected = Double(stream.quality.lost ?? 0) * 7 * 1e9 / Double(stream.quality.duration.nanoseconds)
        #expect(stream.quality.mediaLossRatePerSecond == expected)
    }

    @Test("Other datagrams of such sizes are no transport stream")
    func others() {
        let traffic = Traffic()
        let key = DrawKey(seed: 4)
        for number in 0..<400 as Range<Int64> {
            let bytes = (0..<180 as Range<Int64>).flatMap { word in
                withUnsafeBytes(of: key.draw(flow: 2, number: number * 180 + word)) { Array($0) }
            }
            traffic.send(bytes, to: Traffic.endpoint(2, UInt16(6000 + number % 9)), at: Double(number))
        }
        #expect(traffic.analyzer.finish().streams.isEmpty)
    }
}
