@testable import Analysis
import Capture
import Metrics
import Testing
import Timebase
import Wire

@Suite("Streams in captures")
struct StreamTests {
    @Test("Loss, duplicates, reordering and their extents are counted, across the sequence number's wrap")
    func counts() throws {
        let traffic = Traffic()
        // 65,500 to 65,699 without 65,540 to 65,542; 65,600 twice; 65,650 two places late.
        var order = Array(65_500..<65_700).filter { !(65_540...65_542).contains($0) }
        order.insert(65_600, at: order.firstIndex(of: 65_601)! + 4)
        order.remove(at: order.firstIndex(of: 65_650)!)
        order.insert(65_650, at: order.firstIndex(of: 65_652)! + 1)
        for (place, number) in order.enumerated() {
            traffic.rtp(number, timestamp: number * 160, at: Double(place) * 20)
        }
        let stream = try #require(traffic.analyzer.finish().streams.first)
        #expect(stream.id == "s1" && stream.kind == .rtp && stream.ssrc == 7 && stream.payloadType == 0)
        #expect(stream.encoding == "PCMU" && stream.clockRate == 8000 && stream.clockSource == .staticType)
        #expect(stream.quality.received == 198 && stream.quality.unique == 197 && stream.quality.duplicates == 1)
        #expect(stream.quality.expected == 200 && stream.quality.lost == 3)
        #expect(stream.quality.reordered == 1 && stream.quality.largestReorderExtent == 2)
        #expect(stream.quality.lossRuns.map(\.length) == [3] && stream.quality.lossRuns.map(\.count) == [1])
        #expect(stream.quality.bytes == 198 * 172)
        // 197 packets of 172 bytes in 197 times 20 ms.
        #expect(stream.quality.bitsPerSecond == 68_800)
        #expect(
            stream.quality.interarrival?.minimum == 20_000_000 && stream.quality.interarrival?.maximum == 20_000_000)
    }

    @Test("Jitter is RFC 3550's, by hand")
    func jitter() throws {
        let traffic = Traffic()
        // Arrivals at 0, 20, 44, 60, 80, ...: |D| is 0, 4 ms, 4 ms, 0, ...
        for number in 0..<20 {
            traffic.rtp(number, timestamp: number * 160, at: Double(number) * 20 + (number == 2 ? 4 : 0))
        }
        let stream = try #require(traffic.analyzer.finish().streams.first)
        var expected = 0.0
        var sum = 0.0
        for number in 1..<20 {
            expected += ((number == 2 || number == 3 ? 4e6 : 0) - expected) / 16
            sum += expected
        }
        #expect(stream.quality.interarrivalJitter?.last == Int64(expected.rounded()))
        #expect(stream.quality.interarrivalJitter?.mean == Int64((sum / 19).rounded()))
        #expect(stream.quality.pdv?.maximum == 4_000_000)
        #expect(stream.quality.ipdv?.minimum == -4_000_000 && stream.quality.ipdv?.maximum == 4_000_000)
    }

    @Test("A clock that nobody tells is estimated, and says so", arguments: ClockRates.all)
    func estimatedClock(rate: Int) throws {
        let traffic = Traffic()
        let key = DrawKey(seed: UInt64(rate))
        // 30 packets a second for 15 s, with up to 8 ms of jitter.
        for number in 0..<450 {
            let time = Double(number) * 1000 / 30
            let jitter = Double(key.draw(Int64(number)) % 8000) / 1000
            traffic.rtp(number, timestamp: 4_294_900_000 + number * rate / 30, type: 100, at: time + jitter)
        }
        let stream = try #require(traffic.analyzer.finish().streams.first)
        #expect(stream.clockRate == UInt32(rate) && stream.clockSource == .estimated)
        // The timestamps are cut to whole ticks.
        #expect(try #require(stream.quality.pdv).maximum <= 8_000_000 + 1_000_000_000 / Int64(rate))
    }

    @Test("Without enough packets or with an odd rate the clock is unknown, with the reason")
    func unknownClock() throws {
        for (count, rate) in [(20, 90_000), (300, 70_000)] {
            let traffic = Traffic()
            for number in 0..<count {
                traffic.rtp(number, timestamp: number * rate / 50, type: 100, at: Double(number) * 20)
            }
            let stream = try #require(traffic.analyzer.finish().streams.first)
            #expect(stream.clockRate == nil && stream.clockSource == .unknown)
            #expect(stream.quality.interarrivalJitter == nil && stream.quality.pdv == nil)
            #expect(stream.notes.contains { $0.hasPrefix("clock rate unknown") })
        }
    }

    @Test("The user's word and the description count more than the type")
    func describedClock() throws {
        var options = AnalysisOptions()
        options.descriptions = MediaDescription.all(
            in: "v=0\r\nc=IN IP4 10.0.0.2\r\nm=audio 5004 RTP/AVP 96 97\r\na=rtpmap:96 opus/48000/2\r\n")
        options.clocks = [97: 24_000]
        for (type, rate, source) in [(96, 48_000, "sdp"), (97, 24_000, "option")] {
            let traffic = Traffic(options)
            // Three packets: too few to be found without a description.
            for number in 0..<3 {
                traffic.rtp(number, timestamp: number * 960, type: UInt8(type), at: Double(number) * 20)
            }
            let stream = try #require(traffic.analyzer.finish().streams.first)
            #expect(stream.clockRate == UInt32(rate) && stream.clockSource.rawValue == source)
            #expect(stream.mediaKind == (type == 96 ? .audio : nil))
        }
    }

    @Test("An announcement inside the capture describes what comes after it and what came before")
    func announced() throws {
        let traffic = Traffic()
        var description = SessionDescription(
            origin: .init(sessionID: 1, address: IPv4Address(10, 0, 0, 1)), name: "x",
            media: [
                .init(
                    kind: .video, port: 5004, transport: .rtpAVP,
                    formats: [.init(payloadType: 96, encoding: "H264", clockRate: 90_000)])
            ])
        description.connection = .init(address: IPv4Address(10, 0, 0, 2))
        for number in 0..<40 {
            if number == 20 {
                traffic.send(
                    SessionAnnouncement(description).bytes, to: SocketAddress(SessionAnnouncement.destination), at: 700)
            }
            traffic.rtp(number, timestamp: number * 3600, type: 96, at: Double(number) * 40)
        }
        let streams = traffic.analyzer.finish().streams
        #expect(streams.count == 1)
        #expect(streams.first?.encoding == "H264" && streams.first?.clockSource == .sdp)
        #expect(streams.first?.quality.interarrivalJitter?.maximum == 0)
    }

    @Test("A stream that begins anew is counted on; an outage is loss")
    func restartAndOutage() throws {
        let restarted = Traffic()
        for number in 0..<200 {
            restarted.rtp(number < 100 ? number : 30_000 + number, timestamp: number * 160, at: Double(number) * 20)
        }
        let first = try #require(restarted.analyzer.finish().streams.first)
        #expect(first.quality.lost == 0 && first.quality.unique == 200)
        #expect(first.notes.contains { $0.contains("began anew 1 times") })

        let outage = Traffic()
        // 100 packets a second, then nothing for 50 s: 5,000 are lost.
        for number in Array(0..<100) + Array(5100..<5200) {
            outage.rtp(number, timestamp: number * 80, at: Double(number) * 10)
        }
        let second = try #require(outage.analyzer.finish().streams.first)
        #expect(second.quality.lost == 5000 && second.quality.lossRuns.map(\.length) == [5000])
    }

    @Test("Drift of the sender's clock is measured")
    func drift() throws {
        let traffic = Traffic()
        for number in 0..<3000 {
            // A clock 80 ppm fast: its packets come early.
            traffic.rtp(number, timestamp: number * 160, at: Double(number) * 20 / 1.00008)
        }
        let drift = try #require(traffic.analyzer.finish().streams.first?.quality.clockDriftPartsPerMillion)
        #expect(abs(drift - 80) < 0.5)
    }
}

