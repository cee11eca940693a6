import Metrics
import NetworkEmulation
import Timebase

/// What the emulator notes of the program as it is sent.
struct SenderLedger: Sendable {
    private(set) var packets: Int64 = 0
    /// Those of them that faults of the sender's node took.
    var lostAtNode: Int64 = 0
    private(set) var rate = RateMeter()
    private(set) var monitor: TransportStreamMonitor
    private(set) var firstSent: Instant?
    private(set) var latestSent = Instant.zero
    /// Where a rate was reserved: what the program sent against it.
    private(set) var burst: BurstMeter?

    init(_ configuration: WorldConfiguration) {
        monitor = TransportStreamMonitor(
            constantRate: configuration.constantRate, accuracyCuts: configuration.cuts[.pcrAccuracy])
        burst = configuration.reservation.map { BurstMeter(rate: $0.rate) }
    }

    mutating func note(multiplexed payload: RawSpan, headerLength: Int, at now: Instant) {
        monitor.add(packetsIn: payload, from: headerLength, instant: now)
    }

    @inline(__always)
    mutating func note(sent packet: Packet, at now: Instant) {
        packets += 1
        rate.add(bytes: Int(packet.length), at: now)
        firstSent = firstSent ?? now
        latestSent = now
        burst?.add(bytes: Int(packet.length), at: now)
    }

    mutating func finish() { monitor.finish() }
}

/// The least token bucket of a given rate that what is sent conforms to.
struct BurstMeter: Sendable {
    private let bitsPerSecond: UInt64
    /// What the bucket lacks, and the most that it ever lacked, in bits × 10^9.
    private var level: UInt128 = 0
    private var needed: UInt128 = 0
    private var latest = Instant.zero

    init(rate: BitRate) { bitsPerSecond = rate.bitsPerSecond }

    mutating func add(bytes: Int, at now: Instant) {
        let drained = UInt128(max(0, (now - latest).nanoseconds)) * UInt128(bitsPerSecond)
        level = (level > drained ? level - drained : 0) + UInt128(bytes) * 8_000_000_000
        needed = max(needed, level)
        latest = now
    }

    /// Its burst, bytes.
    var burst: Int64 { Int64((needed + 7_999_999_999) / 8_000_000_000) }
}
