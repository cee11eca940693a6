import Metrics
import Timebase

extension Catalog {
    static let substreams = CatalogList<SubstreamMeasurements>(
        "substreams", "Each substream as each receiver presents it.", selectors: ["id", "receiver"],
        labels: [["id"], ["id", "receiver"]],
        [
            .text("id", "The substream's id.") { $0.id },
            .text("kind", "'video', 'audio' or 'data'.") { $0.kind },
            .text("receiver", "The receiver's id.") { $0.receiver },
            .group(
                "sent", "What the sender multiplexed.",
                [
                    .count("units", label: "sent", "Access units.") { $0.sentUnits },
                    .whole("bytes", .bytes, "Bytes of the elementary stream, without PES headers.") { $0.sentBytes },
                    .whole(
                        "bitrate_bps", .bitsPerSecond,
                        "These bytes' bits over the program's time, from first presentation to last unit's end."
                    ) { $0.sentBitsPerSecond },
                ]),
            presented,
            decodable,
            .group(
                "impaired_ns", "How long the impaired units last, on the program's timeline.",
                [
                    .nanoseconds("total", worse: .up, label: "impaired", "All of them together.") {
                        $0.impairedTime.total.nanoseconds
                    },
                    .nanoseconds("longest", worse: .up, "The longest time that one follows the other.") {
                        $0.impairedTime.longest.nanoseconds
                    },
                ]),
            .distribution(
                "end_to_end_delay_ns", worse: .up, label: "delay",
                "From a unit's capture to its presentation, in true time, of the units presented."
            ) { $0.endToEndDelay },
            freezes,
        ])

    private static let presented = CatalogMember<SubstreamMeasurements>.group(
        "presented", "What became of the units sent: on_time + late + missing + damaged.",
        [
            .count("on_time", worse: .down, "Units that were whole by the time of their presentation.") { $0.onTime },
            .count("late", worse: .up, "Units that arrived whole, but after the time of their presentation.") {
                $0.late
            },
            .count("missing", worse: .up, "Units of which nothing came, or too little to know when they are due.") {
                $0.missing
            },
            .count("damaged", worse: .up, "Units of which a part never came, or came changed.") { $0.damaged },
            .count(
                "concealed", worse: .up,
                "Units in whose place a guess was shown or heard, by receivers.concealment; null where nothing is concealed."
            ) {
                $0.concealed
            },
        ])

    private static let decodable = CatalogMember<SubstreamMeasurements>.group(
        "decodable",
        "What a decoder makes of the units, by what they refer to: intact + impaired + undecodable + presented.missing.",
        [
            .count("intact", worse: .down, "Units that are what they were sent as, with all that they refer to.") {
                $0.intact
            },
            .count(
                "impaired", worse: .up,
                "Units that are decoded, but wrong: of them or of what they refer to is missing."
            ) {
                $0.impaired
            },
            .count(
                "undecodable", worse: .up, "Units before which no random access point came, or of which no slice did."
            ) { $0.undecodable },
        ])

    private static let freezes = CatalogMember<SubstreamMeasurements>.group(
        "freezes",
        "Pictures shown that stood 3 times the mean of the last 30 and 150 ms above it (W3C webrtc-stats freezeCount).",
        [
            .count("count", worse: .up, label: "freezes", "How many, one before the first and one at the end too.") {
                $0.freezes?.count
            },
            .nanoseconds("total_ns", worse: .up, "How long they stood together (totalFreezesDuration).") {
                $0.freezes?.total.nanoseconds
            },
            .nanoseconds("longest_ns", worse: .up, "How long the longest stood.") { $0.freezes?.longest.nanoseconds },
        ])

