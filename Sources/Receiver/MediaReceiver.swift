import DequeModule
import Media
import Protection
import Timebase
import Wire

/// How a receiver plays.
public struct ReceiverConfiguration: Sendable {
    /// Fixed playout: how much later than by the anchor packet's path a datagram is released.
    public var playoutDelay: TimeSpan
    public var latePolicy: LatePolicy
    /// RTP comes before the transport packets.
    public var hasRTP: Bool
    /// Where the sender interleaves, what the session's description says of it; with RTP only.
    public var deinterleaver: BlockDeinterleaver?
    /// Whether headers may be damaged, as those of datagrams whose checksums nobody checks: then a jump has to be confirmed
    /// by the packet behind it (RFC 3550 §A.1).
    public var doubtsHeaders = false

    public init(playoutDelay: TimeSpan, latePolicy: LatePolicy = .drop, hasRTP: Bool) {
        self.playoutDelay = playoutDelay
        self.latePolicy = latePolicy
        self.hasRTP = hasRTP
    }
}

/// What a receiver did.
public enum ReceiverOutput: Sendable {
    /// A datagram came out of the playout buffer; whoever takes this frees it.
    /// `depth` is how long what still waits will last.
    case released(Packet, arrival: LocalInstant, depth: TimeSpan)
    /// A datagram that is of no use: whoever takes this frees it.
    case discarded(Packet, Discard)
    /// A unit is on screen or heard from now on. `presentation` in 90 kHz ticks, unwrapped by the receiver.
    case presented(lane: Int, presentation: Int64)
    /// All that will come of a unit has come.
    case closed(lane: Int, presentation: Int64?, UnitVerdict)

    public enum Discard: UInt8, Sendable {
        /// After its release.
        case late
        /// Received before.
        case duplicate
        /// The playout buffer was full.
        case overflow
        /// Not a datagram of the stream.
        case malformed
    }
}

/// The receiving end of a stream: playout buffer, demultiplexer and presentation, all by the receiver's own clock.
///
/// It knows only what a receiver can know: bytes and their arrival.
public struct MediaReceiver: Sendable {
    public private(set) var statistics: ReceptionStatistics
    public var underruns: Int64 { playout.underruns }
    public var overflows: Int64 { playout.overflows }

    private let configuration: ReceiverConfiguration
    private var playout: PlayoutBuffer
    private var window: ReceivedWindow
    private var timestamp = WrapUnwrapper(bits: 32)
    private var timeline = ReferenceTimeline()
    private var arrivals: Int64 = 0
    private var demultiplexer = Demultiplexer()
    private var presenters: [Presenter] = []
    private var units: [Unit?] = []
    private var latestNumber: Int64?
    /// Transport packets of the largest datagram released.
    private var largestCount = 1
    private var reference = WrapUnwrapper(bits: 33)
    /// Of a release and the clock reference released then: the clock that is rebuilt.
    private var clock: (local: LocalInstant, ticks: Int64)?
    private var outputs = Deque<ReceiverOutput>()
    /// Where headers are doubted: the latest one believed, and the number that would confirm one that was not.
    private var latestHeader: (sequenceNumber: UInt16, timestamp: UInt32)?
    private var suspect: UInt16?

    /// A unit that has begun and is not closed.
    private struct Unit: Sendable {
        var presentation: Int64?
        var due: LocalInstant?
    }

    public init(_ configuration: ReceiverConfiguration) {
        self.configuration = configuration
        let deinterleaver = configuration.deinterleaver
        window = ReceivedWindow(reach: deinterleaver?.reach ?? 0)
        playout = PlayoutBuffer(
            delay: configuration.playoutDelay + (deinterleaver?.span ?? .zero), latePolicy: configuration.latePolicy,
            tolerance: MediaClock.span(ticks: 1, rate: MediaClock.ninetyKilohertz, .up))
        statistics = ReceptionStatistics(clockRate: MediaClock.ninetyKilohertz)
    }

    /// When the receiver next has something to do, by its own clock.
    ///
    /// Stored, not computed: whoever keeps receivers in an array reads it without a copy of the receiver.
    public private(set) var nextTimeout = LocalInstant.distantFuture

