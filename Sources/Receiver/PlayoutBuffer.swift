import DequeModule
import Protection
import Timebase

/// What becomes of a datagram that comes after its release.
public enum LatePolicy: Sendable, Hashable {
    /// It is thrown away.
    case drop
    /// It is handed on at once, unless one after it already has been.
    case present
}

/// Holds datagrams until their release, a fixed time after the anchor packet's path would have brought them.
///
/// A datagram sent `s` after the anchor by the sender's timestamps is released at the anchor's arrival + delay + s. All
/// instants are the receiver's own.
public struct PlayoutBuffer: Sendable {
    /// A datagram on its way through the buffer.
    public struct Entry: Sendable, BitwiseCopyable {
        /// Its bytes stay in the pool slot, which belongs to whoever holds this.
        public var packet: Packet
        /// Its place in the stream, unwrapped.
        public var number: Int64
        /// When it came.
        public var arrival: LocalInstant
        /// When it was due; later only for a datagram that came after that and is handed on all the same.
        public var release: LocalInstant
        /// How much later than by the first anchor that is.
        var shift: TimeSpan
        /// Where its media begin, bytes from the payload's start.
        public var start: Int
    }

    /// A time without anything that waits: from a release to the arrival of the next datagram that is buffered.
    private struct Emptiness: Sendable, BitwiseCopyable {
        let start: LocalInstant
        var end = LocalInstant.distantFuture
        var isCounted = false
    }

    /// What becomes of a datagram that is put in.
    public enum Verdict: Sendable {
        /// It waits for its release.
        case buffered
        /// After its release and dropped.
        case late
        /// There is no room; it is dropped.
        case overflow
    }

    /// Datagrams kept at most; one more is refused.
    static let capacity = 1 << 16
    /// Times of emptiness that late datagrams can still be judged by: at one a datagram a second or so.
    private static let rememberedCount = 256

    private let delay: TimeSpan
    private let latePolicy: LatePolicy
    private let tolerance: TimeSpan
    private var anchor: LocalInstant?
    private var firstAnchor: LocalInstant?
    private var entries = Deque<Entry>()
    private var latestReleased = Int64.min
    /// Where the datagram released last stood, to place what is lost behind it.
    private var latestRelease = LocalInstant(nanoseconds: 0)
    /// When it ran empty, and whether an underrun has been counted since; nil while something waits, and before the first.
    private var emptiness: Emptiness?
    /// Earlier ones, which a datagram that comes late may still turn out to have been due in; `rememberedCount` of them.
    private var earlier = Deque<Emptiness>()
    /// How often the buffer ran empty and a release was due in it before the next datagram came in time.
    ///
    /// A release is judged at its own instant, not when the datagram comes at last. One that never comes is due between
    /// its neighbours, as its number is. All that is due while the buffer is empty for once is one underrun; what is
    /// missing while others wait is none.
    public private(set) var underruns: Int64 = 0
    /// Datagrams that found it full.
    public private(set) var overflows: Int64 = 0

    /// - Parameter tolerance: how long after its release a datagram is still in time: what the timestamps are rounded
    ///   to, so that their rounding alone makes nothing late.
    init(delay: TimeSpan, latePolicy: LatePolicy, tolerance: TimeSpan = .zero) {
        self.tolerance = tolerance
        self.delay = delay
        self.latePolicy = latePolicy
    }

    /// A buffer for a stream whose timestamps count 90 kHz, as those of transport streams do (RFC 2250 §2). What an
    /// interleaver holds datagrams for comes on top of the configured delay.
    public init(_ configuration: ReceiverConfiguration) {
        self.init(
            delay: configuration.playoutDelay + (configuration.deinterleaver?.span ?? .zero),
            latePolicy: configuration.latePolicy,
            tolerance: MediaClock.span(ticks: 1, rate: MediaClock.ninetyKilohertz, .up))
    }

    /// When the next datagram is due.
    public var nextTimeout: LocalInstant { entries.first?.release ?? .distantFuture }

    /// How long what waits will last after `now`.
    public func depth(at now: LocalInstant) -> TimeSpan { entries.last.map { $0.release - now } ?? .zero }

    /// Counts releases from now on from another instant: that at which what the timestamps give as zero was sent. What
    /// is in the buffer is released as before.
    mutating func setAnchor(_ zero: LocalInstant) { anchor = zero }

    /// When what was sent at a time in the stream is due; nil before the first datagram.
    func release(ofSourceTime time: TimeSpan) -> LocalInstant? { anchor.map { $0 + time + delay } }

