import BasicContainers
import ClockSync
import DequeModule
import Media
import Metrics
import Protection
import Receiver
import Sender
import Timebase
import Wire

/// What truly happened in a run: it stands beside the World, which tells it events, and feeds estimators, the digest and
/// whoever takes effects. Nothing in it comes back to the World.
struct RunLedger: ~Copyable {
    private(set) var digest = EventDigest()
    private(set) var sender: SenderLedger
    /// Of each session, where substreams have their own.
    var sessions: [SenderLedger] = []
    /// A row for each session of each receiver; what a receiver presents is in the first of its rows.
    var receivers: RigidArray<ReceiverLedger>
    /// Rows of one receiver.
    let rowCount: Int
    /// Of each node.
    private(set) var clocks: [ClockLedger]
    /// Where there are playback commands.
    private(set) var commands: CommandLedger?
    /// Where it matters how far apart receivers play.
    private(set) var positions: PositionLedger?
    /// How often receivers were told when to present.
    private(set) var settingsTaken: Int64 = 0
    /// Not taken yet.
    private(set) var outputs = Deque<WorldOutput>()

    private let taps: WorldTaps
    /// Whether anybody asks what has become of each unit.
    private let watchesUnits: Bool
    private let flows: FlowTable
    private let program: Program
    /// By lane.
    private var sentUnits: [SentUnits]
    /// What is on screen, where there is video.
    let pictureLane: Int?
    /// Usual durations of the program's units, by lane.
    let durations: [TimeSpan]
    /// The clock on which the program was captured, and what it showed when the program began.
    private var capture: (clock: Oscillator, zero: LocalInstant)
    private let headerLength: Int
    /// The first sequence number, where an interleaver makes numbers on the wire differ from those of the multiplex.
    private let interleavedFirst: UInt16?

    init(_ configuration: WorldConfiguration, _ flows: FlowTable, headerLength: Int) {
        self.flows = flows
        self.headerLength = headerLength
        taps = configuration.taps
        watchesUnits = configuration.watchesUnits
        program = configuration.program
        let bits = configuration.sessions == nil ? 33 : 32
        sentUnits = program.substreams.map { _ in SentUnits(timestampBits: bits) }
        pictureLane = program.substreams.firstIndex { $0.kind == .video }
        durations = program.substreams.map {
            MediaClock.span(ticks: $0.usualDuration, rate: MediaClock.ninetyKilohertz)
        }
        capture = (configuration.senderClock, configuration.senderClock.reading(at: .zero))
        interleavedFirst = configuration.deinterleaver?.firstSequenceNumber
        if configuration.commandOrder != nil {
            commands = CommandLedger(receivers: configuration.receivers.count, cuts: configuration.cuts)
        }
        if configuration.watchesPositions {
            let quantity: DistributionCuts.Quantity =
                configuration.commandOrder == nil ? .destinationSpread : .positionSpread
            positions = PositionLedger(receivers: configuration.receivers.count, cuts: configuration.cuts[quantity])
        }
        sender = SenderLedger(configuration)
        rowCount = configuration.sessionCount
        if configuration.sessions != nil { sessions = Array(repeating: sender, count: rowCount) }
        receivers = RigidArray(capacity: configuration.receivers.count * rowCount)
        for row in 0..<configuration.receivers.count * rowCount {
            receivers.append(
                ReceiverLedger(
                    configuration, receiver: row / rowCount, session: row % rowCount, mediaStart: headerLength))
        }
        clocks = Array(
            repeating: ClockLedger(
                errorCuts: configuration.cuts[.clockError], boundCuts: configuration.cuts[.clockBound]),
            count: configuration.nodeCount)
    }

    /// Nobody asks what was captured long before `now`: see ``Oscillator/advance(to:)``.
    mutating func advance(captureClockTo now: Instant) { capture.clock.advance(to: now) }

    mutating func change(captureClock change: OscillatorChange) {
        capture.clock.change(step: change.step, frequency: change.frequency, at: change.at)
    }

