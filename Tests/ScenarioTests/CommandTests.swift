import Emulator
import Metrics
import Scenario
import Testing
import Timebase

/// What one run of a scenario with commands presented and told.
private struct Commanded {
    var measurements = RunMeasurements()
    /// Commands as receivers were handed them, in that order, with their Lamport stamps.
    var delivered: [(node: Int, text: String, lamport: UInt64, at: Instant)] = []
    /// Of each receiver, where it played, sampled.
    var positions: [String: [(at: Instant, position: Int64)]] = [:]

    init(_ yaml: String, _ settings: [String] = []) throws {
        let scenario = try ScenarioDocument(title: "test.yaml", text: yaml).resolve(
            settings.map { ScenarioSetting(argument: $0) })
        var world = World(try WorldBuilder(scenario, title: "test.yaml").configuration())
        while let next = world.nextTimeout {
            world.handleTimeout(at: next)
            while let output = world.pollOutput() {
                switch output {
                case .logical(let event, let node, let at):
                    guard case .delivered = event.action else { continue }
                    delivered.append((node, event.text, event.stamp.lamport, at))
                case .sample(let at):
                    for value in world.seriesValues() where value.metric == "position" {
                        if let position = value.value { positions[value.entity, default: []].append((at, position)) }
                    }
                default: break
                }
            }
        }
        measurements = world.measurements()
    }

    func position(_ receiver: String, at second: Double) throws -> Double {
        let sample = try #require(positions[receiver]?.last { Double($0.at.nanoseconds) <= second * 1e9 })
        return Double(sample.position) / 1e9
    }

    func playout(_ receiver: String) throws -> PlayoutMeasurements {
        try #require(measurements.playout.first { $0.receiver == receiver })
    }

    /// Of each receiver, the commands in the order in which it did them.
    var orders: [[String]] {
        (1...measurements.playout.count).map { node in
            delivered.filter { $0.node == node }.map { $0.text.drop { $0 != ":" }.description }
        }
    }
}

@Suite("Playback commands of a scenario")
struct CommandTests {
    /// Receivers 20, 40 and 60 ms away by the same clock, with 200 ms of playout.
    private let yaml = """
        duration: 20s
        program:
          substreams:
            - { id: video, kind: video, synthetic: { codec: h264, frame_rate: 25, gop: IBBPBBPBBPBB, bitrate: 500 kbit/s } }
            - { id: audio, kind: audio, synthetic: { codec: mp2, frame_duration: 24ms, bitrate: 64 kbit/s } }
        network: { forward: [ { delay: 20ms } ] }
        receivers:
          - { id: near, playout: { fixed: 200ms } }
          - { id: middle, playout: { fixed: 200ms }, last_links: [ { delay: 20ms } ] }
          - { id: far, playout: { fixed: 200ms }, last_links: [ { delay: 40ms } ] }
        commands: { order: fifo, at: [ { at: 5s, node: sender, do: pause }, { at: 9s, node: sender, do: play } ] }
        outputs: { media: none, series: 10ms }
        """

    static let carriages = ["ts-rtp", "rtp-separate"]

    @Test(
        "a pause stands still, and play goes on from there: as much later as the pause was long", arguments: carriages)
    func pause(carriage: String) throws {
        let carriage = "sender.carriage=\(carriage)"
        let free = try Commanded(yaml, ["commands=none", carriage])
        let run = try Commanded(yaml, [carriage])
        for (receiver, delay) in [("near", 0.020), ("middle", 0.040), ("far", 0.060)] {
            // The command takes as long as the media: what is due when it comes is what was due at the sender's 5 s.
            let standing = try run.position(receiver, at: 7)
            #expect(try abs(run.position(receiver, at: 5 + delay - 0.01) - standing) < 0.02)
            #expect(try run.position(receiver, at: 8.9) == standing)
            #expect(try abs(run.position(receiver, at: 15) - (standing + 15 - 9 - delay)) < 0.011)
            #expect(try run.playout(receiver).pausedNanoseconds == 4_000_000_000)
            #expect(try run.playout(receiver).commands == 2)
        }
        let commands = try #require(run.measurements.commands)
        #expect(commands.order == "fifo" && commands.sent == 2 && commands.isOneOrder)
        // From the nearest to the farthest.
        #expect(
            commands.applicationSpread.map { $0.count == 2 && $0.minimum == 40_000_000 && $0.maximum == 40_000_000 }
                == true)
        // All shown is shown: nothing is lost by waiting, and what was asked for is no freeze.
        #expect(free.measurements.commands == nil && free.positions.isEmpty)
        for (one, other) in zip(run.measurements.substreams, free.measurements.substreams) {
            #expect(one.onTime == other.onTime && one.onTime == one.sentUnits)
            let (later, usual) = (try #require(one.endToEndDelay), try #require(other.endToEndDelay))
            #expect(later.count == usual.count && later.minimum == usual.minimum)
            #expect(abs(later.maximum - usual.maximum - 4_000_000_000) < 100)
            #expect(one.freezes?.count == other.freezes?.count)
        }
        for (one, other) in zip(run.measurements.lipSync, free.measurements.lipSync) {
            #expect(try abs(#require(one.skew).maximum - #require(other.skew).maximum) < 1_000_000)
            #expect(try #require(one.coverage) > 0.995)
        }
        // The program is over 4 s later as well.
        #expect((run.measurements.ended - free.measurements.ended) > .milliseconds(3_900))
    }