enum ClockRates { static let all = [8000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 90_000] }

@Suite("What is no media is not reported")
struct NoiseTests {
    @Test("Random datagrams, and such that begin like RTP")
    func random() {
        let traffic = Traffic()
        let key = DrawKey(seed: 77)
        for index in 0..<20_000 as Range<Int64> {
            var bytes = (0..<8 as Range<Int64>).flatMap { word in
                withUnsafeBytes(of: key.draw(flow: 1, number: index * 8 + word)) { Array($0) }
            }
            if index % 2 == 0 { bytes[0] = 0x80 }
            if index % 4 == 0 { bytes.replaceSubrange(8..<12, with: [0, 0, 0, 2]) }
            if index % 3 == 0 { bytes[0] = 0x47 }
            traffic.send(Array(bytes.prefix(Int(key.draw(index) % 64))), at: Double(index))
        }
        let analysis = traffic.analyzer.finish()
        #expect(analysis.streams.isEmpty && analysis.pairs.isEmpty && analysis.ntp.isEmpty)
    }

    @Test("A counter at the sequence number's place is not enough: timestamps must follow, too")
    func counters() {
        let traffic = Traffic()
        let key = DrawKey(seed: 78)
        for number in 0..<200 {
            let timestamp = Int(truncatingIfNeeded: key.draw(Int64(number)))
            traffic.rtp(number, timestamp: timestamp, type: 96, at: Double(number))
        }
        #expect(traffic.analyzer.finish().streams.isEmpty)
    }

    @Test("STUN is counted, SRT labelled, and what follows a DTLS handshake is SRTP")
    func others() {
        let traffic = Traffic()
        traffic.send([0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42] + [UInt8](repeating: 1, count: 12), at: 0)
        traffic.send([22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0], at: 1)
        for number in 0..<20 { traffic.rtp(number, timestamp: number * 160, type: 96, at: Double(number) * 20) }
        var handshake = [UInt8](repeating: 0, count: 64)
        handshake[0] = 0x80
        handshake[19] = 5
        handshake[39] = 1
        let there = Traffic.endpoint(3, 9000)
        traffic.send(handshake, to: there, at: 500)
        for number in 0..<10 as Range<UInt8> {
            traffic.send([0, 0, 0, number] + [UInt8](repeating: 9, count: 1332), to: there, at: 510 + Double(number))
        }
        let analysis = traffic.analyzer.finish()
        #expect(analysis.stunDatagrams == 1)
        #expect(analysis.streams.map(\.kind) == [.srtp, .srt])
        #expect(analysis.streams.last?.quality.received == 10)
        #expect(analysis.streams.last?.quality.lost == 0 && analysis.streams.last?.retransmitted == 0)
    }
}
