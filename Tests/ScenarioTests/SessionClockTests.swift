import Emulator
import Metrics
import Testing
import Timebase

@testable import Scenario

/// Sessions of their own, and the clocks of those who send and receive them.
@Suite("Clocks of sessions of their own")
struct SessionClockTests {
    // MARK: Reports that lie

    /// Whoever dates a report by its arrival takes what came later for captured later: S = D_v − D_a stays (receiver.md 4.5a).
    @Test("a report taken to tell of its arrival leaves the ways' difference in the skew", arguments: [20, 60, 110])
    func arrival(milliseconds: Int) throws {
        let flows = "{ audio: { forward: [ { delay: \(20 + milliseconds)ms } ] } }"
        func skew(_ reports: String) throws -> Distribution {
            let seen = try SessionsTests.run(
                SessionsTests.scenario(
                    flows: flows,
                    receiver:
                        "playout: { fixed: 100ms }, lip_sync: { correction: rtcp, deadband: 0ms, reports: \(reports) }",
                    duration: "40s"))
            return try #require(seen.lipSync.first?.skew)
        }
        let bias = Int64(-milliseconds) * 1_000_000
        let arrived = try skew("arrival")
        // Arrivals are known to the nanosecond, timestamps to a tick of 90 kHz.
        #expect(abs(arrived.minimum - bias) < 100_000 && abs(arrived.maximum - bias) < 100_000, "\(arrived)")
        // The stamps say what was captured together: there it is gone for more than half of the time.
        #expect(try abs(skew("stamp").quantile(0.5)) < 100_000)
    }

    // MARK: Recovery

    private func drift(_ recovery: String, _ frequency: String, _ duration: String, link: String) throws
        -> RunMeasurements
    {
        let yaml = """
            duration: \(duration)
            seed: 3
            program:
              substreams:
                - { id: audio, kind: audio, synthetic: { codec: opaque, frame_duration: 200ms, unit_size: 160 B } }
            sender: { carriage: rtp-separate }
            network: { forward: [ { \(link) } ] }
            receivers: [ { id: tv, playout: { fixed: 150ms }, clock_recovery: \(recovery), clock: { frequency: \(frequency) } } ]
            """
        return try SessionsTests.run(yaml)
    }

    /// 150 ms at 100 ppm last 1,500 s.
    @Test("without recovery the buffer runs dry when the clock has gained what it holds, within 2 %")
    func dry() throws {
        let before = try drift("none", "100 ppm", "1470s", link: "delay: 20ms")
        #expect(before.playout[0].underruns == 0 && before.flows[0].late == 0)
        let behind = try drift("none", "100 ppm", "1530s", link: "delay: 20ms")
        #expect(behind.playout[0].underruns == 1 && behind.flows[0].late > 0)
    }

    @Test(
        "with recovery nothing runs dry, and the delay keeps its slope under 1 ms an hour",
        arguments: ["rtcp", "window-min"], ["100 ppm", "-100 ppm"])
    func recovery(method: String, frequency: String) throws {
        let link = "delay: 20ms, jitter: { exponential: { mean: 2ms } }"
        let hour = try drift(method, frequency, "1h", link: link)
        let three = try drift(method, frequency, "3h", link: link)
        #expect(three.playout[0].underruns == 0 && three.flows[0].late == 0)
        #expect(three.substreams[0].onTime == 54_000)
        // The mean of three hours is that of one and an hour's slope.
        let slope =
            try #require(three.substreams[0].endToEndDelay).mean - #require(hour.substreams[0].endToEndDelay).mean
        #expect(abs(slope) < 1_000_000, "\(slope)")
    }

    /// Each window's least delay is another: what waits keeps its release when the clock rebuilt moves.
    @Test(
        "jitter makes no unit late whose datagrams are in time, however the clock is rebuilt",
        arguments: ["none", "window-min", "rtcp"], ["constant", "per-frame"])
    func jitter(method: String, pacing: String) throws {
        for jitter in ["1ms", "8ms"] {
            let yaml = """
                duration: 30s
                seed: 2
                program:
                  substreams:
                    - { id: video, synthetic: { codec: h264, bitrate: 600 kbit/s } }
                    - { id: audio, synthetic: { codec: mp2, bitrate: 96 kbit/s } }
                sender: { carriage: rtp-separate, pacing: \(pacing) }
                network: { forward: [ { delay: 20ms, jitter: { normal: { deviation: \(jitter) } } } ] }
                receivers: [ { id: tv, playout: { fixed: 400ms }, clock_recovery: \(method) } ]
                """
            let seen = try SessionsTests.run(yaml)
            #expect(seen.flows.allSatisfy { $0.late == 0 })
            for stream in seen.substreams {
                #expect(stream.onTime == stream.sentUnits && stream.late == 0, "\(stream.id): \(stream.late) late")
            }
        }
    }

