import Emulator
import Protection
import Timebase

extension ExperimentScenario {
    /// How the program is sent.
    public struct Sender: Equatable, Sendable {
        /// How its transport packets are carried.
        public var carriage: Carriage
        var muxRate: MuxRate
        /// 1...7.
        public var transportPacketsPerDatagram: Int
        var pacing: Pacing
        /// From a unit's capture to its earliest sending; nil: the least constant that never sends a unit before it.
        var latency: TimeSpan?
        /// Of the program's datagrams.
        var programClass: ServiceClass
        /// Of reports, in both directions.
        var reportClass: ServiceClass
        /// Whether the program's datagrams take congestion marks (RFC 6679).
        var ecn: Bool
        /// What the program asks of every link on its way.
        var reservation: TokenBucket?
        /// Nil: datagrams are sent in their order. With RTP only.
        var interleave: Interleave?

        enum MuxRate: Equatable, Sendable {
            /// The least constant rate that keeps every unit in time.
            case automatic
            case variable
            /// Transport-stream bits per second.
            case constant(BitRate)
        }

        enum Pacing: String, Sendable, CaseIterable { case constant }
    }

    /// A block interleaver over datagrams: written by rows, sent by columns.
    struct Interleave: Equatable, Sendable {
        /// 2...100.
        var rows: Int
        /// 2...100.
        var columns: Int
    }
}

// MARK: - Declaration

extension ExperimentScenario.Sender {
    static let record = Record<Self>(
        Self(
            carriage: .tsRTP, muxRate: .automatic, transportPacketsPerDatagram: 7, pacing: .constant, latency: nil,
            programClass: .bestEffort, reportClass: .bestEffort, ecn: false, reservation: nil, interleave: nil),
        [
            .key(
                "carriage", \.carriage, .words(unsupported: "rtp-separate"),
                "How transport packets are carried: bare in UDP, or in RTP (RFC 2250) with RTCP beside it."),
            .key("mux_rate", \.muxRate, MuxRate.kind, MuxRate.meaning).like("5 Mbit/s"),
            .key(
                "ts_packets_per_datagram", \.transportPacketsPerDatagram, .integer(1...7),
                "Transport packets of 188 bytes in a full datagram."),
            .key(
                "pacing", \.pacing, .words(unsupported: "per-frame").or(.unsupported("token_bucket")),
                "When datagrams leave; constant: as the multiplex makes them."),
            .key(
                "latency", \.latency, .optional(.time(ExperimentScenario.delays), nil: "auto"),
                "From a unit's capture to its earliest sending; auto: the least that never sends one before its capture."
            ).like("700ms"),
            .key("classes", classes, "The class of service of the program's datagrams, and of reports.") {
                ($0.programClass, $0.reportClass)
            } set: {
                ($0.programClass, $0.reportClass) = $1
            }.like("{ program: AF41, reports: EF }"),
            .key(
                "ecn", \.ecn, .truth, "Whether the program's datagrams take congestion marks in place of being dropped."
            ).like("true"),
            .key(
                "reservation", \.reservation, .optional(ExperimentScenario.TokenBucket.record.kind()),
                "What the program asks every link of its way to hold for it, before the run."
            ).like("{ rate: 5 Mbit/s, burst: 30 kB }"),
            .key(
                "interleave", \.interleave, .optional(ExperimentScenario.Interleave.record.kind()),
                "A block interleaver over datagrams, written by rows and sent by columns; needs RTP."
            ).like("{ rows: 5, columns: 10 }"),
            .off("fec", "retransmission"),
        ], rules: [Rule("carriage") { checkInterleave($0, $1) }])

    private static func checkInterleave(_ sender: Self, _ reader: ScenarioReader) {
        guard case .map? = reader["interleave"].node?.content, !sender.carriage.hasRTP else { return }
        reader["interleave"].report(
            "without RTP the receiver cannot restore the order of the datagrams", expected: "carriage: ts-rtp",
            hint: "write carriage: ts-rtp, or leave interleave out")
    }

    /// One name for the program, or a map of `program`, `reports`, and kinds or ids of substreams, which in a multiplex
    /// have one class all.
    private static let classes = Kind<ServiceClass>.serviceClass.keyed(like: "program").mapped { entries, reader in
        var (program, reports): ((key: String, value: ServiceClass)?, ServiceClass) = (nil, .bestEffort)
        for entry in entries {
            guard entry.key != "reports" else {
                reports = entry.value
                continue
            }
            if let program, program.value != entry.value {
                reader[entry.key].report(
                    "'\(program.key)' has the class \(program.value.name), and one multiplex has one class",
                    hint: "give all of them the same")
            }
            program = program ?? entry
        }
        return (program?.value ?? .bestEffort, reports)
    } extract: { classes in
        [("program", classes.0), ("reports", classes.1)]
    }.or(Kind<ServiceClass>.serviceClass.mapped(embed: { ($0, .bestEffort) }, extract: { $0.0 }))
}

extension ExperimentScenario.Sender.MuxRate {
    static let meaning =
        "The multiplex's rate; auto: the least constant one that keeps every unit in time, vbr: the same less null packets."

    static let kind = Kind.word("auto", Self.automatic).or(.word("vbr", .variable)).or(
        Kind<BitRate>.bitRate(ExperimentScenario.rates).mapped(embed: Self.constant) {
            if case .constant(let rate) = $0 { rate } else { nil }
        })
}

extension ExperimentScenario.Interleave {
    private static let size = Kind<Int>.integer(
        InterleavingBlock.sizes, hint: "with one row or column nothing is interleaved: interleave: none")

    static let record = Record<Self>(
        Self(rows: 2, columns: 2),
        [
            .key("rows", \.rows, size, "Rows of the block: a run of so many lost datagrams comes out as single losses.")
                .required("a whole number of datagrams, such as rows: 5", like: "5"),
            .key("columns", \.columns, size, "Datagrams in a row: so far apart these losses come out.")
                .required("a whole number of datagrams, such as columns: 5", like: "10"),
        ])
}
