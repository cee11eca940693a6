import Emulator
import Testing
import Timebase

@testable import Scenario

/// A scenario's text, resolved without looking for files.
func resolve(_ yaml: String, _ settings: [String] = []) throws(ScenarioProblems) -> ExperimentScenario {
    let document = ScenarioDocument(title: "test.yaml", text: yaml, folder: "/media")
    return try document.resolve(settings.map { ScenarioSetting(argument: $0) }, checksFiles: false)
}

/// The problems of a scenario, one line each.
func problems(_ yaml: String, _ settings: [String] = []) -> [String] {
    do {
        _ = try resolve(yaml, settings)
        return []
    } catch {
        return error.problems.map(\.description)
    }
}

@Suite("Resolving a scenario")
struct ResolutionTests {
    @Test func everyDefaultIsFilledIn() throws {
        let scenario = try resolve("program: { file: movie.ts }")
        #expect(scenario.name == "test")
        #expect(scenario.duration == nil)
        #expect(scenario.seed == 1)
        #expect(scenario.program == .file(.init(path: "/media/movie.ts", loops: false, sha256: nil)))
        let sender = ExperimentScenario.Sender(
            carriage: .tsRTP, muxRate: .automatic, transportPacketsPerDatagram: 7, pacing: .constant, latency: nil,
            classes: .init(program: .bestEffort, reports: .bestEffort), ecn: false, reservation: nil, interleave: nil)
        #expect(scenario.sender == sender)
        #expect(scenario.forward == [.ideal])
        #expect(scenario.reverse == [.ideal])
        let ideal = ExperimentScenario.Link.ideal
        #expect(ideal.capacity == .unlimited && ideal.delay == .zero && ideal.jitter == nil && ideal.loss == nil)
        #expect(ideal.reorder == .zero && ideal.duplicate == .zero && ideal.corrupt == .zero)
        #expect(ideal.crossTraffic.isEmpty && ideal.schedule.isEmpty && ideal.policer == nil)
        #expect(scenario.receivers.map(\.id) == ["receiver"])
        #expect(scenario.receivers[0].playout == .fixed(.milliseconds(150)))
        #expect(scenario.receivers[0].late == .drop)
        #expect(scenario.receivers[0].clock == .perfect)
        #expect(scenario.qos.checks.isEmpty)
        #expect(scenario.capture == .none)
        let outputs = ExperimentScenario.Outputs(
            sentMedia: true, receivedMedia: true, presentedMedia: true, series: .milliseconds(100), packets: false)
        #expect(scenario.outputs == outputs)
    }

    @Test func durationOfAnEndlessProgramIsOneMinute() throws {
        #expect(try resolve("program: { file: movie.ts, loop: true }").duration == .seconds(60))
        #expect(try resolve("program: { substreams: [{ id: d, trace: d.csv }] }").duration == .seconds(60))
        #expect(try resolve("program: { file: movie.ts }\nduration: 5s").duration == .seconds(5))
        #expect(try resolve("program: { file: movie.ts }\nduration: auto").duration == nil)
    }