    /// How long what waits for playout will last after `now`.
    public func bufferDepth(at now: LocalInstant) -> TimeSpan { playout.depth(at: now) }

    public mutating func pollOutput() -> ReceiverOutput? { outputs.popFirst() }

    /// The share of packets lost since the last report, in 1/256 (RFC 3550 §6.4.1).
    public mutating func takeFractionLost() -> UInt8 { statistics.takeFractionLost() }

    /// Takes a datagram of the stream.
    public mutating func handle(_ packet: Packet, payload: RawSpan, at now: LocalInstant) {
        if configuration.hasRTP {
            handleRTP(packet, payload, now)
        } else {
            handlePlain(packet, payload, now)
        }
        rearm()
    }

    /// Releases and presents what is due by `now`.
    public mutating func handleTimeout(at now: LocalInstant, pool: borrowing PacketPool) {
        while true {
            let release = playout.nextRelease
            let due = nextPresentation()
            if release <= now, release <= due.at {
                releaseNext(at: now, pool)
            } else if due.at <= now {
                if let unit = presenters[due.lane].present(at: now) {
                    outputs.append(.presented(lane: due.lane, presentation: unit.presentation))
                }
            } else {
                break
            }
        }
        rearm()
    }

    private mutating func rearm() { nextTimeout = min(playout.nextRelease, nextPresentation().at) }

    /// Closes what is open: no datagram is under way any more.
    public mutating func finish() {
        while let waiting = timeline.takeWaiting() { outputs.append(.discarded(waiting.packet, .late)) }
        demultiplexer.finish()
        drainDemultiplexer(release: LocalInstant(nanoseconds: 0))
    }

    private func nextPresentation() -> (at: LocalInstant, lane: Int) {
        var next = (at: LocalInstant.distantFuture, lane: 0)
        for lane in presenters.indices {
            let due = presenters[lane].nextDue
            if due < next.at { next = (due, lane) }
        }
        return next
    }

    private mutating func handleRTP(_ packet: Packet, _ payload: RawSpan, _ now: LocalInstant) {
        guard let header = try? RTPHeader(parsing: payload) else {
            outputs.append(.discarded(packet, .malformed))
            return
        }
        if configuration.doubtsHeaders, !isPlausible(header) {
            outputs.append(.discarded(packet, .malformed))
            return
        }
        let number = statistics.add(sequenceNumber: header.sequenceNumber, timestamp: header.timestamp, at: now)
        guard window.insert(number) else {
            outputs.append(.discarded(packet, .duplicate))
            return
        }
        let ticks = timestamp.unwrap(UInt64(header.timestamp))
        let sourceTime = MediaClock.span(ticks: ticks, rate: MediaClock.ninetyKilohertz)
        var hold = TimeSpan.zero
        if let deinterleaver = configuration.deinterleaver, !playout.isAnchored {
            hold = deinterleaver.hold(sequenceNumber: header.sequenceNumber)
        }
        buffer(packet, number: number, start: header.payloadOffset, sourceTime: sourceTime, hold: hold, at: now)
    }

    /// Whether a header goes on about where the one before was, or where the suspect before it was.
    private mutating func isPlausible(_ header: RTPHeader) -> Bool {
        let accepted = latestHeader
        if let accepted, header.sequenceNumber != suspect {
            let step = Int(Int16(bitPattern: header.sequenceNumber &- accepted.sequenceNumber))
            let ticks = Int64(Int32(bitPattern: header.timestamp &- accepted.timestamp))
            let farthest = Self.largestStep + (configuration.deinterleaver?.reach ?? 0)
            guard abs(step) <= farthest, abs(ticks) <= 30 * MediaClock.ninetyKilohertz else {
                suspect = header.sequenceNumber &+ 1
                return false
            }
        }
        suspect = nil
        latestHeader = (header.sequenceNumber, header.timestamp)
        return true
    }

    /// MAX_DROPOUT of RFC 3550 §A.1.
    private static var largestStep: Int { 3_000 }

