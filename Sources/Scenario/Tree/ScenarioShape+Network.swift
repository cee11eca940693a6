extension ScenarioShape {
    static let network = Shape.keys(.field("forward", .list(link)), .field("reverse", .list(link)))

    static let link = Shape(
        fields: linkFields + [
            .field("overhead", .words("none", "ethernet", "atm")), .field("reservable"),
            .field("cross_traffic", .list(crossTraffic)), .field("schedule", .list(step)),
        ])

    /// What can change while a link works.
    private static let linkFields: [Shape.Field] = [
        .field("rate", .words("none").or(.value), group: "rate"), .field("rate_trace", rateTrace, group: "rate"),
        .field("shaper", tokenBucket, group: "rate"), .field("policer", .words("none").or(tokenBucket)),
        .field("queue", queue), .field("delay"), .field("jitter", jitter), .field("loss", loss), .field("reorder"),
        .field("duplicate"), .field("corrupt"),
    ]

    static let step = Shape(fields: [.field("at"), .field("down")] + linkFields.filter { $0.name != "rate_trace" })

    static let tokenBucket = Shape.keys(.field("rate"), .field("burst"))

    static let rateTrace = Shape.keys(
        .field("mahimahi", group: "format"), .field("reading", .words("opportunities", "piecewise"), with: "mahimahi"),
        .field("csv", group: "format"), .field("repeat", .words("none").or(.value), with: "csv"),
        .field("hsdpa", group: "format"))

    private static let codel: [Shape.Field] = [.field("target"), .field("interval"), .field("ecn", .truth)]

    /// A word alone stands for its discipline with what is usual.
    static let queue = Shape.words("none", "codel", "pie", "fq_codel").or(
        .choice(
            .field("drop_tail", .keys(.field("limit"))), .field("drop_head", .keys(.field("limit"))),
            .field("codel", Shape(fields: codel + [.field("limit")])),
            .field(
                "pie", .keys(.field("target"), .field("update"), .field("ecn", .truth), .field("limit"))),
            .field("fq_codel", Shape(fields: codel + [.field("flows"), .field("quantum"), .field("limit")])),
            .field("priority", .keys(.field("classes", .list(.value)), .field("limit"))),
            .field("wfq", .keys(.field("classes", .map(.keys(.field("rate")))), .field("limit")))))

    static let jitter = Shape.words("none").or(
        .choice(
            law("normal", "deviation"), law("uniform", "half_range"), law("paretonormal", "deviation"),
            law("exponential", "mean"), law("gamma", "mean", "shape"), law("pareto", "mean", "shape"),
            law("table", "file", "deviation"), law("empirical", "file"), law("trace", "file")))

    private static func law(_ name: String, _ keys: String...) -> Shape.Field {
        .field(name, Shape(fields: keys.map { .field($0) } + [.field("correlation"), .field("reorder", .truth)]))
    }

    static let loss = Shape.words("none").or(
        .choice(
            .field("bernoulli"),
            .field(
                "gilbert_elliott",
                .keys(
                    .field("loss", group: "law"), .field("mean_burst", with: "loss"),
                    .field("longest_burst", with: "loss"), .field("p", group: "law"), .field("r", with: "p"),
                    .field("loss_bad", with: "p"), .field("loss_good", with: "p"), .field("time_driven", .truth),
                    .field("step"))),
            .field(
                "markov4",
                .keys(
                    .field("p13", group: "law"), .field("p31", with: "p13"), .field("p32", with: "p13"),
                    .field("p23", with: "p13"), .field("p14", with: "p13"), .field("loss", group: "law"),
                    .field("mean_burst", with: "loss"), .field("burst_density", with: "loss"),
                    .field("isolated_loss", with: "loss"), .field("mean_good_run", with: "loss"))),
            .field("pattern", .keys(.field("drop", .list(.value)), .field("repeat"))), .field("trace"),
            .field("bit_error_rate")))

    static let crossTraffic = Shape.keys(
        .field("poisson", flow, group: "pattern"), .field("constant", flow, group: "pattern"),
        .field(
            "on_off",
            .keys(
                .field("rate"), .field("packet"), .field("on"), .field("off"),
                .field("law", .words("exponential", "pareto")), .field("shape")), group: "pattern"),
        .field(
            "trace", .keys(.field("file"), .field("repeat", .truth)), group: "pattern"),
        .field("class"), .field("reservation", .words("none").or(tokenBucket)))

    private static let flow = Shape.keys(.field("rate"), .field("packet"))
}
