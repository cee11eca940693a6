import Emulator
import Metrics
import NetworkEmulation
import Scenario
import Testing
import Timebase

@Suite("An interleaver in a scenario")
struct ScenarioInterleavingTests {
    static func scenario(_ sender: String, link: String = "delay: 10ms", duration: String = "8s") -> String {
        """
        duration: \(duration)
        seed: 5
        program:
          substreams:
            - { id: video, kind: video, synthetic: { codec: h264, frame_rate: 25, gop: IBBPBBPBBPBB, bitrate: 2 Mbit/s, size_variation: 20% } }
            - { id: audio, kind: audio, synthetic: { codec: mp2, frame_duration: 24ms, bitrate: 96 kbit/s } }
        sender: { \(sender) }
        network: { forward: [ { \(link) } ] }
        receivers: [ { id: tv, playout: { fixed: 0ms } } ]
        """
    }

    static func configuration(_ yaml: String) throws -> WorldConfiguration {
        let scenario = try ScenarioDocument(title: "test.yaml", text: yaml, folder: "/").resolve()
        return try WorldBuilder(scenario, title: "test.yaml").configuration()
    }

    static let senders = [
        "interleave: { rows: 10, columns: 10 }", "interleave: { rows: 2, columns: 30 }, mux_rate: vbr",
        "interleave: { rows: 10, columns: 10 }, mux_rate: vbr",
        "interleave: { rows: 100, columns: 100 }, mux_rate: vbr",
        "interleave: { rows: 8, columns: 5 }, mux_rate: vbr, ts_packets_per_datagram: 3",
        "interleave: { rows: 4, columns: 4 }, mux_rate: 3 Mbit/s, ts_packets_per_datagram: 1",
    ]

    @Test(
        "on a perfect network, with no playout delay, nothing is late and what is released is what was sent",
        arguments: senders)
    func perfectNetwork(sender: String) throws {
        var configuration = try Self.configuration(Self.scenario(sender))
        configuration.taps.media = true
        var world = World(configuration)
        var (sent, released): ([UInt8], [UInt8]) = ([], [])
        VirtualTime.run(
            &world, shouldStop: { _ in false },
            take: { world, output in
                switch output {
                case .sentMedia(let packet): sent += world.payload(of: packet)[world.mediaHeaderLength...]
                case .releasedMedia(let packet, _): released += world.payload(of: packet)[world.mediaHeaderLength...]
                default: break
                }
            })
        let flow = world.measurements().flows[0]
        #expect(flow.late == 0 && flow.delivered == flow.sent && flow.duplicates == 0 && flow.quality.reordered == 0)
        #expect(sent == released && sent.count > 188 * 10_000)
    }

    @Test("at a variable rate nothing is late either, whichever datagrams are lost at the beginning")
    func lostBeginning() throws {
        var configuration = try Self.configuration(
            Self.scenario("interleave: { rows: 5, columns: 6 }, mux_rate: vbr", duration: "2s"))
        for lost in 1...61 {
            let loss = try #require(ListedLoss(Array(0..<lost), mediaOnly: true))
            configuration.forward[0].configuration.loss = .listed(loss)
            var world = World(configuration)
            VirtualTime.run(&world)
            let flow = world.measurements().flows[0]
            #expect(flow.lostLink == Int64(lost) && flow.late == 0, "\(lost) lost: \(flow.late) late")
        }
    }

    static let sparseSenders = [
        "interleave: { rows: 4, columns: 4 }, mux_rate: vbr", "interleave: { rows: 10, columns: 10 }, mux_rate: vbr",
        "interleave: { rows: 20, columns: 3 }, mux_rate: vbr, ts_packets_per_datagram: 2",
        "interleave: { rows: 10, columns: 10 }",
    ]

    /// Five pictures a second and no sound: what is left after a stop is little, and would be far between.
    @Test("whenever the sources are stopped, all that was multiplexed is sent, once, in time", arguments: sparseSenders)
    func stopping(sender: String) throws {
        let yaml = Self.scenario(sender, duration: "20s").replacing("frame_rate: 25", with: "frame_rate: 5")
            .replacing("2 Mbit/s", with: "300 kbit/s").split(separator: "\n").filter { !$0.contains("mp2") }
        let configuration = try Self.configuration(yaml.joined(separator: "\n"))
        for milliseconds in stride(from: 0, to: 6_000, by: 187) {
            var world = World(configuration)
            let stop = Instant.zero + .milliseconds(Int64(milliseconds))
            while let next = world.nextTimeout, next < stop { world.handleTimeout(at: next) }
            world.handle(.stopSources, at: stop)
            VirtualTime.run(&world)
            let flow = world.measurements().flows[0]
            #expect(flow.sent > 0 && flow.sent == flow.delivered && flow.lossRuns.isEmpty && flow.late == 0)
            #expect(world.packetsUnderWay == 0)
        }
    }

    @Test("long runs of losses on the wire become short ones in the stream")
    func bursts() throws {
        let link = "delay: 10ms, loss: { gilbert_elliott: { loss: 3%, mean_burst: 8 } }"
        func flow(_ sender: String) throws -> FlowMeasurements {
            var world = World(try Self.configuration(Self.scenario(sender, link: link, duration: "60s")))
            VirtualTime.run(&world)
            return world.measurements().flows[0]
        }
        /// The mean length of a run, and five standard deviations where runs are geometric with this mean.
        func mean(_ runs: [(length: Int64, count: Int64)], expected: Double) -> (measured: Double, bound: Double) {
            let count = Double(runs.reduce(0) { $0 + $1.count })
            let losses = Double(runs.reduce(0) { $0 + $1.length * $1.count })
            return (losses / count, 5 * (expected * (expected - 1) / count).squareRoot())
        }
        let interleaved = try flow("interleave: { rows: 20, columns: 10 }")
        let plain = try flow("interleave: none")
        #expect(plain.lossRuns.elementsEqual(plain.quality.lossRuns, by: ==))
        // The draws are the packets', so the wire loses the same numbers.
        #expect(interleaved.quality.lossRuns.elementsEqual(plain.quality.lossRuns, by: ==))
        #expect(interleaved.late == 0 && interleaved.quality.reordered == 0)
        let wire = mean(interleaved.quality.lossRuns, expected: 8)
        #expect(abs(wire.measured - 8) < wire.bound)
        // p = 0.03 / 0.97 / 8, r = 1 / 8, ρ = 1 − p − r: 1 / r_I = 1 / (0.97 (1 − ρ^20)).
        let stream = mean(interleaved.lossRuns, expected: 1.10)
        #expect(abs(stream.measured - 1.10) < stream.bound)
        #expect(stream.bound < 0.15)
        #expect((interleaved.quality.lossRuns.last?.length ?? 0) > 15)
        #expect((interleaved.lossRuns.last?.length ?? 0) <= 4)
    }
}
