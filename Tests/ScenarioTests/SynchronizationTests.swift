import ClockSync
import Emulator
import Foundation
import Metrics
@testable import Scenario
import Testing
import Timebase

/// One run of a scenario in memory.
private struct Synchronized {
    var measurements = RunMeasurements()
    var exchanges: [ExchangeRecord] = []
    var events: [(event: LogicalEvent, node: Int, at: Instant)] = []
    var packets: [PacketRecord] = []

    init(_ yaml: String, _ settings: [String] = []) throws {
        let scenario = try ScenarioDocument(title: "test.yaml", text: yaml).resolve(
            settings.map { ScenarioSetting(argument: $0) })
        var configuration = try WorldBuilder(scenario, title: "test.yaml").configuration()
        configuration.taps.packets = true
        var world = World(configuration)
        var latest = Instant.zero
        while let next = world.nextTimeout {
            #expect(next >= latest)
            latest = next
            world.handleTimeout(at: next)
            while let output = world.pollOutput() {
                switch output {
                case .packet(let record): packets.append(record)
                case .exchange(let record): exchanges.append(record)
                case .logical(let event, let node, let at): events.append((event, node, at))
                default: break
                }
            }
        }
        measurements = world.measurements()
    }

    func clock(_ node: String) throws -> ClockMeasurements {
        try #require(measurements.clocks.first { $0.node == node })
    }
}

@Suite("Clocks that a scenario synchronizes")
struct SynchronizationTests {
    /// Forward 20 ms, reverse 20 ms and what a test adds; a receiver 35 ms fast that gains 40 ppm.
    private let yaml = """
        duration: 60s
        program:
          substreams:
            - { id: audio, kind: audio, synthetic: { codec: mp2, frame_duration: 24ms, bitrate: 64 kbit/s } }
        network:
          forward: [ { delay: 20ms, jitter: { exponential: { mean: 1ms } } } ]
          reverse: [ { delay: 20ms } ]
        clocks: { receivers: { offset: 35ms, frequency: 40 ppm }, synchronization: none }
        receivers: [ { id: tv } ]
        outputs: { media: none, series: none }
        """

    @Test(
        "the error of the measured delay is the receiver's clock error less the sender's, datagram for datagram",
        arguments: ["none", "cristian", "{ ntp: { poll: 1s } }", "regression"])
    func delays(algorithm: String) throws {
        let run = try Synchronized(yaml, ["clocks.synchronization=\(algorithm)"])
        let flow = try #require(run.measurements.flows.first)
        let error = try #require(flow.oneWayDelayError)
        let clock = try run.clock("tv")
        let offset = try #require(clock.offsetError)
        #expect(error.count == flow.delivered)
        if algorithm == "none" {
            // From 35 ms on, 40 us a second: at a datagram's arrival at the first and the last.
            #expect(clock.synchronizedNanoseconds == nil && offset.count == 61)
            #expect(offset.minimum == 35_000_000 && offset.maximum == 35_000_000 + 60 * 40_000)
            #expect((35_000_000...35_040_000).contains(error.minimum))
            #expect((37_300_000...37_410_000).contains(error.maximum))
        } else {
            #expect(clock.algorithm == String(algorithm.drop { "{ ".contains($0) }.prefix { $0.isLetter }))
            #expect(clock.synchronizedNanoseconds.map { $0 < 10_000_000_000 } == true)
            // Half of the jitter's largest excess is all that it can be off by.
            #expect(abs(error.quantile(0.5)) < 2_000_000)
            #expect(clock.boundViolations == 0 && (clock.bound?.count ?? 0) > 50)
            #expect((clock.exchanges ?? 0) > 10)
        }
    }

