import ClockSync
import Metrics
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
    /// The datagram that is multiplexed and waits for its time.
    private var prepared: Packet?

    init(_ configuration: WorldConfiguration) {
        multiplexer = Multiplexer(configuration.program, plan: configuration.plan)
        clock = configuration.senderClock
        monitor = TransportStreamMonitor(constantRate: configuration.constantRate)
        zero = clock.reading(at: .zero)
        differentiatedServices = configuration.classes.program
        marks = configuration.classes.programTakesMarks ? .ecnCapable : []
        let key = DrawKey(seed: configuration.seed).named("sender.rtp")
        rtp =
            configuration.carriage.hasRTP
            ? RTPPacketizer(
                payloadType: RTPPacketizer.transportStreamPayloadType, clockRate: MediaClock.ninetyKilohertz, key: key)
            : nil
    }

    /// Bytes before the transport packets of a datagram.
    var headerLength: Int { rtp == nil ? 0 : RTPHeader.fixedLength }

    var nextTimeout: Instant { prepared?.time ?? .distantFuture }
    var isFinished: Bool { prepared == nil }

    /// The program's timeline, which the true time `now` has reached by the sender's clock.
    func timeline(at now: Instant) -> TimeSpan { clock.reading(at: now) - zero }

    /// The true instant at which something on the program's timeline was captured.
    func captureInstant(_ timeline: TimeSpan) -> Instant { clock.instant(showing: zero + timeline) }

    /// Multiplexes the next datagram.
    mutating func prepare(_ pool: inout PacketPool) {
        let slot = pool.allocate()
        let buffer = pool.mutableBytes(slot)
        let header = headerLength
        guard let datagram = multiplexer.nextDatagram(into: UnsafeMutableRawBufferPointer(rebasing: buffer[header...]))
        else {
            pool.release(slot)
            prepared = nil
            return
        }
        let elapsed = multiplexer.plan.latency + datagram.end
        let count = datagram.packets * TransportPacket.length
        rtp?.writeHeader(to: buffer, sentAfter: elapsed)
        let at = max(.zero, clock.instant(showing: zero + elapsed))
        prepared = Packet(
            time: at, sent: at, slot: slot, number: UInt32(truncatingIfNeeded: packetsSent),
            length: UInt16(header + count + World.networkHeaderLength), flow: World.programFlow,
            differentiatedServices: differentiatedServices, marks: marks)
    }

    /// The datagram that is due by `now`; the next one is multiplexed.
    mutating func send(at now: Instant, _ pool: inout PacketPool) -> Packet? {
        guard var packet = prepared, packet.time <= now else { return nil }
        packet.sent = now
        packetsSent += 1
        rate.add(bytes: Int(packet.length), at: now)
        firstSent = firstSent ?? now
        latestSent = now
        let mediaCount = Int(packet.length) - World.networkHeaderLength - headerLength
        rtp?.noteSent(payloadCount: mediaCount)
        let payload = pool.bytes(packet.slot, count: Int(packet.length) - World.networkHeaderLength).bytes
        monitor.add(packetsIn: payload, from: headerLength, instant: now)
        prepare(&pool)
        return packet
    }

    /// Nothing more will be sent.
    mutating func finish() { monitor.finish() }

    mutating func stop(at now: Instant) {
        multiplexer.stop(capturedAfter: timeline(at: now))
    }
}
