@testable import Metrics
import Testing
import Timebase
import Wire

@Suite("Transport stream monitor (TR 101 290)")
struct TransportStreamMonitorTests {
    typealias Fixture = TransportStreamFixture

    @Test("a clean stream has no error, its rate and PCR interval are exact")
    func clean() throws {
        let result = Fixture(count: 20_000).measured()
        #expect(result.failures.isEmpty)
        #expect(result.point == "here" && result.bitsPerSecond == 1_504_000)
        #expect(result.pcrIntervalMaximum == .milliseconds(40))
        let accuracy = try #require(result.pcrAccuracy)
        #expect(accuracy.count == 499 && accuracy.minimum == 0 && accuracy.maximum == 0)
        #expect(
            result.tr101290.map(\.name) == [
                "TS_sync_loss", "Sync_byte_error", "PAT_error", "PAT_error_2", "Continuity_count_error", "PMT_error",
                "PMT_error_2", "PID_error", "Transport_error", "CRC_error", "PCR_error", "PCR_repetition_error",
                "PCR_discontinuity_indicator_error", "PCR_accuracy_error", "PTS_error", "CAT_error",
            ])
    }

    @Test("without a constant rate PCR accuracy is not measured, and says so")
    func variableRate() {
        let result = Fixture(count: 2000).measured(constantRate: nil)
        #expect(result.pcrAccuracy == nil && result.failures == ["PCR_accuracy_error": -1])
    }

    @Test("PCR accuracy is signed, in nanoseconds, and an error beyond 500 ns; the clock may wrap", arguments: [0, 1])
    func accuracy(wraps: Int64) throws {
        // 13 ticks are 481 ns, 14 are 519. Packet 82 is the third with a PCR, 122 the fourth.
        let start = wraps * (TransportPacket.pcrPeriod - 54_000)
        let late: [Int: Int64] = [82: 13, 122: -14, 162: 14]
        let result = Fixture(count: 400, pcr: { start + Int64($0) * 27_000 + late[$0, default: 0] }).measured()
        let accuracy = try #require(result.pcrAccuracy)
        #expect(accuracy.maximum == 519 && accuracy.minimum == -519 && accuracy.quantile(0.5) == 0)
        #expect(result.failures == ["PCR_accuracy_error": 2])
    }

    @Test("a missing null packet is a jump of one packet's time, unless it is told that bytes are missing")
    func missingBytes() throws {
        var fixture = Fixture(count: 1000)
        // The null packet behind the PCR at 402.
        fixture.packets.remove(at: 403)
        #expect(fixture.measured().failures == ["PCR_accuracy_error": 14])
        var monitor = TransportStreamMonitor(constantRate: Fixture.rate)
        for (number, packet) in fixture.packets.enumerated() {
            if number == 403 { monitor.noteMissingBytes() }
            monitor.add(packet.span.bytes, at: 0, instant: Instant(nanoseconds: Int64(number) * 1_000_000))
        }
        #expect(monitor.measurements(point: "").failures.isEmpty)
    }

    @Test("one copy of a packet is legal, a second is not; an adaptation field alone does not count")
    func continuity() throws {
        var fixture = Fixture(count: 1000)
        let number = fixture.numbers(of: Fixture.audioPID)[3]
        let packet = fixture.packets[number]
        fixture.packets.insert(packet, at: number)
        #expect(fixture.measured(constantRate: nil).failures["Continuity_count_error"] == nil)
        fixture.packets.insert(packet, at: number)
        #expect(fixture.measured(constantRate: nil).failures["Continuity_count_error"] == 1)
        fixture.packets.insert(packet, at: number)
        #expect(fixture.measured(constantRate: nil).failures["Continuity_count_error"] == 2)

        // The same counter on other bytes: 15 packets are missing. But a copy has a clock reference of its own.
        for (position, errors) in [(186, 1), (101, 1), (8, nil)] as [(Int, Int64?)] {
            var other = Fixture(count: 1000)
            let video = other.numbers(of: Fixture.videoPID)[3]
            var changed = other.packets[video]
            changed[position] ^= 0x40
            other.packets.insert(changed, at: video)
            #expect(other.measured(constantRate: nil).failures["Continuity_count_error"] == errors)
        }

        var alone = Fixture(count: 1000)
        var adaptation = alone.packets[number]
        adaptation[3] = adaptation[3] & 0x0f | 0x20
        adaptation[4] = 183
        adaptation[5] = 0
        // It repeats the counter of the packet before it. The other way round both are wrong: it, for its counter went on
        // without payload, and the packet, for its counter did not.
        alone.packets.insert(adaptation, at: number + 1)
        #expect(alone.measured(constantRate: nil).failures["Continuity_count_error"] == nil)
        alone.packets.swapAt(number, number + 1)
        #expect(alone.measured(constantRate: nil).failures["Continuity_count_error"] == 2)
    }

    @Test("a lost packet is one continuity error; a jump that is announced is none")
    func loss() throws {
        var fixture = Fixture(count: 1000)
        let number = fixture.numbers(of: Fixture.audioPID)[7]
        TransportPacket.overwriteNull(&fixture.packets[number])
        #expect(fixture.measured().failures == ["Continuity_count_error": 1])

        var announced = Fixture(count: 1000)
        let video = announced.numbers(of: Fixture.videoPID)
        TransportPacket.overwriteNull(&announced.packets[video[7]])
        announced.packets[video[8]][5] |= 0x80
        let result = announced.measured()
        #expect(result.failures.isEmpty && result.pcrIntervalMaximum == .milliseconds(80))
        // From the announced PCR on the accuracy has another reference.
        let others = announced.numbers(of: Fixture.videoPID).count - 2
        #expect(result.pcrAccuracy?.count == Int64(others))
    }

    @Test("a wrong sync byte counts; two in a row lose the sync until five are right")
    func sync() {
        var single = Fixture(count: 1000)
        single.packets[203][0] = 0x48
        #expect(single.measured().failures == ["Sync_byte_error": 1])
        var double = Fixture(count: 1000)
        double.packets[203][0] = 0x48
        double.packets[204][0] = 0x00
        // 205 (audio), 206, 207, 208 are not judged; from 209 on all is again.
        double.packets[206][1] |= 0x80
        #expect(double.measured().failures == ["Sync_byte_error": 2, "TS_sync_loss": 1])
        double.packets[210][1] |= 0x80
        #expect(double.measured().failures == ["Sync_byte_error": 2, "TS_sync_loss": 1, "Transport_error": 1])
    }

    @Test("transport_error_indicator counts, and nothing else of that packet does")
    func transportError() {
        var fixture = Fixture(count: 1000)
        let audio = fixture.numbers(of: Fixture.audioPID)
        fixture.packets[audio[3]][1] |= 0x80
        #expect(fixture.measured().failures == ["Transport_error": 1])
        // Another PID's number in a null packet's place; then a counter that was hit as well.
        fixture.packets[203][1] = 0x9f
        fixture.packets[203][2] = 0x33
        #expect(fixture.measured().failures == ["Transport_error": 2])
        fixture.packets[audio[3]][3] ^= 4
        #expect(fixture.measured().failures == ["Transport_error": 2, "Continuity_count_error": 1])
    }

    @Test("tables that are away for more than 500 ms, at the start, in the middle and at the end")
    func tables() {
        let all = Fixture(count: 3000)
        for (pid, name) in [(UInt16(0), "PAT_error"), (Fixture.mapPID, "PMT_error")] {
            for (range, count) in [(0..<500, 0), (0..<700, 1), (1050..<1500, 0), (1050..<1700, 1), (2200..<3000, 1)] {
                var fixture = all
                // Not lost, but other packets in their stead, so that counters go on.
                for number in all.numbers(of: pid) where range.contains(number) {
                    TransportPacket.overwriteNull(&fixture.packets[number])
                }
                fixture.renumber(pid)
                var failures = fixture.measured().failures
                // The map is awaited from the PAT on, which is 501 ms before its sixth.
                let expected = pid != 0 && range == 0..<500 ? 1 : Int64(count)
                #expect(failures.removeValue(forKey: name) ?? 0 == expected, "\(name) \(range)")
                #expect(failures.removeValue(forKey: name + "_2") ?? 0 == expected, "\(name)_2 \(range)")
                #expect(failures.isEmpty, "\(name) \(range): \(failures)")
            }
        }
    }

    @Test("what a new PAT or map drops is not awaited, nor are its clock and time stamps", arguments: [true, false])
    func dropped(byMap: Bool) {
        var fixture = Fixture(count: 1000)
        let mapPID: UInt16 = byMap ? Fixture.mapPID : 0x30
        let association = ProgramAssociation(
            transportStreamID: 1, version: byMap ? 0 : 1, programs: [.init(programNumber: 1, pid: mapPID)])
        let map = ProgramMap(
            programNumber: 1, version: 1, pcrPID: 0x200,
            streams: [.init(streamTypeCode: 0x1b, pid: 0x200), .init(streamTypeCode: 0x03, pid: 0x201)])
        for number in 1000..<9000 {
            switch (number % 100, number % 40, number % 10) {
            case (0, _, _): fixture.appendSection(association.section ?? [], pid: 0)
            case (1, _, _): fixture.appendSection(map.section ?? [], pid: mapPID)
            case (_, 2, _):
                fixture.appendUnit(0x200, streamID: 0xe0, pts: Int64(number) * 90, pcr: Int64(number) * 27_000)
            case (_, _, 5): fixture.appendUnit(0x201, streamID: 0xc0, pts: Int64(number) * 90, pcr: nil)
            default: fixture.appendNull()
            }
        }
        #expect(fixture.measured().failures.isEmpty)
    }

    @Test("a PAT that never comes is an error")
    func noTable() {
        var fixture = Fixture(count: 1000)
        for number in fixture.numbers(of: 0) { TransportPacket.overwriteNull(&fixture.packets[number]) }
        #expect(fixture.measured().failures == ["PAT_error": 1, "PAT_error_2": 1])
    }

    @Test("a section with a wrong bit is a CRC error and not a table")
    func crc() {
        var fixture = Fixture(count: 1000)
        fixture.packets[fixture.numbers(of: Fixture.mapPID)[4]][20] ^= 1
        #expect(fixture.measured().failures == ["CRC_error": 1])
    }

    @Test("another table on PID 0, and scrambling where there must be none")
    func wrongTable() {
        var fixture = Fixture(count: 1000)
        let section = PSISection(tableID: 0x42, tableIDExtension: 1, version: 0, body: [])
        fixture.appendSection(section.bytes ?? [], pid: 0)
        #expect(fixture.measured().failures == ["PAT_error": 1, "PAT_error_2": 1])
        var scrambled = Fixture(count: 1000)
        scrambled.packets[scrambled.numbers(of: 0)[2]][3] |= 0x80
        #expect(scrambled.measured().failures == ["PAT_error": 1, "PAT_error_2": 1])
        var map = Fixture(count: 1000)
        map.packets[map.numbers(of: Fixture.mapPID)[2]][3] |= 0xc0
        #expect(map.measured().failures == ["PMT_error": 1, "PMT_error_2": 1])
    }

    @Test("scrambled packets need a CAT, and PID 1 carries nothing else")
    func conditionalAccess() {
        var fixture = Fixture(count: 1000)
        for number in fixture.numbers(of: Fixture.audioPID).suffix(30) { fixture.packets[number][3] |= 0x80 }
        // The last PTS that can be read is 300 ms old at the end.
        #expect(fixture.measured().failures == ["CAT_error": 1])
        let table = PSISection(tableID: 1, tableIDExtension: 0xffff, version: 0, body: [])
        fixture.appendSection(table.bytes ?? [], pid: 1)
        let last = fixture.packets.removeLast()
        fixture.packets[203] = last
        #expect(fixture.measured().failures.isEmpty)
        let other = PSISection(tableID: 2, tableIDExtension: 0xffff, version: 0, body: [])
        fixture.appendSection(other.bytes ?? [], pid: 1)
        #expect(fixture.measured().failures == ["CAT_error": 1])
    }

    @Test("audio and video that the map names may be away for 5 s, timestamps for 700 ms")
    func silence() {
        var fixture = Fixture(count: 12_000)
        for number in fixture.numbers(of: Fixture.audioPID) where (3000..<8010).contains(number) {
            TransportPacket.overwriteNull(&fixture.packets[number])
        }
        fixture.renumber(Fixture.audioPID)
        #expect(fixture.measured().failures == ["PID_error": 1, "PTS_error": 1])
        var never = Fixture(count: 12_000)
        for number in never.numbers(of: Fixture.audioPID) { TransportPacket.overwriteNull(&never.packets[number]) }
        #expect(never.measured().failures == ["PID_error": 1])
        var short = Fixture(count: 2000)
        for number in short.numbers(of: Fixture.audioPID) where (500..<1200).contains(number) {
            TransportPacket.overwriteNull(&short.packets[number])
        }
        short.renumber(Fixture.audioPID)
        #expect(short.measured().failures == ["PTS_error": 1])
    }

    @Test("PCRs more than 100 ms apart in time, or in value, or going back")
    func pcrIntervals() {
        var fixture = Fixture(count: 1000)
        for number in fixture.numbers(of: Fixture.videoPID)[4...5] {
            TransportPacket.overwriteNull(&fixture.packets[number])
        }
        fixture.renumber(Fixture.videoPID)
        let gap = fixture.measured()
        #expect(gap.pcrIntervalMaximum == .milliseconds(120))
        #expect(
            gap.failures == ["PCR_error": 1, "PCR_repetition_error": 1, "PCR_discontinuity_indicator_error": 1])
        // Late passing alone: the values are as they should be.
        let late = Fixture(count: 1000).measured(instant: { Int64($0) * 1_000_000 + ($0 >= 500 ? 70_000_000 : 0) })
        #expect(late.failures == ["PCR_error": 1, "PCR_repetition_error": 1])
        let back = Fixture(count: 1000, pcr: { Int64($0) * 27_000 - ($0 > 500 ? 27_000_000 : 0) })
        #expect(
            back.measured(constantRate: nil).failures == [
                "PCR_error": 1, "PCR_discontinuity_indicator_error": 1, "PCR_accuracy_error": -1,
            ])
    }

    @Test("sections over several packets, and several in one packet, are put together")
    func sections() {
        // 60 programs make a PAT of two packets; only its last program is there.
        var programs = (1...60).map { ProgramAssociation.Program(programNumber: UInt16($0), pid: 0x400 + UInt16($0)) }
        programs[59].pid = Fixture.mapPID
        let table = ProgramAssociation(transportStreamID: 1, programs: programs).section ?? []
        #expect(PSISection.packetCount(sectionCount: table.count) == 2)
        var monitor = TransportStreamMonitor()
        var counter: UInt8 = 0
        func add(_ packet: [UInt8], at milliseconds: Int64) {
            monitor.add(packet.span.bytes, at: 0, instant: Instant(nanoseconds: milliseconds * 1_000_000))
        }
        for time in stride(from: 0, to: 1000, by: 100) {
            for part in 0..<2 {
                var packet = [UInt8](repeating: 0, count: 188)
                packet.withUnsafeMutableBytes {
                    PSISection.writePacket(part, of: table, pid: 0, continuityCounter: counter, to: $0)
                }
                counter = (counter + 1) & 15
                add(packet, at: Int64(time))
            }
        }
        monitor.finish()
        // 60 maps were promised and none came.
        #expect(monitor.errors.pmt == 60 && monitor.errors.pmt2 == 60 && monitor.errors.crc == 0)
        #expect(monitor.errors.pat == 0 && monitor.errors.pat2 == 0 && monitor.errors.continuity == 0)
    }

    @Test("datagrams of seven packets that pass at one instant measure the same rate")
    func bursts() {
        let result = Fixture(count: 7000).measured(instant: { Int64($0 / 7) * 7_000_000 })
        #expect(result.bitsPerSecond == 1_504_000 && result.failures.isEmpty)
    }

    @Test("whole datagrams are the same as their packets one by one, and a rest is left", arguments: [0, 12])
    func datagrams(header: Int) {
        let fixture = Fixture(count: 7000)
        var (single, whole) = (TransportStreamMonitor(), TransportStreamMonitor())
        for start in stride(from: 0, to: 7000, by: 7) {
            let instant = Instant(nanoseconds: Int64(start) * 1_000_000)
            var datagram = [UInt8](repeating: 0x47, count: header)
            for packet in fixture.packets[start..<start + 7] where start != 700 {
                single.add(packet.span.bytes, at: 0, instant: instant)
                datagram += packet
            }
            datagram += [0x47, 0x1f, 0xff]
            whole.add(packetsIn: datagram.span.bytes, from: header, instant: instant)
        }
        #expect(whole.packets == 6993 && whole.packets == single.packets && whole.errors == single.errors)
        #expect(whole.errors.continuity > 0 && whole.bitsPerSecond == single.bitsPerSecond)
    }

    @Test("random and cut bytes are taken without a trap, whatever they say", arguments: 1...4)
    func garbage(seed: UInt64) {
        let key = DrawKey(seed: seed)
        var fixture = Fixture(count: 1500)
        for number in fixture.packets.indices {
            let draw = key.draw(Int64(number))
            switch seed {
            case 1:
                for place in 0..<188 {
                    fixture.packets[number][place] = UInt8(key.draw(Int64(number * 188 + place)) & 255)
                }
            case 2: fixture.packets[number][1 + Int(draw % 24)] ^= UInt8(draw >> 32 & 255)
            case 3: fixture.packets[number][Int(draw % 188)] = 0xff
            default: fixture.packets[number].replaceSubrange(1..<3, with: [UInt8(draw & 0x1f), UInt8(draw >> 8 & 255)])
            }
            if seed == 1 { fixture.packets[number][0] = 0x47 }
        }
        let result = fixture.measured()
        #expect(!result.failures.isEmpty, "seed \(seed)")
        var monitor = TransportStreamMonitor()
        let packet = fixture.packets[0]
        let bytes = packet.span.bytes
        for length in 0...188 { monitor.add(bytes.extracting(0..<length), at: 0, instant: .zero) }
        monitor.add(bytes, at: -1, instant: .zero)
        monitor.add(bytes, at: .max, instant: .zero)
        #expect(monitor.packets == 1)
    }

    @Test("nothing is measured of nothing")
    func empty() {
        let result = Fixture(count: 0).measured()
        #expect(!result.tr101290.isEmpty && result.tr101290.allSatisfy { $0.count == nil })
        #expect(result.bitsPerSecond == nil && result.pcrIntervalMaximum == nil)
        #expect(result.pcrAccuracy == nil)
    }
}

extension TransportPacket {
    static func overwriteNull(_ packet: inout [UInt8]) {
        packet.withUnsafeMutableBytes { writeNull(to: $0) }
    }
}

extension TransportStreamFixture {
    /// Makes a PID's continuity counters right again.
    mutating func renumber(_ pid: UInt16) {
        for (counter, number) in numbers(of: pid).enumerated() {
            packets[number][3] = packets[number][3] & 0xf0 | UInt8(counter & 15)
        }
    }
}
