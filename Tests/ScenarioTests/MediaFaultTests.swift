import Emulator
import Metrics
import Scenario
import Testing
import Timebase

@Suite("Faults of the program's ends")
struct MediaFaultTests {
    /// A receiver that keeps well, and one of which the tests are about; 200 ms of playout.
    private let yaml = """
        duration: 20s
        program:
          substreams:
            - { id: video, kind: video, synthetic: { codec: h264, frame_rate: 25, gop: IBBPBBPBBPBB, bitrate: 500 kbit/s } }
            - { id: audio, kind: audio, synthetic: { codec: mp2, frame_duration: 24ms, bitrate: 64 kbit/s } }
        network: { forward: [ { delay: 20ms } ] }
        receivers: [ { id: well, playout: { fixed: 200ms } }, { id: ill, playout: { fixed: 200ms } } ]
        outputs: { media: none, series: none }
        """

    private struct Run {
        var measurements = RunMeasurements()
        /// When packets left the sender's node, and each receiver's.
        var left: [CapturePoint: [Instant]] = [:]
        private var records: [PacketRecord] = []

        init(_ yaml: String, _ settings: [String]) throws {
            let scenario = try ScenarioDocument(title: "test.yaml", text: yaml).resolve(
                settings.map { ScenarioSetting(argument: $0) })
            var configuration = try WorldBuilder(scenario, title: "test.yaml").configuration()
            configuration.taps.capturesNodes = true
            configuration.taps.packets = true
            var world = World(configuration)
            while let next = world.nextTimeout {
                world.handleTimeout(at: next)
                while let output = world.pollOutput() {
                    switch output {
                    case .captured(let packet, let point, let at):
                        if packet.sent == at { left[point, default: []].append(at) }
                    case .packet(let record): records.append(record)
                    default: break
                    }
                }
            }
            #expect(world.packetsUnderWay == 0)
            measurements = world.measurements()
            checkFates()
        }

        /// Every datagram has one fate, and its record the same.
        private func checkFates() {
            let sessions = measurements.flows.count / 2
            for (index, flow) in measurements.flows.enumerated() {
                let fates: [(PacketFate, Int64)] = [
                    (.used, flow.delivered - flow.late - flow.duplicates), (.late, flow.late),
                    (.duplicate, flow.duplicates), (.lostLink, flow.lostLink), (.lostNode, flow.lostNode),
                    (.droppedQueue, flow.droppedQueue), (.droppedChecksum, flow.droppedChecksum),
                ]
                #expect(flow.sent + flow.duplicated == fates.reduce(0) { $0 + $1.1 })
                for (fate, count) in fates {
                    let recorded = records.count {
                        $0.session == index % sessions && $0.fate == fate
                            && ($0.receiver == nil || $0.receiver == index / sessions)
                    }
                    #expect(recorded == count, "\(flow.receiver) \(fate)")
                }
            }
        }

        func flow(_ receiver: String) throws -> FlowMeasurements {
            try #require(measurements.flows.first { $0.receiver == receiver })
        }

        func video(_ receiver: String) throws -> SubstreamMeasurements {
            try #require(measurements.substreams.first { $0.receiver == receiver && $0.id == "video" })
        }
    }

    @Test("a sender that has crashed sends nothing: what it was to send is lost, and pictures freeze")
    func sender() throws {
        let healthy = try Run(yaml, [])
        let run = try Run(yaml, ["faults=[ { at: 5s, for: 3s, node: sender, kind: crash } ]"])
        let silence = (5_000_000_000..<8_000_000_000 as Range<Int64>)
        #expect(try #require(healthy.left[.sender]).contains { silence.contains($0.nanoseconds) })
        // Neither the program nor reports.
        #expect(try #require(run.left[.sender]).allSatisfy { !silence.contains($0.nanoseconds) })
        let lost = healthy.left[.sender]?.count { silence.contains($0.nanoseconds) } ?? 0
        for receiver in ["well", "ill"] {
            let flow = try run.flow(receiver)
            #expect(try flow.sent == healthy.flow(receiver).sent)
            #expect(flow.lostNode > 0 && flow.lostNode <= lost && flow.lostNode == flow.unrepaired)
            // One gap in the wire's numbers.
            #expect(flow.lossRuns.map(\.length) == [flow.lostNode] && flow.lossRuns.map(\.count) == [1])
            let video = try run.video(receiver)
            // 75 frames and what hangs over at both ends; pictures are sent up to three before their turn.
            let gone = video.missing + video.damaged
            #expect((74...78).contains(gone) && video.onTime + gone == video.sentUnits)
            let freezes = try #require(video.freezes)
            #expect(freezes.count == 1 && abs(freezes.longest.nanoseconds - 3_000_000_000) < 160_000_000)
        }
    }

