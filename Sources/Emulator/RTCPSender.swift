import Timebase
import Wire

/// RTCP at the program's sender (RFC 3550 §6): it reports to all receivers, and measures the round trip to each from
/// what they report.
struct RTCPSender: Agent {
    private var timer: RTCPTimer
    private let name: String
    private var status: MediaStatus.Sending?
    /// Incoming flows on which reports have come: the receivers that it has heard of.
    private var heard: Set<Int> = []
    private var outputs: [AgentOutput] = []

    /// - Parameter name: the canonical name (§6.5.1).
    init(_ timer: RTCPTimer, name: String) {
        self.timer = timer
        self.name = name
        self.timer.setMembers(1, senders: 1)
    }

    var nextTimeout: LocalInstant { timer.nextTimeout }

    mutating func take(_ status: MediaStatus) {
        if case .sending(let sending) = status { self.status = sending }
    }

    mutating func handleTimeout(at now: LocalInstant) {
        guard timer.handleTimeout(at: now), let status else { return }
        let report = RTCPPacket.SenderReport(
            ssrc: status.ssrc, ntpTimestamp: NTPTimestamp(now), rtpTimestamp: status.rtpTimestamp,
            packetCount: status.packetCount, octetCount: status.octetCount)
        let compound = RTCPCompound([
            .senderReport(report), .sourceDescription([.init(ssrc: status.ssrc, cname: name)]),
        ])
        timer.note(payloadBytes: compound.bytes.count)
        outputs.append(.send(compound.bytes, flow: 0))
    }

    /// A receiver's report: the round trip is measured (§6.4.1).
    mutating func handle(_ payload: RawSpan, flow: Int, at now: LocalInstant) {
        guard let compound = try? RTCPCompound(parsing: payload) else { return }
        timer.note(payloadBytes: payload.byteCount)
        if heard.insert(flow).inserted { timer.setMembers(1 + heard.count, senders: 1) }
        let arrival = NTPTimestamp(now).middle
        for case .receiverReport(let report) in compound.packets {
            for block in report.reports where block.lastSenderReport != 0 {
                let units = Int32(
                    bitPattern: arrival &- block.lastSenderReport &- block.delaySinceLastSenderReport)
                let roundTrip = MediaClock.span(ticks: Int64(units), rate: 65_536)
                outputs.append(.tell(.roundTrip(max(.zero, roundTrip), flow: flow)))
            }
        }
    }

    mutating func pollOutput() -> AgentOutput? { outputs.isEmpty ? nil : outputs.removeFirst() }

    mutating func stop() { timer.stop() }
}
