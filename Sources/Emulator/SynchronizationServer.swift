import Sender
import Timebase
import Wire

/// Receivers that play together, by one stream of theirs.
struct SynchronizationGroup: Sendable {
    /// The media stream correlation identifier.
    let id: UInt32
    /// Of the stream.
    let payloadType: UInt8
    /// Hz of the stream's timestamps.
    let clockRate: Int64
}

extension WorldConfiguration {
    /// The identifier of the only group that there is.
    public static let synchronizationGroupID: UInt32 = 1

    /// Those that play together by a session: by the first one, with which the others go.
    func synchronizationGroup(_ session: Int) -> SynchronizationGroup? {
        guard playsTogether, session == 0, let rate = clockRate(session) else { return nil }
        let type = sessions?.plan.sessions[session].format.payloadType ?? RTPPacketizer.transportStreamPayloadType
        return SynchronizationGroup(
            id: Self.synchronizationGroupID, payloadType: type, clockRate: Int64(rate))
    }
}

/// The media synchronization application server of receivers that play together (RFC 7272 §5.1): it hears when each
/// presents a packet, and tells all to present as late as the one that does so last.
struct SynchronizationServer: Sendable {
    /// A receiver's latest report.
    private struct Latest: Sendable {
        var report: SynchronizationReport
        /// When the packet is presented, all 64 bits.
        var presented: UInt64
    }

    private let group: UInt32
    /// Hz of the stream's timestamps.
    private let clockRate: Int64
    private var latest: [Latest] = []

    init(group: UInt32, clockRate: Int64) {
        self.group = group
        self.clockRate = clockRate
    }

    /// Takes a receiver's report; one of another group, or without a presentation, says nothing.
    mutating func take(_ report: SynchronizationReport) {
        guard report.group == group, let middle = report.presented else { return }
        let ahead = Int64(Int32(bitPattern: middle &- report.received.middle))
        let presented = (report.received.rawValue & ~0xffff) &+ UInt64(bitPattern: ahead << 16)
        let entry = Latest(report: report, presented: presented)
        if let index = latest.firstIndex(where: { $0.report.ssrc == report.ssrc }) {
            latest[index] = entry
        } else {
            latest.append(entry)
        }
    }

    /// What all are to be told now; nil before the first report.
    ///
    /// - Parameter ssrc: who tells them.
    func settings(ssrc: UInt32) -> SynchronizationSettings? {
        guard let first = latest.first else { return nil }
        func lag(_ other: Latest) -> Int64 {
            let ticks = Int64(Int32(bitPattern: other.report.rtpTimestamp &- first.report.rtpTimestamp))
            let media = ticks.scaled(by: 1 << 32, over: clockRate)
            return Int64(bitPattern: other.presented &- first.presented) - media
        }
        // Of equals the one that was heard of first.
        let last = latest.reduce(first) { lag($1) > lag($0) ? $1 : $0 }
        var settings = SynchronizationSettings(ssrc: ssrc, source: last.report.source, group: group)
        settings.received = last.report.received
        settings.rtpTimestamp = last.report.rtpTimestamp
        settings.presented = NTPTimestamp(rawValue: last.presented)
        return settings
    }
}
