import Media
@testable import Results
import Sessions
import TestSupport
import Testing
import Timebase
import Wire

@Suite("Units on their way into presented.ts")
struct PresentedLaneTests {
    /// A lane with units of one byte; PTS and how much earlier each is decoded, in frames of 3,600 ticks.
    private func lane(_ frames: [(pts: Int64, lead: Int64)], isReferredTo: Bool = true) -> PresentedLane {
        var lane = PresentedLane(isReferredTo: isReferredTo, timestampBits: 33)
        for frame in frames {
            lane.begin(
                .init(
                    bytes: [UInt8(frame.pts)], timestamp: frame.pts * 3_600 & 0x1_ffff_ffff,
                    decodeLead: frame.lead * 3_600))
        }
        lane.close()
        return lane
    }

    private func all(_ lane: inout PresentedLane) -> [PresentedLane.Ready] {
        var found: [PresentedLane.Ready] = []
        while let next = lane.next() { found.append(next) }
        return found
    }

    /// I P B B P B B in decoding order, places of presentation from 1 on.
    private static let pyramid: [(pts: Int64, lead: Int64)] = [(1, 1), (4, 3), (2, 0), (3, 0), (7, 3), (5, 0), (6, 0)]

    @Test("With a constant delay every PTS and DTS moves by it")
    func constantDelay() {
        var lane = lane(Self.pyramid)
        for place in 1...7 as ClosedRange<Int64> {
            lane.present(place * 3_600, at: place * 3_600 + 50_000, isShown: true)
        }
        let ready = all(&lane)
        #expect(ready.map(\.presentation) == Self.pyramid.map { $0.pts * 3_600 + 50_000 })
        #expect(ready.map(\.decode) == Self.pyramid.map { ($0.pts - $0.lead) * 3_600 + 50_000 })
    }

    @Test("A unit that is decoded before others are shown waits until it is shown itself, and holds the rest up")
    func heldUp() {
        var lane = lane(Self.pyramid)
        lane.present(3_600, at: 3_600, isShown: true)
        #expect(all(&lane).count == 1)
        #expect(!lane.isHeldUp)
        lane.present(2 * 3_600, at: 7_200, isShown: true)
        #expect(all(&lane).isEmpty)
        #expect(lane.isHeldUp)
        lane.present(3 * 3_600, at: 10_800, isShown: true)
        lane.present(4 * 3_600, at: 14_400, isShown: true)
        #expect(all(&lane).map(\.unit.bytes) == [[4], [2], [3]])
        #expect(!lane.isHeldUp)
    }

    @Test("Through a stall decoding times stay in order and never behind the presentation")
    func stall() {
        var lane = lane(Self.pyramid)
        // Three seconds between the two pictures that are shown before the first P.
        let instants: [Int64] = [0, 3_600, 7_200, 277_200, 280_800, 284_400, 284_400, 284_400]
        for place in 1...7 { lane.present(Int64(place) * 3_600, at: instants[place], isShown: true) }
        let ready = all(&lane)
        #expect(ready.count == 7)
        #expect(zip(ready, ready.dropFirst()).allSatisfy { $0.decode < $1.decode })
        #expect(ready.allSatisfy { ($0.presentation ?? 0) >= $0.decode })
        // Of two at one instant the second is a tick later.
        let shown = ready.compactMap(\.presentation).sorted()
        #expect(shown == [3_600, 7_200, 277_200, 280_800, 284_400, 284_401, 284_402])
    }

    @Test(
        "What is passed over is a tick before what is shown in its place, where others refer to it",
        arguments: [true, false])
    func passedOver(isReferredTo: Bool) {
        var lane = lane([(1, 0), (2, 0), (3, 0), (4, 0)], isReferredTo: isReferredTo)
        lane.present(3_600, at: 100_000, isShown: true)
        lane.present(4 * 3_600, at: 110_800, isShown: true)
        let presentations = all(&lane).map(\.presentation)
        #expect(presentations == (isReferredTo ? [100_000, 110_798, 110_799, 110_800] : [100_000, 110_800]))
    }

    @Test("What nothing can be decoded of is left out, and so is what is never due")
    func leftOut() {
        var lane = lane([(1, 0), (2, 0), (3, 0)])
        lane.present(3_600, at: 1, isShown: false)
        lane.present(7_200, at: 2, isShown: true)
        lane.finish()
        #expect(all(&lane).map(\.unit.bytes) == [[2]])
        #expect(lane.byteCount == 0)
    }

