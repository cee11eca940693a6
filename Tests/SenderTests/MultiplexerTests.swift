import Media
import Testing
import Timebase

@testable import Sender

@Suite("Multiplexer")
struct MultiplexerTests {
    @Test(
        "sync bytes and continuity counters are right, and packets without payload count nothing",
        arguments: TestProgram.allCases, [true, false])
    func continuity(of source: TestProgram, sendsNullPackets: Bool) throws {
        let program = try source.program()
        var multiplexer = Multiplexer(program, plan: try TestProgram.plan(program, sendsNullPackets: sendsNullPackets))
        var latest: [UInt16: UInt8] = [:]
        let packets = multiplexer.drain()
        for packet in packets where packet.pid != 0x1fff {
            #expect(packet.bytes[0] == 0x47 && packet.bytes[3] & 0xc0 == 0)
            if let before = latest[packet.pid] {
                #expect(packet.continuity == (packet.hasPayload ? (before + 1) & 15 : before), "PID \(packet.pid)")
            } else if packet.hasPayload {
                #expect(packet.continuity == 0)
            }
            latest[packet.pid] = packet.continuity
        }
        #expect(packets.contains { $0.pid == 0x1fff } == sendsNullPackets)
        #expect(multiplexer.packetsSent == Int64(packets.count))
        #expect(multiplexer.nullPacketsSent == Int64(packets.count { $0.pid == 0x1fff }))
        #expect(Set(packets.map(\.pid)).isSuperset(of: program.substreams.map(\.pid) + [0, program.pmtPID]))
    }

    /// Reads the units by their packets alone.
    static func reassemble(_ packets: [SentPacket], pid: UInt16) -> [(
        bytes: [UInt8], first: SentPacket, last: SentPacket
    )] {
        var units: [(bytes: [UInt8], first: SentPacket, last: SentPacket)] = []
        for packet in packets where packet.pid == pid && packet.hasPayload {
            if packet.starts {
                units.append(([], packet, packet))
            }
            units[units.count - 1].bytes += packet.payload
            units[units.count - 1].last = packet
        }
        return units
    }

    @Test(
        "every unit's bytes come out whole, after its capture less the latency and by its decoding time",
        arguments: TestProgram.allCases, [true, false])
    func units(of source: TestProgram, sendsNullPackets: Bool) throws {
        let program = try source.program()
        let plan = try TestProgram.plan(program, sendsNullPackets: sendsNullPackets)
        var multiplexer = Multiplexer(program, plan: plan)
        let packets = multiplexer.drain()
        let slot = plan.rate.transmissionTime(bits: 1_504)
        for (lane, substream) in program.substreams.enumerated() {
            var units = Self.reassemble(packets, pid: substream.pid)[...]
            var origin = program.source(lane)
            let writer = origin.writer
            var count: Int64 = 0
            var elementary: Int64 = 0
            while let unit = origin.next() {
                let next = units.popFirst()
                let sent = try #require(next, "\(substream.id) \(unit.index)")
                var bytes = [UInt8](repeating: 0, count: unit.byteCount)
                bytes.withUnsafeMutableBytes { writer.write(unit, from: 0, into: $0) }
                #expect(sent.bytes == bytes, "\(substream.id) \(unit.index)")
                let decode = program.timeline(unit.decode)
                #expect(sent.last.end <= decode, "\(substream.id) \(unit.index)")
                let release = max(decode - plan.leads[lane], program.timeline(unit.presentation) - plan.latency)
                if sendsNullPackets {
                    // The slot's beginning, from the datagram's end.
                    let behind = Int64(plan.packetsPerDatagram - sent.first.index % plan.packetsPerDatagram)
                    #expect(sent.first.end - slot * behind >= release - .nanoseconds(behind + 1))
                } else {
                    #expect(sent.first.end >= release)
                }
                // The ninth byte of a PES packet counts those of the header behind it (ISO/IEC 13818-1 §2.4.3.6).
                elementary += Int64(bytes.count - 9) - Int64(bytes[8])
                count += 1
            }
            #expect(units.isEmpty)
            #expect(multiplexer.counters[lane].bytes == elementary)
            #expect(multiplexer.counters[lane].units == count)
            #expect(multiplexer.counters[lane].unitsTooLate == 0)
        }
        #expect(multiplexer.isFinished)
    }

