/// What a number in run.json counts.
public enum MetricUnit: Sendable, Equatable {
    case nanoseconds
    case bitsPerSecond
    case bytes
    /// 0...1.
    case ratio
    case partsPerBillion
    case nanosecondsPerSecond
    case perSecond
    case count
    /// A number without a unit of its own.
    case plain
    case text
    case truth

    /// As `rubato.comparison/1` names it.
    public var name: String? {
        switch self {
        case .nanoseconds: "ns"
        case .bitsPerSecond: "bit/s"
        case .bytes: "B"
        case .ratio: "ratio"
        case .partsPerBillion: "ppb"
        case .nanosecondsPerSecond: "ns/s"
        case .perSecond: "1/s"
        case .count: "count"
        case .plain, .text, .truth: nil
        }
    }

    var isNumber: Bool { self != .text && self != .truth }
}

/// Which way a metric gets worse.
public enum Worse: String, Sendable {
    case up
    case down
    /// Signed metrics, best at zero: skew, clock offset.
    case awayFromZero = "away_from_zero"
    /// Neither way is bad by itself.
    case unknown
}

/// A node of the tree of names that a run.json has.
public indirect enum SchemaNode: Sendable {
    case leaf(MetricUnit, Worse)
    case group([(name: String, node: SchemaNode)])
    /// Elements told apart by the values of their `id`, `receiver`, `node`, `point` or `path`.
    case list(SchemaNode)
    /// Names that differ from run to run; `known` are those that can occur, empty when any whole number can.
    case map(known: [String], SchemaNode)
}

/// The names of run.json, schema `rubato.run/1`: what a check or a comparison can name, before any run.
public enum RunSchema {
    public static let identifier = "rubato.run/1"

    /// Names of the members of DIST.
    public static let distributionNames = [
        "count", "min", "mean", "stddev", "p5", "p50", "p95", "p99", "p999", "max",
    ]

    public static let root: SchemaNode = .group([
        ("schema", text),
        ("tool", .group([("name", text), ("version", text)])),
        ("run", run),
        ("flows", .list(flow)),
        ("substreams", .list(substream)),
        ("lip_sync", .list(lipSync)),
        ("playout", .list(playout)),
        ("clocks", .list(clock)),
        ("links", .list(link)),
        ("reservations", .list(reservation)),
        ("transport_stream", .list(transportStream)),
        ("qos", .group([("passed", truth), ("checks", .list(check))])),
        ("validity", validity),
        ("artifacts", .list(.group([("path", text), ("bytes", .leaf(.bytes, .unknown)), ("sha256", text)]))),
    ])

    private static let text = SchemaNode.leaf(.text, .unknown)
    private static let truth = SchemaNode.leaf(.truth, .unknown)
    private static let count = SchemaNode.leaf(.count, .unknown)
    private static let badCount = SchemaNode.leaf(.count, .up)

    private static func distribution(_ worse: Worse, _ unit: MetricUnit = .nanoseconds) -> SchemaNode {
        .group(
            distributionNames.map { name in
                switch name {
                case "count": (name, count)
                // A wider spread is worse wherever the values lie.
                case "stddev": (name, .leaf(unit, worse == .unknown ? .unknown : .up))
                default: (name, .leaf(unit, worse))
                }
            })
    }

    private static func nanoseconds(_ worse: Worse) -> SchemaNode { .leaf(.nanoseconds, worse) }

    private static let run: SchemaNode = .group([
        ("id", text), ("name", text), ("mode", text), ("status", text), ("seed", .leaf(.plain, .unknown)),
        ("duration_ns", nanoseconds(.unknown)), ("ended_ns", nanoseconds(.unknown)),
        ("wall_ns", nanoseconds(.unknown)), ("speed_factor", .leaf(.plain, .unknown)), ("digest", text),
    ])

    private static let flow: SchemaNode = .group([
        ("id", text), ("receiver", text), ("carriage", text),
        (
            "packets",
            .group([
                ("sent", count), ("duplicated", badCount), ("delivered", .leaf(.count, .down)), ("lost_link", badCount),
                ("dropped_queue", badCount), ("dropped_checksum", badCount), ("late", badCount),
                ("duplicates", badCount), ("reordered", badCount), ("ecn_marked", count), ("repaired_fec", count),
                ("repaired_retransmission", count), ("unrepaired", badCount),
            ])
        ),
        ("repair", .group([("sent", count), ("delivered", count)])),
        (
            "bitrate_bps",
            .group([
                ("sent", .leaf(.bitsPerSecond, .unknown)), ("delivered", .leaf(.bitsPerSecond, .down)),
                ("overhead_ratio", .leaf(.ratio, .up)),
            ])
        ),
        ("one_way_delay_ns", distribution(.up)),
        // The receiver's reading includes its clock's offset: smaller is not better.
        ("one_way_delay_measured_ns", distribution(.unknown)),
        ("one_way_delay_error_ns", distribution(.awayFromZero)),
        ("round_trip_ns", distribution(.up)),
        ("ipdv_ns", distribution(.awayFromZero)),
        ("pdv_ns", distribution(.up)),
        (
            "interarrival_jitter_ns",
            .group([("mean", nanoseconds(.up)), ("max", nanoseconds(.up)), ("last", nanoseconds(.up))])
        ),
        ("loss_runs", .map(known: [], badCount)),
        ("loss_runs_wire", .map(known: [], badCount)),
        ("mdi", .group([("df_ns", nanoseconds(.up)), ("mlr_per_s", .leaf(.perSecond, .up))])),
        ("session_setup_ns", nanoseconds(.up)),
    ])

