import Emulator
import Testing
import Timebase

@testable import Scenario

@Suite("Writing a resolved scenario")
struct RoundTripTests {
    /// Reads what was written, from another folder: nothing may depend on where.
    func reread(_ scenario: ExperimentScenario) throws -> ExperimentScenario {
        let document = ScenarioDocument(title: "other.yaml", text: scenario.resolvedYAML, folder: "/elsewhere")
        return try document.resolve(checksFiles: false)
    }

    static let scenarios =
        Preset.all.map(\.yaml) + [
            ResolutionTests.everything,
            "program: { file: movie.ts }",
            "program: { file: \"od'd \\\" \\\\ n\\u00e4me: # {}.ts\", loop: true }",
            "program: { file: 'null' }\nname: 'true'",
            "program: { file: a.ts }\nsender: { interleave: { rows: 100, columns: 2 } }",
            "program: { file: a.ts, sha256: \(String(repeating: "aB", count: 32)) }\ncapture: all",
            "program: { file: a.ts }\ncapture: { points: [sender] }\noutputs: { media: none }",
        ]
        + ["opus, bitrate: 24 kbit/s", "opus, bitrate: 24 kbit/s, impairment: { ie: 11, bpl: 19 }", "g711"].map {
            """
            program: { substreams: [ { id: speech, synthetic: { codec: \($0) } } ] }
            sender: { carriage: rtp-separate }
            """
        }

    /// One link for each alternative of every key.
    static let links = [
        "rate: 5 Mbit/s, overhead: ethernet", "rate: 5 Mbit/s, overhead: atm",
        "shaper: { rate: 5 Mbit/s, burst: 30 kB }",
        "rate_trace: { mahimahi: a.trace }", "rate_trace: { mahimahi: a.trace, reading: piecewise }",
        "rate_trace: { csv: a.csv }", "rate_trace: { csv: a.csv, repeat: 90s }", "rate_trace: { hsdpa: bus.txt }",
        "policer: { rate: 3 Mbit/s, burst: 20 kB }", "reorder: 0.1%, duplicate: 2%, corrupt: 0.01%, reservable: 75%",
        "rate: 5 Mbit/s, queue: { drop_head: { limit: 10 packets } }", "rate: 5 Mbit/s, queue: codel",
        "rate: 5 Mbit/s, queue: { codel: { target: 10ms, interval: 200ms, ecn: true, limit: 64 kB } }",
        "rate: 5 Mbit/s, queue: pie", "rate: 5 Mbit/s, queue: { pie: { target: 20ms, update: 16ms, ecn: true } }",
        "rate: 5 Mbit/s, queue: { pie: { derandomize: false } }",
        "rate: 5 Mbit/s, queue: fq_codel", "rate: 5 Mbit/s, queue: { fq_codel: { flows: 64, quantum: 300 B } }",
        "rate: 5 Mbit/s, queue: { priority: { classes: [EF, AF41, 7], limit: 50ms } }",
        "rate: 5 Mbit/s, queue: { wfq: { classes: { EF: { rate: 1 Mbit/s }, AF41: { rate: 2 Mbit/s } } } }",
        "delay: 5ms, reorder: { share: 25%, gap: 5 }",
        "jitter: { normal: { deviation: 5ms, correlation: 30%, reorder: true } }",
        "jitter: { uniform: { half_range: 5ms } }", "jitter: { paretonormal: { deviation: 5ms } }",
        "jitter: { exponential: { mean: 5ms } }", "jitter: { gamma: { mean: 5ms, shape: 2.5 } }",
        "jitter: { pareto: { mean: 5ms, shape: 2.5 } }", "jitter: { table: { file: n.dist, deviation: 5ms } }",
        "jitter: { empirical: { file: e.csv, correlation: 10% } }", "jitter: { trace: { file: t.csv } }",
        "loss: { bernoulli: { loss: 2%, correlation: 50% } }",
        "loss: { gilbert_elliott: { loss: 1%, mean_burst: 3, longest_burst: 7 } }",
        "loss: { gilbert_elliott: { loss: 1%, mean_burst: 3, time_driven: true, step: 5ms } }",
        "loss: { gilbert_elliott: { p: 1%, r: 25%, loss_bad: 90%, loss_good: 0.1% } }",
        "loss: { markov4: { p13: 1%, p31: 20%, p32: 10%, p23: 30%, p14: 0.5% } }",
        "loss: { markov4: { loss: 5%, mean_burst: 10, burst_density: 80%, isolated_loss: 1%, mean_good_run: 2 } }",
        "loss: { pattern: { drop: [5, 6, 17], repeat: 100 } }", "loss: { pattern: { drop: [5, 6, 17] } }",
        "loss: { trace: losses.txt }", "loss: { bit_error_rate: 1e-6 }",
        "cross_traffic: [ { poisson: { rate: 2 Mbit/s, packet: 1200 B } } ]",
        "cross_traffic: [ { constant: { rate: 2 Mbit/s }, class: AF11, reservation: { rate: 2 Mbit/s, burst: 3 kB } } ]",
        "cross_traffic: [ { on_off: { rate: 2 Mbit/s, on: 200ms, off: 1s } } ]",
        "cross_traffic: [ { on_off: { rate: 2 Mbit/s, on: 200ms, off: 1s, law: pareto, shape: 1.5 } } ]",
        "cross_traffic: [ { trace: { file: w.csv, repeat: true } } ]",
        "rate: 5 Mbit/s, schedule: [ { at: 2s, rate: 3 Mbit/s, loss: { bernoulli: 1% } }, { at: 4s, down: 500ms } ]",
        "schedule: [ { at: 0s, delay: 3ms, jitter: none }, { at: 1s, duplicate: 1%, corrupt: 1%, reorder: 1% } ]",
        "rate: 5 Mbit/s, schedule: [ { at: 2s, queue: { codel: {} }, policer: { rate: 1 Mbit/s, burst: 9 kB } } ]",
    ]