    @Test func everySupportedKeyIsRead() throws {
        let scenario = try resolve(Self.everything)
        #expect(scenario.name == "evening-dsl")
        #expect(scenario.seed == 18_446_744_073_709_551_615)
        guard case .substreams(let substreams) = scenario.program else {
            Issue.record("no substreams")
            return
        }
        #expect(substreams.map(\.id) == ["video", "audio", "sensor", "voice", "slides"])
        #expect(substreams.map(\.kind) == [.video, .audio, .data, .audio, .data])
        let video = ExperimentScenario.H264(
            frameRate: UnitsPerSecond(numerator: 30_000, denominator: 1_001), gop: "IBBPBBPBBPBB",
            bitRate: BitRate(bitsPerSecond: 4_000_000), sizeVariation: Ratio(0.2))
        #expect(substreams[0].source == .h264(video))
        let audio = ExperimentScenario.MP2(frameDuration: .milliseconds(24), bitRate: BitRate(bitsPerSecond: 192_000))
        #expect(substreams[1].source == .mp2(audio))
        let sensor = ExperimentScenario.Opaque(
            timing: .rate(UnitsPerSecond(numerator: 625, denominator: 6)), volume: .unitSize(1_200),
            sizeVariation: .zero)
        #expect(substreams[2].source == .opaque(sensor))
        let voice = ExperimentScenario.Opaque(
            timing: .period(.milliseconds(20)), volume: .bitRate(BitRate(bitsPerSecond: 64_000)),
            sizeVariation: Ratio(0.5))
        #expect(substreams[3].source == .opaque(voice))
        #expect(substreams[4].source == .trace(path: "/media/traces/slides.csv"))

        let sender = ExperimentScenario.Sender(
            carriage: .tsUDP, muxRate: .constant(BitRate(bitsPerSecond: 5_000_000)), transportPacketsPerDatagram: 5,
            pacing: .constant, latency: .milliseconds(700),
            classes: .init(program: .bestEffort, reports: .bestEffort), ecn: false, reservation: nil, interleave: nil)
        #expect(scenario.sender == sender)

        #expect(scenario.forward.count == 3)
        var first = ExperimentScenario.Link.ideal
        first.capacity = .constant(BitRate(bitsPerSecond: 6_000_000))
        first.queue.limit = .time(.milliseconds(100))
        first.delay = .milliseconds(20)
        first.jitter = .init(law: .normal(deviation: .milliseconds(5)), correlation: .zero, reorder: false)
        first.loss = .gilbertElliott(
            .init(law: .bursts(loss: Ratio(0.01), meanBurst: 3, longestBurst: nil), step: nil))
        #expect(scenario.forward[0] == first)
        #expect(scenario.forward[1].queue.limit == .packets(100))
        #expect(scenario.forward[1].jitter?.law == .uniform(halfRange: .microseconds(500)))
        #expect(scenario.forward[1].loss == .bernoulli(Ratio(0.015)))
        #expect(scenario.forward[2].queue.limit == .bytes(64_000))
        #expect(scenario.reverse.map(\.delay) == [.milliseconds(7)])
        #expect(scenario.senderClock == .init(offset: .milliseconds(-3), frequency: -500))
        #expect(scenario.receivers[0].clock == .init(offset: .milliseconds(35), frequency: 40_000))
        #expect(scenario.receivers[1].clock == .init(offset: .seconds(1), frequency: 0))
        #expect(scenario.receivers[0].late == .present)
        #expect(scenario.receivers[0].lipSync.profile == .ebuR37)
        #expect(scenario.receivers[1].lastLinks.map(\.delay) == [.milliseconds(1)])
        #expect(scenario.capture == .init(sender: false, receiver: true, links: false))
        let outputs = ExperimentScenario.Outputs(
            sentMedia: false, receivedMedia: true, presentedMedia: false, series: nil, packets: true)
        #expect(scenario.outputs == outputs)
    }

    @Test func countMakesNumberedReceivers() throws {
        let scenario = try resolve(Self.everything)
        let expanded = scenario.expandedReceivers
        #expect(expanded.map(\.id) == ["tv.1", "tv.2", "tv.3", "far"])
        #expect(expanded.allSatisfy { $0.count == 1 })
        #expect(expanded[2].late == .present)
    }

    @Test func theWayBackMirrorsTheDelays() throws {
        let scenario = try resolve(
            """
            program: { file: a.ts }
            network:
              forward:
                - { delay: 5ms, rate: 1 Mbit/s, loss: { bernoulli: 1% } }
                - { delay: 15ms, jitter: { normal: { deviation: 3ms } } }
            """)
        #expect(scenario.reverse.map(\.delay) == [.milliseconds(15), .milliseconds(5)])
        #expect(scenario.reverse.allSatisfy { $0.capacity == .unlimited && $0.jitter == nil && $0.loss == nil })
    }

    @Test func aRateBringsAQueueOfTwoHundredMilliseconds() throws {
        let link = try resolve("program: { file: a.ts }\nnetwork: { forward: [{ rate: 1 Mbit/s }] }").forward[0]
        #expect(link.queue == .init(discipline: .dropTail, limit: .time(.milliseconds(200))))
    }

    @Test("What has no effect may be written, though this version does not support it")
    func switchedOffKeys() throws {
        _ = try resolve(
            """
            program: { file: a.ts }
            sender: { fec: none }
            clocks:
              sender: { wander: 0 ppb/sqrt(s) }
              servers: []
              synchronization: none
            network:
              forward:
                - { reorder: 0%, duplicate: 0%, corrupt: 0.0%, cross_traffic: [], schedule: [],
                    jitter: { normal: { deviation: 1ms, correlation: 0%, reorder: false } } }
            """)
    }

