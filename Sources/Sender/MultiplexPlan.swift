import Media
import Timebase

/// What the multiplexer is told: how fast, how early, and how long after capture.
///
/// The multiplexer runs on the program's timeline, in nanoseconds after the capture of the program's first
/// presentation, by the sender's clock.
public struct MultiplexPlan: Sendable {
    /// Transport-stream bits per second of the grid of packet slots.
    public var rate: BitRate
    /// False: the slots that would hold null packets are not sent (variable bit rate).
    public var sendsNullPackets: Bool
    /// How long before its decoding time a unit may be sent, per substream. Bounds the decoder's buffers.
    var leads: [TimeSpan]
    /// From the capture of a unit to the earliest sending of it; the timeline is sent this much later than it runs.
    public internal(set) var latency: TimeSpan
    /// 1...7.
    public var packetsPerDatagram: Int
    /// A datagram that is not full is sent this long after its first packet (variable bit rate only).
    public var longestWait: TimeSpan = .milliseconds(20)

    public init(
        rate: BitRate, sendsNullPackets: Bool = true, leads: [TimeSpan], latency: TimeSpan,
        packetsPerDatagram: Int = 7
    ) {
        self.rate = rate
        self.sendsNullPackets = sendsNullPackets
        self.leads = leads
        self.latency = latency
        self.packetsPerDatagram = packetsPerDatagram
    }
}

/// A program's demands on a multiplexer, found by going through its units once.
public struct ProgramDemand: Sendable {
    /// Per substream, whole PES packets.
    private(set) var bytes: [Int64]
    private(set) var units: [Int64]
    /// The largest presentation time minus decoding time of any unit: what reordering of frames costs.
    public private(set) var longestReordering = TimeSpan.zero
    /// The longest time that it takes to fill a packet of a call.
    public private(set) var longestFilling = TimeSpan.zero
    /// How long after its capture time the slowest unit can be sent: for the order of frames, or because it takes so long
    /// to be captured to its end.
    public var longestHold: TimeSpan { max(longestReordering, longestFilling) }
    /// Per substream, without PES headers.
    private var elementaryBytes: [Int64]
    /// Between the first and the last decoding time, and the last unit's duration.
    private(set) var span = TimeSpan.zero

    /// - Complexity: O(units), no unit is kept.
    public init(_ program: Program) {
        bytes = Array(repeating: 0, count: program.substreams.count)
        units = bytes
        elementaryBytes = bytes
        for substream in program.substreams {
            longestFilling = max(
                longestFilling,
                MediaClock.span(ticks: substream.fillingDuration, rate: MediaClock.ninetyKilohertz, .up))
        }
        var first = Int64.max
        var last = Int64.min
        for index in bytes.indices {
            var source = program.source(index)
            while let unit = source.next() {
                bytes[index] += Int64(unit.byteCount)
                units[index] += 1
                elementaryBytes[index] += Int64(unit.elementaryByteCount)
                longestReordering = max(
                    longestReordering, program.timeline(unit.presentation - unit.decode + program.firstPresentation))
                first = min(first, unit.decode)
                last = max(last, unit.decode + unit.duration)
            }
        }
        if last > first { span = MediaClock.span(ticks: last - first, rate: MediaClock.ninetyKilohertz) }
    }

    /// Mean rate of one substream's PES packets.
    public func meanRate(_ substream: Int) -> BitRate {
        guard span > .zero else { return BitRate(bitsPerSecond: 0) }
        return BitRate(
            bitsPerSecond: UInt64(max(0, (bytes[substream] * 8).scaled(by: 1_000_000_000, over: span.nanoseconds))))
    }

    /// Rate of one substream's elementary stream while a unit comes every so many ticks of 90 kHz.
    func packetRate(_ substream: Int, every ticks: Int64) -> BitRate {
        guard units[substream] > 0 else { return BitRate(bitsPerSecond: 0) }
        return BitRate(
            bitsPerSecond: UInt64(
                (elementaryBytes[substream] * 8).scaled(by: 90_000, over: ticks * units[substream], .nearest)))
    }
}

extension Program {
    /// Where a time in the program's 90 kHz ticks lies on the program's timeline: nanoseconds after the capture of the
    /// first presentation, rounded down.
    @inlinable
    public func timeline(_ ticks: Int64) -> TimeSpan {
        MediaClock.span(ticks: ticks - firstPresentation, rate: MediaClock.ninetyKilohertz, .down)
    }
}

/// Whether a rate lets every unit be sent between its release and its decoding time, and the least rate that does.
///
/// Units are served whole, the one with the earliest decoding time first, a newly released one interrupting: that is
/// what the multiplexer does packet by packet. What the multiplexer adds (tables, clock references, packets already
/// begun, datagrams that are not yet full) is counted against the rate and as a guard before each deadline.
public struct MultiplexFeasibility: Sendable {
    let program: Program
    let leads: [TimeSpan]
    let latency: TimeSpan
    private let packetsPerDatagram: Int
    private let longestWait: TimeSpan
    private let tablePackets: (basic: Int, service: Int)
    private let referenceLane: Int?
    static var packetBits: UInt64 { 1_504 }

