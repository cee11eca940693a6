import DequeModule
import Media
import Timebase
import Wire

/// Turns a program's units into datagrams of transport packets at a constant rate (ISO/IEC 13818-1 §2.4).
///
/// Time runs in slots of one packet each. A slot holds, in this order of need: a clock reference that can wait no
/// longer, the tables when due, the released unit whose decoding time is the earliest, or a null packet. The n-th slot
/// is placed from the origin, so the clock references are exact to a tick of 27 MHz.
public struct Multiplexer: Sendable {
    let program: Program
    private(set) var plan: MultiplexPlan
    /// One for each substream, in the program's order.
    public private(set) var counters: [SubstreamCounters]
    /// Transport packets sent so far, null packets included.
    public private(set) var packetsSent: Int64 = 0
    private(set) var nullPacketsSent: Int64 = 0

    /// What has been sent of one substream.
    public struct SubstreamCounters: Sendable {
        /// Units of which the first byte was sent; frames, where a PES packet holds several of sound.
        public var units: Int64 = 0
        /// Bytes of elementary streams: without PES headers.
        public var bytes: Int64 = 0
        /// Units whose last datagram was complete only after their decoding time.
        public var unitsTooLate: Int64 = 0
        /// Presentation times of the first and the last unit, and where that ends, on the program's timeline.
        public var firstPresentation: TimeSpan?
        /// The presentation of the last unit, by the program's timeline.
        public var lastPresentation: TimeSpan?
        /// Where the last unit's presentation ends, by the program's timeline.
        public var lastPresentationEnd: TimeSpan?
        /// From the first unit's begin to the last one's end; nil without units.
        public var span: ClosedRange<TimeSpan>? {
            guard let first = firstPresentation, let end = lastPresentationEnd, first <= end else { return nil }
            return first...end
        }

        /// Counts units by where their presentation begins and ends together on the program's timeline.
        mutating func count(_ count: Int64 = 1, from presentation: TimeSpan, to end: TimeSpan) {
            units += count
            firstPresentation = min(firstPresentation ?? presentation, presentation)
            lastPresentation = max(lastPresentation ?? presentation, presentation)
            lastPresentationEnd = max(lastPresentationEnd ?? end, end)
        }
    }

    private var sources: [SubstreamSource]
    private let writers: [UnitWriter]
    private var lanes: [Lane]
    /// Per lane, the unit being sent or waiting for its release.
    private var heads: [MediaUnit?]
    /// Lanes that have a unit to send.
    private var openLanes = 0
    /// Units captured later are not sent.
    private var stopAfter = TimeSpan.nanoseconds(.max)
    private var tables: TableCarousel
    private let slots: PeriodicGrid
    /// The timeline's time at slot 0.
    private var origin = TimeSpan.zero
    private var slot: PeriodicGrid.Cursor
    private var row: Row?
    private var latestReference: TimeSpan?
    private let referenceLane: Int?
    /// The bottom of every reference: the timeline's origin in ticks of 27 MHz.
    private var originTicks: Int64 = 0
    private var referenceContinuity: UInt8 = 0
    private var hasEnded = false
    /// Of one packet, rounded up.
    private let slotDuration: TimeSpan
    /// Units of which the first byte is in the datagram that was filled last, until they are taken.
    private var begun = Deque<(lane: Int, unit: MediaUnit)>()
    /// Units of which the last byte is in the datagram being filled.
    private var completed: [(lane: Int, deadline: TimeSpan)] = []

    /// A reference rides on a packet of its PID once this old...
    private static let referencePeriod = TimeSpan.milliseconds(20)
    /// ...and gets a packet of its own before it is this old (ETSI TS 101 154).
    private static let longestReferencePeriod = TimeSpan.milliseconds(40)

