import Protection
@testable import Receiver
import Testing
import Timebase
import Wire

/// Each part of the receiver by itself, as it is driven in a row.
@Suite("Receiver's parts")
struct StageTests {
    static let ms: Int64 = 1_000_000

    static func local(_ milliseconds: Int64) -> LocalInstant { LocalInstant(nanoseconds: milliseconds * ms) }

    static func packet(_ number: UInt32 = 0) -> Packet {
        Packet(time: .zero, sent: .zero, slot: 0, number: number, length: 0, flow: 0)
    }

    static func header(_ sequence: UInt16, _ timestamp: UInt32) -> [UInt8] {
        RTPHeader(payloadType: 33, sequenceNumber: sequence, timestamp: timestamp, ssrc: 7).packet(payload: [])
    }

    static func media(_ output: SessionReceiver.Output?) -> MediaDatagram? {
        guard case .media(let datagram) = output else { return nil }
        return datagram
    }

    static func reason(_ output: SessionReceiver.Output?) -> ReceiverOutput.Discard? {
        guard case .discarded(_, let reason) = output else { return nil }
        return reason
    }

    @Test("the session says place and time of what comes, over the wraps, and takes each datagram once")
    func session() throws {
        var session = SessionReceiver(ReceiverConfiguration(playoutDelay: .zero, hasRTP: true))
        let arrivals: [(sequence: UInt16, timestamp: UInt32)] = [
            (65_534, 0xffff_fff0), (0, 164), (65_535, 74), (0, 164), (1, 254),
        ]
        var media: [MediaDatagram?] = []
        for (index, arrival) in arrivals.enumerated() {
            let bytes = Self.header(arrival.sequence, arrival.timestamp)
            let output = session.handle(
                Self.packet(UInt32(index)), payload: bytes.span.bytes, at: Self.local(Int64(index)))
            media.append(Self.media(output))
            #expect((Self.reason(output) == .duplicate) == (index == 3))
            #expect(session.pollOutput() == nil)
        }
        let taken = media.compactMap { $0 }
        #expect(taken.map(\.packet.number) == [0, 1, 2, 4])
        #expect(taken.map { $0.number - taken[0].number } == [0, 2, 1, 3])
        #expect(
            taken.map { ($0.sourceTime - taken[0].sourceTime).nanoseconds } == [0, 2 * Self.ms, Self.ms, 3 * Self.ms])
        #expect(taken.map(\.arrival) == [0, 1, 2, 4].map { Self.local($0) })
        #expect(taken.allSatisfy { $0.start == 12 && $0.hold == .zero })
        #expect(session.statistics.received == 5 && session.statistics.expected == 4)
        let malformed = session.handle(Self.packet(), payload: [1, 2, 3].span.bytes, at: Self.local(9))
        #expect(Self.reason(malformed) == .malformed)
        #expect(session.statistics.received == 5)
    }

    @Test("behind an interleaver the session tells how long the first datagram was held, and only of that")
    func hold() throws {
        var configuration = ReceiverConfiguration(playoutDelay: .zero, hasRTP: true)
        let interleaving = InterleavingConfiguration(
            block: InterleavingBlock(rows: 2, columns: 3), leastSpan: .milliseconds(4), longestSpan: .milliseconds(4))
        configuration.deinterleaver = BlockDeinterleaver(interleaving, firstSequenceNumber: 100)
        var session = SessionReceiver(configuration)
        var holds: [TimeSpan?] = []
        // Sent by columns: 100, 103, 101, ... of which the first is lost.
        for sequence in [103, 101, 104] as [UInt16] {
            let bytes = Self.header(sequence, 0)
            holds.append(
                Self.media(session.handle(Self.packet(), payload: bytes.span.bytes, at: Self.local(0)))?.hold)
        }
        // Slot 1 holds place 3: with a lead of 2 it is sent when place 3 is written.
        #expect(holds == [.zero, .zero, .zero])
        session = SessionReceiver(configuration)
        let bytes = Self.header(102, 0)
        let output = session.handle(Self.packet(), payload: bytes.span.bytes, at: Self.local(0))
        // Place 2 in slot 4 waits for place 6: four datagrams of 1 ms.
        #expect(Self.media(output)?.hold == .milliseconds(4))
    }

    @Test("where headers may be damaged, a jump counts once the next one confirms it (RFC 3550 §A.1)")
    func doubt() {
        var configuration = ReceiverConfiguration(playoutDelay: .zero, hasRTP: true)
        configuration.doubtsHeaders = true
        var session = SessionReceiver(configuration)
        let sequences: [UInt16] = [10, 11, 20_000, 12, 30_000, 30_001, 30_002]
        var isTaken: [Bool] = []
        for sequence in sequences {
            let bytes = Self.header(sequence, 0)
            let output = session.handle(Self.packet(), payload: bytes.span.bytes, at: Self.local(0))
            isTaken.append(Self.media(output) != nil)
        }
        #expect(isTaken == [true, true, false, true, false, true, true])
    }

    @Test("without RTP what came before the second clock reference comes out with it, in order and dated")
    func references() {
        var session = SessionReceiver(ReceiverConfiguration(playoutDelay: .zero, hasRTP: false))
        var writer = StreamWriter()
        var taken: [MediaDatagram] = []
        // A packet a millisecond; references in the datagrams 1 and 4.
        for index in 0..<6 as Range<Int64> {
            let reference = index % 3 == 1 ? (1_000 + index) * 27_000 : nil
            let bytes = writer.packet(0x100, [], pcr: reference)
            let output = session.handle(
                Self.packet(UInt32(index)), payload: bytes.span.bytes, at: Self.local(index + index % 2))
            #expect(output == nil)
            while let output = session.pollOutput() { taken.append(contentsOf: [Self.media(output)].compactMap { $0 }) }
            #expect(taken.count == (index < 4 ? 0 : Int(index) + 1))
        }
        #expect(taken.map(\.number) == [0, 1, 2, 3, 4, 5])
        #expect(taken.map { ($0.sourceTime - taken[0].sourceTime).nanoseconds } == (0..<6).map { $0 * Self.ms })
        #expect(taken.map(\.arrival) == (0..<6).map { Self.local($0 + $0 % 2) })
        #expect(taken.allSatisfy { $0.start == 0 })
    }

    @Test("the playout buffer gives back what it gets, in order, at anchor + delay + source time, nothing early")
    func playout() {
        var buffer = PlayoutBuffer(ReceiverConfiguration(playoutDelay: .milliseconds(10), hasRTP: true))
        #expect(buffer.nextTimeout == .distantFuture)
        for (number, arrival) in [(0, 0), (2, 1), (1, 2)] as [(Int64, Int64)] {
            let datagram = MediaDatagram(
                packet: Self.packet(), number: number, start: 12, sourceTime: .milliseconds(number),
                arrival: Self.local(arrival))
            #expect(buffer.handle(datagram) == .buffered)
        }
        var released: [Int64] = []
        for number in 0..<3 as Range<Int64> {
            #expect(buffer.nextTimeout == Self.local(10 + number))
            #expect(buffer.pollOutput(at: buffer.nextTimeout - .nanoseconds(1)) == nil)
            #expect(buffer.depth(at: Self.local(10 + number)) == .milliseconds(2 - number))
            let entry = buffer.pollOutput(at: Self.local(10 + number))
            released.append(entry?.number ?? -1)
            #expect(entry?.start == 12 && entry?.release == Self.local(10 + number))
        }
        #expect(released == [0, 1, 2] && buffer.nextTimeout == .distantFuture)
        let late = MediaDatagram(
            packet: Self.packet(), number: 3, sourceTime: .milliseconds(3), arrival: Self.local(14))
        #expect(buffer.handle(late) == .late)
    }

    /// Units of five packets behind tables and a reference; what their packets hold differs.
    private static func closed(
        count: Int, dataCount: Int, _ change: (inout [[UInt8]]) -> Void
    ) -> [ReceivedUnit] {
        var receiver = ProgramReceiver()
        var writer = StreamWriter()
        var packets: [[UInt8]] = []
        for index in 0..<Int64(count) {
            packets += writer.unit(0x100, pts: 90_000 + 9_000 * index, dataCount: dataCount, isBounded: false)
        }
        for index in packets.indices { packets[index][150] = UInt8(truncatingIfNeeded: index) }
        change(&packets)
        packets = writer.tables([0x100]) + [writer.packet(0x100, [], pcr: 300 * 80_000)] + packets
        for start in stride(from: 0, to: packets.count, by: 7) {
            let bytes = packets[start..<min(start + 7, packets.count)].flatMap { $0 }
            receiver.handle(bytes.span.bytes, from: 0, number: nil, at: Self.local(1))
        }
        receiver.finish()
        var closed: [ReceivedUnit] = []
        while case .closed(let unit) = receiver.pollOutput() { closed.append(unit) }
        return closed
    }

    @Test("behind a gap a unit's leading bytes tell how much of it is certain")
    func coverage() throws {
        // The second unit's first packet is lost: what follows is taken for the first unit's.
        let units = Self.closed(count: 3, dataCount: 800) { $0.remove(at: 5) }
        #expect(units.map(\.verdict) == [.damaged, .onTime])
        let first = try #require(units.first).coverage
        #expect(first.leadingByteCount == 814 && first.hasGap && first.byteCount > 814)
        // Of the packets up to the 64th: five, one that is missing, four.
        #expect(first.packets == 0b11_1101_1111 && first.firstPacketByteCount == 184)
    }

    @Test(
        "where datagrams have no numbers, a packet repeats the one before if its bytes do, and else fifteen are missing"
    )
    func repetition() {
        let dataCount = 184 * 30 - 14
        let twice = Self.closed(count: 2, dataCount: dataCount) { $0.insert($0[3], at: 4) }
        #expect(twice.map(\.verdict) == [.onTime, .onTime])
        #expect(twice.map(\.coverage.hasGap) == [false, false])
        let cut = Self.closed(count: 2, dataCount: dataCount) { $0.removeSubrange(4..<19) }
        #expect(cut.map(\.verdict) == [.damaged, .onTime])
        #expect(cut.map(\.coverage.leadingByteCount) == [4 * 184, 30 * 184])
    }

    @Test("the program's receiver presents units by the clock of the first reference, one a timeout")
    func program() {
        var receiver = ProgramReceiver()
        var writer = StreamWriter()
        let pid: UInt16 = 0x100
        var packets = writer.tables([pid]) + [writer.packet(pid, [], pcr: 300 * 90_000)]
        packets +=
            writer.unit(pid, pts: 90_000 + 900, dataCount: 10) + writer.unit(pid, pts: 90_000 + 450, dataCount: 9)
        let bytes = packets.flatMap { $0 }
        receiver.handle(bytes.span.bytes, from: 0, number: nil, at: Self.local(50))
        var closed: [UnitVerdict] = []
        while case .closed(let unit) = receiver.pollOutput() { closed.append(unit.verdict) }
        #expect(closed == [.onTime, .onTime])
        for (ticks, at) in [(90_450, 55), (90_900, 60)] as [(Int64, Int64)] {
            #expect(receiver.nextTimeout == Self.local(at))
            receiver.handleTimeout(at: Self.local(100))
            guard case .presented(0, ticks) = receiver.pollOutput() else {
                Issue.record("\(ticks) is presented")
                continue
            }
            #expect(receiver.pollOutput() == nil)
        }
        #expect(receiver.nextTimeout == .distantFuture)
    }
}
