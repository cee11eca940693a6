import DequeModule
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
struct PlayoutBuffer: Sendable {
    struct Entry: Sendable, BitwiseCopyable {
        var packet: Packet
        var number: Int64
        var arrival: LocalInstant
        var release: LocalInstant
        /// Where its transport packets begin, bytes from the payload's start.
        var start: Int
    }

    enum Verdict: Sendable {
        case buffered
        /// After its release and dropped.
        case late
        case overflow
    }

    /// Datagrams kept at most; one more is refused.
    static let capacity = 1 << 16

    private let delay: TimeSpan
    private let latePolicy: LatePolicy
    private let tolerance: TimeSpan
    private var anchor: LocalInstant?
    private var entries = Deque<Entry>()
    private var latestReleased = Int64.min
    private var isStarved = false
    /// How often a release was due that an empty buffer could not serve; a row of them is one.
    private(set) var underruns: Int64 = 0
    private(set) var overflows: Int64 = 0

    /// - Parameter tolerance: how long after its release a datagram is still in time: what the timestamps are rounded
    ///   to, so that their rounding alone makes nothing late.
    init(delay: TimeSpan, latePolicy: LatePolicy, tolerance: TimeSpan = .zero) {
        self.tolerance = tolerance
        self.delay = delay
        self.latePolicy = latePolicy
    }

    /// Whether a datagram has come, by which all are released.
    var isAnchored: Bool { anchor != nil }

    /// When the next datagram is due.
    var nextRelease: LocalInstant { entries.first?.release ?? .distantFuture }

    /// How long what waits will last after `now`.
    func depth(at now: LocalInstant) -> TimeSpan { entries.last.map { $0.release - now } ?? .zero }

    /// Takes a datagram.
    ///
    /// - Parameters:
    ///   - number: its place in the stream, unwrapped.
    ///   - start: where its transport packets begin, bytes from the payload's start.
    ///   - sourceTime: when it was sent by the sender's clock, from any zero.
    ///   - hold: how much later than that it really went out; asked of the anchor only.
    mutating func insert(
        _ packet: Packet, number: Int64, start: Int, sourceTime: TimeSpan, hold: TimeSpan = .zero, at now: LocalInstant
    ) -> Verdict {
        let zero = anchor ?? now - sourceTime - hold
        anchor = zero
        var entry = Entry(
            packet: packet, number: number, arrival: now, release: zero + sourceTime + delay, start: start)
        // One that has been overtaken by another's release can no longer be handed on in order.
        if entry.release + tolerance < now || number < latestReleased {
            if entries.isEmpty, !isStarved {
                underruns += 1
                isStarved = true
            }
            guard latePolicy == .present, number > latestReleased else { return .late }
            entry.release = now
        } else {
            // Behind a gap, an empty buffer has missed the releases of what the gap has taken.
            if entries.isEmpty, !isStarved, latestReleased != .min, number > latestReleased + 1 { underruns += 1 }
            isStarved = false
            entry.release = max(entry.release, now)
        }
        guard entries.count < Self.capacity else {
            overflows += 1
            return .overflow
        }
        var index = entries.count
        while index > 0, entries[index - 1].number > number { index -= 1 }
        if index == entries.count { entries.append(entry) } else { entries.insert(entry, at: index) }
        return .buffered
    }

    /// The next datagram that is due by `now`.
    mutating func release(at now: LocalInstant) -> Entry? {
        guard let head = entries.first, head.release <= now else { return nil }
        entries.removeFirst()
        latestReleased = max(latestReleased, head.number)
        return head
    }
}
