import Emulator
import Metrics
import Scenario
import Testing
import Timebase

@Suite("Underruns of whole runs")
struct UnderrunTests {
    private let yaml = """
        duration: 20s
        program:
          substreams:
            - { id: audio, kind: audio, synthetic: { codec: mp2, frame_duration: 24ms, bitrate: 64 kbit/s } }
        network: { forward: [ { delay: 20ms } ] }
        receivers: [ { id: tv } ]
        outputs: { media: none, series: none }
        """

    @Test(
        "a buffer that runs empty has one, whether or not anything comes after it",
        arguments: [
            ("[ { at: 10s, down: 300ms } ]", 1), ("[ { at: 10s, down: 9900ms } ]", 1),
            ("[ { at: 10s, down: 15s } ]", 1),
            ("[ { at: 5s, down: 1s }, { at: 12s, down: 60s } ]", 2), ("[ { at: 0s, down: 60s } ]", 0),
            ("[ { at: 10s, down: 50ms } ]", 0),
        ])
    func outages(schedule: String, underruns: Int64) throws {
        let scenario = try ScenarioDocument(title: "test.yaml", text: yaml).resolve([
            ScenarioSetting(argument: "network.forward.0.schedule=\(schedule)")
        ])
        var world = World(try WorldBuilder(scenario, title: "test.yaml").configuration())
        VirtualTime.run(&world)
        #expect(world.measurements().playout.first?.underruns == underruns)
    }
}
