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
              interleave: none
            network:
              forward:
                - rate: 6 Mbit/s
                  queue: { drop_tail: { limit: 200ms } }
                  delay: 20ms
                  jitter: none
                  loss: { bernoulli: 1% }
              reverse:
                - rate: none
                  queue: none
                  delay: 20ms
                  jitter: none
                  loss: none
            clocks:
              sender: { offset: 0ms, frequency: 0 ppm }
              receivers: { offset: 0ms, frequency: 0 ppm }
              synchronization: none
            receivers:
              - id: receiver
                playout: { fixed: 150ms }
                anchor: first-arrival
                late: drop
                clock_recovery: none
                lip_sync: { correction: none, profile: itu-bt1359 }
                count: 1
                last_links: []
                clock: { offset: 0ms, frequency: 0 ppm }
            capture: { points: none }
            outputs:
              media: [sent, received]
              series: 100ms
              packets: false

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
            scenario.forward[0].rate = BitRate(bitsPerSecond: rate)
            scenario.forward[0].queue = .bytes(1 + Int((draws.next() % 9_000_000_000) >> (draws.next() & 31)))
            scenario.forward[1].loss = .bernoulli(Ratio(Double(draws.next() % 1_000_001) / 1e6))
            let burst = 2 + Double(draws.next() % 1_000_000) / 1e4
            scenario.forward[2].loss = .gilbertElliott(loss: Ratio(Double(draws.next() % 500) / 1e3), meanBurst: burst)
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
            #expect(scenario.sender.carriage == .tsRTP)
        }
    }
}
