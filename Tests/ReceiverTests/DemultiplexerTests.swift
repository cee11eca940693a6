import Receiver
import Testing
import Timebase
import Wire

@Suite("Demultiplexer and presentation")
struct DemultiplexerTests {
    static let ms: Int64 = 1_000_000
    static let pid: UInt16 = 0x100
    static let other: UInt16 = 0x101

    /// A bench, a writer, and datagrams 10 ms apart, each released 20 ms after its arrival.
    struct Line {
        let bench = Bench(delay: .milliseconds(20))
        var writer = StreamWriter()
        private var sequence: Int64 = 0

        /// Sends transport packets as one datagram; `isLost` leaves the gap of it.
        mutating func send(_ packets: [[UInt8]], isLost: Bool = false) {
            if !isLost {
                bench.receive(
                    packets, sequence: UInt16(sequence), timestamp: UInt32(900 * sequence),
                    at: sequence * 10 * DemultiplexerTests.ms)
            }
            sequence += 1
        }

        /// Tables and a clock reference: 10 s on the stream's clock at the release of the first datagram, 20 ms.
        mutating func begin(_ pids: [UInt16] = [DemultiplexerTests.pid, DemultiplexerTests.other], seconds: Int64 = 10)
        {
            send(writer.tables(pids) + [writer.packet(DemultiplexerTests.pid, [], pcr: seconds * 27_000_000)])
        }

        mutating func verdicts() -> [UnitVerdict] {
            bench.finish()
            return bench.closed.map(\.verdict)
        }
    }

    /// 90 kHz ticks, `milliseconds` after the reference.
    static func pts(_ milliseconds: Int64) -> Int64 { 900_000 + 90 * milliseconds }

    @Test("units are presented at their PTS on the clock that the first reference sets")
    func presentation() {
        var line = Line()
        line.begin()
        // Decoding order is not presentation's order.
        line.send(line.writer.unit(Self.pid, pts: Self.pts(200), dataCount: 300))
        line.send(line.writer.unit(Self.pid, pts: Self.pts(120), dataCount: 300))
        line.send(line.writer.unit(Self.other, pts: Self.pts(160), dataCount: 300))
        line.bench.finish()
        #expect(line.bench.presented.map(\.at.nanoseconds) == [140, 180, 220].map { $0 * Self.ms })
        #expect(line.bench.presented.map(\.lane) == [0, 1, 0])
        #expect(line.bench.presented.map(\.presentation) == [Self.pts(120), Self.pts(160), Self.pts(200)])
        #expect(line.bench.closed.map(\.verdict) == [.onTime, .onTime, .onTime])
    }

    @Test("a unit whose last byte is released at its PTS is on time, a millisecond later it is late; both are shown")
    func late() {
        for (due, verdict) in [(20, UnitVerdict.onTime), (19, .late)] as [(Int64, UnitVerdict)] {
            var line = Line()
            line.begin()
            let unit = line.writer.unit(Self.pid, pts: Self.pts(due), dataCount: 700)
            line.send(Array(unit[..<2]))
            line.send(Array(unit[2...]))
            line.bench.finish()
            #expect(line.bench.closed.map(\.verdict) == [verdict])
            #expect(line.bench.presented.count == 1)
        }
    }

    @Test("a lost packet damages the unit it was of, and no other", arguments: [true, false], 0..<5)
    func lostPacket(isBounded: Bool, lost: Int) {
        var line = Line()
        line.begin()
        var packets: [[UInt8]] = []
        for index in 0..<3 as Range<Int64> {
            packets += line.writer.unit(Self.pid, pts: Self.pts(100 + 40 * index), dataCount: 800, isBounded: isBounded)
        }
        // Units of five packets; one of the second unit's is taken out of a datagram.
        packets.remove(at: 5 + lost)
        for start in stride(from: 0, to: packets.count, by: 7) {
            line.send(Array(packets[start..<min(start + 7, packets.count)]))
        }
        let verdicts = line.verdicts()
        // Nothing tells of a unit without its first packet; where no length is known, the one before may be cut off.
        let withoutFirst: [UnitVerdict] = [isBounded ? .onTime : .damaged, .onTime]
        #expect(verdicts == (lost == 0 ? withoutFirst : [.onTime, .damaged, .onTime]))
        // What has begun is shown, whole or not.
        let isShown = line.bench.presented.contains { $0.presentation == Self.pts(140) }
        #expect(isShown == (lost > 0))
    }

