import ClockSync
import Receiver
import Sender
import Timebase
import Wire

/// RTCP between the sender and the receivers (RFC 3550 §6): its datagrams cross the same links as everything else.
extension World {
    /// A report's IP length before any has been sent.
    private static var firstGuess: Int { 92 }
    private static var senderName: String { "sender@10.0.0.1" }

    /// Of the media in IP packets.
    private var sessionBandwidth: BitRate {
        let media = UInt64(configuration.plan.packetsPerDatagram * TransportPacket.length)
        let packet = media + UInt64(sender.program.headerLength + Self.networkHeaderLength)
        return BitRate(bitsPerSecond: configuration.plan.rate.bitsPerSecond / media * packet)
    }

    mutating func startReports() {
        guard let rtp = sender.program.rtp else { return }
        let root = DrawKey(seed: configuration.seed)
        senderReports = RTCPSession(
            isSender: true, sessionBandwidth: sessionBandwidth, packetSize: Self.firstGuess,
            key: root.named("sender.rtcp"), ssrc: rtp.ssrc, start: sender.program.zero)
        senderReports?.setMembers(1, senders: 1)
        for index in receivers.indices {
            let key = root.named("receivers").named(configuration.receivers[index].id).named("rtcp")
            receivers[index].reports = RTCPSession(
                isSender: false, sessionBandwidth: sessionBandwidth, packetSize: Self.firstGuess, key: key,
                ssrc: UInt32(truncatingIfNeeded: key.named("ssrc").draw(0) >> 32),
                start: receivers[index].clock.reading(at: .zero))
        }
    }

    /// No report is sent once the program has been.
    mutating func stopReports() {
        senderReports?.stop()
        for index in receivers.indices { receivers[index].reports?.stop() }
        rearmReports()
    }

    /// Serves a report timer: 0 is the sender's.
    mutating func serveReports(_ index: Int, at now: Instant) {
        if index == 0 {
            sendSenderReport(at: now)
            rearmSenderReports()
        } else {
            sendReceiverReport(index - 1, at: now)
            rearmReceiverReports(index - 1)
        }
    }

    private mutating func sendSenderReport(at now: Instant) {
        let local = sender.clock.reading(at: now)
        guard let rtp = sender.program.rtp, senderReports?.handleTimeout(at: local) == true else { return }
        let report = RTCPPacket.SenderReport(
            ssrc: rtp.ssrc, ntpTimestamp: NTPTimestamp(local), rtpTimestamp: rtp.timestamp(local - sender.program.zero),
            packetCount: UInt32(truncatingIfNeeded: rtp.packetCount),
            octetCount: UInt32(truncatingIfNeeded: rtp.octetCount), reports: [])
        let compound = RTCPCompound([
            .senderReport(report), .sourceDescription([.init(ssrc: rtp.ssrc, cname: Self.senderName)]),
        ])
        let packet = datagram(compound.bytes, flow: Self.senderReportFlow, number: reportNumber, at: now)
        reportNumber += 1
        senderReports?.note(ipBytes: Int(packet.length))
        capture(packet, .sender, at: now)
        hand(packet, to: topology.forwardEntry, at: now)
    }

    private mutating func sendReceiverReport(_ index: Int, at now: Instant) {
        let local = receivers[index].clock.reading(at: now)
        guard let ssrc = receivers[index].reports?.ssrc, receivers[index].reports?.handleTimeout(at: local) == true
        else { return }
        var reports: [ReceptionReport] = []
        if let rtp = sender.program.rtp, !receivers[index].media.statistics.isEmpty {
            reports.append(receptionReport(index, of: rtp.ssrc, at: local))
        }
        let compound = RTCPCompound([
            .receiverReport(.init(ssrc: ssrc, reports: reports)),
            .sourceDescription([.init(ssrc: ssrc, cname: configuration.receivers[index].id)]),
        ])
        let flow = Self.firstReceiverReportFlow + UInt16(index)
        let packet = datagram(compound.bytes, flow: flow, number: receivers[index].reportNumber, at: now)
        receivers[index].reportNumber += 1
        receivers[index].reports?.note(ipBytes: Int(packet.length))
        capture(packet, .receiver(index), at: now)
        hand(packet, to: topology.reverseEntries[index], at: now)
    }

