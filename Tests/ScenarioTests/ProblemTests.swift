import Testing
import Timebase

@testable import Scenario

@Suite("Problems of a scenario")
struct ProblemTests {
    @Test func fiveMistakesAreToldAtOnceInTheOrderOfTheirLines() throws {
        let yaml = """
            name: five
            program: { file: movie.ts }
            sender:
              fec: { reed_solomon: { media: 20, parity: 4 } }
            network:
              forward:
                - delai: 20ms
                  rate: 5
                  loss: { gilbert_elliott: { loss: 50%, mean_burst: 1.5 } }
            qos:
              loss: 1%
            """
        let error = #expect(throws: ScenarioProblems.self) { try resolve(yaml) }
        let found = try #require(error?.problems)
        #expect(found.map(\.place) == [4, 7, 8, 9, 11].map { .line(file: "test.yaml", $0) })
        #expect(
            found.map(\.path) == [
                "sender.fec", "network.forward.0.delai", "network.forward.0.rate",
                "network.forward.0.loss.gilbert_elliott.mean_burst", "qos.loss",
            ])
        #expect(found.map(\.value) == ["fec", "delai", "5", "1.5", "1%"])
        let text = """
            test.yaml:4: sender.fec: 'fec' is not supported by this version; leave it out
            test.yaml:7: network.forward.0.delai: unknown key 'delai'; expected one of rate, rate_trace, shaper, \
            overhead, policer, queue, delay, jitter, loss, reorder, duplicate, corrupt, reservable, cross_traffic, \
            schedule (did you mean 'delay'?)
            test.yaml:8: network.forward.0.rate: '5' is not valid; expected a bit rate with its unit, such as 5 Mbit/s \
            (the unit is missing: 5 Mbit/s?)
            test.yaml:9: network.forward.0.loss.gilbert_elliott.mean_burst: '1.5' is not valid; expected at least \
            1 / (1 - loss) = 2 (even independent losses of 50% come in runs of that mean length)
            test.yaml:11: qos.loss: '1%' is not valid; expected a comparison in quotes, such as '<= 0.1%'
            """
        #expect(error?.description == text)
    }

    /// A fragment beneath `program: { file: a.ts }`, the path of its one problem, and words that must be in it.
    static let mistakes: [(String, String, String)] = [
        ("nam: x", "nam", "did you mean 'name'?"),
        ("name: a/b", "name", "letters A-Z"),
        ("name: ''", "name", "letters A-Z"),
        ("duration: 0s", "duration", "expected from 1ns to 1000h"),
        ("duration: 60", "duration", "the unit is missing"),
        ("duration: 1001h", "duration", "expected from 1ns to 1000h"),
        ("seed: -1", "seed", "a whole number"),
        ("seed: 18446744073709551616", "seed", "a whole number"),
        ("seed: [1]", "seed", "a list cannot stand here"),
        ("seed:", "seed", "there is no value"),
        ("sender: { carriage: ts-rpt }", "sender.carriage", "did you mean 'ts-rtp'?"),
        ("sender: { mux_rate: fast }", "sender.mux_rate", "such as 5 Mbit/s"),
        ("sender: { ts_packets_per_datagram: 8 }", "sender.ts_packets_per_datagram", "from 1 to 7"),
        ("sender: { ts_packets_per_datagram: 0 }", "sender.ts_packets_per_datagram", "from 1 to 7"),
        ("sender: { pacing: per-frame }", "sender.pacing", "leave as it makes them; expected constant"),
        (
            "sender: { pacing: { token_bucket: { rate: 6 Mbit/s } } }",
            "sender.pacing.token_bucket", "supported: constant, per-frame"
        ),
        (
            "sender: { fec: { smpte2022_1: { columns: 10 } } }",
            "sender.fec", "not supported by this version; leave it out"
        ),
        ("sender: { retransmission: { nack: {} } }", "sender.retransmission", "not supported by this version"),
        ("sender: { interleave: { rows: 5 } }", "sender.interleave.columns", "it is missing"),
        ("sender: { interleave: {rows: 1, columns: 5} }", "sender.interleave.rows", "from 2 to 100"),
        ("sender: { interleave: {rows: 5, columns: 101} }", "sender.interleave.columns", "from 2 to 100"),
        ("sender: { interleave: {rows: 5, columns: 1} }", "sender.interleave.columns", "(with one row or column"),
        ("sender: { interleave: {rows: 5, columns: 2, row: 3} }", "sender.interleave.row", "did you mean 'rows'?"),
        ("sender: { interleave: 5x10 }", "sender.interleave", "expected keys: rows, columns"),
        (
            "sender: { interleave: {rows: 5, columns: 5}, carriage: ts-udp }", "sender.interleave",
            "without RTP the receiver cannot restore the order of the datagrams; expected carriage: ts-rtp (write"
        ),
        ("sender: { latency: -1ms }", "sender.latency", "from 0ms to 1h"),
        ("network: { forward: [] }", "network.forward", "at least one"),
        ("network: { forward: { rate: 1 Mbit/s } }", "network.forward", "begin each element with '- '"),
        ("network: { forward: [5] }", "network.forward.0", "a value cannot stand here"),
        ("network: { forward: [{ rate: 999 bit/s }] }", "network.forward.0.rate", "from 1 kbit/s to 1 Tbit/s"),
        ("network: { forward: [{ delay: -1ms }] }", "network.forward.0.delay", "from 0ms to 1h"),
        ("network: { forward: [{ loss: { bernoulli: 0.01 } }] }", "network.forward.0.loss.bernoulli", "1%, or 0.01%?"),
        ("network: { forward: [{ loss: { bernoulli: 101% } }] }", "network.forward.0.loss.bernoulli", "0% to 100%"),
        (
            "network: { forward: [{ loss: { pattern: {} } }] }",
            "network.forward.0.loss.pattern.drop", "numbers of packets"
        ),
        ("network: { forward: [{ loss: {} }] }", "network.forward.0.loss", "there is nothing chosen"),
        (
            "network: { forward: [{ loss: { gilbert_elliott: { loss: 1%, p: 1%, r: 5%, mean_burst: 2 } } }] }",
            "network.forward.0.loss.gilbert_elliott.p", "exclude each other"
        ),
        (
            "network: { forward: [{ rate_trace: { csv: a, repat: 1s } }] }", "network.forward.0.rate_trace.repat",
            "repeat"
        ),
        (
            "network: { forward: [{ loss: { gilbert_elliott: { p: 0%, r: 0% } } }] }",
            "network.forward.0.loss.gilbert_elliott.r", "more than 0%"
        ),
        (
            "network: { forward: [{ loss: { gilbert_elliott: { loss: 1%, mean_burst: 2, step: 1ms } } }] }",
            "network.forward.0.loss.gilbert_elliott.step", "goes with 'time_driven: true'"
        ),
        (
            "network: { forward: [{ loss: { markov4: { p13: 60%, p14: 60% } } }] }",
            "network.forward.0.loss.markov4.p14", "a sum of at most 100%"
        ),
        (
            "network: { forward: [{ loss: { markov4: { p13: 1%, p31: 0% } } }] }",
            "network.forward.0.loss.markov4.p31", "a burst would never end"
        ),
        (
            "network: { forward: [{ loss: { markov4: { loss: 5%, mean_burst: 3, burst_density: 4% } } }] }",
            "network.forward.0.loss.markov4.burst_density", "more than the loss of 5%"
        ),
        (
            "network: { forward: [{ loss: { pattern: { drop: [5, 100], repeat: 100 } } }] }",
            "network.forward.0.loss.pattern.drop.1", "a whole number from 0 to 99"
        ),
        (
            "network: { forward: [{ loss: { bit_error_rate: 2 } }] }", "network.forward.0.loss.bit_error_rate",
            "such as 1e-6"
        ),
        (
            "network: { forward: [{ jitter: { gamma: { mean: 5ms, shape: 0 } } }] }",
            "network.forward.0.jitter.gamma.shape", "from 0.05 to 10000"
        ),
        (
            "network: { forward: [{ jitter: { pareto: { mean: 5ms, shape: 1 } } }] }",
            "network.forward.0.jitter.pareto.shape", "from 1.05 to 1000"
        ),
        (
            "network: { forward: [{ jitter: { table: { deviation: 5ms } } }] }",
            "network.forward.0.jitter.table.file", "a file's name"
        ),
        ("network: { forward: [{ reorder: 101% }] }", "network.forward.0.reorder", "from 0% to 100%"),
        ("network: { forward: [{ overhead: ethernat }] }", "network.forward.0.overhead", "did you mean 'ethernet'?"),
        (
            "network: { forward: [{ rate: 1 Mbit/s, shaper: { rate: 1 Mbit/s, burst: 9 kB } }] }",
            "network.forward.0.shaper", "exclude each other"
        ),
        (
            "network: { forward: [{ policer: { rate: 1 Mbit/s, burst: 100 B } }] }",
            "network.forward.0.policer.burst", "from 1.6 kB to 1 GB"
        ),
        ("network: { forward: [{ rate_trace: {} }] }", "network.forward.0.rate_trace", "one of mahimahi, csv, hsdpa"),
        (
            "network: { forward: [{ rate: 1 Mbit/s, queue: { priority: { classes: [EG] } } }] }",
            "network.forward.0.queue.priority.classes.0", "a DSCP: EF"
        ),
        (
            "network: { forward: [{ rate: 1 Mbit/s, queue: { wfq: { classes: { EF: { rate: 2 Mbit/s } } } } }] }",
            "network.forward.0.queue.wfq.classes", "at most the link's 1 Mbit/s"
        ),
        (
            "network: { forward: [{ rate: 1 Mbit/s, queue: { wfq: { classes: { EF: {} } } } }] }",
            "network.forward.0.queue.wfq.classes.EF.rate", "the rate that the class is guaranteed"
        ),
        (
            "network: { forward: [{ rate: 1 Mbit/s, queue: { codel: { target: 5 } } }] }",
            "network.forward.0.queue.codel.target", "the unit is missing: 5 ms?"
        ),
        (
            "network: { forward: [{ schedule: [{ at: 5s, delay: 1ms }, { at: 5s, delay: 2ms }] }] }",
            "network.forward.0.schedule.1.at", "rising times"
        ),
        (
            "network: { forward: [{ schedule: [{ at: 5s, rate: 1 Mbit/s }] }] }",
            "network.forward.0.schedule.0.rate", "no constant rate"
        ),
        ("network: { forward: [{ schedule: [{ at: 5s }] }] }", "network.forward.0.schedule.0", "nothing changes"),
        ("network: { forward: [{ schedule: [{ down: 5s }] }] }", "network.forward.0.schedule.0.at", "it is missing"),
        (
            "network: { forward: [{ cross_traffic: [{ poisson: { packet: 100 B } }] }] }",
            "network.forward.0.cross_traffic.0.poisson.rate", "it is missing"
        ),
        (
            "network: { forward: [{ cross_traffic: [{ constant: { rate: 1 Mbit/s, packet: 9 kB } }] }] }",
            "network.forward.0.cross_traffic.0.constant.packet", "from 28 B to 1.5 kB"
        ),
        (
            "network: { forward: [{ cross_traffic: [{}] }] }", "network.forward.0.cross_traffic.0",
            "one of poisson, constant, on_off, trace"
        ),
        ("sender: { classes: { audio: EF, video: AF41 } }", "sender.classes.video", "one multiplex has one class"),
        ("sender: { reservation: { rate: 1 Mbit/s } }", "sender.reservation.burst", "it is missing"),
        (
            "network: { forward: [{ loss: { bernoulli: 1%, gilbert_elliott: { loss: 1%, mean_burst: 2 } } }] }",
            "network.forward.0.loss.gilbert_elliott", "exclude each other"
        ),
        (
            "network: { forward: [{ loss: { gilbert_elliott: { loss: 100%, mean_burst: 2 } } }] }",
            "network.forward.0.loss.gilbert_elliott.loss", "less than 100%"
        ),
        (
            "network: { forward: [{ loss: { gilbert_elliott: { loss: 1% } } }] }",
            "network.forward.0.loss.gilbert_elliott.mean_burst", "it is missing"
        ),
        (
            "network: { forward: [{ loss: { gilbert_elliott: { loss: 0%, mean_burst: 0.9 } } }] }",
            "network.forward.0.loss.gilbert_elliott.mean_burst", "from 1 to 1000000"
        ),
        (
            "network: { forward: [{ jitter: { normal: { deviation: 5ms, correlation: 100% } } }] }",
            "network.forward.0.jitter.normal.correlation", "less than 100%"
        ),
        ("network: { forward: [{ jitter: { gama: {} } }] }", "network.forward.0.jitter.gama", "did you mean 'gamma'?"),
        ("network: { forward: [{ jitter: { normal: {} } }] }", "network.forward.0.jitter.normal.deviation", "missing"),
        (
            "network: { forward: [{ queue: { drop_tail: { limit: 1s } } }] }", "network.forward.0.queue",
            "a link without a rate has no queue"
        ),
        (
            "network: { forward: [{ rate: 1 Mbit/s, queue: none }] }", "network.forward.0.queue",
            "a link with a rate has a queue"
        ),
        (
            "network: { forward: [{ rate: 1 Mbit/s, queue: codle }] }", "network.forward.0.queue",
            "did you mean 'codel'?"
        ),
        (
            "network: { forward: [{ rate: 1 Mbit/s, queue: { drop_tail: { limit: 100 } } }] }",
            "network.forward.0.queue.drop_tail.limit", "100 packets, 64 kB or 100 ms"
        ),
        (
            "network: { forward: [{ rate: 1 Mbit/s, queue: { drop_tail: { limit: 0 packets } } }] }",
            "network.forward.0.queue.drop_tail.limit", "more than nothing"
        ),
        (
            "network: { forward: [{ rate: 1 Mbit/s, queue: { drop_tail: {} } }] }",
            "network.forward.0.queue.drop_tail.limit", "it is missing"
        ),
        ("clocks: { sender: { offset: 35 } }", "clocks.sender.offset", "the unit is missing"),
        ("clocks: { sender: { frequency: 200000 ppm } }", "clocks.sender.frequency", "from -100000 ppm"),
        ("clocks: { receivers: { wander: 1 ppb } }", "clocks.receivers.wander", "ppb/sqrt(s)"),
        ("clocks: { synchronization: ptp }", "clocks.synchronization", "berkeley"),
        ("clocks: { synchronization: { ntp: { poll: 3s } } }", "clocks.synchronization.ntp.poll", "a power of two"),
        ("receivers: []", "receivers", "at least one"),
        ("receivers: [{ id: a }, { id: a }]", "receivers.1.id", "given twice"),
        ("receivers: [{ id: a }, {}]", "receivers.1.id", "it is missing"),
        ("receivers: [{ id: a.1 }]", "receivers.0.id", "letters A-Z"),
        ("receivers: [{ id: sender }]", "receivers.0.id", "another name"),
        ("receivers: [{ count: 0 }]", "receivers.0.count", "from 1 to 10000"),
        ("receivers: [{ id: a, count: 6000 }, { id: b, count: 6000 }]", "receivers.1.count", "at most 10000"),
        ("receivers: [{ playout: 150ms }]", "receivers.0.playout", "fixed"),
        ("receivers: [{ playout: { adaptive: {} } }]", "receivers.0.playout.adaptive", "supported: fixed"),
        ("receivers: [{ playout: { fixed: 1ms, late: drop } }]", "receivers.0.playout.late", "one level further out"),
        ("receivers: [{ anchor: last-arrival }]", "receivers.0.anchor", "first-arrival"),
        ("receivers: [{ clock_recovery: pll }]", "receivers.0.clock_recovery", "pcr"),
        (
            "receivers: [{ clock_recovery: rtcp }]\nsender: { carriage: ts-udp }", "receivers.0.clock_recovery",
            "none, pcr or window-min"
        ),
        (
            "receivers: [{ anchor: sender-clock, clock_recovery: pcr }]", "receivers.0.clock_recovery",
            "anchor: first-arrival"
        ),
        (
            "receivers: [{ anchor: sender-clock }]\nclocks: { sender: { offset: 100h } }", "receivers.0.anchor",
            "would wait 360000s"
        ),
        (
            "receivers: [{ anchor: sender-clock, clock: { offset: -2h } }]\nclocks: { synchronization: ntp }",
            "receivers.0.anchor", "at most 3600s apart"
        ),
        ("qos: { jitter: '<= 30' }", "qos.jitter", "the unit is missing"),
        ("qos: { jitter: 30ms }", "qos.jitter", "a comparison in quotes"),
        ("qos: { jitter: 'p98 <= 30ms' }", "qos.jitter", "before it can stand: min, mean, p5"),
        ("qos: { session_setup_delay: 'max <= 2s' }", "qos.session_setup_delay", "a comparison in quotes"),
        ("qos: { loss: 'p99 <= 1%' }", "qos.loss", "a comparison in quotes"),
        ("qos: { end_to_end: '<= 1s' }", "qos.end_to_end", "did you mean 'end_to_end_delay'?"),
        ("qos: { lip_sync: 'within itu-bt1359 for 99%' }", "qos.lip_sync", "itu-bt1359 acceptability"),
        ("qos: { lip_sync: '<= 45ms' }", "qos.lip_sync", "within PROFILE BAND for P%"),
        ("capture: { points: [sender, middle] }", "capture.points.1", "sender, receiver"),
        ("outputs: { media: [shown] }", "outputs.media.0", "sent, received, presented"),
        (
            """
            outputs: { media: [presented] }
            commands: { at: [ { at: 2s, node: sender, do: seek, to: 1s } ] }
            """, "outputs.media", "leave presented out"
        ),
        ("outputs: { series: 10us }", "outputs.series", "from 1ms"),
        ("outputs: { packets: yes }", "outputs.packets", "true, false"),
    ]

    @Test("One mistake is one problem, at its path", arguments: mistakes)
    func mistake(fragment: String, path: String, words: String) throws {
        let error = #expect(throws: ScenarioProblems.self) { try resolve("program: { file: a.ts }\n" + fragment) }
        let found = try #require(error?.problems)
        #expect(found.map(\.path) == [path])
        #expect(found[0].place == .line(file: "test.yaml", 2))
        #expect(found[0].description.contains(words), "\(found[0])")
    }

    static let programs: [(String, String, String)] = [
        ("{}", "program", "a file or substreams"),
        ("{ file: a.ts, substreams: [{ id: a, trace: b }] }", "program.substreams", "exclude each other"),
        ("{ substreams: [] }", "program.substreams", "at least one"),
        ("{ substreams: [{ id: a, trace: b }], loop: true }", "program.loop", "goes with 'file'"),
        ("{ file: a.ts, loop: maybe }", "program.loop", "expected true, false"),
        ("{ file: a.ts, sha256: abc }", "program.sha256", "64 hexadecimal digits"),
        ("{ substreams: [{ trace: b }] }", "program.substreams.0.id", "it is missing"),
        ("{ substreams: [{ id: a }] }", "program.substreams.0", "what this substream holds"),
        ("{ substreams: [{ id: a, trace: b }, { id: a, trace: c }] }", "program.substreams.1.id", "given twice"),
        (
            "{ substreams: [{ id: a, synthetic: { bitrate: 1 Mbit/s } }] }",
            "program.substreams.0.synthetic.codec", "missing"
        ),
        ("{ substreams: [{ id: a, synthetic: { codec: h265 } }] }", "program.substreams.0.synthetic.codec", "h264"),
        (
            "{ substreams: [{ id: a, synthetic: { codec: h264 } }] }",
            "program.substreams.0.synthetic.bitrate", "missing"
        ),
        (
            "{ substreams: [{ id: a, kind: audio, synthetic: { codec: h264, bitrate: 1 Mbit/s } }] }",
            "program.substreams.0.kind", "expected video"
        ),
        (
            "{ substreams: [{ id: a, synthetic: { codec: h264, bitrate: 1 Mbit/s, gop: BIP } }] }",
            "program.substreams.0.synthetic.gop", "an I first"
        ),
        (
            "{ substreams: [{ id: a, synthetic: { codec: h264, bitrate: 1 Mbit/s, frame_rate: 0 } }] }",
            "program.substreams.0.synthetic.frame_rate", "29.97 or 30000/1001"
        ),
        (
            "{ substreams: [{ id: a, synthetic: { codec: h264, bitrate: 1 kbit/s } }] }",
            "program.substreams.0.synthetic.bitrate", "raise the bit rate"
        ),
        (
            "{ substreams: [{ id: a, synthetic: { codec: mp2, bitrate: 100 kbit/s } }] }",
            "program.substreams.0.synthetic.bitrate", "96, 112, 128"
        ),
        (
            "{ substreams: [{ id: a, synthetic: { codec: mp2, bitrate: 96 kbit/s, frame_duration: 20ms } }] }",
            "program.substreams.0.synthetic.frame_duration", "24ms or 36ms"
        ),
        (
            "{ substreams: [{ id: a, synthetic: { codec: mp2, bitrate: 96 kbit/s, size_variation: 5% } }] }",
            "program.substreams.0.synthetic.size_variation", "one size"
        ),
        (
            "{ substreams: [{ id: a, kind: data, synthetic: { codec: opaque, bitrate: 96 kbit/s } }] }",
            "program.substreams.0.synthetic", "too little"
        ),
        (
            "{ substreams: [{ id: a, kind: data, "
                + "synthetic: { codec: opaque, bitrate: 96 kbit/s, frame_rate: 5, unit_size: 9 B } }] }",
            "program.substreams.0.synthetic", "too much"
        ),
        (
            "{ substreams: [{ id: a, synthetic: { codec: opaque, unit_size: 9 B, frame_rate: 5 } }] }",
            "program.substreams.0.kind", "video, audio or data"
        ),
    ]

    @Test("A mistake in the program is one problem, at its path", arguments: programs)
    func program(fragment: String, path: String, words: String) throws {
        let error = #expect(throws: ScenarioProblems.self) { try resolve("program: " + fragment) }
        let found = try #require(error?.problems)
        #expect(found.map(\.path) == [path])
        #expect(found[0].description.contains(words), "\(found[0])")
    }

    static let syntax: [(String, Int, String)] = [
        ("program: [1, 2", 2, "not YAML"),
        ("program: { file: a.ts }\nqos:\n  bitrate: >= 4 Mbit/s\n", 3, "goes in quotes"),
        ("program:\n\tfile: a.ts\n", 2, "not tabs"),
        ("program: { file: a.ts }\n---\na: b", 2, "here begins another"),
        ("program: { file: *x }", 1, "undefined alias"),
        ("- a\n- b", 1, "a list cannot be a scenario"),
        ("hello", 1, "a value cannot be a scenario"),
    ]

    @Test("What is not YAML is told with its line", arguments: syntax)
    func syntaxError(yaml: String, line: Int, words: String) throws {
        let found = try #require(#expect(throws: ScenarioProblems.self) { try resolve(yaml) }?.problems)
        #expect(found.map(\.place) == [.line(file: "test.yaml", line)])
        #expect(found[0].description.contains(words), "\(found[0])")
    }

    @Test func keysGivenTwiceAreToldBesideTheRest() {
        let yaml = """
            program: { file: a.ts }
            seed: 1
            seed: 2
            network:
              forward:
                - delay: 1
                  delay: 2ms
                  "delay": 4
            """
        #expect(
            problems(yaml) == [
                "test.yaml:2: seed: key 'seed' is given twice",
                "test.yaml:6: network.forward.0.delay: key 'delay' is given twice",
                "test.yaml:7: network.forward.0.delay: key 'delay' is given twice",
                "test.yaml:8: network.forward.0.delay: '4' is not valid; expected a time with its unit, such as 20ms "
                    + "(the unit is missing: 4 ms?)",
            ])
    }

    @Test("Nothing at all is one problem", arguments: ["", "# only a comment", "\n\n"])
    func empty(yaml: String) {
        #expect(problems(yaml).count == 1)
    }
}

