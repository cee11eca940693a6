import Wire

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