    private mutating func handlePlain(_ packet: Packet, _ payload: RawSpan, _ now: LocalInstant) {
        let count = payload.byteCount / TransportPacket.length
        var latest: (packets: Int, ticks: Int64)?
        for index in 0..<count {
            let offset = index * TransportPacket.length
            guard let header = TransportPacketHeader(payload, at: offset), header.hasPCR,
                let ticks = header.pcr(payload, at: offset)
            else { continue }
            let base = reference.unwrap(UInt64(ticks / 300))
            // References that jump for days on end must not end the receiver: only their differences count.
            latest = (index + 1, base &* 300 &+ ticks % 300)
        }
        timeline.add(packets: count, reference: latest)
        guard timeline.isRunning else {
            if !timeline.wait(packet, at: now) { outputs.append(.discarded(packet, .overflow)) }
            return
        }
        while let waiting = timeline.takeWaiting() {
            if let time = timeline.time(position: waiting.position) {
                buffer(waiting.packet, number: arrivals, sourceTime: time, at: waiting.arrival)
                arrivals += 1
            }
        }
        if let time = timeline.timeNow() {
            buffer(packet, number: arrivals, sourceTime: time, at: now)
            arrivals += 1
        }
    }

    private mutating func buffer(
        _ packet: Packet, number: Int64, start: Int = 0, sourceTime: TimeSpan, hold: TimeSpan = .zero,
        at now: LocalInstant
    ) {
        switch playout.insert(packet, number: number, start: start, sourceTime: sourceTime, hold: hold, at: now) {
        case .buffered: break
        case .late: outputs.append(.discarded(packet, .late))
        case .overflow: outputs.append(.discarded(packet, .overflow))
        }
    }

    private mutating func releaseNext(at now: LocalInstant, _ pool: borrowing PacketPool) {
        guard let entry = playout.release(at: now) else { return }
        let length = Int(entry.packet.length) - Self.networkHeaderLength
        let payload = pool.bytes(entry.packet.slot, count: length).bytes
        let count = (length - entry.start) / TransportPacket.length
        if configuration.hasRTP, let before = latestNumber, entry.number > before + 1 {
            demultiplexer.noteGap(packets: Int(entry.number - before - 1) * max(largestCount, count))
        }
        largestCount = max(largestCount, count)
        latestNumber = max(latestNumber ?? entry.number, entry.number)
        outputs.append(.released(entry.packet, arrival: entry.arrival, depth: playout.depth(at: now)))
        demultiplexer.handle(payload, packets: count, from: entry.start, released: entry.release)
        drainDemultiplexer(release: entry.release)
    }

    /// IPv4 and UDP headers, which a packet's length counts and its payload does not.
    public static var networkHeaderLength: Int { 28 }

    private mutating func drainDemultiplexer(release: LocalInstant) {
        while let event = demultiplexer.pollOutput() {
            switch event {
            case .reference(let ticks):
                let base = reference.unwrap(UInt64(ticks / 300))
                if clock == nil { clock = (release, base * 300 + ticks % 300) }
            case .began(let lane, let pts): begin(lane, pts: pts, at: release)
            case .closed(let lane, let lastByte, let isDamaged):
                close(lane, lastByte: lastByte, isDamaged: isDamaged)
            }
        }
    }

    private mutating func begin(_ lane: Int, pts: Int64?, at release: LocalInstant) {
        while presenters.count <= lane {
            presenters.append(Presenter())
            units.append(nil)
        }
        var unit = Unit(presentation: nil, due: nil)
        if let pts {
            let presentation = reference.nearest(UInt64(pts))
            unit.presentation = presentation
            if let clock {
                let ticks = presentation * 300 - clock.ticks
                let due = clock.local + MediaClock.span(ticks: ticks, rate: MediaClock.system)
                unit.due = due
                // What begins after its time is not shown any more.
                if due >= release { presenters[lane].add(.init(presentation: presentation, due: due)) }
            }
        }
        units[lane] = unit
    }

    private mutating func close(_ lane: Int, lastByte: LocalInstant, isDamaged: Bool) {
        guard lane < units.count, let unit = units[lane] else { return }
        units[lane] = nil
        // Before the first clock reference nobody knows when a unit is due: it is never shown, and so is missing.
        if unit.presentation != nil, unit.due == nil { return }
        let isLate = unit.due.map { lastByte > $0 } ?? false
        outputs.append(
            .closed(
                lane: lane, presentation: unit.presentation,
                isDamaged ? .damaged : isLate ? .late : .onTime))
    }
}
