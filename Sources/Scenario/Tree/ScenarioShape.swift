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
        .off("retransmission"), .field("classes", .value.or(.map(.value))), .field("ecn", .truth),
        .field("reservation", .words("none").or(tokenBucket)))

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
        .field("lip_sync", lipSync), .field("deliver_corrupted", .truth), .field("count"),
        .field("last_links", .list(link)), .field("clock", clock))

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