    @Test func contractBecomesChecks() throws {
        let checks = try resolve(Self.everything).qos.checks
        #expect(
            checks.map(\.expression) == [
                "flows.bitrate_bps.used >= 4 Mbit/s",
                "flows.session_setup_ns <= 2s",
                "substreams.end_to_end_delay_ns.p99 <= 500ms",
                "flows.round_trip_ns.max < 150ms",
                "flows.pdv_ns.p99 <= 30ms",
                "loss <= 0.1%",
                "presented >= 99.5%",
                "lip_sync.covered_within.itu_detectability >= 99%",
            ])
        #expect(
            checks.map(\.limit) == [
                .bitsPerSecond(4_000_000), .nanoseconds(2_000_000_000), .nanoseconds(500_000_000),
                .nanoseconds(150_000_000), .nanoseconds(30_000_000), .ratio(0.001), .ratio(0.995),
                .ratio(0.99),
            ])
        #expect(checks[5].subject == .share("loss"))
        #expect(checks[6].subject == .share("presented"))
        #expect(checks[2].limit.numberText == "500000000")
        #expect(checks[5].limit.numberText == "0.001")
    }

    @Test(
        "A limit on a distribution says of which number, where it is not the usual one",
        arguments: [
            ("end_to_end_delay", "max <= 500ms", "substreams.end_to_end_delay_ns.max", 1),
            ("end_to_end_delay", "<= 500ms", "substreams.end_to_end_delay_ns.p99", 1),
            ("jitter", "p95 <= 80ms", "flows.pdv_ns.p95", 1), ("jitter", "mean < 3ms", "flows.pdv_ns.mean", 1),
            ("round_trip_delay", "<= 150ms", "flows.round_trip_ns.max", 3),
            ("round_trip_delay", "max <= 150ms", "flows.round_trip_ns.max", 3),
            ("round_trip_delay", "p50 <= 150ms", "flows.round_trip_ns.p50", 1),
        ])
    func statistics(_ name: String, _ text: String, _ metric: String, _ leastCount: Int64) throws {
        let check = try #require(try resolve("program: { file: a.ts }\nqos: { \(name): '\(text)' }").qos.checks.first)
        #expect(check.metric == metric)
        #expect(check.leastCount == leastCount)
        #expect(check.text == text)
    }

    static let bands = [
        ("within itu-bt1359 acceptability for 90%", "lip_sync.covered_within.itu_acceptability"),
        ("within ebu-r37 for 95%", "lip_sync.covered_within.ebu_r37"),
        ("within atsc-is191 for 50%", "lip_sync.covered_within.atsc_is191"),
    ]

    @Test("Lip-sync bands", arguments: bands)
    func lipSyncBands(text: String, metric: String) throws {
        let check = try #require(try resolve("program: { file: a.ts }\nqos: { lip_sync: '\(text)' }").qos.checks.first)
        #expect(check.metric == metric)
        #expect(check.text == text)
    }

    /// What takes long to check is left out, for tests that read thousands of scenarios.
    static let withoutVideo = everything.split(separator: "\n").filter { !$0.contains("h264") }.joined(separator: "\n")

    static let everything = """
        name: evening-dsl
        duration: 60s
        seed: 18446744073709551615
        program:
          substreams:
            - { id: video, kind: video, synthetic: { codec: h264, frame_rate: 29.97, bitrate: 4 Mbit/s, size_variation: 20% } }
            - { id: audio, synthetic: { codec: mp2, bitrate: 192 kbit/s } }
            - { id: sensor, kind: data, synthetic: { codec: opaque, unit_size: 1.2 kB, bitrate: 1 Mbit/s } }
            - { id: voice, kind: audio, synthetic: { codec: opaque, frame_duration: 20ms, bitrate: 64 kbit/s, size_variation: 50% } }
            - { id: slides, trace: traces/./slides.csv }
        sender:
          carriage: ts-udp
          mux_rate: 5 Mbit/s
          ts_packets_per_datagram: 5
          pacing: constant
          latency: 700ms
        network:
          forward:
            - rate: 6 Mbit/s
              queue: { drop_tail: { limit: 100 ms } }
              delay: 20ms
              jitter: { normal: { deviation: 5ms } }
              loss: { gilbert_elliott: { loss: 1%, mean_burst: 3 } }
            - { rate: 8 Mbit/s, queue: { drop_tail: { limit: 100 packets } }, jitter: { uniform: { half_range: 0.5ms } }, loss: { bernoulli: 1.5% } }
            - { rate: 8 Mbit/s, queue: { drop_tail: { limit: 64 kB } }, jitter: none, loss: none }
          reverse: [ { delay: 7ms } ]
        clocks:
          sender: { offset: -3ms, frequency: -500 ppb }
          receivers: { offset: 35ms, frequency: 40 ppm }
        receivers:
          - id: tv
            playout: { fixed: 200ms }
            anchor: first-arrival
            late: present
            clock_recovery: none
            lip_sync: { correction: none, profile: ebu-r37 }
            count: 3
          - { id: far, last_links: [ { delay: 1ms } ], clock: { offset: 1s } }
        qos:
          lip_sync: 'within itu-bt1359 detectability for 99%'
          bitrate: '>= 4 Mbit/s'
          session_setup_delay: '<= 2s'
          end_to_end_delay: '<= 500ms'
          round_trip_delay: '< 150ms'
          jitter: '<= 30ms'
          loss: '<= 0.1%'
          presented: '>= 99.5%'
        capture: { points: [ receiver ] }
        outputs: { media: [ received ], series: none, packets: true }
        """
}
