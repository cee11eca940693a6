import BasicContainers
import ClockSync
import Media
import NetworkEmulation
import Protection
import Receiver
import Sender
import Timebase
import Wire

/// The whole experiment: nodes with clocks of their own, links between them, and flows over these.
///
/// It has the four verbs of every active part: ``handle(_:at:)``, ``nextTimeout``, ``handleTimeout(at:)`` and
/// ``pollOutput()``. Whoever drives it brings time in as an argument and takes effects out as values; the World reads no
/// clock and touches no file.
///
/// The World moves packets: it holds links, routes, the pool, the timeouts, and delivers. What a packet is to a node is
/// the business of the program's ends, which are concrete and fast, and of agents; what happened is told to the ledger.
///
/// Every part keeps its packets in order and only the head of each is scheduled; of simultaneous events the part nearest
/// to the receivers is served first. So the course of events is a function of the configuration alone.
public struct World: ~Copyable {
    /// What it was made of.
    public let configuration: WorldConfiguration
    /// What each packet's flow number stands for.
    let flows: FlowTable
    /// True time: the latest instant the World has been told.
    public private(set) var now = Instant.zero
    var pool: PacketPool
    var topology: Topology
    let admission: Admission
    var crossTraffic: RigidArray<CrossTraffic>
    /// The program's sending end, at node 0; idle where substreams have sessions of their own.
    var sender: ProgramSender
    /// The program's receiving ends, at nodes 1 and up; idle likewise.
    var receivers: RigidArray<MediaReceiver>
    /// The sending ends of sessions of their own, at node 0; none of a multiplex.
    var sessionSenders: RigidArray<SubstreamSender>
    /// Their clocks, where they are others than the node's.
    var captureClocks: [Oscillator?]
    /// The receiving ends of sessions of their own, at nodes 1 and up; none of a multiplex.
    var sessionReceivers: RigidArray<SessionsReceiver>
    /// Of all nodes: the sender, the receivers, those of agents alone.
    var clocks: RigidArray<LocalClock>
    var agents: AgentTable
    var ledger: RunLedger
    /// Of the program's ends.
    var faults: MediaFaults
    let hasFaults: Bool
    /// Whether the program is a multiplex and its ends have no faults: then datagrams pay for neither.
    let isPlain: Bool
    /// Of agents' datagrams, where they have none themselves and somebody asks.
    var stamps: CarriedStamps?
    /// Datagrams that agents have sent.
    public internal(set) var messages: Int64 = 0
    // Ranks: receivers, links, cross traffic, the sender or the sessions' senders, agents.
    var timeouts: TimeoutTree
    /// The slot of the output that was polled last.
    private var lent: UInt32?
    private var nextSample: Instant
    private var nextClockSample = Instant.zero
    /// When it is next looked at where receivers play; never, where it does not matter.
    private var nextLook: Instant
    /// When next something is looked at or an oscillator changes.
    private var nextObservation = Instant.zero
    /// Of oscillators that are still to come, the next one last.
    private var clockChanges: [ClockChangeConfiguration]
    private var hasFinished = false

    /// A World at emulated time zero, in which nothing has happened yet.
    public init(_ configuration: WorldConfiguration) {
        precondition(configuration.interleaving == nil || configuration.carriage.hasRTP)
        self.configuration = configuration
        flows = configuration.flowTable
        pool = PacketPool(slotCapacity: 1_536)
        topology = Topology(configuration, flows)
        admission = Admission(configuration, flows, &topology)
        crossTraffic = Self.crossTraffic(topology, flows, admission)
        clocks = RigidArray(capacity: configuration.nodeCount)
        for clock in configuration.clocks { clocks.append(LocalClock(clock)) }
        sender = configuration.programSender(flow: flows.media(0))
        receivers = RigidArray(capacity: configuration.receivers.count)
        for index in configuration.receivers.indices { receivers.append(MediaReceiver(configuration.media(of: index))) }
        let substreams = configuration.substreamSenders(flows)
        sessionSenders = Self.sessionSenders(substreams)
        captureClocks = configuration.sessions?.sessions.map(\.captureClock) ?? []
        sessionReceivers = Self.sessionReceivers(configuration)
        let sources = configuration.sessions == nil ? sender.rtp.map { [$0.ssrc] } ?? [] : substreams.map(\.rtp.ssrc)
        agents = AgentTable(configuration, flows, sources: sources)
        ledger = RunLedger(configuration, flows, headerLength: sender.headerLength)
        clockChanges = configuration.clockChangesByTime.reversed()
        nextSample = configuration.taps.seriesInterval == nil ? .distantFuture : .zero
        let faults = MediaFaults(configuration)
        self.faults = faults
        hasFaults = !faults.isEmpty
        // Not of members: an operator's closure over what is half made has the compiler destroy what is not there yet.
        isPlain = faults.isEmpty && configuration.sessions == nil
        stamps = Self.stamps(configuration)
        nextLook = configuration.watchesPositions ? .zero : .distantFuture
        timeouts = TimeoutTree(
            count: receivers.count + topology.links.count + crossTraffic.count + max(1, sessionSenders.count)
                + agents.seats.count + (hasFaults ? 1 : 0))
        if admission.admitsProgram, configuration.sendsProgram { startProgram() }
        rearmSender()
        for index in agents.seats.indices { rearmAgent(index) }
        for index in 0..<crossTraffic.count { rearmCrossTraffic(index) }
        if hasSentAll, configuration.sendsProgram { stopOthers() }
    }

