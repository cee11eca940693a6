import Emulator
import Metrics
import Testing
import Timebase
import Wire

@testable import Scenario

@Suite("A session for each substream, in a scenario")
struct SessionsTests {
    static func scenario(
        carriage: String = "rtp-separate", sender: String = "", link: String = "delay: 20ms", flows: String = "{}",
        clock: String = "", receiver: String = "playout: { fixed: 100ms }", duration: String = "10s"
    ) -> String {
        """
        duration: \(duration)
        seed: 5
        program:
          substreams:
            - { id: video, synthetic: { codec: h264, frame_rate: 25, gop: IBBPBBPBBPBB, bitrate: 2 Mbit/s, size_variation: 20% } }
            - { id: audio, synthetic: { codec: mp2, bitrate: 96 kbit/s }\(clock) }
        sender: { carriage: \(carriage)\(sender.isEmpty ? "" : ", " + sender) }
        network: { forward: [ { \(link) } ], flows: \(flows) }
        receivers: [ { id: tv, \(receiver) } ]
        """
    }

    static func world(_ yaml: String, _ change: (inout WorldConfiguration) -> Void = { _ in }) throws -> World {
        var configuration = try ScenarioInterleavingTests.configuration(yaml)
        change(&configuration)
        return World(configuration)
    }

    static func run(_ yaml: String) throws -> RunMeasurements {
        var world = try world(yaml)
        VirtualTime.run(&world)
        #expect(world.packetsUnderWay == 0)
        let measurements = world.measurements()
        for flow in measurements.flows {
            let fates = flow.delivered + flow.lostLink + flow.droppedQueue + flow.droppedChecksum
            #expect(flow.sent + flow.duplicated == fates, "\(flow.id)")
        }
        return measurements
    }

