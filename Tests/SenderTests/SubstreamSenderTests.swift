import Media
@testable import Sender
import Testing
import Timebase
import Wire

/// A datagram as it left.
private struct Sent {
    let at: LocalInstant
    let packet: Packet
    let bytes: [UInt8]
    let header: RTPHeader

    var payload: [UInt8] { Array(bytes[header.payloadOffset...]) }
}

@Suite("A substream in an RTP session of its own")
struct SubstreamSenderTests {
    private static let zero = LocalInstant(nanoseconds: 5_000_000_000)

    private func plan(_ program: Program, _ pacing: SubstreamPlan.Pacing = .spread) -> SubstreamPlan {
        let demand = ProgramDemand(program)
        return SubstreamPlan(program, demand: demand, latency: demand.longestReordering, pacing: pacing)
    }

    /// Everything that a substream sends, served at the very instants it asks for.
    private func run(
        _ program: Program, _ index: Int, _ plan: SubstreamPlan, stoppedAt stop: TimeSpan? = nil
    ) throws -> (sent: [Sent], sender: SubstreamSender) {
        var pool = PacketPool(slotCapacity: 1_536)
        var sender = SubstreamSender(
            program, substream: index, plan: plan, traits: DatagramTraits(flow: 3, marks: .media),
            key: DrawKey(seed: 7))
        #expect(sender.nextTimeout == .distantFuture)
        sender.start(at: Self.zero)
        var sent: [Sent] = []
        var isStopped = false
        while !sender.isFinished {
            let now = sender.nextTimeout
            if let stop, !isStopped, now >= Self.zero + stop {
                sender.stop(at: Self.zero + stop)
                isStopped = true
                continue
            }
            sender.handleTimeout(&pool, at: now)
            while let packet = sender.pollOutput() {
                let bytes = Array(pool.bytes(packet.slot, count: packet.payloadCount))
                sent.append(
                    Sent(at: now, packet: packet, bytes: bytes, header: try RTPHeader(parsing: bytes.span.bytes)))
                pool.release(packet.slot)
            }
        }
        #expect(pool.slotsInUse == 0)
        return (sent, sender)
    }

    private func units(_ program: Program, _ index: Int) -> [(unit: MediaUnit, bytes: [UInt8])] {
        var source = program.source(index)
        var result: [(MediaUnit, [UInt8])] = []
        while let unit = source.next() {
            var bytes = [UInt8](repeating: 0, count: unit.elementaryByteCount)
            bytes.withUnsafeMutableBytes {
                source.writer.write(unit, from: unit.byteCount - unit.elementaryByteCount, into: $0)
            }
            result.append((unit, bytes))
        }
        return result
    }

    /// NAL units out of RFC 6184 payloads, by its text alone.
    private func nalUnits(_ payloads: [[UInt8]]) -> [[UInt8]] {
        var result: [[UInt8]] = []
        for payload in payloads {
            switch payload[0] & 31 {
            case 24:
                var offset = 1
                while offset < payload.count {
                    let size = Int(payload[offset]) << 8 | Int(payload[offset + 1])
                    result.append(Array(payload[offset + 2..<offset + 2 + size]))
                    offset += 2 + size
                }
            case 28:
                if payload[1] & 0x80 != 0 { result.append([payload[0] & 0xe0 | payload[1] & 31]) }
                result[result.count - 1] += payload[2...]
            default: result.append(payload)
            }
        }
        return result
    }

    @Test func picturesComeOutOfTheirPacketsByteForByte() throws {
        let program = try TestProgram.television.program()
        let plan = plan(program)
        let (sent, sender) = try run(program, 0, plan)
        let units = units(program, 0)
        #expect(plan.sessions[0].format.kind == .h264)
        #expect(sender.counters.units == Int64(units.count) && units.count == 100)
        #expect(sender.counters.bytes == units.reduce(0) { $0 + Int64($1.bytes.count) })
        var rest = sent[...]
        for (unit, bytes) in units {
            let count = try #require(rest.firstIndex { $0.header.marker }) + 1 - rest.startIndex
            let packets = rest.prefix(count)
            rest = rest.dropFirst(count)
            var ranges: [Range<Int>] = []
            bytes.withUnsafeBytes { NALUnits.find(in: $0, &ranges) }
            #expect(nalUnits(packets.map(\.payload)) == ranges.map { Array(bytes[$0]) })
            let offset = sender.rtp.timestamp(.zero)
            let ticks = unit.presentation - program.firstPresentation
            #expect(packets.allSatisfy { $0.header.timestamp == UInt32(truncatingIfNeeded: ticks) &+ offset })
        }
        #expect(rest.isEmpty)
        #expect(sent.allSatisfy { $0.bytes.count <= SubstreamPlan.packetLimit })
    }

