import ClockSync
import Metrics
import Protection
import Sender
import Timebase
import Wire

/// The sending node: the multiplexer's datagrams, each sent at its time by the sender's own clock.
struct StreamSender: Sendable {
    var multiplexer: Multiplexer
    var rtp: RTPPacketizer?
    let clock: Oscillator
    /// What the clock showed at emulated time zero, when the program began.
    let zero: LocalInstant
    private let differentiatedServices: UInt8
    private let marks: Packet.Marks
    private(set) var packetsSent: Int64 = 0
    private(set) var rate = RateMeter()
    private(set) var monitor: TransportStreamMonitor
    private(set) var firstSent: Instant?
    private(set) var latestSent = Instant.zero
    /// The datagram that is multiplexed and waits for its time; of a stream that has ended, the next one that the
    /// interleaver still holds.
    private var prepared: Packet?
    /// The datagram that the multiplex reached with the latest call of ``send(at:_:)``; nil behind its end.
    private(set) var multiplexed: Packet?
    private var interleaver: BlockInterleaver?
    private let interleaving: InterleavingConfiguration?
    /// When the latest datagram of the multiplex was complete, after the zero.
    private var latestElapsed = TimeSpan.zero
    private var isDraining = false

    init(_ configuration: WorldConfiguration) {
        multiplexer = Multiplexer(configuration.program, plan: configuration.plan)
        clock = configuration.senderClock
        monitor = TransportStreamMonitor(constantRate: configuration.constantRate)
        zero = clock.reading(at: .zero)
        differentiatedServices = configuration.classes.program
        marks = configuration.classes.programTakesMarks ? .ecnCapable : []
        rtp = configuration.packetizer
        interleaving = configuration.interleaving
        interleaver = interleaving.map { BlockInterleaver($0.block) }
    }

    /// Bytes before the transport packets of a datagram.
    var headerLength: Int { rtp == nil ? 0 : RTPHeader.fixedLength }

    var nextTimeout: Instant { prepared?.time ?? .distantFuture }
    var isFinished: Bool { prepared == nil }

    /// The program's timeline, which the true time `now` has reached by the sender's clock.
    func timeline(at now: Instant) -> TimeSpan { clock.reading(at: now) - zero }

    /// The true instant at which something on the program's timeline was captured.
    func captureInstant(_ timeline: TimeSpan) -> Instant { clock.instant(showing: zero + timeline) }

    /// Multiplexes the next datagram; behind the last one, takes what the interleaver still holds.
    mutating func prepare(_ pool: inout PacketPool) {
        let slot = pool.allocate()
        let buffer = pool.mutableBytes(slot)
        let header = headerLength
        guard let datagram = multiplexer.nextDatagram(into: UnsafeMutableRawBufferPointer(rebasing: buffer[header...]))
        else {
            pool.release(slot)
            isDraining = true
            prepareRest()
            return
        }
        let elapsed = multiplexer.plan.latency + datagram.end
        let count = datagram.packets * TransportPacket.length
        rtp?.writeHeader(to: buffer, sentAfter: elapsed)
        let at = instant(elapsed)
        latestElapsed = elapsed
        prepared = Packet(
            time: at, sent: at, slot: slot, number: 0, length: UInt16(header + count + World.networkHeaderLength),
            flow: World.programFlow, differentiatedServices: differentiatedServices, marks: marks)
    }

    private mutating func prepareRest() {
        prepared = nil
        guard let interleaving, let rest = interleaver?.drain() else { return }
        var packet = rest.packet
        packet.time = instant(latestElapsed + interleaving.leastTime(datagrams: rest.turns))
        prepared = packet
    }

    /// When the clock shows `elapsed` after its zero.
    private func instant(_ elapsed: TimeSpan) -> Instant { max(.zero, clock.instant(showing: zero + elapsed)) }

    /// The datagram that goes out by `now`: the one that the multiplex has reached, or whose turn an interleaver says it
    /// is.
    mutating func send(at now: Instant, _ pool: inout PacketPool) -> Packet? {
        multiplexed = nil
        guard let datagram = prepared, datagram.time <= now else { return nil }
        if isDraining {
            prepareRest()
            return count(datagram, at: now)
        }
        multiplexed = datagram
        let payload = pool.bytes(datagram.slot, count: Int(datagram.length) - World.networkHeaderLength).bytes
        monitor.add(packetsIn: payload, from: headerLength, instant: now)
        let turn = interleaver == nil ? datagram : interleaver?.write(datagram)
        let sent = turn.map { count($0, at: now) }
        prepare(&pool)
        return sent
    }

    /// Numbers a datagram as it goes out. Inlined, as it is for every datagram.
    @inline(__always)
    private mutating func count(_ datagram: Packet, at now: Instant) -> Packet {
        var packet = datagram
        packet.sent = now
        packet.number = UInt32(truncatingIfNeeded: packetsSent)
        packetsSent += 1
        rate.add(bytes: Int(packet.length), at: now)
        firstSent = firstSent ?? now
        latestSent = now
        let mediaCount = Int(packet.length) - World.networkHeaderLength - headerLength
        rtp?.noteSent(payloadCount: mediaCount)
        return packet
    }

    /// Nothing more will be sent.
    mutating func finish() { monitor.finish() }

    mutating func stop(at now: Instant) {
        // An interleaver's datagrams wait for those behind them: too long, if the last ones were few and far between.
        multiplexer.stop(capturedAfter: timeline(at: now), padding: interleaver != nil)
    }
}