    private mutating func startProgram() {
        if configuration.sessions == nil { sender.start(&pool) }
        takeBegunUnits()
        startSessions()
    }

    // MARK: The verbs

    /// When the World next has something to do; nil when everything has met its fate.
    public var nextTimeout: Instant? {
        let earliest = timeouts.earliestInstant
        guard earliest != .distantFuture else { return hasFinished ? nil : now }
        // What a clock that jumps ahead leaves behind is due at once.
        return max(now, min(earliest, nextObservation))
    }

    /// Tells the World something from outside.
    public mutating func handle(_ input: WorldInput, at now: Instant) {
        advance(to: now)
        switch input {
        case .stopSources:
            sender.stop(at: mediaTime(ofNode: 0, at: now))
            stopSessions(at: now)
            if !configuration.sendsProgram { stopOthers() }
        }
    }

    /// Serves the next event that is due by `now`; an early call does nothing.
    public mutating func handleTimeout(at now: Instant) {
        advance(to: now)
        let (component, at) = timeouts.earliest
        if at == .distantFuture {
            finish()
        } else if nextObservation < at {
            // Behind everything of an earlier instant, before everything of this one.
            sample(at: now)
        } else if at <= now {
            serve(component, at: now)
        }
    }

    /// The next effect. Its bytes are valid until the next call.
    public mutating func pollOutput() -> WorldOutput? {
        if let lent {
            release(slot: lent)
            self.lent = nil
        }
        guard let output = ledger.takeOutput() else { return nil }
        switch output {
        case .captured(let packet, _, _), .sentMedia(let packet), .releasedMedia(let packet, _): lent = packet.slot
        case .packet, .unit, .begun, .presented, .exchange, .logical, .sample: break
        }
        return output
    }

    /// Whether an effect waits to be taken.
    var hasOutput: Bool { !ledger.outputs.isEmpty || lent != nil }

    /// The UDP payload of an output's packet, as long as the output is the latest one polled.
    public func payload(of packet: Packet) -> UnsafeRawBufferPointer {
        pool.bytes(packet.slot, count: packet.payloadCount)
    }

    /// Of a packet that was changed on the way, the one's complement sum of the payload that its checksum was made of.
    public func originalSum(of packet: Packet) -> UInt16? {
        guard packet.marks.contains(.damaged) else { return nil }
        var checksum = InternetChecksum()
        checksum.add(payload(of: packet))
        // One's complement subtraction (RFC 1071 §2).
        checksum.add(~pool.checksumDifference(of: packet))
        return checksum.sum
    }

    /// Bytes before the transport packets in a datagram of the program.
    public var mediaHeaderLength: Int { sender.headerLength }

    /// Datagrams that exist somewhere in the World.
    public var packetsUnderWay: Int { pool.slotsInUse }

    private mutating func advance(to instant: Instant) {
        if instant > now { now = instant }
    }

    // MARK: Serving

    private var firstLink: Int { receivers.count }
    private var firstSource: Int { receivers.count + topology.links.count }
    private var senderRank: Int { firstSource + crossTraffic.count }
    private var firstAgent: Int { senderRank + max(1, sessionSenders.count) }
    /// Of datagrams that nodes handle late; there with faults only.
    var heldRank: Int { firstAgent + agents.seats.count }