    mutating func emit(_ output: WorldOutput) { outputs.append(output) }

    mutating func takeOutput() -> WorldOutput? { outputs.popFirst() }

    /// Notes what happens at `now`.
    ///
    /// Inlined, so that where an event is told only what it asks for is left of the choice.
    ///
    /// - Parameter payload: of the event's packet, where there is one and it has bytes.
    @inline(__always)
    mutating func note(_ event: WorldEvent, _ payload: RawSpan, at now: Instant) {
        switch event {
        case .multiplexed: sender.note(multiplexed: payload, headerLength: headerLength, at: now)
        case .arrived(let packet, let receiver, let measured):
            note(arrivalOf: packet, payload, receiver: receiver, measured: measured, at: now)
        case .released(let packet, let receiver, let depth):
            note(releaseOf: packet, payload, receiver: receiver, at: now)
            receivers[receiver].note(
                bytes: Int(packet.length), waited: now - packet.time, depth: depth, at: now)
            record(packet, receiver: receiver, .used, arrived: packet.time, released: now)
        default: note(event, at: now)
        }
    }

    /// Notes what happens at `now` and needs no bytes.
    @inline(__always)
    mutating func note(_ event: WorldEvent, at now: Instant) {
        switch event {
        case .sent(let packet):
            sender.note(sent: packet, at: now)
            add(.sent, Int64(packet.number), now.nanoseconds, Int64(packet.length), 0)
        case .dropped(let packet, let link, let fate): note(lossOf: packet, link: link, fate, at: now)
        case .refused(let packet, let receiver): note(refusalOf: packet, receiver: receiver, at: now)
        case .discarded(let packet, let receiver, let reason):
            note(packet, isOfNoUse: reason, receiver: receiver, at: now)
        case .presented(let receiver, let lane, let ticks, let picturesEnd):
            note(presentationOf: ticks, lane: lane, receiver: receiver, at: now, picturesEnd: picturesEnd)
        case .closed(let receiver, let unit):
            guard unit.lane < receivers[receiver].lanes.count else { return }
            receivers[receiver].lanes[unit.lane].decoding.close(unit, sent(unit.lane))
            emitFates(row: receiver, lane: unit.lane)
            if taps.presentations { tellIfHidden(unit, row: receiver, at: now) }
            let verdict = Int64(unit.verdict.rawValue)
            add(.closed, unit.presentation ?? -1, verdict, Int64(receiver), Int64(unit.lane))
        case .lostAtNode(let packet, let node): note(packet, lostAtNode: node, at: now)
        case .forgotten(let receiver, let lane, let ticks, let verdict):
            guard lane < receivers[receiver].lanes.count else { return }
            receivers[receiver].lanes[lane].decoding.forget(ticks, sent(lane))
            add(.forgotten, now.nanoseconds, Int64(verdict.rawValue), Int64(receiver), Int64(lane))
        case .controlArrived(let packet, let node): note(arrivalOf: packet, node: node, at: now)
        case .found(let event, let node): note(event, node: node, at: now)
        case .adjusted(let node): clocks[node].noteCorrection(at: now)
        case .commanded(let receiver, let command, let name):
            note(command, name, receiver: receiver, at: now)
        case .multiplexed, .arrived, .released: preconditionFailure("this event has bytes")
        }
    }

    @inline(__always)
    mutating func add(_ tag: EventTag, _ a: Int64, _ b: Int64, _ c: Int64, _ d: Int64) {
        digest.add(tag.rawValue, a, b, c, d)
    }

    // MARK: Datagrams

    @inline(__always)
    private mutating func note(
        arrivalOf packet: Packet, _ payload: RawSpan, receiver: Int, measured: TimeSpan, at now: Instant
    ) {
        add(.arrived, Int64(packet.number), now.nanoseconds, Int64(receiver), Int64(packet.copy))
        var number: Int64?
        if let interleavedFirst { number = Self.streamNumber(of: packet, payload, first: interleavedFirst) }
        receivers[receiver].note(arrivalOf: packet, payload, measured: measured, streamNumber: number, at: now)
    }