    /// - Precondition: one lead per substream of the program.
    public init(_ program: Program, plan: MultiplexPlan) {
        let count = program.substreams.count
        precondition(plan.leads.count == count)
        self.program = program
        self.plan = plan
        counters = Array(repeating: SubstreamCounters(), count: count)
        sources = (0..<count).map { program.source($0) }
        writers = sources.map(\.writer)
        lanes = program.substreams.map { Lane(pid: $0.pid) }
        heads = lanes.map { _ in nil }
        openLanes = count
        slots = PeriodicGrid(
            count: Int64(plan.rate.bitsPerSecond),
            every: .nanoseconds(Int64(MultiplexFeasibility.packetBits) * 1_000_000_000))
        slot = PeriodicGrid.Cursor(slots)
        slotDuration = plan.rate.transmissionTime(bits: MultiplexFeasibility.packetBits)
        tables = TableCarousel(program, slotDuration: slotDuration)
        referenceLane = program.substreams.firstIndex { $0.pid == program.pcrPID }
        for index in lanes.indices { advance(index) }
        if openLanes > 0 { origin = lanes.map(\.release).min() ?? .zero }
        originTicks =
            program.firstPresentation * 300 + MediaClock.ticks(origin, rate: MediaClock.system, .nearest)
    }

    /// Whether everything has been sent.
    var isFinished: Bool { hasEnded }

    /// Ends the program: units captured after `instant` of the timeline and not yet begun are not sent.
    ///
    /// - Parameter padding: whether null packets fill what is left at a variable rate, too, so that the last datagrams
    ///   do not come the further apart.
    mutating func stop(capturedAfter instant: TimeSpan, padding: Bool = false) {
        stopAfter = instant
        if padding { plan.sendsNullPackets = true }
        endRow()
        for index in lanes.indices {
            guard let unit = heads[index], lanes[index].offset == 0,
                program.timeline(unit.presentation) > instant
            else { continue }
            if program.timeline(unit.decode) > instant { close(index) } else { advance(index) }
        }
    }

    /// The next datagram's transport packets.
    ///
    /// - Parameter buffer: room for `packetsPerDatagram` packets.
    /// - Returns: how many packets were written, and when on the program's timeline the datagram is complete: when the
    ///   last bit of its last packet has been multiplexed, or when its wait for more is over. Nil when everything has
    ///   been sent.
    public mutating func nextDatagram(into buffer: UnsafeMutableRawBufferPointer) -> (packets: Int, end: TimeSpan)? {
        guard !hasEnded, let start = buffer.baseAddress else { return nil }
        if !begun.isEmpty { begun.removeAll(keepingCapacity: true) }
        // What follows writes without a further look at the buffer's bounds.
        precondition(buffer.count >= plan.packetsPerDatagram * TransportPacket.length)
        var count = 0
        var sendBy = TimeSpan.nanoseconds(.max)
        var end = TimeSpan.zero
        while count < plan.packetsPerDatagram {
            let now = origin + slot.time
            let slotEnd = origin + slot.nextTime
            if count > 0, slotEnd > sendBy {
                end = max(end, sendBy)
                break
            }
            let packet = UnsafeMutableRawBufferPointer(
                start: start + count * TransportPacket.length, count: TransportPacket.length)
            if !continueRow(to: packet, at: now), !fill(packet, at: now) {
                if openLanes == 0 { hasEnded = true }
                if hasEnded && (count == 0 || !plan.sendsNullPackets) { break }
                guard plan.sendsNullPackets else {
                    let busy = nextBusySlot(after: now, sendBy: sendBy)
                    slot = PeriodicGrid.Cursor(slots, at: max(slot.index + 1, busy))
                    continue
                }
                TransportPacket.writeNull(to: packet)
                nullPacketsSent += 1
            }
            if count == 0, !plan.sendsNullPackets { sendBy = now + plan.longestWait }
            end = slotEnd
            slot.advance()
            count += 1
        }
        guard count > 0 else { return nil }
        packetsSent += Int64(count)
        for unit in completed where end > unit.deadline { counters[unit.lane].unitsTooLate += 1 }
        completed.removeAll(keepingCapacity: true)
        return (count, end)
    }

    /// The next of the units that the datagram which was filled last begins; to be polled until nil before the next one is
    /// filled.
    mutating func pollBegun() -> (lane: Int, unit: MediaUnit)? { begun.popFirst() }
    /// Whether there are such units.
    var hasBegun: Bool { !begun.isEmpty }