    private mutating func serve(_ component: Int, at now: Instant) {
        if component < firstLink {
            serveReceiver(component, at: now)
        } else if component < firstSource {
            serveLink(component - firstLink, at: now)
        } else if component < senderRank {
            serveCrossTraffic(component - firstSource, at: now)
        } else if component >= firstAgent {
            if component < heldRank { serveAgent(component - firstAgent, at: now) } else { serveHeld(at: now) }
        } else if sessionSenders.isEmpty {
            serveSender(at: now)
        } else {
            serveSession(component - senderRank, at: now)
        }
    }

    private mutating func serveSender(at now: Instant) {
        sender.handleTimeout(&pool, at: mediaTime(ofNode: 0, at: now))
        while let output = sender.pollOutput() {
            switch output {
            case .multiplexed(let packet):
                ledger.note(.multiplexed(packet), payload(of: packet).bytes, at: now)
                guard configuration.taps.media else { continue }
                pool.retain(packet.slot)
                ledger.emit(.sentMedia(packet))
            case .send(var packet):
                packet.sent = now
                if hasFaults { sendFaulty(packet, at: now) } else { send(packet, at: now) }
            }
        }
        takeBegunUnits()
        rearmSender()
        if sender.isFinished { stopOthers() }
    }

    /// Nobody sends once the program has been.
    mutating func stopOthers() {
        for index in agents.seats.indices {
            agents.seats[index].agent.stop()
            rearmAgent(index)
        }
        for index in 0..<crossTraffic.count {
            crossTraffic[index].stop()
            rearmCrossTraffic(index)
        }
    }

    private mutating func serveCrossTraffic(_ index: Int, at now: Instant) {
        if var packet = crossTraffic[index].send(at: now) {
            // Only captures ask for bytes.
            if configuration.taps.capturesLinks {
                packet.slot = pool.allocate()
                pool.mutableBytes(packet.slot)[..<packet.payloadCount].initializeMemory(as: UInt8.self, repeating: 0)
            }
            handToLink(packet, topology.crossTraffic[index].link, at: now)
        }
        rearmCrossTraffic(index)
    }

    private mutating func rearmCrossTraffic(_ index: Int) {
        timeouts.set(firstSource + index, to: crossTraffic[index].nextTimeout)
    }

    private mutating func rearmSender() {
        guard sessionSenders.isEmpty else {
            for session in 0..<sessionSenders.count { rearmSession(session) }
            return
        }
        timeouts.set(senderRank, to: max(.zero, instant(ofNode: 0, showing: sender.nextTimeout)))
    }

    mutating func rearmSession(_ index: Int) {
        let next = sessionSenders[index].nextTimeout
        let at = next == .distantFuture ? .distantFuture : max(.zero, captureClock(index).instant(showing: next))
        timeouts.set(senderRank + index, to: at)
    }

    mutating func rearmAgent(_ index: Int) {
        let next = agents.seats[index].agent.nextTimeout
        let node = agents.seats[index].node
        let isReporter = agents.seats[index].session != nil
        timeouts.set(
            firstAgent + index,
            to: isReporter ? instant(ofNode: node, showing: next) : clocks[node].instant(showing: next))
    }

    mutating func rearmReceiver(_ index: Int) {
        let next = isPlain ? receivers[index].nextTimeout : nextTimeout(ofReceiver: index)
        timeouts.set(index, to: instant(ofNode: 1 + index, showing: next))
    }

    // MARK: Moving packets

    private mutating func serveLink(_ index: Int, at now: Instant) {
        topology.links[index].handleTimeout(&pool, at: now)
        if topology.links[index].hasDrops { takeDrops(index, at: now) }
        while let packet = topology.links[index].pollOutput(at: now) {
            if configuration.taps.capturesLinks { capture(packet, .link(index, isFarEnd: true), at: now) }
            hand(packet, to: topology.next(behind: index, flow: packet.flow), at: now)
        }
        timeouts.set(firstLink + index, to: topology.links[index].nextTimeout)
    }

    /// Hands a packet on: to a link, over a branch to several places, or to a node.
    mutating func hand(_ packet: Packet, to hop: Hop, at now: Instant) {
        switch hop {
        case .link(let index): handToLink(packet, index, at: now)
        case .node(let node): deliver(packet, to: node, at: now)
        case .away: release(slot: packet.slot)
        case .branch(let branch):
            let width = topology.width(ofBranch: branch)
            for _ in 1..<width { pool.retain(packet.slot) }
            for number in 0..<width { hand(packet, to: topology.hop(ofBranch: branch, number), at: now) }
        }
    }

