import DequeModule
import Timebase
import Wire

/// Finds the units in a transport stream: tables, continuity, and where each PES packet begins and ends
/// (ISO/IEC 13818-1 §2.4.3, §2.4.4).
///
/// Bytes stay where they are; a unit is known by its header, its length and its gaps.
struct Demultiplexer: Sendable {
    enum Event: Sendable {
        /// A unit has begun. Times are 33-bit values as on the wire.
        case began(lane: Int, pts: Int64?)
        /// A unit is over.
        case closed(lane: Int, Closing)
        /// 27 MHz ticks, modulo 2^33·300.
        case reference(Int64)
    }

    /// What a unit was when it was over.
    struct Closing: Sendable, BitwiseCopyable {
        /// When its last byte was released, and the last one before the first gap.
        var lastByte: LocalInstant
        var lastLeadingByte: LocalInstant
        var isDamaged: Bool
        var coverage: UnitCoverage
    }

    /// Whether a packet is a repetition of the one before only if its bytes are the same. Where datagrams are numbered
    /// their gaps tell as much.
    var comparesRepetitions = false
    private(set) var lanes: [Lane] = []
    /// Per lane, the packet before the datagram in hand, where packets are compared.
    var latestPackets: [UInt8] = []
    /// Where the datagram in hand begins.
    private(set) var datagramStart = 0
    /// The place in the packet in hand that was changed on the way: nothing that a receiver could know.
    private var changedPlace: Int?
    /// Per lane, the start of a unit whose header does not end in its first packet.
    private var partialHeaders: [[UInt8]] = []
    private var events = Deque<Event>()
    private var mapPID: UInt16?
    private var programNumber: UInt16?
    private var referencePID: UInt16?
    private var latestLane = 0
    private var run = Run()
    private var association = SectionAssembler()
    private var map = SectionAssembler()

    /// What is known of one elementary stream.
    struct Lane: Sendable, BitwiseCopyable {
        let pid: UInt16
        /// Whether the program map in force names it.
        var isListed = true
        var continuity: UInt8?
        /// No repetition is legal before the next packet.
        var hadDuplicate = false
        var isOpen = false
        var isDamaged = false
        /// A gap may hide the end of this unit and the beginning of the next: what is too long is damaged.
        var mayRunOn = false
        var received = 0
        var expected: Int?
        var lastByte = LocalInstant(nanoseconds: 0)
        /// What had come before the first gap, or before a place where one may be hidden.
        var leading: (count: Int, lastByte: LocalInstant)?
        var hasGap = false
        var isChanged = false
        var firstPacketByteCount: UInt8 = 0
        /// See ``UnitCoverage/packets``, and the place of the next one.
        var packets: UInt64 = 0
        var packetCount = 0
        /// Its header does not end in its first packet.
        var hasPartialHeader = false

        init(pid: UInt16) { self.pid = pid }

        /// What of the unit comes now is not what follows.
        mutating func noteGap() { leading = leading ?? (received, lastByte) }

        /// The latest packet was changed on the way.
        mutating func noteChange() {
            isChanged = true
            if packetCount <= 64 { packets &= ~(1 << UInt64(packetCount - 1)) }
        }

        /// Counts packets that have come, one behind the other.
        mutating func add(packets count: Int) {
            if packetCount < 64 {
                let end = min(64, packetCount + count)
                packets |= (UInt64.max >> UInt64(64 - (end - packetCount))) << UInt64(packetCount)
            }
            packetCount += count
        }
    }

    /// A row of plain packets from the middle of one unit, which are counted here and settled with their lane when
    /// anything else comes: nearly all packets are such, and cost a comparison each.
    private struct Run: Sendable {
        var lane = 0
        /// The four bytes with which the next packet of the row begins; 0 without a row.
        var header: UInt32 = 0
        /// Bytes of payload that the row can take without completing the unit.
        var room = 0
        var received = 0
        var lastByte = LocalInstant(nanoseconds: 0)
    }

    /// Datagrams are missing before the next packet.
    ///
    /// Behind fifteen missing packets the counter looks like a repetition; behind sixteen it shows nothing. So after
    /// a gap of fifteen nothing is taken for a repetition, and with sixteen an open unit of unknown length counts as
    /// damaged; one of known length shows by its length.
    mutating func noteGap(packets: Int) {
        settleRun()
        guard packets >= 15 else { return }
        for index in lanes.indices {
            lanes[index].hadDuplicate = true
            guard packets >= 16, lanes[index].isOpen else { continue }
            lanes[index].noteGap()
            if lanes[index].expected == nil { lanes[index].isDamaged = true } else { lanes[index].mayRunOn = true }
        }
    }

