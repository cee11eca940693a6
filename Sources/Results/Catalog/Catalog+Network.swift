import Metrics

extension Catalog {
    static let clocks = CatalogList<ClockMeasurements>(
        "clocks", "The clock of each node.", selectors: ["node"], labels: [["node"]],
        [
            .text("node", "'sender', a receiver's id, or a time server's.") { $0.node },
            .text("algorithm", "How it is synchronized: 'none', or as clocks.synchronization names it.") {
                $0.algorithm
            },
            .nanoseconds(
                "synchronized_ns", worse: .up, label: "synchronized",
                "When it was first corrected, or found right; null: never."
            ) { $0.synchronizedNanoseconds },
            .distribution(
                "offset_error_ns", worse: .awayFromZero, label: "offset",
                "Local less true time, each second, of a synchronized clock from its first correction on; positive: fast."
            ) { $0.offsetError },
            .group(
                "frequency_ppb", "How much faster than true time the clock runs; positive: gains.",
                [
                    .whole("true", .partsPerBillion, label: "frequency", "What the oscillator does.") {
                        $0.trueFrequencyPartsPerBillion
                    },
                    .whole("estimated", .partsPerBillion, "What synchronization takes it for.") {
                        $0.estimatedFrequencyPartsPerBillion
                    },
                ]),
            .distribution(
                "bound_ns", worse: .up, label: "claimed bound",
                "The largest error that the algorithm claims, at the samples of offset_error_ns; null where it claims none."
            ) { $0.bound },
            .count(
                "bound_violations", worse: .up, label: "bound broken",
                "Samples at which the error was larger than claimed: of true time, or of the group's mean where berkeley or averaging claim it."
            ) { $0.boundViolations },
            .count("exchanges", label: "exchanges", "Exchanges with time servers that ended.") { $0.exchanges },
            .count("exchanges_used", "Those of them that the algorithm used.") { $0.exchangesUsed },
        ])

    static let links = CatalogList<LinkMeasurements>(
        "links", "Each link, with all that crosses it: program, control and cross traffic.", selectors: ["id"],
        labels: [["id"]],
        [
            .text("id", "'forward.0', 'reverse.0', 'tv.last.0'.") { $0.id },
            .text("direction", "'forward' or 'reverse'.") { $0.direction },
            .whole("rate_bps", .bitsPerSecond, "Its nominal rate; null without one.") { $0.rateBitsPerSecond },
            .ratio("utilization", label: "used", "The share of the run's time that it was sending.") { $0.utilization },
            .group(
                "packets", "IP packets.",
                [
                    .count("in", label: "packets in", "Packets that were handed to it.") { $0.packetsIn },
                    .count("out", "Packets that left it at the far end.") { $0.packetsOut },
                ]),
            .group(
                "drops", "IP packets that it did not carry, by reason.",
                [
                    .count("loss", worse: .up, "By the loss model.") { $0.lossDrops },
                    .count("queue_full", worse: .up, "By a queue at its limit.") { $0.queueFullDrops },
                    .count("aqm", worse: .up, "By active queue management: CoDel, FQ-CoDel, PIE.") { $0.aqmDrops },
                    .count("down", worse: .up, "By an outage of the link.") { $0.downDrops },
                    .count("policed", worse: .up, "By the policer.") { $0.policedDrops },
                ]),
            .count("duplicated", worse: .up, label: "copies", "Copies that it made.") { $0.duplicated },
            .count("ecn_marked", label: "marked", "Packets marked in place of a drop (RFC 3168 section 5).") {
                $0.marked
            },
            .distribution(
                "queue_delay_ns", worse: .up, label: "wait",
                "Waiting for the first bit to be sent, of packets that then were; null without a rate."
            ) { $0.queueDelay },
        ])

    static let reservations = CatalogList<ReservationMeasurements>(
        "reservations", "Sessions that asked every link of their way for a guaranteed rate.",
        selectors: ["flow", "receiver"], labels: [["flow"], ["flow", "receiver"]],
        [
            .text("flow", "'program', or a source of cross traffic: 'forward.0.cross_traffic.1'.") { $0.flow },
            .text("receiver", "The receiver's id; null for cross traffic.") { $0.receiver.isEmpty ? nil : $0.receiver },
            .whole("rate_bps", .bitsPerSecond, "The rate asked for.") { $0.bitsPerSecond },
            .whole("burst_bytes", .bytes, "The burst asked for.") { $0.burst },
            .truth("admitted", "Whether all links hold it; a refused session sends nothing.") { $0.isAdmitted },
            .group(
                "refused", "The first link that refused.",
                [
                    .text("link", "Its id.") { $0.refusedLink },
                    .text("reason", "Why.") { $0.refusedReason },
                ]),
            .nanoseconds(
                "bound_ns", label: "bound",
                "What no one-way delay exceeds while the flow keeps to rate and burst: b/R and each link's latency (RFC 2212)."
            ) { $0.boundNanoseconds },
            .nanoseconds("worst_delay_ns", worse: .up, label: "worst delay", "The longest one-way delay there was.") {
                $0.worstDelayNanoseconds
            },
            .whole(
                "burst_needed_bytes", .bytes, worse: .up, label: "burst needed",
                "The least burst that what was sent conforms to at the rate."
            ) { $0.neededBurst },
        ])
}
