@testable import Analysis
import Capture
import Metrics
import Testing
import Timebase
import Wire

/// A stream that keeps its pace to the nanosecond, with whatever else happens to it.
private struct Pace {
    let traffic: Traffic
    var number = 1000
    var timestamp = 5000
    /// Milliseconds.
    var time = 0.0
    var type: UInt8 = 0
    /// Ticks in 20 ms.
    var ticks = 160
    var sent = 0

    init(_ options: AnalysisOptions = AnalysisOptions()) { traffic = Traffic(options) }

    static func described(_ lines: String) -> AnalysisOptions {
        var options = AnalysisOptions()
        options.descriptions = MediaDescription.all(in: "v=0\r\nc=IN IP4 10.0.0.2\r\n" + lines)
        return options
    }

    mutating func run(_ count: Int) {
        for _ in 0..<count {
            one(timestamp: timestamp)
            timestamp += ticks
        }
    }

    /// A packet that takes a number and 20 ms, whatever its timestamp.
    mutating func one(timestamp: Int, type: UInt8? = nil, payload: [UInt8] = [UInt8](repeating: 1, count: 160)) {
        let header = RTPHeader(
            payloadType: type ?? self.type, sequenceNumber: UInt16(truncatingIfNeeded: number),
            timestamp: UInt32(truncatingIfNeeded: timestamp), ssrc: 7)
        traffic.send(header.packet(payload: payload), at: time)
        number += 1
        time += 20
        sent += 1
    }

    func finish() throws -> StreamMeasurements {
        let streams = traffic.analyzer.finish().streams
        #expect(streams.count == 1)
        return try #require(streams.first)
    }
}

/// Nothing lost, nothing twice, and no variation of a pace that has none.
private func expectSteady(
    _ stream: StreamMeasurements, _ sent: Int, timed: Int, _ place: SourceLocation = #_sourceLocation
) {
    let quality = stream.quality
    #expect(quality.received == Int64(sent) && quality.unique == Int64(sent), sourceLocation: place)
    #expect(quality.lost == 0 && quality.duplicates == 0 && quality.reordered == 0, sourceLocation: place)
    // Timestamps are cut to ticks.
    #expect((quality.interarrivalJitter?.maximum ?? .max) < 100_000, sourceLocation: place)
    #expect(quality.pdv?.count == Int64(timed), sourceLocation: place)
    #expect((quality.pdv?.maximum ?? .max) <= 200_000, sourceLocation: place)
    #expect((quality.ipdv?.maximum ?? 0) <= 200_000, sourceLocation: place)
}

extension StreamMeasurements {
    fileprivate func notes(_ words: String) -> Int { notes.filter { $0.contains(words) }.count }
}

@Suite("Packets that say nothing of time")
struct UntimedPacketTests {
    @Test("Packets without payload keep their numbers", arguments: [2, 7, 25, 49], [true, false])
    func keepAlives(every: Int, advances: Bool) throws {
        var pace = Pace()
        var empty = 0
        for place in 0..<500 {
            if place % every == 0 {
                pace.one(timestamp: pace.timestamp - (advances ? 0 : 160), payload: [])
                pace.timestamp += pace.ticks
                empty += 1
            } else {
                pace.run(1)
            }
        }
        let stream = try pace.finish()
        expectSteady(stream, 500, timed: 500 - empty)
        #expect(stream.notes.contains("\(empty) packets without payload are outside delay, jitter, playout and drift"))
    }

    @Test("Telephone events, described or not, anywhere", arguments: [0, 1, 150, 480], [true, false])
    func events(place: Int, isDescribed: Bool) throws {
        let lines = "m=audio 5004 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"
        var pace = Pace(isDescribed ? Pace.described(lines) : AnalysisOptions())
        pace.run(place)
        for event in 0..<3 as Range<UInt8> {
            let begin = pace.timestamp
            for step in 1...12 as ClosedRange<UInt8> {
                pace.one(timestamp: begin, type: 101, payload: [event, step > 9 ? 0x8a : 0x0a, step >> 1, 160])
                pace.timestamp += pace.ticks
            }
            pace.run(5)
        }
        pace.run(500 - place)
        let stream = try pace.finish()
        expectSteady(stream, 551, timed: 515)
        #expect(stream.encoding == "PCMU" && stream.clockRate == 8000 && stream.payloadType == 0)
        #expect(stream.notes("36 packets of telephone events") == 1)
        #expect(stream.payloadTypes.map(\.packets).sorted() == [36, 515])
    }