    /// A slot before which nothing is due, for skipping idle time.
    private func nextBusySlot(after now: TimeSpan, sendBy: TimeSpan) -> Int64 {
        let reference = (latestReference ?? now) + Self.longestReferencePeriod - slotDuration * 3
        var next = min(tables.nextDue, reference, sendBy - slotDuration)
        for lane in lanes { next = min(next, lane.release) }
        // At or before: one slot early at most, never late.
        return next <= now ? slot.index : slots.index(atOrBefore: next - origin)
    }

    /// Writes the slot's packet; false when nothing is due.
    private mutating func fill(_ packet: UnsafeMutableRawBufferPointer, at now: TimeSpan) -> Bool {
        var chosen: Int?
        var earliest = TimeSpan.nanoseconds(.max)
        lanes.withUnsafeBufferPointer { lanes in
            for index in lanes.indices where lanes[index].release <= now && lanes[index].deadline < earliest {
                chosen = index
                earliest = lanes[index].deadline
            }
        }
        let referenceAge = latestReference.map { now - $0 } ?? .seconds(3_600)
        // In the slot after this one it would come too late. Not in every slot, however slow the multiplex; and the
        // first one behind the tables, without which nobody knows its PID.
        let isUrgent =
            openLanes > 0 && referenceAge + slotDuration > Self.longestReferencePeriod && referenceAge > slotDuration
            && (latestReference != nil || !tables.isDue(at: now))
        if !isUrgent, tables.isDue(at: now) {
            guard openLanes > 0 || tables.isUnderWay else { return false }
            tables.write(to: packet, at: now)
            return true
        }
        if isUrgent, chosen == nil || chosen != referenceLane {
            writeReference(to: packet, at: now)
            return true
        }
        guard let chosen else { return false }
        let withReference = chosen == referenceLane && referenceAge >= Self.referencePeriod
        writePayload(of: chosen, to: packet, at: now, withReference: withReference)
        return true
    }

    private mutating func writePayload(
        of index: Int, to packet: UnsafeMutableRawBufferPointer, at now: TimeSpan, withReference: Bool
    ) {
        // Taken out and put back whole: each access through the array checks that it is not shared.
        var lane = lanes[index]
        guard let unit = heads[index] else { return }
        let offset = lane.offset
        var fields = TransportPacketFields(
            pid: lane.pid, continuityCounter: lane.continuity, payloadUnitStart: offset == 0)
        fields.randomAccess = offset == 0 && unit.isRandomAccess
        if withReference {
            fields.pcr = reference(at: slot.index)
            latestReference = now
        }
        let payload = writeTransportPacket(fields, payloadCount: unit.byteCount - offset, to: packet)
        writers[index].write(unit, from: offset, into: UnsafeMutableRawBufferPointer(rebasing: packet[payload]))
        lane.continuity = (lane.continuity &+ 1) & 15
        lane.offset += payload.count
        lanes[index] = lane
        if offset == 0 { count(unit, index) }
        guard lane.offset == unit.byteCount else {
            stayWith(index, unit, at: now)
            return
        }
        counters[index].bytes += Int64(unit.elementaryByteCount)
        completed.append((index, lane.deadline))
        advance(index)
    }

    /// Finds until when the slots are this lane's: until the tables or a reference are due, or another unit is released.
    private mutating func stayWith(_ index: Int, _ unit: MediaUnit, at now: TimeSpan) {
        guard let latestReference, !tables.isUnderWay else { return }
        let period = index == referenceLane ? Self.referencePeriod : Self.longestReferencePeriod - slotDuration
        var until = min(tables.nextDue, latestReference + period)
        for lane in lanes where lane.release > now { until = min(until, lane.release) }
        let header =
            UInt32(TransportPacket.syncByte) << 24 | UInt32(lanes[index].pid) << 8 | 0x10
            | UInt32(lanes[index].continuity)
        row = Row(
            lane: index, writer: .passUnretained(writers[index]), until: until, unit: unit, offset: lanes[index].offset,
            header: header)
    }

