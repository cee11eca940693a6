import Testing
import Wire

@Suite("Sections from transport packets (ISO/IEC 13818-1 §2.4.4)")
struct SectionAssemblerTests {
    /// A section whose bytes tell where they stand: `count` in all, header included.
    static func section(_ count: Int, mark: UInt8 = 0) -> [UInt8] {
        let length = count - 3
        return [0x80 | mark, 0xb0 | UInt8(length >> 8), UInt8(length & 0xff)]
            + (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 7) ^ mark }
    }

    /// Makes packets of a PID and hands them over; each with as much adaptation field as its payload leaves room for.
    struct Line {
        var assembler = SectionAssembler()
        var found: [[UInt8]] = []
        private var counter: UInt8 = 0

        static func packet(_ payload: [UInt8], counter: UInt8, starts: Bool, flags: UInt8 = 0) -> [UInt8] {
            precondition(payload.count <= 184)
            let stuffing = 184 - payload.count
            let control: UInt8 = (stuffing > 0 ? 0x30 : 0x10) | counter & 15
            var packet: [UInt8] = [0x47, starts ? 0x41 : 0x01, 0x23, control]
            if stuffing > 0 { packet.append(UInt8(stuffing - 1)) }
            if stuffing > 1 { packet.append(flags) }
            if stuffing > 2 { packet += [UInt8](repeating: 0xff, count: stuffing - 2) }
            return packet + payload
        }

        static func header(_ packet: [UInt8]) -> TransportPacketHeader? {
            TransportPacketHeader(packet.span.bytes, at: 0)
        }

        mutating func send(_ packet: [UInt8]) {
            guard let header = Self.header(packet) else { return }
            let bytes = packet.span.bytes
            assembler.take(header, bytes, at: 0)
            while assembler.next(bytes) { found.append(assembler.section) }
        }

        /// The next packet, or one `ahead` of it, sent so often.
        mutating func send(_ payload: [UInt8], starts: Bool, ahead: UInt8 = 0, times: Int = 1, flags: UInt8 = 0) {
            counter += ahead
            for _ in 0..<times { send(Self.packet(payload, counter: counter, starts: starts, flags: flags)) }
            counter += 1
        }
    }

    @Test(
        "a section comes whole from as many packets as it takes", arguments: [3, 12, 183, 184, 367, 368, 1_024, 4_098])
    func spread(count: Int) throws {
        let section = Self.section(count)
        var line = Line()
        // Twice, so that what follows a section does not disturb the next.
        for round in 0..<2 {
            let packets = PSISection.packetCount(sectionCount: count)
            for index in 0..<packets {
                line.send(
                    written(188) {
                        PSISection.writePacket(
                            index, of: section, pid: 0x1000, continuityCounter: UInt8((round * packets + index) & 15),
                            to: $0)
                    })
                #expect(line.found.count == round + (index == packets - 1 ? 1 : 0))
            }
        }
        #expect(line.found == [section, section])
    }

    @Test("several sections in one packet come one after the other, up to the stuffing")
    func severalInOnePacket() {
        let sections = [Self.section(20, mark: 1), Self.section(3, mark: 2), Self.section(40, mark: 3)]
        var line = Line()
        line.send([0] + sections.joined() + [0xff, 0xff, 0x80, 0xb0, 0x00], starts: true)
        #expect(line.found == sections)
        line.send([0] + sections.joined(), starts: true)
        #expect(line.found == sections + sections)
    }

    @Test("a section ends in the packet where the next begins, wherever that is", arguments: 1...182)
    func endsWhereTheNextBegins(rest: Int) {
        let (first, second) = (Self.section(184 - 1 + rest, mark: 1), Self.section(300, mark: 2))
        var line = Line()
        line.send([0] + first.prefix(183), starts: true)
        line.send([UInt8(rest)] + first.suffix(rest) + second.prefix(183 - rest), starts: true)
        #expect(line.found == [first])
        for start in stride(from: 183 - rest, to: 300, by: 184) {
            line.send(Array(second[start..<min(start + 184, 300)]), starts: false)
        }
        #expect(line.found == [first, second])
    }

    @Test("a header may be cut anywhere", arguments: 1...2)
    func cutHeader(count: Int) {
        let (first, second) = (Self.section(183 - count, mark: 1), Self.section(50, mark: 2))
        var line = Line()
        line.send([0] + first + second.prefix(count), starts: true)
        line.send(Array(second.dropFirst(count)) + [0xff], starts: false)
        #expect(line.found == [first, second])
    }

    @Test("a gap ends the section under way; one that begins behind it is whole", arguments: [1, 2, 14, 15])
    func gap(missing: UInt8) {
        let (first, second) = (Self.section(400, mark: 1), Self.section(30, mark: 2))
        var line = Line()
        line.send([0] + first.prefix(183), starts: true)
        // A counter that is the same again looks like a repetition.
        line.send(Array(first[183..<367]), starts: false, ahead: missing)
        line.send(Array(first[367...]), starts: false)
        #expect(line.found == [])
        line.send([33] + [UInt8](first.suffix(33)) + second, starts: true)
        #expect(line.found == [second])
    }

    @Test("one repetition of a packet is passed over, wherever in a section; a second one is a gap")
    func repetitions() {
        let section = Self.section(400)
        let parts = [[0] + section.prefix(183), Array(section[183..<367]), Array(section[367...])]
        for repeated in 0..<3 {
            var line = Line()
            for (index, part) in parts.enumerated() {
                line.send(part, starts: index == 0, times: index == repeated ? 2 : 1)
            }
            #expect(line.found == [section])
        }
        var line = Line()
        line.send(parts[0], starts: true)
        line.send(parts[1], starts: false, times: 3)
        line.send(parts[2], starts: false)
        #expect(line.found == [])
    }

    @Test("where the counter is announced to jump, the same one again is no repetition")
    func announcedJump() {
        let section = Self.section(20)
        var line = Line()
        line.send([0] + section, starts: true)
        line.send([0] + section, starts: true, ahead: 15, flags: 0x80)
        #expect(line.found == [section, section])
    }

    @Test("packets in error, scrambled or without payload bring nothing")
    func unusable() {
        let section = Self.section(20)
        let packet = Line.packet([0] + section, counter: 0, starts: true)
        for change in [(1, 0x80), (3, 0x80), (3, 0xc0)] as [(Int, UInt8)] {
            var line = Line()
            var bytes = packet
            bytes[change.0] |= change.1
            line.send(bytes)
            #expect(line.found == [])
            line.send(packet)
            #expect(line.found == [section])
        }
        var line = Line()
        line.send(Line.packet([], counter: 0, starts: true))
        line.send([0x47, 0x41, 0x23, 0x20, 183] + [UInt8](repeating: 0, count: 183))
        #expect(line.found == [])
    }

    @Test("a pointer that leads out of the packet ends the section under way; one that leads to its end begins none")
    func pointers() {
        let (first, second) = (Self.section(200, mark: 1), Self.section(20, mark: 2))
        var line = Line()
        line.send([0] + first.prefix(183), starts: true)
        line.send([18] + first.suffix(17), starts: true)
        line.send(Array(first.suffix(17)), starts: false)
        #expect(line.found == [])
        line.send([0] + first.prefix(183), starts: true)
        line.send([17] + first.suffix(17), starts: true)
        line.send([3, 1, 2, 3] + second, starts: true)
        #expect(line.found == [first, second])
        // The section is still to go on where the pointer says that it is over.
        line.send([0] + first.prefix(183), starts: true)
        line.send([10] + first.suffix(17).prefix(10) + second, starts: true)
        line.send(Array(first.suffix(7)), starts: false)
        #expect(line.found == [first, second, second])
    }

    @Test("what stands behind a section without a pointer to it begins nothing")
    func noPointer() {
        let (first, second) = (Self.section(200, mark: 1), Self.section(20, mark: 2))
        var line = Line()
        line.send(second, starts: false)
        line.send([0] + first.prefix(183), starts: true)
        line.send(first.suffix(17) + second, starts: false)
        line.send([0] + second, starts: true)
        #expect(line.found == [first, second])
    }

    @Test("a section that was remembered is known when it comes again")
    func remembering() throws {
        var line = Line()
        line.send([0] + Self.section(200, mark: 1).prefix(183), starts: true)
        var known: [Bool] = []
        for mark in [1, 1, 2, 1] as [UInt8] {
            let packet = Line.packet([0] + Self.section(20, mark: mark), counter: UInt8(known.count + 1), starts: true)
            let header = try #require(Line.header(packet))
            line.assembler.take(header, packet.span.bytes, at: 0)
            while line.assembler.next(packet.span.bytes) {
                known.append(line.assembler.isRemembered)
                line.assembler.remember()
            }
        }
        #expect(known == [false, true, false, false])
    }

    @Test("packets lie anywhere in the bytes; those that are cut off or outside bring nothing")
    func offsets() throws {
        let section = Self.section(20)
        let packet = Line.packet([0] + section, counter: 0, starts: true)
        let bytes = [UInt8](repeating: 9, count: 16) + packet
        let header = try #require(Line.header(packet))
        for (offset, isThere) in [(16, true), (17, false), (204, false), (-1, false), (Int.min, false)] {
            var assembler = SectionAssembler()
            assembler.take(header, bytes.span.bytes, at: offset)
            let isFound = assembler.next(bytes.span.bytes)
            #expect(isFound == isThere)
            if isThere { #expect(assembler.section == section) }
        }
        // Other bytes than those that were taken.
        var assembler = SectionAssembler()
        assembler.take(header, bytes.span.bytes, at: 16)
        let isFound = assembler.next(packet.span.bytes)
        #expect(!isFound)
    }

    @Test("damaged and random packets end without a trap, and no section is longer than it says")
    func damage() {
        var random = RandomBytes("sections")
        var line = Line()
        let section = Self.section(700)
        for round in 0..<20_000 {
            let part = round % 4
            let golden =
                part == 0 ? [0] + section.prefix(183) : Array(section[(184 * part - 1)..<min(184 * part + 183, 700)])
            let packet = Line.packet(golden, counter: UInt8(round & 15), starts: part == 0)
            var bytes = random.number(below: 3) == 0 ? random.damaged(packet) : packet
            if random.number(below: 20) == 0 { bytes = [0x47] + random.bytes(187) }
            line.send(bytes)
        }
        #expect(line.found.count { $0 == section } > 500)
        for found in line.found {
            #expect(found.count == Int(found[1] & 15) << 8 + Int(found[2]) + 3)
        }
    }
}
