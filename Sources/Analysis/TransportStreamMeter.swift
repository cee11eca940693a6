import Metrics
import Timebase
import Wire

/// Measures a transport stream that comes in datagrams.
struct TransportStreamMeter {
    let packetLength: Int
    /// Transport packets in the largest datagram.
    private(set) var packetsPerDatagram: Int64 = 0

    private var monitor = TransportStreamMonitor()
    private var counts: [Int64] = Array(repeating: 0, count: 0x2000)
    private var packets: Int64 = 0
    private var rate = PCRRate()
    private var index: MediaDeliveryIndex?
    /// Arrivals before the rate is known.
    private var pending: [(instant: Instant, bytes: Int)] = []
    /// Why there is no media delivery index; nil while there may be one.
    private(set) var indexNote: String?

    private static let pendingLimit = 65_536

    init(packetLength: Int) { self.packetLength = packetLength }

    /// Whether a payload is whole transport packets; their length.
    static func packetLength(of payload: RawSpan) -> Int? {
        for length in [TransportPacket.length, 204] {
            guard payload.byteCount >= length, payload.byteCount % length == 0 else { continue }
            let places = stride(from: 0, to: payload.byteCount, by: length)
            if places.allSatisfy({ (try? payload.bigEndian(UInt8.self, at: $0)) == TransportPacket.syncByte }) {
                return length
            }
        }
        return nil
    }

    /// Takes a datagram's transport packets; instants do not decrease.
    mutating func add(_ payload: RawSpan, at instant: Instant) {
        var offset = 0
        let before = packets
        // All packets at once are cheaper; with Reed-Solomon bytes between them they come one by one.
        let areDense = packetLength == TransportPacket.length
        if areDense { monitor.add(packetsIn: payload, from: 0, instant: instant) }
        while offset <= payload.byteCount - packetLength {
            if !areDense { monitor.add(payload, at: offset, instant: instant) }
            packets += 1
            count(payload, at: offset)
            offset += packetLength
        }
        packetsPerDatagram = max(packetsPerDatagram, packets - before)
        // The rate counts packets of 188 bytes, as ISO/IEC 13818-1 does; so do the bytes here.
        addToIndex(bytes: Int(packets - before) * TransportPacket.length, at: instant)
    }

    /// Counts a packet for its PID, and takes its PCR.
    private mutating func count(_ payload: RawSpan, at offset: Int) {
        guard let word = try? payload.bigEndian(UInt32.self, at: offset),
            word >> 23 == UInt32(TransportPacket.syncByte) << 1
        else { return }
        counts[Int(word >> 8 & 0x1fff)] += 1
        // Most packets have no adaptation field, and so no PCR.
        guard word & 0x20 != 0, !rate.isSettled, let header = TransportPacketHeader(payload, at: offset),
            let pcr = header.pcr(payload, at: offset)
        else { return }
        rate.add(pcr: pcr, pid: header.pid, packet: packets, isDiscontinuous: header.discontinuityIndicator)
    }

    /// Says that a datagram is missing here.
    mutating func noteMissing() {
        monitor.noteMissingBytes()
        rate.restart()
    }

    private mutating func addToIndex(bytes: Int, at instant: Instant) {
        if index != nil {
            index?.add(mediaBytes: bytes, at: instant)
        } else if indexNote == nil {
            pending.append((instant, bytes))
            if rate.isSettled || pending.count >= Self.pendingLimit { openIndex() }
        }
    }

    /// Begins the media delivery index with the arrivals that wait, when the rate can be told.
    private mutating func openIndex() {
        defer { pending = [] }
        switch rate.verdict {
        case .constant(let bits) where bits > 0:
            var index = MediaDeliveryIndex(mediaRate: BitRate(bitsPerSecond: UInt64(bits)))
            for arrival in pending { index.add(mediaBytes: arrival.bytes, at: arrival.instant) }
            self.index = index
        case .variable:
            indexNote = "no MDI: the transport stream's rate is not constant, and RFC 4445 needs a nominal rate"
        default:
            indexNote = "no MDI: too few PCRs to tell the transport stream's rate"
        }
    }

