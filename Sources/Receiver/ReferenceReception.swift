import Timebase
import Wire

/// Dates datagrams of bare transport packets by the clock references inside them; they are numbered as they arrive.
struct ReferenceReception: Sendable {
    private var timeline = ReferenceTimeline()
    private var reference = WrapUnwrapper(bits: 33)
    private var count: Int64 = 0
    private var hasFinished = false

    /// Takes a datagram; false when too many wait for a second reference already.
    mutating func receive(_ packet: Packet, _ payload: RawSpan, at now: LocalInstant) -> Bool {
        let count = payload.byteCount / TransportPacket.length
        var latest: (packets: Int, ticks: Int64)?
        for index in 0..<count {
            let offset = index * TransportPacket.length
            guard let header = TransportPacketHeader(payload, at: offset), header.hasPCR,
                let ticks = header.pcr(payload, at: offset)
            else { continue }
            let base = reference.unwrap(UInt64(ticks / 300))
            // References that jump for days on end must not end the receiver: only their differences count.
            latest = (index + 1, base &* 300 &+ ticks % 300)
        }
        timeline.add(packets: count, reference: latest)
        return timeline.wait(packet, at: now)
    }

    /// The next datagram that can be dated, or, in the end, that never could be.
    mutating func pollOutput() -> SessionReceiver.Output? {
        guard timeline.isRunning || hasFinished, let waiting = timeline.takeWaiting() else { return nil }
        guard let time = timeline.time(position: waiting.position) else { return .discarded(waiting.packet, .late) }
        defer { count += 1 }
        return .media(
            MediaDatagram(packet: waiting.packet, number: count, sourceTime: time, arrival: waiting.arrival))
    }

    mutating func finish() { hasFinished = true }
}
