import Metrics

extension Catalog {
    static let flows = CatalogList<FlowMeasurements>(
        "flows", "The program's datagrams as each receiver gets them; repair and cross traffic are not among them.",
        selectors: ["id", "receiver"], labels: [["receiver"], ["id", "receiver"]],
        [
            .text("id", "Which flow it is: 'program', or of rtp-separate receiver and substream: 'tv.video'.") {
                $0.id
            },
            .text("receiver", "The receiver's id.") { $0.receiver },
            .text(
                "carriage",
                "'ts-udp' (transport packets in UDP), 'ts-rtp' (in RTP, RFC 2250) or 'rtp-separate' (sessions of their own)."
            ) { $0.carriage },
            packets,
            .group(
                "repair", "Datagrams of repair, which are not counted in packets.",
                [
                    .count("sent", "FEC and retransmitted datagrams that were sent.") { $0.repairSent },
                    .count("delivered", "FEC and retransmitted datagrams that arrived.") { $0.repairDelivered },
                ]),
            bitRate,
        ] + delays + losses)

    private static let packets = CatalogMember<FlowMeasurements>.group(
        "packets",
        "Datagrams, each with one fate: sent + duplicated = delivered + lost_link + lost_node + dropped_queue + dropped_checksum.",
        [
            .count("sent", "Datagrams that the sender handed to its first link, or was to: see lost_node.") { $0.sent },
            .count("duplicated", worse: .up, "Copies that links made.") { $0.duplicated },
            .count("delivered", worse: .down, "Datagrams that arrived whole: each is used, late or a duplicate.") {
                $0.delivered
            },
            .count("lost_link", worse: .up, "Datagrams that loss models or outages of a link took.") { $0.lostLink },
            .count(
                "lost_node", worse: .up,
                "Datagrams that a fault took at the sender, before its first link, or at the receiver, behind the last."
            ) { $0.lostNode },
            .count("dropped_queue", worse: .up, "Datagrams dropped by a full queue, a managed one or a policer.") {
                $0.droppedQueue
            },
            .count("dropped_checksum", worse: .up, "Datagrams that arrived with a wrong UDP checksum (RFC 768).") {
                $0.droppedChecksum
            },
            .count(
                "late", worse: .up,
                "Delivered datagrams of no use: over 1/90,000 s after their release, with the buffer full, or in a receiver that crashed."
            ) { $0.late },
            .count("duplicates", worse: .up, "Delivered datagrams of which a copy had come before.") {
                $0.duplicates
            },
            .count("reordered", worse: .up, "First copies that came after a larger number (RFC 4737 section 3).") {
                $0.quality.reordered ?? 0
            },
            .count("ecn_marked", "Datagrams that a queue marked in place of a drop (RFC 3168 section 5).") {
                $0.marked
            },
            .count("repaired_fec", "Datagrams that never arrived and that forward error correction restored.") {
                $0.repairedFEC
            },
            .count("repaired_retransmission", "Datagrams that never arrived at first and were sent again in time.") {
                $0.repairedRetransmission
            },
            .count("unrepaired", worse: .up, "Datagrams of which no copy arrived and none was repaired.") {
                $0.unrepaired
            },
        ])

    private static let bitRate = CatalogMember<FlowMeasurements>.group(
        "bitrate_bps", "Rates of the flow's IP packets; the last packet's bits do not count, as the time ends with it.",
        [
            .whole("sent", .bitsPerSecond, "IP bits a second from the first datagram sent to the last.") {
                $0.sentBitsPerSecond
            },
            .whole(
                "delivered", .bitsPerSecond, worse: .down,
                "IP bits a second from the first arrival to the last; late datagrams and copies count."
            ) { $0.quality.bitsPerSecond },
            .whole(
                "used", .bitsPerSecond, worse: .down,
                "IP bits a second of what was neither late nor a copy, over the time in which the flow was sent."
            ) { $0.usedBitsPerSecond },
            .whole(
                "used_by_receiver", .bitsPerSecond, worse: .down,
                "The same of all the program's flows to the receiver together: of a multiplex there is one."
            ) { $0.usedBitsPerSecondOfReceiver },
            .ratio(
                "overhead_ratio", worse: .up, label: "overhead",
                "The share of the bytes sent that is not media: headers of IP, UDP, RTP, TS and PES, tables, null packets."
            ) { $0.overheadRatio },
        ])

    private static let delays: [CatalogMember<FlowMeasurements>] = [
        .distribution(
            "one_way_delay_ns", worse: .up, label: "one-way delay, true",
            "From the handing to the first link to the arrival of the last bit, in true time (RFC 7679), all delivered."
        ) { $0.quality.oneWayDelay },
        // The receiver's reading includes its clock's offset: smaller is not better.
        .distribution(
            "one_way_delay_measured_ns", label: "one-way delay, measured",
            "The receiver's clock at the arrival less the sender's clock at the sending."
        ) { $0.oneWayDelayMeasured },
        .distribution(
            "one_way_delay_error_ns", worse: .awayFromZero, label: "one-way delay, error",
            "Measured less true one-way delay: what the clocks' offsets make of it."
        ) { $0.oneWayDelayError },
        .distribution(
            "round_trip_ns", worse: .up,
            "From sender report to the report block that names it, less the receiver's hold (RFC 3550 section 6.4.1)."
        ) { $0.roundTrip },
        ipdv.lifted { $0.quality }, pdv.lifted { $0.quality }, interarrivalJitter.lifted { $0.quality },
    ]

    private static let losses: [CatalogMember<FlowMeasurements>] = [
        .map(
            "loss_runs", worse: .up,
            "How many runs of that many datagrams in a row, in the multiplex's order, were not delivered (RFC 3357)."
        ) { named($0.lossRuns) },
        .map(
            "loss_runs_wire", worse: .up,
            "The same in the order on the wire, which an interleaver makes another (RFC 3357)."
        ) { named($0.quality.lossRuns) },
        .group(
            "mdi", "The Media Delivery Index (RFC 4445), for streams of constant rate.",
            [
                .nanoseconds(
                    "df_ns", worse: .up, label: "delay factor",
                    "The delay factor, the spread of a virtual buffer's level, copies left out: the largest of one-second windows (section 3.1)."
                ) { $0.quality.delayFactor?.maximum },
                mediaLossRate.lifted { $0.quality },
            ]),
        .nanoseconds("session_setup_ns", worse: .up, "From time zero to the first unit presented.") {
            $0.sessionSetupNanoseconds
        },
    ]
}
