@testable import Analysis
import Capture
import Metrics
import Testing
import Timebase
import Wire

@Suite("Figures that say how far they go")
struct HonestFigureTests {
    private func ntp(_ nanoseconds: Int64) -> NTPTimestamp {
        NTPTimestamp(LocalInstant(nanoseconds: nanoseconds - emulatedEpochUnixSeconds * 1_000_000_000))
    }

    private func report(_ ssrc: UInt32, at nanoseconds: Int64, timestamp: UInt32) -> [UInt8] {
        RTCPCompound([
            .senderReport(
                .init(
                    ssrc: ssrc, ntpTimestamp: ntp(nanoseconds), rtpTimestamp: timestamp, packetCount: 1, octetCount: 1)),
            .sourceDescription([.init(ssrc: ssrc, cname: "a@b")]),
        ]).bytes
    }

    /// Audio of 48 kHz and video of 90 kHz that are in sync, the audio's clock so many ppm off; reports are right but for
    /// steps of the audio's.
    private func synchronized(partsPerMillion: Double, seconds: Int, every: Int, step: (Int) -> Int64) throws
        -> CaptureAnalysis
    {
        var options = AnalysisOptions()
        options.descriptions = MediaDescription.all(
            in: "v=0\r\nc=IN IP4 10.0.0.2\r\nm=audio 5006 RTP/AVP 97\r\na=rtpmap:97 L16/48000\r\n"
                + "m=video 5008 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n")
        let traffic = Traffic(options)
        func ticks(_ rate: Double, _ milliseconds: Int) -> Int {
            1000 + Int((rate * Double(milliseconds) / 1000).rounded())
        }
        let audio = 48_000 * (1 + partsPerMillion * 1e-6)
        for time in stride(from: 0, to: seconds * 1000, by: 20) {
            if time % (every * 1000) == 0 {
                let now = Traffic.start + Int64(time) * 1_000_000
                traffic.send(
                    report(1, at: now + step(time), timestamp: UInt32(ticks(audio, time))),
                    to: Traffic.endpoint(2, 5007),
                    at: Double(time))
                traffic.send(
                    report(2, at: now, timestamp: UInt32(ticks(90_000, time))), to: Traffic.endpoint(2, 5009),
                    at: Double(time))
            }
            traffic.rtp(
                time / 20, timestamp: ticks(audio, time), type: 97, ssrc: 1, to: Traffic.endpoint(2, 5006),
                at: Double(time) + 50)
            traffic.rtp(
                time / 20, timestamp: ticks(90_000, time), type: 96, ssrc: 2, to: Traffic.endpoint(2, 5008),
                at: Double(time) + 50.1)
        }
        return traffic.analyzer.finish()
    }

    @Test(
        "Lip-sync where the audio's clock is off and the reports are right", arguments: [0.0, 300, -400, 45], [5, 1])
    func clockOff(partsPerMillion: Double, every: Int) throws {
        let analysis = try synchronized(partsPerMillion: partsPerMillion, seconds: 120, every: every) { _ in 0 }
        let skew = try #require(analysis.pairs.first?.skew)
        // 0.1 ms between the packets, a tick and the clock of the ends.
        #expect(abs(skew.minimum - 100_000) < 50_000 && abs(skew.maximum - 100_000) < 50_000)
        #expect(analysis.streams.allSatisfy { $0.notes.allSatisfy { !$0.contains("contradict") } })
    }

    @Test(
        "One report that steps: in sync before it, off by the step behind it", arguments: [2000, -700] as [Int64],
        [60, 85])
    func stepped(milliseconds: Int64, second: Int) throws {
        let analysis = try synchronized(partsPerMillion: 0, seconds: 120, every: 5) { time in
            time >= second * 1000 ? milliseconds * 1_000_000 : 0
        }
        let skew = try #require(analysis.pairs.first?.skew)
        // A later time of its media makes the audio early by as much.
        #expect(abs(skew.quantile(milliseconds > 0 ? 0.02 : 0.98) - 100_000) < 50_000)
        let stepped = milliseconds > 0 ? skew.maximum : skew.minimum
        #expect(abs(stepped - 100_000 - milliseconds * 1_000_000) < 1_000_000)
        #expect(analysis.streams.filter { $0.notes.contains { $0.contains("contradict") } }.count == 1)
    }