    /// Nothing is lost here and nothing overtaken, so that the nth message to come is the nth that left.
    @Test("exchanges are events with the stamps that the textbook's rules give them", arguments: ["cristian", "ntp"])
    func stamps(algorithm: String) throws {
        let run = try Synchronized(
            yaml,
            [
                "clocks.synchronization=\(algorithm)", "clocks.servers=[ { id: s }, { id: t } ]",
                "receivers=[ { id: tv }, { id: radio } ]",
            ])
        var lamport = Array(repeating: 0 as UInt64, count: 5)
        var vectors = Array(repeating: Array(repeating: 0 as UInt32, count: 5), count: 5)
        var under: [[Int]: [LogicalStamp]] = [:]
        for (event, node, _) in run.events {
            switch event.action {
            case .sent(let peers):
                lamport[node] += 1
                #expect(peers.count == 1 && event.text == (node < 3 ? "request" : "reply"))
                under[[node, Int(peers[0])], default: []].append(event.stamp)
            case .received(let peer):
                var queue = under[[Int(peer), node]] ?? []
                let message = try #require(queue.first)
                queue.removeFirst()
                under[[Int(peer), node]] = queue
                lamport[node] = max(lamport[node], message.lamport) + 1
                vectors[node] = zip(vectors[node], message.vector).map { max($0, $1) }
            default: Issue.record("\(event)")
            }
            vectors[node][node] += 1
            #expect(event.stamp == LogicalStamp(lamport: lamport[node], node: UInt16(node), vector: vectors[node]))
        }
        // Cristian asks the first server alone.
        #expect(
            run.events.count > 60
                && Set(run.events.map(\.node)) == (algorithm == "ntp" ? [0, 1, 2, 3, 4] : [0, 1, 2, 3]))
        #expect(under.values.allSatisfy { $0.isEmpty })
    }

    @Test("what comes to a server that has crashed is no event, and the next that does knows of what was sent")
    func stampsAndCrash() throws {
        let run = try Synchronized(
            yaml,
            [
                "clocks.synchronization={ cristian: { poll: 2s } }", "clocks.servers=[ { id: s } ]",
                "faults=[ { at: 10s, for: 20s, node: s, kind: crash } ]",
            ])
        let silence = (Instant.zero + .seconds(10)..<Instant.zero + .seconds(30))
        #expect(!run.events.contains { $0.node == 2 && silence.contains($0.at) })
        #expect(run.events.contains { $0.node == 1 && silence.contains($0.at) })
        let before = try #require(run.events.last { $0.node == 2 && $0.at < silence.lowerBound })
        let after = run.events.filter { $0.node == 2 && $0.at >= silence.upperBound }
        #expect(after.first?.event.stamp.vector[2] == before.event.stamp.vector[2] + 1)
        // The sender asks as well.
        let heard = try #require(after.first { $0.event.action == .received(from: 1) })
        #expect(heard.event.stamp.vector[1] > before.event.stamp.vector[1] + 5)
    }

    /// One way takes 20 ms and more.
    @Test("a least delay that is shown to be wrong is said", arguments: [20, 22, 25])
    func minimumDelay(milliseconds: Int) throws {
        let run = try Synchronized(
            yaml, ["clocks.synchronization={ cristian: { poll: 2s, minimum_delay: \(milliseconds)ms } }"])
        let found = run.measurements.warnings.compactMap { warning in
            if case .minimumDelayTooLong("tv", let roundTrip, .milliseconds(Int64(milliseconds))) = warning {
                roundTrip
            } else {
                nil as TimeSpan?
            }
        }
        let least = try #require(run.exchanges.map(\.exchange.delay).min())
        #expect(found == (milliseconds == 20 ? [] : [least]))
        let broken = try #require(try run.clock("tv").boundViolations)
        #expect(milliseconds == 20 ? broken == 0 : milliseconds == 22 || broken > 0)
    }

    @Test("Berkeley's coordinator reads the others' clocks, and tells each its own correction")
    func berkeley() throws {
        let run = try Synchronized(
            yaml,
            [
                "clocks.synchronization={ berkeley: { poll: 4s } }",
                "receivers=[ { id: a }, { id: b, clock: { offset: -10ms } }, { id: c, clock: { frequency: 20 ppm } } ]",
            ])
        // The greatest coordinates.
        #expect(Set(run.exchanges.map(\.node)) == [3] && Set(run.exchanges.map(\.server)) == [0, 1, 2])
        #expect(run.exchanges.count > 300)
        for record in run.exchanges {
            let error = record.exchange.offset - record.trueOffset
            #expect(abs(error.nanoseconds) * 2 <= record.exchange.delay.nanoseconds + 10_000)
            #expect(record.sent < record.served.from && record.served.to < record.at)
        }
        let corrections = run.events.filter { $0.event.text.hasPrefix("correction") }
        var told: [Int: [String]] = [:]
        var different = 0
        for (event, _, _) in corrections {
            guard case .sent(let peers) = event.action else { continue }
            let texts = event.text.components(separatedBy: ", ")
            #expect(texts.count == peers.count)
            for (peer, text) in zip(peers, texts) { told[Int(peer), default: []].append(text) }
            if Set(texts).count > 1 { different += 1 }
        }
        #expect(different > 10)
        for member in 0...2 {
            let heard = corrections.filter { $0.node == member }.map(\.event.text)
            #expect(heard.count > 10 && told[member] == heard)
        }
    }

    @Test("half of what the ways differ stays, with its sign", arguments: [-15, 0, 30] as [Int64])
    func asymmetry(milliseconds: Int64) throws {
        for algorithm in ["cristian", "{ ntp: { poll: 1s } }", "regression"] {
            let run = try Synchronized(
                yaml,
                [
                    "clocks.synchronization=\(algorithm)", "network.forward=[{ delay: 20ms }]",
                    "network.reverse=[{ delay: \(20 + milliseconds)ms }]", "clocks.receivers.frequency=0 ppm",
                ])
            let offset = try #require(try run.clock("tv").offsetError)
            // The way to the server is the reverse one; what takes longer makes the clock fast.
            #expect(abs(offset.quantile(0.5) - milliseconds * 500_000) < 10_000, "\(algorithm)")
            for record in run.exchanges {
                let error = (record.exchange.offset - record.trueOffset).nanoseconds
                #expect(abs(error - milliseconds * 500_000) < 10_000 || record.at < .zero + .seconds(5), "\(algorithm)")
            }
        }
    }

    @Test("servers stand at the sender's end, or on a path of their own that nothing else crosses")
    func paths() throws {
        let servers =
            "clocks.servers=[{ id: near }, { id: far, path: { forward: [{ delay: 30ms }], reverse: [{ delay: 10ms }] } }]"
        let run = try Synchronized(yaml, [servers, "clocks.synchronization={ ntp: { poll: 1s } }"])
        #expect(run.measurements.clocks.map(\.node) == ["sender", "tv", "near", "far"])
        let far = run.exchanges.filter { $0.server == 3 }
        let near = run.exchanges.filter { $0.server == 2 && $0.node == 0 }
        #expect(far.count > 50 && near.count > 20)
        // A slew of 500 ppm makes 20 us of 40 ms.
        for record in far { #expect(abs(record.exchange.delay.nanoseconds - 40_000_000) <= 20_001) }
        // The sender reaches a server at its own end at once.
        for record in near { #expect(record.exchange.delay.nanoseconds <= 10) }
        let links = run.measurements.links
        let crossing = try ["far.forward.0", "far.reverse.0"].map { id in
            try #require(links.first { $0.id == id }).packetsIn
        }
        #expect(crossing == [Int64(far.count), Int64(far.count)])
    }

    @Test("a group agrees with itself: berkeley keeps to its mean, averaging falls behind by a delay a round")
    func groups() throws {
        let receivers = """
            receivers=[{ id: a, clock: { offset: 30ms } }, { id: b, clock: { offset: -10ms } }, { id: c, clock: { offset: 0ms } }]
            """
        let settings = [receivers, "network.forward=[{ delay: 20ms }]"]
        let berkeley = try Synchronized(yaml, settings + ["clocks.synchronization={ berkeley: { poll: 4s } }"])
        for clock in berkeley.measurements.clocks {
            // The mean of 0, 30, -10 and 0 ms; each way takes as long as the other.
            let offset = try #require(clock.offsetError)
            #expect(abs(offset.quantile(0.5) - 5_000_000) < 20_000, "\(clock.node)")
            #expect(clock.boundViolations == 0 && clock.algorithm == "berkeley")
        }
        #expect(berkeley.events.count > 100)
        let averaging = try Synchronized(
            yaml,
            settings + [
                "clocks.synchronization={ averaging: { interval: 10s, window: 1s, mean: all, slew: 100000 ppm } }"
            ])
        // A message from the sender takes 20 ms, from one receiver to another 40 ms: of four that are heard, the own one
        // without delay, three come late: on the average of the group by (3 x 20 + 3 x 20 + 6 x 40) / 16 ms a round.
        let rounds = 5.0
        // Rounds begin each ten seconds of the own clock; the sources stop before the sixth is over.
        let last = try averaging.measurements.clocks.map { try #require($0.offsetError).minimum }
        let mean = Double(last.reduce(0, +)) / Double(last.count)
        #expect(abs(mean - (5_000_000 - rounds * 22_500_000)) < 3_000_000, "\(mean)")
    }

    @Test("playout by the sender's clock: receivers behind unequal ways present together")
    func senderClock() throws {
        let receivers = """
            receivers=[{ id: near, anchor: sender-clock }, { id: far, anchor: sender-clock, last_links: [{ delay: 60ms }] }]
            """
        let run = try Synchronized(
            yaml,
            [
                receivers, "network.forward=[{ delay: 20ms }]", "network.reverse=[{ delay: 20ms }]",
                "clocks.synchronization=cristian", "clocks.receivers.frequency=0 ppm",
            ])
        let delays = try run.measurements.substreams.map { try #require($0.endToEndDelay).quantile(0.5) }
        #expect(delays.count == 2 && abs(delays[0] - delays[1]) < 200_000)
        let apart = try Synchronized(
            yaml,
            [
                receivers.replacing(", anchor: sender-clock", with: ""), "network.forward=[{ delay: 20ms }]",
                "clocks.receivers.frequency=0 ppm",
            ])
        let first = try apart.measurements.substreams.map { try #require($0.endToEndDelay).quantile(0.5) }
        #expect(abs(first[1] - first[0] - 60_000_000) < 200_000)
    }

    @Test("a clock jumps and changes its pace when the scenario says so")
    func steps() throws {
        let run = try Synchronized(
            yaml,
            [
                "clocks.receivers={ offset: 1ms, steps: [ { at: 10s, by: 5ms }, { at: 30s, frequency: 10 ppm } ] }",
                "clocks.synchronization=none",
            ])
        let offset = try #require(try run.clock("tv").offsetError)
        #expect(offset.minimum == 1_000_000)
        #expect(abs(offset.maximum - (6_000_000 + 300_000)) <= 10_001)
        #expect(abs(offset.quantile(0.4) - 6_000_000) < 10)
    }

    @Test(
        "a receiver's clock that jumps makes nothing happen before it can", arguments: ["500ms", "4ms", "1h"])
    func steppedReceiver(by: String) throws {
        let run = try Synchronized(
            yaml,
            [
                "clocks.receivers={ steps: [ { at: 20s, by: \(by) } ] }", "duration=40s",
                "network.forward=[ { delay: 20ms } ]",
            ])
        #expect(run.packets.count > 600)
        for packet in run.packets {
            #expect(packet.arrived.map { $0 - packet.sent == .milliseconds(20) } ?? false)
            if let released = packet.released, let arrived = packet.arrived { #expect(released >= arrived) }
        }
        let delay = try #require(run.measurements.substreams[0].endToEndDelay)
        #expect(delay.minimum >= 20_000_000)
    }

    @Test(
        "the round trip is the network's, whatever sets the clocks at either end",
        arguments: ["none", "cristian", "{ ntp: { poll: 1s } }", "regression", "berkeley", "averaging"],
        ["35ms", "-35ms", "2s"])
    func roundTrip(algorithm: String, offset: String) throws {
        let run = try Synchronized(
            yaml,
            [
                "clocks.synchronization=\(algorithm)", "clocks.receivers={ offset: \(offset), frequency: 40 ppm }",
                "network.forward=[ { delay: 20ms } ]",
            ])
        let roundTrip = try #require(run.measurements.flows[0].roundTrip)
        #expect(roundTrip.count >= 5)
        // Reports count in 2^-16 s, three of them; 40 ppm of the seconds that a receiver holds a report.
        #expect(abs(roundTrip.minimum - 40_000_000) < 450_000 && abs(roundTrip.maximum - 40_000_000) < 450_000)
    }

    /// A file of a test's own.
    private func file(_ text: String) throws -> String {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString + ".csv")
        try text.write(to: path, atomically: true, encoding: .utf8)
        return path.path
    }

    @Test("a clock follows a recorded one, on top of what it does by itself")
    func trace() throws {
        let offsets = try file("time_s,offset_ms\n0,1\n20,3\n40,2\n")
        let run = try Synchronized(
            yaml, ["clocks.receivers={ frequency: 10 ppm, trace: \(offsets) }", "clocks.synchronization=none"])
        let offset = try #require(try run.clock("tv").offsetError)
        #expect(offset.minimum == 1_000_000)
        // 3 ms after 20 s, with 200 us of its own.
        #expect(abs(offset.maximum - 3_200_000) <= 10)
        #expect(try run.clock("tv").trueFrequencyPartsPerBillion == 10_000)
        let frequencies = try file("time_s,frequency_ppm\n0,0\n30,-20\n")
        let slow = try Synchronized(
            yaml, ["clocks.receivers={ offset: 1ms, trace: \(frequencies) }", "clocks.synchronization=none"])
        let error = try #require(try slow.clock("tv").offsetError)
        #expect(error.maximum == 1_000_000 && abs(error.minimum - 400_000) < 20_001)
    }

    @Test("a trace that cannot be read is told with its file and line")
    func traceProblems() throws {
        let steep = try file("0,0\n1,5\n")
        let error = #expect(throws: ScenarioProblems.self) {
            _ = try Synchronized(yaml, ["clocks.sender={ trace: \(steep) }"])
        }
        #expect(error?.description.contains("clocks.sender.trace") == true)
        #expect(error?.description.contains("'\(steep)': line 2: expected an offset") == true)
        let both = #expect(throws: ScenarioProblems.self) {
            _ = try Synchronized(yaml, ["clocks.receivers={ trace: \(steep), steps: [ { at: 1s, by: 1ms } ] }"])
        }
        #expect(both?.description.contains("its trace or its steps, not both") == true)
    }

    @Test("clocks that wander do so by the same draws in every run, and not by each other's")
    func wander() throws {
        let settings = [
            "clocks.receivers={ wander: 100 ppb/sqrt(s), noise: 50 ppb }",
            "receivers=[{ id: a }, { id: b }]", "clocks.synchronization=none",
        ]
        let one = try Synchronized(yaml, settings)
        let same = try Synchronized(yaml, settings)
        let other = try Synchronized(yaml, settings + ["seed=2"])
        func errors(_ run: Synchronized) throws -> [Int64] {
            try ["a", "b"].map { try #require(try run.clock($0).offsetError).maximum }
        }
        #expect(try errors(one) == errors(same))
        #expect(try errors(one)[0] != errors(one)[1] && errors(one) != errors(other))
    }

    @Test(
        "what cannot be is told with its place",
        arguments: [
            (
                "receivers.0.anchor=sender-clock", "sender.carriage=ts-udp",
                "without RTP nobody knows the sender's clock"
            ),
            ("clocks.servers=[{ id: tv }]", "seed=1", "another name than the sender's and the receivers'"),
            ("clocks.servers=[{ id: s }]", "clocks.synchronization=berkeley", "berkeley asks no time server"),
            ("clocks.synchronization={ ntp: { poll: 3s } }", "seed=1", "a power of two seconds"),
            ("clocks.synchronization={ ntp: { poll: 4s, max_poll: 2s } }", "seed=1", "at least the poll of 4s"),
            (
                "clocks.synchronization={ averaging: { interval: 1s, window: 1s } }", "seed=1",
                "less than the interval of 1s"
            ),
            ("clocks.synchronization=berkeley", "receivers.0.count=200", "a group of at most 128"),
            ("clocks.receivers.steps=[{ at: 2s }, { at: 1s }]", "seed=1", "more than the step before: 2s"),
            ("clocks.receivers.wander=1 ppb", "seed=1", "1 ppb/sqrt(s)"),
        ])
    func problems(setting: String, other: String, sentence: String) throws {
        let error = #expect(throws: ScenarioProblems.self) {
            _ = try Synchronized(yaml, [other, setting])
        }
        #expect(error?.description.contains(sentence) == true, "\(error?.description ?? "")")
    }
}
