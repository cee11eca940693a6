import Capture
import Timebase
import Wire

extension CaptureAnalyzer {
    /// Whether RTCP in clear is to be expected there.
    func isRTCPPort(_ flow: Flow) -> Bool {
        if flow.isEncrypted { return false }
        let port = flow.key.destination.port
        if !flow.streams.isEmpty { return true }
        if let described = options.descriptions.first(where: { $0.isRTP && $0.rtcpPort == port }) {
            return !described.isSecure
        }
        guard port & 1 == 1, flow.key.source.port > 0 else { return false }
        var media = flow.key
        media.destination.port -= 1
        media.source.port &-= 1
        return flows[media].map { $0.isMedia && !$0.isEncrypted } ?? false
    }

    /// Whether it was a compound RTCP packet that can be read.
    func addRTCP(_ flow: Flow, _ datagram: Datagram, _ payload: RawSpan) -> Bool {
        guard
            let compound = try? RTCPCompound(parsing: payload, allowsReducedSize: flow.isMedia || isRTCPPort(flow))
        else { return false }
        let report = PendingReport(key: flow.key, instant: datagram.instant, packets: compound.packets)
        take(report, only: nil)
        if reports.count == Self.maximumReports { reports.removeFirst() }
        reports.append(report)
        return true
    }

    /// Gives a report to the streams it is about, or to one of them alone.
    func take(_ report: PendingReport, only: RTPStream?) {
        func each(_ ssrc: UInt32, isOwn: Bool, _ body: (RTPStream) -> Void) {
            for stream in only.map({ [$0] }) ?? streamsBySSRC[ssrc] ?? [] where stream.ssrc == ssrc {
                // Its own report goes the way of the stream; one about it comes back, or to everybody.
                let source = isOwn ? stream.source.address : stream.destination.address
                let matches =
                    source == report.key.source.address
                    || !isOwn && stream.destination.address.isMulticast
                if matches { body(stream) }
            }
        }
        func blocks(_ blocks: [ReceptionReport]) {
            for block in blocks { each(block.ssrc, isOwn: false) { $0.take(block, at: report.instant) } }
        }
        for packet in report.packets {
            switch packet {
            case .senderReport(let sender):
                each(sender.ssrc, isOwn: true) {
                    if $0.destination.address == report.key.destination.address { $0.take(sender, at: report.instant) }
                }
                blocks(sender.reports)
            case .receiverReport(let receiver): blocks(receiver.reports)
            case .sourceDescription(let chunks):
                for chunk in chunks { each(chunk.ssrc, isOwn: true) { $0.take(chunk) } }
            case .goodbye(let goodbye): for ssrc in goodbye.sources { each(ssrc, isOwn: true) { $0.takeGoodbye() } }
            case .other: break
            }
        }
    }
}