    @Test("one repetition of a packet is legal and changes nothing; a second one is an error")
    func repetition() {
        for copies in 1...3 {
            var line = Line()
            line.begin()
            let unit = line.writer.unit(Self.pid, pts: Self.pts(100), dataCount: 800)
            line.send([unit[0], unit[1]] + Array(repeating: unit[2], count: copies) + [unit[3], unit[4]])
            #expect(line.verdicts() == [copies < 3 ? .onTime : .damaged])
        }
    }

    /// Fifteen or sixteen packets of a PID lost leave its counter as if one had been repeated, or none been lost.
    @Test("what the continuity counter cannot show of a gap, the RTP gap does", arguments: 13...17, [true, false])
    func longGap(lost: Int, isBounded: Bool) {
        var line = Line()
        line.begin()
        let unit = line.writer.unit(Self.pid, pts: Self.pts(300), dataCount: 184 * 30 - 14, isBounded: isBounded)
        line.send(Array(unit[..<4]))
        let gap = unit[4..<4 + lost]
        for start in stride(from: gap.startIndex, to: gap.endIndex, by: 7) {
            line.send(Array(gap[start..<min(start + 7, gap.endIndex)]), isLost: true)
        }
        let rest = unit[(4 + lost)...]
        for start in stride(from: rest.startIndex, to: rest.endIndex, by: 7) {
            line.send(Array(rest[start..<min(start + 7, rest.endIndex)]))
        }
        line.send(line.writer.unit(Self.pid, pts: Self.pts(340), dataCount: 100, isBounded: isBounded))
        #expect(line.verdicts() == [.damaged, .onTime])
    }

    @Test(
        "a gap of sixteen packets that swallows one unit's end and the next one's beginning does not make one of both")
    func swallowedBoundary() {
        var line = Line()
        line.begin()
        let first = line.writer.unit(Self.pid, pts: Self.pts(300), dataCount: 184 * 10 - 14 - 50)
        let second = line.writer.unit(Self.pid, pts: Self.pts(340), dataCount: 184 * 25 - 14 - 4)
        line.send((0..<4).map { _ in line.writer.packet(Self.other, [1]) } + first[..<3])
        line.send(Array(first[3...]), isLost: true)
        line.send(Array(second[..<7]), isLost: true)
        line.send(Array(second[7..<9]), isLost: true)
        for start in stride(from: 9, to: 25, by: 4) { line.send(Array(second[start..<start + 4])) }
        line.send(line.writer.unit(Self.pid, pts: Self.pts(380), dataCount: 100))
        #expect(line.verdicts() == [.damaged, .onTime])
        #expect(line.bench.presented.map(\.presentation) == [Self.pts(300), Self.pts(380)])
    }

    @Test("a gap does not damage another substream's unit of known length")
    func unrelatedGap() {
        var line = Line()
        line.begin()
        let audio = line.writer.unit(Self.other, pts: Self.pts(300), dataCount: 400)
        line.send([audio[0]])
        for _ in 0..<3 { line.send((0..<7).map { _ in line.writer.packet(Self.pid, [1]) }, isLost: true) }
        line.send([audio[1], audio[2]])
        #expect(line.verdicts() == [.onTime])
    }

    @Test(
        "a header cut by the end of its packet is read all the same", arguments: [1, 5, 6, 8, 9, 13, 14, 15],
        [true, false])
    func splitHeader(first: Int, isBounded: Bool) {
        var line = Line()
        line.begin()
        line.send(
            line.writer.unit(Self.pid, pts: Self.pts(80), dataCount: 400, isBounded: isBounded, firstPayload: first))
        line.send(line.writer.unit(Self.pid, pts: Self.pts(90), dataCount: 100, isBounded: isBounded))
        #expect(line.verdicts() == [.onTime, .onTime])
        #expect(line.bench.presented.map(\.presentation) == [Self.pts(80), Self.pts(90)])
    }

    @Test("behind a gap the rest of a cut header is not guessed")
    func splitHeaderWithGap() {
        var line = Line()
        line.begin()
        var unit = line.writer.unit(Self.pid, pts: Self.pts(80), dataCount: 600, firstPayload: 8)
        unit.remove(at: 1)
        line.send(unit)
        line.send(line.writer.unit(Self.pid, pts: Self.pts(90), dataCount: 100))
        line.bench.finish()
        #expect(line.bench.presented.map(\.presentation) == [Self.pts(90)])
        #expect(line.bench.closed.map(\.verdict) == [.onTime])
    }

