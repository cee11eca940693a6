/// Every key and alternative of a scenario, supported by this version or not: the one table to extend.
///
/// A key moves from `unsupported` or `off` to `field` when the decoder reads it.
enum ScenarioShape {
    static let root = Shape.keys(
        .field("name"), .field("duration"), .field("seed"), .field("program", program), .field("sender", sender),
        .field("network", network), .field("clocks", clocks), .field("receivers", .list(receiver)),
        .field("qos", qos), .field("capture", capture), .field("outputs", outputs))

    static let program = Shape.keys(
        .field("file", group: "content"), .field("loop", with: "file"), .field("sha256", with: "file"),
        .field("substreams", .list(substream), group: "content"))

    static let substream = Shape.keys(
        .field("id"), .field("kind", .words("video", "audio", "data")),
        .field("synthetic", synthetic, group: "content"), .field("trace", group: "content"))

    static let synthetic = Shape.keys(
        .field("codec", .words("h264", "mp2", "opaque")), .field("frame_rate", group: "timing"),
        .field("frame_duration", group: "timing"), .field("gop"), .field("bitrate"), .field("unit_size"),
        .field("size_variation"))

    static let sender = Shape.keys(
        .field("carriage", .words("ts-udp", "ts-rtp", unsupported: ["rtp-separate"])),
        .field("mux_rate", .words("auto", "vbr").or(.value)), .field("ts_packets_per_datagram"),
        .field("pacing", .words("constant", unsupported: ["per-frame"]).or(.choice(unsupported: ["token_bucket"]))),
        .field("latency", .words("auto").or(.value)),
        .field("interleave", .words("none").or(.keys(.field("rows"), .field("columns")))), .off("fec"),
        .off("retransmission"), .off("classes"))

    static let network = Shape.keys(.field("forward", .list(link)), .field("reverse", .list(link)))

    static let link = Shape.keys(
        .field("rate", .words("none").or(.value), group: "rate"), .unsupported("rate_trace", group: "rate"),
        .off("overhead"), .field("queue", queue), .field("delay"), .field("jitter", jitter), .field("loss", loss),
        .off("reorder"), .off("duplicate"), .off("corrupt"), .off("cross_traffic"), .off("schedule"))

    static let queue = Shape.words("none").or(
        .choice(
            .field("drop_tail", .keys(.field("limit"))),
            unsupported: ["drop_head", "codel", "fq_codel", "pie", "priority", "wfq"]))

    static let jitter = Shape.words("none").or(
        .choice(
            .field("normal", .keys(.field("deviation"), .off("correlation"), .off("reorder"))),
            .field("uniform", .keys(.field("half_range"), .off("correlation"), .off("reorder"))),
            unsupported: ["exponential", "gamma", "pareto", "table", "empirical", "trace"]))

    static let loss = Shape.words("none").or(
        .choice(
            .field("bernoulli"),
            .field(
                "gilbert_elliott",
                .keys(
                    .field("loss"), .field("mean_burst"), .off("longest_burst"), .off("time_driven"),
                    .unsupported("p"), .unsupported("r"), .unsupported("loss_bad"), .unsupported("loss_good"))),
            unsupported: ["markov4", "pattern"]))

    static let clock = Shape.keys(.field("offset"), .field("frequency"), .off("wander"))

    static let clocks = Shape.keys(
        .field("sender", clock), .field("receivers", clock), .off("servers"),
        .field(
            "synchronization",
            .words("none", unsupported: ["cristian", "ntp", "berkeley", "averaging"]).or(
                .choice(unsupported: ["cristian", "ntp", "berkeley", "averaging"]))))

    static let receiver = Shape.keys(
        .field("id"), .field("playout", .choice(.field("fixed"), unsupported: ["adaptive"])),
        .field("anchor", .words("first-arrival", unsupported: ["sender-clock"])),
        .field("late", .words("drop", "present")),
        .field("clock_recovery", .words("none", unsupported: ["pcr", "window-min", "rtcp"])),
        .field("lip_sync", lipSync), .field("count"), .field("last_links", .list(link)), .field("clock", clock))

    static let lipSync = Shape.keys(
        .field("correction", .words("none")), .field("profile", .words("itu-bt1359", "ebu-r37", "atsc-is191")))

    static let qos = Shape.keys(
        .field("bitrate"), .field("session_setup_delay"), .field("end_to_end_delay"), .field("round_trip_delay"),
        .field("jitter"), .field("loss"), .field("lip_sync"))

    static let points = Shape.words("none", "all").or(.list(.words("sender", "receiver")))

    static let capture = Shape.words("none", "all").or(.keys(.field("points", points)))

    static let outputs = Shape.keys(
        .field("media", .words("none").or(.list(.words("sent", "received", unsupported: ["presented"])))),
        .field("series", .words("none").or(.value)), .field("packets", .words("true", "false")))
}
