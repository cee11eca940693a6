import Timebase
import Wire

/// RTCP at the program's sender (RFC 3550 §6): it reports to all receivers, and measures the round trip to each from
/// what they report.
///
/// It runs on the free-running clock; what its reports say the time is comes with the status.
struct RTCPSender: Agent {
    private var timer: RTCPTimer
    private let name: String
    private var status: MediaStatus.Sending?
    /// Incoming flows on which reports have come: the receivers that it has heard of.
    private var heard: Set<Int> = []
    /// The middle of each of the latest reports' timestamps, and by how much it was ahead of the free-running clock.
    private var reports: [(middle: UInt32, ahead: TimeSpan)] = []
    /// Reports to which answers may still come: more than are under way at the shortest interval.
    private static let reportCount = 64
    private var outputs: [AgentOutput] = []
    private let saysGoodbye: Bool
    /// Where receivers play together.
    private var server: SynchronizationServer?
    /// When it was told to stop, until its goodbye has been sent.
    private var leaving: LocalInstant?

    /// - Parameters:
    ///   - name: the canonical name (§6.5.1).
    ///   - saysGoodbye: whether it sends a BYE when it stops (§6.6).
    init(_ timer: RTCPTimer, name: String, saysGoodbye: Bool = false, group: SynchronizationGroup? = nil) {
        self.timer = timer
        self.name = name
        self.saysGoodbye = saysGoodbye
        server = group.map { SynchronizationServer(group: $0.id, clockRate: $0.clockRate) }
        self.timer.setMembers(1, senders: 1)
    }

    var nextTimeout: LocalInstant { leaving ?? timer.nextTimeout }

    mutating func take(_ status: MediaStatus) {
        if case .sending(let sending) = status { self.status = sending }
    }

    mutating func handleTimeout(at now: LocalInstant) {
        let isLeaving = leaving != nil
        leaving = nil
        guard isLeaving || timer.handleTimeout(at: now), let status else { return }
        let report = RTCPPacket.SenderReport(
            ssrc: status.ssrc, ntpTimestamp: NTPTimestamp(status.time), rtpTimestamp: status.rtpTimestamp,
            packetCount: status.packetCount, octetCount: status.octetCount)
        if reports.count == Self.reportCount { reports.removeFirst() }
        reports.append((report.ntpTimestamp.middle, status.time - now))
        var compound = RTCPCompound([
            .senderReport(report), .sourceDescription([.init(ssrc: status.ssrc, cname: name)]),
        ])
        if let settings = server?.settings(ssrc: status.ssrc) { compound.packets.append(settings.packet) }
        if isLeaving { compound.packets.append(.goodbye(.init(sources: [status.ssrc]))) }
        timer.note(payloadBytes: compound.bytes.count)
        outputs.append(.send(compound.bytes, flow: 0))
    }

    /// A receiver's report: the round trip is measured (§6.4.1).
    mutating func handle(_ payload: RawSpan, flow: Int, at now: LocalInstant) {
        guard let compound = try? RTCPCompound(parsing: payload) else { return }
        timer.note(payloadBytes: payload.byteCount)
        if heard.insert(flow).inserted { timer.setMembers(1 + heard.count, senders: 1) }
        if server != nil {
            for report in compound.packets.compactMap({ SynchronizationReport($0) }) { server?.take(report) }
        }
        for case .receiverReport(let report) in compound.packets {
            for block in report.reports where block.lastSenderReport != 0 {
                // By the clock as it was when the report went out: a step since then is no part of the round trip.
                guard let ahead = reports.last(where: { $0.middle == block.lastSenderReport })?.ahead else { continue }
                let arrival = NTPTimestamp(now + ahead).middle
                let units = Int32(
                    bitPattern: arrival &- block.lastSenderReport &- block.delaySinceLastSenderReport)
                let roundTrip = MediaClock.span(ticks: Int64(units), rate: 65_536)
                outputs.append(.tell(.roundTrip(max(.zero, roundTrip), flow: flow)))
            }
        }
    }

    mutating func pollOutput() -> AgentOutput? { outputs.isEmpty ? nil : outputs.removeFirst() }

    mutating func stop() {
        // Whoever has sent says so at once where it is one of fewer than fifty (§6.3.7).
        if saysGoodbye, timer.isActive { leaving = timer.previous }
        timer.stop()
    }
}