    @Test("a receiver that has crashed takes and presents nothing, and the other does", arguments: [true, false])
    func receiver(losesState: Bool) throws {
        let healthy = try Run(yaml, [])
        let run = try Run(
            yaml, ["faults=[ { at: 5s, for: 3s, node: ill, kind: crash, loses_state: \(losesState) } ]"])
        let (well, ill) = (try run.flow("well"), try run.flow("ill"))
        #expect(try well.lostNode == 0 && well.delivered == healthy.flow("well").delivered)
        #expect(try run.video("well").onTime == healthy.video("well").onTime)
        #expect(ill.lostNode > 0 && ill.sent == well.sent)
        // What it had when it crashed is of no use: 200 ms of playout.
        #expect(ill.late > 0 && ill.late * 10 < ill.lostNode)
        for id in ["video", "audio"] {
            let stream = try #require(
                run.measurements.substreams.first { $0.receiver == "ill" && $0.id == id })
            let shown = try #require(stream.endToEndDelay).count
            // Whatever counts as presented was, and what came in whole but was in it then does not.
            #expect((0...stream.damaged).contains(shown - stream.onTime - stream.late))
            #expect(stream.onTime + stream.late + stream.damaged + stream.missing == stream.sentUnits)
        }
        let video = try run.video("ill")
        let gone = video.sentUnits - video.onTime
        // 3 s, and of 200 ms of playout and the multiplexer's lead what has to fill again.
        #expect((75...95).contains(gone), "\(gone)")
        let longest = try #require(video.freezes).longest.nanoseconds
        #expect(video.freezes?.count == 1 && (3_000_000_000...3_700_000_000).contains(longest), "\(longest)")
        // A clock that begins anew does so with another datagram, of which one takes less than 20 ms to send.
        let delay = try #require(video.endToEndDelay)
        #expect(delay.maximum - delay.minimum < (losesState ? 20_000_000 : 1_000_000))
    }

    @Test("what has become of units is told once each, and not all at the end, whatever may be forgotten")
    func records() throws {
        // 12,500 units.
        let yaml = """
            duration: 5 min
            program: { substreams: [ { id: audio, kind: audio, synthetic: { codec: mp2, frame_duration: 24ms, bitrate: 32 kbit/s } } ] }
            receivers: [ { id: ill, playout: { fixed: 200ms } } ]
            outputs: { media: none, series: none }
            faults: [ { at: 290s, for: 1s, node: ill, kind: crash } ]
            """
        let scenario = try ScenarioDocument(title: "test.yaml", text: yaml).resolve([])
        var configuration = try WorldBuilder(scenario, title: "test.yaml").configuration()
        configuration.taps.units = true
        var world = World(configuration)
        var (places, toldBeforeCrash) = ([Int64](), 0)
        while let next = world.nextTimeout {
            world.handleTimeout(at: next)
            while let output = world.pollOutput() {
                if case .unit(let record) = output { places.append(record.presentation.nanoseconds) }
            }
            if next < .zero + .seconds(290) { toldBeforeCrash = places.count }
        }
        #expect(places.count == 12_500 && zip(places, places.dropFirst()).allSatisfy { $0 < $1 })
        // No more than twice what may be forgotten is kept.
        #expect(toldBeforeCrash > 2_000)
        let audio = try #require(world.measurements().substreams.first)
        #expect(audio.missing > 30 && audio.onTime + audio.late + audio.damaged + audio.missing == 12_500)
    }

    @Test("omission takes its share of the media that come to a receiver, or leave the sender")
    func omission() throws {
        let incoming = try Run(yaml, ["faults=[ { at: 0s, node: ill, kind: omission, share: 20%, direction: in } ]"])
        let flow = try incoming.flow("ill")
        let (count, share) = (Double(flow.sent), 0.2)
        let bound = 5 * (count * share * (1 - share)).squareRoot()
        #expect(abs(Double(flow.lostNode) - count * share) < bound)
        #expect(try incoming.flow("well").lostNode == 0)
        let outgoing = try Run(
            yaml, ["faults=[ { at: 0s, node: sender, kind: omission, share: 20%, direction: out } ]"])
        #expect(try abs(Double(outgoing.flow("well").lostNode) - count * share) < bound)
        #expect(try outgoing.flow("well").lostNode == outgoing.flow("ill").lostNode)
        // What leaves a receiver, and what comes to the sender, are reports.
        let reports = try Run(
            yaml,
            [
                "faults=[ { at: 0s, node: ill, kind: omission, direction: out }, { at: 0s, node: sender, kind: omission, direction: in } ]"
            ])
        #expect(try reports.flow("ill").delivered == flow.sent)
        #expect(try reports.flow("ill").roundTrip == nil && reports.flow("well").roundTrip == nil)
        #expect(incoming.left[.receiver(1)] != nil && reports.left[.receiver(1)] == nil)
    }

    @Test("a sender that is late sends later, and a receiver that is late takes later: playout covers it, or not")
    func timing() throws {
        let healthy = try Run(yaml, [])
        func fault(_ node: String, _ by: Int) -> [String] {
            ["faults=[ { at: 5s, for: 5s, node: \(node), kind: timing, by: \(by)ms } ]"]
        }
        let sender = try Run(yaml, fault("sender", 50))
        let delay = try #require(try sender.flow("ill").quality.oneWayDelay)
        // Delays count from the hand-over to the first link.
        #expect(delay.maximum == 20_000_000 && delay.minimum == 20_000_000)
        #expect(try sender.flow("ill").late == 0 && sender.video("ill").onTime == healthy.video("ill").onTime)
        let receiver = try Run(yaml, fault("ill", 50))
        let taken = try #require(try receiver.flow("ill").quality.oneWayDelay)
        #expect(taken.maximum == 70_000_000 && taken.minimum == 20_000_000)
        #expect(try receiver.flow("well").quality.oneWayDelay?.maximum == 20_000_000)
        // More than the playout waits for.
        for node in ["sender", "ill"] {
            let late = try Run(yaml, fault(node, 300))
            #expect(try late.flow("ill").late > 100 && late.video("ill").onTime < healthy.video("ill").onTime - 100)
            #expect(try late.flow("ill").lostNode == 0)
        }
    }

    /// What crashes, omissions and lateness do to each session of a program that has several.
    @Test("sessions of their own fare as a multiplex does")
    func sessions() throws {
        let separate = ["sender.carriage=rtp-separate"]
        func run(_ fault: String) throws -> Run { try Run(yaml, separate + ["faults=[ { \(fault) } ]"]) }
        let healthy = try Run(yaml, separate)
        let silence = (5_000_000_000..<8_000_000_000 as Range<Int64>)
        let sender = try run("at: 5s, for: 3s, node: sender, kind: crash")
        #expect(try #require(sender.left[.sender]).allSatisfy { !silence.contains($0.nanoseconds) })
        #expect(sender.measurements.flows.map(\.sent) == healthy.measurements.flows.map(\.sent))
        // One gap in the numbers of each, and the same for both receivers.
        for flow in sender.measurements.flows {
            #expect(flow.lostNode > 0 && flow.lossRuns.map(\.length) == [flow.lostNode])
        }
        for losesState in [true, false] {
            let crash = try run("at: 5s, for: 3s, node: ill, kind: crash, loses_state: \(losesState)")
            for flow in crash.measurements.flows {
                #expect((flow.lostNode > 0) == (flow.receiver == "ill") && (flow.late > 0) == (flow.receiver == "ill"))
            }
            #expect(try crash.video("well").onTime == healthy.video("well").onTime)
            let video = try crash.video("ill")
            #expect((75...95).contains(video.sentUnits - video.onTime), "\(video.sentUnits - video.onTime)")
            #expect(video.onTime + video.late + video.damaged + video.missing == video.sentUnits)
            let freezes = try #require(video.freezes)
            #expect(freezes.count == 1 && (3_000_000_000...3_400_000_000).contains(freezes.longest.nanoseconds))
        }
        for flow in try run("at: 0s, node: ill, kind: omission, share: 20%, direction: in").measurements.flows {
            let (count, share) = (Double(flow.sent), flow.receiver == "ill" ? 0.2 : 0)
            #expect(abs(Double(flow.lostNode) - count * share) <= 5 * (count * share * (1 - share)).squareRoot())
        }
        for node in ["sender", "ill"] {
            let late = try run("at: 5s, for: 5s, node: \(node), kind: timing, by: 300ms")
            // In 5 s, 208 frames of audio, and of 125 pictures the B: others are sent 120 ms before their turn.
            let video = try late.video("ill")
            #expect((83...85).contains(video.sentUnits - video.onTime), "\(video)")
            #expect(
                late.measurements.flows.first { $0.id == "ill.audio" }.map { (208...209).contains($0.late) } == true)
            #expect(late.measurements.flows.allSatisfy { $0.lostNode == 0 })
        }
    }

    @Test("a lie is none of the media's business, and that nothing is told is said")
    func value() throws {
        let healthy = try Run(yaml, [])
        let run = try Run(yaml, ["faults=[ { at: 1s, node: ill, kind: value, offset: 1s } ]"])
        #expect(run.measurements.digest.hexadecimal == healthy.measurements.digest.hexadecimal)
        #expect(
            run.measurements.warnings.contains {
                if case .program(let text) = $0 { text.hasPrefix("faults.0: at 'ill' there is nothing") } else { false }
            })
        let crash = try Run(yaml, ["faults=[ { at: 1s, node: ill, kind: crash } ]"])
        #expect(
            !crash.measurements.warnings.contains {
                if case .program(let text) = $0 { text.contains("there is nothing") } else { false }
            })
    }

    @Test("a crash beyond the program's end keeps nobody waiting")
    func beyond() throws {
        let run = try Run(yaml, ["faults=[ { at: 1000s, for: 1000s, node: ill, kind: crash } ]"])
        #expect(run.measurements.ended < .zero + .seconds(25))
        #expect(try run.flow("ill").lostNode == 0)
    }
}
