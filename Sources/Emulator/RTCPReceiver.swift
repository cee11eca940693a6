import Receiver
import Timebase
import Wire

/// RTCP at a receiver (RFC 3550 §6): it reports how the program comes in to the sender, which alone it hears.
struct RTCPReceiver: Agent {
    private var timer: RTCPTimer
    private let name: String
    /// What the sender's reports are taken to say: how many there are, all receivers and the sender (RFC 5760 §7.1.9).
    private let members: Int
    private var status: MediaStatus.Receiving?
    private var fractionLost = FractionLost()
    /// The middle of the latest sender report's NTP timestamp, and when it came.
    private var latestReport: (middle: UInt32, arrival: LocalInstant)?
    private var outputs: [AgentOutput] = []
    /// With whom it plays together; nil: with nobody.
    private let group: SynchronizationGroup?

    /// - Parameters:
    ///   - name: the canonical name (§6.5.1).
    ///   - members: of the session, this one among them, once the sender has been heard.
    init(_ timer: RTCPTimer, name: String, members: Int, group: SynchronizationGroup? = nil) {
        self.timer = timer
        self.name = name
        self.members = members
        self.group = group
    }

    var nextTimeout: LocalInstant { timer.nextTimeout }

    mutating func take(_ status: MediaStatus) {
        if case .receiving(let receiving) = status { self.status = receiving }
    }

    mutating func handleTimeout(at now: LocalInstant) {
        guard timer.handleTimeout(at: now) else { return }
        var reports: [ReceptionReport] = []
        if let status, status.received > 0 { reports.append(report(status, at: now)) }
        var compound = RTCPCompound([
            .receiverReport(.init(ssrc: timer.ssrc, reports: reports)),
            .sourceDescription([.init(ssrc: timer.ssrc, cname: name)]),
        ])
        if let group, let status, let playout = status.playout {
            var report = SynchronizationReport(ssrc: timer.ssrc, source: status.source, group: group.id)
            report.payloadType = group.payloadType
            report.received = NTPTimestamp(playout.received)
            report.rtpTimestamp = playout.rtpTimestamp
            report.presented = NTPTimestamp(playout.presented).middle
            compound.packets.append(report.packet)
        }
        timer.note(payloadBytes: compound.bytes.count)
        outputs.append(.send(compound.bytes, flow: 0))
    }

    private mutating func report(
        _ status: MediaStatus.Receiving, at now: LocalInstant
    ) -> ReceptionReport {
        let held = latestReport.map { MediaClock.ticks(now - $0.arrival, rate: 65_536) } ?? 0
        var report = ReceptionReport(
            ssrc: status.source,
            fractionLost: fractionLost.take(expected: status.expected, received: status.received),
            cumulativeLost: status.cumulativeLost, extendedHighestSequenceNumber: status.extendedHighest,
            interarrivalJitter: status.jitter)
        report.lastSenderReport = latestReport?.middle ?? 0
        report.delaySinceLastSenderReport = UInt32(truncatingIfNeeded: held)
        return report
    }

    mutating func handle(_ payload: RawSpan, flow: Int, at now: LocalInstant) {
        guard let compound = try? RTCPCompound(parsing: payload) else { return }
        timer.note(payloadBytes: payload.byteCount)
        timer.setMembers(members, senders: 1)
        for case .senderReport(let report) in compound.packets {
            latestReport = (report.ntpTimestamp.middle, now)
            let shown = report.ntpTimestamp.local(near: now)
            outputs.append(.tell(.report(rtpTimestamp: report.rtpTimestamp, shown: shown)))
        }
        guard let group else { return }
        for settings in compound.packets.compactMap({ SynchronizationSettings($0) }) where settings.group == group.id {
            let presented = settings.presented.local(near: now)
            outputs.append(.tell(.settings(rtpTimestamp: settings.rtpTimestamp, presented: presented)))
        }
    }

    mutating func pollOutput() -> AgentOutput? { outputs.isEmpty ? nil : outputs.removeFirst() }

    mutating func stop() { timer.stop() }
}