    @Test func sequenceNumbersAndNumbersCountThePackets() throws {
        let program = try TestProgram.television.program()
        let (sent, sender) = try run(program, 0, plan(program))
        for (index, one) in sent.enumerated() {
            #expect(one.packet.number == UInt32(index) && one.packet.flow == 3 && one.packet.marks == .media)
            #expect(one.header.sequenceNumber == sender.rtp.firstSequenceNumber &+ UInt16(index))
        }
        #expect(sender.rtp.packetCount == Int64(sent.count))
        #expect(sender.rtp.octetCount == sent.reduce(0) { $0 + Int64($1.payload.count) })
    }

    /// IBBP at 25 a second: P pictures are captured 120 ms after their decoding time, and so they leave at their capture.
    @Test(arguments: [SubstreamPlan.Pacing.spread, .burst])
    func aPictureLeavesFromItsDecodingTimeAndTheLatencyOn(_ pacing: SubstreamPlan.Pacing) throws {
        let program = try TestProgram.television.program()
        let plan = plan(program, pacing)
        #expect(plan.latency == .milliseconds(120))
        var rest = try run(program, 0, plan).sent[...]
        for (unit, _) in units(program, 0) {
            let count = try #require(rest.firstIndex { $0.header.marker }) + 1 - rest.startIndex
            let begin = Self.zero + max(.zero, plan.latency + program.timeline(unit.decode))
            let step = pacing == .burst ? 0 : 40_000_000
            for (index, one) in rest.prefix(count).enumerated() {
                #expect(one.at == begin + .nanoseconds(Int64(step * index / count)))
                #expect(one.at >= Self.zero + program.timeline(unit.presentation))
            }
            rest = rest.dropFirst(count)
        }
    }

    /// The first picture is the earliest by its timestamp: it leaves 80 ms after its capture, a B picture 120 ms, and its
    /// last datagram up to 40 ms later; sound leaves 120 ms after its capture.
    @Test func holdsMakeAllSessionsAlike() throws {
        let program = try TestProgram.television.program()
        let spread = plan(program)
        #expect(spread.sessions.map(\.firstHold) == [.milliseconds(80), .milliseconds(40)])
        #expect(spread.sessions.map(\.disposableHold) == [.milliseconds(40), .milliseconds(40)])
        let burst = plan(program, .burst)
        #expect(burst.sessions.map(\.firstHold) == [.milliseconds(40), .zero])
    }

    @Test func aFrameOfSoundIsAPacket() throws {
        let program = try TestProgram.television.program()
        let plan = plan(program)
        let (sent, sender) = try run(program, 1, plan)
        let units = units(program, 1)
        #expect(plan.sessions[1].format.kind == .mpegAudio && sent.count == units.count)
        for (one, unit) in zip(sent, units) {
            #expect(one.payload == [0, 0, 0, 0] + unit.bytes)
            #expect(one.at == Self.zero + plan.latency + program.timeline(unit.unit.presentation))
        }
        // Of sound the marker says where it begins (RFC 3551 §4.1).
        #expect(sent.map(\.header.marker) == [true] + Array(repeating: false, count: sent.count - 1))
        #expect(sender.counters.span == .zero...TimeSpan.milliseconds(4_008))
    }

    @Test func anyBytesAreCutBehindTheirPlace() throws {
        let program = try TestProgram.slides.program()
        let (sent, _) = try run(program, 1, plan(program, .burst))
        var whole: [[UInt8]] = []
        for one in sent {
            let place = one.payload[..<4].reduce(0) { $0 << 8 | Int($1) }
            if place == 0 { whole.append([]) }
            #expect(whole[whole.count - 1].count == place)
            whole[whole.count - 1] += one.payload[4...]
        }
        #expect(whole == units(program, 1).map(\.bytes))
    }

    @Test func whatHasNotBeenCapturedIsNotSentBehindAStop() throws {
        let program = try TestProgram.television.program()
        for lane in 0..<2 {
            let plan = plan(program)
            let all = try run(program, lane, plan)
            let some = try run(program, lane, plan, stoppedAt: .milliseconds(1_990))
            let captured = units(program, lane).filter {
                program.timeline($0.unit.presentation) <= .milliseconds(1_990)
            }
            #expect(some.sender.counters.units == Int64(captured.count))
            #expect(some.sent.count < all.sent.count)
            #expect(all.sent.map(\.bytes).starts(with: some.sent.map(\.bytes)) || lane == 0)
        }
    }

    @Test func timestampsLeadBackToTheTimeline() throws {
        let program = try TestProgram.television.program()
        let (_, sender) = try run(program, 0, plan(program))
        for milliseconds in [Int64(0), 40, 3_960, 47_721_859, 100_000_000] {
            let time = TimeSpan.milliseconds(milliseconds)
            let near = time + .seconds(20)
            #expect(sender.rtp.elapsed(ofTimestamp: sender.rtp.timestamp(time), near: near) == time)
        }
    }
}