    static let lipSync = CatalogList<LipSyncMeasurements>(
        "lip_sync", "Each audio and video substream of one receiver.", selectors: ["receiver", "audio", "video"],
        labels: [["receiver"], ["receiver", "audio", "video"]],
        [
            .text("receiver", "The receiver's id.") { $0.receiver },
            .text("audio", "The audio substream's id.") { $0.audio },
            .text("video", "The video substream's id.") { $0.video },
            .text("profile", "By whose tolerances the receiver is judged: the scenario's lip_sync.profile.") {
                $0.profile
            },
            .distribution(
                "skew_ns", worse: .awayFromZero, label: "skew",
                "Media time heard less shown, by time: count is milliseconds; positive: audio early (ITU-R BT.1359)."
            ) { $0.skew },
            .ratio(
                "coverage", worse: .down, label: "coverage",
                "The share of the time from the first presentation to the program's end in which both media played."
            ) { $0.coverage },
            .group(
                "within", "The share of the skew's time inside the limits of a standard.",
                [
                    .ratio(
                        "itu_detectability", worse: .down, label: "ITU detect", "+45 to -125 ms (ITU-R BT.1359-1)."
                    ) {
                        $0.withinITUDetectability
                    }.needing(.of("skew_ns.count", least: 100)),
                    .ratio(
                        "itu_acceptability", worse: .down, label: "ITU accept", "+90 to -185 ms (ITU-R BT.1359-1)."
                    ) {
                        $0.withinITUAcceptability
                    }.needing(.of("skew_ns.count", least: 100)),
                    .ratio(
                        "ebu_r37", worse: .down, label: "EBU R37",
                        "+40 to -60 ms (EBU R 37)."
                    ) { $0.withinEBUR37 }.needing(.of("skew_ns.count", least: 100)),
                    .ratio(
                        "atsc_is191", worse: .down, label: "ATSC IS-191",
                        "+15 to -45 ms (ATSC IS-191)."
                    ) {
                        $0.withinATSCIS191
                    }.needing(.of("skew_ns.count", least: 100)),
                    .ratio(
                        "steinmetz", worse: .down, label: "Steinmetz", "+80 to -80 ms (Steinmetz 1996, in sync)."
                    ) {
                        $0.withinSteinmetz
                    }.needing(.of("skew_ns.count", least: 100)),
                    .ratio(
                        "profile", worse: .down, "Those of the receiver's profile, of ITU-R BT.1359-1 detectability."
                    ) {
                        $0.withinProfile
                    }.needing(.of("skew_ns.count", least: 100)),
                ]),
            coveredWithin,
            .whole(
                "slope_ns_per_s", .nanosecondsPerSecond, worse: .awayFromZero,
                "The least-squares slope of the skew over true time; null where it is less than 3 standard errors."
            ) { $0.slopeNanosecondsPerSecond }.needing(.of("skew_ns.count", least: 3)),
            .whole(
                "slope_stderr_ns_per_s", .nanosecondsPerSecond,
                "One standard error of the slope, from means over a second each; null of less than 10 seconds."
            ) { $0.slopeStandardErrorNanosecondsPerSecond },
        ])

    private static let coveredWithin = CatalogMember<LipSyncMeasurements>.group(
        "covered_within",
        "The share of the program's time in which both media really played inside the limits of a standard.",
        [
            .ratio(
                "itu_detectability", worse: .down,
                "+45 to -125 ms (ITU-R BT.1359-1)."
            ) {
                $0.coveredITUDetectability
            }.needing(.of("skew_ns.count", least: 100)),
            .ratio(
                "itu_acceptability", worse: .down,
                "+90 to -185 ms (ITU-R BT.1359-1)."
            ) {
                $0.coveredITUAcceptability
            }.needing(.of("skew_ns.count", least: 100)),
            .ratio("ebu_r37", worse: .down, "+40 to -60 ms (EBU R 37).") {
                $0.coveredEBUR37
            }.needing(.of("skew_ns.count", least: 100)),
            .ratio(
                "atsc_is191", worse: .down, "+15 to -45 ms (ATSC IS-191)."
            ) { $0.coveredATSCIS191 }.needing(.of("skew_ns.count", least: 100)),
            .ratio("steinmetz", worse: .down, "+80 to -80 ms (Steinmetz 1996, in sync).") {
                $0.coveredSteinmetz
            }.needing(.of("skew_ns.count", least: 100)),
            .ratio(
                "profile", worse: .down, "Those of the receiver's profile, of ITU-R BT.1359-1 detectability."
            ) { $0.coveredProfile }.needing(.of("skew_ns.count", least: 100)),
        ])

    static let playout = CatalogList<PlayoutMeasurements>(
        "playout", "The playout buffer of each receiver, of rtp-separate of each of its sessions.",
        selectors: ["receiver", "flow"], labels: [["receiver"], ["flow"]],
        [
            .text("receiver", "The receiver's id.") { $0.receiver },
            .text("flow", "The id of the flow whose datagrams it holds.") { $0.flow },
            .text("algorithm", "How the delay is chosen: 'fixed'.") { $0.algorithm },
            .distribution(
                "delay_ns", "From a datagram's arrival to its release, by the receiver's clock, of those used."
            ) {
                $0.delay
            },
            .distribution("buffer_ns", "How long what waits will last, at each release.") { $0.buffer },
            .count(
                "underruns", worse: .up,
                "Times the buffer was empty when a release was due, judged then; a row of them is one."
            ) {
                $0.underruns
            },
            .count("overflows", worse: .up, "Datagrams that found the buffer full.") { $0.overflows },
            .count("commands", "Playback commands that the receiver did; null without any in the run.") { $0.commands },
            .nanoseconds("paused_ns", "For how long it stood still on command.") { $0.pausedNanoseconds },
            .nanoseconds(
                "position_ns", "Where its playback stood on the program's timeline when the sources stopped."
            ) { $0.positionNanoseconds },
        ])
}