    @Test("the discontinuity indicator excuses a jump of the counter")
    func discontinuity() {
        for isAnnounced in [true, false] {
            var line = Line()
            line.begin()
            let unit = line.writer.unit(Self.pid, pts: Self.pts(100), dataCount: 184 * 2 - 14)
            for _ in 0..<5 { _ = line.writer.next(Self.pid) }
            // 184 bytes are still to come: 182 in the packet with the flag, 2 behind it.
            let jump = line.writer.packet(Self.pid, [UInt8](repeating: 0x55, count: 182), discontinuity: isAnnounced)
            line.send([unit[0], jump, line.writer.packet(Self.pid, [0x55, 0x55])])
            #expect(line.verdicts() == [isAnnounced ? .onTime : .damaged])
        }
    }

    @Test("a new version of the map with the same streams loses nothing, open units included")
    func mapVersion() {
        var line = Line()
        line.begin()
        let unit = line.writer.unit(Self.pid, pts: Self.pts(100), dataCount: 800)
        let audio = line.writer.unit(Self.other, pts: Self.pts(110), dataCount: 400)
        line.send([unit[0], unit[1], audio[0]])
        // The order of the map changes: lanes keep their numbers.
        line.send(line.writer.tables([Self.other, Self.pid], version: 1) + Array(unit[2...]))
        line.send(Array(audio[1...]))
        line.bench.finish()
        #expect(line.bench.closed.map(\.verdict) == [.onTime, .onTime])
        #expect(line.bench.presented.map(\.lane) == [0, 1])
    }

    @Test("a stream that the map no longer names ends there; one that it adds gets a lane of its own")
    func mapChanges() {
        var line = Line()
        line.begin()
        let unit = line.writer.unit(Self.other, pts: Self.pts(100), dataCount: 800)
        line.send(Array(unit[..<2]))
        line.send(line.writer.tables([Self.pid, 0x102], version: 1) + Array(unit[2...]))
        line.send(line.writer.unit(0x102, pts: Self.pts(120), dataCount: 100))
        line.send(line.writer.tables([Self.pid, Self.other], version: 2))
        line.send(line.writer.unit(Self.other, pts: Self.pts(130), dataCount: 100))
        line.bench.finish()
        #expect(line.bench.closed.map(\.verdict) == [.damaged, .onTime, .onTime])
        #expect(line.bench.closed.map(\.lane) == [1, 2, 1])
        #expect(line.bench.presented.map(\.lane) == [1, 2, 1])
    }

    @Test("PTS and clock references that pass 2^33 are followed")
    func timestampWrap() {
        let wrap: Int64 = 1 << 33
        var line = Line()
        // The reference is 50 ms before the wrap.
        let start = wrap - 4_500
        line.send(
            line.writer.tables([Self.pid]) + [line.writer.packet(Self.pid, [], pcr: start * 300)])
        for index in 1...10 as ClosedRange<Int64> {
            line.send(
                [line.writer.packet(Self.pid, [], pcr: (start + 900 * index) % wrap * 300)]
                    + line.writer.unit(Self.pid, pts: (start + 900 * index + 2_700) % wrap, dataCount: 100))
        }
        line.bench.finish()
        #expect(line.bench.closed.map(\.verdict) == Array(repeating: .onTime, count: 10))
        #expect(line.bench.presented.map(\.at.nanoseconds) == (1...10).map { (20 + 30 + 10 * Int64($0)) * Self.ms })
        #expect(line.bench.presented.last?.presentation == wrap + 7_200)
    }

    @Test("bytes from outside never trap, cut or random")
    func hostileBytes() {
        var line = Line()
        line.begin()
        let good = (line.writer.tables([Self.pid]) + line.writer.unit(Self.pid, pts: Self.pts(60), dataCount: 800))
            .flatMap { $0 }
        let key = DrawKey(seed: 3).named("hostile")
        for index in 0..<3_000 as Range<Int64> {
            var bytes = Array(good.prefix(7 * 188))
            for flip in 0..<4 as Range<Int64> {
                let draw = key.draw(4 * index + flip)
                bytes[Int(draw % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: draw >> 32)
            }
            if index % 3 == 0 { bytes.removeLast(Int(key.draw(-index) % UInt64(bytes.count))) }
            line.send([bytes])
        }
        line.bench.finish()
        #expect(line.bench.released.count + line.bench.discarded.count == 3_001)
    }
}
