import ClockSync
import DequeModule
import Media
import Metrics
import NetworkEmulation
import Protection
import Receiver
import Sender
import Timebase
import Wire

/// The whole experiment: one sender, links, receivers, each node with a clock of its own.
///
/// It has the four verbs of every active part: ``handle(_:at:)``, ``nextTimeout``, ``handleTimeout(at:)`` and
/// ``pollOutput()``. Whoever drives it brings time in as an argument and takes effects out as values; the World reads no
/// clock and touches no file.
///
/// Every part keeps its packets in order and only the head of each is scheduled; of simultaneous events the part nearest
/// to the receivers is served first. So the course of events is a function of the configuration alone.
public struct World: ~Copyable {
    /// The program's flow; its packets are numbered from 0.
    public static let programFlow: UInt16 = 0
    /// The sender's reports.
    public static let senderReportFlow: UInt16 = 1
    /// The first receiver's reports; the next receiver's are one more, and behind the last one's comes cross traffic: on
    /// each link from the same number on, as it does not leave its link.
    public static let firstReceiverReportFlow: UInt16 = 2
    /// IPv4 and UDP headers.
    public static let networkHeaderLength = UDPFrame.networkHeaderLength

    public let configuration: WorldConfiguration
    /// True time: the latest instant the World has been told.
    public private(set) var now = Instant.zero
    var pool: PacketPool
    var topology: Topology
    var crossTraffic: [CrossTraffic] = []
    var admission: Admission
    var sender: SenderNode
    var senderReports: RTCPSession?
    var reportNumber: UInt32 = 0
    var receivers: [ReceiverNode] = []
    var timeouts: TimeoutTree
    var digest = EventDigest()
    var senderClockError = Histogram()
    private var outputs = Deque<WorldOutput>()
    /// The slot of the output that was polled last.
    private var lent: UInt32?
    /// The first sequence number, where an interleaver makes numbers on the wire differ from those of the multiplex.
    let interleavedFirst: UInt16?
    private var nextSample: Instant
    private var nextClockSample = Instant.zero
    private var hasFinished = false

    /// A receiving node.
    struct ReceiverNode: Sendable {
        var media: MediaReceiver
        let clock: Oscillator
        var reports: RTCPSession?
        var fractionLost = FractionLost()
        var ledger: ReceiverLedger
        /// The middle of the latest sender report's NTP timestamp, and when it came.
        var latestSenderReport: (middle: UInt32, arrival: LocalInstant)?
        var reportNumber: UInt32 = 0
        /// Whether the sender has heard of it.
        var hasReported = false
    }

    public init(_ configuration: WorldConfiguration) {
        precondition(configuration.interleaving == nil || configuration.carriage.hasRTP)
        self.configuration = configuration
        pool = PacketPool(slotCapacity: 1_536)
        var topology = Topology(configuration)
        admission = Admission(configuration, &topology)
        self.topology = topology
        sender = SenderNode(configuration)
        for source in topology.crossTraffic {
            crossTraffic.append(
                CrossTraffic(
                    source.configuration.pattern, flow: source.flow,
                    differentiatedServices: source.configuration.differentiatedServices, key: source.configuration.key))
            if !admission.admits(flow: source.flow, link: topology.ids[source.link]) {
                crossTraffic[crossTraffic.count - 1].stop()
            }
        }
        nextSample = configuration.taps.seriesInterval == nil ? .distantFuture : .zero
        // Ranks: receivers, links, cross traffic, the sender, its reports, the receivers' reports.
        let count = configuration.receivers.count
        timeouts = TimeoutTree(count: 2 * count + topology.links.count + crossTraffic.count + 2)
        let deinterleaver = configuration.deinterleaver
        interleavedFirst = deinterleaver?.firstSequenceNumber
        for receiver in configuration.receivers {
            var media = receiver.media
            media.deinterleaver = deinterleaver
            receivers.append(
                ReceiverNode(
                    media: MediaReceiver(media), clock: receiver.clock, ledger: ReceiverLedger(configuration)))
        }
        startReports()
        if admission.admitsProgram { sender.program.start(&pool) }
        rearmSender()
        rearmReports()
        for index in crossTraffic.indices { rearmCrossTraffic(index) }
        if sender.program.isFinished { stopOthers() }
    }