    @Test(
        "tables come at least every 100 ms, and references every 40 ms, each exact to a tick by its byte's place",
        arguments: TestProgram.allCases, [nil, 400_000, 3_000_000] as [UInt64?])
    func clockAndTables(of source: TestProgram, rate: UInt64?) throws {
        let program = try source.program()
        var plan = try TestProgram.plan(program)
        if let rate {
            guard rate > plan.rate.bitsPerSecond else { return }
            plan.rate = BitRate(bitsPerSecond: rate)
        }
        var multiplexer = Multiplexer(program, plan: plan)
        let packets = multiplexer.drain()
        func time(_ index: Int) -> Double { Double(index) * 1_504e9 / Double(plan.rate.bitsPerSecond) }
        for (pid, period) in [(0, 100e6), (program.pmtPID, 100e6)] as [(UInt16, Double)] {
            let places = packets.filter { $0.pid == pid && $0.starts }.map(\.index)
            #expect(time(places[0]) < 100e6 && places.count > 30)
            for (a, b) in zip(places, places.dropFirst()) { #expect(time(b) - time(a) <= period, "PID \(pid)") }
        }
        let references = packets.filter { $0.pcr != nil }
        #expect(references.allSatisfy { $0.pid == program.pcrPID })
        let first = try #require(references.first)
        #expect(packets.first { $0.pid == program.pmtPID }.map { $0.index < first.index } == true)
        #expect(
            packets.first { $0.pid >= 0x100 && $0.pid < 0x1000 && $0.hasPayload }.map { $0.index >= first.index }
                == true)
        for (a, b) in zip(references, references.dropFirst()) {
            #expect(time(b.index) - time(a.index) <= 40e6)
        }
        for packet in references {
            // (bytes since the first reference's) × 8 × 27 MHz / rate, in whole ticks: two cuts make less than one apart.
            let exact = Double(packet.index - first.index) * 1_504 * 27e6 / Double(plan.rate.bitsPerSecond)
            #expect(abs(Double(packet.pcr! - first.pcr!) - exact) < 1)
        }
        // Emulated time zero is the first presentation: absolute, not only relative.
        let end = try #require(packets.dropFirst(6).first).end
        let behind = 7 * 1_504 - Int64(first.index) * 1_504 - 88
        if first.index < 7 {
            let expected =
                Double(program.firstPresentation * 300) + Double(end.nanoseconds) * 0.027
                - Double(behind) * 27e6 / Double(plan.rate.bitsPerSecond)
            #expect(abs(Double(first.pcr!) - expected) < 2)
        }
    }

    @Test(
        "variable bit rate sends the constant stream without its null packets, none later than 20 ms",
        arguments: TestProgram.allCases)
    func variableRate(of source: TestProgram) throws {
        let program = try source.program()
        var plan = try TestProgram.plan(program, sendsNullPackets: false)
        var variable = Multiplexer(program, plan: plan)
        let sent = variable.drain()
        plan.sendsNullPackets = true
        var constant = Multiplexer(program, plan: plan)
        let whole = constant.drain()
        let busy = whole.filter { $0.pid != 0x1fff }
        #expect(sent.map(\.bytes) == busy.map(\.bytes))
        #expect(variable.nullPacketsSent == 0)
        // When a packet's slot began in the constant stream, against its datagram in the other.
        let origin =
            try #require(whole.first).end - .nanoseconds(7 * 1_504_000_000_000 / Int64(plan.rate.bitsPerSecond))
        var partial = 0
        var size = 0
        for (index, packet) in sent.enumerated() {
            let began = Double(busy[index].index) * 1_504e9 / Double(plan.rate.bitsPerSecond)
            let slot = 1_504e9 / Double(plan.rate.bitsPerSecond)
            let waited = Double((packet.end - origin).nanoseconds) - began
            #expect(waited >= slot - 2 && waited <= max(20e6, slot) + 2)
            size += 1
            if index + 1 == sent.count || sent[index + 1].end != packet.end {
                #expect(size <= 7)
                if size < 7 { partial += 1 }
                size = 0
            }
        }
        #expect(partial > 0)
    }