    @Test("A unit without a time goes with the one before it")
    func withoutTime() {
        var lane = PresentedLane(isReferredTo: true, timestampBits: 33)
        for (byte, timestamp) in [(1, 10), (2, nil), (3, 20), (4, nil)] as [(UInt8, Int64?)] {
            lane.begin(.init(bytes: [byte], timestamp: timestamp))
        }
        lane.present(10, at: 500, isShown: true)
        lane.present(20, at: 600, isShown: false)
        lane.finish()
        let ready = all(&lane)
        #expect(ready.map(\.unit.bytes) == [[1], [2]])
        #expect(ready.map(\.presentation) == [500, nil])
    }

    @Test("Timestamps are compared modulo their bits")
    func wrap() {
        var lane = PresentedLane(isReferredTo: true, timestampBits: 33)
        for (byte, timestamp) in [(0, 0x1_ffff_0000), (1, 0x1_ffff_ff00), (2, 0x100)] as [(UInt8, Int64)] {
            lane.begin(.init(bytes: [byte], timestamp: timestamp))
        }
        lane.close()
        lane.present(0x1_ffff_0000, at: 500, isShown: true)
        // 2^33 + 0x100: the second was due before it.
        lane.present(0x2_0000_0100, at: 1_000, isShown: true)
        #expect(all(&lane).map(\.presentation) == [500, 999, 1_000])
    }
}

@Suite("presented.ts")
struct PresentedMediaTests {
    private let scratch: ScratchDirectory

    init() throws { scratch = try ScratchDirectory() }

    /// A PES packet that begins in a file, and where.
    private struct Unit: Hashable {
        var pid: UInt16
        var pts: Int64
        var dts: Int64?
    }

    /// Runs a scenario of made video and sound, and reads its transport streams.
    private func run(_ more: String) throws -> (directory: String, document: JSONValue) {
        try scratch.write(
            "scenario.yaml",
            """
            duration: 4s
            program:
              substreams:
                - { id: video, synthetic: { codec: h264, bitrate: 1 Mbit/s } }
                - { id: audio, synthetic: { codec: mp2, bitrate: 96 kbit/s } }
            outputs: { media: [sent, presented], series: none }
            \(more)
            """)
        let (console, _) = try scratch.console()
        var session = RunSession(RunRequest(scenario: scratch.path + "/scenario.yaml"), console: console)
        session.out = scratch.path + "/run"
        session.force = true
        session.quiet = true
        #expect(try session.run() == 0)
        return (scratch.path + "/run", try SavedRun(reading: scratch.path + "/run").document)
    }