    @Test(
        "on a perfect network, with no playout delay, every unit is on time and in sync",
        arguments: ["constant", "per-frame"])
    func perfectNetwork(pacing: String) throws {
        let seen = try Self.run(Self.scenario(sender: "pacing: \(pacing)", receiver: "playout: { fixed: 0ms }"))
        #expect(seen.flows.map(\.id) == ["tv.video", "tv.audio"] && seen.flows.allSatisfy { $0.receiver == "tv" })
        #expect(seen.flows.allSatisfy { $0.late == 0 && $0.delivered == $0.sent && $0.duplicates == 0 })
        #expect(seen.substreams.map(\.sentUnits) == [250, 417])
        for substream in seen.substreams {
            #expect(substream.onTime == substream.sentUnits, "\(substream.id)")
            #expect(substream.freezes?.count ?? 0 == 0)
            // Captured, held for the order of pictures and a picture's length, and 20 ms on the way.
            let delay = try #require(substream.endToEndDelay)
            #expect(
                delay.minimum == (pacing == "constant" ? 180_000_000 : 140_000_000) && delay.maximum == delay.minimum)
        }
        let skew = try #require(seen.lipSync.first?.skew)
        #expect(skew.minimum == 0 && skew.maximum == 0)
        #expect(abs((seen.lipSync[0].coverage ?? 0) - 10_000.0 / 10_008) < 1e-5)
        #expect(seen.playout.map(\.flow) == ["tv.video", "tv.audio"] && seen.transportStreams.isEmpty)
    }

    // MARK: Other ways for sound

    static let later = "{ audio: { forward: [ { delay: 80ms } ] } }"

    /// The skew every 100 ms of the program's time from `start` on.
    private func skews(_ yaml: String, from start: TimeSpan) throws -> [Int64] {
        var world = try Self.world(yaml) { $0.taps.seriesInterval = .milliseconds(100) }
        var skews: [Int64] = []
        VirtualTime.run(
            &world, shouldStop: { _ in false },
            take: { world, output in
                guard case .sample(let at) = output, at >= .zero + start else { return }
                for value in world.seriesValues() where value.metric == "lip_sync_skew" {
                    if let skew = value.value { skews.append(skew) }
                }
            })
        return skews
    }

    @Test("sound on a way 60 ms longer is 60 ms late, in a multiplex it cannot be")
    func longerWay() throws {
        let multiplexed = try Self.run(Self.scenario(carriage: "ts-rtp", flows: "{}"))
        let together = try #require(multiplexed.lipSync.first?.skew)
        #expect(abs(together.minimum) < 100_000 && abs(together.maximum) < 100_000)
        let separate = try Self.run(Self.scenario(flows: Self.later))
        let skew = try #require(separate.lipSync.first?.skew)
        #expect(abs(skew.minimum + 60_000_000) < 100_000 && abs(skew.maximum + 60_000_000) < 100_000)
        #expect(separate.flows.map { $0.quality.oneWayDelay?.maximum } == [20_000_000, 80_000_000])
        #expect(separate.links.map(\.id).contains("audio.forward.0"))
    }

    @Test("the sender's reports bring them together to less than 10 ms")
    func control() throws {
        let yaml = Self.scenario(
            flows: Self.later, receiver: "playout: { fixed: 100ms }, lip_sync: { correction: rtcp }", duration: "30s")
        let settled = try skews(yaml, from: .seconds(10))
        #expect(settled.count > 150 && settled.allSatisfy { abs($0) < 10_000_000 })
        // Before the first reports nobody knows.
        #expect(try skews(yaml, from: .zero).prefix(8).allSatisfy { $0 == 0 || abs($0 + 60_000_000) < 100_000 })
        let seen = try Self.run(yaml)
        #expect(seen.substreams.allSatisfy { $0.late == 0 && $0.damaged == 0 && $0.missing == 0 })
    }

    // MARK: Other clocks for sound

    @Test("a sound card 200 ppm off is 12 ms off a minute, and the sender's reports say so")
    func captureClock() throws {
        let clock = ", clock: { frequency: 200 ppm }"
        let free = try Self.run(Self.scenario(clock: clock, duration: "120s"))
        let slope = try #require(free.lipSync.first?.slopeNanosecondsPerSecond)
        #expect(abs(slope + 200_000) < 2_000, "\(slope)")
        let skew = try #require(free.lipSync.first?.skew)
        #expect(abs(skew.minimum + 24_000_000) < 500_000, "\(skew.minimum)")
        let yaml = Self.scenario(
            clock: clock, receiver: "playout: { fixed: 100ms }, lip_sync: { correction: rtcp }", duration: "120s")
        let held = try skews(yaml, from: .seconds(10))
        #expect(held.allSatisfy { abs($0) < 10_000_000 })
        let late = held.suffix(300).reduce(0, +) / 300
        let early = held.prefix(300).reduce(0, +) / 300
        #expect(abs(late - early) < 5_000_000, "\(early) \(late)")
    }

    @Test("what a link of the sound's own loses is the sound's alone")
    func ownLoss() throws {
        let seen = try Self.run(
            Self.scenario(flows: "{ audio: { forward: [ { delay: 20ms, loss: { bernoulli: 10% } } ] } }"))
        #expect(seen.flows[0].lostLink == 0 && seen.flows[1].lostLink > 20)
        #expect(seen.substreams[0].onTime == 250)
        // A frame is a packet: each that is lost is missing.
        #expect(seen.substreams[1].missing == seen.flows[1].lostLink && seen.substreams[1].damaged == 0)
    }

    // MARK: On the wire

    /// What left the sender: DSCP and payload by port.
    private func captured(_ yaml: String) throws -> [UInt16: [(dscp: UInt8, bytes: [UInt8])]] {
        var world = try Self.world(yaml) { $0.taps.capturesNodes = true }
        let plan = SessionPlan(world.configuration)
        var result: [UInt16: [(dscp: UInt8, bytes: [UInt8])]] = [:]
        VirtualTime.run(
            &world, shouldStop: { _ in false },
            take: { world, output in
                guard case .captured(let packet, .sender, _) = output else { return }
                let port = plan.frame(of: packet).destination.port
                result[port, default: []].append((packet.differentiatedServices, Array(world.payload(of: packet))))
            })
        return result
    }

    @Test("each session has ports, a class, reports and a goodbye of its own, and all one canonical name")
    func wire() throws {
        let ports = try captured(
            Self.scenario(sender: "classes: { audio: EF, video: AF41, reports: CS3 }", duration: "20s"))
        #expect(Set(ports.keys) == [5_004, 5_005, 5_006, 5_007])
        #expect(ports[5_004]?.allSatisfy { $0.dscp == 34 } == true)
        #expect(ports[5_006]?.allSatisfy { $0.dscp == 46 } == true)
        var names: Set<String?> = []
        for (media, control) in [(UInt16(5_004), UInt16(5_005)), (5_006, 5_007)] {
            let first = try #require(ports[media]?.first)
            let ssrc = first.bytes[8..<12].reduce(0) { $0 << 8 | UInt32($1) }
            let reports = try #require(ports[control])
            #expect(reports.allSatisfy { $0.dscp == 24 })
            let compounds = try reports.map { try RTCPCompound(parsing: $0.bytes.span.bytes) }
            let sent = compounds.filter {
                if case .senderReport(let report) = $0.packets[0] { report.ssrc == ssrc } else { false }
            }
            #expect(sent.count >= 3)
            for case .sourceDescription(let chunks) in sent.flatMap(\.packets) { names.insert(chunks[0].cname) }
            let goodbyes = sent.filter { $0.packets.contains(.goodbye(.init(sources: [ssrc]))) }
            #expect(goodbyes.count == 1 && goodbyes.first == sent.last)
        }
        #expect(names == ["sender@10.0.0.1"])
    }

    /// What the reports say and what the timestamps say is one line: the capture of a timestamp, by the sender's clock.
    @Test("reports map timestamps to the time of capture")
    func reports() throws {
        let ports = try captured(Self.scenario(clock: ", clock: { frequency: 200 ppm }", duration: "30s"))
        for (control, rate) in [(UInt16(5_005), 90_000.0), (5_007, 90_000 * 1.0002)] {
            let compounds = try #require(ports[control]).map { try RTCPCompound(parsing: $0.bytes.span.bytes) }
            var lines: [(ntp: Double, rtp: UInt32)] = []
            for case .senderReport(let report) in compounds.flatMap(\.packets) {
                lines.append((Double(report.ntpTimestamp.rawValue) / 4_294_967_296, report.rtpTimestamp))
            }
            let (first, last) = (try #require(lines.first), try #require(lines.last))
            let ticks = Double(Int32(bitPattern: last.rtp &- first.rtp))
            #expect(abs(ticks / (last.ntp - first.ntp) - rate) < 0.2)
        }
    }

    @Test("the description has a stream for each session")
    func description() throws {
        let configuration = try ScenarioInterleavingTests.configuration(Self.scenario())
        let text = SessionPlan(configuration).description(name: "x", rate: configuration.transportRate).text
        let lines = text.split(separator: "\r\n").map { String($0) }
        #expect(lines.filter { $0.hasPrefix("m=") } == ["m=video 5004 RTP/AVP 96", "m=audio 5006 RTP/AVP 14"])
        #expect(lines.contains("a=rtpmap:96 H264/90000") && lines.contains("a=rtpmap:14 MPA/90000"))
        #expect(lines.contains { $0.hasPrefix("a=fmtp:96 packetization-mode=1; profile-level-id=") })
        #expect(lines.contains("a=x-rubato-hold:first=80000000;disposable=40000000"))
    }

    // MARK: Words

    static let refused: [(String, String)] = [
        (scenario(sender: "mux_rate: vbr"), "sender.mux_rate: this is of a multiplex"),
        (scenario(sender: "ts_packets_per_datagram: 3"), "sender.ts_packets_per_datagram: this is of a multiplex"),
        (scenario(sender: "interleave: { rows: 5, columns: 5 }"), "sender.interleave: this is of a multiplex"),
        (scenario(receiver: "lip_sync: { reports: arrival }"), "receivers.0.lip_sync.reports: nothing is corrected"),
        (
            scenario(receiver: "anchor: sender-clock, lip_sync: { correction: rtcp, reports: arrival }"),
            "receivers.0.lip_sync.reports: with 'anchor: sender-clock'"
        ),
        (scenario(receiver: "clock_recovery: pcr"), "receivers.0.clock_recovery: sessions of their own have no clock"),
        (scenario(carriage: "ts-rtp", flows: later), "network.flows: the substreams of a multiplex"),
        (
            scenario(carriage: "ts-rtp", receiver: "lip_sync: { correction: rtcp }"),
            "receivers.0.lip_sync.correction: the substreams of a multiplex"
        ),
        (scenario(carriage: "ts-rtp", clock: ", clock: {}"), "program.substreams.1.clock: the substreams"),
        (
            scenario(clock: ", clock: { steps: [ { at: 1s, by: 5ms } ] }"),
            "program.substreams.1.clock.steps: unknown key"
        ),
        (scenario(carriage: "ts-rtp", sender: "pacing: per-frame"), "sender.pacing: the datagrams of a multiplex"),
    ]

    @Test("what does not go together is told in a sentence", arguments: refused)
    func refusal(yaml: String, words: String) {
        let found = problems(yaml)
        #expect(found.count == 1 && found.first?.contains(words) == true, "\(found)")
    }

    @Test("links of a substream that is not there are a mistake")
    func unknownSubstream() throws {
        let yaml = Self.scenario(flows: "{ sound: { forward: [ {} ] } }")
        let error = #expect(throws: ScenarioProblems.self) { try ScenarioInterleavingTests.configuration(yaml) }
        #expect(
            error?.description.contains(
                "network.flows.sound: there is no substream 'sound'; expected one of video, audio") == true)
    }

    @Test("a resolved scenario reads back as it was")
    func roundTrip() throws {
        let scenario = try resolve(
            Self.scenario(
                sender: "pacing: per-frame, classes: { audio: EF, video: AF41 }", flows: Self.later,
                clock: ", clock: { frequency: 200 ppm }", receiver: "lip_sync: { correction: rtcp }"))
        #expect(try resolve(scenario.resolvedYAML) == scenario)
    }
}
