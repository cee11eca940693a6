import Receiver
import Timebase

extension ExperimentScenario {
    /// A receiver, or many of the same kind.
    public struct Receiver: Equatable, Sendable {
        /// Letters, digits, `_` and `-`; of an expanded one also `.` and its number.
        var id: String
        var playout: Playout
        var anchor: Anchor
        var late: LatePolicy
        var clockRecovery: ClockRecovery
        var lipSync: LipSync
        var concealment: Concealed
        /// Whether it takes datagrams whose checksum is wrong.
        var deliversCorrupted: Bool
        /// 1...10,000: how many such receivers there are.
        public var count: Int
        /// Its own links after the shared ones.
        var lastLinks: [Link]
        var clock: Clock

        /// How the delay of playout is chosen.
        enum Playout: Equatable, Sendable { case fixed(TimeSpan) }
        /// What releases count from.
        enum Anchor: String, Sendable, CaseIterable {
            /// The arrival of the first datagram.
            case firstArrival = "first-arrival"
            /// The instants of sending, by the synchronized clock.
            case senderClock = "sender-clock"
        }
        /// What becomes of a datagram that comes after its release.
        enum LatePolicy: String, Sendable, CaseIterable { case drop, present }
        /// How the receiver follows the sender's clock.
        enum ClockRecovery: String, Sendable, CaseIterable {
            case none, pcr
            case windowMinimum = "window-min"
            case rtcp
        }
    }

    struct LipSync: Equatable, Sendable {
        var correction: Correction
        /// What a correction leaves alone.
        var deadband: TimeSpan
        /// The most by which one report moves a session.
        var step: TimeSpan
        /// Which instant a sender's report is taken to tell of.
        var reports: ReportTime
        var profile: LipSyncProfile

        enum Correction: String, Sendable, CaseIterable {
            case none
            /// By the sender's reports, which say when what was captured.
            case rtcp
        }

        enum ReportTime: String, Sendable, CaseIterable {
            case stamp, arrival
        }
    }
}

// MARK: - Declaration

extension ExperimentScenario.Receiver {
    private static let playouts = Choice<Playout>(
        [
            Alternative(
                "fixed", .time(ExperimentScenario.delays),
                "A datagram is released so long after it would have arrived with the anchor's delay.",
                embed: Playout.fixed
            ) { if case .fixed(let delay) = $0 { delay } else { nil } }.like("150ms")
        ], unsupported: ["adaptive"])

    /// One host's addresses: 10.0.1.1 upward.
    private static let most = 10_000

    static let record = Record<Self>(
        Self(
            id: "receiver", playout: .fixed(.milliseconds(150)), anchor: .firstArrival, late: .drop,
            clockRecovery: .none, lipSync: ExperimentScenario.LipSync.record.initial,
            concealment: ExperimentScenario.Concealed.record.initial, deliversCorrupted: false, count: 1, lastLinks: [],
            clock: .perfect),
        [
            .key("id", \.id, .identifier, "What results call it; each of several must have one.")
                .usually("receiver, of one alone").like("tv"),
            .key("playout", \.playout, playouts.kind(), "How long datagrams are held before they are used."),
            .key(
                "anchor", \.anchor, .words(),
                "What playout counts from: the delay of the first datagram, or the sender's clock by its reports and the receiver's synchronized clock (until the first report the former)."
            ).like("sender-clock"),
            .key(
                "late", \.late, .words(), "What becomes of a datagram that comes after its release."),
            .key(
                "clock_recovery", \.clockRecovery, .words(),
                "How the receiver follows the sender's clock, from the first datagram's delay on: a phase-locked loop on the times by clock references, the least delay of the latest 2 s, a line through the arrivals of sender reports; none: it plays at its own rate."
            ).like("window-min"),
            .key(
                "lip_sync", \.lipSync, ExperimentScenario.LipSync.record.kind(),
                "How audio and video are kept together."
            )
            .like("{ profile: ebu-r37 }"),
            .key(
                "concealment", \.concealment, ExperimentScenario.Concealed.record.kind(),
                "What is done about units that are missing or wrong when they are due."
            ).like("{ video: freeze, audio: repeat }"),
            .key(
                "deliver_corrupted", \.deliversCorrupted, .truth,
                "Whether the receiver takes datagrams whose checksum is wrong."
            ).like("true"),
            .key("count", \.count, .integer(1...most), "How many such receivers there are: id.1, id.2, ...").like("3"),
            .key(
                "last_links", \.lastLinks,
                Link.record.kind(isBlock: true).list(most: (100, "links"), isBlock: true),
                "Links of its own, after the shared ones."
            ).like("[ { delay: 5ms } ]"),
            .key("clock", \.clock, ExperimentScenario.Clock.record.kind(), "Its clock, if not that of all receivers.")
                .usually("clocks.receivers").like("{ offset: 5ms, frequency: 10 ppm }"),
        ])

    static let list = record.kind(isBlock: true).list(
        empty: Missing(statement: "there is no receiver", expected: "at least one"), isBlock: true
    ).checked { receivers, reader in
        let elements = reader.elements ?? []
        elements.reportDuplicateIDs()
        var total = 0
        for (element, receiver) in zip(elements, receivers) {
            if elements.count > 1, !element.has("id") {
                element["id"].report(Missing(expected: "a name, such as id: tv"))
            }
            if receiver.id == "sender" {
                element["id"].reportInvalid(expected: "another name than the sender's")
            }
            total += receiver.count
            if total > most, total - receiver.count <= most {
                element["count"].report("\(total) receivers", expected: "at most \(most) altogether")
            }
        }
    }
}

extension ExperimentScenario.Receiver.ClockRecovery {
    var mechanism: ClockRecovery {
        switch self {
        case .none: .none
        case .pcr: .clockReferences
        case .windowMinimum: .windowMinimum
        case .rtcp: .senderReports
        }
    }
}

extension ExperimentScenario.LipSync {
    static let record = Record<Self>(
        // As GStreamer's rtpbin ignores 4 ms, and libwebrtc moves no more than 80 ms at once.
        Self(
            correction: .none, deadband: .milliseconds(4), step: .milliseconds(80), reports: .stamp,
            profile: .ituBT1359),
        [
            .key(
                "correction", \.correction, .words(),
                "What is done about skew; rtcp, of rtp-separate: what comes early waits for what comes late, by the sender's reports."
            ).like("none"),
            .key(
                "deadband", \.deadband, .time(ExperimentScenario.delays), "The skew that a correction leaves alone."),
            .key(
                "step", \.step, .time(.microseconds(1)...ExperimentScenario.delays.upperBound),
                "The most by which one report moves a substream."),
            .key(
                "reports", \.reports, .words(),
                "Which instant the timestamp in a report is taken to be of: that which the sender stamped, or, as with relays that write reports of their own, that at which it came; then skew stays by as much as one substream takes longer on its way."
            ).like("stamp"),
            .key("profile", \.profile, .words(), "Whose tolerances it is judged by.").like("ebu-r37"),
        ])
}
