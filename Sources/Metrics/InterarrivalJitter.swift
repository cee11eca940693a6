import Timebase

/// RFC 3550 interarrival jitter (§6.4.1, §A.8): J += (|D| − J)/16 at every arrival, in the order of arrival, duplicates
/// too.
///
/// DEVIATION from §A.8's sample code, which truncates J to a sixteenth of a timestamp tick at every step: the recursion
/// of §6.4.1 is carried in `Double` nanoseconds, as tshark carries it in milliseconds. Its relative error stays under
/// 1e-14, so that both agree to every digit that tshark prints, and the result is the same on every machine, because
/// only + − × ÷ are used.
///
/// What receivers report (`ReceptionStatistics`) is §A.8's whole arithmetic to the bit, by their own clocks: that is what
/// goes over the wire, and this is how far it may be believed.
struct InterarrivalJitter: Sendable {
    private(set) var clockRate: Int64
    /// Differences taken; one fewer than packets since each beginning.
    private var differences: Int64 = 0
    private var hasPrevious = false
    var jitter = 0.0
    var sum = 0.0
    var largest = 0.0
    var previousArrival: Instant = .zero
    var previousTimestamp: UInt32 = 0

    /// - Parameter clockRate: the RTP timestamp's clock, Hz; more than 0.
    init(clockRate: UInt32) {
        precondition(clockRate > 0)
        self.clockRate = Int64(clockRate)
    }

    /// Lets the jitter go on from where it is, at this rate, with a packet to which there is no difference: timestamps
    /// before and behind have nothing to do with each other.
    mutating func begin(clockRate: UInt32) {
        precondition(clockRate > 0)
        self.clockRate = Int64(clockRate)
        hasPrevious = false
    }

    /// Takes the next arrival.
    ///
    /// - Parameter rtpTimestamp: as in the packet; it wraps at 2^32, and steps of up to half of that are followed in
    ///   either direction.
    mutating func add(arrival: Instant, rtpTimestamp: UInt32) {
        if hasPrevious {
            let ticks = Int64(Int32(bitPattern: rtpTimestamp &- previousTimestamp))
            // |D| in nanoseconds times the clock's rate, exact: only the division rounds.
            let arrivals = Int128(arrival.nanoseconds &- previousArrival.nanoseconds) &* Int128(clockRate)
            let difference = arrivals &- Int128(ticks &* 1_000_000_000)
            jitter += (Self.magnitude(difference) / Double(clockRate) - jitter) / 16
            sum += jitter
            if jitter > largest { largest = jitter }
            differences &+= 1
        }
        hasPrevious = true
        previousArrival = arrival
        previousTimestamp = rtpTimestamp
    }

    /// The magnitude as a `Double`, by way of 64 bits wherever they hold it: converting 128 bits calls a routine.
    static func magnitude(_ value: Int128) -> Double {
        if let short = Int64(exactly: value) { return Double(short).magnitude }
        return Double(value).magnitude
    }

    /// The jitter after the last arrival, nanoseconds; 0 after one, as RFC 3550 starts it; nil before the first.
    var last: Double? { hasPrevious || differences > 0 ? jitter : nil }

    /// Mean over all arrivals but the first (for which no difference exists), largest and last, rounded to nanoseconds;
    /// nil with fewer than two arrivals.
    var measurements: InterarrivalJitterMeasurements? {
        guard differences > 0 else { return nil }
        return InterarrivalJitterMeasurements(
            mean: Int64((sum / Double(differences)).rounded(.toNearestOrAwayFromZero)),
            maximum: Int64(largest.rounded(.toNearestOrAwayFromZero)),
            last: Int64(jitter.rounded(.toNearestOrAwayFromZero)))
    }
}

/// RFC 3550 §6.4.1, in nanoseconds.
public struct InterarrivalJitterMeasurements: Equatable, Sendable {
    /// Over all arrivals but the first, for which no difference exists.
    public var mean: Int64
    /// The largest that it was after any arrival.
    public var maximum: Int64
    /// After the last arrival.
    public var last: Int64

    public init(mean: Int64, maximum: Int64, last: Int64) {
        self.mean = mean
        self.maximum = maximum
        self.last = last
    }
}
