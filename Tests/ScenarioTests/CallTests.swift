import Emulator
import Metrics
import Testing
import Timebase
import Wire

@testable import Scenario

@Suite("A telephone call, in a scenario")
struct CallTests {
    static func scenario(
        _ codec: String = "codec: g711", carriage: String = "rtp-separate", sender: String = "",
        link: String = "delay: 20ms", playout: String = "60ms", duration: String = "10s"
    ) -> String {
        """
        duration: \(duration)
        seed: 5
        program: { substreams: [ { id: speech, synthetic: { \(codec) } } ] }
        sender: { carriage: \(carriage)\(sender.isEmpty ? "" : ", " + sender) }
        network: { forward: [ { \(link) } ] }
        receivers: [ { id: phone, playout: { fixed: \(playout) } } ]
        """
    }

    private func call(_ yaml: String) throws -> CallMeasurements {
        let calls = try SessionsTests.run(yaml).calls
        #expect(calls.count == 1)
        return try #require(calls.first)
    }

    // MARK: The delay budget

    @Test(
        "mouth to ear is packetizing, sending latency, network and buffer, to the nanosecond",
        arguments: [
            ("codec: g711", "", 20, 0), ("codec: g711, frame_duration: 30ms", "", 30, 0),
            ("codec: opus, bitrate: 24 kbit/s", "latency: 35ms", 20, 15),
        ] as [(String, String, Int64, Int64)])
    func budget(codec: String, sender: String, packetizing: Int64, sending: Int64) throws {
        let seen = try call(Self.scenario(codec, sender: sender))
        let delay = try #require(seen.delay)
        #expect(delay.packetizing == packetizing * 1_000_000 && delay.sending == sending * 1_000_000)
        #expect(delay.network == 20_000_000 && delay.buffer == 60_000_000 && delay.rest == 0)
        #expect(delay.mouthToEar == (packetizing + sending + 80) * 1_000_000)
        #expect(seen.losses.lost == 0 && seen.losses.value == nil)
    }

    @Test("in a multiplex the same parts add up, and Opus is there in time")
    func multiplexed() throws {
        let yaml = Self.scenario("codec: opus, bitrate: 24 kbit/s", carriage: "ts-rtp")
        let seen = try call(yaml)
        let delay = try #require(seen.delay)
        #expect(seen.losses.count == 500 && seen.losses.lost == 0)
        // The multiplexer's window of 200 ms is latency, whoever waits; a datagram's time is left over.
        #expect(delay.packetizing == 20_000_000 && delay.sending == 200_000_000)
        #expect(abs(delay.rest) < 60_000_000, "\(delay)")
        let parts = delay.packetizing + delay.sending + delay.network + delay.buffer + delay.rest
        #expect(parts == delay.mouthToEar)
    }

    // MARK: R and MOS

    @Test("an early call without loss has G.107's default rating")
    func defaults() throws {
        let seen = try call(Self.scenario())
        #expect(seen.codec == "g711" && seen.receiver == "phone" && seen.losses.count == 500)
        let rating = try #require(seen.rating)
        #expect(abs(rating.rating - 93.2) < 1e-9 && abs(rating.meanOpinionScore - 4.41) < 0.005)
        #expect(abs((seen.simplifiedRating?.rating ?? 0) - (93.2 - 2.4)) < 1e-9)
    }

    @Test("losses of a known pattern have the loss, burst ratio and rating of the formula")
    func pattern() throws {
        let seen = try call(
            Self.scenario(link: "delay: 20ms, loss: { pattern: { drop: [5, 6, 17], repeat: 100 } }", duration: "20s"))
        #expect(seen.losses.count == 1_000 && seen.losses.lost == 30)
        // Runs of 2 and 1: 1.5 · 0.97. Ie,eff = 95 · 3 / (3 / 1.455 + 25.1).
        #expect(abs((seen.losses.value ?? 0) - 1.455) < 1e-9)
        #expect(abs((seen.effectiveImpairment ?? 0) - 10.4927) < 1e-3)
        #expect(abs((seen.rating?.rating ?? 0) - 82.7073) < 1e-3)
    }

    @Test("what comes too late is lost")
    func late() throws {
        let seen = try call(
            Self.scenario(
                link: "delay: 20ms, schedule: [ { at: 5s, delay: 60ms } ]", playout: "30ms"))
        // Packets leave every 20 ms from 20 ms on; that of 5 s leaves when the link changes.
        #expect(seen.losses.count == 500 && (250...251).contains(seen.losses.lost))
        // One run for half of the call.
        let share = Double(seen.losses.lost) / 500
        #expect(abs((seen.losses.value ?? 0) - Double(seen.losses.lost) * (1 - share)) < 1e-9)
        #expect(seen.delay?.mouthToEar == 70_000_000)
    }

    @Test("without Ie and Bpl there is no rating, with them there is")
    func impairment() throws {
        let opus = try call(Self.scenario("codec: opus, bitrate: 24 kbit/s"))
        #expect(opus.rating == nil && opus.simplifiedRating == nil && opus.delay != nil)
        let given = try call(Self.scenario("codec: opus, bitrate: 24 kbit/s, impairment: { ie: 11, bpl: 19 }"))
        #expect(abs((given.rating?.rating ?? 0) - 82.2) < 1e-9)
        let loss = "delay: 20ms, loss: { pattern: { drop: [50], repeat: 100 } }"
        let silent = try call(Self.scenario("codec: g711, impairment: { ie: 0, bpl: 4.3 }", link: loss))
        // One in a hundred, alone: 95 / 5.3.
        #expect(abs((silent.effectiveImpairment ?? 0) - 17.9245) < 1e-3)
    }

