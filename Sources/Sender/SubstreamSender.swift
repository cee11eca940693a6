import Media
import Timebase
import Wire

/// The sending end of one substream in an RTP session of its own, all by the clock on which the substream was captured.
///
/// A unit's timestamp is its capture, its presentation time, at the payload format's clock rate; its datagrams leave
/// from its decoding time plus the latency on, in decoding order. Nothing happens before ``start(at:)``. A timeout is
/// one datagram, however late it is served. `Packet.time` and `Packet.sent` are the network's.
public struct SubstreamSender: Sendable {
    /// Sequence numbers, timestamps and counts.
    public private(set) var rtp: RTPPacketizer
    /// What the clock shows when the program begins: where the program's timeline has its zero.
    public private(set) var zero = LocalInstant(nanoseconds: 0)
    /// What has been sent.
    public private(set) var counters = Multiplexer.SubstreamCounters()
    /// When the next datagram is to be handled; `.distantFuture` before the start and behind the end.
    public private(set) var nextTimeout = LocalInstant.distantFuture
    private let program: Program
    private let plan: SubstreamPlan
    private let traits: DatagramTraits
    private let marksEnds: Bool
    private var source: AccessUnitSource
    private var fragmenter: PayloadFragmenter
    /// The unit being sent, when its first datagram is due, and which of its pieces comes next.
    private var unit: AccessUnit?
    private var unitStart = TimeSpan.zero
    private var piece = 0
    /// Where the latest unit ends that was begun, in ticks of 90 kHz.
    private var soundEnd: Int64?
    private var outgoing: Packet?
    private var begun: BegunUnit?
    private var stopAfter = TimeSpan.nanoseconds(.max)

    /// A unit of which the first datagram has been sent.
    public struct BegunUnit: Sendable {
        /// The PES packet that it comes from, with the times and the number that it has itself.
        public let unit: MediaUnit
        /// Without what transport streams put around it; of audio, of one frame.
        public let byteCount: Int
        /// Of its datagrams.
        public let timestamp: UInt32
        /// How many there are of it.
        public let datagramCount: Int
    }

    /// - Parameters:
    ///   - substream: by number in the program.
    ///   - key: what SSRC, first sequence number and timestamp offset are drawn from.
    public init(_ program: Program, substream: Int, plan: SubstreamPlan, traits: DatagramTraits, key: DrawKey) {
        let format = plan.sessions[substream].format
        self.program = program
        self.plan = plan
        self.traits = traits
        marksEnds = format.marksEnds
        rtp = RTPPacketizer(payloadType: format.payloadType, clockRate: format.clockRate, key: key)
        source = AccessUnitSource(program, substream: substream, format: format)
        fragmenter = PayloadFragmenter(format.kind, limit: SubstreamPlan.payloadLimit)
    }

    /// Whether nothing will be sent (any more).
    public var isFinished: Bool { unit == nil }

    /// Takes the first unit; from now on there are timeouts.
    ///
    /// - Parameter zero: what the clock shows when the program begins.
    public mutating func start(at zero: LocalInstant) {
        self.zero = zero
        advance()
    }

    /// Ends the substream: what has not been captured yet never is, and what has been is sent.
    public mutating func stop(at now: LocalInstant) {
        stopAfter = now - zero
        if let unit, piece == 0, program.timeline(unit.media.presentation) > stopAfter { advance() }
    }

    /// Handles the next datagram that is due by `now`.
    public mutating func handleTimeout(_ pool: inout PacketPool, at now: LocalInstant) {
        guard let unit, nextTimeout <= now else { return }
        let isLast = piece + 1 == fragmenter.pieces.count
        let slot = pool.allocate()
        let buffer = pool.mutableBytes(slot)
        rtp.writeHeader(
            to: buffer, ticks: unit.timestamp, marker: marksEnds ? isLast : piece == 0 && beginsSound(unit.media))
        let current = fragmenter.pieces[piece]
        source.bytes.withUnsafeBytes { bytes in
            fragmenter.write(
                current, of: UnsafeRawBufferPointer(rebasing: bytes[unit.start..<unit.start + unit.byteCount]),
                into: UnsafeMutableRawBufferPointer(rebasing: buffer[RTPHeader.fixedLength...]))
        }
        let length = Packet.networkHeaderLength + RTPHeader.fixedLength + current.byteCount
        outgoing = Packet(
            time: .zero, sent: .zero, slot: slot, number: UInt32(truncatingIfNeeded: rtp.packetCount),
            length: UInt16(length), flow: traits.flow, differentiatedServices: traits.differentiatedServices,
            marks: traits.marks)
        rtp.noteSent(payloadCount: current.byteCount)
        if piece == 0 {
            count(unit)
            begun = BegunUnit(
                unit: unit.media, byteCount: unit.byteCount, timestamp: rtp.timestamp(ofTicks: unit.timestamp),
                datagramCount: fragmenter.pieces.count)
        }
        piece += 1
        if isLast { advance() } else { rearm() }
    }

    /// The datagram that goes on the wire now; whoever takes this frees its slot.
    public mutating func pollOutput() -> Packet? {
        defer { outgoing = nil }
        return outgoing
    }

    /// The unit that the latest datagram begins, once.
    public mutating func pollBegun() -> BegunUnit? {
        defer { begun = nil }
        return begun
    }

    /// Whether there was silence before a unit (RFC 3551 §4.1): nothing for half of its length at least, as the times of
    /// frames are rounded.
    private func beginsSound(_ unit: MediaUnit) -> Bool {
        guard let end = soundEnd else { return true }
        return unit.presentation - end > unit.duration / 2
    }

    /// Takes the next unit that has anything to send and was captured in time.
    private mutating func advance() {
        piece = 0
        nextTimeout = .distantFuture
        repeat {
            unit = source.next()
            guard let unit else { return }
            // Units come in decoding order: behind one that is decoded too late, none was captured in time.
            if program.timeline(unit.media.decode) > stopAfter {
                self.unit = nil
                return
            }
            guard program.timeline(unit.media.presentation) <= stopAfter else { continue }
            source.bytes.withUnsafeBytes {
                fragmenter.cut(UnsafeRawBufferPointer(rebasing: $0[unit.start..<unit.start + unit.byteCount]))
            }
            unitStart = plan.latency + program.timeline(unit.media.decode)
        } while unit != nil && isEmpty
        rearm()
    }

    private var isEmpty: Bool {
        guard let unit else { return true }
        return fragmenter.pieces.isEmpty || program.timeline(unit.media.presentation) > stopAfter
    }

    private mutating func rearm() {
        guard let unit else { return }
        var wait = TimeSpan.zero
        if plan.pacing == .spread, piece > 0 {
            let duration = MediaClock.span(ticks: unit.media.duration, rate: MediaClock.ninetyKilohertz)
            wait = .nanoseconds(duration.nanoseconds.scaled(by: Int64(piece), over: Int64(fragmenter.pieces.count)))
        }
        nextTimeout = zero + max(.zero, unitStart + wait)
    }

    private mutating func count(_ unit: AccessUnit) {
        counters.count(
            from: program.timeline(unit.media.presentation),
            to: program.timeline(unit.media.presentation + unit.media.duration))
        soundEnd = unit.media.presentation + unit.media.duration
        counters.bytes += Int64(unit.byteCount)
    }
}