    @Test(
        "stopping ends every substream behind a whole unit captured by then", arguments: TestProgram.allCases,
        [true, false])
    func stopping(source: TestProgram, sendsNullPackets: Bool) throws {
        let program = try source.program(duration: .seconds(10))
        let plan = try TestProgram.plan(program, sendsNullPackets: sendsNullPackets)
        let stop = TimeSpan.milliseconds(2_011)
        var multiplexer = Multiplexer(program, plan: plan)
        var packets: [SentPacket] = []
        var buffer = [UInt8](repeating: 0, count: 188 * 7)
        while let datagram = buffer.withUnsafeMutableBytes({ multiplexer.nextDatagram(into: $0) }) {
            for index in 0..<datagram.packets {
                packets.append(
                    SentPacket(
                        bytes: Array(buffer[188 * index..<188 * index + 188]), index: packets.count, end: datagram.end))
            }
            // The sender's clock shows the stop when the datagram that it has ready is sent: latency later.
            if datagram.end + plan.latency >= stop { multiplexer.stop(capturedAfter: stop) }
        }
        for (lane, substream) in program.substreams.enumerated() {
            let units = Self.reassemble(packets, pid: substream.pid)
            var expected: [Int] = []
            var origin = program.source(lane)
            while let unit = origin.next() {
                if program.timeline(unit.presentation) <= stop { expected.append(unit.byteCount) }
            }
            // Units begun when the stop came may have been captured after it, as the multiplexer works ahead; none is cut.
            let sizes = units.map(\.bytes.count)
            #expect(Array(sizes.prefix(expected.count)) == expected, "\(substream.id)")
            #expect(sizes.count <= expected.count + 1)
            #expect(multiplexer.counters[lane].units == Int64(sizes.count))
        }
    }

    @Test("fewer packets a datagram carry the same stream", arguments: 1...6)
    func smallDatagrams(packets count: Int) throws {
        let program = try TestProgram.television.program(duration: .seconds(1))
        var whole = Multiplexer(program, plan: try TestProgram.plan(program))
        var small = Multiplexer(program, plan: try TestProgram.plan(program, packetsPerDatagram: count))
        let (a, b) = (whole.drain(), small.drain())
        let common = min(a.count, b.count)
        #expect(abs(a.count - b.count) < 7 && b.count % count == 0)
        #expect(a.prefix(common).map(\.bytes) == b.prefix(common).map(\.bytes))
    }

    @Test("the least rate is found to 1 kbit/s, and a lower one is not feasible", arguments: TestProgram.allCases)
    func leastRate(of source: TestProgram) throws {
        let program = try source.program()
        let rate = try TestProgram.leastRate(program)
        let (leads, latency) = TestProgram.timing(program)
        let feasibility = MultiplexFeasibility(program, leads: leads, latency: latency)
        #expect(feasibility.isFeasible(rate))
        let less = max(rate.bitsPerSecond / 100, 2_000)
        #expect(!feasibility.isFeasible(BitRate(bitsPerSecond: rate.bitsPerSecond - less)))
        #expect(!feasibility.isFeasible(BitRate(bitsPerSecond: 0)))
        // Not far from what the media alone take in packets: the planner may not hide behind a large reserve.
        let demand = ProgramDemand(program)
        let mean = program.substreams.indices.reduce(0) { $0 + demand.meanRate($1).bitsPerSecond }
        if source != .slides { #expect(rate.bitsPerSecond < mean * 3 / 2 + 150_000, "\(rate) for \(mean)") }
    }
}