    /// A datagram's number in the multiplex: that on the wire without an interleaver, which is without `first`.
    private static func streamNumber(of packet: Packet, _ payload: RawSpan, first: UInt16?) -> Int64 {
        let number = Int64(packet.number)
        guard let first else { return number }
        // The sequence number's place in the header (RFC 3550 §5.1).
        guard let sequence = try? payload.bigEndian(UInt16.self, at: 2) else { return number }
        // The two are never half of the sequence numbers apart.
        return number + Int64(Int16(truncatingIfNeeded: Int64(sequence &- first) &- number))
    }

    @inline(__always)
    private mutating func note(releaseOf packet: Packet, _ payload: RawSpan, receiver: Int, at now: Instant) {
        receivers[receiver].noteReleased(number: Self.streamNumber(of: packet, payload, first: interleavedFirst))
        receivers[receiver].monitor.add(packetsIn: payload, from: headerLength, instant: now)
        add(.released, Int64(packet.number), now.nanoseconds, Int64(receiver), 0)
    }

    private mutating func note(lossOf packet: Packet, link: Int, _ fate: PacketFate, at now: Instant) {
        let place = Int64(link) << 8 | Int64(fate.rawValue)
        add(.dropped, Int64(packet.number), now.nanoseconds, Int64(packet.flow), place)
    }

    private mutating func note(refusalOf packet: Packet, receiver: Int, at now: Instant) {
        add(.refused, Int64(packet.number), now.nanoseconds, Int64(receiver), Int64(packet.flow))
        guard packet.marks.contains(.media) else { return }
        receivers[receiver].damaged += 1
        record(packet, receiver: receiver, .droppedChecksum, arrived: now)
    }

    private mutating func note(_ packet: Packet, lostAtNode node: Int, at now: Instant) {
        let name = Int64(packet.flow) << 8 | Int64(packet.copy)
        add(.lostAtNode, Int64(packet.number), now.nanoseconds, Int64(node), name)
        if node == 0 {
            if sessions.isEmpty { sender.lostAtNode += 1 } else { sessions[Int(packet.flow)].lostAtNode += 1 }
            record(packet, receiver: nil, .lostNode)
        } else {
            let row = row(node - 1, flow: packet.flow)
            receivers[row].lostAtNode += 1
            record(packet, receiver: row, .lostNode, arrived: now)
        }
    }

    private mutating func note(
        _ packet: Packet, isOfNoUse reason: ReceiverOutput.Discard, receiver: Int, at now: Instant
    ) {
        let fate: PacketFate
        switch reason {
        // What found the buffer full, cannot be read, or was there when the receiver crashed comes too late as well.
        case .late, .overflow, .malformed, .forgotten:
            fate = .late
            receivers[receiver].late += 1
        case .duplicate:
            fate = .duplicate
            receivers[receiver].duplicates += 1
        }
        add(.discarded, Int64(packet.number), now.nanoseconds, Int64(receiver), Int64(fate.rawValue))
        record(packet, receiver: receiver, fate, arrived: now)
    }

    private mutating func note(arrivalOf packet: Packet, node: Int, at now: Instant) {
        let (number, time) = (Int64(packet.number), now.nanoseconds)
        switch flows[packet.flow].kind {
        case .senderReports(let session): add(.senderReportArrived, number, time, Int64(node - 1), Int64(session))
        case .receiverReports(let receiver, let session):
            add(.receiverReportArrived, number, time, Int64(receiver), Int64(session))
        default: add(.controlArrived, number, time, Int64(node), Int64(packet.flow))
        }
    }

