import ClockSync
import Media
import Metrics
import Receiver
import Sender
import Timebase
import Wire

extension World {
    /// A packet has arrived at a receiver.
    mutating func deliver(_ packet: Packet, toReceiver index: Int, at now: Instant) {
        capture(packet, .receiver(index), at: now)
        if hasWrongChecksum(packet), !configuration.receivers[index].takesDamaged {
            return dropDamaged(packet, receiver: index, at: now)
        }
        guard packet.flow == Self.programFlow else {
            receiveSenderReport(packet, receiver: index, at: now)
            return
        }
        let payload = pool.bytes(packet.slot, count: Int(packet.length) - Self.networkHeaderLength).bytes
        let local = receivers[index].clock.reading(at: now)
        note(arrivalOf: packet, payload, receiver: index, local: local, at: now)
        receivers[index].media.handle(packet, &pool, at: local)
        drainReceiver(index, at: now)
        timeouts.set(index, to: instant(receivers[index].media.nextTimeout, receivers[index].clock))
    }

    /// The receiver's network stack throws a datagram away whose checksum is wrong.
    private mutating func dropDamaged(_ packet: Packet, receiver index: Int, at now: Instant) {
        defer { pool.release(packet.slot) }
        digest.add(10, Int64(packet.number), now.nanoseconds, Int64(index), Int64(packet.flow))
        guard packet.flow == Self.programFlow else { return }
        receivers[index].ledger.damaged += 1
        guard configuration.taps.packets else { return }
        emit(
            .packet(
                PacketRecord(
                    receiver: index, number: packet.number, length: packet.length, sent: packet.sent, arrived: now,
                    fate: .droppedChecksum)))
    }

    private mutating func note(
        arrivalOf packet: Packet, _ payload: RawSpan, receiver index: Int, local: LocalInstant, at now: Instant
    ) {
        let delay = now - packet.sent
        let measured = local - sender.clock.reading(at: packet.sent)
        digest.add(3, Int64(packet.number), now.nanoseconds, Int64(index), Int64(packet.copy))
        receivers[index].ledger.delivered += 1
        receivers[index].ledger.rate.add(bytes: Int(packet.length), at: now)
        receivers[index].ledger.noteDelay(delay, measured: measured)
        // The timestamp's place in the header (RFC 3550 §5.1).
        if receivers[index].ledger.jitter != nil, let timestamp = try? payload.bigEndian(UInt32.self, at: 4) {
            receivers[index].ledger.jitter?.add(arrival: now, rtpTimestamp: timestamp)
        }
        receivers[index].ledger.deliveryIndex?.add(
            mediaBytes: Int(packet.length) - Self.networkHeaderLength - sender.program.headerLength, at: now)
        switch receivers[index].ledger.window.add(number: Int64(packet.number)) {
        case .inOrder, .reordered:
            receivers[index].ledger.variation.add(number: Int64(packet.number), delay: delay)
        case .duplicate, .outsideWindow: break
        }
        if let interleavedFirst {
            let number = Self.streamNumber(of: packet, payload, first: interleavedFirst)
            _ = receivers[index].ledger.streamWindow?.add(number: number)
        }
    }

    /// A datagram's number in the multiplex: that on the wire without an interleaver, which is without `first`.
    ///
    /// Static: a method that does not mutate gets a copy of the whole World from one that does (measured).
    private static func streamNumber(of packet: Packet, _ payload: RawSpan, first: UInt16?) -> Int64 {
        let number = Int64(packet.number)
        guard let first else { return number }
        // The sequence number's place in the header (RFC 3550 §5.1).
        guard let sequence = try? payload.bigEndian(UInt16.self, at: 2) else { return number }
        // The two are never half of the sequence numbers apart.
        return number + Int64(Int16(truncatingIfNeeded: Int64(sequence &- first) &- number))
    }

    /// Serves what a receiver has to do by `now`.
    mutating func serveReceiver(_ index: Int, at now: Instant) {
        let local = receivers[index].clock.reading(at: now)
        receivers[index].media.handleTimeout(&pool, at: local)
        drainReceiver(index, at: now)
        timeouts.set(index, to: instant(receivers[index].media.nextTimeout, receivers[index].clock))
    }