    @Test(
        "The drift's interval holds the truth 95 times in 100, or there is none", arguments: [0.0, 20, -80], [0.0, 0.9])
    func drift(partsPerMillion: Double, correlation: Double) {
        var (told, held) = (0, 0)
        for seed in 0..<200 as Range<UInt64> {
            let key = DrawKey(seed: seed)
            var meter = DriftMeter()
            var level = 0.0
            for second in 0..<40 as Range<Int64> {
                // Least delays of a tenth of a millisecond or so, which queues keep alike.
                let draw = Double(key.draw(second) % 200_000) - 100_000
                level = correlation * level + (1 - correlation * correlation).squareRoot() * draw
                let clock = -partsPerMillion * 1e3 * Double(second)
                meter.add(elapsed: second * 1_000_000_000, delay: 50_000_000 + Int64(level + clock))
            }
            meter.finish()
            guard case .drift(let slope, let half) = meter.result else { continue }
            told += 1
            if abs(slope * 1e6 - partsPerMillion) <= half * 1e6 { held += 1 }
        }
        #expect(told > 100)
        #expect(Double(held) >= (correlation > 0 ? 0.85 : 0.9) * Double(told))
    }

    @Test("What cannot be told from delays has no drift, and says how wide it is")
    func uncertain() throws {
        let traffic = Traffic()
        let key = DrawKey(seed: 8)
        for number in 0..<750 {
            let late = Double(key.draw(Int64(number / 50)) % 20_000) / 1000
            traffic.rtp(number, timestamp: number * 320, at: Double(number) * 40 + late)
        }
        let stream = try #require(traffic.analyzer.finish().streams.first)
        #expect(stream.quality.clockDriftPartsPerMillion == nil && stream.quality.clockDriftUncertainty == nil)
        #expect(stream.notes.contains { $0.contains("only within ±") })
    }

    /// Reports of both ends, captured so many milliseconds from the sender and from the receiver.
    private func roundTrips(_ toSender: Double, _ toReceiver: Double, isTwoWay: Bool, clock: Int64)
        -> [StreamMeasurements]
    {
        let traffic = Traffic()
        let (here, there) = (Traffic.endpoint(1, 4001), Traffic.endpoint(2, 5005))
        for number in 0..<40 {
            traffic.rtp(number, timestamp: number * 160, at: Double(number) * 20)
            traffic.rtp(
                number, timestamp: number * 160, ssrc: 8, from: Traffic.endpoint(2, 5004),
                to: Traffic.endpoint(1, 4000),
                at: Double(number) * 20 + 1)
        }
        func block(_ ssrc: UInt32, _ time: Int64) -> ReceptionReport {
            var block = ReceptionReport(
                ssrc: ssrc, fractionLost: 0, cumulativeLost: 0, extendedHighestSequenceNumber: 1, interarrivalJitter: 0)
            block.lastSenderReport = ntp(time).middle
            block.delaySinceLastSenderReport = 65_536 / 2
            return block
        }
        let sent = Traffic.start + 1_000_000_000 + clock
        traffic.send(report(7, at: sent, timestamp: 0), from: here, to: there, at: 1000 + toSender / 2)
        traffic.send(
            RTCPCompound([.receiverReport(.init(ssrc: 8, reports: [block(7, sent)]))]).bytes, from: there, to: here,
            at: 1500 + toSender / 2 + toReceiver)
        if isTwoWay {
            traffic.send(report(8, at: sent, timestamp: 0), from: there, to: here, at: 2000)
            traffic.send(
                RTCPCompound([.receiverReport(.init(ssrc: 7, reports: [block(8, sent)]))]).bytes, from: here, to: there,
                at: 2500 + toSender)
        }
        return traffic.analyzer.finish().streams
    }

