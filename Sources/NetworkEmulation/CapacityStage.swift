import Timebase

/// How a link's capacity comes, as the link holds it: each mode in a place of its own, so that using it copies nothing.
struct CapacityStage: Sendable {
    enum Mode: Sendable {
        /// No serialization.
        case unlimited
        case constant, pieces, opportunities, tokens
    }

    let mode: Mode
    private var constant: ConstantCapacity
    private var changing: ChangingCapacity?
    var opportunities: OpportunityCapacity?
    var shaper: TokenBucket?

    /// - Parameter rate: the link's; nil: no serialization.
    init(_ source: CapacitySource, rate: BitRate?) {
        constant = ConstantCapacity(rate: rate ?? BitRate(bitsPerSecond: 1))
        guard rate != nil else {
            mode = .unlimited
            return
        }
        switch source {
        case .constant: mode = .constant
        case .pieces(let trace): (mode, changing) = (.pieces, ChangingCapacity(trace))
        case .opportunities(let trace, let bytes):
            (mode, opportunities) = (.opportunities, OpportunityCapacity(trace, bytes: bytes))
        case .tokens(let parameters): (mode, shaper) = (.tokens, TokenBucket(parameters))
        }
    }

    /// Whether a packet's end is known when it begins: the rate alone decides it.
    var isPredictable: Bool { mode == .constant || mode == .pieces }

    /// The link's rate; what it means besides stands at ``CapacitySource``.
    var rate: BitRate {
        get { constant.rate }
        set { constant.rate = newValue }
    }

    /// Whether a shaper's bucket can ever hold so many bits at once.
    func canHold(_ bits: UInt64) -> Bool { shaper?.holds(bits: bits) ?? true }

    /// A packet comes upon an idle link.
    mutating func beginBusyPeriod(at now: Instant) {
        constant.begin(at: now)
        changing?.begin()
    }

    /// When bits that begin to be sent at `now` are through; the distant future: never.
    mutating func end(of bits: UInt64, from now: Instant) -> Instant {
        mode == .constant ? constant.end(of: bits) : changing?.end(of: bits, from: now) ?? now
    }
}

/// Always the same rate. Within a busy period the n-th packet is through at the period's start plus the time of all bits
/// since, rounded up once.
private struct ConstantCapacity: Sendable {
    var rate: BitRate
    private var start = Instant.zero
    private var bits: UInt64 = 0

    init(rate: BitRate) { self.rate = rate }

    mutating func begin(at now: Instant) { (start, bits) = (now, 0) }

    mutating func end(of more: UInt64) -> Instant {
        bits += more
        return start + rate.transmissionTime(bits: bits)
    }
}

/// A rate that changes.
private struct ChangingCapacity: Sendable {
    private var trace: RateTrace
    /// See ``RateTrace/end(of:from:credit:)``.
    private var credit: UInt128 = 0

    init(_ trace: RateTrace) { self.trace = trace }

    mutating func begin() { credit = 0 }

    mutating func end(of bits: UInt64, from now: Instant) -> Instant {
        trace.end(of: bits, from: now, credit: &credit)
    }
}

/// Opportunities to come, and what is left of the one under way.
struct OpportunityCapacity: Sendable {
    private var cursor: OpportunityCursor
    private let bytes: Int
    /// Bytes that can still be sent at this instant.
    private var rest = 0
    /// Bytes of the packet being sent that are still to be sent.
    private var remaining = 0

    init(_ trace: OpportunityTrace, bytes: Int) {
        cursor = OpportunityCursor(trace)
        self.bytes = max(1, bytes)
    }

    /// The next opportunity.
    var next: Instant { cursor.next }
    var isUsedUp: Bool { rest == 0 }

    /// Leaves those up to and with `now`, at which nothing waited, unused.
    mutating func skip(until now: Instant) { cursor.skip(until: now) }

    /// Goes on with the opportunity under way, or the next one.
    mutating func resume() {
        guard rest == 0 else { return }
        cursor.take()
        rest = bytes
    }

    mutating func begin(bytes: Int) { remaining = bytes }

    /// Sends as much as there is room for.
    ///
    /// - Returns: whether the packet is through.
    mutating func send() -> Bool {
        let used = min(rest, remaining)
        rest -= used
        remaining -= used
        return remaining == 0
    }

    /// Nothing waits: what is left is lost.
    mutating func waste() { rest = 0 }
}