    @Test("Comfort noise, whose packets come when the noise changes", arguments: [13, 19, 118] as [UInt8])
    func comfortNoise(type: UInt8) throws {
        var pace = Pace(
            type == 118 ? Pace.described("m=audio 5004 RTP/AVP 0 118\r\na=rtpmap:118 CN/8000\r\n") : AnalysisOptions())
        for _ in 0..<6 {
            pace.run(40)
            pace.one(timestamp: pace.timestamp, type: type, payload: [70])
            // The next ones come when they like.
            pace.time += 333
            pace.one(timestamp: pace.timestamp + 1234, type: type, payload: [70, 1, 2])
            pace.time += 627
            pace.timestamp += 160 * 50
        }
        let stream = try pace.finish()
        expectSteady(stream, 6 * 42, timed: 6 * 40)
        #expect(stream.notes("12 packets of comfort noise") == 1)
    }

    @Test("A timestamp that a bit has changed", arguments: [10, 100, 299], [23, 28, 30])
    func damaged(place: Int, bit: Int) throws {
        var pace = Pace()
        pace.run(place)
        pace.one(timestamp: pace.timestamp ^ 1 << bit)
        pace.timestamp += 160
        pace.run(300 - place)
        let stream = try pace.finish()
        expectSteady(stream, 301, timed: 300)
        #expect(stream.notes("timestamps far from all around them") == 1)
    }
}

@Suite("Where a stream's time begins anew")
struct TimelinePartTests {
    @Test(
        "Numbers that fall back or leap, with another base of timestamps: one restart",
        arguments: [-1, -2, -30, -100, -102, -150, -300, -2999, -3500, -30_000, 101, 250, 2999, 3500, 30_000],
        [0x7000_0000, -90_000])
    func restart(step: Int, base: Int) throws {
        var pace = Pace()
        pace.number = 40_000
        pace.run(400)
        pace.number += step
        pace.timestamp += base
        pace.run(400)
        let stream = try pace.finish()
        expectSteady(stream, 800, timed: 800)
        #expect(stream.notes("began anew 1 times") == 1)
    }

    @Test("A recording that is played again and again", arguments: [150, 400])
    func loop(length: Int) throws {
        var pace = Pace()
        for _ in 0..<4 {
            (pace.number, pace.timestamp) = (7000, 1000)
            pace.run(length)
        }
        let stream = try pace.finish()
        expectSteady(stream, 4 * length, timed: 4 * length)
        #expect(stream.notes("began anew 3 times") == 1)
    }

    @Test("What comes late or twice, two in a row, is no restart", arguments: [true, false])
    func late(isCopy: Bool) throws {
        let traffic = Traffic()
        // 200 packets a second; 30 of them come, again or for the first time, 150 later.
        var order = Array(0..<800)
        if !isCopy { order.removeSubrange(300..<330) }
        let place = try #require(order.firstIndex(of: 480))
        order.insert(contentsOf: 300..<330, at: place)
        for (index, number) in order.enumerated() { traffic.rtp(number, timestamp: number * 40, at: Double(index) * 5) }
        let stream = try #require(traffic.analyzer.finish().streams.first)
        #expect(stream.quality.unique == 800 && stream.quality.lost == 0)
        #expect(stream.quality.duplicates == (isCopy ? 30 : 0) && stream.quality.reordered == (isCopy ? 0 : 30))
        #expect(stream.notes("began anew") == 0)
    }

    @Test(
        "Timestamps that jump, either way and by any amount, at any place",
        arguments: [-1_900_000_000, -800_000, -9000, 9000, 800_000, 1_900_000_000], [10, 60, 250, 497])
    func jump(ticks: Int, place: Int) throws {
        var pace = Pace()
        pace.timestamp = 3_000_000
        pace.run(place)
        pace.timestamp += ticks
        pace.run(500 - place)
        let stream = try pace.finish()
        expectSteady(stream, 500, timed: 500)
        #expect(stream.notes("without time doing so, 1 times") == 1)
        #expect(stream.notes(ticks < 0 ? "fell back" : "ran ahead") == 1)
    }

