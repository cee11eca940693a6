import Media
import Protection
import Timebase
import Wire

/// The sending end of a program, all by the sender's own clock: a multiplexer, whose datagrams get RTP headers where
/// they are carried so, and an interleaver where there is one.
///
/// Nothing happens before ``start(_:)``. A timeout is one datagram of the multiplex, however late it is served, so that
/// whoever serves several parts can serve them in turn; behind the multiplex's end it is one that the interleaver still
/// held. `Packet.time` and `Packet.sent` are the network's: the sender knows no true time.
public struct ProgramSender: Sendable {
    /// What makes the datagrams.
    public private(set) var multiplexer: Multiplexer
    /// Nil where transport packets are carried bare.
    public private(set) var rtp: RTPPacketizer?
    /// What the clock shows when the program begins: where the program's timeline has its zero.
    public let zero: LocalInstant
    /// Datagrams that have gone on the wire; they are numbered from 0.
    private(set) var packetsSent: Int64 = 0
    /// When the next datagram is to be handled; `.distantFuture` before the start and behind the end.
    public private(set) var nextTimeout = LocalInstant.distantFuture
    private let traits: DatagramTraits
    /// The datagram that is multiplexed and waits for its time; of a stream that has ended, the next one that the
    /// interleaver still holds.
    private var prepared: Packet?
    private var multiplexed: Packet?
    private var outgoing: Packet?
    private var interleaver: BlockInterleaver?
    private let interleaving: InterleavingConfiguration?
    /// When the latest datagram of the multiplex was complete, after the zero.
    private var latestElapsed = TimeSpan.zero
    private var isDraining = false

    /// - Parameters:
    ///   - rtp: before its first packet; nil carries transport packets bare.
    ///   - interleaving: with RTP only: without sequence numbers nobody restores the order.
    ///   - zero: what the sender's clock shows when the program begins.
    public init(
        _ multiplexer: Multiplexer, rtp: RTPPacketizer?, interleaving: InterleavingConfiguration?,
        traits: DatagramTraits, zero: LocalInstant
    ) {
        precondition(interleaving == nil || rtp != nil)
        self.multiplexer = multiplexer
        self.rtp = rtp
        self.interleaving = interleaving
        interleaver = interleaving.map { BlockInterleaver($0.block) }
        self.traits = traits
        self.zero = zero
    }

    /// Bytes before the transport packets of a datagram.
    public var headerLength: Int { rtp == nil ? 0 : RTPHeader.fixedLength }
    /// Where the last unit of a substream that has been multiplexed so far ends on the program's timeline; nil without
    /// one.
    public func presentationEnd(lane: Int) -> TimeSpan? { multiplexer.counters[lane].lastPresentationEnd }
    /// Whether nothing will be sent (any more).
    public var isFinished: Bool { prepared == nil }

    /// Multiplexes the first datagram; from now on there are timeouts.
    public mutating func start(_ pool: inout PacketPool) { prepare(&pool) }

    /// Handles the next datagram that is due by `now`.
    public mutating func handleTimeout(_ pool: inout PacketPool, at now: LocalInstant) {
        guard let datagram = prepared, nextTimeout <= now else { return }
        if isDraining {
            outgoing = numbered(datagram)
            prepareRest()
            return
        }
        multiplexed = datagram
        if let turn = interleaver == nil ? datagram : interleaver?.write(datagram) { outgoing = numbered(turn) }
        prepare(&pool)
    }

    /// What is to be done; to be polled until nil before the next timeout is handled.
    public mutating func pollOutput() -> SenderOutput? {
        if let packet = multiplexed {
            multiplexed = nil
            return .multiplexed(packet)
        }
        guard let packet = outgoing else { return nil }
        outgoing = nil
        return .send(packet)
    }

    /// The next unit that has begun in the multiplex since the last timeout or the start; to be polled until nil.
    public mutating func pollBegun() -> (lane: Int, unit: MediaUnit)? { multiplexer.pollBegun() }
    /// Whether there are such units.
    public var hasBegun: Bool { multiplexer.hasBegun }

    /// Ends the program: what has not been captured yet never is, and what has been is sent.
    public mutating func stop(at now: LocalInstant) {
        // An interleaver's datagrams wait for those behind them: too long, if the last ones were few and far between.
        multiplexer.stop(capturedAfter: now - zero, padding: interleaver != nil)
    }

    /// Multiplexes the next datagram; behind the last one, takes what the interleaver still holds.
    private mutating func prepare(_ pool: inout PacketPool) {
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
        rtp?.writeHeader(to: buffer, sentAfter: elapsed)
        latestElapsed = elapsed
        nextTimeout = zero + max(.zero, elapsed)
        let length = Packet.networkHeaderLength + header + datagram.packets * TransportPacket.length
        prepared = Packet(
            time: .zero, sent: .zero, slot: slot, number: 0, length: UInt16(length), flow: traits.flow,
            differentiatedServices: traits.differentiatedServices, marks: traits.marks)
    }

    private mutating func prepareRest() {
        prepared = nil
        nextTimeout = .distantFuture
        guard let interleaving, let rest = interleaver?.drain() else { return }
        prepared = rest.packet
        nextTimeout = zero + latestElapsed + interleaving.leastTime(datagrams: rest.turns)
    }

    /// Numbers and counts a datagram as it goes out. Inlined, as it is for every datagram.
    @inline(__always)
    private mutating func numbered(_ datagram: Packet) -> Packet {
        var packet = datagram
        packet.number = UInt32(truncatingIfNeeded: packetsSent)
        packetsSent += 1
        let payloadCount = Int(packet.length) - Packet.networkHeaderLength - headerLength
        rtp?.noteSent(payloadCount: payloadCount)
        return packet
    }
}