    @Test("Every alternative of a link is written as it is read", arguments: links)
    func everyLink(text: String) throws {
        let yaml = "program: { file: a.ts }\nnetwork: { forward: [ { \(text) } ] }\nsender: { classes: EF, ecn: true }"
        let first = try resolve(yaml)
        #expect(first.forward[0] != .ideal)
        #expect(try reread(first) == first)
    }

    @Test("What is written reads back as the same scenario", arguments: scenarios)
    func fixedPoint(yaml: String) throws {
        let first = try resolve(yaml)
        let second = try reread(first)
        #expect(second == first)
        #expect(second.resolvedYAML == first.resolvedYAML)
    }

    @Test func theWholeTextIsCanonical() throws {
        let scenario = try resolve(
            "program: { file: movie.ts }\n"
                + "network: { forward: [{ rate: 6000 kbit/s, delay: 0.02 s, loss: { bernoulli: 1% } }] }")
        let expected = """
            name: test
            duration: auto
            seed: 1
            program:
              file: /media/movie.ts
              loop: false
            sender:
              carriage: ts-rtp
              mux_rate: auto
              ts_packets_per_datagram: 7
              pacing: constant
              latency: auto
              classes: { program: BE, reports: BE }
              ecn: false
              reservation: none
              interleave: none
            network:
              forward:
                - rate: 6 Mbit/s
                  overhead: none
                  policer: none
                  queue: { drop_tail: { limit: 200ms } }
                  delay: 20ms
                  jitter: none
                  loss: { bernoulli: 1% }
                  reorder: 0%
                  duplicate: 0%
                  corrupt: 0%
                  reservable: 100%
                  cross_traffic: []
                  schedule: []
              reverse:
                - rate: none
                  overhead: none
                  policer: none
                  queue: none
                  delay: 20ms
                  jitter: none
                  loss: none
                  reorder: 0%
                  duplicate: 0%
                  corrupt: 0%
                  reservable: 100%
                  cross_traffic: []
                  schedule: []
            clocks:
              sender: { offset: 0ms, frequency: 0 ppm, \
            wander: 0 ppb/sqrt(s), noise: 0 ppb, ageing: 0 ppb/day, temperature: none, steps: [], trace: none }
              receivers: { offset: 0ms, frequency: 0 ppm, \
            wander: 0 ppb/sqrt(s), noise: 0 ppb, ageing: 0 ppb/day, temperature: none, steps: [], trace: none }
              servers: []
              synchronization: none
            receivers:
              - id: receiver
                playout: { fixed: 150ms }
                anchor: first-arrival
                late: drop
                clock_recovery: none
                lip_sync: { correction: none, deadband: 4ms, step: 80ms, reports: stamp, \
            profile: itu-bt1359 }
                concealment: { video: carry-on, audio: none, fade: 60ms }
                deliver_corrupted: false
                count: 1
                last_links: []
                clock: { offset: 0ms, frequency: 0 ppm, \
            wander: 0 ppb/sqrt(s), noise: 0 ppb, ageing: 0 ppb/day, temperature: none, steps: [], trace: none }
            idms: false
            commands: none
            agreement: none
            faults: []
            capture: { points: none }
            outputs:
              media: [sent, received, presented]
              series: 100ms
              packets: false
              units: false

            """
        #expect(scenario.resolvedYAML == expected)
    }

    @Test("Numbers of every size survive, seed 11")
    func randomNumbers() throws {
        var draws = SplitMix(state: 11)
        var scenario = try resolve(ResolutionTests.withoutVideo)
        for _ in 0..<200 {
            let most = Int64(3_600_000_000_000)
            scenario.forward[0].delay = .nanoseconds(Int64(draws.next() % UInt64(most)) >> Int64(draws.next() & 31))
            let rate = 1_000 + ((draws.next() % 1_000_000_000) >> (draws.next() & 15))
            scenario.forward[0].capacity = .constant(BitRate(bitsPerSecond: rate))
            scenario.forward[0].queue.limit = .bytes(1 + Int((draws.next() % 9_000_000_000) >> (draws.next() & 31)))
            scenario.forward[1].loss = .bernoulli(Ratio(Double(draws.next() % 1_000_001) / 1e6))
            let burst = 2 + Double(draws.next() % 1_000_000) / 1e4
            scenario.forward[2].loss = .gilbertElliott(
                .init(
                    law: .bursts(
                        loss: Ratio(Double(draws.next() % 500) / 1e3), meanBurst: burst, longestBurst: nil), step: nil))
            scenario.senderClock.frequency = Int64(draws.next() % 200_000_001) - 100_000_000
            scenario.senderClock.offset = .nanoseconds(Int64(draws.next() % 2_000_000_000_000) - 1_000_000_000_000)
            scenario.seed = draws.next()
            #expect(try reread(scenario) == scenario)
        }
    }

    @Test func presetsAreNamedAndExplained() throws {
        let names = Preset.all.map(\.name)
        #expect(Set(names).count == names.count)
        for name in ["lan", "iptv", "dsl-evening", "wifi-busy"] { #expect(names.contains(name)) }
        for preset in Preset.all {
            let scenario = try ScenarioDocument(preset).resolve()
            #expect(scenario.name == preset.name)
            #expect(!preset.summary.contains("\n") && preset.source.hasPrefix("Numbers: "))
            #expect(!scenario.qos.checks.isEmpty)
            #expect(scenario.sender.carriage == (preset.name == "voip" ? .rtpSeparate : .tsRTP))
        }
    }
}
