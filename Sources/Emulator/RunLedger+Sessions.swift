import BasicContainers
import Metrics
import Timebase

/// What truly happened to a program whose substreams have sessions of their own.
extension RunLedger {
    /// The row of a receiver's session, by the flow of its datagrams; of a receiver with one session, its only one.
    @inline(__always)
    func row(_ receiver: Int, flow: UInt16) -> Int {
        receiver &* rowCount &+ (rowCount == 1 ? 0 : Int(flow) % rowCount)
    }

    /// Notes a round trip that the sender has measured.
    mutating func note(roundTrip span: TimeSpan, receiver: Int, session: Int) {
        receivers[receiver * rowCount + session].roundTrip.add(span.nanoseconds)
    }

    /// Notes a datagram that goes out.
    mutating func note(sent packet: Packet, session: Int, at now: Instant) {
        note(.sent(packet), at: now)
        sessions[session].note(sent: packet, at: now)
    }

    /// Notes that a playout buffer has released a datagram.
    mutating func note(releaseInSession event: WorldEvent, at now: Instant) {
        guard case .released(let packet, let row, let depth) = event else { return }
        add(.released, Int64(packet.number), now.nanoseconds, Int64(row), 0)
        receivers[row].noteReleased(number: Int64(packet.number))
        receivers[row].note(bytes: Int(packet.length), waited: now - packet.time, depth: depth, at: now)
        record(packet, receiver: row, .used, arrived: packet.time, released: now)
    }

    /// A unit that is on screen or heard.
    struct Presentation {
        let lane: Int
        /// Its place on the program's timeline by the clock of the sender's node: where it was captured.
        let media: TimeSpan
        /// The same in true time.
        let captured: Instant
    }

    /// Notes that a unit is on screen or heard from now on.
    ///
    /// - Parameters:
    ///   - ticks: its timestamp.
    ///   - row: the first of the receiver's.
    ///   - picturesEnd: where the last picture sent by now ends on the program's timeline.
    mutating func note(_ unit: Presentation, ticks: Int64, row: Int, at now: Instant, picturesEnd: TimeSpan) {
        show(unit, ticks: ticks, row: row, at: now, picturesEnd: picturesEnd)
        add(.presented, unit.media.nanoseconds, now.nanoseconds, Int64(row), Int64(unit.lane))
    }

    /// Nothing more comes to a receiver.
    ///
    /// - Parameter spans: of each lane, where its first unit sent begins and its last one ends on the program's timeline.
    mutating func finish(sessionsOf receiver: Int, spans: [ClosedRange<TimeSpan>?]) {
        finishUnits(row: receiver * rowCount)
        for session in 0..<rowCount {
            receivers[receiver * rowCount + session].finish(
                sentCount: sessions[session].packets, spans: session == 0 ? spans : spans.map { _ in nil },
                durations: durations)
        }
    }
}