    @Test("pictures in an order of their own do not mislead the least delay", arguments: ["constant", "per-frame"])
    func pictures(pacing: String) throws {
        let free = try SessionsTests.run(SessionsTests.scenario(sender: "pacing: \(pacing)", duration: "60s"))
        let held = try SessionsTests.run(
            SessionsTests.scenario(
                sender: "pacing: \(pacing)",
                receiver: "playout: { fixed: 100ms }, clock_recovery: window-min", duration: "60s"))
        #expect(held.substreams.allSatisfy { $0.onTime == $0.sentUnits })
        for (one, other) in zip(held.substreams, free.substreams) {
            let (delay, usual) = (try #require(one.endToEndDelay), try #require(other.endToEndDelay))
            #expect(abs(delay.minimum - usual.minimum) < 100_000 && abs(delay.maximum - usual.maximum) < 100_000)
        }
    }

    // MARK: The sender's clock

    @Test("by the sender's clock all present at once, however long the ways")
    func senderClock() throws {
        let yaml = SessionsTests.scenario(
            flows: SessionsTests.later, receiver: "playout: { fixed: 150ms }, anchor: sender-clock", duration: "30s"
        ).replacingLast(
            "anchor: sender-clock } ]",
            with:
                "anchor: sender-clock }, { id: far, playout: { fixed: 150ms }, anchor: sender-clock, last_links: [ { delay: 50ms } ] } ]"
        )
        let seen = try SessionsTests.run(yaml)
        // Captured, held for the order of pictures and a picture's length, then the playout delay, and no way.
        for substream in seen.substreams {
            let delay = try #require(substream.endToEndDelay)
            #expect(abs(delay.minimum - 310_000_000) < 12_000, "\(substream.receiver) \(substream.id)")
            #expect(delay.quantile(0.5) < 310_500_000)
            // What was in the buffer when the first report came, a way's length of it, had another release.
            #expect(substream.damaged == 0 && substream.sentUnits - substream.onTime <= 7)
        }
        #expect(seen.lipSync.count == 2)
        for pair in seen.lipSync { #expect(try abs(#require(pair.skew).quantile(0.5)) < 100_000) }
    }

    // MARK: Damage

    @Test("a receiver that takes damaged datagrams drops none, and its units are damaged")
    func damage() throws {
        let link = "delay: 20ms, corrupt: 2%"
        let strict = try SessionsTests.run(SessionsTests.scenario(link: link))
        #expect(strict.flows.allSatisfy { $0.droppedChecksum > 0 })
        let lenient = try SessionsTests.run(
            SessionsTests.scenario(link: link, receiver: "playout: { fixed: 100ms }, deliver_corrupted: true"))
        #expect(lenient.flows.allSatisfy { $0.droppedChecksum == 0 })
        for (one, other) in zip(lenient.substreams, strict.substreams) {
            #expect(one.missing <= other.missing && one.damaged > 0, "\(one.id) \(one.damaged) \(other.missing)")
            // A changed header puts a datagram or two elsewhere; nearly all of it is in the bytes.
            let bad = (one.damaged + one.missing + one.late, other.damaged + other.missing)
            #expect(abs(bad.0 - bad.1) <= max(4, bad.1 / 4), "\(one.id) \(bad)")
        }
    }

    // MARK: The contract

    @Test("the bit rate of a contract is that of all sessions together")
    func bitrate() throws {
        let scenario = try resolve(SessionsTests.scenario() + "\nqos: { bitrate: '>= 2 Mbit/s' }")
        #expect(scenario.qos.checks.map(\.expression) == ["flows.bitrate_bps.used_by_receiver >= 2 Mbit/s"])
        #expect(try resolve(scenario.resolvedYAML) == scenario)
        let seen = try SessionsTests.run(SessionsTests.scenario())
        let sum = seen.flows.compactMap(\.usedBitsPerSecond).reduce(0, +)
        #expect(sum > 2_000_000 && seen.flows.allSatisfy { $0.usedBitsPerSecondOfReceiver == sum })
    }
}

extension String {
    /// The same with the last occurrence of a text replaced.
    fileprivate func replacingLast(_ text: String, with other: String) -> String {
        let parts = split(separator: text, omittingEmptySubsequences: false)
        guard parts.count > 1 else { return self }
        return parts.dropLast().joined(separator: text) + other + parts[parts.count - 1]
    }
}