    @Test(
        "A round trip is told where it is of the whole way, with the place",
        arguments: [
            (0.2, 40.0, true, 77, RTCPMeasurements.Place.sender), (40, 0.2, true, 77, .receiver),
            (30, 20, true, 77, .between),
            (0.2, 40, false, 0, .sender), (40, 0.2, false, 77, .receiver), (0.2, 40, false, 77, .unknown),
        ])
    func place(toSender: Double, toReceiver: Double, isTwoWay: Bool, clock: Int64, place: RTCPMeasurements.Place) throws
    {
        let streams = roundTrips(toSender, toReceiver, isTwoWay: isTwoWay, clock: clock * 1_000_000_000)
        let rtcp = try #require(streams.first { $0.ssrc == 7 }?.rtcp)
        #expect(rtcp.place == place)
        if place == .sender || place == .unknown {
            #expect(abs((rtcp.roundTrip?.minimum ?? 0) - Int64(toReceiver * 1e6)) < 20_000)
        } else {
            #expect(rtcp.roundTrip == nil)
        }
    }

    @Test("SRT: loss by its own numbers, with what was sent again apart", arguments: [0x7fff_fff0, 100] as [UInt32])
    func srt(first: UInt32) throws {
        let traffic = Traffic()
        let there = Traffic.endpoint(3, 9000)
        var handshake = [UInt8](repeating: 0, count: 64)
        (handshake[0], handshake[19], handshake[39]) = (0x80, 5, 1)
        traffic.send(handshake, to: there, at: 0)
        func data(_ index: Int, isAgain: Bool, at time: Double) {
            let number = (first &+ UInt32(index)) & 0x7fff_ffff
            var bytes: [UInt8] = []
            for word in [number, isAgain ? 0xc400_0001 : 0xc000_0001, 0, 0x1234] as [UInt32] {
                withUnsafeBytes(of: word.bigEndian) { bytes += $0 }
            }
            traffic.send(bytes + [UInt8](repeating: 1, count: 1316), to: there, at: time)
        }
        // Of 500, five do not pass; three of these are sent again, and one that had come.
        for index in 0..<500 where index % 100 != 40 { data(index, isAgain: false, at: Double(index)) }
        for index in [40, 140, 240, 300] { data(index, isAgain: true, at: 500 + Double(index) / 1000) }
        let stream = try #require(traffic.analyzer.finish().streams.first)
        #expect(stream.kind == .srt && stream.retransmitted == 4)
        #expect(stream.quality.received == 499 && stream.quality.unique == 498 && stream.quality.lost == 2)
        #expect(stream.notes.contains { $0.hasPrefix("4 packets were sent again, of which 3 had not been seen") })
    }

    @Test("RIST's retransmissions are a stream of their own")
    func rist() throws {
        let traffic = Traffic()
        let packets = (0..<7).flatMap { _ in [0x47, 1, 0, 0x10] + [UInt8](repeating: 0xff, count: 184) }
        for number in 0..<400 {
            let header = RTPHeader(
                payloadType: 33, sequenceNumber: UInt16(number), timestamp: UInt32(number) * 900, ssrc: 0x1000)
            if number % 10 != 3 { traffic.send(header.packet(payload: packets), at: Double(number) * 10) }
            if number % 10 == 8 {
                let again = RTPHeader(
                    payloadType: 33, sequenceNumber: UInt16(number - 5), timestamp: UInt32(number - 5) * 900,
                    ssrc: 0x1001)
                traffic.send(again.packet(payload: packets), at: Double(number) * 10 + 1)
            }
        }
        let streams = traffic.analyzer.finish().streams
        #expect(streams.map(\.kind) == [.rtp, .rtx])
        #expect(streams.first?.quality.lost == 40 && streams.first?.retransmitted == 40)
    }
}
