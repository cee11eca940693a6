import Analysis
import Capture
import Foundation
import Metrics
import Report
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

    @Test("What the receiver's capture shows is what happened", arguments: 1...12 as ClosedRange<UInt64>)
    func receiver(seed: UInt64) throws {
        let folder = try TemporaryFolder()
        let yaml = folder.path + "/scenario.yaml"
        try scenario(seed, carriage: "ts-rtp").write(toFile: yaml, atomically: true, encoding: .utf8)
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
        let flow = try #require(try JSONValue(parsing: Array(bytes))["flows"]?.elements?.first)
        func truth(_ name: String) -> Int64? { flow["packets"]?[name]?.integer }

        let analysis = try CaptureAnalysis(reading: [folder.path + "/run/capture/receiver.pcap"])
        #expect(analysis.inputs.first?.skipped.isEmpty == true)
        let stream = try #require(analysis.streams.first { $0.transportStream != nil })
        #expect(analysis.streams.count == 1)
        #expect(stream.clockSource == .sdp && stream.encoding == "MP2T")
        #expect(stream.unique == truth("delivered"))
        #expect(stream.received == truth("delivered").map { $0 + (truth("duplicates") ?? 0) })
        #expect(stream.reordered == truth("reordered"))
        // A receiver cannot know of what was lost before its first packet and after its last.
        let sender = try CaptureAnalysis(reading: [folder.path + "/run/capture/sender.pcap"])
        let sent = try #require(sender.streams.first)
        #expect(sent.lost == 0 && sent.unique == truth("sent"))
        let lost = try #require(truth("lost_link")) + (truth("dropped_queue") ?? 0)
        let atEnds = try #require(sent.expected) - (try #require(stream.expected))
        #expect(try #require(stream.lost) + atEnds == lost)
        #expect(atEnds < 20)
        // RTP timestamps are what the sender's clock showed, to 1/90000 s, and so is each difference.
        #expect(stream.interarrivalJitter?.last == flow["interarrival_jitter_ns"]?["last"]?.integer)
        #expect(stream.interarrivalJitter?.maximum == flow["interarrival_jitter_ns"]?["max"]?.integer)
        #expect(stream.interarrivalJitter?.mean == flow["interarrival_jitter_ns"]?["mean"]?.integer)
        if atEnds == 0 {
            let runs = flow["loss_runs"]?.members?.map { "\($0.name):\($0.value.integer ?? 0)" }
            #expect(stream.lossRuns.map { "\($0.length):\($0.count)" } == runs)
        }
    }
}
