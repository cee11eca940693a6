import Emulator
import Metrics
import Scenario
import Testing
import Timebase

@Suite("A group whose coordinator dies")
struct SuccessionTests {
    /// Four members; the one with the greatest number coordinates: c.
    private let yaml = """
        duration: 70s
        program:
          substreams:
            - { id: audio, kind: audio, synthetic: { codec: mp2, frame_duration: 24ms, bitrate: 64 kbit/s } }
        network: { forward: [ { delay: 20ms, jitter: { exponential: { mean: 1ms } } } ] }
        clocks: { synchronization: { berkeley: { poll: 4s } } }
        receivers:
          - { id: a, clock: { offset: 30ms, frequency: 40 ppm } }
          - { id: b, clock: { offset: -10ms, frequency: -30 ppm } }
          - { id: c, clock: { frequency: 20 ppm } }
        outputs: { media: none, series: none }
        """

    private struct Run {
        /// What was told, by node.
        var told: [(node: Int, event: LogicalEvent, at: Instant)] = []
        /// The first time that a clock of a member went back behind the instant given; nil: none did.
        var wentBack: (node: Int, at: Instant)?
        /// Of the last 15 s: the largest part of its bound that a living member's distance from their mean made.
        var worst = 0.0
        /// The longest such distance, nanoseconds.
        var farthest: Int64 = 0
        var judged = 0

        init(_ yaml: String, _ settings: [String], settled: Instant, living: [Int]) throws {
            let scenario = try ScenarioDocument(title: "test.yaml", text: yaml).resolve(
                settings.map { ScenarioSetting(argument: $0) })
            var world = World(try WorldBuilder(scenario, title: "test.yaml").configuration())
            var latest = (0...3).map { _ in LocalInstant(nanoseconds: .min) }
            while let next = world.nextTimeout {
                world.handleTimeout(at: next)
                while let output = world.pollOutput() {
                    if case .logical(let event, let node, let at) = output { told.append((node, event, at)) }
                }
                guard world.now >= settled else { continue }
                for node in 0...3 {
                    let reading = world.reading(ofNode: node)
                    if reading < latest[node] { wentBack = wentBack ?? (node, world.now) }
                    latest[node] = reading
                }
                guard (55_000_000_000..<70_000_000_000).contains(world.now.nanoseconds) else { continue }
                let errors = living.map { world.clockError(ofNode: $0, at: world.now).nanoseconds }
                let mean = errors.reduce(0, +) / Int64(errors.count)
                for (node, error) in zip(living, errors) {
                    farthest = max(farthest, abs(error - mean))
                    guard let bound = world.claimedBound(ofNode: node, at: world.now) else { continue }
                    worst = max(worst, Double(abs(error - mean)) / Double(bound.nanoseconds))
                    judged += 1
                }
            }
        }
    }

    /// Messages that begin so and left a node behind an instant.
    private func sent(_ run: Run, _ word: String, after start: Instant) -> [(node: Int, at: Instant)] {
        run.told.filter {
            if case .sent = $0.event.action { $0.at > start && $0.event.text.hasPrefix(word) } else { false }
        }.map { ($0.node, $0.at) }
    }

    @Test(
        "in the middle of a round: another is elected, no clock goes back, and all are near each other again",
        arguments: ["bully", "ring"])
    func death(election: String) throws {
        let settings = ["clocks.synchronization.berkeley.election=\(election)"]
        let settled = Instant.zero + .seconds(15)
        let healthy = try Run(yaml, settings, settled: settled, living: [0, 1, 2, 3])
        #expect(healthy.wentBack == nil && healthy.judged > 1_000 && healthy.worst < 1)
        // In the middle of a round of c's: behind its first poll after 20 s.
        let polls = sent(healthy, "poll", after: .zero + .seconds(20))
        #expect(Set(polls.map(\.node)) == [3])
        let crash = try #require(polls.first).at + .milliseconds(300)
        let correction = try #require(sent(healthy, "correction", after: crash).first)
        #expect(correction.at - crash < .seconds(3))
        let run = try Run(
            yaml,
            settings + ["faults=[ { at: \(crash.nanoseconds / 1_000_000)ms, node: c, kind: crash } ]"],
            settled: settled, living: [0, 1, 2])
        // The greatest of those that are left, and nobody beside it.
        #expect(Set(sent(run, "poll", after: crash + .seconds(1)).map(\.node)) == [2])
        let words = election == "bully" ? "coordinator" : "ring elected"
        #expect(sent(run, words, after: crash).contains { $0.node == 2 })
        // The round that broke off ends without a correction, and the new one's first comes before four have passed.
        let corrections = sent(run, "correction", after: crash)
        #expect(Set(corrections.map(\.node)) == [2])
        #expect(try #require(corrections.first).at - crash < .seconds(16))
        #expect(run.wentBack == nil, "\(String(describing: run.wentBack))")
        #expect(run.judged > 1_000 && run.worst < 1, "\(run.worst)")
        // Left alone since the crash, at 40 and -30 ppm, they would be a millisecond and more from their mean.
        #expect(run.farthest < 600_000 && healthy.farthest < 600_000, "\(run.farthest)")
    }
}
