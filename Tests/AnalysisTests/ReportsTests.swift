import Analysis
import Metrics
import Testing
import Timebase
import Wire

@Suite("RTCP, lip-sync and NTP in captures")
struct ReportsTests {
    /// What a clock that shows 1970 plus so many nanoseconds writes.
    private func ntp(_ nanoseconds: Int64) -> NTPTimestamp {
        NTPTimestamp(LocalInstant(nanoseconds: nanoseconds - emulatedEpochUnixSeconds * 1_000_000_000))
    }

    private func report(_ ssrc: UInt32, at nanoseconds: Int64, timestamp: UInt32) -> RTCPCompound {
        RTCPCompound([
            .senderReport(
                .init(
                    ssrc: ssrc, ntpTimestamp: ntp(nanoseconds), rtpTimestamp: timestamp, packetCount: 10,
                    octetCount: 1600)),
            .sourceDescription([.init(ssrc: ssrc, cname: "a@b")]),
        ])
    }

    @Test("The round trip is the time from report to report, less the receiver's own delay")
    func roundTrip() throws {
        let traffic = Traffic()
        let here = Traffic.endpoint(1, 4001)
        let there = Traffic.endpoint(2, 5005)
        // The sender's clock is ten seconds off: the capture's clock alone counts.
        let sent = Traffic.start + 10_000_000_000
        traffic.send(report(7, at: sent, timestamp: 0).bytes, from: here, to: there, at: 0)
        for number in 0..<20 { traffic.rtp(number, timestamp: number * 160, at: Double(number) * 20) }
        var block = ReceptionReport(
            ssrc: 7, fractionLost: 64, cumulativeLost: 5, extendedHighestSequenceNumber: 19, interarrivalJitter: 80)
        block.lastSenderReport = ntp(sent).middle
        block.delaySinceLastSenderReport = 65_536 / 4
        traffic.send(
            RTCPCompound([.receiverReport(.init(ssrc: 8, reports: [block]))]).bytes, from: there, to: here, at: 300)
        traffic.send([0x80, 200, 0, 100, 0, 0, 0, 7], from: here, to: there, at: 400)
        let analysis = traffic.analyzer.finish()
        let rtcp = try #require(analysis.streams.first?.rtcp)
        #expect(rtcp.senderReports == 1 && rtcp.receptionReports == 1 && rtcp.cname == "a@b")
        // 300 ms less 250 ms.
        #expect(rtcp.roundTrip?.count == 1 && rtcp.roundTrip?.minimum == 50_000_000)
        #expect(rtcp.lastFractionLost == 0.25 && rtcp.lastCumulativeLost == 5)
        // 80 ticks of 8 kHz.
        #expect(rtcp.lastReportedJitter == .milliseconds(10))
        #expect(rtcp.sentPackets == 10 && rtcp.sentBytes == 1600)
        #expect(analysis.malformedRTCP == 1)
    }

    @Test("Lip-sync comes from the sender reports, audio early positive", arguments: [-60, 0, 35])
    func lipSync(audioEarly: Int) throws {
        let traffic = Traffic()
        let (audio, video) = (Traffic.endpoint(2, 5006), Traffic.endpoint(2, 5008))
        let clock = Traffic.start - 5_000_000_000
        traffic.send(report(1, at: clock, timestamp: 1000).bytes, to: Traffic.endpoint(2, 5007), at: 0)
        traffic.send(report(2, at: clock + 500_000_000, timestamp: 5000).bytes, to: Traffic.endpoint(2, 5009), at: 0.5)
        // Video frames of two packets every 40 ms, their last 90 ms late; audio every 20 ms. Audio's first media time is
        // the report's; video's clock shows 5000 half a second later.
        var events: [(Double, () -> Void)] = []
        for number in 0..<200 {
            let media = Double(number) * 40
            for part in 0..<2 {
                let time = media + 85 + Double(part) * 5
                events.append(
                    (
                        time,
                        {
                            traffic.rtp(
                                2 * number + part, timestamp: 5000 - 45_000 + number * 3600, type: 34, ssrc: 2,
                                to: video,
                                at: time)
                        }
                    ))
            }
        }
        for number in 0..<400 {
            let time = Double(number) * 20 + 90 - Double(audioEarly)
            events.append(
                (time, { traffic.rtp(number, timestamp: 1000 + number * 160, ssrc: 1, to: audio, at: time) }))
        }
        for event in events.sorted(by: { $0.0 < $1.0 }) { event.1() }
        let analysis = traffic.analyzer.finish()
        let pair = try #require(analysis.pairs.first)
        #expect(analysis.pairs.count == 1)
        #expect(analysis.streams.first { $0.id == pair.audio }?.ssrc == 1)
        let skew = try #require(pair.skew)
        #expect(skew.count == 400)
        // Ticks of 8 kHz and 2^-32 s round by less than a microsecond.
        #expect(abs(skew.minimum - Int64(audioEarly) * 1_000_000) < 1000)
        #expect(abs(skew.maximum - Int64(audioEarly) * 1_000_000) < 1000)
        #expect(pair.floor == .milliseconds(1))
    }

    @Test("NTP: offset and delay of an exchange, and what is refused")
    func exchanges() throws {
        let traffic = Traffic()
        let (client, server) = (Traffic.endpoint(1, 40_000), Traffic.endpoint(9, 123))
        func packet(_ mode: UInt8, stratum: UInt8 = 2, leap: UInt8 = 0, _ times: [UInt64]) -> [UInt8] {
            var bytes: [UInt8] = [leap << 6 | 4 << 3 | mode, stratum, 6, 0xec] + [UInt8](repeating: 0, count: 20)
            for time in times { withUnsafeBytes(of: time.bigEndian) { bytes += $0 } }
            return bytes
        }
        func exchange(_ start: Int64, stratum: UInt8 = 2, origin: UInt64? = nil) {
            let t1 = ntp(Traffic.start + start * 1_000_000).rawValue
            // The server is 25 ms ahead; the way there takes 10 ms, 1 ms at the server, the way back 30 ms.
            let t2 = ntp(Traffic.start + (start + 35) * 1_000_000).rawValue
            let t3 = ntp(Traffic.start + (start + 36) * 1_000_000).rawValue
            traffic.send(packet(3, [0, 0, t1]), from: client, to: server, at: Double(start))
            traffic.send(
                packet(4, stratum: stratum, [origin ?? t1, t2, t3]), from: server, to: client, at: Double(start + 41))
        }
        exchange(0)
        exchange(1000)
        exchange(2000, stratum: 0)
        exchange(3000, stratum: 16)
        exchange(4000, origin: 1)
        exchange(5000, origin: 0)
        let measured = try #require(traffic.analyzer.finish().ntp.first)
        #expect(measured.exchanges == 2 && measured.version == 4)
        // ((35 − 0) + (36 − 41)) / 2 = 15 ms; 41 − 1 = 40 ms; timestamps are cut to 2^-32 s.
        #expect(abs(try #require(measured.offset).minimum - 15_000_000) <= 2)
        #expect(abs(try #require(measured.delay).maximum - 40_000_000) <= 2)
        // The asymmetry of 20 ms makes an error of 10 ms, which half the delay bounds.
        #expect(abs(try #require(measured.bound).maximum - 20_000_000) <= 2)
        let reasons = ["kiss_of_death", "unsynchronized", "origin_not_echoed", "origin_zero"]
        #expect(measured.rejected.map(\.reason) == reasons)
        #expect(measured.rejected.allSatisfy { $0.count == 1 })
    }
}