    mutating func finish() {
        if index == nil, indexNote == nil { openIndex() }
        index?.finish()
        monitor.finish()
    }

    var delayFactor: Distribution? { index?.delayFactors.distribution }
    var continuityErrors: Int64 { monitor.errors.continuity }
    /// The first PCR's PID and the like say nothing where no packet came.
    var isEmpty: Bool { packets == 0 }

    var measurements: CapturedTransportStream {
        var result = CapturedTransportStream()
        result.packets = packets
        result.packetLength = packetLength
        if case .constant(let bits) = rate.verdict { result.pcrBitsPerSecond = bits }
        result.measurements = monitor.measurements(point: "capture")
        result.pids = counts.enumerated().filter { $0.element > 0 }.map { (UInt16($0.offset), $0.element) }
        return result
    }
}

/// The rate of a transport stream by the PCRs of its first PID that has them: R = (i′ − i″)·8·27·10⁶ / (PCR′ − PCR″)
/// (ISO/IEC 13818-1 §2.4.2.3), over its first seconds.
struct PCRRate {
    enum Verdict: Equatable {
        /// Bit/s.
        case constant(Int64)
        case variable
        case unknown
    }

    private var pid: UInt16?
    private var first: (pcr: Int64, packet: Int64)?
    private var last: (pcr: Int64, packet: Int64)?
    /// Rates between PCRs that follow each other at least 10 ms apart, over their mean: farthest down and up.
    private var intervals: Int64 = 0
    private var lowest = Double.infinity
    private var highest = 0.0
    private var ticks: Int64 = 0

    /// What is enough: five seconds of the stream's own clock.
    private static let enough: Int64 = 5 * 27_000_000
    private static let tolerance = 0.02
    private static let leastIntervals: Int64 = 4

    /// Whether more PCRs would change nothing.
    var isSettled: Bool { ticks >= Self.enough && intervals >= Self.leastIntervals }

    mutating func add(pcr: Int64, pid: UInt16, packet: Int64, isDiscontinuous: Bool) {
        guard !isSettled, self.pid == nil || self.pid == pid else { return }
        self.pid = pid
        guard let last, !isDiscontinuous else {
            restart()
            first = (pcr, packet)
            self.last = first
            return
        }
        var step = (pcr - last.pcr) % TransportPacket.pcrPeriod
        if step < 0 { step += TransportPacket.pcrPeriod }
        // Less than 10 ms: the byte grid of packets would show as variation. A second and more: a jump.
        guard step >= 270_000 else { return }
        guard step < 27_000_000 else {
            restart()
            return
        }
        let rate = Double(packet - last.packet) / Double(step)
        lowest = min(lowest, rate)
        highest = max(highest, rate)
        intervals += 1
        ticks += step
        self.last = (pcr, packet)
    }

    /// Forgets what came, because places before and after cannot be compared; a settled rate stays.
    mutating func restart() {
        guard !isSettled else { return }
        (first, last, intervals, lowest, highest, ticks) = (nil, nil, 0, .infinity, 0, 0)
    }

    var verdict: Verdict {
        guard let first, let last, intervals >= Self.leastIntervals, ticks > 0 else { return .unknown }
        let packets = last.packet - first.packet
        let mean = Double(packets) / Double(ticks)
        // A PCR stands in one packet: each interval may be off by one.
        let slack = Self.tolerance * mean + 1.5 * Double(intervals) / Double(ticks)
        guard highest - mean <= slack, mean - lowest <= slack else { return .variable }
        let bits = Int128(packets) * Int128(TransportPacket.length * 8) * 27_000_000
        return .constant(Int64(clamping: (bits + Int128(ticks / 2)) / Int128(ticks)))
    }
}