    /// Notes what a receiver did.
    mutating func drainReceiver(_ index: Int, at now: Instant) {
        while let output = receivers[index].media.pollOutput() {
            switch output {
            case .released(let packet, let arrival, let depth):
                noteRelease(packet, arrival, depth, receiver: index, at: now)
            case .discarded(let packet, let reason): noteDiscard(packet, reason, receiver: index, at: now)
            case .presented(let lane, let presentation):
                notePresentation(lane: lane, ticks: presentation, receiver: index, at: now)
            case .closed(let lane, let presentation, let verdict):
                guard lane < receivers[index].ledger.lanes.count else { continue }
                receivers[index].ledger.close(lane: lane, verdict)
                digest.add(6, presentation ?? -1, Int64(verdict.rawValue), Int64(index), Int64(lane))
            }
        }
    }

    /// Judges what was on screen when the program ended: up to the end of the last picture sent it should have moved.
    mutating func finishPresentation(_ index: Int) {
        for lane in receivers[index].ledger.lanes.indices {
            guard let end = sender.program.multiplexer.counters[lane].lastPresentationEnd else { continue }
            receivers[index].ledger.finish(lane: lane, programEnd: end)
        }
    }

    private mutating func noteRelease(
        _ packet: Packet, _ arrival: LocalInstant, _ depth: TimeSpan, receiver index: Int, at now: Instant
    ) {
        let local = receivers[index].clock.reading(at: now)
        receivers[index].ledger.used += 1
        receivers[index].ledger.playoutDelay.add((local - arrival).nanoseconds)
        receivers[index].ledger.buffer.add(depth.nanoseconds)
        let payload = pool.bytes(packet.slot, count: Int(packet.length) - Self.networkHeaderLength).bytes
        receivers[index].ledger.noteReleased(number: Self.streamNumber(of: packet, payload, first: interleavedFirst))
        receivers[index].ledger.monitor.add(packetsIn: payload, from: sender.program.headerLength, instant: now)
        digest.add(4, Int64(packet.number), now.nanoseconds, Int64(index), 0)
        if configuration.taps.packets {
            emit(
                .packet(
                    PacketRecord(
                        receiver: index, number: packet.number, length: packet.length, sent: packet.sent,
                        arrived: receivers[index].clock.instant(showing: arrival), released: now, fate: .used)))
        }
        if configuration.taps.media {
            emit(.releasedMedia(packet, receiver: index))
        } else {
            pool.release(packet.slot)
        }
    }

    private mutating func noteDiscard(
        _ packet: Packet, _ reason: ReceiverOutput.Discard, receiver index: Int, at now: Instant
    ) {
        let fate: PacketFate
        switch reason {
        // What found the buffer full, or cannot be read, comes too late for use as well.
        case .late, .overflow, .malformed:
            fate = .late
            receivers[index].ledger.late += 1
        case .duplicate:
            fate = .duplicate
            receivers[index].ledger.duplicates += 1
        }
        digest.add(5, Int64(packet.number), now.nanoseconds, Int64(index), Int64(fate.rawValue))
        if configuration.taps.packets {
            emit(
                .packet(
                    PacketRecord(
                        receiver: index, number: packet.number, length: packet.length, sent: packet.sent,
                        arrived: now, fate: fate)))
        }
        pool.release(packet.slot)
    }

    private mutating func notePresentation(lane: Int, ticks: Int64, receiver index: Int, at now: Instant) {
        guard lane < receivers[index].ledger.lanes.count else { return }
        let media = timeline(ofTicks: ticks, near: now)
        let captured = sender.captureInstant(media)
        let duration = MediaClock.span(
            ticks: configuration.program.substreams[lane].usualDuration, rate: MediaClock.ninetyKilohertz)
        receivers[index].ledger.lanes[lane].endToEnd.add((now - captured).nanoseconds)
        receivers[index].ledger.present(lane: lane, media: media, duration: duration, at: now)
        digest.add(7, media.nanoseconds, now.nanoseconds, Int64(index), Int64(lane))
    }

    /// The program's timeline at a receiver's 90 kHz ticks, which are right modulo 2^33 only.
    private func timeline(ofTicks ticks: Int64, near now: Instant) -> TimeSpan {
        let expected =
            configuration.program.firstPresentation
            + MediaClock.ticks(sender.timeline(at: now), rate: MediaClock.ninetyKilohertz)
        let difference = ((ticks &- expected) << 31) >> 31
        return configuration.program.timeline(expected + difference)
    }
}
