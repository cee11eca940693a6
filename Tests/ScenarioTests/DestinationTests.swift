import Emulator
import Metrics
import Testing
import Timebase
import Wire

@testable import Scenario

/// Inter-destination media synchronization (RFC 7272).
@Suite("Receivers that play together")
struct DestinationTests {
    /// Fifty receivers, 0 to 196 ms farther than the nearest; their clocks 1 ms fast, right, or 1 ms slow.
    private func scenario(idms: Bool, carriage: String) -> String {
        let receivers = (0..<50).map { index in
            "  - { id: r\(index), playout: { fixed: 100ms }, last_links: [ { delay: \(4 * index)ms } ], clock: { offset: \(index % 3 - 1)ms } }"
        }
        return """
            duration: 40s
            seed: 7
            idms: \(idms)
            program:
              substreams:
                - { id: video, synthetic: { codec: h264, frame_rate: 25, gop: IBBPBBPBBPBB, bitrate: 300 kbit/s } }
                - { id: audio, synthetic: { codec: mp2, bitrate: 64 kbit/s } }
            sender: { carriage: \(carriage) }
            network: { forward: [ { delay: 20ms } ] }
            outputs: { media: none, series: 100ms }
            receivers:
            \(receivers.joined(separator: "\n"))
            """
    }

    private struct Course {
        var measurements = RunMeasurements()
        /// How far apart, by the time.
        var spreads: [(at: Instant, spread: Int64)] = []
    }

    private func run(_ yaml: String) throws -> Course {
        var world = try SessionsTests.world(yaml)
        var course = Course()
        VirtualTime.run(
            &world, shouldStop: { _ in false },
            take: { world, output in
                guard case .sample(let at) = output else { return }
                for value in world.seriesValues() where value.metric == "position_spread" {
                    if let spread = value.value { course.spreads.append((at, spread)) }
                }
            })
        course.measurements = world.measurements()
        return course
    }

    @Test(
        "fifty receivers on ways 0 to 196 ms longer present within 10 ms, with clocks 1 ms off",
        arguments: ["ts-rtp", "rtp-separate"])
    func together(carriage: String) throws {
        let course = try run(scenario(idms: true, carriage: carriage))
        // At first as far apart as their ways are.
        let first = try #require(course.spreads.first { $0.at > .zero + .seconds(1) })
        #expect(abs(first.spread - 196_000_000) < 1_000_000, "\(first)")
        // Reports and settings take a few intervals of RTCP; then it stays.
        let settled = course.spreads.filter { $0.at > .zero + .seconds(30) && $0.at < .zero + .seconds(39) }
        #expect(settled.count > 80)
        // 2 ms of clocks, 1 ms of what is left alone, and what reports round.
        #expect(settled.allSatisfy { $0.spread < 4_000_000 }, "\(settled.map(\.spread).max() ?? 0)")
        let destinations = try #require(course.measurements.destinations)
        #expect(destinations.settings > 50)
        #expect(try #require(destinations.finalPositionSpreadNanoseconds) < 10_000_000)
        #expect(try #require(destinations.positionSpread).maximum > 190_000_000)
        // Who waits loses nothing.
        #expect(course.measurements.flows.allSatisfy { $0.late == 0 })
        #expect(course.measurements.playout.allSatisfy { $0.positionNanoseconds != nil })
    }

    @Test("without it they stay as far apart as their ways are, and nothing is told of it")
    func apart() throws {
        let course = try run(scenario(idms: false, carriage: "ts-rtp"))
        #expect(course.spreads.isEmpty && course.measurements.destinations == nil)
        let delays = course.measurements.substreams.filter { $0.id == "video" }.compactMap(\.endToEndDelay?.minimum)
        let (least, most) = (try #require(delays.min()), try #require(delays.max()))
        #expect(abs(most - least - 196_000_000) < 1_000_000)
    }

    @Test("what they report and what they are told are RTCP's")
    func wire() throws {
        let yaml = """
            duration: 20s
            idms: true
            program:
              substreams:
                - { id: video, synthetic: { codec: h264, frame_rate: 25, gop: IBBPBBPBBPBB, bitrate: 300 kbit/s } }
            network: { forward: [ { delay: 20ms } ] }
            receivers:
              - { id: near, playout: { fixed: 100ms } }
              - { id: far, playout: { fixed: 100ms }, last_links: [ { delay: 50ms } ] }
            """
        var world = try SessionsTests.world(yaml) { $0.taps.capturesNodes = true }
        let plan = SessionPlan(world.configuration)
        let rate = world.configuration.transportRate
        #expect(plan.description(name: "x", rate: rate).text.contains("a=rtcp-idms:sync-group=1\r\n"))
        #expect(plan.description(name: "x", rate: rate).text.contains("a=rtcp-xr:grp-sync,sync-group=1\r\n"))
        var reports: [SynchronizationReport] = []
        var settings: [SynchronizationSettings] = []
        VirtualTime.run(
            &world, shouldStop: { _ in false },
            take: { world, output in
                guard case .captured(let packet, .sender, _) = output,
                    plan.frame(of: packet).destination.port == 5_005,
                    let compound = try? RTCPCompound(parsing: world.payload(of: packet).bytes)
                else { return }
                reports += compound.packets.compactMap { SynchronizationReport($0) }
                settings += compound.packets.compactMap { SynchronizationSettings($0) }
            })
        #expect(reports.count > 4 && settings.count > 2)
        let sources = Set(reports.map(\.source))
        #expect(sources.count == 1 && Set(settings.map(\.source)) == sources && Set(settings.map(\.ssrc)) == sources)
        #expect(reports.allSatisfy { $0.payloadType == 33 && $0.group == 1 })
        for report in reports {
            // What came is presented 100 ms after it came, or later by what it waits for the other.
            let ahead = Int32(bitPattern: try #require(report.presented) &- report.received.middle)
            let milliseconds = Double(ahead) / 65.536
            #expect((99.9...100.1).contains(milliseconds) || (149.0...151.0).contains(milliseconds), "\(milliseconds)")
        }
    }

    static let refused: [(String, String)] = [
        ("idms: true\nreceivers: [ { id: tv } ]", "idms: one receiver plays with nobody"),
        ("idms: true\nsender: { carriage: ts-udp }\nreceivers: [ { id: tv, count: 2 } ]", "idms: without RTP nobody"),
        (
            "idms: true\nreceivers: [ { id: tv, count: 2, anchor: sender-clock } ]",
            "receivers.0.anchor: receivers that present by the sender's clock"
        ),
    ]

    @Test("what it needs is told in a sentence", arguments: refused)
    func refusal(lines: String, words: String) {
        let found = problems(
            "program: { substreams: [ { id: video, synthetic: { codec: h264, bitrate: 300 kbit/s } } ] }\n" + lines)
        #expect(found.count == 1 && found.first?.contains(words) == true, "\(found)")
    }
}