    /// The units of a file, after a look at its packets: whole, counted right, and its clock references close enough.
    private func units(_ path: String) throws -> [Unit] {
        let bytes = try FileTree.contents(of: path)
        #expect(bytes.count % 188 == 0)
        var counters: [UInt16: UInt8] = [:]
        var latest: Int64?
        var units: [Unit] = []
        for offset in stride(from: 0, to: bytes.count, by: 188) {
            let packet = bytes.span.bytes.extracting(offset..<offset + 188)
            let found = TransportPacketHeader(packet, at: 0)
            let header = try #require(found)
            if header.hasPayload, header.pid != TransportPacket.nullPID {
                if let before = counters[header.pid] { #expect(header.continuityCounter == (before + 1) & 15) }
                counters[header.pid] = header.continuityCounter
            }
            if let pcr = header.pcr(packet, at: 0) {
                if let latest { #expect((1...40 * 27_000).contains(pcr - latest)) }
                latest = pcr
            }
            guard header.payloadUnitStart, header.pid >= 0x100, header.pid < 0x1000 else { continue }
            let pes = try PESHeader(parsing: packet.extracting(header.payloadOffset..<188))
            units.append(Unit(pid: header.pid, pts: try #require(pes.pts), dts: pes.dts))
            #expect((pes.dts ?? 0) <= units[units.count - 1].pts)
            // Everything is there before it is decoded.
            #expect((pes.dts ?? units[units.count - 1].pts) * 300 > (latest ?? 0))
        }
        for pid in Set(units.map(\.pid)) {
            let decoding = units.filter { $0.pid == pid }.map { $0.dts ?? $0.pts }
            #expect(zip(decoding, decoding.dropFirst()).allSatisfy { $0 < $1 })
        }
        return units
    }

    @Test("On a perfect network each unit is there, as much later as run.json says")
    func perfect() throws {
        let (run, document) = try run("network: { forward: [ { delay: 25ms } ] }")
        let sent = try units(run + "/sent.ts")
        let presented = try units(run + "/presented.ts")
        #expect(Set(sent.map(\.pid)).count == 2)
        for (number, pid) in Set(sent.map(\.pid)).sorted().enumerated() {
            let delay = document["substreams"]?.elements?[number]["end_to_end_delay_ns"]
            #expect(delay?["count"]?.integer == Int64(sent.count { $0.pid == pid }))
            let nanoseconds = try #require(delay?["p50"]?.double)
            #expect(delay?["min"]?.double == nanoseconds && delay?["max"]?.double == nanoseconds)
            let differences = zip(presented.filter { $0.pid == pid }, sent.filter { $0.pid == pid }).map {
                $0.pts - $1.pts
            }
            #expect(presented.count { $0.pid == pid } == sent.count { $0.pid == pid })
            #expect(differences.allSatisfy { abs(Double($0) - nanoseconds * 0.00009) <= 1 })
        }
    }

    @Test("What an outage takes is not there, and what a decoder cannot begin with neither", arguments: [0, 2])
    func outage(second: Int) throws {
        let (run, document) = try run(
            "network: { forward: [ { delay: 25ms, schedule: [ { at: \(second)s, down: 700ms } ] } ] }")
        let presented = try units(run + "/presented.ts")
        let lanes = try #require(document["substreams"]?.elements)
        for (number, pid) in Set(presented.map(\.pid)).sorted().enumerated() {
            let count = presented.count { $0.pid == pid }
            let decodable = try #require(lanes[number]["decodable"])
            let shown = ["intact", "impaired"].compactMap { decodable[$0]?.integer }.reduce(0, +)
            #expect(Int64(count) == shown)
            #expect(count > 20 && Int64(count) < lanes[number]["sent"]?["units"]?.integer ?? 0)
        }
        guard second > 0 else { return }
        // The freeze is as long in the file.
        let pictures = presented.filter { $0.pid == presented.map(\.pid).min() }.map(\.pts).sorted()
        let longest = zip(pictures, pictures.dropFirst()).map { $1 - $0 }.max() ?? 0
        let freeze = try #require(lanes[0]["freezes"]?["longest_ns"]?.double)
        #expect(freeze >= 600e6 && abs(Double(longest) - freeze * 0.00009) <= 1)
    }

    @Test("Neither digest nor measurements know of it")
    func digest() throws {
        let loss = "network: { forward: [ { delay: 25ms, loss: { bernoulli: 2% } } ] }"
        let with = try run(loss).document
        let (console, _) = try scratch.console()
        var request = RunRequest(scenario: scratch.path + "/scenario.yaml")
        request.settings = ["outputs.media=none"]
        var session = RunSession(request, console: console)
        session.out = scratch.path + "/none"
        session.quiet = true
        #expect(try session.run() == 0)
        let without = try SavedRun(reading: scratch.path + "/none").document
        #expect(with["run"]?["digest"]?.string == without["run"]?["digest"]?.string)
        #expect(with["substreams"] == without["substreams"])
        #expect(FileTree.kind(of: scratch.path + "/none/presented.ts") == nil)
    }

    @Test("In sessions of their own sound that takes 60 ms more is as much later than the picture")
    func sessions() throws {
        let (run, document) = try run(
            """
            sender: { carriage: rtp-separate }
            network:
              forward: [ { delay: 25ms } ]
              flows: { audio: { forward: [ { delay: 85ms } ] } }
            """)
        let sent = try units(run + "/sent.ts")
        let presented = try units(run + "/presented.ts")
        #expect(sent.count == presented.count && sent.count > 200)
        let pids = Set(sent.map(\.pid)).sorted()
        var delays: [Int64] = []
        for (number, pid) in pids.enumerated() {
            let differences = zip(presented.filter { $0.pid == pid }, sent.filter { $0.pid == pid }).map {
                $0.pts - $1.pts
            }
            let nanoseconds = try #require(
                document["substreams"]?.elements?[number]["end_to_end_delay_ns"]?["p50"]?.double)
            #expect(differences.allSatisfy { abs(Double($0) - nanoseconds * 0.00009) <= 2 })
            delays.append(differences[0])
        }
        // Video is named first, and has the first PID.
        #expect(abs(delays[1] - delays[0] - 60 * 90) <= 2)
        #expect(abs((document["lip_sync"]?.elements?[0]["skew_ns"]?["p50"]?.double ?? 0) + 60e6) <= 1e6)
    }

    @Test("G.711 is in a WAVE file, as long as it was sent, with silence where nothing came")
    func waves() throws {
        try scratch.write(
            "call.yaml",
            """
            duration: 2s
            program: { substreams: [ { id: speech, synthetic: { codec: g711 } } ] }
            sender: { carriage: rtp-separate }
            network: { forward: [ { delay: 30ms, loss: { pattern: { drop: [10, 11] } } } ] }
            receivers: [ { id: phone, playout: { fixed: 40ms } } ]
            outputs: { media: [sent, received, presented], series: none }
            """)
        let (console, _) = try scratch.console()
        var session = RunSession(RunRequest(scenario: scratch.path + "/call.yaml"), console: console)
        session.out = scratch.path + "/call"
        session.quiet = true
        #expect(try session.run() == 0)
        let names = try FileTree.names(in: scratch.path + "/call").filter { $0.contains(".wav") || $0.contains(".ts") }
        #expect(names.sorted() == ["presented-speech.wav", "received-speech.wav", "sent-speech.wav"])
        let files = try names.sorted().map { try FileTree.contents(of: scratch.path + "/call/" + $0) }
        let (presented, received, sent) = (files[0], files[1], files[2])
        // RIFF's and the data's lengths, and the samples: 100 packets of 160.
        #expect(sent.count == 58 + 16_000 && received.count == sent.count)
        #expect(Array(sent[54..<58]) == [0x80, 0x3e, 0, 0] && Array(sent[20..<22]) == [7, 0])
        let lost = 58 + 1_600..<58 + 1_920
        #expect(received[lost].allSatisfy { $0 == 0xff } && !sent[lost].allSatisfy { $0 == 0xff })
        #expect(Array(received[58..<lost.lowerBound]) == Array(sent[58..<lost.lowerBound]))
        #expect(Array(received[lost.upperBound...]) == Array(sent[lost.upperBound...]))
        // From capture to presentation: 20 ms of filling, 30 ms on the way, 40 ms of playout.
        #expect(presented.count == sent.count + 8 * 90)
        #expect(Array(presented[(58 + 720)...]) == Array(received[58...]))
    }

    @Test("A receiver that freezes shows intact pictures only, and the last one stands for all others")
    func freezes() throws {
        let loss = "network: { forward: [ { delay: 25ms, loss: { bernoulli: 2% } } ] }\n"
        let (carriesOn, before) = try run(loss)
        let shown = try units(carriesOn + "/presented.ts")
        let (run, document) = try run(
            loss + "receivers: [ { id: tv, concealment: { video: freeze, audio: repeat, fade: 24ms } } ]")
        let presented = try units(run + "/presented.ts")
        let (video, audio) = (document["substreams"]?.elements?[0], document["substreams"]?.elements?[1])
        let pid = try #require(presented.map(\.pid).min())
        let intact = try #require(video?["decodable"]?["intact"]?.integer)
        #expect(Int64(presented.count { $0.pid == pid }) == intact)
        #expect(presented.count < shown.count && intact > 20)
        // The first picture came whole: the last good one stands for every one that is not intact.
        #expect(video?["presented"]?["concealed"]?.integer == (video?["sent"]?["units"]?.integer ?? 0) - intact)
        #expect(video?["decodable"] == before["substreams"]?.elements?[0]["decodable"])
        #expect(before["substreams"]?.elements?[0]["presented"]?["concealed"] == .null)
        let freezes = (
            video?["freezes"]?["total_ns"]?.integer, before["substreams"]?.elements?[0]["freezes"]?["total_ns"]?.integer
        )
        #expect(try #require(freezes.0) >= (try #require(freezes.1)))
        // A frame of sound lasts 24 ms: of each run of missing ones the first is concealed.
        let presentedAudio = try #require(audio?["presented"])
        let lost = ["missing", "damaged", "late"].compactMap { presentedAudio[$0]?.integer }.reduce(0, +)
        let concealed = try #require(presentedAudio["concealed"]?.integer)
        #expect((1...lost).contains(concealed))
    }

    @Test(
        "Of a call, five packets lost in a row are three concealed and two of silence",
        arguments: [("repeat", 4), ("interpolate", 1)])
    func concealsSpeech(policy: String, expected: Int64) throws {
        try scratch.write(
            "call.yaml",
            """
            duration: 2s
            program: { substreams: [ { id: speech, synthetic: { codec: g711 } } ] }
            sender: { carriage: rtp-separate }
            network: { forward: [ { delay: 30ms, loss: { pattern: { drop: [10, 20, 21, 22, 23, 24] } } } ] }
            receivers: [ { id: phone, playout: { fixed: 40ms }, concealment: { audio: \(policy) } } ]
            outputs: { media: none, series: none }
            """)
        let (console, _) = try scratch.console()
        var session = RunSession(RunRequest(scenario: scratch.path + "/call.yaml"), console: console)
        session.out = scratch.path + "/call"
        session.quiet = true
        #expect(try session.run() == 0)
        let document = try SavedRun(reading: scratch.path + "/call").document
        #expect(document["substreams"]?.elements?[0]["presented"]?["missing"]?.integer == 6)
        #expect(document["substreams"]?.elements?[0]["presented"]?["concealed"]?.integer == expected)
    }
}