    /// When what was sent at that time is due with a datagram that was released so much later than by the first anchor: the
    /// anchor may have moved since that came. Nil before the first.
    func release(ofSourceTime time: TimeSpan, with shift: TimeSpan) -> LocalInstant? {
        firstAnchor.map { $0 + shift + time + delay }
    }

    /// What time in the stream is due at an instant; nil before the first datagram.
    func sourceTime(ofRelease instant: LocalInstant) -> TimeSpan? { anchor.map { instant - $0 - delay } }

    /// Lets nothing be due later than a datagram behind it: for streams whose timestamps go back, as those of pictures in
    /// an order of their own do.
    mutating func bringForward(before number: Int64) {
        guard var index = entries.lastIndex(where: { $0.number == number }) else { return }
        // One that came behind others of larger numbers is due with these at the latest.
        if index + 1 < entries.count {
            entries[index].release = min(entries[index].release, entries[index + 1].release)
        }
        while index > 0, entries[index - 1].release > entries[index].release {
            entries[index - 1].release = entries[index].release
            index -= 1
        }
    }

    /// Releases so much later from now on, negative: earlier, what is in the buffer too.
    mutating func shift(by span: TimeSpan, at now: LocalInstant) {
        anchor = anchor.map { $0 + span }
        for index in entries.indices {
            entries[index].release = max(entries[index].release + span, now)
            entries[index].shift += span
        }
    }

    /// Takes a datagram, at its arrival. One that is not buffered stays with whoever handed it over.
    public mutating func handle(_ datagram: MediaDatagram) -> Verdict {
        let (now, number) = (datagram.arrival, datagram.number)
        let zero = anchor ?? now - datagram.sourceTime - datagram.hold
        anchor = zero
        let first = firstAnchor ?? zero
        firstAnchor = first
        var entry = Entry(
            packet: datagram.packet, number: number, arrival: now, release: zero + datagram.sourceTime + delay,
            shift: zero - first, start: datagram.start)
        // One that has been overtaken by another's release can no longer be handed on in order.
        if entry.release + tolerance < now || number < latestReleased {
            noteDue(entry.release)
            guard latePolicy == .present, number > latestReleased else { return .late }
            entry.release = now
        } else {
            // The first of those that a gap has taken: if it was not due while nothing waited, no later one was.
            if entries.isEmpty, latestReleased != .min, number > latestReleased + 1 {
                let distance = (entry.release - latestRelease).nanoseconds / (number - latestReleased)
                if latestRelease + .nanoseconds(distance) < now { noteDue(latestRelease + .nanoseconds(distance)) }
            }
            entry.release = max(entry.release, now)
        }
        guard entries.count < Self.capacity else {
            overflows += 1
            return .overflow
        }
        if entries.isEmpty { endEmptiness(at: now) }
        var index = entries.count
        while index > 0, entries[index - 1].number > number { index -= 1 }
        if index == entries.count { entries.append(entry) } else { entries.insert(entry, at: index) }
        return .buffered
    }

    /// The next datagram that is due by `now`.
    public mutating func pollOutput(at now: LocalInstant) -> Entry? {
        guard let head = entries.first, head.release <= now else { return nil }
        entries.removeFirst()
        latestReleased = max(latestReleased, head.number)
        latestRelease = head.release
        if entries.isEmpty { emptiness = Emptiness(start: head.release) }
        return head
    }

    /// Whether it has run empty, and no underrun was counted since: if anything more was to come, this is one.
    var hasRunDry: Bool { emptiness.map { !$0.isCounted } ?? false }

    /// Gives up all that waits; releases go on as before.
    ///
    /// - Returns: the datagrams, which are the caller's.
    mutating func forget() -> [Packet] {
        defer {
            entries.removeAll()
            emptiness = nil
        }
        return entries.map(\.packet)
    }

    /// Begins anew, with nothing in it.
    mutating func restart() {
        precondition(entries.isEmpty)
        (anchor, firstAnchor, latestReleased) = (nil, nil, .min)
        (emptiness, earlier) = (nil, [])
    }

    private mutating func endEmptiness(at now: LocalInstant) {
        guard var ended = emptiness else { return }
        ended.end = now
        if earlier.count == Self.rememberedCount { earlier.removeFirst() }
        earlier.append(ended)
        emptiness = nil
    }

    /// A datagram was due that had not come: an underrun, if nothing waited then and it is the first such.
    private mutating func noteDue(_ instant: LocalInstant) {
        if let current = emptiness, current.start <= instant {
            if !current.isCounted { underruns += 1 }
            emptiness?.isCounted = true
            return
        }
        guard let index = earlier.lastIndex(where: { $0.start <= instant }), instant < earlier[index].end,
            !earlier[index].isCounted
        else { return }
        earlier[index].isCounted = true
        underruns += 1
    }
}