    private mutating func receptionReport(_ index: Int, of ssrc: UInt32, at local: LocalInstant) -> ReceptionReport {
        let statistics = receivers[index].media.statistics
        let fraction = receivers[index].fractionLost.take(
            expected: statistics.expected, received: statistics.received)
        let latest = receivers[index].latestSenderReport
        let held = latest.map { MediaClock.ticks(local - $0.arrival, rate: 65_536) } ?? 0
        return ReceptionReport(
            ssrc: ssrc, fractionLost: fraction, cumulativeLost: statistics.cumulativeLost,
            extendedHighestSequenceNumber: statistics.extendedHighest,
            interarrivalJitter: statistics.jitter,
            lastSenderReport: latest?.middle ?? 0, delaySinceLastSenderReport: UInt32(truncatingIfNeeded: held))
    }

    private mutating func datagram(_ bytes: [UInt8], flow: UInt16, number: UInt32, at now: Instant) -> Packet {
        let slot = pool.allocate()
        pool.mutableBytes(slot).copyBytes(from: bytes)
        return Packet(
            time: now, sent: now, slot: slot, number: number, length: UInt16(bytes.count + Self.networkHeaderLength),
            flow: flow, differentiatedServices: configuration.classes.reports)
    }

    /// A sender report has arrived at a receiver.
    mutating func receiveSenderReport(_ packet: Packet, receiver index: Int, at now: Instant) {
        defer { pool.release(packet.slot) }
        let length = Int(packet.length) - Self.networkHeaderLength
        digest.add(8, Int64(packet.number), now.nanoseconds, Int64(index), 0)
        guard let compound = try? RTCPCompound(parsing: pool.bytes(packet.slot, count: length).bytes) else { return }
        receivers[index].reports?.note(ipBytes: Int(packet.length))
        // Receivers hear the sender alone, which tells them how many they are (RFC 5760 §7.1.9); its reports are taken
        // to say so.
        let members = 1 + receivers.count
        receivers[index].reports?.setMembers(members, senders: 1)
        for case .senderReport(let report) in compound.packets {
            receivers[index].latestSenderReport = (report.ntpTimestamp.middle, receivers[index].clock.reading(at: now))
        }
    }

    /// A receiver's report has arrived at the sender: the round trip is measured (RFC 3550 §6.4.1).
    mutating func deliverToSender(_ packet: Packet, at now: Instant) {
        capture(packet, .sender, at: now)
        defer { pool.release(packet.slot) }
        let length = Int(packet.length) - Self.networkHeaderLength
        let index = Int(packet.flow) - Int(Self.firstReceiverReportFlow)
        digest.add(9, Int64(packet.number), now.nanoseconds, Int64(index), 0)
        guard !hasWrongChecksum(packet), receivers.indices.contains(index),
            let compound = try? RTCPCompound(parsing: pool.bytes(packet.slot, count: length).bytes)
        else { return }
        senderReports?.note(ipBytes: Int(packet.length))
        if !receivers[index].hasReported {
            receivers[index].hasReported = true
            let members = 1 + receivers.count { $0.hasReported }
            senderReports?.setMembers(members, senders: 1)
        }
        let arrival = NTPTimestamp(sender.clock.reading(at: now)).middle
        for case .receiverReport(let report) in compound.packets {
            for block in report.reports where block.lastSenderReport != 0 {
                let units = Int32(
                    bitPattern: arrival &- block.lastSenderReport &- block.delaySinceLastSenderReport)
                let roundTrip = MediaClock.span(ticks: Int64(units), rate: 65_536)
                receivers[index].ledger.roundTrip.add(max(0, roundTrip.nanoseconds))
            }
        }
    }
}