    private static let substream: SchemaNode = .group([
        ("id", text), ("kind", text), ("receiver", text),
        (
            "sent",
            .group([
                ("units", count), ("bytes", .leaf(.bytes, .unknown)), ("bitrate_bps", .leaf(.bitsPerSecond, .unknown)),
            ])
        ),
        (
            "presented",
            .group([
                ("on_time", .leaf(.count, .down)), ("late", badCount), ("missing", badCount), ("damaged", badCount),
                ("concealed", badCount),
            ])
        ),
        ("end_to_end_delay_ns", distribution(.up)),
        (
            "freezes",
            .group([("count", badCount), ("total_ns", nanoseconds(.up)), ("longest_ns", nanoseconds(.up))])
        ),
    ])

    private static let lipSync: SchemaNode = .group([
        ("receiver", text), ("audio", text), ("video", text),
        ("skew_ns", distribution(.awayFromZero)),
        (
            "within",
            .group([
                ("itu_detectability", .leaf(.ratio, .down)), ("itu_acceptability", .leaf(.ratio, .down)),
                ("ebu_r37", .leaf(.ratio, .down)), ("atsc_is191", .leaf(.ratio, .down)),
            ])
        ),
        ("slope_ns_per_s", .leaf(.nanosecondsPerSecond, .awayFromZero)),
    ])

    private static let playout: SchemaNode = .group([
        ("receiver", text), ("algorithm", text), ("delay_ns", distribution(.unknown)),
        ("buffer_ns", distribution(.unknown)), ("underruns", badCount), ("overflows", badCount),
    ])

    private static let clock: SchemaNode = .group([
        ("node", text), ("algorithm", text), ("offset_error_ns", distribution(.awayFromZero)),
        (
            "frequency_ppb",
            .group([("true", .leaf(.partsPerBillion, .unknown)), ("estimated", .leaf(.partsPerBillion, .unknown))])
        ),
        ("bound_ns", distribution(.up)), ("bound_violations", badCount), ("exchanges", count),
    ])

    private static let link: SchemaNode = .group([
        ("id", text), ("direction", text), ("rate_bps", .leaf(.bitsPerSecond, .unknown)),
        ("utilization", .leaf(.ratio, .unknown)), ("packets", .group([("in", count), ("out", count)])),
        (
            "drops",
            .group([
                ("loss", badCount), ("queue_full", badCount), ("aqm", badCount), ("down", badCount),
                ("policed", badCount),
            ])
        ),
        ("duplicated", badCount), ("ecn_marked", count), ("queue_delay_ns", distribution(.up)),
    ])

    private static let reservation: SchemaNode = .group([
        ("flow", text), ("receiver", text), ("rate_bps", .leaf(.bitsPerSecond, .unknown)),
        ("burst_bytes", .leaf(.bytes, .unknown)), ("admitted", truth),
        ("refused", .group([("link", text), ("reason", text)])), ("bound_ns", nanoseconds(.unknown)),
        ("worst_delay_ns", nanoseconds(.up)), ("burst_needed_bytes", .leaf(.bytes, .up)),
    ])

    /// ETSI TR 101 290 §5.2: every counter by its name there.
    private static let tr101290Names = [
        "TS_sync_loss", "Sync_byte_error", "PAT_error", "PAT_error_2", "Continuity_count_error", "PMT_error",
        "PMT_error_2", "PID_error", "Transport_error", "CRC_error", "PCR_error", "PCR_repetition_error",
        "PCR_discontinuity_indicator_error", "PCR_accuracy_error", "PTS_error", "CAT_error", "NIT_error",
        "NIT_actual_error", "NIT_other_error", "SI_repetition_error", "Buffer_error", "Unreferenced_PID", "SDT_error",
        "SDT_actual_error", "SDT_other_error", "EIT_error", "EIT_actual_error", "EIT_other_error", "EIT_PF_error",
        "RST_error", "TDT_error", "Empty_buffer_error", "Data_delay_error",
    ]

    private static let transportStream: SchemaNode = .group([
        ("point", text), ("bitrate_bps", .leaf(.bitsPerSecond, .unknown)),
        ("tr101290", .map(known: tr101290Names, badCount)),
        ("pcr", .group([("interval_max_ns", nanoseconds(.up)), ("accuracy_ns", distribution(.awayFromZero))])),
    ])

    private static let check: SchemaNode = .group([
        ("metric", text), ("op", text), ("limit", .leaf(.plain, .unknown)), ("value", .leaf(.plain, .unknown)),
        ("passed", truth),
    ])

    private static let validity: SchemaNode = .group([
        ("valid", truth), ("timer_lateness_ns", distribution(.up)), ("missed_deadlines", badCount),
        ("warnings", .list(text)),
    ])
}
