import Timebase
import Wire

/// Transport packets that are missing from a stream of constant rate whose datagrams have no numbers: between two PCRs
/// there are as many packets as their distance lasts (ISO/IEC 13818-1 §2.4.2.3).
struct MissingPackets {
    private struct Interval {
        var packets: Int64
        /// Of 27 MHz.
        var ticks: Int64
        /// Whether a continuity counter tells that something is missing in it.
        var hasError: Bool
    }

    private var pid: UInt16?
    private var last: (pcr: Int64, packet: Int64, instant: Instant, errors: Int64)?
    /// Those that came before the rate was known.
    private var waiting: [Interval] = []
    private var rate: Int64?
    private(set) var count: Int64 = 0

    /// A minute and more without the PCR, or so much beside the arrivals, is another clock.
    private static let longest: Int64 = 60 * 27_000_000
    private static let largestError = TimeSpan.milliseconds(500)
    private static let mostWaiting = 1 << 14

    /// Takes a PCR.
    ///
    /// - Parameters:
    ///   - packet: its packet's number among those that came.
    ///   - errors: of continuity so far.
    mutating func add(pcr: Int64, pid: UInt16, packet: Int64, errors: Int64, at instant: Instant) {
        guard self.pid == nil || self.pid == pid else { return }
        self.pid = pid
        defer { last = (pcr, packet, instant, errors) }
        guard let last else { return }
        var step = (pcr - last.pcr) % TransportPacket.pcrPeriod
        if step < 0 { step += TransportPacket.pcrPeriod }
        let passed = (instant - last.instant).nanoseconds
        guard step > 0, step <= Self.longest,
            abs(MediaClock.span(ticks: step, rate: MediaClock.system).nanoseconds - passed)
                <= Self.largestError.nanoseconds
        else { return }
        let interval = Interval(packets: packet - last.packet, ticks: step, hasError: errors != last.errors)
        if let rate {
            count += Self.missing(interval, rate)
        } else if waiting.count < Self.mostWaiting {
            waiting.append(interval)
        }
    }

    /// Says what the rate is, bit/s.
    mutating func begin(rate: Int64) {
        guard self.rate == nil else { return }
        self.rate = rate
        for interval in waiting { count += Self.missing(interval, rate) }
        waiting = []
    }

    /// Without an error of continuity it takes more than what a constant rate may vary by.
    private static func missing(_ interval: Interval, _ rate: Int64) -> Int64 {
        let expected =
            Double(interval.ticks) * Double(rate) / Double(TransportPacket.length * 8 * Int(MediaClock.system))
        let shortfall = expected - Double(interval.packets)
        if interval.hasError { return max(1, Int64(clamping: shortfall.rounded())) }
        return shortfall > 1.5 + PCRRate.tolerance * expected ? Int64(clamping: shortfall.rounded()) : 0
    }
}