    /// When the World next has something to do; nil when everything has met its fate.
    public var nextTimeout: Instant? {
        let earliest = timeouts.earliestInstant
        guard earliest != .distantFuture else { return hasFinished ? nil : now }
        return min(earliest, nextSample, nextClockSample)
    }

    /// Tells the World something from outside.
    public mutating func handle(_ input: WorldInput, at now: Instant) {
        advance(to: now)
        switch input {
        case .stopSources: sender.program.stop(at: sender.clock.reading(at: now))
        }
    }

    /// Serves the next event that is due by `now`; an early call does nothing.
    public mutating func handleTimeout(at now: Instant) {
        advance(to: now)
        let (component, at) = timeouts.earliest
        if at == .distantFuture {
            finish()
        } else if min(nextSample, nextClockSample) < at {
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
        guard let output = outputs.popFirst() else { return nil }
        switch output {
        case .captured(let packet, _, _), .sentMedia(let packet), .releasedMedia(let packet, _): lent = packet.slot
        case .packet, .sample: break
        }
        return output
    }

    /// Whether an effect waits to be taken.
    public var hasOutput: Bool { !outputs.isEmpty || lent != nil }

    /// The UDP payload of an output's packet, as long as the output is the latest one polled.
    public func payload(of packet: Packet) -> UnsafeRawBufferPointer {
        pool.bytes(packet.slot, count: Int(packet.length) - Self.networkHeaderLength)
    }

    /// Of a packet that was changed on the way, the sum of the payload that its checksum was made of.
    public func originalSum(of packet: Packet) -> UInt16? {
        guard packet.marks.contains(.damaged) else { return nil }
        return pool.bytes(packet.slot, count: pool.slotCapacity).loadUnaligned(
            fromByteOffset: pool.slotCapacity - 2, as: UInt16.self)
    }

    /// Bytes before the transport packets in a datagram of the program.
    public var mediaHeaderLength: Int { sender.program.headerLength }

    /// Datagrams that exist somewhere in the World.
    public var packetsUnderWay: Int { pool.slotsInUse }

    private mutating func advance(to instant: Instant) {
        if instant > now { now = instant }
    }

    // MARK: Serving

    private var firstLink: Int { receivers.count }
    private var firstSource: Int { receivers.count + topology.links.count }
    private var senderRank: Int { firstSource + crossTraffic.count }

    private mutating func serve(_ component: Int, at now: Instant) {
        if component < firstLink {
            serveReceiver(component, at: now)
        } else if component < firstSource {
            serveLink(component - firstLink, at: now)
        } else if component < senderRank {
            serveCrossTraffic(component - firstSource, at: now)
        } else if component == senderRank {
            serveSender(at: now)
        } else {
            serveReports(component - senderRank - 1, at: now)
        }
    }

    private mutating func serveSender(at now: Instant) {
        sender.program.handleTimeout(&pool, at: sender.clock.reading(at: now))
        while let output = sender.program.pollOutput() {
            switch output {
            case .multiplexed(let packet):
                let payload = pool.bytes(packet.slot, count: Int(packet.length) - Self.networkHeaderLength).bytes
                sender.note(multiplexed: payload, at: now)
                guard configuration.taps.media else { continue }
                pool.retain(packet.slot)
                outputs.append(.sentMedia(packet))
            case .send(var packet):
                packet.sent = now
                sender.note(sent: packet)
                capture(packet, .sender, at: now)
                admission.note(sent: packet, at: now)
                digest.add(1, Int64(packet.number), now.nanoseconds, Int64(packet.length), 0)
                hand(packet, to: topology.forwardEntry, at: now)
            }
        }
        rearmSender()
        if sender.program.isFinished { stopOthers() }
    }

    /// Nobody sends once the program has been.
    private mutating func stopOthers() {
        stopReports()
        for index in crossTraffic.indices {
            crossTraffic[index].stop()
            rearmCrossTraffic(index)
        }
    }

    private mutating func rearmCrossTraffic(_ index: Int) {
        timeouts.set(firstSource + index, to: crossTraffic[index].nextTimeout)
    }

    private mutating func serveCrossTraffic(_ index: Int, at now: Instant) {
        if var packet = crossTraffic[index].send(at: now) {
            // Only captures ask for bytes.
            if configuration.taps.capturesLinks {
                packet.slot = pool.allocate()
                let length = Int(packet.length) - Self.networkHeaderLength
                pool.mutableBytes(packet.slot)[..<length].initializeMemory(as: UInt8.self, repeating: 0)
            }
            handToLink(packet, topology.crossTraffic[index].link, at: now)
        }
        rearmCrossTraffic(index)
    }

    mutating func rearmSender() { timeouts.set(senderRank, to: sender.nextTimeout) }

    mutating func rearmSenderReports() {
        timeouts.set(senderRank + 1, to: senderReports.map { instant($0.nextTimeout, sender.clock) } ?? .distantFuture)
    }

    /// Sets the timers of all reports.
    mutating func rearmReports() {
        rearmSenderReports()
        for index in receivers.indices { rearmReceiverReports(index) }
    }

    mutating func rearmReceiverReports(_ index: Int) {
        let timeout = receivers[index].reports.map { instant($0.nextTimeout, receivers[index].clock) }
        timeouts.set(senderRank + 2 + index, to: timeout ?? .distantFuture)
    }

    private mutating func serveLink(_ index: Int, at now: Instant) {
        topology.links[index].handleTimeout(at: now)
        takeFromLink(index, at: now)
        while let packet = topology.links[index].pollOutput(at: now) {
            if configuration.taps.capturesLinks { capture(packet, .link(index, isFarEnd: true), at: now) }
            // Cross traffic goes no further.
            if packet.flow >= topology.firstCrossFlow {
                release(slot: packet.slot)
            } else {
                hand(packet, to: topology.next[index], at: now)
            }
        }
        timeouts.set(firstLink + index, to: topology.links[index].nextTimeout)
    }

    /// Hands a packet on: to a link, over a branch to every receiver, or to a node.
    mutating func hand(_ packet: Packet, to hop: Hop, at now: Instant) {
        switch hop {
        case .link(let index): handToLink(packet, index, at: now)
        case .receiver(let index): deliver(packet, toReceiver: index, at: now)
        case .sender: deliverToSender(packet, at: now)
        case .branch:
            for index in receivers.indices {
                if index > 0 { pool.retain(packet.slot) }
            }
            for index in receivers.indices { hand(packet, to: topology.receiverEntries[index], at: now) }
        }
    }

    private mutating func handToLink(_ packet: Packet, _ index: Int, at now: Instant) {
        if configuration.taps.capturesLinks { capture(packet, .link(index, isFarEnd: false), at: now) }
        var packet = packet
        if topology.damages[index] { damage(&packet, onLink: index, at: now) }
        let verdict = topology.links[index].handle(packet, at: now)
        takeFromLink(index, at: now)
        switch verdict {
        case .accepted:
            timeouts.set(firstLink + index, to: topology.links[index].nextTimeout)
            return
        case .lost, .down: drop(packet, link: index, .lostLink, at: now)
        case .policed, .dropped: drop(packet, link: index, .droppedQueue, at: now)
        }
    }

    /// Frees what a link's queue has given up, and counts who shares the bytes of copies.
    private mutating func takeFromLink(_ index: Int, at now: Instant) {
        while let (packet, _) = topology.links[index].pollDrop() { drop(packet, link: index, .droppedQueue, at: now) }
        while let copy = topology.links[index].pollCopy() {
            if copy.slot != CrossTraffic.noSlot { pool.retain(copy.slot) }
        }
    }

    /// Changes a bit of the packet's bytes where the link says so: in a slot of its own, as others may hold the bytes.
    ///
    /// What the sender's checksum covered stays known by the sum of the payload before the first change, in the slot's
    /// last two bytes, which no payload reaches.
    private mutating func damage(_ packet: inout Packet, onLink index: Int, at now: Instant) {
        let count = Int(packet.length) - Self.networkHeaderLength
        guard let bit = topology.links[index].damagedBit(of: packet, among: count * 8, at: now) else { return }
        defer { packet.marks.insert(.damaged) }
        guard packet.slot != CrossTraffic.noSlot else { return }
        let sum = originalSum(of: packet) ?? Self.sum(pool.bytes(packet.slot, count: count))
        let slot = pool.allocate()
        let bytes = pool.mutableBytes(slot)
        bytes.copyMemory(from: pool.bytes(packet.slot, count: count))
        bytes[bit >> 3] ^= 1 << UInt8(bit & 7)
        bytes.storeBytes(of: sum, toByteOffset: pool.slotCapacity - 2, as: UInt16.self)
        pool.release(packet.slot)
        packet.slot = slot
    }

    /// Whether a packet's checksum does not fit its bytes: several changed bits may hide each other.
    func hasWrongChecksum(_ packet: Packet) -> Bool {
        guard let sum = originalSum(of: packet) else { return false }
        return Self.sum(pool.bytes(packet.slot, count: Int(packet.length) - Self.networkHeaderLength)) != sum
    }

    private static func sum(_ bytes: UnsafeRawBufferPointer) -> UInt16 {
        var checksum = InternetChecksum()
        checksum.add(bytes)
        return checksum.sum
    }

    private mutating func drop(_ packet: Packet, link index: Int, _ fate: PacketFate, at now: Instant) {
        let place = Int64(index) << 8 | Int64(fate.rawValue)
        digest.add(2, Int64(packet.number), now.nanoseconds, Int64(packet.flow), place)
        recordDrop(packet, link: index, fate)
        release(slot: packet.slot)
    }

    private mutating func release(slot: UInt32) {
        if slot != CrossTraffic.noSlot { pool.release(slot) }
    }

    private mutating func recordDrop(_ packet: Packet, link: Int, _ fate: PacketFate) {
        guard configuration.taps.packets, packet.flow == Self.programFlow else { return }
        outputs.append(
            .packet(
                PacketRecord(
                    receiver: topology.owners[link], number: packet.number, length: packet.length,
                    sent: packet.sent, fate: fate)))
    }

    private func isCaptured(_ point: CapturePoint) -> Bool {
        switch point {
        case .sender, .receiver: configuration.taps.capturesNodes
        case .link: configuration.taps.capturesLinks
        }
    }

    /// Lends a packet to whoever captures here.
    mutating func capture(_ packet: Packet, _ point: CapturePoint, at now: Instant) {
        guard isCaptured(point), packet.slot != CrossTraffic.noSlot else { return }
        pool.retain(packet.slot)
        outputs.append(.captured(packet, point, at: now))
    }

    mutating func emit(_ output: WorldOutput) { outputs.append(output) }

    // MARK: Samples and the end

    private mutating func sample(at now: Instant) {
        if nextClockSample <= now {
            senderClockError.add(sender.clock.error(at: nextClockSample).nanoseconds)
            for index in receivers.indices {
                receivers[index].ledger.clockError.add(receivers[index].clock.error(at: nextClockSample).nanoseconds)
            }
            nextClockSample += .seconds(1)
        }
        if nextSample <= now, let interval = configuration.taps.seriesInterval {
            outputs.append(.sample(at: nextSample))
            nextSample += interval
        }
    }

    /// Nothing is under way any more: closes what is open.
    private mutating func finish() {
        guard !hasFinished else { return }
        hasFinished = true
        sender.finish()
        for index in topology.links.indices {
            while let packet = topology.links[index].abandon(at: now) {
                drop(packet, link: index, .lostLink, at: now)
                takeFromLink(index, at: now)
            }
        }
        for index in receivers.indices {
            receivers[index].media.finish()
            drainReceiver(index, at: now)
            receivers[index].ledger.window.finish(sentCount: sender.program.packetsSent)
            receivers[index].ledger.streamWindow?.finish(sentCount: sender.program.packetsSent)
            receivers[index].ledger.monitor.finish()
            finishPresentation(index)
        }
    }
}

/// The true instant of a local one; the far future stays where it is.
func instant(_ local: LocalInstant, _ clock: Oscillator) -> Instant {
    local == .distantFuture ? .distantFuture : clock.instant(showing: local)
}