    /// A row of packets.csv, where it is asked for.
    ///
    /// - Parameter receiver: the receiver's row here; nil for a loss that all receivers share.
    @inline(__always)
    mutating func record(
        _ packet: Packet, receiver: Int?, _ fate: PacketFate, arrived: Instant? = nil, released: Instant? = nil
    ) {
        guard taps.packets else { return }
        outputs.append(
            .packet(
                PacketRecord(
                    receiver: receiver.map { $0 / rowCount }, session: Int(packet.flow), number: packet.number,
                    length: packet.length, sent: packet.sent,
                    arrived: arrived, released: released, fate: fate)))
    }

    /// A row of packets.csv for a datagram of the program that is lost on a link.
    ///
    /// - Parameter receiver: whose own link it is; nil for what several share.
    mutating func record(lossOf packet: Packet, receiver: Int?, _ fate: PacketFate) {
        if packet.marks.contains(.media) { record(packet, receiver: receiver.map { row($0, flow: packet.flow) }, fate) }
    }

    // MARK: Agents

    private mutating func note(_ event: AgentEvent, node: Int, at now: Instant) {
        switch event {
        case .roundTrip, .report, .settings: break
        case .logical(let event): if taps.events { outputs.append(.logical(event, node: node, at: now)) }
        case .exchange(let exchange): clocks[node].note(exchange)
        case .claim(let claim): clocks[node].note(claim, at: now)
        }
    }

    /// Samples the clocks of all nodes at an instant.
    mutating func sample(_ nodes: borrowing RigidArray<LocalClock>, at now: Instant) {
        var sum = TimeSpan.zero
        var count: Int64 = 0
        for node in clocks.indices where clocks[node].isOfGroup {
            sum += nodes[node].error(at: now)
            count += 1
        }
        let mean = TimeSpan.nanoseconds(count == 0 ? 0 : sum.nanoseconds / count)
        for node in clocks.indices {
            clocks[node].sample(error: nodes[node].error(at: now), groupError: mean, at: now)
        }
    }

    /// A unit's first datagram is made.
    mutating func note(begunUnit unit: SentUnit, lane: Int) {
        sentUnits[lane].append(unit)
        guard sentUnits[lane].isLong else { return }
        var oldest = Int64.max
        for row in stride(from: 0, to: receivers.count, by: rowCount) {
            oldest = min(oldest, receivers[row].lanes[lane].decoding.next)
        }
        sentUnits[lane].forget(before: oldest)
    }

    private func sent(_ lane: Int) -> DecodingLedger.Sent {
        DecodingLedger.Sent(units: sentUnits[lane], program: program, lane: lane)
    }

    /// - Parameter row: the first of the receiver's.
    private mutating func emitFates(row: Int, lane: Int, isOver: Bool = false) {
        for fate in receivers[row].lanes[lane].decoding.takeFates(isOver: isOver) where watchesUnits {
            receivers[row].lanes[lane].losses?.add(isLost: fate.outcome != .onTime)
            receivers[row].lanes[lane].concealment?.add(fate)
            guard taps.units else { continue }
            outputs.append(.unit(UnitRecord(fate, of: program, receiver: row / rowCount, lane: lane)))
        }
    }

    /// What is on screen or heard, as far as a decoder can make it: nothing else counts as presented.
    ///
    /// Frames of sound that are one unit wait equally long from their capture on, each by itself.
    ///
    /// - Parameters:
    ///   - row: the first of the receiver's.
    ///   - ticks: the unit's timestamp on the wire.
    mutating func show(_ unit: Presentation, ticks: Int64, row: Int, at now: Instant, picturesEnd: TimeSpan) {
        var duration = durations[unit.lane]
        var (isShown, presentation, frames): (Bool, Int64?, Int) = (true, nil, 1)
        let next = receivers[row].lanes[unit.lane].decoding.next
        if let number = sentUnits[unit.lane].find(ticks, near: next) {
            let sent = sentUnits[unit.lane][number].media
            duration = MediaClock.span(ticks: sent.duration, rate: MediaClock.ninetyKilohertz)
            (presentation, frames) = (sent.presentation, Int(sent.frameCount))
            isShown = receivers[row].lanes[unit.lane].decoding.shows(sent, number: number)
        }
        receivers[row].lanes[unit.lane].endToEnd.add((now - unit.captured).nanoseconds, times: Int64(frames))
        if taps.presentations {
            let receiver = row / rowCount
            outputs.append(
                .presented(
                    PresentedUnit(
                        receiver: receiver, lane: unit.lane, timestamp: ticks, presentation: presentation, at: now,
                        isShown: isShown)))
        }
        guard isShown else { return }
        receivers[row].present(
            lane: unit.lane, media: unit.media, duration: duration, at: now, picturesEnd: picturesEnd)
    }