@Suite("Any text")
struct AnyTextTests {
    @Test func everyBeginningOfAScenarioIsReadOrRefused() {
        let bytes = Array(ResolutionTests.withoutVideo.utf8)
        for count in 0..<bytes.count {
            let text = String(decoding: bytes[..<count], as: UTF8.self)
            let document = ScenarioDocument(title: "t", text: text)
            do {
                _ = try document.resolve(checksFiles: false)
            } catch {
                #expect(!error.problems.isEmpty)
            }
        }
    }

    @Test("Scenarios with random changes are read or refused, seed 3")
    func randomChanges() {
        var draws = SplitMix(state: 3)
        let original = Array(ResolutionTests.withoutVideo.utf8)
        let letters = Array("{}[]:,-&*!|>'\"%@`#? \n\t0129aexz.~".utf8)
        for _ in 0..<1500 {
            var bytes = original
            for _ in 0...Int(draws.next() % 4) {
                let place = Int(draws.next() % UInt64(bytes.count))
                let letter = letters[Int(draws.next() % UInt64(letters.count))]
                if draws.next() % 2 == 0 { bytes[place] = letter } else { bytes.insert(letter, at: place) }
            }
            let document = ScenarioDocument(title: "t", text: String(decoding: bytes, as: UTF8.self))
            do {
                let scenario = try document.resolve(checksFiles: false)
                // What was accepted can be written and read.
                let again = ScenarioDocument(title: "u", text: scenario.resolvedYAML)
                #expect((try? again.resolve(checksFiles: false)) == scenario)
            } catch {
                #expect(!error.problems.isEmpty)
            }
        }
    }

    @Test func aliasesOfAliasesAreCutShort() {
        var yaml = "a: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            yaml += "b\(level): &a\(level) [\(aliases)]\n"
        }
        #expect(problems(yaml).contains { $0.contains("more than 100000 values") })
    }

    static let deep = ["[", "{a: ", "- ", "? "]

    @Test("Deep nesting is refused", arguments: deep)
    func deepNesting(opening: String) {
        #expect(!problems(String(repeating: opening, count: 20_000)).isEmpty)
        let indented = (0..<3000).map { String(repeating: " ", count: $0) + "a:\n" }.joined()
        #expect(!problems(indented).isEmpty)
    }
}