    private mutating func handToLink(_ packet: Packet, _ index: Int, at now: Instant) {
        if configuration.taps.capturesLinks { capture(packet, .link(index, isFarEnd: false), at: now) }
        let verdict = topology.links[index].handle(packet, &pool, at: now)
        if topology.links[index].hasDrops { takeDrops(index, at: now) }
        switch verdict {
        case .accepted:
            timeouts.set(firstLink + index, to: topology.links[index].nextTimeout)
            return
        case .lost, .down: drop(packet, link: index, .lostLink, at: now)
        case .policed, .dropped: drop(packet, link: index, .droppedQueue, at: now)
        }
    }

    /// Frees what a link's queue has given up.
    private mutating func takeDrops(_ index: Int, at now: Instant) {
        while let (packet, _) = topology.links[index].pollDrop() { drop(packet, link: index, .droppedQueue, at: now) }
    }

    private mutating func drop(_ packet: Packet, link index: Int, _ fate: PacketFate, at now: Instant) {
        ledger.note(.dropped(packet, link: index, fate), at: now)
        ledger.record(lossOf: packet, receiver: topology.owners[index], fate)
        release(slot: packet.slot)
    }

    mutating func release(slot: UInt32) {
        if slot != Packet.noSlot { pool.release(slot) }
    }

    /// Lends a packet to whoever captures here.
    mutating func capture(_ packet: Packet, _ point: CapturePoint, at now: Instant) {
        guard configuration.taps.captures(point), packet.slot != Packet.noSlot else { return }
        pool.retain(packet.slot)
        ledger.emit(.captured(packet, point, at: now))
    }

    // MARK: Samples and the end

    /// An oscillator does what it was to do at its time; what was armed by it is armed anew.
    private mutating func changeClock() {
        guard let change = clockChanges.popLast() else { return }
        clocks[change.node].change(change.change)
        if change.node == 0 { ledger.change(captureClock: change.change) }
        rearm(node: change.node)
    }

    private mutating func rearm(node: Int) {
        if node == 0 { rearmSender() }
        if (1...receivers.count).contains(node) { rearmReceiver(node - 1) }
        for index in agents.seats.indices where agents.seats[index].node == node { rearmAgent(index) }
    }

    private mutating func sample(at now: Instant) {
        while let next = clockChanges.last, next.change.at <= now { changeClock() }
        if nextClockSample <= now {
            for node in 0..<clocks.count { clocks[node].advance(to: nextClockSample) }
            ledger.advance(captureClockTo: nextClockSample)
            for session in captureClocks.indices { captureClocks[session]?.advance(to: nextClockSample) }
            ledger.sample(clocks, at: nextClockSample)
            nextClockSample += .seconds(1)
        }
        if nextSample <= now, let interval = configuration.taps.seriesInterval {
            // A link turns to the packet behind when it must; what waits in it is asked for here.
            for index in 0..<topology.links.count {
                topology.links[index].handleTimeout(&pool, at: nextSample - .nanoseconds(1))
                timeouts.set(firstLink + index, to: topology.links[index].nextTimeout)
            }
            ledger.emit(.sample(at: nextSample))
            nextSample += interval
        }
        if nextLook <= now {
            ledger.note(positions: positions())
            // Who lags behind catches up once the program is over: that tells nothing any more.
            nextLook = hasSentAll ? .distantFuture : nextLook + PositionLedger.interval
        }
        nextObservation = min(nextSample, nextClockSample, nextLook, clockChanges.last?.change.at ?? .distantFuture)
    }

    /// Nothing is under way any more: closes what is open.
    private mutating func finish() {
        guard !hasFinished else { return }
        hasFinished = true
        ledger.finishSending()
        for index in 0..<topology.links.count {
            while let packet = topology.links[index].abandon(at: now) {
                drop(packet, link: index, .lostLink, at: now)
                if topology.links[index].hasDrops { takeDrops(index, at: now) }
            }
        }
        guard sessionSenders.isEmpty else { return finishSessions() }
        let spans = sender.multiplexer.counters.map(\.span)
        for index in 0..<receivers.count {
            receivers[index].finish()
            drainReceiver(index, at: now)
            ledger.finish(receiver: index, spans: spans)
        }
    }
}