    @Test("Timestamps that stand still while nothing is sent", arguments: [1200.0, 2000, 36_000], [8000, 48_000])
    func pause(milliseconds: Double, rate: Int) throws {
        var pace = Pace(Pace.described("m=audio 5004 RTP/AVP 97\r\na=rtpmap:97 L16/\(rate)\r\n"))
        (pace.type, pace.ticks) = (97, rate / 50)
        for _ in 0..<3 {
            pace.run(120)
            pace.time += milliseconds
        }
        let stream = try pace.finish()
        expectSteady(stream, 360, timed: 360)
        #expect(stream.notes("stood still or fell back") == 1 && stream.notes("without time doing so, 2 times") == 1)
    }

    @Test(
        "A network that stands still and catches up is delay, at whatever speed", arguments: [1.15, 2, 20], [1.5, 4])
    func stall(speed: Double, seconds: Double) throws {
        let traffic = Traffic()
        var free = 0.0
        for number in 0..<6000 {
            let sent = Double(number) * 10
            let isBlocked = (20_000..<20_000 + seconds * 1000).contains(sent)
            free = max(sent, isBlocked ? 20_000 + seconds * 1000 : free + 10 / speed)
            traffic.rtp(number, timestamp: number * 80, at: free)
        }
        let stream = try #require(traffic.analyzer.finish().streams.first)
        #expect(stream.notes("without time") == 0)
        #expect(abs((stream.quality.pdv?.maximum ?? 0) - Int64(seconds * 1e9)) < 20_000_000)
    }

    @Test("Each payload type has its own clock", arguments: [(8000, 48_000), (48_000, 8000), (16_000, 90_000)])
    func rates(first: Int, second: Int) throws {
        var pace = Pace(
            Pace.described(
                "m=audio 5004 RTP/AVP 97 98\r\na=rtpmap:97 L16/\(first)\r\na=rtpmap:98 L24/\(second)\r\n"))
        for round in 0..<5 {
            (pace.type, pace.ticks) = round % 2 == 0 ? (97, first / 50) : (98, second / 50)
            pace.run(100 + round)
        }
        let stream = try pace.finish()
        expectSteady(stream, 510, timed: 510)
        #expect(
            stream.clockRate == UInt32(first)
                && stream.payloadTypes.map(\.clockRate) == [UInt32(first), UInt32(second)])
    }

    @Test("A codec of which nobody tells the clock comes later, and is estimated")
    func unknownSecond() throws {
        var pace = Pace()
        pace.run(300)
        (pace.type, pace.ticks) = (111, 960)
        pace.run(400)
        let stream = try pace.finish()
        expectSteady(stream, 700, timed: 700)
        #expect(stream.payloadTypes.map(\.clockRate) == [8000, 48_000])
    }

    @Test(
        "Timestamps that run at another rate than the type's",
        arguments: [(9, 8000, 16_000), (97, 48_000, 16_000), (97, 8000, 32_000)])
    func otherRate(type: UInt8, told: Int, real: Int) throws {
        var pace = Pace(
            Pace.described("m=audio 5004 RTP/AVP \(type)\r\n" + (type > 95 ? "a=rtpmap:97 X/\(told)\r\n" : "")))
        (pace.type, pace.ticks) = (type, real / 50)
        pace.run(200)
        let stream = try pace.finish()
        expectSteady(stream, 200, timed: 200)
        #expect(stream.clockRate == UInt32(real) && stream.clockSource == .estimated)
        #expect(stream.notes("\(real) Hz, not \(told)") == 1)
    }

    @Test("A capture's clock that is set back", arguments: [150.0, 1500, 86_400_000], [3, 130, 290])
    func setBack(milliseconds: Double, place: Int) throws {
        var pace = Pace()
        pace.run(place)
        pace.time -= milliseconds
        pace.run(300 - place)
        let stream = try pace.finish()
        expectSteady(stream, 300, timed: 300)
        #expect(stream.quality.bitsPerSecond == 68_800)
        #expect(stream.notes("clock was set back 1 times") == 1)
        // Where that was by the clock before it: between the packets before and behind.
        #expect(stream.notes("first after \(Double(place - 1) * 0.02)") == 1)
        #expect(stream.quality.duration == .milliseconds(298 * 20))
    }
}