    @Test("receivers that play together keep together; by how much they do not is what commands take to come")
    func spread() throws {
        let run = try Commanded(yaml, ["commands.at=[ { at: 5s, node: near, do: pause } ]"])
        let commands = try #require(run.measurements.commands)
        // Near at once; the others 20 ms back, 20 ms there and their own 20 and 40 ms: later by 60 and 80 ms in true time,
        // and what plays there is 20 and 40 ms behind.
        #expect(commands.applicationSpread.map { $0.maximum == 80_000_000 } == true)
        let spread = try #require(commands.positionSpread)
        // Before the pause 40 ms apart, as their ways are; near, which plays ahead, stands 80 ms before far does.
        #expect(abs(spread.quantile(0.1) - 40_000_000) < 100_000)
        #expect(try abs(#require(commands.finalPositionSpreadNanoseconds) - 40_000_000) < 100_000)
        #expect(abs(spread.maximum - 40_000_000) < 10_100_000)
        let ends = try ["near", "middle", "far"].map { try #require(run.playout($0).positionNanoseconds) }
        #expect(try abs(Double(ends[0]) / 1e9 - run.position("near", at: 6)) < 1e-9)
        #expect(try run.playout("near").pausedNanoseconds ?? 0 > 14_900_000_000)
        // Who stands still to the end misses nothing and freezes nothing.
        #expect(run.measurements.warnings.isEmpty)
        #expect(run.measurements.substreams.allSatisfy { $0.onTime == $0.sentUnits && ($0.freezes?.count ?? 0) == 0 })
    }

    @Test("a seek goes back to what was received, and at most to what is due now", arguments: carriages)
    func seek(carriage: String) throws {
        let carriage = "sender.carriage=\(carriage)"
        let run = try Commanded(
            yaml,
            [
                carriage,
                "commands.at=[ { at: 8s, node: sender, do: seek, to: 3s }, { at: 12s, node: sender, do: seek, to: 19s } ]",
            ])
        let free = try Commanded(yaml, [carriage, "commands.at=[ { at: 19.9s, node: sender, do: play } ]"])
        for receiver in ["near", "middle", "far"] {
            #expect(try abs(run.position(receiver, at: 10) - run.position(receiver, at: 9) - 1) < 0.011)
            #expect(try abs(run.position(receiver, at: 10) - 5) < 0.08)
            #expect(try abs(run.position(receiver, at: 15) - free.position(receiver, at: 15)) < 0.011)
        }
        // From 3 s on, 4 s are shown again; then what is due at 12 s, and what lies between has been shown before.
        let video = try #require(run.measurements.substreams.first { $0.id == "video" })
        let usual = try #require(free.measurements.substreams.first { $0.id == "video" })
        let shown = try #require(video.endToEndDelay).count
        #expect(abs(shown - (try #require(usual.endToEndDelay).count)) <= 2)
        #expect(video.onTime == usual.onTime)
        let delay = try #require(video.endToEndDelay)
        #expect(delay.maximum > 4_500_000_000 && delay.maximum < 5_500_000_000)
        #expect(delay.minimum == usual.endToEndDelay?.minimum)
    }

    @Test("a seek while standing still moves what stands, before the beginning is the beginning", arguments: carriages)
    func standing(carriage: String) throws {
        let run = try Commanded(
            yaml,
            [
                "sender.carriage=\(carriage)",
                "commands.at=[ { at: 8s, node: sender, do: pause }, { at: 9s, node: sender, do: seek, to: 0s }, { at: 10s, node: sender, do: play } ]",
            ])
        #expect(try run.position("near", at: 9.5) < 0.05)
        #expect(try abs(run.position("near", at: 15) - (5 - 0.02)) < 0.06)
        #expect(try run.playout("near").pausedNanoseconds == 2_000_000_000)
    }

    /// Two viewers far apart who ask for the opposite at nearly the same time, three times.
    private func contended(_ order: String, seed: Int) -> [String] {
        let at = (0..<3).map { round in
            "{ at: \(4 + 4 * round)s, node: near, do: pause }, { at: \(4 + 4 * round).005s, node: far, do: play }"
        }
        return [
            "commands={ order: \(order), at: [ \(at.joined(separator: ", ")) ] }", "seed=\(seed)",
            "network.forward=[ { delay: 20ms, jitter: { exponential: { mean: 10ms } }, loss: { bernoulli: 5% } } ]",
            "network.reverse=[ { delay: 20ms, jitter: { exponential: { mean: 10ms } }, loss: { bernoulli: 5% } } ]",
        ]
    }

    @Test(
        "in total order and by a sequencer all receivers do the same in the same order, under loss and delay",
        arguments: ["total", "sequencer"], 1...5)
    func oneOrder(order: String, seed: Int) throws {
        let run = try Commanded(yaml, contended(order, seed: seed))
        #expect(run.measurements.commands?.isOneOrder == true && run.measurements.commands?.sent == 6)
        #expect(run.orders.allSatisfy { $0 == run.orders[0] && $0.count == 6 })
        // All stand or all play: apart by what commands and media take, and by losses that were sent again.
        let states = try ["near", "middle", "far"].map {
            try run.position($0, at: 19.5) == run.position($0, at: 19)
        }
        #expect(Set(states).count == 1)
        // The order is that of the stamps of delivery at each.
        for node in 1...3 {
            let stamps = run.delivered.filter { $0.node == node }.map(\.lamport)
            #expect(stamps == stamps.sorted())
        }
    }

    @Test("in the senders' own order alone one receiver ends up standing and another playing")
    func fifo() throws {
        let run = try Commanded(yaml, contended("fifo", seed: 1))
        #expect(run.measurements.commands?.isOneOrder == false)
        // Near hears its own pause first and far's play after that; far the other way round.
        #expect(run.orders[0] == [": pause", ": play", ": pause", ": play", ": pause", ": play"])
        #expect(run.orders[2] == [": play", ": pause", ": play", ": pause", ": play", ": pause"])
        #expect(try run.position("far", at: 19.5) == run.position("far", at: 19))
        #expect(try abs(run.position("near", at: 19.5) - run.position("near", at: 19) - 0.5) < 0.011)
        #expect((run.measurements.commands?.finalPositionSpreadNanoseconds ?? 0) > 5_000_000_000)
    }

    @Test(
        "the answer to a command comes after it in causal order, and not always without", arguments: ["causal", "fifo"])
    func causal(order: String) throws {
        // Far's way to middle is fast, near's is slow: what far says when it has heard near overtakes it.
        let run = try Commanded(
            yaml,
            [
                "commands={ order: \(order), at: [ { at: 5s, node: near, do: pause }, { at: 5.2s, node: far, do: play } ] }",
                "receivers=[ { id: near }, { id: middle, last_links: [ { delay: 0ms, schedule: [ { at: 4.9s, down: 300ms } ] } ] }, { id: far } ]",
            ])
        // Middle's link is down when near's command comes: it is sent again after far's has come.
        #expect(run.orders[2] == [": pause", ": play"])
        #expect(run.orders[1] == (order == "causal" ? [": pause", ": play"] : [": play", ": pause"]))
    }

    @Test("commands move nothing but what is presented: every packet meets the fate that it met without")
    func untouched() throws {
        let free = try Commanded(yaml, ["commands=none"])
        let run = try Commanded(yaml)
        for (one, other) in zip(run.measurements.flows, free.measurements.flows) {
            #expect(one.delivered == other.delivered && one.late == other.late && one.duplicates == other.duplicates)
            #expect(one.quality.pdv?.maximum == other.quality.pdv?.maximum)
        }
        #expect(run.measurements.digest.hexadecimal != free.measurements.digest.hexadecimal)
    }

    @Test(
        "what cannot be is told with its place and a remedy",
        arguments: [
            ("commands.at=[ { at: 1s, node: nobody, do: pause } ]", "there is no sender or receiver 'nobody'"),
            ("commands.at=[ { at: 1s, node: many, do: pause } ]", "'many' stands for 2 receivers"),
            ("commands.at=[ { at: 20s, node: sender, do: pause } ]", "the sources stop at 20s"),
            ("commands.at=[ { at: -1s, node: sender, do: pause } ]", "commands.at.0.at"),
            ("commands.at=[ { at: 1s, node: sender, do: seek, to: 30s } ]", "the program ends at 20s"),
            ("commands.at=[ { at: 1s, node: sender, do: stop } ]", "pause, play, seek"),
            ("commands.at=[ { at: 1s, node: sender, do: play, to: 3s } ]", "'to' goes with"),
            ("commands.at=[]", "there is no command"),
            ("commands.order=lamport", "fifo, causal, total, sequencer"),
            ("receivers.3.count=200", "a group of at most 128"),
        ])
    func problems(setting: String, sentence: String) throws {
        let error = #expect(throws: ScenarioProblems.self) {
            _ = try Commanded(
                yaml,
                ["receivers=[ { id: near }, { id: middle }, { id: far }, { id: many, count: 2 } ]", setting])
        }
        #expect(error?.description.contains(sentence) == true, "\(error?.description ?? "")")
    }
}