    /// - Parameter longestWait: how long a datagram that is not full may wait; zero at constant rate.
    public init(
        _ program: Program, leads: [TimeSpan], latency: TimeSpan, packetsPerDatagram: Int = 7,
        longestWait: TimeSpan = .zero
    ) {
        self.program = program
        self.leads = leads
        self.latency = latency
        self.packetsPerDatagram = packetsPerDatagram
        self.longestWait = longestWait
        tablePackets = TableCarousel(program, slotDuration: .zero).packetCounts
        referenceLane = program.substreams.firstIndex { $0.pid == program.pcrPID }
    }

    /// Packets a second that carry tables and, where others than the references' own substream may be served for long,
    /// clock references alone.
    private func overheadPackets(slot: TimeSpan) -> Int64 {
        let round = TableCarousel.roundPeriod(slot)
        let tables = Int64(5 * tablePackets.basic + tablePackets.service).scaled(
            by: 1_000_000_000, over: 5 * round.nanoseconds, .up)
        guard referenceLane == nil || program.substreams.count > 1 else { return tables }
        let period = max(TimeSpan.milliseconds(40) - slot, slot * 2)
        return tables + Int64(1).scaled(by: 1_000_000_000, over: period.nanoseconds, .up)
    }

    /// Deadlines are taken this much earlier: a round of tables with a reference, a packet begun, a datagram to be filled.
    private func guardTime(slot: TimeSpan) -> TimeSpan {
        slot * Int64(tablePackets.basic + tablePackets.service + 2) + max(slot * Int64(packetsPerDatagram), longestWait)
    }

    /// The least constant rate, to 1 kbit/s, that sends every unit in time; nil when no rate below `ceiling` does.
    public func leastRate(from floor: BitRate, ceiling: BitRate) -> BitRate? {
        var low = max(1, floor.bitsPerSecond / 1_000)
        var high = low
        while !isFeasible(BitRate(bitsPerSecond: high * 1_000)) {
            low = high + 1
            high = high * 5 / 4 + 1
            guard high * 1_000 <= ceiling.bitsPerSecond else { return nil }
        }
        while low < high {
            let middle = (low + high) / 2
            if isFeasible(BitRate(bitsPerSecond: middle * 1_000)) { high = middle } else { low = middle + 1 }
        }
        return BitRate(bitsPerSecond: high * 1_000)
    }

    /// Whether every unit can be sent in time at a rate.
    ///
    /// - Complexity: O(units × substreams).
    public func isFeasible(_ rate: BitRate) -> Bool {
        guard rate.bitsPerSecond > 0 else { return false }
        let slot = rate.transmissionTime(bits: Self.packetBits)
        let overhead = UInt64(overheadPackets(slot: slot)) * Self.packetBits
        guard rate.bitsPerSecond > overhead else { return false }
        let usable = BitRate(bitsPerSecond: rate.bitsPerSecond - overhead)
        let guardTime = guardTime(slot: slot)
        var sources = program.substreams.indices.map { program.source($0) }
        var jobs = sources.indices.map { nextJob(&sources[$0], $0, guardTime) }
        var now = Int64.min
        while true {
            guard let first = jobs.lazy.compactMap({ $0?.release }).min() else { return true }
            now = max(now, first)
            // The released job with the earliest deadline, until it is done or another is released.
            var best: Int?
            var interruption = Int64.max
            for (index, job) in jobs.enumerated() {
                guard let job else { continue }
                if job.release > now {
                    interruption = min(interruption, job.release)
                } else if best.flatMap({ jobs[$0] }).map({ job.deadline < $0.deadline }) ?? true {
                    best = index
                }
            }
            guard let best, var job = jobs[best] else { continue }
            let end = now + usable.transmissionTime(bits: job.bits).nanoseconds
            if end <= interruption {
                guard end <= job.deadline else { return false }
                now = end
                jobs[best] = nextJob(&sources[best], best, guardTime)
            } else {
                job.bits -= min(job.bits, usable.bits(in: .nanoseconds(interruption - now)))
                now = interruption
                jobs[best] = job
            }
        }
    }

    /// What is left to send of a substream's current unit; instants on the program's timeline in nanoseconds.
    private struct Job {
        var release: Int64
        var deadline: Int64
        var bits: UInt64
    }

    private func nextJob(_ source: inout SubstreamSource, _ index: Int, _ guardTime: TimeSpan) -> Job? {
        guard let unit = source.next() else { return nil }
        let decode = program.timeline(unit.decode)
        let release = max(decode - leads[index], program.timeline(unit.presentation) - latency)
        // What adaptation fields take from the payload: eight bytes with a reference, every 20 ms; two with a flag.
        let references = index == referenceLane ? 1 + Int(clamping: leads[index].nanoseconds / 20_000_000) : 0
        let taken = 8 * min(references, unit.byteCount / 184 + 1) + (unit.isRandomAccess ? 2 : 0)
        let packets = (unit.byteCount + taken + 183) / 184
        return Job(
            release: release.nanoseconds, deadline: (decode - guardTime).nanoseconds,
            bits: UInt64(packets) * Self.packetBits)
    }
}