    /// Writes a packet from the middle of the row's unit: header and 184 bytes, nothing to decide. Nearly all packets
    /// are such. False, and the row at its end, when the packet is not one of them.
    private mutating func continueRow(to packet: UnsafeMutableRawBufferPointer, at now: TimeSpan) -> Bool {
        guard let current = row else { return false }
        let payloadCount = TransportPacket.length - TransportPacket.headerLength
        guard now < current.until, current.unit.byteCount - current.offset > payloadCount,
            let start = packet.baseAddress
        else {
            endRow()
            return false
        }
        start.storeBytes(of: current.header.bigEndian, as: UInt32.self)
        let payload = UnsafeMutableRawBufferPointer(start: start + TransportPacket.headerLength, count: payloadCount)
        current.writer._withUnsafeGuaranteedRef { $0.write(current.unit, from: current.offset, into: payload) }
        row?.header = current.header & ~15 | (current.header &+ 1) & 15
        row?.offset = current.offset + payloadCount
        return true
    }

    /// Tells the lane how far its row has come.
    private mutating func endRow() {
        guard let row else { return }
        lanes[row.lane].offset = row.offset
        lanes[row.lane].continuity = UInt8(truncatingIfNeeded: row.header) & 15
        self.row = nil
    }

    /// Takes a lane's next unit.
    private mutating func advance(_ index: Int) {
        lanes[index].offset = 0
        var head = sources[index].next()
        while let unit = head, program.timeline(unit.presentation) > stopAfter {
            // Units come in decoding order: behind this one, none was captured in time.
            head = program.timeline(unit.decode) > stopAfter ? nil : sources[index].next()
        }
        guard let unit = head else {
            close(index)
            return
        }
        let decode = program.timeline(unit.decode)
        heads[index] = unit
        lanes[index].deadline = decode
        lanes[index].release = max(decode - plan.leads[index], program.timeline(unit.presentation) - plan.latency)
    }

    private mutating func close(_ index: Int) {
        heads[index] = nil
        lanes[index].release = .nanoseconds(.max)
        lanes[index].deadline = .nanoseconds(.max)
        openLanes -= 1
    }

    private mutating func count(_ unit: MediaUnit, _ index: Int) {
        begun.append((index, unit))
        counters[index].count(
            Int64(unit.frameCount), from: program.timeline(unit.presentation),
            to: program.timeline(unit.presentation + unit.duration))
    }

    /// A packet with a clock reference and nothing else; its counter repeats that of the PID's latest packet.
    private mutating func writeReference(to packet: UnsafeMutableRawBufferPointer, at now: TimeSpan) {
        let continuity = referenceLane.map { lanes[$0].continuity &- 1 } ?? referenceContinuity
        let fields = TransportPacketFields(
            pid: program.pcrPID, continuityCounter: continuity, pcr: reference(at: slot.index))
        _ = writeTransportPacket(fields, payloadCount: 0, to: packet)
        latestReference = now
    }

    /// The time, in ticks of 27 MHz, at which the eleventh byte of a slot's packet has been sent.
    private func reference(at slot: Int64) -> Int64 {
        let bits = slot * Int64(MultiplexFeasibility.packetBits) + 88
        return originTicks + bits.scaled(by: MediaClock.system, over: Int64(plan.rate.bitsPerSecond))
    }
}

/// One substream on its way into the multiplex.
private struct Lane: Sendable, BitwiseCopyable {
    let pid: UInt16
    /// Bytes of its unit that have been sent.
    var offset = 0
    /// On the program's timeline; in the far future without a head, so that it is never chosen.
    var release = TimeSpan.nanoseconds(.max)
    var deadline = TimeSpan.nanoseconds(.max)
    var continuity: UInt8 = 0

    init(pid: UInt16) { self.pid = pid }
}

/// Packets from the middle of one unit, one after the other, while no slot can be anybody else's.
private struct Row: @unchecked Sendable, BitwiseCopyable {
    let lane: Int
    /// The lane's, which the multiplexer keeps: counting references for each packet would cost more than the packet does.
    let writer: Unmanaged<UnitWriter>
    /// From this time on, the slots have to be looked at again.
    let until: TimeSpan
    let unit: MediaUnit
    /// Bytes of the unit that have been sent.
    var offset: Int
    /// The next packet's first four bytes.
    var header: UInt32
}