    /// Reads the transport packets of a datagram, `count` of them from `offset` on.
    mutating func handle(_ bytes: RawSpan, packets count: Int, from offset: Int, released now: LocalInstant) {
        precondition(offset >= 0 && count >= 0 && offset + count * TransportPacket.length <= bytes.byteCount)
        let payloadCount = TransportPacket.length - TransportPacket.headerLength
        let start = offset
        datagramStart = start
        var offset = offset
        for _ in 0..<count {
            let word = UInt32(bigEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt32.self))
            if word == run.header, run.room > payloadCount {
                run.header = word & ~15 | (word &+ 1) & 15
                run.room &-= payloadCount
                run.received &+= payloadCount
                run.lastByte = now
            } else {
                settleRun()
                handlePacket(bytes, at: offset, now)
            }
            offset &+= TransportPacket.length
        }
        if comparesRepetitions { keepLatestPackets(bytes, from: start, to: offset) }
    }

    /// Reads one transport packet of which a byte, counted from its first, was changed on the way.
    mutating func handleChanged(_ bytes: RawSpan, from offset: Int, place: Int, released now: LocalInstant) {
        settleRun()
        changedPlace = place
        handle(bytes, packets: 1, from: offset, released: now)
        changedPlace = nil
    }

    /// Tells the lane of what its row of packets has brought.
    private mutating func settleRun() {
        guard run.header != 0 else { return }
        if run.received > 0 {
            lanes[run.lane].continuity = UInt8(truncatingIfNeeded: run.header &- 1) & 15
            lanes[run.lane].hadDuplicate = false
            lanes[run.lane].received += run.received
            lanes[run.lane].add(packets: run.received / (TransportPacket.length - TransportPacket.headerLength))
            lanes[run.lane].lastByte = run.lastByte
        }
        run.header = 0
    }

    /// Begins a row where a unit's header has been read and the next packet can be a plain one.
    private mutating func startRun(_ index: Int, after counter: UInt8) {
        let lane = lanes[index]
        guard lane.isOpen, !lane.hasPartialHeader else { return }
        let next = UInt32((counter + 1) & 15)
        run = Run(
            lane: index, header: UInt32(TransportPacket.syncByte) << 24 | UInt32(lane.pid) << 8 | 0x10 | next,
            room: lane.expected.map { $0 - lane.received } ?? .max, received: 0, lastByte: lane.lastByte)
    }

    private mutating func handlePacket(_ bytes: RawSpan, at offset: Int, _ now: LocalInstant) {
        guard let header = TransportPacketHeader(bytes, at: offset), !header.transportError else { return }
        let pid = header.pid
        if header.hasPCR, pid == referencePID, let ticks = header.pcr(bytes, at: offset) {
            events.append(.reference(ticks))
        }
        guard header.hasPayload, pid != TransportPacket.nullPID, header.scrambling == 0 else { return }
        if let lane = lane(of: pid) {
            handle(header, lane: lane, bytes, at: offset, now)
        } else if pid == 0 {
            association.take(header, bytes, at: offset)
            while association.next(bytes) { readAssociation() }
        } else if pid == mapPID {
            map.take(header, bytes, at: offset)
            while map.next(bytes) { readMap() }
        }
    }

    /// What has been found, in order.
    mutating func pollOutput() -> Event? { events.popFirst() }

    /// Closes what is open: nothing more will come.
    mutating func finish() {
        settleRun()
        for index in lanes.indices { close(index, isCutOff: false) }
    }

    private mutating func lane(of pid: UInt16) -> Int? {
        if latestLane < lanes.count, lanes[latestLane].pid == pid, lanes[latestLane].isListed { return latestLane }
        for index in lanes.indices where lanes[index].pid == pid && lanes[index].isListed {
            latestLane = index
            return index
        }
        return nil
    }

    private mutating func handle(
        _ header: TransportPacketHeader, lane index: Int, _ bytes: RawSpan, at offset: Int, _ now: LocalInstant
    ) {
        let counter = header.continuityCounter
        var hasGap = false
        if let before = lanes[index].continuity, !header.discontinuityIndicator {
            if counter == before, !lanes[index].hadDuplicate, isRepetition(header, lane: index, bytes, at: offset) {
                // The one repetition that §2.4.3.3 allows.
                lanes[index].hadDuplicate = true
                return
            }
            hasGap = counter != (before + 1) & 15
            if hasGap { lanes[index].packetCount += Int(counter &- before &- 1) & 15 }
        }
        lanes[index].continuity = counter
        lanes[index].hadDuplicate = false
        if header.payloadUnitStart {
            close(index, isCutOff: hasGap)
            begin(index, bytes, from: offset + header.payloadOffset, count: header.payloadCount, now)
        } else {
            if hasGap {
                lanes[index].isDamaged = true
                lanes[index].hasGap = true
                lanes[index].noteGap()
            }
            guard lanes[index].isOpen else { return }
            lanes[index].received += header.payloadCount
            lanes[index].add(packets: 1)
            lanes[index].lastByte = now
            // Behind a gap what follows is not the header's rest.
            if lanes[index].hasPartialHeader, !lanes[index].isDamaged {
                continueHeader(index, bytes, from: offset + header.payloadOffset, count: header.payloadCount)
            }
        }
        // Stuffing and clock references are not the unit's.
        if let changedPlace, changedPlace >= header.payloadOffset { lanes[index].noteChange() }
        completeIfWhole(index)
        startRun(index, after: counter)
    }

    private mutating func completeIfWhole(_ index: Int) {
        let lane = lanes[index]
        guard let expected = lane.expected, lane.received >= expected, lane.isOpen else { return }
        if lane.mayRunOn, lane.received > expected { lanes[index].isDamaged = true }
        close(index, isCutOff: false)
    }

    private mutating func begin(
        _ index: Int, _ bytes: RawSpan, from start: Int, count: Int, _ now: LocalInstant
    ) {
        lanes[index].isOpen = true
        lanes[index].isDamaged = false
        lanes[index].mayRunOn = false
        lanes[index].received = count
        lanes[index].expected = nil
        lanes[index].lastByte = now
        lanes[index].leading = nil
        lanes[index].hasGap = false
        lanes[index].isChanged = false
        lanes[index].firstPacketByteCount = UInt8(count)
        lanes[index].packets = 1
        lanes[index].packetCount = 1
        lanes[index].hasPartialHeader = false
        let payload = bytes.extracting(start..<start + count)
        readHeader(index, payload)
    }

    /// Reads a unit's header, or keeps its bytes until the rest has come.
    private mutating func readHeader(_ index: Int, _ payload: RawSpan) {
        do throws(ParseError) {
            let pes = try PESHeader(parsing: payload)
            lanes[index].expected = pes.packetLength == 0 ? nil : Int(pes.packetLength) + 6
            events.append(.began(lane: index, pts: pes.pts))
        } catch {
            guard error == .truncated, payload.byteCount < 274 else {
                lanes[index].isDamaged = true
                return
            }
            partialHeaders[index] = payload.withUnsafeBytes { Array($0) }
            lanes[index].hasPartialHeader = true
        }
    }

    private mutating func continueHeader(
        _ index: Int, _ bytes: RawSpan, from start: Int, count: Int
    ) {
        let more = bytes.extracting(start..<start + count).withUnsafeBytes { Array($0) }
        let whole = partialHeaders[index] + more
        lanes[index].hasPartialHeader = false
        readHeader(index, whole.span.bytes)
    }

    private mutating func close(_ index: Int, isCutOff: Bool) {
        let lane = lanes[index]
        guard lane.isOpen else { return }
        lanes[index].isOpen = false
        let isShort = lane.expected.map { lane.received < $0 } ?? isCutOff
        let leading = lane.leading ?? (lane.received, lane.lastByte)
        let coverage = UnitCoverage(
            leadingByteCount: UInt32(clamping: leading.count), byteCount: UInt32(clamping: lane.received),
            packets: lane.packets,
            firstPacketByteCount: lane.firstPacketByteCount, hasGap: lane.hasGap, isChanged: lane.isChanged)
        events.append(
            .closed(
                lane: index,
                Closing(
                    lastByte: lane.lastByte, lastLeadingByte: leading.lastByte,
                    isDamaged: lane.isDamaged || isShort || lane.hasPartialHeader, coverage: coverage)))
    }

    private mutating func readAssociation() {
        guard !association.isRemembered else { return }
        association.remember()
        guard let table = try? ProgramAssociation(parsing: association.section.span.bytes), table.isCurrent,
            let program = table.programs.first
        else { return }
        if program.pid != mapPID { map = SectionAssembler() }
        mapPID = program.pid
        programNumber = program.programNumber
    }

    /// Takes the program's streams from its map.
    ///
    /// A stream that another version of the map still names keeps its lane and the unit that is open; one that it no
    /// longer names ends there; a new one gets a lane of its own behind the others.
    private mutating func readMap() {
        guard !map.isRemembered else { return }
        map.remember()
        guard let table = try? ProgramMap(parsing: map.section.span.bytes), table.isCurrent,
            table.programNumber == programNumber
        else { return }
        referencePID = table.pcrPID
        for index in lanes.indices where lanes[index].isListed {
            guard !table.streams.contains(where: { $0.pid == lanes[index].pid }) else { continue }
            close(index, isCutOff: true)
            lanes[index].isListed = false
        }
        for stream in table.streams {
            if let index = lanes.firstIndex(where: { $0.pid == stream.pid }) {
                if !lanes[index].isListed { lanes[index].continuity = nil }
                lanes[index].isListed = true
            } else {
                lanes.append(Lane(pid: stream.pid))
                partialHeaders.append([])
            }
        }
    }
}
