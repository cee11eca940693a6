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

    private var position: Int64 = 0
    private var latest: (position: Int64, ticks: Int64)?
    /// Ticks of 27 MHz a packet, in 1/65536, of the latest intervals.
    private var spacings = Deque<Int64>()
    private(set) var waiting = Deque<Waiting>()
    private var latestTime = TimeSpan.nanoseconds(.min)

    /// Whether datagrams can be given a time.
    var isRunning: Bool { !spacings.isEmpty }

    /// Notes a datagram's packets; `reference` is the last clock reference in it, unwrapped, and the number of packets
    /// up to and with the one that bears it.
    mutating func add(packets: Int, reference: (packets: Int, ticks: Int64)?) {
        if let reference {
            let here = (position: position + Int64(reference.packets), ticks: reference.ticks)
            if let latest, here.position > latest.position, here.ticks > latest.ticks {
                spacings.append(((here.ticks - latest.ticks) << 16) / (here.position - latest.position))
                if spacings.count > Self.intervals { spacings.removeFirst() }
            }
            latest = here
        }
        position += Int64(packets)
    }

    /// Keeps a datagram until the timeline runs; false when too many wait already.
    mutating func wait(_ packet: Packet, at arrival: LocalInstant) -> Bool {
        guard waiting.count < Self.capacity else { return false }
        waiting.append(Waiting(packet: packet, arrival: arrival, position: position))
        return true
    }

    mutating func takeWaiting() -> Waiting? { waiting.popFirst() }

    /// When the packets up to `position` had been sent, by the sender's clock; never earlier than the time before it.
    mutating func time(position: Int64) -> TimeSpan? {
        guard let latest, let spacing = spacings.min() else { return nil }
        let ticks = latest.ticks + ((position - latest.position) * spacing) >> 16
        latestTime = max(latestTime, MediaClock.span(ticks: ticks, rate: MediaClock.system))
        return latestTime
    }

    /// When everything noted so far had been sent.
    mutating func timeNow() -> TimeSpan? { time(position: position) }
}
