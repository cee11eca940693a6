import Emulator
import Metrics
@testable import Scenario
import Testing
import Timebase

@Suite("One prepared program, many Worlds")
struct PreparedProgramTests {
    static func scenario(_ changes: String = "", seed: Int = 3, sender: String = "mux_rate: vbr") throws
        -> ExperimentScenario
    {
        let yaml = """
            duration: 3s
            seed: \(seed)
            program:
              substreams:
                - { id: video, synthetic: { codec: h264, bitrate: 1 Mbit/s, size_variation: 20% } }
                - { id: audio, synthetic: { codec: mp2, bitrate: 96 kbit/s } }
            sender: { interleave: { rows: 3, columns: 4 }, \(sender) }
            \(changes)
            """
        return try ScenarioDocument(title: "test.yaml", text: yaml, folder: "/").resolve()
    }

    static let changes = [
        "", "network: { forward: [ { loss: { bernoulli: 5% }, delay: 20ms } ] }",
        "network: { forward: [ { rate: 2 Mbit/s, jitter: { normal: { deviation: 2ms } } } ] }",
        "receivers: [ { id: a, count: 2, last_links: [ { loss: { bernoulli: 1% } } ] }, { id: b } ]",
        "clocks: { receivers: { offset: 5ms, frequency: 40 ppm } }\ncapture: all\noutputs: { packets: true }",
    ]

    static func digest(_ configuration: WorldConfiguration) -> String {
        var world = World(configuration)
        VirtualTime.run(&world)
        return world.measurements().digest.hexadecimal
    }

    @Test("each World is the one that its scenario makes alone, one after the other and at once")
    func sameWorlds() async throws {
        let scenarios = try Self.changes.map { try Self.scenario($0) }
        let prepared = try PreparedProgram(try Self.scenario(), title: "test.yaml")
        let alone = try scenarios.map { Self.digest(try WorldBuilder($0, title: "test.yaml").configuration()) }
        #expect(Set(alone).count == alone.count)
        #expect(try scenarios.map { Self.digest(try prepared.configuration(of: $0)) } == alone)
        let atOnce = try await withThrowingTaskGroup(of: (Int, String).self) { group in
            for index in scenarios.indices {
                let scenario = scenarios[index]
                group.addTask { (index, Self.digest(try prepared.configuration(of: scenario))) }
            }
            return try await group.reduce(into: [Int: String]()) { $0[$1.0] = $1.1 }
        }
        #expect(scenarios.indices.map { atOnce[$0] } == alone)
    }

    @Test("a scenario with another program is refused, with the key that differs")
    func refusals() throws {
        let prepared = try PreparedProgram(try Self.scenario(), title: "test.yaml")
        var others: [(String, ExperimentScenario)] = [
            ("seed", try Self.scenario(seed: 4)), ("sender.mux_rate", try Self.scenario(sender: "mux_rate: auto")),
            ("sender.latency", try Self.scenario(sender: "mux_rate: vbr, latency: 1s")),
            ("sender.ts_packets_per_datagram", try Self.scenario(sender: "mux_rate: vbr, ts_packets_per_datagram: 3")),
            ("sender.interleave", try Self.scenario()), ("duration", try Self.scenario()),
            ("program", try Self.scenario()),
        ]
        others[4].1.sender.interleave = nil
        others[5].1.duration = .seconds(2)
        others[6].1.program = .substreams([])
        for (path, other) in others {
            let error = #expect(throws: ScenarioProblems.self) { try prepared.configuration(of: other) }
            #expect(error?.problems.map(\.path) == [path])
        }
        #expect(throws: Never.self) {
            try prepared.configuration(of: try Self.scenario(sender: "mux_rate: vbr, carriage: ts-rtp, ecn: true"))
        }
    }
}