    /// Tells of a unit that was closed, and of which nothing can be decoded, that it is never shown.
    private mutating func tellIfHidden(_ unit: ReceivedUnit, row: Int, at now: Instant) {
        let decoding = receivers[row].lanes[unit.lane].decoding
        guard let ticks = unit.presentation, let number = sentUnits[unit.lane].find(ticks, near: decoding.next),
            !decoding.shows(sentUnits[unit.lane][number].media, number: number)
        else { return }
        let unit = PresentedUnit(
            receiver: row / rowCount, lane: unit.lane, timestamp: ticks, at: now, isShown: false)
        outputs.append(.presented(unit))
    }

    private mutating func note(
        presentationOf ticks: Int64, lane: Int, receiver: Int, at now: Instant, picturesEnd: TimeSpan
    ) {
        guard lane < receivers[receiver].lanes.count else { return }
        let media = timeline(ofTicks: ticks, near: now)
        add(.presented, media.nanoseconds, now.nanoseconds, Int64(receiver), Int64(lane))
        let captured = capture.clock.instant(showing: capture.zero + media)
        let unit = Presentation(lane: lane, media: media, captured: captured)
        show(unit, ticks: ticks, row: receiver, at: now, picturesEnd: picturesEnd)
    }

    /// The program's timeline at a receiver's 90 kHz ticks, which are right modulo 2^33 only.
    private func timeline(ofTicks ticks: Int64, near now: Instant) -> TimeSpan {
        let elapsed = capture.clock.reading(at: now) - capture.zero
        let expected = program.firstPresentation + MediaClock.ticks(elapsed, rate: MediaClock.ninetyKilohertz)
        let difference = ((ticks &- expected) << 31) >> 31
        return program.timeline(expected + difference)
    }

    // MARK: Commands

    private mutating func note(
        _ command: PlaybackCommand, _ name: CommandLedger.Name, receiver: Int, at now: Instant
    ) {
        commands?.note(command, name, receiver: receiver, at: now)
        // What goes on after a pause has not been interrupted since.
        if command != .play { receivers[row(receiver, flow: 0)].interrupt(at: now) }
        let payload = command.bytes.reduce(0 as Int64) { $0 << 8 | Int64($1) }
        add(.commanded, payload, now.nanoseconds, Int64(receiver), Int64(name.sender) << 32 | Int64(name.number))
    }

    /// Notes that a receiver was told when to present.
    mutating func countSettings() { settingsTaken += 1 }

    /// Notes where each receiver plays.
    mutating func note(positions: [TimeSpan?]) { self.positions?.note(positions: positions) }

    // MARK: The end

    /// Nothing more will be sent.
    mutating func finishSending() { sender.finish() }

    /// What has not come by now never will.
    ///
    /// - Parameter row: the first of the receiver's.
    mutating func finishUnits(row: Int) {
        for lane in receivers[row].lanes.indices {
            receivers[row].lanes[lane].decoding.finish(sent(lane))
            emitFates(row: row, lane: lane, isOver: true)
        }
    }

    /// Nothing more comes to a receiver.
    ///
    /// - Parameter spans: of each lane, where its first unit sent begins and its last one ends on the program's timeline.
    mutating func finish(receiver: Int, spans: [ClosedRange<TimeSpan>?]) {
        finishUnits(row: receiver)
        receivers[receiver].finish(sentCount: sender.packets, spans: spans, durations: durations)
    }
}
