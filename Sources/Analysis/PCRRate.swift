import Wire

/// The rate of a transport stream by the PCRs of a PID that has them: R = (i′ − i″)·8·27·10⁶ / (PCR′ − PCR″)
/// (ISO/IEC 13818-1 §2.4.2.3), over its first seconds.
///
/// Each interval between two PCRs tells a rate. Those in which packets are missing are left out where that is known;
/// where it is not, as of null packets that were lost in UDP, they stand out from the others, and a few may.
struct PCRRate {
    enum Verdict: Equatable {
        /// Bit/s.
        case constant(Int64)
        case variable
        case unknown
    }

    private struct Interval {
        var packets: Int64
        /// Of 27 MHz.
        var ticks: Int64
        var rate: Double { Double(packets) / Double(ticks) }
    }

    private var pid: UInt16?
    /// PCRs of other PIDs since the last of this one.
    private var strangers = 0
    private var last: (pcr: Int64, packet: Int64)?
    private var intervals: [Interval] = []
    private var ticks: Int64 = 0

    /// What is enough: five seconds of the stream's own clock.
    private static let enough: Int64 = 5 * 27_000_000
    static let tolerance = 0.02
    private static let leastIntervals = 4
    /// A stream of constant rate has so many intervals in a hundred at least that tell it.
    private static let agreement = 90
    /// PCRs of another PID behind which this one is no longer there.
    private static let mostStrangers = 32

    /// Whether more PCRs would change nothing.
    var isSettled: Bool { ticks >= Self.enough && intervals.count >= Self.leastIntervals }

    mutating func add(pcr: Int64, pid: UInt16, packet: Int64, isDiscontinuous: Bool) {
        guard !isSettled, isFollowed(pid) else { return }
        defer { if last == nil { last = (pcr, packet) } }
        guard let last, !isDiscontinuous else {
            self.last = nil
            return
        }
        var step = (pcr - last.pcr) % TransportPacket.pcrPeriod
        if step < 0 { step += TransportPacket.pcrPeriod }
        // Less than 10 ms: the byte grid of packets would show as variation. A second and more: a jump.
        guard step >= 270_000 else { return }
        self.last = nil
        guard step < 27_000_000 else { return }
        intervals.append(Interval(packets: packet - last.packet, ticks: step))
        ticks += step
    }

    private mutating func isFollowed(_ other: UInt16) -> Bool {
        if pid == other || pid == nil {
            (pid, strangers) = (other, 0)
            return true
        }
        strangers += 1
        guard strangers >= Self.mostStrangers else { return false }
        self = PCRRate()
        pid = other
        return true
    }

    /// Leaves out the interval under way: places before and after cannot be compared.
    mutating func breakOff() { last = nil }

    var verdict: Verdict {
        guard intervals.count >= Self.leastIntervals else { return .unknown }
        let median = intervals.map(\.rate).sorted()[intervals.count / 2]
        // A PCR stands in one packet: each interval may be off by one.
        let agreeing = intervals.filter {
            abs($0.rate - median) <= Self.tolerance * median + 1.5 / Double($0.ticks)
        }
        guard 100 * agreeing.count >= Self.agreement * intervals.count else { return .variable }
        let packets = agreeing.reduce(0) { $0 + $1.packets }
        let ticks = agreeing.reduce(0) { $0 + $1.ticks }
        let bits = Int128(packets) * Int128(TransportPacket.length * 8) * 27_000_000
        return .constant(Int64(clamping: (bits + Int128(ticks / 2)) / Int128(ticks)))
    }
}
