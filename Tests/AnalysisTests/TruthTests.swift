import Analysis
import Capture
import Foundation
import Metrics
import Results
import Sessions
import Testing
import Timebase

@Suite("The analyzer against the emulator's truth")
struct TruthTests {
    private func scenario(_ seed: UInt64, carriage: String) -> String {
        let key = DrawKey(seed: seed)
        let loss = ["{ bernoulli: \(key.draw(1) % 5)% }", "{ gilbert_elliott: { loss: 2%, mean_burst: 3 } }"]
        return """
            name: truth
            duration: 3s
            seed: \(seed)
            program:
              substreams:
                - { id: video, kind: video, synthetic: { codec: h264, frame_rate: 25, gop: IBBP, bitrate: 1 Mbit/s } }
                - { id: audio, kind: audio, synthetic: { codec: mp2, frame_duration: 24ms, bitrate: 128 kbit/s } }
            sender: { carriage: \(carriage) }
            network:
              forward:
                - { rate: 3 Mbit/s, delay: \(5 + key.draw(2) % 40)ms }
                - delay: 10ms
                  jitter: { normal: { deviation: \(key.draw(3) % 6)ms } }
                  loss: \(loss[Int(key.draw(4) % 2)])
            receivers: [ { id: tv, playout: { fixed: 200ms } } ]
            """
    }

    /// Runs a scenario with capture into the folder's "run", and returns its record.
    private func run(_ seed: UInt64, carriage: String, in folder: TemporaryFolder) throws -> JSONValue {
        let yaml = folder.path + "/scenario.yaml"
        try scenario(seed, carriage: carriage).write(toFile: yaml, atomically: true, encoding: .utf8)
        var request = RunRequest(scenario: yaml)
        request.capture = true
        let null = open("/dev/null", O_WRONLY)
        defer { close(null) }
        let console = Console(outputDescriptor: null, errorDescriptor: null, isColoured: false, showsProgress: false)
        var session = RunSession(request, console: console)
        session.out = folder.path + "/run"
        session.quiet = true
        _ = try session.run()
        let bytes = try Data(contentsOf: URL(fileURLWithPath: folder.path + "/run/run.json"))
        return try JSONValue(parsing: Array(bytes))
    }

    @Test("A receiver that replays its own capture is the receiver that was", arguments: ["ts-rtp", "ts-udp"])
    func replay(carriage: String) throws {
        for seed in 1...4 as ClosedRange<UInt64> {
            let folder = try TemporaryFolder()
            let record = try run(seed, carriage: carriage, in: folder)
            let playout = try #require(record["playout"]?.elements?.first)
            let packets = try #require(record["flows"]?.elements?.first?["packets"])
            let path = folder.path + "/out"
            let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
            defer { close(descriptor) }
            var session = AnalyzeSession(
                [folder.path + "/run/capture/receiver.pcap"],
                console: Console(
                    outputDescriptor: descriptor, errorDescriptor: descriptor, isColoured: false, showsProgress: false))
            session.json = true
            // The playout that the scenario has, too short a one, and none that holds anything.
            for delay in ["200ms", "5ms", "0ms"] {
                session.playout = "fixed:" + delay
                ftruncate(descriptor, 0)
                lseek(descriptor, 0, SEEK_SET)
                #expect(try session.run() == 0)
                let document = try JSONValue(parsing: Array(try Data(contentsOf: URL(fileURLWithPath: path))))
                let measured = try #require(document["streams"]?.elements?.first?["playout"])
                #expect(measured["algorithm"]?.string == session.playout)
                let all = (measured["played"]?.integer ?? 0) + (measured["late"]?.integer ?? 0)
                #expect(all == packets["delivered"]?.integer)
                guard delay == "200ms" else { continue }
                for name in ["delay_ns", "buffer_ns", "underruns", "overflows"] {
                    #expect(measured[name] == playout[name], "\(carriage) \(seed) \(name)")
                }
                #expect(measured["late"]?.integer == packets["late"]?.integer)
            }
        }
    }

    @Test("What the receiver's capture shows is what happened", arguments: 1...12 as ClosedRange<UInt64>)
    func receiver(seed: UInt64) throws {
        let folder = try TemporaryFolder()
        let flow = try #require(try run(seed, carriage: "ts-rtp", in: folder)["flows"]?.elements?.first)
        func truth(_ name: String) -> Int64? { flow["packets"]?[name]?.integer }

        let analysis = try CaptureAnalysis(reading: [folder.path + "/run/capture/receiver.pcap"])
        #expect(analysis.inputs.first?.skipped.isEmpty == true)
        let stream = try #require(analysis.streams.first { $0.transportStream != nil })
        #expect(analysis.streams.count == 1)
        #expect(stream.clockSource == .sdp && stream.encoding == "MP2T")
        #expect(stream.quality.received == truth("delivered"))
        #expect(stream.quality.duplicates == truth("duplicates"))
        #expect(stream.quality.reordered == truth("reordered"))
        // A receiver cannot know of what was lost before its first packet and after its last.
        let sender = try CaptureAnalysis(reading: [folder.path + "/run/capture/sender.pcap"])
        let sent = try #require(sender.streams.first)
        #expect(sent.quality.lost == 0 && sent.quality.unique == truth("sent"))
        let lost = try #require(truth("lost_link")) + (truth("dropped_queue") ?? 0)
        let atEnds = try #require(sent.quality.expected) - (try #require(stream.quality.expected))
        #expect(try #require(stream.quality.lost) + atEnds == lost)
        #expect(atEnds < 20)
        // RTP timestamps are what the sender's clock showed, to 1/90000 s, and so is each difference.
        #expect(stream.quality.interarrivalJitter?.last == flow["interarrival_jitter_ns"]?["last"]?.integer)
        #expect(stream.quality.interarrivalJitter?.maximum == flow["interarrival_jitter_ns"]?["max"]?.integer)
        #expect(stream.quality.interarrivalJitter?.mean == flow["interarrival_jitter_ns"]?["mean"]?.integer)
        if atEnds == 0 {
            let runs = flow["loss_runs"]?.members?.map { "\($0.name):\($0.value.integer ?? 0)" }
            #expect(stream.quality.lossRuns.map { "\($0.length):\($0.count)" } == runs)
        }
    }
}