    // MARK: Talk spurts

    @Test("in silence nothing is sent, nothing is lost and no buffer runs dry")
    func silence() throws {
        let seen = try SessionsTests.run(
            Self.scenario("codec: g711, talk_spurts: { on: 1s, off: 1500ms }", duration: "60s"))
        let call = try #require(seen.calls.first)
        // 40 % of 3,000, and far from it as spurts are few.
        #expect((600...1_800).contains(call.losses.count) && call.losses.lost == 0)
        #expect(seen.flows[0].sent == call.losses.count && seen.substreams[0].onTime == call.losses.count)
        #expect(seen.playout[0].underruns == 0 && seen.warnings.isEmpty)
        #expect(call.delay?.mouthToEar == 100_000_000)
    }

    @Test("the marker tells where talk begins, and timestamps go on in silence")
    func marker() throws {
        let yaml = Self.scenario("codec: opus, bitrate: 24 kbit/s, talk_spurts: { on: 200ms, off: 300ms }")
        var world = try SessionsTests.world(yaml) { $0.taps.capturesNodes = true }
        var headers: [(header: RTPHeader, at: Instant)] = []
        VirtualTime.run(
            &world, shouldStop: { _ in false },
            take: { world, output in
                guard case .captured(let packet, .sender, let at) = output, packet.flow == 0 else { return }
                guard let header = try? RTPHeader(parsing: world.payload(of: packet).bytes) else { return }
                headers.append((header, at))
            })
        #expect(headers.count > 100 && headers[0].header.marker && headers[0].at == .zero + .milliseconds(20))
        var begins = 0
        for (before, next) in zip(headers, headers.dropFirst()) {
            let step = next.header.timestamp &- before.header.timestamp
            #expect(next.header.marker == (step > 960) && step % 960 == 0)
            #expect(next.at - before.at == .milliseconds(Int64(step / 48)))
            if next.header.marker { begins += 1 }
        }
        #expect(begins > 5)
    }

    // MARK: The description

    @Test(
        "sessions are described by their payload types, with packet time and rate",
        arguments: [
            ("codec: g711", ["m=audio 5004 RTP/AVP 0", "a=rtpmap:0 PCMU/8000", "a=ptime:20", "b=TIAS:64000"]),
            ("codec: g711, law: a-law", ["m=audio 5004 RTP/AVP 8", "a=rtpmap:8 PCMA/8000", "a=ptime:20"]),
            (
                "codec: opus, bitrate: 32 kbit/s, frame_duration: 2.5ms",
                ["m=audio 5004 RTP/AVP 96", "a=rtpmap:96 opus/48000/2", "a=ptime:2.5"]
            ),
        ])
    func description(codec: String, lines: [String]) throws {
        let configuration = try ScenarioInterleavingTests.configuration(Self.scenario(codec))
        let text = SessionPlan(configuration).description(name: "x", rate: configuration.transportRate).text
        let found = text.split(separator: "\r\n").map { String($0) }
        for line in lines { #expect(found.contains(line), "\(line) in \(text)") }
    }

    // MARK: Words

    static let refused: [(String, String)] = [
        (scenario(carriage: "ts-rtp"), "program.substreams.0.synthetic.codec: transport streams have no way"),
        (scenario("codec: g711, frame_duration: 2.5ms"), "frame_duration: '2.5ms' is not valid"),
        (scenario("codec: opus, bitrate: 24 kbit/s, frame_duration: 40ms"), "frame_duration: '40ms' is not valid"),
        (scenario("codec: opus, bitrate: 6 kbit/s, frame_duration: 2.5ms"), "bitrate: '6 kbit/s' is not valid"),
        (scenario("codec: g711, talk_spurts: { on: 10ms, off: 1s }"), "talk_spurts.on: shorter than a packet"),
        (scenario("codec: g711, bitrate: 64 kbit/s"), "'bitrate' goes with"),
    ]

    @Test("what cannot be is told in a sentence", arguments: refused)
    func refusal(yaml: String, words: String) {
        let found = problems(yaml)
        #expect(found.count == 1 && found.first?.contains(words) == true, "\(found)")
    }

    @Test("a packet cannot leave before it is full")
    func tooEarly() {
        let yaml = Self.scenario(sender: "latency: 10ms")
        let error = #expect(throws: ScenarioProblems.self) { try ScenarioInterleavingTests.configuration(yaml) }
        #expect(error?.description.contains("at least the 20ms that filling a packet of the call takes") == true)
    }

    // MARK: The preset

    @Test("the preset's delay is 20 ms of packetizing, some 30 of network and 60 of playout", arguments: [1, 2, 3])
    func preset(seed: UInt64) throws {
        var scenario = try ScenarioDocument(Preset.voip).resolve()
        scenario.seed = seed
        var world = World(try WorldBuilder(scenario, title: "voip").configuration())
        VirtualTime.run(&world)
        let call = try #require(world.measurements().calls.first)
        let delay = try #require(call.delay)
        #expect(delay.packetizing == 20_000_000 && delay.sending == 0 && abs(delay.rest) < 1_000_000)
        #expect((29_000_000...31_000_000).contains(delay.network))
        #expect((100_000_000...125_000_000).contains(delay.mouthToEar))
        #expect(call.losses.count == 3_000 && (call.losses.loss ?? 1) < 0.02)
        #expect((call.rating?.rating ?? 0) > 85)
    }
}
