import DequeModule
import Timebase
import Wire

/// When datagrams without timestamps were sent, from the clock references inside them.
///
/// Between two references the packets are taken to be evenly spaced. Datagrams before the second reference wait for it,
/// up to `capacity` of them; what would come after the latest one is extrapolated at the highest packet rate of
/// the latest eight reference intervals, because a lost datagram makes an interval seem slower, never faster.
struct ReferenceTimeline: Sendable {
    struct Waiting: Sendable, BitwiseCopyable {
        var packet: Packet
        var arrival: LocalInstant
        /// Transport packets of the stream up to the datagram's end.
        var position: Int64
    }

    static let capacity = 4_096
    private static let intervals = 8
    /// Ten seconds of 27 MHz.
    private static let longestStep: Int64 = 270_000_000
    /// A year of 27 MHz.
    private static let longestGap: Int128 = 31_536_000 * 27_000_000

    private var position: Int64 = 0
    private var latest: (position: Int64, ticks: Int64)?
    /// Ticks added to references since the clock began anew.
    private var shift: Int64 = 0
    /// Ticks of 27 MHz a packet, in 1/65536, of the latest intervals.
    private var spacings = Deque<Int64>()
    private var waiting = Deque<Waiting>()
    private var latestTime = TimeSpan.nanoseconds(.min)

    /// Whether datagrams can be given a time.
    var isRunning: Bool { !spacings.isEmpty }

    /// Notes a datagram's packets; `reference` is the last clock reference in it, unwrapped, and the number of packets
    /// up to and with the one that bears it.
    mutating func add(packets: Int, reference: (packets: Int, ticks: Int64)?) {
        if let reference {
            let place = position + Int64(reference.packets)
            let here = (position: place, ticks: continued(reference.ticks, at: place))
            if let latest, here.position > latest.position, here.ticks > latest.ticks {
                spacings.append(((here.ticks - latest.ticks) << 16) / (here.position - latest.position))
                if spacings.count > Self.intervals { spacings.removeFirst() }
            }
            latest = here
        }
        position += Int64(packets)
    }

    /// A reference's time. After a step that no stream's references may have (ISO/IEC 13818-1 §2.7.2: 100 ms) the clock
    /// has begun anew, and the timeline goes on as if it had not: nothing else bounds it in a damaged stream.
    private mutating func continued(_ ticks: Int64, at place: Int64) -> Int64 {
        let time = ticks &+ shift
        guard let latest, (time &- latest.ticks).magnitude > Self.longestStep.magnitude else { return time }
        let next = latest.ticks + min(ahead(of: latest, at: place), Self.longestStep)
        shift = next &- ticks
        return next
    }

    /// Ticks of 27 MHz that the packets behind a reference take.
    private func ahead(of latest: (position: Int64, ticks: Int64), at place: Int64) -> Int64 {
        let ticks = (Int128(place - latest.position) * Int128(spacings.min() ?? 0)) >> 16
        return Int64(min(max(ticks, -Self.longestGap), Self.longestGap))
    }

    /// Keeps a datagram until it is taken; false when too many wait for the timeline to run already.
    mutating func wait(_ packet: Packet, at arrival: LocalInstant) -> Bool {
        guard isRunning || waiting.count < Self.capacity else { return false }
        waiting.append(Waiting(packet: packet, arrival: arrival, position: position))
        return true
    }

    mutating func takeWaiting() -> Waiting? { waiting.popFirst() }

    /// When the packets up to `position` had been sent, by the sender's clock; never earlier than the time before it.
    mutating func time(position: Int64) -> TimeSpan? {
        guard let latest, isRunning else { return nil }
        let ticks = latest.ticks + ahead(of: latest, at: position)
        latestTime = max(latestTime, MediaClock.span(ticks: ticks, rate: MediaClock.system))
        return latestTime
    }
}
